"""Predict from an exported model alone: no class of the training code is needed."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from .examples import ExportedExamples
from .language import ExportedLanguage
from .save import versions
from .series import ExportedSeries
from .served import Served

Exported = ExportedSeries | ExportedExamples | ExportedLanguage
KINDS: dict[str, type[ExportedSeries] | type[ExportedExamples] | type[ExportedLanguage]] = {
    "forecast": ExportedSeries,
    "classification": ExportedExamples,
    "regression": ExportedExamples,
    "tagging": ExportedExamples,
    "language-model": ExportedLanguage,
}


def load_model(path: str | Path) -> Exported:
    """Load an exported model.

    Args:
        path: a model's folder, whose highest version is taken, or the folder of one version.

    Returns:
        The model.

    Raises:
        InputError: if there is no exported model.

    Example:
        >>> model = load_model("saved_models/co2")
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"there is no exported model at {path}; make one with --export {path}")
    if (path / "saved_model.pb").exists():
        return _exported(path)
    numbers = versions(path)
    if not numbers:
        raise InputError(f"{path} holds no exported model: a numbered folder with saved_model.pb was expected in it")
    return _exported(path / str(numbers[-1]))


def _exported(path: Path) -> Exported:
    served = Served(path)
    return KINDS[served.info["task"]](served)

"""Predict from an exported model alone: its SavedModel's signatures take the place of the training code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..pipelines.protocol import Tensors
from ..predictor import Predictor
from ..predictor.persistence import is_saved, load_schema
from .signatures import DEFAULT, STEP
from .versions import versions

INFO = Path("assets.extra") / "recurra.json"
# The predictor as it was trained: gates, gradients and the text's own tokens are not in the graph.
TRAINED = INFO.with_name("trained")


class SavedModel:
    """A SavedModel on disk, called through its signatures.

    Args:
        path: folder of one version.
    """

    kind = "saved_model"
    why_no_graph = None

    def __init__(self, path: Path, *, reads_all_rows: bool = False) -> None:
        self.path, self.reads_all_rows = path, reads_all_rows
        self.extra_inputs: dict[str, Any] = {}

    @cached_property
    def loaded(self) -> Any:
        """The SavedModel; its signatures die with it."""
        import tensorflow as tf

        return tf.saved_model.load(str(self.path))

    def serve(self, raw: Tensors) -> dict[str, np.ndarray]:
        """Call ``serving_default`` on raw inputs."""
        return self.call(DEFAULT, raw)

    def call(self, signature: str, inputs: Tensors) -> dict[str, np.ndarray]:
        """Call a signature; inputs that it does not have are passed over."""
        import tensorflow as tf

        function = self.loaded.signatures[signature]
        takes = function.structured_input_signature[1]
        tensors = {name: tf.constant(value) for name, value in inputs.items() if name in takes}
        return {name: tensor.numpy() for name, tensor in function(**tensors).items()}

    @property
    def step(self) -> SavedStep | None:
        """The signature ``step`` of a language model."""
        return SavedStep(self) if STEP in self.loaded.signatures else None

    def trackables(self) -> list[Any]:
        """The loaded module."""
        return [self.loaded]

    def parameters(self) -> int:
        """Numbers in its variables."""
        return sum(int(np.prod(v.shape)) for v in self.loaded.signatures[DEFAULT].variables)

    def arrays(self) -> list[np.ndarray]:
        """Its variables."""
        return [v.numpy() for v in self.loaded.signatures[DEFAULT].variables]

    def save(self, folder: Path) -> dict[str, Any]:  # noqa: ARG002
        """An exported model is saved already: copy its folder."""
        raise InputError(f"{self.path} is an exported model already; copy that folder to keep it elsewhere")

    def __repr__(self) -> str:
        return f"SavedModel {self.path}"


class SavedStep:
    """The signature ``step`` as a step function."""

    def __init__(self, model: SavedModel) -> None:
        self.model = model
        _, arguments = model.loaded.signatures[STEP].structured_input_signature
        self.state_shapes = {
            name: (tuple(spec.shape[1:]), spec.dtype.name)
            for name, spec in arguments.items()
            if name.startswith("state_")
        }

    def __call__(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return self.model.call(STEP, inputs)


@dataclass(frozen=True, eq=False)
class ExportedModel(Predictor[Any]):
    """An exported model: a predictor whose ``serve`` is the SavedModel's signature.

    Attributes:
        path: folder of the version.
        info: the content of ``assets.extra/recurra.json``.

    Example:
        >>> recurra.load_model("saved_models/co2").predict("new.csv")
    """

    path: Path = Path()
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of its predictions should know."""
        return tuple(self.info.get("notes", ()))

    @cached_property
    def trained(self) -> Predictor[Any] | None:
        """The predictor that was exported, with its network and pipeline; None in an export that holds none."""
        return Predictor.load(self.path / TRAINED) if is_saved(self.path / TRAINED) else None

    def __repr__(self) -> str:
        return f"ExportedModel({str(self.path)!r}: {self.schema!r})"


def load_model(path: str | Path) -> ExportedModel:
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
        raise InputError(f"there is no exported model at {path}; make one with `export` {path}")
    if (path / "saved_model.pb").exists():
        return _load_version(path)
    numbers = versions(path)
    if not numbers:
        raise InputError(f"{path} holds no exported model: a numbered folder with saved_model.pb was expected in it")
    return _load_version(path / str(numbers[-1]))


def _load_version(path: Path) -> ExportedModel:
    if not (path / INFO).exists():
        raise InputError(f"{path} was not exported by recurra: there is no {INFO} in it")
    info: dict[str, Any] = json.loads((path / INFO).read_text(encoding="utf-8"))
    return ExportedModel(load_schema(info["schema"]), SavedModel(path), info["task"], path, info)

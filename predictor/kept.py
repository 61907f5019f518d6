"""A predictor on disk: ``model.keras`` and ``pipeline.json`` in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras

from ..atomic import replacing
from ..errors import InputError


def write_kept(path: Path | str, model: keras.Model, said: dict[str, Any]) -> None:
    """Write both files, each whole or not at all."""
    path = Path(path)
    with replacing(path / "model.keras") as file:
        model.save(file)
    with replacing(path / "pipeline.json") as file:
        file.write_text(json.dumps(said, indent=1), encoding="utf-8")


def read_kept(path: Path | str) -> tuple[keras.Model, dict[str, Any]]:
    """Read what :func:`write_kept` wrote.

    Raises:
        InputError: if there is no such folder.
    """
    path = Path(path)
    if not (path / "pipeline.json").exists():
        raise InputError(f"{path} holds no saved predictor: there is no pipeline.json in it")
    said = json.loads((path / "pipeline.json").read_text(encoding="utf-8"))
    return keras.saving.load_model(path / "model.keras", compile=False), said

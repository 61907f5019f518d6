"""A SavedModel on disk, called through its signatures."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError


class Served:
    """One version of an exported model.

    Attributes:
        path: its folder.
        info: the content of ``assets.extra/recurra.json``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        file = path / "assets.extra" / "recurra.json"
        if not file.exists():
            raise InputError(f"{path} was not exported by recurra: there is no assets.extra/recurra.json in it")
        self.info: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))

    @cached_property
    def loaded(self) -> Any:
        """The SavedModel; its signatures die with it."""
        import tensorflow as tf

        return tf.saved_model.load(str(self.path))

    def __call__(self, inputs: dict[str, np.ndarray], signature: str = "serving_default") -> dict[str, np.ndarray]:
        """Call a signature on raw inputs."""
        import tensorflow as tf

        serve = self.loaded.signatures[signature]
        outputs = serve(**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: tensor.numpy() for name, tensor in outputs.items()}

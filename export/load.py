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
from ..predictor.step import STATE
from ..stream_state import StateShapes
from .signatures import DEFAULT, STEP
from .versions import versions

INFO = Path("assets.extra") / "recurra.json"
# The predictor as it was trained: gates, gradients and the text's own tokens are not in the graph.
TRAINED = INFO.with_name("trained")


class SavedModel:
    """A SavedModel on disk, called through its signatures.

    Args:
        path: folder of one version.
        stream: what ``recurra.json`` says of its signature ``step``.
    """

    kind = "saved_model"
    why_no_graph = None

    def __init__(self, path: Path, stream: dict[str, Any] | None = None) -> None:
        self.path, self.reads_all_rows = path, False
        self.stream = stream or {"why_not": "it was exported by an earlier version of recurra"}
        self.extra_inputs: dict[str, Any] = {}

    @cached_property
    def loaded(self) -> Any:
        """The SavedModel; its signatures die with it."""
        import tensorflow as tf

        try:
            return tf.saved_model.load(str(self.path))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError, tf.errors.OpError) as error:
            reason = str(error).strip().splitlines()
            raise InputError(
                f"{self.path} holds a damaged model ({reason[0][:200] if reason else type(error).__name__}); export it "
                "again"
            ) from error

    def serve(self, raw: Tensors) -> dict[str, np.ndarray]:
        """Call ``serving_default`` on raw inputs."""
        return self.call(DEFAULT, raw)

    def call(self, signature: str, inputs: Tensors) -> dict[str, np.ndarray]:
        """Call a signature; inputs that it does not have are passed over."""
        import tensorflow as tf

        function = self.loaded.signatures[signature]
        takes = function.structured_input_signature[1]
        tensors = {name: tf.constant(value, takes[name].dtype) for name, value in inputs.items() if name in takes}
        return {name: tensor.numpy() for name, tensor in function(**tensors).items()}

    @cached_property
    def step(self) -> SavedStep | None:
        """The signature ``step``, where the model has one."""
        return SavedStep(self) if STEP in self.loaded.signatures else None

    @property
    def why_no_step(self) -> str | None:
        """Why there are no streams, in words."""
        return self.stream.get("why_not")

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
    """The signature ``step`` as a step; its attributes are those of :class:`recurra.predictor.step.Step`."""

    def __init__(self, model: SavedModel) -> None:
        self.model = model
        self.first: int = model.stream.get("first", 1)
        self.note: str = model.stream.get("note", "")
        self.complete: bool = model.stream.get("complete", False)
        _, arguments = model.loaded.signatures[STEP].structured_input_signature
        self.state_shapes: StateShapes = {
            name: (tuple(spec.shape[1:]), spec.dtype.name) for name, spec in arguments.items() if name.startswith(STATE)
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

    def fingerprint(self) -> str:
        """The digits that the predictor had when it was exported."""
        return str(self.info["weights"])

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
    try:
        info: dict[str, Any] = json.loads((path / INFO).read_text(encoding="utf-8"))
        model = SavedModel(path, info.get("stream"))
        loaded = ExportedModel(load_schema(info["schema"]), model, info["task"], path, info)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path / INFO} is damaged, or of another version of recurra; export the model again"
        ) from error
    _ = model.loaded  # what is damaged is said now, not when something is to be predicted
    return loaded

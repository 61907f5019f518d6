"""Export of classification, regression and tagging: raw texts or values in, the user's labels or units out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from .. import datasets
from ..datasets.panel_files import is_panel, read_panel
from ..errors import InputError
from ..frames import PanelFrame, TextFrame, data_hash
from ..pipelines import ExamplePipeline
from ..pipelines.examples import ExampleFrame
from ..predictor import ExamplePredictor, answer_table
from .card import listed
from .served import Served

# Real examples the written model is held against before its version appears.
_CHECKED = 64
# Examples answered at once: as many as fit into memory, whatever their length.
_AT_ONCE = 256


def serving_module(predictor: ExamplePredictor) -> tuple[tf.Module, dict[str, Any]]:
    """A module whose function ``serve`` takes raw input, and its signatures."""
    reader = predictor.pipeline.reader
    signature = reader.signature()
    module = tf.Module(name="recurra")
    module.model = predictor.model  # tracked: its weights belong to the SavedModel
    if hasattr(reader, "vocabulary_"):
        module.table = reader.vocabulary_.table
    names = list(signature)

    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return predictor.answer_raw(dict(zip(names, tensors, strict=True)))

    module.serve = tf.function(serve, input_signature=list(signature.values()), autograph=False)
    return module, {"serving_default": module.serve}


def example_inputs(predictor: ExamplePredictor, frame: ExampleFrame) -> dict[str, np.ndarray]:
    """Raw input of real examples, evenly spaced through the frame."""
    rows = np.unique(np.linspace(0, len(frame) - 1, _CHECKED).astype(int))
    return predictor.pipeline.reader.raw([frame.inputs[i] for i in rows])


def answer(predictor: ExamplePredictor, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the exported model must answer."""
    return predictor.answer_raw({name: tf.constant(value) for name, value in inputs.items()})


def describe(predictor: ExamplePredictor, frame: ExampleFrame) -> dict[str, Any]:
    """What ``recurra.json`` says of this kind of model."""
    name = None if frame.targets is None else frame.targets.name
    return {
        "task": predictor.pipeline.task,
        "data": {
            "source": frame.source,
            "hash": data_hash(frame),
            "rows": len(frame),
            "inputs": frame.kind,
            "answer": name,
            "roles": frame.input_roles,
        },
        "pipeline": predictor.pipeline.to_config(),
    }


class ExportedExamples:
    """An exported model that targets for texts or sequences.

    Attributes:
        path: its folder.
        info: the content of ``assets.extra/recurra.json``.

    Example:
        >>> load_model("saved_models/reviews").predict(["well done", "not for me"])
    """

    def __init__(self, served: Served) -> None:
        self.served, self.path, self.info = served, served.path, served.info
        self.pipeline = ExamplePipeline.from_config(self.info["pipeline"])

    def read(self, source: str | Path | pd.DataFrame) -> ExampleFrame:
        """Read what is to be answered, with the columns of the training data.

        Raises:
            InputError: if a column is missing, or anything else is wrong with the rows.
        """
        data = self.info["data"]
        roles = {name: value for name, value in data["roles"].items() if value is not None}
        if isinstance(source, pd.DataFrame):
            made = PanelFrame if data["inputs"] == "values" else TextFrame
            return made.from_table(source, **roles)
        if Path(source).is_file() and is_panel(source, peek=not roles):
            if data["inputs"] != "values":
                raise InputError(f"{source} holds numbers, but the model reads {data['inputs']}; give a table with it")
            # targets that stand beside them are not asked for, and leave nothing out
            return PanelFrame.from_arrays(**read_panel(source) | {"targets": None})
        frame = datasets.load(source, **roles)
        if not isinstance(frame, TextFrame | PanelFrame):
            raise InputError(f"{source} does not hold what the model reads ({data['inputs']}); give a file like it")
        return frame

    def predict(self, source: Any) -> pd.DataFrame:
        """Answer for texts or sequences.

        Args:
            source: a file, a table or a frame with the input columns of the training data; or a list of texts, of
                lists of tokens, or of arrays (time, channels).

        Returns:
            A row an example: ``label``, ``probability`` and ``probability_<class>``; or ``value``; or ``tags``. Where
            a column names the sequences, it comes first.

        Raises:
            InputError: if anything is wrong with the input.
        """
        if isinstance(source, str | Path | pd.DataFrame):
            source = self.read(source)
        table = answer_table(self.pipeline, self.targets(getattr(source, "inputs", source)))
        if isinstance(source, PanelFrame) and source.names is not None:
            table.insert(0, source.roles["id"], source.names)
        return table

    def targets(self, inputs: Sequence[Any]) -> dict[str, Any]:
        """Call the signature ``serving_default`` on raw inputs; see ``ExamplePredictor.targets``."""
        parts: dict[str, list[Any]] = {}
        for start in range(0, max(len(inputs), 1), _AT_ONCE):
            some = inputs[start : start + _AT_ONCE]
            for name, array in self.served(self.pipeline.reader.raw(some)).items():
                cut = [row[: len(x)] for row, x in zip(array, some, strict=True)] if self.pipeline.tagged else [array]
                parts.setdefault(name, []).extend(cut)
        if self.pipeline.task == "regression":
            return {"value": np.concatenate(parts["value"])}
        if self.pipeline.tagged:
            probabilities: Any = parts["probabilities"]
            return {"probabilities": probabilities, "number": [p.argmax(axis=-1) for p in probabilities]}
        joined = np.concatenate(parts["probabilities"])
        return {"probabilities": joined, "number": joined.argmax(axis=-1)}


def card(info: dict[str, Any]) -> dict[str, Any]:
    """What the model card says of this kind of model."""
    data, pipeline, task = info["data"], info["pipeline"], info["task"]
    name = data["answer"]
    reader = pipeline["reader"]
    what = {"text": "text", "tokens": "list of tokens", "values": "sequence of numbers"}[data["inputs"]]
    if data["inputs"] == "text":
        lines = [f"`text`: string [batch], UTF-8; cut into {reader['tokens']} tokens inside the model."]
    elif data["inputs"] == "tokens":
        lines = ['`tokens`: string [batch, time]; shorter rows end with "".']
    else:
        lines = [
            f"`values`: float32 [batch, time, {len(reader['mean'])}], in the units of the data, NaN where missing "
            f"({reader['missing']}); whatever stands behind a sequence's end is not read.",
            "`lengths`: int32 [batch], steps of each sequence.",
        ]
    out = {
        "classification": "`label`: string [batch]; `probabilities`: float32 [batch, classes]",
        "regression": "`value`: float32 [batch], in the unit of the data",
        "tagging": "`tags`: string [batch, time]; `probabilities`: float32 [batch, time, classes]",
    }[task]
    classes = pipeline["answer"].get("classes")
    lines.append(f"{out}, classes in this order: {listed([str(c) for c in classes])}." if classes else f"{out}.")
    return {
        "purpose": f"Tells `{name}` of a {what} ({task}).",
        "signature": lines,
        "data": f"{data['rows']:,} examples",
        "split": "A part of them stopped the training.",
        "limits": "It knows the classes above and no other, and takes every input for one of them. Probabilities are "
        "those of the network, not recalibrated."
        if classes
        else "It knows inputs like those above and no other.",
    }

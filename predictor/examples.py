"""ExamplePredictor: labels, values or tags of texts and panels, as the user wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from ..pipelines import ExamplePipeline, Examples
from ..training import predict_part
from .kept import read_kept, write_kept

# More classes than these get no column of probabilities each.
_MOST_COLUMNS = 50


class ExamplePredictor:
    """A fitted pipeline and a trained model, joined.

    Args:
        pipeline: fitted on training examples.
        model: trained on what the pipeline gives.

    Example:
        >>> predictor = recurra.fit("reviews.csv", text="text", label="label", family="lstm").predictor
        >>> predictor.predict(["well done", "not for me"])
    """

    def __init__(self, pipeline: ExamplePipeline, model: keras.Model) -> None:
        self.pipeline = pipeline
        self.model = model

    def targets(self, part: Examples) -> dict[str, Any]:
        """What the model says of encoded examples, in order.

        Returns:
            ``probabilities`` (examples, classes) and ``number`` (examples,) of the likeliest class; or ``value``
            (examples,); of tags a list of arrays (time, classes) and (time,) each.
        """
        # of sequences without one fixed length Keras knows no empty batch
        said = predict_part(self.model, part) if len(part) or not self.pipeline.tagged else []
        if not self.pipeline.tagged:
            return {name: np.asarray(x) for name, x in self.pipeline.answer_.outputs(said).items()}
        lengths = part.sequences.lengths[part.rows]
        rows = [self.pipeline.answer_.outputs(row[:n]) for row, n in zip(said, lengths, strict=True)]
        return {name: [np.asarray(row[name]) for row in rows] for name in ("probabilities", "number")}

    def answer_raw(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Raw inputs as the reader's ``raw`` gives them → what the exported model targets.

        The exported graph is this function traced, so both give the same numbers.
        """
        ready = self.pipeline.preprocess(inputs)
        return self.pipeline.answer_.serve(self.model(ready, training=False))

    def predict(self, source: Any) -> pd.DataFrame:
        """Answer for texts or sequences.

        Args:
            source: a frame; or texts, lists of tokens, or arrays (time, channels), as the pipeline was fitted on.

        Returns:
            A row an example: ``label`` as the user wrote it, its ``probability`` and, of up to 50 classes,
            ``probability_<class>`` for each; or ``value``; or ``tags``, a list for each.
        """
        inputs = getattr(source, "inputs", source)
        part = self.pipeline.unanswered(inputs)
        return answer_table(self.pipeline, self.targets(part))

    def save(self, path: Path | str) -> None:
        """Write ``model.keras`` and ``pipeline.json`` into the folder `path`."""
        write_kept(path, self.model, {"pipeline": self.pipeline.to_config()})

    @classmethod
    def load(cls, path: Path | str) -> ExamplePredictor:
        """Read what :meth:`save` wrote."""
        model, said = read_kept(path)
        return cls(ExamplePipeline.from_config(said["pipeline"]), model)


def answer_table(pipeline: ExamplePipeline, targets: dict[str, Any]) -> pd.DataFrame:
    """Targets as a table, a row an example."""
    if pipeline.task == "regression":
        return pd.DataFrame({"value": targets["value"].astype("float64")})
    classes = pipeline.classes
    if pipeline.tagged:
        tags = [[classes[i] for i in numbers] for numbers in targets["number"]]
        return pd.DataFrame({"tags": pd.Series(tags, dtype=object)})
    probabilities = targets["probabilities"].astype("float64")
    table = pd.DataFrame({"label": [classes[i] for i in targets["number"]], "probability": probabilities.max(axis=1)})
    if len(classes) <= _MOST_COLUMNS:
        each = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in classes])
        table = pd.concat([table, each], axis=1)
    return table

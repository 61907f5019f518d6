"""Predict from an exported model alone: no class of the training code is needed."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import datasets
from ..errors import InputError
from ..frames import SeriesFrame
from ..pipelines import SeriesPipeline
from ..predictor import forecast_table
from .save import versions


class ExportedModel:
    """One version of an exported model.

    Attributes:
        path: its folder.
        info: the content of ``assets.extra/recurra.json``.

    Example:
        >>> load_model("saved_models/co2").predict("new.csv")
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        file = path / "assets.extra" / "recurra.json"
        if not file.exists():
            raise InputError(f"{path} was not exported by recurra: there is no assets.extra/recurra.json in it")
        self.info: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.pipeline = SeriesPipeline.from_config(self.info["pipeline"])

    @cached_property
    def _serve(self) -> Any:
        import tensorflow as tf

        self._loaded = tf.saved_model.load(str(self.path))  # kept: the signature dies with it
        return self._loaded.signatures["serving_default"]

    def read(self, source: str | Path | pd.DataFrame) -> SeriesFrame:
        """Read rows that continue a known series, or a series never seen, with the columns of the training data.

        Raises:
            InputError: if a column is missing, or anything else is wrong with the rows.
        """
        data, pipeline = self.info["data"], self.info["pipeline"]
        roles = {
            "time": data["roles"]["time"],
            "id": data["roles"]["id"],
            "target": pipeline["targets"],
            "past": pipeline["past"],
            "future": pipeline["future"],
            "freq": data["freq"],
        }
        if isinstance(source, pd.DataFrame):
            return SeriesFrame.from_table(source, **roles)
        return datasets.load(source, **roles)

    def predict(self, source: str | Path | pd.DataFrame | SeriesFrame) -> pd.DataFrame:
        """Forecast the steps after the end of each series.

        Args:
            source: a file, a table or a frame with the newest rows, at least `lookback` of them.

        Returns:
            A row a step: id, time, each target, and the ends of its intervals (``<target>-lo-80``, ...).

        Raises:
            InputError: if rows or columns are missing.
        """
        frame = source if isinstance(source, SeriesFrame) else self.read(source)
        self._require_rows(frame)
        inputs = self.pipeline.latest(frame)
        outputs = self.forecast(inputs)
        return forecast_table(self.pipeline, frame, outputs)

    def forecast(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Call the signature ``serving_default`` on raw inputs."""
        import tensorflow as tf

        outputs = self._serve(**{name: tf.constant(value) for name, value in inputs.items()})
        # in the order of the levels, which the signature does not keep
        names = ["forecast", *(f"forecast-{end}-{level}" for level in self.info["intervals"] for end in ("lo", "hi"))]
        return {name: outputs[name].numpy() for name in names}

    def _require_rows(self, frame: SeriesFrame) -> None:
        short = np.flatnonzero(frame.lengths < self.pipeline.lookback)
        if len(short):
            raise InputError(
                f"{frame.source}: series {frame.ids[short[0]]} has {frame.lengths[short[0]]} rows, but the model reads "
                f"the last {self.pipeline.lookback}; give more rows (missing values in them are filled)"
            )


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
        raise InputError(f"there is no exported model at {path}; make one with --export {path}")
    if (path / "saved_model.pb").exists():
        return ExportedModel(path)
    numbers = versions(path)
    if not numbers:
        raise InputError(f"{path} holds no exported model: a numbered folder with saved_model.pb was expected in it")
    return ExportedModel(path / str(numbers[-1]))

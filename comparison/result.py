"""Comparison: what came of it, and how it is written down."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..atomic import replacing
from ..errors import InputError
from ..evaluation import METRICS

SCHEMA_VERSION = 1


@dataclass(eq=False)
class Comparison:
    """Families and baselines, compared on one data set.

    Attributes:
        said: everything that ``comparison.json`` holds, described in docs/comparison-json.md.
        folder: where it was written, or None.
        example: per model, for the plots, from the last fold and first seed: the forecast of the first series' last
            test window (horizon, targets); the class numbers or values told of the test examples (examples,); or the
            share of right tags at each step (time,).
        frame: the data.
        example_row: row of ``frame.table`` that the example's first step forecasts.
        truth: what the test examples of the last fold are, in the order of `example`: numbers of ``classes``, -1 for
            those never trained on; values; or a list of tag numbers (time,). None for forecasts and language models.
        classes: the user's labels or tags in that fold; a class number is a place in it.
        predictor: the best trained family, trained once more on all rows; None if that was not asked for.
        training: how it was trained.
    """

    said: dict[str, Any]
    folder: Path | None
    frame: Any
    example: dict[str, np.ndarray] = field(default_factory=dict)
    example_row: int = 0
    predictor: Any = None
    training: dict[str, Any] | None = None
    truth: Any = None
    classes: tuple[Any, ...] = ()

    @property
    def rows(self) -> pd.DataFrame:
        """One row a model, fold, seed and configuration."""
        return pd.DataFrame(self.said["rows"]).drop(columns=["by_step", "config", "notes"], errors="ignore")

    @property
    def summary(self) -> pd.DataFrame:
        """One row a model, the best first."""
        return pd.DataFrame(self.said["summary"]).drop(columns="by_step", errors="ignore").set_index("model")

    @property
    def tests(self) -> pd.DataFrame:
        """One row a recurrent family: its effect against the best simpler model."""
        return pd.DataFrame(self.said["tests"])

    @property
    def verdict(self) -> dict[str, Any]:
        """``{"worth_it": True | False | None, "best": ..., "text": ...}``."""
        return self.said["verdict"]

    def provenance(self) -> dict[str, Any]:
        """What an export of the predictor says of itself: how it was trained, and its family's accuracy here."""
        line = next(line for line in self.said["summary"] if line["kind"] == "family")
        metrics = METRICS[self.said["task"]]
        names = [*metrics.names, f"{metrics.main}_sd"]
        return {"training": self.training, "metrics": {name: line[name] for name in names}}

    def write(self) -> None:
        """Write ``comparison.json`` and ``comparison.csv`` into the folder."""
        if self.folder is None:
            return
        with replacing(self.folder / "comparison.json") as path:
            path.write_text(json.dumps(plain(self.said), indent=1), encoding="utf-8")
        with replacing(self.folder / "comparison.csv") as path:
            self.rows.to_csv(path, index=False)


def check_same(folder: Path, question: dict[str, Any]) -> None:
    """Make sure that trials found in `folder` answer the same question, or begin a new run there.

    Raises:
        InputError: if the folder holds another comparison; the message says what differs.
    """
    path = folder / "question.json"
    question = plain(question)
    if path.exists():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        if differing := [key for key in question if question[key] != earlier.get(key)]:
            # A hash tells nobody anything; settings come first.
            key = min(differing, key=lambda key: key == "data")
            what = f"its {key} is {_short(earlier.get(key))}, now it is {_short(question[key])}"
            if key == "data":
                what = "it was asked of other data, or of other columns of them"
            raise InputError(f"{folder} holds another comparison: {what}; choose another --out, or delete that folder")
    else:
        with replacing(path) as file:
            file.write_text(json.dumps(question, indent=1), encoding="utf-8")


def plain(value: Any) -> Any:
    """Strict JSON: no NaN, no numpy types."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."

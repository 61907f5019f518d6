"""What the tables and plots say of each task, beside what the registry of its metrics says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .values import shortened

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..evaluation.registry import Metric


@dataclass(frozen=True)
class Words:
    """The words of one task; ``{unit}`` stands for the user's column that is forecast or told.

    Attributes:
        caption: what the columns of the leaderboard mean.
        axis: the main metric beside an axis, where it has no unit of the data.
        compared: what ``n`` counts in a test.
    """

    caption: str
    axis: str
    compared: str


_LONGEST = "mult-adds: multiply-adds of a sequence as long as the longest trained on"
_WORDS = {
    "forecast": Words(
        "MAE in the unit of {unit}; cover: % of the truth inside the 80 and 95 % intervals; "
        "mult-adds: multiply-adds of one forecast",
        "MASE",
        "forecast origins",
    ),
    "classification": Words(
        "error: share of wrong targets; macro F1: every class weighs the same; log loss in nats; calib. error: how far "
        f"the probabilities are from the share of right targets; {_LONGEST}",
        "error (share of wrong targets)",
        "examples",
    ),
    "regression": Words(
        f"MAE and RMSE in the unit of {{unit}}; R²: share of the variance explained; {_LONGEST}",
        "MAE",
        "examples",
    ),
    "tagging": Words(
        f"tag error: share of wrong tags; exact: share of sequences without a wrong tag; {_LONGEST}",
        "tag error (share of wrong tags)",
        "sequences",
    ),
    "language-model": Words(
        "nats a token: mean loss; perplexity: its exponential; mult-adds: multiply-adds of one token",
        "nats a token",
        "stretches of text",
    ),
}


def words_of(comparison: Comparison) -> Words:
    """The words of a comparison's task, with the user's own names in them."""
    said = comparison.said
    data = said["data"]
    words = _WORDS[said["task"]]
    unit = _unit(comparison)
    lines = data.get("inputs") == "lines"
    return Words(words.caption.replace("{unit}", unit), words.axis, "lines" if lines else words.compared)


def axis_title(comparison: Comparison, metric: Metric) -> str:
    """Name of a metric and its unit, for an axis: the main one, or MAE in its place."""
    if metric.key == "mae":
        return f"MAE in the unit of {_unit(comparison)}"
    return _WORDS[comparison.said["task"]].axis


def _unit(comparison: Comparison) -> str:
    """The user's columns that are forecast, or the one that is told of each example."""
    data = comparison.said["data"]
    return shortened(", ".join(data["targets"]) if "targets" in data else str(data.get("answer")))

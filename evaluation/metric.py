"""A metric, and the words of a task's verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

TestSetT = TypeVar("TestSetT")
PredictionsT = TypeVar("PredictionsT")
OF_DATA = "unit of the data"


@dataclass(frozen=True)
class Metric(Generic[TestSetT, PredictionsT]):
    """A measure of how good predictions are; its column, caption, JSON key and per-step curve follow from it.

    Attributes:
        name: its key in rows, summaries and JSON.
        title: its name in sentences.
        function: from a test set and predictions; None where it does not apply (no intervals).
        by_step: the same for each horizon step (horizon,), where that makes sense.
        unit: "unit of the data", "%", "nats"; empty for a plain number or a fraction.
        higher_is_better: whether more of it is better.
        heading: of its column, with a line break where it would be wider than its numbers; the title by default.
        caption: what it means, one clause for under the table; ``{unit}`` is replaced by the user's columns.
        axis_title: beside an axis; the title by default.
        shown: whether it is in the terminal's table; every one is in the JSON.
        as_percent: whether the table shows a fraction as percent.
        with_spread: whether its standard deviation over seeds is kept (``mase_sd``).
        phrase: its title with an article; "a" and the title by default.
        suffix: what follows its number in a sentence.
        noun: what gets lower when it improves.
        decimals: format of the number in a sentence.
    """

    name: str
    title: str
    function: Callable[[TestSetT, PredictionsT], float | None]
    by_step: Callable[[TestSetT, PredictionsT], np.ndarray] | None = None
    unit: str = ""
    higher_is_better: bool = False
    heading: str = ""
    caption: str = ""
    axis_title: str = ""
    shown: bool = True
    as_percent: bool = False
    with_spread: bool = False
    phrase: str = ""
    suffix: str = ""
    noun: str = "error"
    decimals: str = ".3f"

    def in_words(self) -> str:
        """The beginning of "a MASE of 0.8"."""
        return self.phrase or f"a {self.title}"


@dataclass(frozen=True)
class Wording:
    """What the verdict needs to know of a task.

    Attributes:
        metric: the main one; lower is better.
        trivial: baselines that use almost none of the data, the simplest first; the text says so if nothing
            trained beats the best of them.
        unit_of_work: what ``predict_ms`` is the time of.
        more_data: what would settle an undecided verdict.
    """

    metric: Metric[Any, Any]
    trivial: tuple[str, ...]
    unit_of_work: str
    more_data: str

"""Which measures each task has, and the words of its verdict: read by comparisons, reports and :func:`judge`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A measure of one task.

    Attributes:
        key: its name in rows and summaries.
        title: heading of its column.
        unit: what it is measured in; empty for a plain number or share.
        higher_is_better: whether more of it is better.
        shown: whether it stands in the table of a report; every one stands in the JSON.
        phrase: how a sentence begins to speak of it.
        suffix: what a sentence says after its number.
        noun: what gets lower when it improves.
        decimals: format of the number in a sentence.
    """

    key: str
    title: str
    unit: str = ""
    higher_is_better: bool = False
    shown: bool = True
    phrase: str = ""
    suffix: str = ""
    noun: str = "error"
    decimals: str = ".3f"

    def said(self) -> str:
        """The beginning of "a MASE of 0.8"."""
        return self.phrase or f"a {self.title}"


@dataclass(frozen=True)
class TaskMetrics:
    """The measures of one task, the main one first.

    Attributes:
        metrics: all of them; the first is the one models are chosen, ranked and judged by, and lower is better.
        trivial: baselines that look at next to nothing, the simplest first: not to beat them is worth a sentence.
        spread: keys of those whose standard deviation over seeds is kept, as ``mase_sd``.
        unit_of_work: what ``predict_ms`` is the time of.
        more_data: what would help a verdict that cannot tell.
    """

    metrics: tuple[Metric, ...]
    trivial: tuple[str, ...]
    spread: tuple[str, ...]
    unit_of_work: str
    more_data: str

    @property
    def main(self) -> str:
        """Key of the main metric."""
        return self.metrics[0].key

    @property
    def names(self) -> tuple[str, ...]:
        """Keys of all metrics, the main one first."""
        return tuple(metric.key for metric in self.metrics)

    def __getitem__(self, key: str) -> Metric:
        """The metric of that key."""
        return next(metric for metric in self.metrics if metric.key == key)


_OF_DATA = "unit of the data"
_MORE_EXAMPLES = "more test examples (more rows, a larger test part or more folds)"

METRICS: dict[str, TaskMetrics] = {
    "forecast": TaskMetrics(
        metrics=(
            Metric("mase", "MASE"),
            Metric("mae", "MAE", _OF_DATA),
            Metric("rmse", "RMSE", _OF_DATA),
            Metric("smape", "sMAPE", "%"),
            Metric("coverage_80", "coverage 80 %", higher_is_better=True),
            Metric("coverage_95", "coverage 95 %", higher_is_better=True),
        ),
        trivial=("naive", "seasonal_naive"),
        spread=("mase", "mae"),
        unit_of_work="forecast",
        more_data="more forecast origins (a longer series, a longer test part or more folds)",
    ),
    "classification": TaskMetrics(
        metrics=(
            Metric("error", "error", phrase="an error", decimals=".4f"),
            Metric("accuracy", "accuracy", higher_is_better=True, decimals=".4f"),
            Metric("macro_f1", "macro F1", higher_is_better=True),
            Metric("log_loss", "log loss", "nats", noun="loss"),
            Metric("calibration_error", "calibration error"),
        ),
        trivial=("majority",),
        spread=("error",),
        unit_of_work="sequence",
        more_data=_MORE_EXAMPLES,
    ),
    "regression": TaskMetrics(
        metrics=(
            Metric("mae", "MAE", _OF_DATA, phrase="an MAE", decimals=".4g"),
            Metric("rmse", "RMSE", _OF_DATA, phrase="an RMSE", decimals=".4g"),
            Metric("r2", "R²", higher_is_better=True, phrase="an R²"),
        ),
        trivial=("mean",),
        spread=("mae",),
        unit_of_work="sequence",
        more_data=_MORE_EXAMPLES,
    ),
    "tagging": TaskMetrics(
        metrics=(
            Metric("tag_error", "tag error", decimals=".4f"),
            Metric("exact", "exact", higher_is_better=True, phrase="an exact share", decimals=".4f"),
        ),
        trivial=("majority_tag",),
        spread=("tag_error", "exact"),
        unit_of_work="sequence",
        more_data="more test sequences (more of them, a larger test part or more folds)",
    ),
    "language-model": TaskMetrics(
        metrics=(
            Metric("nats", "nats a token", "nats a token", phrase="a loss", suffix=" nats a token", noun="loss"),
            Metric("perplexity", "perplexity", decimals=".1f"),
            Metric("bits", "bits a token", "bits a token", shown=False),
        ),
        trivial=("unigram",),
        spread=("nats",),
        unit_of_work="token",
        more_data="more test text (a longer text or a larger test part)",
    ),
}

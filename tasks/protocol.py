"""What comparisons, exports and diagnostics need of a task; no value on this way is untyped.

Task (settings) ── open(frame) ──→ Experiment ── prepare(fold) ──→ FoldData ── network(model) ──→ FittedModel
                                                                           └── baseline(name, config) ──→ FittedModel
FittedModel: the predictor, and evaluate() → Evaluation on the fold's test set
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

import numpy as np

from ..evaluation import Metric, TestRow, Wording
from ..frames import Frame

if TYPE_CHECKING:
    import keras

    from ..pipelines import Batches
    from ..predictor import Predictor
    from ..spec import SequenceSpec
    from .mixing import MixedModel

TestSetT = TypeVar("TestSetT")
PredictionsT = TypeVar("PredictionsT")
# Settings of a family or a baseline, by name.
Config = dict[str, Any]
# Losses of a model: one array per seed, in each fold.
FoldLosses = Sequence[Sequence[np.ndarray]]


@dataclass(frozen=True)
class TrainingDefaults:
    """How a task's networks are trained where nobody says otherwise; see :class:`recurra.training.Trainer`.

    Attributes:
        loss: "mae", "mse", "huber" or "crossentropy".
        max_epochs, patience: None leaves them to the trainer's rules.
        fixed_batch_size: whether the batches themselves have one size, because a state is carried between them.
    """

    loss: str
    max_epochs: int | None = None
    patience: int | None = None
    fixed_batch_size: bool = False


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model achieved on the test set of one fold.

    Attributes:
        metrics: by name, as they stand in ``comparison.json``; those that do not apply are left out.
        by_step: the same for each horizon step, where a metric has that.
        losses: what models are compared by, one for each window, example or stretch of text (losses,).
        example: what the plots show of it.
    """

    metrics: dict[str, float]
    by_step: dict[str, list[float]]
    losses: np.ndarray
    example: np.ndarray

    @classmethod
    def of(
        cls,
        metrics: Sequence[Metric[TestSetT, PredictionsT]],
        test_set: TestSetT,
        predictions: PredictionsT,
        *,
        losses: np.ndarray,
        example: np.ndarray,
    ) -> Evaluation:
        """Score predictions with every metric of a task."""
        scores = {metric.name: metric.function(test_set, predictions) for metric in metrics}
        steps = {m.name: m.by_step(test_set, predictions).tolist() for m in metrics if m.by_step is not None}
        return cls({name: score for name, score in scores.items() if score is not None}, steps, losses, example)


@dataclass(eq=False)
class FittedModel:
    """A trained network or a fitted baseline, on the data of one fold.

    Attributes:
        build_predictor: makes :attr:`predictor`; a baseline's parameters may take a while to be estimated.
        evaluate: predicts the fold's test set and scores it.
        notes: what a reader of its row should know.
        seconds: that it takes beyond the network's training, for the baseline that it contains.
        predict_ms: milliseconds per prediction beyond the network's.
        baseline: settings of the baseline that a network's offset is; None where it has none.
    """

    build_predictor: Callable[[], Predictor[Any]]
    evaluate: Callable[[], Evaluation]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    predict_ms: float = 0.0
    baseline: Config | None = None

    @cached_property
    def predictor(self) -> Predictor[Any]:
        """Raw in, raw out."""
        return self.build_predictor()


class FoldData(Protocol):
    """One fold of an experiment: a pipeline fitted on its training set, and batches.

    Attributes:
        index: number of the fold.
        spec: what models take in and give out.
        train, validation: what training reads, and what stops it.
        notes: what the pipeline chose.
    """

    @property
    def index(self) -> int: ...

    @property
    def spec(self) -> SequenceSpec: ...

    @property
    def train(self) -> Batches: ...

    @property
    def validation(self) -> Batches: ...

    @property
    def known(self) -> Batches | None:
        """Training and validation part together, for a refit; None where they cannot be joined."""

    def known_parts(self) -> list[tuple[Batches, Batches]]:
        """What `known` is cut into for cross-validation: what is learnt from and what is held out, by turns.

        Empty where examples follow one another in time.
        """

    @property
    def notes(self) -> list[str]: ...

    def with_offset(self, baseline: str, config: Config) -> FoldData:
        """The fold as networks with an `offset` read it: the score of a baseline is among their inputs.

        Raises:
            InputError: if that baseline cannot be part of a network.
        """

    def trainer_key(self, family: str) -> int | None:
        """What tells a trainer from those of other folds, beside the specification; None: nothing does."""

    def build(self, family: str, config: dict[str, Any]) -> keras.Model:
        """An untrained network as training needs it."""

    def network(self, model: keras.Model) -> FittedModel:
        """A trained network of :meth:`build`."""

    def baseline_configs(self, name: str, n: int) -> list[Config]:
        """`n` configurations of a baseline, its default first; fewer where it has fewer to choose from."""

    def baseline_loss(self, name: str, config: Config) -> float:
        """Loss on the validation part of a baseline fitted on the training part."""

    def baseline(self, name: str, config: Config) -> FittedModel:
        """A baseline, fitted on training and validation set: nothing stops it early."""

    def mixes_with(self, name: str, config: Config) -> bool:
        """Whether a network can be mixed with a baseline in one graph."""

    def mixed(self, model: keras.Model, baseline: str, config: Config) -> MixedModel:
        """A trained network of :meth:`build` mixed with a baseline; the weights come from the validation part."""

    def timing_batches(self) -> tuple[Batches, int]:
        """What prediction time is measured on, and the predictions in one batch of it."""

    @property
    def cost_length(self) -> int | None:
        """Steps that one prediction takes, where the network can take any number of them."""


class Experiment(Protocol):
    """A task on a frame: its folds, what decides the outcome, and the significance test.

    Attributes:
        task: settings, with what was left open derived from the data.
        frame: the data.
        notes: what was found and chosen; grows as folds are prepared.
    """

    @property
    def task(self) -> Task: ...

    @property
    def frame(self) -> Frame: ...

    @property
    def notes(self) -> list[str]: ...

    @property
    def n_folds(self) -> int: ...

    def check(self) -> None:
        """Refuse what can be seen before anything is trained or written.

        Raises:
            InputError: too few rows for the folds, nothing to score, ...
        """

    def prepare(self, fold: int) -> FoldData:
        """The data of one fold."""

    def prepare_final(self) -> FoldData:
        """All data, with a validation set and nothing to be scored."""

    def describe(self) -> dict[str, Any]:
        """The data, for reports and model cards."""

    def describe_folds(self) -> list[dict[str, Any]]:
        """The folds, for reports."""

    def closing_notes(self) -> list[str]:
        """What scoring found that a reader should know."""

    def significance(self, losses: Mapping[str, FoldLosses], *, against: str) -> list[TestRow]:
        """Test models against one of them."""

    def plot_data(self) -> PlotData:
        """What plots need beside each model's example."""


@dataclass(frozen=True, eq=False)
class PlotData:
    """What plots need beside each model's example, from the last fold.

    Attributes:
        y_true: class numbers (-1: never trained on), values, or a list of tag numbers of the test set; None where the
            task has no such plot.
        classes: the user's labels or tags; a class number is a place in it.
        first_row: row of the frame's table that the first step of a forecast's example predicts.
    """

    y_true: Any = None
    classes: tuple[Any, ...] = ()
    first_row: int = 0


class Task(Protocol):
    """Typed settings of a task and everything that differs between tasks.

    Attributes:
        name: as the command line has it.
        output_kind: what its networks give out, see :class:`recurra.spec.SequenceSpec`.
        role: the role of the column to be learnt ("label", ...), where a table has one.
        metrics: the main one first; lower is better for that one.
        wording: words of the verdict.
        cost_unit: what MACs are counted for; sample_unit: what ``n`` counts in a significance test.
        plots: names of the plots in :mod:`recurra.reports` that show it, beside error against cost.
    """

    name: ClassVar[str]
    output_kind: ClassVar[str]
    role: ClassVar[str | None]
    metrics: ClassVar[tuple[Metric[Any, Any], ...]]
    wording: ClassVar[Wording]
    cost_unit: ClassVar[str]
    sample_unit: ClassVar[str]
    plots: ClassVar[tuple[str, ...]]

    @classmethod
    def accepts(cls, frame: Frame) -> bool:
        """Whether a frame holds what the task learns from."""

    @classmethod
    def list_baselines(cls, frame: Frame | None = None) -> list[str]:
        """Names of the baselines, the simplest first; those that can read the frame and whose library is installed."""

    @classmethod
    def default_baselines(cls, frame: Frame) -> list[str]:
        """Those of :meth:`list_baselines` that take part where nobody names any."""

    @property
    def training(self) -> TrainingDefaults:
        """How its networks are trained."""

    @classmethod
    def mixes(cls, frame: Frame) -> bool:
        """Whether networks are mixed with the best simple baseline where nobody says otherwise."""

    @classmethod
    def refits(cls, frame: Frame) -> bool:
        """Whether networks are trained once more on training and validation part where nobody says otherwise."""

    def open(self, frame: Frame, *, folds: int = 3, batch_size: int | None = None) -> Experiment:
        """The experiment that this task is on a frame."""


def main_metric(task: Task | type[Task]) -> Metric[Any, Any]:
    """The metric that models are chosen, ranked and judged by."""
    return task.metrics[0]

"""Language models: what comes next in a long text read in its own order, or in lines with a class each?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from ..baselines import LANGUAGE_BASELINES, KneserNey
from ..errors import InputError
from ..evaluation import (
    Metric,
    TestRow,
    Wording,
    bits_per_token,
    compare_paired_losses,
    cross_entropy,
    perplexity,
)
from ..evaluation.mixing import interpolated, interpolation_weights
from ..frames import CorpusFrame, Frame, TextFrame, describe
from ..grid import draw
from ..pipelines import (
    Batches,
    Fold,
    LanguagePipeline,
    SequenceBatches,
    StreamBatches,
    TextRange,
    corpus_fold,
    derive_tokens,
    stratified_folds,
    stratified_split,
)
from ..predictor import Predictor
from ..predictor.language_model import LanguageModelBaseline, LanguageModelNetwork, LanguageModelSchema
from ..predictor.mix import LanguageModelMix
from ..spec import END, UNKNOWN
from .mixing import MixedModel, Partners, timed
from .protocol import Config, Evaluation, FittedModel, FoldLosses, PlotData, TrainingDefaults
from .settings import require_at_least_one, require_fraction

if TYPE_CHECKING:
    import keras

    from ..spec import SequenceSpec

LanguageFrame = CorpusFrame | TextFrame
LanguageBatches = StreamBatches | SequenceBatches
# Neighbouring tokens are hard or easy together: so many of them make one stretch, and stretches are compared.
STRETCH = 50
# A smaller fraction of unknown tokens would be printed as 0.0 %.
_WORTH_A_NOTE = 0.0005
# Pieces of a long text, evenly spaced, that say how it is to be cut, and characters of each.
_PIECES, _LOOKED_AT = 20, 1000

TokenMetric = Metric[None, np.ndarray]  # log probabilities of all tokens (tokens,)
_LOSS: TokenMetric = Metric(
    "cross_entropy",
    "cross-entropy",
    lambda _, log_probabilities: cross_entropy(log_probabilities),
    unit="nats per token",
    heading="nats per\ntoken",
    caption="nats per token: cross-entropy",
    axis_title="cross-entropy (nats per token)",
    with_spread=True,
    phrase="a cross-entropy",
    suffix=" nats per token",
    noun="loss",
)


@dataclass(frozen=True)
class LanguageModel:
    """Predict the next token of a text.

    Example:
        >>> recurra.compare("novel.txt", task=recurra.tasks.LanguageModel(tokens="char", bptt_steps=50))
    """

    tokens: Annotated[
        str | None, "How texts are cut: word, char or space; by default char where most texts are single words."
    ] = None
    vocabulary_size: Annotated[int, "The most tokens known, the most frequent of the training text."] = 20_000
    min_count: Annotated[int | None, "How often a word must occur in the training text to be known."] = 2
    bptt_steps: Annotated[
        int | None, "Steps of truncated backpropagation through time; by default 35 words or 100 characters."
    ] = None
    parallel_streams: Annotated[int, "Places of a long text that are read in parallel."] = 20
    validation_fraction: Annotated[float, "Fraction of the lines not tested that stops the training."] = 0.1

    name: ClassVar[str] = "language-model"
    output_kind: ClassVar[str] = "next_token"
    role: ClassVar[str | None] = None
    metrics: ClassVar[tuple[TokenMetric, ...]] = (
        _LOSS,
        Metric(
            "perplexity",
            "perplexity",
            lambda _, log_probabilities: perplexity(log_probabilities),
            heading="perplexity",
            caption="perplexity: its exponential",
            decimals=".4g",
        ),
        Metric(
            "bits_per_token",
            "bits per token",
            lambda _, log_probabilities: bits_per_token(log_probabilities),
            unit="bits per token",
            shown=False,
        ),
    )
    wording: ClassVar[Wording] = Wording(
        metric=_LOSS,
        trivial=("unigram",),
        unit_of_work="token",
        more_data="more test text (a longer text or a larger test set)",
    )
    cost_unit: ClassVar[str] = "one token"
    sample_unit: ClassVar[str] = "stretches of text"
    plots: ClassVar[tuple[str, ...]] = ("perplexity",)

    def __post_init__(self) -> None:
        require_at_least_one(self, "vocabulary_size", "min_count", "bptt_steps", "parallel_streams")
        require_fraction("validation_fraction", self.validation_fraction)

    @classmethod
    def accepts(cls, frame: Frame) -> bool:
        """A long text, or texts with no target or with a class each."""
        return isinstance(frame, CorpusFrame) or (isinstance(frame, TextFrame) and frame.kind == "text")

    @classmethod
    def list_baselines(cls, frame: Frame | None = None) -> list[str]:  # noqa: ARG003  (all count every text)
        """Names of the baselines, the simplest first."""
        return list(LANGUAGE_BASELINES)

    @classmethod
    def default_baselines(cls, frame: Frame) -> list[str]:
        """All."""
        return cls.list_baselines(frame)

    @classmethod
    def refits(cls, frame: Frame) -> bool:  # noqa: ARG003
        """Never: see ``known``."""
        return False

    @classmethod
    def mixes(cls, frame: Frame) -> bool:  # noqa: ARG003
        """Always: a network trained for minutes has not met the rare n-grams that counting knows at once."""
        return True

    @property
    def training(self) -> TrainingDefaults:
        """Cross-entropy; the batches have one size, because a state is carried from one to the next."""
        return TrainingDefaults("crossentropy", fixed_batch_size=True)

    def open(self, frame: Frame, *, folds: int = 3, batch_size: int | None = None) -> LanguageExperiment:
        """The experiment that this task is on a long text or on lines."""
        if not isinstance(frame, CorpusFrame | TextFrame):
            raise InputError(f"{frame.source} holds no text for a language model; give a text file or a table of texts")
        task, notes = self, list(frame.notes)
        if self.tokens is None:
            texts = _pieces(frame.text) if isinstance(frame, CorpusFrame) else frame.texts
            tokens, note = derive_tokens(texts)
            task = replace(self, tokens=tokens)
            notes.append(note)
        return LanguageExperiment(task, frame, notes, folds, batch_size)


def _pieces(text: str) -> list[str]:
    """Pieces of a long text: its beginning alone may be a preface in another language."""
    places = np.linspace(0, max(len(text) - _LOOKED_AT, 0), _PIECES).astype(int)
    return [text[place : place + _LOOKED_AT] for place in np.unique(places)]


class LanguageExperiment:
    """Next tokens of a text; see :class:`recurra.tasks.protocol.Experiment`. A long text has one fold."""

    def __init__(
        self, task: LanguageModel, frame: LanguageFrame, notes: list[str], n_folds: int, batch_size: int | None
    ) -> None:
        self.task, self.frame, self.notes, self.batch_size = task, frame, notes, batch_size
        self._n_folds = n_folds
        self.pipeline()  # settings that it cannot have are refused before anything is trained
        self._prepared: LanguageFold | None = None

    @cached_property
    def folds(self) -> list[Fold[TextRange]] | list[Fold[np.ndarray]]:
        """One fold for a long text; of lines as many as were asked for."""
        if isinstance(self.frame, CorpusFrame):
            self.notes.append("a long text is scored on its test set, once; `folds` does not apply")
            return [corpus_fold(self.frame)]
        folds, notes = stratified_folds(
            self.frame, n_folds=self._n_folds, validation_fraction=self.task.validation_fraction
        )
        self.notes += notes
        return folds

    @property
    def n_folds(self) -> int:
        """One for a long text."""
        return len(self.folds)

    def check(self) -> None:
        """Prepare the first fold: the vocabulary is checked and noted."""
        self.notes += [note for note in self.prepare(0).notes if note not in self.notes]

    def prepare(self, fold: int) -> LanguageFold:
        """The data of one fold; the one prepared last is kept."""
        if self._prepared is None or self._prepared.fold is not self.folds[fold]:
            self._prepared = LanguageFold(self, self.folds[fold])
        return self._prepared

    def prepare_final(self) -> LanguageFold:
        """The same selections of a long text, whose test set stays unread; all lines."""
        if isinstance(self.frame, CorpusFrame):
            return self.prepare(0)
        return LanguageFold(self, stratified_split(self.frame, validation_fraction=self.task.validation_fraction))

    def describe(self) -> dict[str, Any]:
        """The data, for reports and model cards."""
        info = describe(self.frame)
        return info if isinstance(self.frame, CorpusFrame) else {**info, "inputs": "lines"}

    def describe_folds(self) -> list[dict[str, Any]]:
        """Sizes in tokens."""
        rows = []
        for index in range(self.n_folds):
            data = self.prepare(index)
            selections = {"train": data.train, "validation": data.validation, "test": data.test}
            rows.append({"fold": index, **{f"{k}_tokens": len(tokens_of(b)) for k, b in selections.items()}})
        return rows

    def closing_notes(self) -> list[str]:
        """How much of the test set nobody could know."""
        test = self.prepare(self.n_folds - 1).test
        unknown = float(np.mean(tokens_of(test) == UNKNOWN)) if len(test) else 0.0
        if unknown < _WORTH_A_NOTE:
            return []
        return [
            f"{100 * unknown:.1f} % of the test tokens are not in the vocabulary; of these, every model only has to "
            "predict that an unknown one comes"
        ]

    def significance(self, losses: Mapping[str, FoldLosses], *, against: str) -> list[TestRow]:
        """Paired bootstrap over stretches of the text, or over lines or their groups."""
        means = {m: np.concatenate([np.mean(seeds, axis=0) for seeds in folds]) for m, folds in losses.items()}
        weights = np.concatenate([stretch_lengths(self.prepare(i).test) for i in range(self.n_folds)])
        groups = None
        if isinstance(self.frame, TextFrame) and self.frame.groups is not None:
            groups = self.frame.groups[np.concatenate([fold.test for fold in self.folds])]
        return compare_paired_losses(means, against=against, weights=weights, groups=groups)

    def plot_data(self) -> PlotData:
        """Its plots show the summary alone."""
        return PlotData()

    def pipeline(self) -> LanguagePipeline:
        """What turns text into batches, not fitted yet."""
        own = self.task
        return LanguagePipeline(
            tokens=own.tokens or "word",
            vocabulary_size=own.vocabulary_size,
            min_count=own.min_count or 1,
            bptt_steps=own.bptt_steps,
            parallel_streams=self.batch_size or own.parallel_streams,
        )


class LanguageFold:
    """Training, validation and test text; see :class:`recurra.tasks.protocol.FoldData`."""

    def __init__(self, experiment: LanguageExperiment, fold: Fold[Any]) -> None:
        self.experiment, self.frame, self.fold, self.index = experiment, experiment.frame, fold, fold.index
        self.pipeline = experiment.pipeline().fit(self.frame, fold.train)
        self.encoded = self.pipeline.encode(self.frame)
        self.pipeline.settle_batch_size(self.encoded, fold, batch_size=experiment.batch_size)
        self.notes = self.pipeline.notes
        self._partners = Partners(self._fit_baseline, self._validated, self._tested)

    @property
    def spec(self) -> SequenceSpec:
        """What models take in and give out."""
        return self.pipeline.spec

    @cached_property
    def train(self) -> LanguageBatches:
        """The training set."""
        return self.pipeline.batches(self.encoded, self.fold.train)

    @cached_property
    def validation(self) -> LanguageBatches:
        """What stops the training."""
        return self.pipeline.batches(self.encoded, self.fold.validation)

    @property
    def known(self) -> None:
        """None: the states that are carried along belong to the training text."""

    def known_parts(self) -> list[tuple[Batches, Batches]]:
        """Nothing, since there is nothing to join."""
        return []

    @cached_property
    def test(self) -> LanguageBatches:
        """What is scored."""
        return self.pipeline.batches(self.encoded, self.fold.test)

    def with_offset(self, baseline: str, config: Config) -> LanguageFold:  # noqa: ARG002
        """None: no family has an offset here."""
        raise ValueError(f"a language model has no offset. Received: {baseline!r}")

    def trainer_key(self, family: str) -> int:  # noqa: ARG002
        """States have one row for each row of a batch."""
        return self.train.batch_size

    def build(self, family: str, config: dict[str, Any]) -> keras.Model:
        """An untrained network, its state carried from batch to batch."""
        from .. import models

        return models.CarriedState(models.build(family, self.spec, **config), self.train.batch_size)

    def network(self, model: keras.Model) -> FittedModel:
        """A trained network; what carried its state in training is left out of the predictor."""
        schema = LanguageModelSchema.of(self.pipeline, self.frame)
        network = LanguageModelNetwork(self.pipeline, model.network)
        return FittedModel(
            lambda: Predictor(schema, network, LanguageModel.name),
            lambda: _evaluate(network_losses(model, self.test), stretch_lengths(self.test)),
        )

    def baseline_configs(self, name: str, n: int) -> list[Config]:
        """Configurations of an n-gram model."""
        return draw(LANGUAGE_BASELINES[name].grid(len(self.pipeline.vocabulary_)), n)

    def baseline_loss(self, name: str, config: Config) -> float:
        """Nats per token of the validation text."""
        return self._partners.held_out(name, config).loss

    def baseline(self, name: str, config: Config) -> FittedModel:
        """An n-gram model, counted on training and validation set."""
        fitted = self._counted(name, config, self._known_tokens)
        schema = LanguageModelSchema.of(self.pipeline, self.frame)

        def evaluate() -> Evaluation:
            return _evaluate(-fitted.log_probabilities(tokens_of(self.test)), stretch_lengths(self.test))

        def predictor() -> Predictor[TextFrame]:
            return Predictor(schema, LanguageModelBaseline(self.pipeline, fitted), LanguageModel.name)

        return FittedModel(predictor, evaluate)

    @property
    def _known_tokens(self) -> np.ndarray:
        return np.concatenate([tokens_of(self.train), tokens_of(self.validation)])

    def _counted(self, name: str, config: Config, ids: np.ndarray) -> KneserNey:
        end = END if self.pipeline.lines_ else None  # lines have nothing to do with one another
        return LANGUAGE_BASELINES[name].fit(ids, len(self.pipeline.vocabulary_), end=end, **config)

    def mixes_with(self, name: str, config: Config) -> bool:
        """Whether its tables are small enough for a graph."""
        return self._partners.held_out(name, config).has_graph

    def mixed(self, model: keras.Model, baseline: str, config: Config) -> MixedModel:
        """A trained network mixed with an n-gram model: their probabilities are weighted."""
        partner = self._partners.partner(baseline, config)
        weights, seconds = timed(
            lambda: interpolation_weights(-network_losses(model, self.validation), partner.held_out)
        )
        schema = LanguageModelSchema.of(self.pipeline, self.frame)
        parts = LanguageModelNetwork(self.pipeline, model.network), LanguageModelBaseline(self.pipeline, partner.fitted)

        def evaluate() -> Evaluation:
            log_probabilities = interpolated(weights, -network_losses(model, self.test), partner.tested)
            return _evaluate(-log_probabilities, stretch_lengths(self.test))

        fitted = FittedModel(lambda: Predictor(schema, LanguageModelMix(*parts, weights), LanguageModel.name), evaluate)
        return MixedModel(fitted, weights, partner.seconds + seconds, partner.predict_ms)

    def _fit_baseline(self, name: str, config: Config, both: bool) -> KneserNey:
        return self._counted(name, config, self._known_tokens if both else tokens_of(self.train))

    def _validated(self, fitted: KneserNey) -> tuple[np.ndarray, float]:
        predicted = fitted.log_probabilities(tokens_of(self.validation))
        return predicted, -float(np.mean(predicted))

    def _tested(self, fitted: KneserNey) -> tuple[np.ndarray, int]:
        predicted = fitted.log_probabilities(tokens_of(self.test))
        return predicted, len(predicted)

    def timing_batches(self) -> tuple[LanguageBatches, int]:
        """The test set; a prediction is a token."""
        test = self.test
        steps = test.bptt_steps if isinstance(test, StreamBatches) else int(np.mean(test.sequences.lengths))
        return test, test.predict_batch_size * steps

    @property
    def cost_length(self) -> int:
        """A prediction is a token."""
        return 1


def network_losses(model: keras.Model, batches: LanguageBatches) -> np.ndarray:
    """Negative log likelihood of every token in nats, in the order of the text: (tokens,)."""
    losses = _batch_losses(model, batches)
    if isinstance(batches, StreamBatches):
        return batches.in_order(np.stack([loss for loss, _ in losses]))
    order = batches.order(batches.predict_batch_size)
    rows = [row[weight > 0] for loss, weights in losses for row, weight in zip(loss, weights, strict=True)]
    by_line = [np.empty(0)] * len(batches)
    for place, row in zip(order, rows, strict=True):
        if place >= 0:
            by_line[place] = row
    return np.concatenate(by_line)


def _batch_losses(model: keras.Model, batches: LanguageBatches) -> list[tuple[np.ndarray, np.ndarray]]:
    """Losses and weights of every batch: (batch, time) each."""
    from keras import ops

    from ..training import compiled, read_in_order

    forward, losses = compiled(model), []
    for inputs, target, weight in read_in_order(batches):
        loss = ops.sparse_categorical_crossentropy(target, forward(inputs), from_logits=True)
        losses.append((ops.convert_to_numpy(loss), weight.numpy()))
    return losses


def tokens_of(batches: LanguageBatches) -> np.ndarray:
    """All tokens to be predicted, in order: (tokens,)."""
    if isinstance(batches, StreamBatches):
        return batches.ids
    if batches.target is None:
        raise ValueError("lines to be scored need their next tokens. Received: target=None")
    sequences = batches.sequences
    lines = [batches.target[s : s + n] for s, n in zip(sequences.starts, sequences.lengths, strict=True)]
    return np.concatenate([np.empty(0, np.int32), *(lines[i] for i in batches.rows)])


def stretch_lengths(batches: LanguageBatches) -> np.ndarray:
    """Tokens of each line, or of each stretch of a long text: what models are compared on (stretches,)."""
    if isinstance(batches, SequenceBatches):
        return batches.sequences.lengths[batches.rows]
    lengths = np.full(-(-len(batches.ids) // STRETCH), STRETCH)
    lengths[-1] -= lengths.sum() - len(batches.ids)
    return lengths


def _evaluate(losses: np.ndarray, lengths: np.ndarray) -> Evaluation:
    """Metrics of every token's loss (tokens,), and the mean loss of each stretch."""
    starts = np.cumsum(lengths) - lengths
    means = np.add.reduceat(losses, starts) / lengths
    return Evaluation.of(LanguageModel.metrics, None, -losses, losses=means, example=np.empty(0))

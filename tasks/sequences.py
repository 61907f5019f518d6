"""What classification, regression and tagging share: a target for each text or sequence of numbers."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np

from .. import datasets
from ..baselines import SequenceBaseline as BaselineRecord
from ..baselines import available
from ..errors import InputError
from ..evaluation import TestRow
from ..frames import Frame, PanelFrame, Targets, TextFrame, describe
from ..frames.sequences.stored_texts import StoredTexts
from ..grid import draw
from ..pipelines import (
    Batches,
    EncodedSequences,
    Fold,
    SequenceBatches,
    SequenceEncoder,
    SequencePipeline,
    TextEncoder,
    dealt_parts,
    derive_tokens,
    stratified_folds,
    stratified_sample,
    stratified_split,
)
from ..predictor import Predictor
from ..predictor.mix import SequenceMix
from ..predictor.offset import BaselineOffset
from ..predictor.sequences import SequenceBaseline, SequenceNetwork, SequenceSchema
from ..spec import FIRST_WORD
from .mixing import ClassMixing, MixedModel, Partners, ValueMixing, timed, which
from .offset import PARTS, FoldOffset, out_of_fold, scores_of
from .protocol import Config, Evaluation, FittedModel, FoldLosses, PlotData, Task
from .settings import LOSSES, require_at_least_one, require_fraction, require_one_of

if TYPE_CHECKING:
    import keras

    from ..spec import SequenceSpec

SequenceFrame = TextFrame | PanelFrame
# Test targets as the encoder has them, and what a model predicts for them: probabilities or values.
Truth = TypeVar("Truth")
Truth_contra = TypeVar("Truth_contra", contravariant=True)
VALIDATIONS = ("random", "last")
_MIN_COUNT = 2
# Files come in any scale; with vectors of this length movie reviews were learnt best.
_VECTOR_LENGTH = 5.0
# Bytes that counting n-grams takes for one byte of text, measured on words in pairs (100), and more for threes.
_COUNTED = 160
_FEWEST_LEARNT = 100  # texts
# Examples below which networks learn from the validation part too (docs/benchmarks/strength.md).
_REFITTED = 1000


@dataclass(frozen=True)
class SequenceSettings:
    """Settings of tasks with a target for each text or sequence of numbers."""

    tokens: Annotated[
        str | None, "How texts are cut: word, char or space; by default char where most texts are single words."
    ] = None
    vocabulary_size: Annotated[int, "The most tokens known, the most frequent of the training texts."] = 20_000
    min_count: Annotated[
        int | None,
        "How often a word must occur in the training texts to be known; by default 2, and 1 with vectors from a file.",
    ] = None
    sequence_length: Annotated[
        int | None,
        "Steps read of each text or sequence; by default what 95 % of the texts need, at most 512 words or 1,024 "
        "characters, and all of the longest sequence of numbers.",
    ] = None
    keep: Annotated[str, "Which end of a longer sequence is read: first or last."] = "first"
    missing: Annotated[str, "Rule for missing inputs: interpolate, ffill or error."] = "interpolate"
    balanced: Annotated[bool, "Give rare classes more weight in training."] = False
    vectors: Annotated[str | None, "File of word vectors in GloVe's format to initialise the embeddings with."] = None
    validation_fraction: Annotated[float, "Fraction of the examples not tested that stops the training."] = 0.1
    validation: Annotated[
        str, "Which examples stop the training: random ones, or the last of each class where neighbours are alike."
    ] = "random"
    bucket_by_length: Annotated[bool, "Pad batches to one of several lengths instead of the longest."] = True
    loss: Annotated[str, "Training loss of numbers: mae, mse or huber, in scaled units."] = "mae"

    def __post_init__(self) -> None:
        require_at_least_one(self, "vocabulary_size", "min_count", "sequence_length")
        require_one_of("loss", self.loss, LOSSES)
        require_fraction("validation_fraction", self.validation_fraction)
        require_one_of("validation", self.validation, VALIDATIONS)

    name: ClassVar[str]
    baselines: ClassVar[Mapping[str, BaselineRecord]]
    cost_unit: ClassVar[str] = "one sequence as long as the longest trained on"

    @property
    def settings(self) -> SequenceSettings:
        """The settings above."""
        return self

    @classmethod
    def accepts(cls, frame: Frame) -> bool:
        """Texts and panels whose targets are the task's."""
        return isinstance(frame, TextFrame | PanelFrame) and frame.task == cls.name

    @classmethod
    def mixes(cls, frame: Frame) -> bool:
        """Labels of texts: counting words is a rival that a network does not contain, and joining it takes seconds."""
        return cls.name == "classification" and isinstance(frame, TextFrame)

    @classmethod
    def refits(cls, frame: Frame) -> bool:
        """Of few examples the tenth that stops the training is missed where it is not learnt from."""
        if not isinstance(frame, TextFrame | PanelFrame):
            return False
        held_out = 0 if frame.is_test is None else int(np.count_nonzero(frame.is_test))
        return len(frame) - held_out < _REFITTED

    @classmethod
    def list_baselines(cls, frame: Frame | None = None) -> list[str]:
        """Names of the baselines, the simplest first; with a frame, of those that can read it and are installed."""
        if frame is None:
            return list(cls.baselines)
        kind = frame.kind if isinstance(frame, TextFrame | PanelFrame) else ""
        return [name for name, record in cls.baselines.items() if kind in record.inputs and available(record)]

    @classmethod
    def default_baselines(cls, frame: Frame) -> list[str]:
        """Those that can read the frame and are fitted within a second or so."""
        return [name for name in cls.list_baselines(frame) if cls.baselines[name].default]


@dataclass(frozen=True, eq=False)
class TestedExamples:
    """What a significance test knows of the examples that were scored, in the order of the losses.

    Attributes:
        lengths: steps of each (examples,).
        groups: the group of each (examples,), which is drawn as a whole; None where each stands for itself.
    """

    __test__ = False  # pytest collects classes by this name

    lengths: np.ndarray
    groups: np.ndarray | None = None


class SequenceTask(Task, Protocol[Truth_contra]):
    """What the shared experiment needs of its task, beside the settings above.

    Attributes:
        baselines: by name, the simplest first.
    """

    baselines: ClassVar[Mapping[str, BaselineRecord]]

    @property
    def settings(self) -> SequenceSettings:
        """The settings above."""

    def decode(self, outputs: Any) -> Any:
        """What the metrics take of a network's decoded outputs: probabilities or values."""

    def learnable(self, targets: Any) -> list[int]:
        """Places of the targets that a baseline can learn from: those the training set knows."""

    def evaluate(self, y_true: Truth_contra, y_pred: Any) -> Evaluation:
        """Score predictions."""

    def significance(
        self,
        losses: Mapping[str, np.ndarray],
        first_seed: Mapping[str, np.ndarray],
        tested: TestedExamples,
        against: str,
    ) -> list[TestRow]:
        """Test models against one of them: losses (examples,) averaged over seeds and those of the first seed."""


def open_sequences(task: SequenceTask[Truth], frame: Frame, folds: int) -> SequenceExperiment[Truth]:
    """The experiment that a task is on texts or panels.

    Raises:
        InputError: if the frame has no targets of the task.
    """
    if not isinstance(frame, TextFrame | PanelFrame):
        raise InputError(f"{frame.source} holds no texts or sequences for {task.name}; give data of that form")
    if frame.targets is None:
        raise InputError(
            f"{frame.source}: no column was named that is to be learnt; name it with `label`, `value` or `tags`"
        )
    refuse_idle_settings(task, frame)
    notes = list(frame.notes)
    if isinstance(frame, TextFrame) and frame.kind == "text" and task.settings.tokens is None:
        tokens, note = derive_tokens(frame.texts)
        task = replace(task, tokens=tokens)  # type: ignore[type-var]  # every sequence task is a dataclass
        notes.append(note)
    if isinstance(frame, TextFrame) and frame.kind == "text" and task.settings.min_count is None:
        task = replace(task, min_count=usual_min_count(task.settings.vectors))  # type: ignore[type-var]
    return SequenceExperiment(task, frame, frame.targets, notes, folds)


def refuse_idle_settings(task: SequenceTask[Any], frame: SequenceFrame) -> None:
    """Refuse settings that were given and would do nothing: what is asked for is done, or refused.

    Raises:
        InputError: a setting for other inputs, or for another kind of target.
    """
    inputs = {"text": "texts", "tokens": "lists of tokens", "values": "sequences of numbers"}[frame.kind]
    idle = {
        "tokens": (frame.kind != "text", inputs),
        "min_count": (frame.kind != "text", inputs),
        "vocabulary_size": (frame.kind == "values", inputs),
        "vectors": (frame.kind == "values", inputs),
        "missing": (frame.kind != "values", inputs),
        "sequence_length": (task.output_kind == "tags", "tagging, which reads every step"),
        "keep": (task.output_kind == "tags", "tagging, which reads every step"),
        "balanced": (task.output_kind == "value", "regression, which has no classes"),
        "loss": (task.output_kind != "value", f"{task.name}, whose loss is cross-entropy"),
    }
    defaults = {field.name: field.default for field in fields(SequenceSettings)}
    for name, (does_nothing, what) in idle.items():
        value = getattr(task.settings, name)
        if does_nothing and value != defaults[name]:
            raise InputError(f"`{name}` does not apply to {what}; leave it out (received {value!r})")


class SequenceExperiment(Generic[Truth]):
    """A target for each text or sequence; see :class:`recurra.tasks.protocol.Experiment`."""

    def __init__(
        self, task: SequenceTask[Truth], frame: SequenceFrame, targets: Targets, notes: list[str], n_folds: int
    ) -> None:
        self.task, self.frame, self.targets, self.notes, self._n_folds = task, frame, targets, notes, n_folds
        self.encoder()  # settings that it cannot have are refused before anything is trained
        self._prepared: SequenceFold[Truth] | None = None

    @cached_property
    def folds(self) -> list[Fold[np.ndarray]]:
        """The folds; what was done to make them is noted once."""
        own = self.task.settings
        folds, notes = stratified_folds(
            self.frame,
            n_folds=self._n_folds,
            validation_fraction=own.validation_fraction,
            validation=own.validation,
        )
        self.notes += notes
        return folds

    @property
    def n_folds(self) -> int:
        """As many as were asked for; a held-out test set is tested once."""
        return len(self.folds)

    def check(self) -> None:
        """Prepare the first fold: vocabulary, classes and files of vectors are checked and noted."""
        self.notes += [note for note in self.prepare(0).notes if note not in self.notes]

    def prepare(self, fold: int) -> SequenceFold[Truth]:
        """The data of one fold; the one prepared last is kept."""
        if self._prepared is None or self._prepared.fold is not self.folds[fold]:
            self._prepared = SequenceFold(self, self.folds[fold])
        return self._prepared

    def prepare_final(self) -> SequenceFold[Truth]:
        """All examples that are not a held-out test set."""
        own = self.task.settings
        fold = stratified_split(self.frame, validation_fraction=own.validation_fraction, validation=own.validation)
        return SequenceFold(self, fold)

    def describe(self) -> dict[str, Any]:
        """The data, for reports and model cards."""
        found = describe(self.frame)
        return found if self.most_learnt is None else {**found, "baseline_rows": self.most_learnt}

    def describe_folds(self) -> list[dict[str, Any]]:
        """Sizes."""
        return [
            {
                "fold": fold.index,
                "train_rows": len(fold.train),
                "validation_rows": len(fold.validation),
                "test_rows": len(fold.test),
            }
            for fold in self.folds
        ]

    def closing_notes(self) -> list[str]:
        """Nothing; a task may have something to add."""
        return []

    def significance(self, losses: Mapping[str, FoldLosses], *, against: str) -> list[TestRow]:
        """The task's test, over the examples of all folds."""
        means = {m: np.concatenate([np.mean(seeds, axis=0) for seeds in folds]) for m, folds in losses.items()}
        first = {m: np.concatenate([seeds[0] for seeds in folds]) for m, folds in losses.items()}
        return self.task.significance(means, first, self._tested(), against)

    def plot_data(self) -> PlotData:
        """Targets of the last fold's test set, and the labels that its numbers stand for."""
        last = self.prepare(self.n_folds - 1)
        return PlotData(last.targets_of(last.fold.test), tuple(last.pipeline.classes))

    @cached_property
    def most_learnt(self) -> int | None:
        """How many texts a baseline can learn from, where not all fit into memory; rounded down to one digit."""
        if (stored := self.frame.stored) is None:
            return None
        fitting = int(stored.memory / _COUNTED / max(float(stored.sizes.mean()), 1.0))
        return max(fitting // 10 ** (len(str(fitting)) - 1) * 10 ** (len(str(fitting)) - 1), _FEWEST_LEARNT)

    def encoder(self) -> TextEncoder | SequenceEncoder:
        """What turns inputs into numbers, not fitted yet."""
        own, frame = self.task.settings, self.frame
        if isinstance(frame, PanelFrame):
            return SequenceEncoder(sequence_length=own.sequence_length, missing=own.missing, keep=own.keep)
        return TextEncoder(
            tokens=own.tokens if frame.kind == "text" else None,
            vocabulary_size=own.vocabulary_size,
            min_count=own.min_count or _MIN_COUNT,
            sequence_length=own.sequence_length,
            keep=own.keep,
        )

    def _tested(self) -> TestedExamples:
        """Every test example, in the order of the losses."""
        inputs, rows = self.frame.inputs, np.concatenate([fold.test for fold in self.folds])
        groups = self.frame.groups
        return TestedExamples(np.array([len(inputs[i]) for i in rows]), None if groups is None else groups[rows])


class SequenceFold(Generic[Truth]):
    """Examples of one fold; see :class:`recurra.tasks.protocol.FoldData`."""

    def __init__(self, experiment: SequenceExperiment[Truth], fold: Fold[np.ndarray]) -> None:
        self.experiment, self.fold, self.index = experiment, fold, fold.index
        self.task, self.frame, own = experiment.task, experiment.frame, experiment.task.settings
        pipeline = SequencePipeline(experiment.encoder(), balanced=own.balanced, bucket_by_length=own.bucket_by_length)
        self.pipeline = pipeline.fit(self.frame, fold.train)
        self.encoded: EncodedSequences = self.pipeline.encode(self.frame)
        self.vectors, vector_notes = self._vectors()
        self.notes = [*self.pipeline.notes, *vector_notes, *self._cut_note(), *self._sample_note()]
        self._partners = Partners(self._fitted, self._validated, self._tested)
        self._offset: FoldOffset | None = None
        self._with_offset: dict[tuple[str, str], SequenceFold[Truth]] = {}

    def _cut_note(self) -> list[str]:
        """How many of a held-out test set are longer than what is read; in folds they are like the training set."""
        if self.frame.is_test is None or not len(self.fold.test):
            return []
        return self.pipeline.cut_note(self._inputs(self.fold.test), "test sequences")

    def _sample_note(self) -> list[str]:
        """How many of the texts that are larger than memory baselines learn from."""
        most, stored = self.experiment.most_learnt, self.frame.stored
        if most is None or stored is None or len(self.fold.train) <= most:
            return []
        blind = ", ".join(self.task.wording.trivial)
        return [
            f"baselines that read texts (all but {blind}) learn from all of them at once: of {len(self.fold.train):,} "
            f"training texts they are given {most:,}, drawn in proportion, as many as `memory` "
            f"({datasets.in_words(stored.memory)}) holds and {_FEWEST_LEARNT} at least; networks learn from all, and "
            "part of their lead may be that"
        ]

    @property
    def spec(self) -> SequenceSpec:
        """What models take in and give out."""
        from ..models import with_vectors

        return with_vectors(self.pipeline.spec, self.vectors)

    @cached_property
    def train(self) -> SequenceBatches:
        """The training set."""
        return self._batches(self.fold.train)

    @cached_property
    def validation(self) -> SequenceBatches:
        """What stops the training."""
        return self._batches(self.fold.validation)

    @cached_property
    def known(self) -> SequenceBatches:
        """Training and validation set."""
        offset = None if self._offset is None else self._offset.known
        return self.pipeline.batches(self.encoded, self._known_rows, offset)

    def known_parts(self) -> list[tuple[Batches, Batches]]:
        """Fifths of training and validation set, held out by turns: classes in proportion, no group in two of them."""
        rows = self._known_rows
        parts = dealt_parts(self.frame, rows, PARTS)
        offset = None if self._offset is None else self._offset.known
        batches = partial(self.pipeline.batches, self.encoded, offset=offset)
        return [(batches(rows[parts != part]), batches(rows[parts == part])) for part in np.unique(parts)]

    @cached_property
    def test(self) -> SequenceBatches:
        """What is scored."""
        return self._batches(self.fold.test)

    def _batches(self, rows: np.ndarray) -> SequenceBatches:
        return self.pipeline.batches(self.encoded, rows, None if self._offset is None else self._offset.scores)

    @property
    def _known_rows(self) -> np.ndarray:
        return np.sort(np.concatenate([self.fold.train, self.fold.validation]))

    def with_offset(self, baseline: str, config: Config) -> SequenceFold[Truth]:
        """A fold like this one whose batches have the score of a baseline."""
        key = which(baseline, config)
        if key not in self._with_offset:
            like = copy.copy(self)
            for made in ("train", "validation", "known", "test"):
                like.__dict__.pop(made, None)
            like._offset = self._new_offset(baseline, config)
            self._with_offset[key] = like
        return self._with_offset[key]

    def _new_offset(self, name: str, config: Config) -> FoldOffset:
        if not self.mixes_with(name, config):
            raise InputError(f"`offset` is {name}, which cannot be joined with a network in one graph; choose another")
        partner = self._partners.partner(name, config)
        learnt, seconds = timed(lambda: self._out_of_fold(name, config, self.fold.train))
        truth: Any = self.targets_of(self.fold.train)
        if self.pipeline.classes:
            calibration = ClassMixing.scale(truth, learnt)
        else:
            encode: Any = self.pipeline.target_encoder_.encode
            calibration = ValueMixing.scale(encode(truth), encode(learnt))
        served = BaselineOffset(partner.fitted, calibration, self.pipeline)
        known, tested = self._known_rows, (self.fold.test, partner.tested)
        parts = [(self.fold.train, learnt), (self.fold.validation, partner.held_out), tested]
        return FoldOffset(
            config,
            served,
            scores_of(served, self.encoded, parts),
            lambda: scores_of(served, self.encoded, [(known, self._out_of_fold(name, config, known)), tested]),
            partner.seconds + seconds,
            partner.predict_ms,
        )

    def _out_of_fold(self, name: str, config: Config, rows: np.ndarray) -> Any:
        """Probabilities, values or tags' probabilities of examples by baselines that have not seen them."""
        parts = dealt_parts(self.frame, rows, PARTS)
        predicted = out_of_fold(partial(self._fit_baseline, name, config), self._predicted_by, rows, parts)
        return predicted if self.pipeline.target_encoder_.per_step else np.array(predicted)

    def trainer_key(self, family: str) -> int | None:
        """Word vectors belong to the vocabulary of one fold."""
        return id(self.pipeline) if self._vectors_for(family) else None

    def build(self, family: str, config: dict[str, Any]) -> keras.Model:
        """An untrained network."""
        from .. import models

        return models.build(family, self.spec, **config, **self._vectors_for(family))

    def network(self, model: keras.Model) -> FittedModel:
        """A trained network."""
        schema, offset = SequenceSchema.of(self.pipeline, self.frame), self._offset
        served = None if offset is None else offset.served
        return FittedModel(
            lambda: Predictor(schema, SequenceNetwork(self.pipeline, model, served), self.task.name),
            lambda: self._evaluate_network(model),
            seconds=0.0 if offset is None else offset.seconds,
            predict_ms=0.0 if offset is None else offset.predict_ms,
            baseline=None if offset is None else offset.config,
        )

    def baseline_configs(self, name: str, n: int) -> list[Config]:
        """Configurations of a baseline; some depend on what the training texts are like."""
        return draw(self.task.baselines[name].grid(self._inputs(self.fold.train)), n)

    def baseline_loss(self, name: str, config: Config) -> float:
        """Log loss, or absolute error, on the validation part."""
        return self._partners.held_out(name, config).loss

    def baseline(self, name: str, config: Config) -> FittedModel:
        """A baseline, fitted on training and validation set."""
        fitted = self._fit_baseline(name, config, self._known_rows)
        schema = SequenceSchema.of(self.pipeline, self.frame)

        def evaluate() -> Evaluation:
            return self.task.evaluate(self.targets_of(self.fold.test), self._predicted_by(fitted, self.fold.test))

        return FittedModel(lambda: Predictor(schema, SequenceBaseline(self.pipeline, fitted), self.task.name), evaluate)

    def mixes_with(self, name: str, config: Config) -> bool:
        """Whether the baseline has a graph."""
        return self._partners.held_out(name, config).has_graph

    def mixed(self, model: keras.Model, baseline: str, config: Config) -> MixedModel:
        """A trained network mixed with a baseline."""
        partner, mixing = self._partners.partner(baseline, config), self._mixing
        (weights, seconds) = timed(
            lambda: mixing.weights(
                self.targets_of(self.fold.validation), self._predicted(model, self.validation), partner.held_out
            )
        )
        schema = SequenceSchema.of(self.pipeline, self.frame)
        parts = SequenceNetwork(self.pipeline, model), SequenceBaseline(self.pipeline, partner.fitted)

        def evaluate() -> Evaluation:
            y_pred = mixing.mixed(weights, self._predicted(model, self.test), partner.tested)
            return self.task.evaluate(self.targets_of(self.fold.test), y_pred)

        fitted = FittedModel(lambda: Predictor(schema, SequenceMix(*parts, weights), self.task.name), evaluate)
        return MixedModel(fitted, weights, partner.seconds + seconds, partner.predict_ms)

    @property
    def _mixing(self) -> type[ClassMixing] | type[ValueMixing]:
        return ClassMixing if self.pipeline.classes else ValueMixing

    def _fitted(self, name: str, config: Config, both: bool) -> Any:
        return self._fit_baseline(name, config, self._known_rows if both else self.fold.train)

    def _validated(self, fitted: Any) -> tuple[Any, float]:
        predicted = self._predicted_by(fitted, self.fold.validation)
        return predicted, self._mixing.loss(self.targets_of(self.fold.validation), predicted)

    def _tested(self, fitted: Any) -> tuple[Any, int]:
        return self._predicted_by(fitted, self.fold.test), len(self.fold.test)

    def _fit_baseline(self, name: str, config: Config, rows: np.ndarray) -> Any:
        """A baseline fitted on those of the rows whose targets the training part knows."""
        if self.experiment.most_learnt is not None and name not in self.task.wording.trivial:
            rows = stratified_sample(self.frame, rows, self.experiment.most_learnt)
        targets = self.targets_of(rows)
        kept = self.task.learnable(targets)
        learnt = targets[kept] if isinstance(targets, np.ndarray) else [targets[i] for i in kept]
        inputs = self._inputs(rows[kept])
        if name not in self.task.wording.trivial:
            inputs = list(inputs)
        return self.task.baselines[name].fit(inputs, learnt, len(self.pipeline.classes), **config)

    def _predicted_by(self, fitted: Any, rows: np.ndarray) -> Any:
        """What a fitted baseline predicts; of texts larger than memory, of some at a time."""
        inputs = self._inputs(rows)
        if not isinstance(inputs, StoredTexts) or not len(inputs):
            return fitted(inputs)
        size = inputs.memory // _COUNTED
        return np.concatenate([fitted(list(inputs[some])) for some in inputs.blocks(size)])

    def _inputs(self, rows: np.ndarray) -> Sequence[Any]:
        return self.frame.inputs_of(rows)

    def timing_batches(self) -> tuple[SequenceBatches, int]:
        """The test set."""
        return self.test, self.test.predict_batch_size

    @property
    def cost_length(self) -> int:
        """The most that is read of a sequence."""
        return self.spec.inputs.length

    def targets_of(self, rows: np.ndarray) -> Any:
        """Targets as the metrics take them; classes that the training set does not know are -1."""
        values = [self.experiment.targets.values[i] for i in rows]
        return self.pipeline.target_encoder_.y_true(values)

    def _evaluate_network(self, model: keras.Model) -> Evaluation:
        return self.task.evaluate(self.targets_of(self.fold.test), self._predicted(model, self.test))

    def _predicted(self, model: keras.Model, batches: SequenceBatches) -> Any:
        """What a network predicts, as the metrics take it."""
        from ..training import predict_batches

        return self.task.decode(self.pipeline.decode(predict_batches(model, batches), batches))

    def _vectors_for(self, family: str) -> dict[str, np.ndarray]:
        from ..models import known_settings

        takes = self.vectors is not None and "vectors" in known_settings(family, self.task.output_kind)
        return {"vectors": self.vectors} if takes and self.vectors is not None else {}

    def _vectors(self) -> tuple[np.ndarray | None, list[str]]:
        """Word vectors for the vocabulary (tokens, dimensions), and a sentence about them."""
        path, encoder = self.task.settings.vectors, self.pipeline.encoder
        if path is None or not isinstance(encoder, TextEncoder):
            return None, []
        words = encoder.vocabulary_.words
        vectors, known = word_vectors(path, words)
        return vectors, [
            f"{known:,} of {len(words):,} words are initialised with a vector of {path}, scaled to length "
            f"{_VECTOR_LENGTH:g}"
        ]


def usual_min_count(vectors: str | Path | None) -> int:
    """How often a word must occur to be known: 2, and 1 where its vector was learnt from many other texts."""
    return 1 if vectors else _MIN_COUNT


def word_vectors(path: str | Path, words: Sequence[str]) -> tuple[np.ndarray, int]:
    """What a table of embeddings begins with.

    Args:
        path: file of word vectors.
        words: of a vocabulary.

    Returns:
        Vectors of its tokens, the reserved ones among them: float32 (tokens, dimensions); and how many the file has.
    """
    found, known = datasets.read_vectors(path, words, length=_VECTOR_LENGTH)
    return np.concatenate([np.zeros((FIRST_WORD, found.shape[1]), "float32"), found]), known

"""Classification, regression and tagging: texts or panels, stratified folds or an official test part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import datasets
from ..baselines import EXAMPLE_BASELINES, available, list_baselines
from ..errors import InputError
from ..evaluation import (
    accuracy,
    calibration_error,
    compare_examples,
    exact_share,
    log_loss,
    macro_f1,
    mae,
    r2,
    rmse,
    tag_error,
)
from ..frames import PanelFrame, TextFrame, data_hash
from ..models import FAMILIES, known_settings
from ..pipelines import (
    Encoded,
    ExampleFold,
    ExamplePipeline,
    Ragged,
    TokenReader,
    ValueReader,
    derive_tokens,
    example_folds,
    example_split,
)
from ..predictor import ExamplePredictor
from ..spec import FIRST_WORD, SequenceSpec
from ..training import Part
from .job import Fitted, Order, Score, Trainers, train
from .settings import ExampleSettings, Settings, to_json
from .trials import losses_by_fold

# More classes than these are only counted.
_MOST_CLASSES_NAMED = 20


class ExampleJob:
    """Answer for each text or sequence; see :class:`recurra.comparison.job.Job`."""

    task_settings = ExampleSettings

    def __init__(self, frame: TextFrame | PanelFrame, settings: Settings, options: dict[str, Any]) -> None:
        if frame.targets is None:
            raise InputError(
                f"{frame.source}: no column was named that is to be learnt; use --label, --value or --tags"
            )
        self.frame, self.settings, self.task = frame, settings, frame.targets.task
        self.targets = frame.targets
        options, self.notes = _with_tokens(frame, options)
        self.own = ExampleSettings(**options)
        settings.check_names(self.task, families_for(self.task), list_baselines(self.task, frame.kind))
        self._reader()  # what it cannot be is said before anything is trained
        self.notes = [*frame.notes, *self.notes]
        loss = self.own.loss if self.task == "regression" else "crossentropy"
        self.trainers = Trainers(settings, loss=loss)
        self._folds: list[ExampleFold] | None = None
        self._fitted: tuple[ExampleFold, ExamplePipeline, Encoded, dict[str, Any]] | None = None

    @staticmethod
    def defaults(frame: TextFrame | PanelFrame) -> dict[str, Any]:
        """What the common settings are where nobody says otherwise."""
        task = frame.task or "classification"
        baselines = [name for name in list_baselines(task, frame.kind) if available(name)]
        return {"families": tuple(families_for(task)), "baselines": tuple(baselines)}

    @property
    def folds(self) -> list[ExampleFold]:
        """The folds, and in ``notes`` what was done to make them."""
        if self._folds is None:
            own = self.own
            self._folds, notes = example_folds(
                self.frame,
                n_folds=self.settings.folds,
                validation_share=own.validation_share,
                validation=own.validation,
            )
            self.notes += [*notes, *self.spoken(self._folds[0])]
        return self._folds

    def spoken(self, fold: ExampleFold) -> list[str]:
        """What the pipeline chose."""
        pipeline, _, also = self.fitted(fold)
        return [*pipeline.notes, *also.get("notes", [])]

    def question(self) -> dict[str, Any]:
        """Everything that decides the outcome."""
        return {"data": data_hash(self.frame), **self.settings_json()}

    def settings_json(self) -> dict[str, Any]:
        """All settings."""
        return to_json(self.own, self.settings)

    def spec(self, fold: ExampleFold) -> SequenceSpec:
        """What the models of a fold take in and give out."""
        return self.fitted(fold)[0].spec

    def final_fold(self) -> ExampleFold:
        """All examples that are not an official test part."""
        own = self.own
        fold = example_split(self.frame, validation_share=own.validation_share, validation=own.validation)
        if self._folds is None:
            self.notes += self.spoken(fold)
        return fold

    def fit(self, family: str, fold: ExampleFold, order: Order) -> Fitted:
        """Train on the fold."""
        pipeline, encoded, also = self.fitted(fold)
        config = order.config
        vectors = {k: v for k, v in also.items() if k == "vectors" and k in known_settings(family, self.task)}
        if vectors:
            config = {k: v for k, v in config.items() if k != "embedding"}
        key = id(pipeline) if vectors else None
        trainer = self.trainers.get(family, pipeline.spec, config, also=vectors, key=key)
        known, validation = pipeline.part(encoded, fold.train), pipeline.part(encoded, fold.validation)
        model, history = train(trainer, known, validation, order)
        return Fitted(ExamplePredictor(pipeline, model), history)

    def fitted(self, fold: ExampleFold) -> tuple[ExamplePipeline, Encoded, dict[str, Any]]:
        """The pipeline fitted on a fold's training part, the frame through it, and word vectors; made once a fold."""
        if self._fitted is None or self._fitted[0] is not fold:
            own = self.own
            pipeline = ExamplePipeline(self._reader(), balanced=own.balanced, buckets=own.buckets)
            pipeline.fit(self.frame, fold.train)
            self._fitted = (fold, pipeline, pipeline.encode(self.frame), self._vectors(pipeline))
        return self._fitted[1:]

    def examine(self, fitted: Fitted, fold: ExampleFold) -> Score:
        """Ask for the test part's targets."""
        pipeline, encoded, _ = self.fitted(fold)
        targets = fitted.predictor.targets(pipeline.part(encoded, fold.test))
        return self._score(fold, targets["value"] if self.task == "regression" else targets["probabilities"])

    def baseline(self, name: str, fold: ExampleFold) -> Score:
        """Fit a baseline on the training and validation part, as it stops by itself, and ask the same."""
        known = np.sort(np.concatenate([fold.train, fold.validation]))
        pipeline = self.fitted(fold)[0]
        targets = self._truth(known, pipeline)
        # A class that only the validation part has is none for anybody.
        if self.task == "classification":
            known, targets = known[targets >= 0], targets[targets >= 0]
        elif self.task == "tagging":
            kept = [i for i, tags in enumerate(targets) if (tags >= 0).all()]
            known, targets = known[kept], [targets[i] for i in kept]
        fit = EXAMPLE_BASELINES[name].fit
        predict = fit([self.frame.inputs[i] for i in known], targets, len(pipeline.classes))
        return self._score(fold, predict([self.frame.inputs[i] for i in fold.test]))

    def timed(self, fitted: Fitted, fold: ExampleFold) -> tuple[Part, int]:  # noqa: ARG002
        """The fold's test part."""
        pipeline, encoded, _ = self.fitted(fold)
        part = pipeline.part(encoded, fold.test)
        return part, part.predict_batch

    def priced_steps(self, fold: ExampleFold) -> int | None:
        """The most that are read of a sequence."""
        return self.fitted(fold)[0].spec.inputs.length

    def describe(self) -> dict[str, Any]:
        """What the data are."""
        frame = self.frame
        said: dict[str, Any] = {
            "source": frame.source,
            "hash": data_hash(frame),
            "rows": len(frame),
            "inputs": frame.kind,
            "answer": self.targets.name,
            "roles": dict(frame.roles),
        }
        if isinstance(frame, PanelFrame):
            lengths = [len(v) for v in frame.values]
            said |= {"channels": list(frame.channels), "shortest": min(lengths), "longest": max(lengths)}
        if self.task == "classification":
            counts = Counter(self.targets.values).most_common()
            said["classes"] = len(counts)
            said["class_counts"] = {str(name): n for name, n in counts[:_MOST_CLASSES_NAMED]}
        return said

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

    def notes_after(self, scored: Sequence[Any]) -> list[str]:  # noqa: ARG002
        """What test targets nobody could know."""
        if self.task != "classification" or self.frame.is_test is not None:
            return []  # of an official test part the frame has said it
        unseen = 0
        for fold in self.folds:
            learnt = {self.targets.values[i] for i in fold.train}
            unseen += sum(self.targets.values[i] not in learnt for i in fold.test)
        if not unseen:
            return []
        return [f"{unseen} test examples have a label that their training part never saw; every model gets them wrong"]

    def tests(self, recurrent: list[str], against: str, outcomes: Sequence[Any]) -> list[dict[str, Any]]:
        """Paired bootstrap over the examples, and McNemar's test for classes."""
        losses = {}
        first = {}
        for model in [*recurrent, against]:
            by_fold = losses_by_fold(outcomes, model, [fold.index for fold in self.folds])
            losses[model] = np.concatenate([np.mean(of_fold, axis=0) for of_fold in by_fold])
            first[model] = np.concatenate([of_fold[0] for of_fold in by_fold]) == 0
        correct = first if self.task == "classification" else None
        # Every tag weighs the same, as in the scores, so a long sequence weighs more.
        weights = None if self.task != "tagging" else np.concatenate([self._lengths(fold) for fold in self.folds])
        return compare_examples(losses, against=against, correct=correct, weights=weights)

    def _lengths(self, fold: ExampleFold) -> np.ndarray:
        return np.array([len(self.targets.values[i]) for i in fold.test])

    def example_row(self) -> int:
        """Only forecasts have one."""
        return 0

    def asked(self) -> tuple[Any, tuple[Any, ...]]:
        """Truth of the last fold's test part, and the labels that its numbers stand for; values have none."""
        fold = self.folds[-1]
        return self.truth(fold), tuple(self.fitted(fold)[0].classes)

    def truth(self, fold: ExampleFold) -> Any:
        """Targets of the test part as numbers, -1 where training never saw them."""
        return self._truth(fold.test, self.fitted(fold)[0])

    def _truth(self, rows: np.ndarray, pipeline: ExamplePipeline) -> Any:
        values = [self.targets.values[i] for i in rows]
        if self.task == "regression":
            return np.asarray(values, dtype=float)
        numbers = pipeline.answer_.encode(values)
        return [numbers[i] for i in range(len(numbers))] if isinstance(numbers, Ragged) else numbers

    def _score(self, fold: ExampleFold, said: Any) -> Score:
        truth = self.truth(fold)
        if self.task == "regression":
            scores = {"mae": mae(truth, said), "rmse": rmse(truth, said), "r2": r2(truth, said)}
            return Score(scores, np.abs(said - truth), np.asarray(said, dtype=float))
        if self.task == "classification":
            number = said.argmax(axis=1)
            right = accuracy(truth, number)
            scores = {
                "error": 1 - right,
                "accuracy": right,
                "macro_f1": macro_f1(truth, number),
                "log_loss": log_loss(truth, said),
                "calibration_error": calibration_error(truth, said),
            }
            return Score(scores, (number != truth).astype(float), number)
        numbers = [rows.argmax(axis=1) for rows in said]
        wrong = np.array([np.mean(n != t) if len(t) else 0.0 for n, t in zip(numbers, truth, strict=True)])
        scores = {"tag_error": tag_error(truth, numbers), "exact": exact_share(truth, numbers)}
        return Score(scores, wrong, right_by_step(truth, numbers))

    def _reader(self) -> TokenReader | ValueReader:
        own, frame = self.own, self.frame
        if isinstance(frame, PanelFrame):
            return ValueReader(length=own.length, missing=own.missing, keep=own.keep)
        return TokenReader(
            tokens=own.tokens if frame.kind == "text" else None,
            vocabulary_size=own.vocabulary_size,
            min_count=own.min_count,
            length=own.length,
            keep=own.keep,
        )

    def _vectors(self, pipeline: ExamplePipeline) -> dict[str, Any]:
        if self.own.vectors is None or not isinstance(pipeline.reader, TokenReader):
            return {}
        vocabulary = pipeline.reader.vocabulary_
        found, known = datasets.read_vectors(self.own.vectors, vocabulary.words)
        reserved = np.zeros((FIRST_WORD, found.shape[1]), "float32")
        note = f"{known:,} of {len(vocabulary.words):,} words begin with a vector of {self.own.vectors}"
        return {"vectors": np.concatenate([reserved, found]), "notes": [note]}


def families_for(task: str) -> list[str]:
    """Families that can do a task."""
    return [name for name, family in FAMILIES.items() if not isinstance(family.tasks[task], str)]


def right_by_step(truth: Sequence[np.ndarray], numbers: Sequence[np.ndarray]) -> np.ndarray:
    """Share of right tags at each step, over the sequences that reach it: (time,)."""
    longest = max((len(t) for t in truth), default=0)
    right, count = np.zeros(longest), np.zeros(longest)
    for t, n in zip(truth, numbers, strict=True):
        right[: len(t)] += t == n
        count[: len(t)] += 1
    return right / np.maximum(count, 1)


def _with_tokens(frame: TextFrame | PanelFrame, options: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Choose how texts are cut, where nobody said."""
    if isinstance(frame, PanelFrame) or frame.kind != "text" or options.get("tokens") is not None:
        return dict(options), []
    tokens, note = derive_tokens(frame.texts)
    return {**options, "tokens": tokens}, [note]

"""Language models: a long text in its own order, or lines with a class each; what comes next?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..baselines import LANGUAGE_BASELINES
from ..errors import InputError
from ..evaluation import bits, compare_examples, nats, perplexity
from ..frames import CorpusFrame, TextFrame, data_hash
from ..models import CarriedState
from ..pipelines import ExampleFold, Examples, LanguagePipeline, Stream, derive_tokens, example_folds, example_split
from ..predictor import LanguagePredictor
from ..spec import END, SequenceSpec
from ..training import Part
from .example_job import families_for
from .job import Fitted, Order, Score, Trainers, train
from .settings import LanguageSettings, Settings, to_json
from .trials import losses_by_fold

# Neighbouring tokens are hard or easy together: so many of them make one stretch, and stretches are compared.
STRETCH = 50
# A smaller share of unknown tokens would be printed as 0.0 %.
_WORTH_A_NOTE = 0.0005


class LanguageJob:
    """Tell the next token; see :class:`recurra.comparison.job.Job`.

    A long text has one fold: its own training, validation and test part.
    """

    task = "language-model"
    task_settings = LanguageSettings

    def __init__(self, frame: CorpusFrame | TextFrame, settings: Settings, options: dict[str, Any]) -> None:
        self.frame, self.settings = frame, settings
        self.notes = list(frame.notes)
        if options.get("tokens") is None:
            texts: Any = [frame.text[:10_000]] if isinstance(frame, CorpusFrame) else frame.texts
            tokens, note = derive_tokens(texts)
            options = {**options, "tokens": tokens}
            self.notes.append(note)
        self.own = LanguageSettings(**options)
        settings.check_names(self.task, families_for(self.task), LANGUAGE_BASELINES)
        self._pipeline()
        # the parts know their batches: a state is carried from one to the next, so all have one size
        self.trainers = Trainers(settings, loss="crossentropy", clipnorm=1.0, batch_size=None)
        self._folds: list[ExampleFold] | None = None
        self._fitted: tuple[ExampleFold, LanguagePipeline, dict[str, Stream | Examples]] | None = None

    @staticmethod
    def defaults(frame: CorpusFrame | TextFrame) -> dict[str, Any]:  # noqa: ARG004
        """What the common settings are where nobody says otherwise."""
        return {"families": tuple(families_for("language-model")), "baselines": tuple(LANGUAGE_BASELINES)}

    @property
    def folds(self) -> list[ExampleFold]:
        """One fold for a long text; of lines as many as were asked for."""
        if self._folds is None:
            if isinstance(self.frame, CorpusFrame):
                nothing = np.empty(0, np.int64)
                self._folds = [ExampleFold(0, nothing, nothing, nothing)]
                notes = ["a long text is scored on its last part, once; --folds does not apply"]
            else:
                share = self.own.validation_share
                self._folds, notes = example_folds(self.frame, n_folds=self.settings.folds, validation_share=share)
            self.notes += [*notes, *self.fitted(self._folds[0])[0].notes]
        return self._folds

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
        """The same parts of a long text, whose test part stays unread; all lines."""
        if isinstance(self.frame, CorpusFrame):
            return self.folds[0]
        fold = example_split(self.frame, validation_share=self.own.validation_share)
        if self._folds is None:
            self.notes += self.fitted(fold)[0].notes
        return fold

    def fit(self, family: str, fold: ExampleFold, order: Order) -> Fitted:
        """Train by truncated backpropagation through time."""
        pipeline, parts = self.fitted(fold)
        batch = parts["train"].batch_size
        trainer = self.trainers.get(
            family, pipeline.spec, order.config, wrap=lambda network: CarriedState(network, batch), key=batch
        )
        model, history = train(trainer, parts["train"], parts["validation"], order)
        return Fitted(LanguagePredictor(pipeline, model), history)

    def fitted(self, fold: ExampleFold) -> tuple[LanguagePipeline, dict[str, Stream | Examples]]:
        """The pipeline fitted on a fold's training part, and the parts through it; made once a fold."""
        if self._fitted is None or self._fitted[0] is not fold:
            pipeline = self._pipeline().fit(self.frame, fold.train)
            self._fitted = (fold, pipeline, self._parts(pipeline, fold))
        return self._fitted[1:]

    def examine(self, fitted: Fitted, fold: ExampleFold) -> Score:
        """Ask for every token of the test part."""
        part = self.fitted(fold)[1]["test"]
        losses = fitted.predictor.token_losses(part)
        if isinstance(part, Stream):
            return _score(part.in_order(np.stack([loss for loss, _ in losses])), _pieces(part))
        order = part.order(part.predict_batch)
        rows = [row[weight > 0] for loss, weights in losses for row, weight in zip(loss, weights, strict=True)]
        by_line = [np.empty(0)] * len(part)
        for place, row in zip(order, rows, strict=True):
            if place >= 0:
                by_line[place] = row
        return _score(np.concatenate(by_line), _pieces(part))

    def baseline(self, name: str, fold: ExampleFold) -> Score:
        """Fit a baseline on the training and validation part, as it stops by itself, and ask for the same tokens."""
        pipeline, parts = self.fitted(fold)
        known = np.concatenate([_tokens(parts["train"]), _tokens(parts["validation"])])
        end = END if pipeline.lines_ else None  # lines have nothing to do with one another
        model = LANGUAGE_BASELINES[name](known, len(pipeline.vocabulary_), end=end)
        test = parts["test"]
        losses = -model.log_probabilities(_tokens(test))
        return _score(losses, _pieces(test))

    def timed(self, fitted: Fitted, fold: ExampleFold) -> tuple[Part, int]:  # noqa: ARG002
        """The fold's test part; an answer is a token."""
        part = self.fitted(fold)[1]["test"]
        steps = part.chunk if isinstance(part, Stream) else int(np.mean(part.sequences.lengths))
        return part, part.predict_batch * steps

    def priced_steps(self, fold: ExampleFold) -> int | None:  # noqa: ARG002
        """An answer is a token."""
        return 1

    def describe(self) -> dict[str, Any]:
        """What the data are."""
        frame = self.frame
        said: dict[str, Any] = {"source": frame.source, "hash": data_hash(frame)}
        if isinstance(frame, CorpusFrame):
            return said | {"inputs": "corpus", "characters": len(frame)}
        answer = None if frame.targets is None else frame.targets.name
        return said | {"inputs": "lines", "rows": len(frame), "answer": answer, "roles": dict(frame.roles)}

    def describe_folds(self) -> list[dict[str, Any]]:
        """Sizes in tokens."""
        said = []
        for fold in self.folds:
            parts = self.fitted(fold)[1]
            said.append({"fold": fold.index, **{f"{k}_tokens": len(_tokens(p)) for k, p in parts.items()}})
        return said

    def notes_after(self, scored: Sequence[Any]) -> list[str]:  # noqa: ARG002
        """How much of the test part nobody could know."""
        _, parts = self.fitted(self.folds[-1])
        unknown = float(np.mean(_tokens(parts["test"]) == 1)) if len(parts["test"]) else 0.0
        if unknown < _WORTH_A_NOTE:
            return []
        return [
            f"{100 * unknown:.1f} % of the test tokens are not in the vocabulary; of these, every model only has to "
            "tell that an unknown one comes"
        ]

    def tests(self, recurrent: list[str], against: str, outcomes: Sequence[Any]) -> list[dict[str, Any]]:
        """Paired bootstrap over stretches of the text, or over lines."""
        losses = {}
        for model in [*recurrent, against]:
            by_fold = losses_by_fold(outcomes, model, [fold.index for fold in self.folds])
            losses[model] = np.concatenate([np.mean(of_fold, axis=0) for of_fold in by_fold])
        weights = np.concatenate([_pieces(self.fitted(fold)[1]["test"]) for fold in self.folds])
        return compare_examples(losses, against=against, weights=weights)

    def example_row(self) -> int:
        """Only forecasts have one."""
        return 0

    def _parts(self, pipeline: LanguagePipeline, fold: ExampleFold) -> dict[str, Stream | Examples]:
        names = ("train", "validation", "test")
        if isinstance(self.frame, CorpusFrame):
            streams = [pipeline.ids(text) for text in self.frame.parts]
            if short := [name for name, ids in zip(names, streams, strict=True) if not len(ids)]:
                raise InputError(
                    f"{self.frame.source}: the {short[0]} part of the text holds no {pipeline.tokens} token at all; "
                    "give a longer text"
                )
            batch = min(pipeline.stream(ids).batch_size for ids in streams)
            return {name: Stream(ids, batch, pipeline.chunk) for name, ids in zip(names, streams, strict=True)}
        rows = {name: getattr(fold, name) for name in names}
        batch = min(self.settings.batch_size or 32, *(len(r) for r in rows.values() if len(r)))
        whole = pipeline.lines(self.frame, np.arange(len(self.frame)), batch)  # the texts are cut once for all parts
        return {name: replace(whole, rows=r) for name, r in rows.items()}

    def _pipeline(self) -> LanguagePipeline:
        own = self.own
        return LanguagePipeline(
            tokens=own.tokens or "word",
            vocabulary_size=own.vocabulary_size,
            min_count=own.min_count,
            chunk=own.length,
            streams=self.settings.batch_size or own.streams,
        )


def _tokens(part: Any) -> np.ndarray:
    """All tokens of a part that are to be told, in order."""
    if isinstance(part, Stream):
        return part.ids
    pieces = [part.target[s : s + n] for s, n in zip(part.sequences.starts, part.sequences.lengths, strict=True)]
    return np.concatenate([np.empty(0, np.int32), *(pieces[i] for i in part.rows)])


def _pieces(part: Stream | Examples) -> np.ndarray:
    """Tokens of each line, or of each stretch of a long text: what models are compared on (pieces,)."""
    if isinstance(part, Examples):
        return part.sequences.lengths[part.rows]
    lengths = np.full(-(-len(part.ids) // STRETCH), STRETCH)
    lengths[-1] -= lengths.sum() - len(part.ids)
    return lengths


def _score(losses: np.ndarray, lengths: np.ndarray) -> Score:
    """Metrics of every token's loss (tokens,), and the mean loss of each piece."""
    starts = np.cumsum(lengths) - lengths
    means = np.add.reduceat(losses, starts) / lengths
    scores = {"nats": nats(-losses), "perplexity": perplexity(-losses), "bits": bits(-losses)}
    return Score(scores, means, np.empty(0))

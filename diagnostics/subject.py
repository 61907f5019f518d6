"""What is inspected: a trained network and what it reads, from an exported model or from a comparison's fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import datasets
from ..comparison.settings import task_of_data
from ..errors import InputError
from ..export import ExportedModel
from ..frames import CorpusFrame, Frame, PanelFrame, SeriesFrame, TextFrame, data_hash
from ..models import TRAINING_SETTINGS, build, known_settings, parse_variant
from ..pipelines import LanguagePipeline, RowRange, SequencePipeline, SeriesPipeline, TextRange, corpus_fold
from ..predictor import Predictor
from ..predictor.mix import Mix
from .examples import Examples, language_examples, sequence_examples, series_examples

if TYPE_CHECKING:
    import keras

    from ..comparison import Comparison
    from ..predictor.offset import BaselineOffset

Pipeline = SeriesPipeline | SequencePipeline | LanguagePipeline
_TARGET_ROLES = ("label", "value", "tags")


@dataclass(frozen=True, eq=False)
class Subject:
    """A trained model and examples.

    Attributes:
        name: of the model.
        task: name of its task.
        predictor: raw in, raw out.
        pipeline: what it was trained with.
        frame: the data looked at.
        examples: what the network reads of them; None where the model is no network.
        untrained: the network with its first weights; None where they cannot be had again.
        notes: what a reader should know of the data looked at.
    """

    name: str
    task: str
    predictor: Predictor[Any]
    pipeline: Pipeline
    frame: Frame
    examples: Examples | None
    untrained: keras.Model | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def network(self) -> keras.Model | None:
        """The trained network."""
        return None if self.examples is None else self.examples.network


def subject_of_model(model: Predictor[Any], source: Any = None) -> Subject:
    """The model and the rows of `source`, or of the data it was trained on.

    Raises:
        InputError: no source, and the training data cannot be read again; or a file that does not fit the model.
    """
    predictor, info = with_network(model), dict(getattr(model, "info", {}))
    frame = read_with_targets(model, info, source)
    trained_on = info.get("data", {})
    same = bool(trained_on) and data_hash(frame) == trained_on["hash"]
    selection, held_out, notes = _held_out(frame, trained_on, same)
    training = dict(info.get("training", {}))
    pipeline: Any = getattr(predictor.schema, "pipeline", None)
    network = getattr(predictor.model, "model", None)
    examples = None
    if network is None:
        notes.append(_why_nothing(model, predictor))
    else:
        offset = getattr(predictor.model, "offset", None)
        notes += [*_about_mix(model), *_about_offset(offset)]
        examples = examples_of(pipeline, frame, network, selection, held_out=held_out, offset=offset)
    name = (
        training.get("family") or training.get("baseline") or getattr(network, "name", type(predictor.model).__name__)
    )
    first = None if network is None else untrained(training, pipeline)
    return Subject(str(name), predictor.task, predictor, pipeline, frame, examples, first, tuple(notes))


def subject_of_comparison(comparison: Comparison, model: str, *, shuffled: bool = False) -> Subject:
    """A model of a comparison, trained once more on the newest fold, and the examples it was tested on there.

    The seed and the configuration are those of the comparison, so these are the weights that were scored; unless it is
    trained on `shuffled` steps.
    """
    data, fitted, training = comparison.retrain(model, shuffled=shuffled)
    predictor = fitted.predictor
    network: Any = getattr(predictor.model, "model", None)
    pipeline: Any = getattr(predictor.schema, "pipeline", None)
    fold: Any = getattr(data, "fold")  # noqa: B009  (each task's fold has one; the protocol does not ask for it)
    offset = getattr(predictor.model, "offset", None)
    examples = examples_of(pipeline, comparison.frame, network, fold.test, held_out=True, offset=offset)
    note = "measured on the test set of the newest fold, which this training never saw"
    return Subject(
        model,
        predictor.task,
        predictor,
        pipeline,
        comparison.frame,
        examples,
        untrained(training, pipeline),
        (note, *_about_offset(offset)),
    )


def _about_mix(model: Predictor[Any]) -> list[str]:
    whole = model.trained if isinstance(model, ExportedModel) else model
    mix = None if whole is None else whole.model
    alone = "the network of the mix is measured alone: its errors and its cost are not those of the mix"
    return [alone] if isinstance(mix, Mix) else []


def _about_offset(offset: BaselineOffset | None) -> list[str]:
    if offset is None:
        return []
    name = getattr(offset.fitted, "name", "the baseline")
    return [f"the score of {name} that the network adds to is held fixed: measured is what the network reads beside it"]


def with_network(model: Predictor[Any]) -> Predictor[Any]:
    """An exported model as the predictor that it was made from, where the export holds it; of a mix its network."""
    if isinstance(model, ExportedModel):
        model = model.trained or model
    if isinstance(model.model, Mix):
        return replace(model, model=model.model.network)
    return model


def examples_of(
    pipeline: Pipeline,
    frame: Frame,
    network: keras.Model,
    selection: Any,
    *,
    held_out: bool | None,
    offset: BaselineOffset | None = None,
) -> Examples:
    """What a network reads of a selection of a frame."""
    if isinstance(pipeline, SeriesPipeline) and isinstance(frame, SeriesFrame):
        return series_examples(pipeline, frame, network, selection, held_out=held_out)
    if isinstance(pipeline, SequencePipeline) and isinstance(frame, TextFrame | PanelFrame):
        return sequence_examples(pipeline, frame, network, selection, held_out=held_out, offset=offset)
    if isinstance(pipeline, LanguagePipeline) and isinstance(frame, CorpusFrame | TextFrame):
        return language_examples(pipeline, frame, network, selection, held_out=held_out)
    raise InputError(f"{frame.source} does not hold what the model reads; give data like the training data")


def untrained(training: Mapping[str, Any], pipeline: Pipeline) -> keras.Model | None:
    """The network as it was before training: family, settings and seed give the same first weights."""
    import keras

    if "family" not in training or training.get("seed") is None:
        return None
    kind = pipeline.spec.kind
    family, _ = parse_variant(str(training["family"]), kind)
    known = known_settings(family, kind) - set(TRAINING_SETTINGS)
    config = {name: value for name, value in training.items() if name in known}
    keras.utils.set_random_seed(int(training["seed"]))
    return build(family, pipeline.spec, **config)


def read_with_targets(model: Predictor[Any], info: Mapping[str, Any], source: Any) -> Frame:
    """Read a source with the columns of the training data, those to be predicted included."""
    data = info.get("data", {})
    if isinstance(source, Frame):
        return source
    if source is None:
        source = data.get("source")
        if source is None or not (str(source) in datasets.DATASETS or Path(str(source)).exists()):
            where = "" if source is None else f" ({source}) cannot be found"
            raise InputError(f"the data that the model was trained on{where}; give a file with rows like them")
    if model.task == "forecast":
        return model.read(source)
    roles = {name: value for name, value in dict(data.get("roles", {})).items() if value not in (None, (), [])}
    if not roles:
        roles = dict(getattr(model.schema, "roles", {}))
    known = {name: value for name, value in roles.items() if name in datasets.ROLES and name != "group"}
    if str(source) in datasets.DATASETS:
        known = {}
    frame = _load(source, model.task, known)
    if isinstance(frame, TextFrame):
        frame.refuse_stored("an inspection")
    if model.task != "language-model" and getattr(frame, "targets", None) is None:
        raise InputError(
            f"{source} has no column of what the model predicts ({data.get('target') or 'a label'}); give rows with it"
        )
    return frame


def _load(source: Any, task: str, roles: dict[str, Any]) -> Frame:
    name = task_of_data(task)
    if "split" not in roles:
        return datasets.load(source, task=name, **roles)
    try:
        return datasets.load(source, task=name, **roles)
    except InputError:  # a new file has no column that says train or test
        return datasets.load(source, task=name, **{k: v for k, v in roles.items() if k != "split"})


def _held_out(frame: Frame, trained_on: Mapping[str, Any], same: bool) -> tuple[Any, bool | None, list[str]]:
    """The rows looked at, whether the model was trained without them, and what to say about that."""
    if not trained_on:
        return None, True, ["what the model was trained on is not known: these rows are taken as new to it"]
    if not same:
        return _rows_after_training(frame, trained_on)
    if isinstance(frame, CorpusFrame):
        test: TextRange = corpus_fold(frame).test
        return test, True, ["measured on the test text, which the training never saw"]
    if not isinstance(frame, SeriesFrame) and frame.is_test is not None and frame.is_test.any():
        return np.flatnonzero(frame.is_test), True, ["measured on the held-out test set"]
    note = (
        "measured on the data that the model was trained on, so errors are too low and whether order matters is left "
        "open; give a file with newer or other rows"
    )
    return None, False, [note]


def _rows_after_training(frame: Frame, trained_on: Mapping[str, Any]) -> tuple[Any, bool | None, list[str]]:
    last = trained_on.get("last")
    if not isinstance(frame, SeriesFrame) or last is None:
        if not isinstance(frame, SeriesFrame) and frame.is_test is not None and frame.is_test.any():  # type: ignore[union-attr]
            return np.flatnonzero(frame.is_test), True, []  # type: ignore[union-attr]
        return None, True, []
    counted = isinstance(frame.freq, int)
    stamps = frame.table[frame.time]
    newest = int(last) if counted else np.datetime64(str(last).replace(" ", "T")[:19])
    values = stamps.to_numpy() if counted else stamps.dt.tz_localize(None).to_numpy()
    newer = np.asarray(values > newest)
    ends = np.cumsum(frame.lengths)
    count = np.concatenate([[0], np.cumsum(newer)])
    start = frame.lengths - (count[ends] - count[ends - frame.lengths])
    if not newer.any():
        if counted and frame.roles.get("time") == "none":
            return None, True, ["the rows are only numbered: they are taken for others than those trained on"]
        note = f"all rows lie before {last}, the end of the training data: errors may be too low"
        return None, False, [note]
    note = f"measured on the {int(newer.sum()):,} rows after {last}, where the training data end"
    return RowRange(start, frame.lengths), True, [note] if (start > 0).any() else []


def _why_nothing(model: Predictor[Any], predictor: Predictor[Any]) -> str:
    if predictor is model and isinstance(model, ExportedModel):
        return (
            f"{model.path} was exported before models carried their network, so gates, gradients and cost by part "
            "cannot be measured; export it again (its predictions can still be compared with the steps shuffled or "
            "left out)"
        )
    return f"{predictor.model!r} is not a network: it has no state, no gates and no gradient to measure"

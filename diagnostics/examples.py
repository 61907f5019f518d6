"""Examples: what a trained network reads, with a loss for each, so that one thing can be changed and the loss seen.

Every diagnostic asks the same question: what becomes of the loss when the network reads something else? Here series,
texts, panels and language models become the same thing: arrays with a time axis, how many steps of each are real, a
function that predicts, and one that scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..evaluation import mase, seasonal_scales
from ..frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from ..pipelines import (
    EncodedCorpus,
    LanguagePipeline,
    Ragged,
    RowRange,
    SequenceEncoder,
    SequencePipeline,
    SeriesPipeline,
    Windows,
)
from ..pipelines.tokens import tokenize
from ..training import compiled

if TYPE_CHECKING:
    import keras

    from ..predictor.offset import BaselineOffset

Inputs = dict[str, np.ndarray]
# Windows or sequences looked at; more change the second digit of what is measured.
MOST_EXAMPLES, FEWEST_EXAMPLES = 1000, 100
# Steps of all examples together, where sequences are long.
_MOST_STEPS = 64_000
BATCH = 256
# Steps of a stretch of a long text.
_STRETCH = 64
# Steps of an example that fit into a picture.
_DRAWN_STEPS = 60


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples of one data set, as a network reads them.

    Attributes:
        inputs: by the network's names; the first axis is the example.
        time_input: the one with a time axis: "values" (examples, time, channels) or "tokens" (examples, time).
        lengths: real steps of each; the rest, on the right, is padding (examples,).
        predict: inputs → what the loss is made of, (examples, ...).
        loss: predictions → the loss of each example, in the task's own error (examples,); NaN where nothing is known.
        network: what predicts.
        place: first row of each window, or number of the example: examples whose places are near share steps.
        groups: the series of each example.
        overlap: neighbouring examples that share target rows; 1 where none do.
        metric: name of the loss.
        held_out: whether the network was trained without them; None: not known.
        labels: what tells the examples apart for a reader: columns of one cell per example.
        truth: what should have been predicted, in the user's units or class numbers (examples, ...).
        restore: predictions → the user's units (forecasts, values) or probabilities.
        whole: whether each is read from its beginning to its end, so that there is no more to read.
        many_series: whether windows have scales of their own.
        tokens: a token's id → its word, where words are read.
    """

    inputs: Inputs
    time_input: str
    lengths: np.ndarray
    predict: Callable[[Inputs], np.ndarray]
    loss: Callable[[np.ndarray], np.ndarray]
    network: keras.Model | None
    place: np.ndarray
    groups: np.ndarray
    overlap: int = 1
    metric: str = "error"
    held_out: bool | None = None
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    many_series: bool = False
    tokens: Callable[[int], str] | None = None
    truth: np.ndarray | None = None
    restore: Callable[[np.ndarray], np.ndarray] | None = None
    whole: bool = False

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def steps(self) -> np.ndarray:
        """The input with a time axis."""
        return self.inputs[self.time_input]

    @property
    def longest(self) -> int:
        """Steps of the longest example."""
        return int(self.lengths.max(initial=1))

    @property
    def typical(self) -> int:
        """Number of an example to look at: the longest that can be drawn step by step, else the shortest."""
        drawn = np.where(self.lengths <= _DRAWN_STEPS, self.lengths, -self.lengths)
        return int(drawn.argmax())

    def losses(self, steps: np.ndarray | None = None) -> np.ndarray:
        """The loss of each example (examples,), with other steps where they are given."""
        inputs = self.inputs if steps is None else {**self.inputs, self.time_input: steps}
        return self.loss(self.predict(inputs))

    def take(self, rows: np.ndarray) -> Examples:
        """Some of the examples; what scores them is only that of all, so predictions alone can be made of it."""
        return replace(
            self,
            inputs={name: array[rows] for name, array in self.inputs.items()},
            lengths=self.lengths[rows],
            place=self.place[rows],
            groups=self.groups[rows],
            labels={name: column[rows] for name, column in self.labels.items()},
            truth=None if self.truth is None else self.truth[rows],
        )

    def spread(self, n: int) -> Examples:
        """At most `n` of them, evenly spaced."""
        return self.take(np.unique(np.linspace(0, len(self) - 1, min(n, len(self))).astype(int)))


def in_batches(function: Callable[[Inputs], Any], inputs: Inputs, size: int = BATCH) -> np.ndarray:
    """Call a function on batches of one size, the last filled up with repetitions, and join what it gives."""
    n = len(next(iter(inputs.values())))
    rows = np.minimum(np.arange(-(-n // size) * size), n - 1).reshape(-1, size)
    return np.concatenate([np.asarray(function({k: v[some] for k, v in inputs.items()})) for some in rows])[:n]


def _forward(network: keras.Model) -> Callable[[Inputs], np.ndarray]:
    import tensorflow as tf

    def predict(inputs: Inputs) -> np.ndarray:
        return in_batches(lambda some: compiled(network)({k: tf.constant(v) for k, v in some.items()}), inputs)

    return predict


# ---------------------------------------------------------------------------------------------------- series


def series_examples(
    pipeline: SeriesPipeline,
    frame: SeriesFrame,
    network: keras.Model,
    rows: RowRange | None = None,
    *,
    held_out: bool | None = None,
    most: int = MOST_EXAMPLES,
) -> Examples:
    """Windows of series.

    Args:
        pipeline: what the network was trained with.
        frame: the series.
        network: trained.
        rows: where the targets lie; all rows by default.
        held_out: whether the network was trained without those rows.
        most: windows, evenly spaced.
    """
    encoded = pipeline.encode(frame)
    rows = rows or RowRange(np.zeros_like(frame.lengths), frame.lengths)
    with_windows = max(1, int((rows.stop - np.maximum(rows.start, pipeline.lookback) >= pipeline.horizon).sum()))
    rows = RowRange(rows.start, rows.stop, max(1, most // with_windows))
    batches = pipeline.batches(encoded, rows)
    windows: Windows = batches.windows
    if not len(windows):
        raise ValueError("`rows` hold no whole window. Received: none")
    gathered = [inputs for inputs, *_ in batches.dataset(batch_size=BATCH)]
    inputs = {name: np.concatenate([b[name].numpy() for b in gathered])[: len(windows)] for name in gathered[0]}
    starts, series = windows.starts(), windows.series()
    y_true = frame.columns(frame.targets, starts[:, None] + pipeline.lookback + np.arange(pipeline.horizon))
    scale = _scales(pipeline, frame, rows)[series]
    stamps = frame.table[frame.time].to_numpy()[starts + pipeline.lookback]
    ids = np.array([str(name) for name in frame.ids], dtype=object)

    def loss(forecast: np.ndarray) -> np.ndarray:
        return mase(y_true, pipeline.restore(forecast), scale=scale, by="window")

    return Examples(
        inputs,
        "values",
        np.full(len(windows), pipeline.lookback),
        _forward(network),
        loss,
        network,
        place=starts,
        groups=series,
        overlap=max(1, -(-pipeline.horizon // windows.stride)),
        metric="mase",
        held_out=held_out,
        labels={"first step forecast": stamps, "series": ids[series]},
        many_series=pipeline.many_series_,
        truth=y_true,
        restore=pipeline.restore,
    )


def _scales(pipeline: SeriesPipeline, frame: SeriesFrame, rows: RowRange) -> np.ndarray:
    """Unit of MASE for each series and target, from the rows before those looked at, or from all: (series, targets)."""
    known = np.where(rows.start <= 2 * pipeline.season, frame.lengths, rows.start)
    return seasonal_scales(frame.columns(frame.targets), frame.lengths, known, pipeline.season)


# ---------------------------------------------------------------------------------------------------- sequences


def sequence_examples(
    pipeline: SequencePipeline,
    frame: TextFrame | PanelFrame,
    network: keras.Model,
    rows: np.ndarray | None = None,
    *,
    held_out: bool | None = None,
    most: int = MOST_EXAMPLES,
    offset: BaselineOffset | None = None,
) -> Examples:
    """Texts or sequences of numbers, each with its target.

    The score of a baseline that the network adds to stays what it is for the whole sequence, whatever is changed in
    what the network reads.

    Of a sequence with a tag for every step, one step is drawn, and the sequence ends with it: what is remembered is
    asked of one prediction.
    """
    rows = np.arange(len(frame)) if rows is None else np.asarray(rows)
    rows = rows[_evenly(len(rows), _affordable(pipeline.encoder.length_, most))]
    own: Any = frame.take(rows)
    encoder = pipeline.target_encoder_
    inputs, lengths = _sequence_inputs(pipeline, own, offset)
    time_input = "values" if "values" in inputs else "tokens"
    forward, last = _forward(network), (np.arange(len(rows)), lengths - 1)
    truth = encoder.y_true(list(own.targets.values))
    y_true = np.array([tags[n - 1] for tags, n in zip(truth, lengths, strict=True)] if encoder.per_step else truth)

    def predict(inputs: Inputs) -> np.ndarray:
        outputs = forward(inputs)
        return outputs[last] if encoder.per_step else outputs

    values = frame.task == "regression"
    targets = [str(v) for v in (y_true if values else (_label(encoder.classes_, number) for number in y_true))]

    def loss(predicted: np.ndarray) -> np.ndarray:
        if values:
            return np.abs(np.asarray(encoder.outputs(predicted)["value"], dtype=float) - y_true)
        return (predicted.argmax(axis=-1) != y_true).astype(float)

    return Examples(
        inputs,
        time_input,
        lengths,
        predict,
        loss,
        network,
        place=rows,
        groups=np.zeros(len(rows), int),
        metric="mae" if values else "error",
        held_out=held_out,
        labels={"example": rows, "target": np.array(targets, dtype=object)},
        tokens=None if time_input == "values" else _words(pipeline),
        truth=y_true,
        restore=lambda predicted: np.asarray(encoder.outputs(predicted)["value" if values else "probabilities"]),
        whole=_fits(pipeline, own),
    )


def _sequence_inputs(pipeline: SequencePipeline, own: Any, offset: BaselineOffset | None) -> tuple[Inputs, np.ndarray]:
    """What the network reads of the examples of a frame, and how many steps of each (examples,)."""
    per_step, sequences = pipeline.target_encoder_.per_step, pipeline.encode(own).sequences
    lengths = np.maximum(sequences.lengths, 1)
    if per_step:
        lengths = np.random.default_rng(0).integers(1, lengths + 1)
    steps = _padded(sequences, lengths)
    inputs = {"values": steps, "lengths": lengths.astype("int32")} if steps.ndim == 3 else {"tokens": steps}
    if offset is not None:
        raw: Any = pipeline.raw(own)
        score = np.asarray(offset.of_raw(raw, pipeline.preprocess(raw)))
        inputs["offset"] = score[:, : steps.shape[1]] if per_step else score
    return inputs, lengths


def _label(classes: Sequence[Any], number: int) -> Any:
    return classes[number] if number >= 0 else "never trained on"


def _fits(pipeline: SequencePipeline, frame: Any) -> bool:
    """Whether every sequence is read from its beginning to its end."""
    encoder = pipeline.encoder
    if isinstance(encoder, SequenceEncoder):
        lengths = np.array([len(values) for values in frame.inputs])
    else:
        lengths = np.concatenate([some for _, some in tokenize(frame.inputs, encoder.tokens)])
    return not encoder.truncate_ or bool((lengths <= encoder.length_).all())


def _padded(sequences: Ragged, lengths: np.ndarray) -> np.ndarray:
    """Sequences as one array, zeros behind the end of each: (examples, time, ...)."""
    padded = np.zeros((len(sequences), int(lengths.max(initial=1)), *sequences.flat.shape[1:]), sequences.flat.dtype)
    for i, n in enumerate(lengths):
        own = sequences[i][:n]
        padded[i, : len(own)] = own
    return padded


def _words(pipeline: Any) -> Callable[[int], str]:
    vocabulary = pipeline.vocabulary_ if isinstance(pipeline, LanguagePipeline) else pipeline.encoder.vocabulary_
    names = {0: "", 1: "<unknown>", 2: "<end>"}
    return lambda i: names[int(i)] if int(i) in names else vocabulary.word(int(i))


def _affordable(length: int, most: int) -> int:
    return int(np.clip(_MOST_STEPS // max(length, 1), FEWEST_EXAMPLES, most))


def _evenly(n: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


# ---------------------------------------------------------------------------------------------------- language models


def language_examples(
    pipeline: LanguagePipeline,
    frame: CorpusFrame | TextFrame,
    network: keras.Model,
    selection: Any = None,
    *,
    held_out: bool | None = None,
    most: int = MOST_EXAMPLES,
) -> Examples:
    """Stretches of text, each with the token after it; a stretch begins with an empty state."""
    ids, before = _stretches(pipeline, frame, selection, _affordable(_STRETCH, most))
    lengths = np.full(len(ids), ids.shape[1])
    states = {
        t.name: np.zeros((len(ids), *t.shape[1:]), "float32") for t in network.inputs if t.name.startswith("state_")
    }
    inputs = {"tokens": ids, **states}
    if pipeline.conditions_:
        inputs["condition"] = np.zeros(len(ids), "int32")

    def predict(inputs: Inputs) -> np.ndarray:
        import tensorflow as tf

        def last(some: Inputs) -> Any:
            return compiled(network)({k: tf.constant(v) for k, v in some.items()})["logits"][:, -1]

        return in_batches(last, inputs, 64)

    def loss(logits: np.ndarray) -> np.ndarray:
        logits = logits.astype(float)
        top = logits.max(axis=1)
        return np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top - logits[np.arange(len(logits)), before]

    return Examples(
        inputs,
        "tokens",
        lengths,
        predict,
        loss,
        network,
        place=np.arange(len(ids)),
        groups=np.zeros(len(ids), int),
        metric="cross_entropy",
        held_out=held_out,
        labels={"stretch": np.arange(len(ids))},
        tokens=_words(pipeline),
    )


def _stretches(
    pipeline: LanguagePipeline, frame: CorpusFrame | TextFrame, selection: Any, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Token ids (stretches, time), and the id after each (stretches,)."""
    encoded = pipeline.encode(frame)
    if isinstance(encoded, EncodedCorpus) and isinstance(frame, CorpusFrame):
        text = frame.text if selection is None else frame.text[selection.start : selection.stop]
        flat = pipeline.ids(text)
    else:
        rows = np.arange(len(frame)) if selection is None else np.asarray(selection)
        flat = np.concatenate([encoded.before[int(i)] for i in rows])  # type: ignore[union-attr]
    length = min(_STRETCH, max(1, (len(flat) - 1) // 2))
    starts = np.arange(0, max(1, len(flat) - length), length)
    starts = starts[_evenly(len(starts), most)]
    return flat[starts[:, None] + np.arange(length)].astype("int32"), flat[starts + length].astype(int)

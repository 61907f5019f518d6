"""From checked examples to what a network reads; the pipeline is the one that files and exports are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..pipelines import SequencePipeline, TextEncoder, derive_tokens
from ..pipelines.channels import ROUNDING
from ..pipelines.ragged import Ragged, padded_lengths
from .batches import LEAST_WIDTH
from .reading import Examples


@dataclass(frozen=True, eq=False)
class Encoding:
    """A fitted pipeline as plain JSON values, so that it can be pickled: its tables of words live in TensorFlow.

    Attributes:
        kind: of the examples it was fitted on.
        config: of the pipeline.
    """

    kind: str
    config: dict[str, Any]

    @property
    def pipeline(self) -> SequencePipeline:
        """The pipeline, made once for each encoding."""
        if self not in _PIPELINES:
            _PIPELINES[self] = SequencePipeline.from_config(self.config)
        return _PIPELINES[self]

    def sequences(self, examples: Examples) -> Ragged:
        """Examples as ids, or as scaled values in double precision."""
        encoder = self.pipeline.encoder
        if isinstance(encoder, TextEncoder):
            return encoder.encode(examples.texts)
        values = _numbers(examples)
        cut = values.cut(encoder.length_, keep=encoder.keep)
        return Ragged((cut.flat - encoder.mean_) / encoder.scale_, cut.lengths)

    @property
    def widths(self) -> tuple[int, ...]:
        """Lengths that batches are filled up to."""
        return tuple(sorted({max(width, LEAST_WIDTH) for width in self.pipeline.widths_}))


_PIPELINES: WeakKeyDictionary[Encoding, SequencePipeline] = WeakKeyDictionary()


@dataclass(frozen=True)
class ReadingSettings:
    """How sequences and texts are read; see ``tasks/sequences.py``."""

    sequence_length: int | None
    keep: str
    tokens: str | None
    vocabulary_size: int
    min_count: int


def fit_encoding(
    examples: Examples, rows: np.ndarray, weight: np.ndarray, target: Mapping[str, Any], settings: ReadingSettings
) -> Encoding:
    """Learn vocabulary or scale, and lengths, from training rows.

    Args:
        examples: all of them.
        rows, weight: numbers of the training rows, and what each weighs: (rows,).
        target: config of the encoder of the targets.
        settings: how sequences are read.
    """
    encoder, lengths = (
        _fit_values(_numbers(examples), rows, weight, settings)
        if examples.texts is None
        else _fit_texts(examples, rows, settings)
    )
    longest = int(lengths.max(initial=1))
    pipeline = {
        "encoder": encoder,
        "target_encoder": dict(target),
        "balanced": False,
        "bucket_by_length": True,
        "weights": [1.0] * len(target.get("classes", [0])),
        "widths": list(padded_lengths(lengths, longest)),
    }
    return Encoding(examples.kind, pipeline)


def scale_of(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and standard deviation of columns, 1 where one is constant: (n, columns) → (columns,) twice."""
    total = weight.sum()
    mean = weight @ values / total
    deviation = np.sqrt(weight @ (values - mean) ** 2 / total)
    return mean, np.where(deviation <= ROUNDING * np.abs(mean), 1.0, deviation)


def _numbers(examples: Examples) -> Ragged:
    if examples.values is None:
        raise ValueError("texts were given where numbers were expected.")
    return examples.values


def _fit_values(
    values: Ragged, rows: np.ndarray, weight: np.ndarray, settings: ReadingSettings
) -> tuple[dict[str, Any], np.ndarray]:
    lengths = values.lengths[rows]
    steps = np.concatenate([values[row] for row in rows]) if len(set(lengths)) > 1 else _same_length(values, rows)
    mean, scale = scale_of(steps, np.repeat(weight, lengths))
    length = settings.sequence_length or int(lengths.max(initial=1))
    config = {
        "kind": "values",
        "sequence_length": length,
        "truncate": True,
        "missing": "interpolate",
        "keep": settings.keep,
        "mean": mean.tolist(),
        "scale": scale.tolist(),
    }
    return config, np.minimum(lengths, length)


def _same_length(values: Ragged, rows: np.ndarray) -> np.ndarray:
    """Steps of rows of one length (rows × steps, channels), without a loop."""
    length = int(values.lengths[rows[0]])
    places = values.starts[rows][:, None] + np.arange(length)
    return values.flat[places.ravel()]


def _fit_texts(examples: Examples, rows: np.ndarray, settings: ReadingSettings) -> tuple[dict[str, Any], np.ndarray]:
    texts = [examples.inputs[row] for row in rows]
    tokens = (settings.tokens or derive_tokens(texts)[0]) if examples.kind == "text" else None
    encoder = TextEncoder(
        tokens=tokens,
        vocabulary_size=settings.vocabulary_size,
        min_count=settings.min_count,
        sequence_length=settings.sequence_length,
        keep=settings.keep,
    ).fit(texts, source="X")
    return encoder.to_config(), encoder.lengths_

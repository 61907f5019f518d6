"""SequenceEncoder: sequences of numbers → scaled ones without gaps; learnt from training rows only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..spec import ValuesInput
from .channels import ROUNDING
from .fill import RULES, fill_window
from .protocol import RawInputs, Tensors
from .ragged import Ragged
from .text_encoder import check_cut, percent

if TYPE_CHECKING:
    import tensorflow as tf

_SEQUENCES_AT_ONCE = 1000


class SequenceEncoder:
    """Sequences of numbers (time, channels), scaled; missing values are filled inside each sequence.

    Args:
        sequence_length: steps read of each sequence; None: as many as the longest training sequence has.
        missing: "interpolate", "ffill" or "error".
        keep: "first" or "last": which steps of a longer sequence are read.
    """

    def __init__(
        self, *, sequence_length: int | None = None, missing: str = "interpolate", keep: str = "first"
    ) -> None:
        if missing not in RULES:
            raise InputError(f"`missing` must be one of {', '.join(RULES)}; received {missing!r}")
        check_cut(sequence_length, keep)
        self.sequence_length = sequence_length
        self.missing = missing
        self.keep = keep

    def fit(self, values: Sequence[np.ndarray], *, source: str, truncate: bool = True) -> SequenceEncoder:
        """Learn scale and length from training sequences; without `truncate` none is ever cut short."""
        if not any(len(v) for v in values):
            raise InputError(f"{source}: the training sequences hold no step at all; check how the file was written")
        steps = np.concatenate(list(values))  # (steps, channels)
        observed = np.isfinite(steps)
        count = np.maximum(observed.sum(axis=0), 1)
        about = np.where(observed, steps, 0.0).sum(axis=0) / count
        self.mean_ = about + np.where(observed, steps - about, 0.0).sum(axis=0) / count  # to the last digit
        variance = np.where(observed, (steps - self.mean_) ** 2, 0.0).sum(axis=0) / count
        # a constant channel has no spread of its own, only what rounding makes of it
        constant = np.sqrt(variance) <= ROUNDING * np.abs(self.mean_)
        self.scale_ = np.where(constant, 1.0, np.sqrt(variance))
        lengths = np.array([len(v) for v in values])
        self.length_ = self.sequence_length or max(int(lengths.max(initial=1)), 1)
        self.truncate_ = truncate
        self.lengths_ = np.minimum(lengths, self.length_) if truncate else lengths
        self.fitting_ = float((lengths <= self.length_).mean()) if truncate else 1.0
        return self

    @property
    def spec(self) -> ValuesInput:
        """What a model takes in."""
        return ValuesInput(self.length_, len(self.mean_))

    @property
    def notes(self) -> list[str]:
        """What was chosen, and what it leaves out."""
        if self.fitting_ == 1:
            return [f"length: {self.length_:,} steps, as long as the longest training sequence"]
        return [
            f"length: {self.length_:,} steps; {percent(self.fitting_)} of the training sequences fit, of longer ones "
            f"the {self.keep} {self.length_:,} are read (set `sequence_length` or `keep` to change it)"
        ]

    def lengths_of(self, values: Any) -> np.ndarray:
        """Steps of each sequence, before any is cut short: (sequences,)."""
        return np.array([len(v) for v in values], dtype=np.int64)

    def encode(self, values: Any) -> Ragged:
        """Scaled and filled sequences."""
        encoded = []
        for start in range(0, len(values), _SEQUENCES_AT_ONCE):
            raw = self.raw(values[start : start + _SEQUENCES_AT_ONCE])
            ready = {name: tensor.numpy() for name, tensor in self.preprocess(raw).items()}
            encoded += [v[:n] for v, n in zip(ready["values"], ready["lengths"], strict=True)]
        return (
            Ragged.of(encoded) if encoded else Ragged(np.empty((0, len(self.mean_)), "float32"), np.empty(0, np.int64))
        )

    def raw(self, values: Sequence[np.ndarray]) -> RawInputs:
        """Sequences as the exported model takes them, in the user's units."""
        values = [as_steps(v, number) for number, v in enumerate(values)]
        values = [v if len(v) else np.empty((0, len(self.mean_))) for v in values]  # nothing has any channels
        self._check(values)
        lengths = np.array([len(v) for v in values], dtype=np.int32)
        padded = np.zeros((len(values), max(int(lengths.max(initial=1)), 1), len(self.mean_)))
        for row, v in zip(padded, values, strict=True):
            row[: len(v)] = v
        return {"values": padded, "lengths": lengths}

    def _check(self, values: Sequence[np.ndarray]) -> None:
        for number, v in enumerate(values):
            if v.ndim != 2 or v.shape[1] != len(self.mean_):
                channels = v.shape[1] if v.ndim == 2 else v.ndim
                raise InputError(
                    f"sequence {number} has {channels} channels where the training sequences have {len(self.mean_)}; "
                    "give the same channels in the same order"
                )
            if self.missing == "error" and np.isnan(v).any():
                step, channel = np.argwhere(np.isnan(v))[0]
                raise InputError(
                    f"sequence {number} has no value at step {step} of channel {channel}; fill it, or set "
                    "`missing` to interpolate or ffill"
                )

    def signature(self) -> dict[str, tf.TensorSpec]:
        """Names, types and shapes of what the exported model takes."""
        import tensorflow as tf

        return {
            # in double precision until the mean is off: a small movement of a large level has no digits in single
            "values": tf.TensorSpec([None, None, len(self.mean_)], tf.float64, name="values"),
            "lengths": tf.TensorSpec([None], tf.int32, name="lengths"),
        }

    def preprocess(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """What :meth:`raw` gives → what the model takes. Core TensorFlow ops only."""
        import tensorflow as tf

        values, lengths = self.scaled_in_graph(inputs["values"]), tf.convert_to_tensor(inputs["lengths"])
        if self.truncate_:
            values, lengths = self._cut(values, lengths)
        inside = tf.sequence_mask(lengths, tf.shape(values)[1])[:, :, None]  # (batch, time, 1)
        # padding counts as missing while gaps are filled, so that it does not reach into the sequence
        values = fill_window(tf.where(inside, values, np.float32("nan")), rule=self.missing)
        return {"values": tf.where(inside, values, 0.0), "lengths": lengths}

    def scaled_in_graph(self, values: tf.Tensor) -> tf.Tensor:
        """Raw channels (..., channels) → scaled ones, float32, NaN where missing."""
        import tensorflow as tf

        return tf.cast((tf.cast(values, tf.float64) - self.mean_) / self.scale_, tf.float32)

    def _cut(self, values: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        import tensorflow as tf

        if self.keep == "last":  # sequences moved so that their last steps come first
            surplus = tf.maximum(lengths - self.length_, 0)  # (batch,)
            steps = tf.range(tf.shape(values)[1]) + surplus[:, None]  # (batch, time)
            values = tf.gather(values, tf.minimum(steps, tf.shape(values)[1] - 1), batch_dims=1)
        return values[:, : self.length_], tf.minimum(lengths, self.length_)

    def tables(self) -> list[Any]:
        """Numbers need no lookup tables."""
        return []

    def describe_inputs(self) -> list[str]:
        """A line per raw input, for the model card."""
        return [
            f"`values`: float64 [batch, time, {len(self.mean_)}], in the units of the data, NaN where missing "
            f"({self.missing}); whatever is behind a sequence's end is not read.",
            "`lengths`: int32 [batch], steps of each sequence.",
        ]

    def to_config(self) -> dict[str, Any]:
        """Everything learnt and chosen, as plain JSON values."""
        return {
            "kind": "values",
            "sequence_length": self.length_,
            "truncate": self.truncate_,
            "missing": self.missing,
            "keep": self.keep,
            "mean": self.mean_.tolist(),
            "scale": self.scale_.tolist(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SequenceEncoder:
        """The encoder that :meth:`to_config` described."""
        names = ("sequence_length", "missing", "keep")
        encoder = cls(**{name: config[name] for name in names})
        encoder.length_, encoder.truncate_ = config["sequence_length"], config["truncate"]
        encoder.mean_, encoder.scale_ = np.array(config["mean"]), np.array(config["scale"])
        return encoder


def as_steps(sequence: Any, number: int) -> np.ndarray:
    """Lists are as good as arrays, and of one channel (time,) is as good as (time, 1)."""
    try:
        steps = np.asarray(sequence, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"sequence {number} is not an array of numbers (time, channels); give every step as many numbers"
        ) from error
    return steps[:, None] if steps.ndim == 1 else steps

"""Target encoders: the user's labels, values and tags ↔ the numbers a model is trained on.

A new kind of target is a class here and a line in ``TARGET_ENCODERS``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from ..errors import InputError
from ..spec import ClassOutput, TagOutput, ValueOutput
from .channels import ROUNDING
from .ragged import Ragged

# Marks a target that training never saw; it can only be counted as wrong.
UNSEEN = -1
# More classes than these get no column of probabilities each.
_MOST_COLUMNS = 50


def sorted_labels(labels: Iterable[Any]) -> list[Any]:
    """Different labels, numbers before words."""
    return sorted(set(labels), key=lambda label: (isinstance(label, str), label))


class ClassEncoder:
    """One label per example."""

    per_step = False

    def fit(self, values: Iterable[Any], *, source: str, name: str) -> ClassEncoder:
        """Learn the classes."""
        self.classes_ = sorted_labels(values)
        if len(self.classes_) < 2:
            found = repr(self.classes_[0]) if self.classes_ else "none"
            raise InputError(
                f"{source}: the training rows hold only one label in {name!r} ({found}) where at least two were "
                "expected; give rows of another class, or name another column with `label`"
            )
        return self

    @property
    def spec(self) -> ClassOutput:
        """What a model gives out."""
        return ClassOutput(len(self.classes_))

    def encode(self, values: Iterable[Any]) -> np.ndarray:
        """Class numbers, -1 for classes never seen: (examples,) int32."""
        number = {label: i for i, label in enumerate(self.classes_)}
        return np.array([number.get(value, UNSEEN) for value in values], dtype=np.int32)

    def outputs(self, logits: Any) -> dict[str, Any]:
        """Logits (batch, classes) → probabilities (batch, classes) and the number of the likeliest class, as ops."""
        return _likeliest(logits)

    def serve(self, logits: Any) -> dict[str, Any]:
        """Logits → ``label`` (batch,) as strings, and ``probabilities`` (batch, classes)."""
        import tensorflow as tf

        outputs = self.outputs(logits)
        label = tf.gather(tf.constant([str(c) for c in self.classes_]), outputs["number"])
        return {"label": label, "probabilities": outputs["probabilities"]}

    def y_true(self, values: Iterable[Any]) -> np.ndarray:
        """Class numbers as the metrics take them: (examples,)."""
        return self.encode(values)

    def table(self, outputs: dict[str, np.ndarray], lengths: np.ndarray) -> pd.DataFrame:  # noqa: ARG002
        """A row per example: ``label``, ``probability`` and, of up to 50 classes, ``probability_<class>``."""
        probabilities = outputs["probabilities"].astype("float64")
        labels = [self.classes_[i] for i in outputs["probabilities"].argmax(axis=-1)]
        table = pd.DataFrame({"label": labels, "probability": probabilities.max(axis=1)})
        if len(self.classes_) > _MOST_COLUMNS:
            return table
        each = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in self.classes_])
        return pd.concat([table, each], axis=1)

    def describe_outputs(self) -> str:
        """Outputs of the exported model, for the model card."""
        return "`label`: string [batch]; `probabilities`: float32 [batch, classes]"

    def __repr__(self) -> str:
        return f"one of {len(self.classes_)} classes"

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "classification", "classes": self.classes_}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ClassEncoder:
        """What :meth:`to_config` described."""
        encoder = cls()
        encoder.classes_ = config["classes"]
        return encoder


class ValueEncoder:
    """One number per example, or several, scaled by mean and standard deviation."""

    per_step = False
    classes_: tuple[Any, ...] = ()

    def fit(self, values: Iterable[Any], *, source: str, name: str) -> ValueEncoder:
        """Learn the scale of one number per example."""
        array = np.array(list(values), dtype=float)
        self.mean_, self.scale_ = np.array([array.mean()]), np.array([array.std()])
        if self.scale_[0] <= ROUNDING * abs(self.mean_[0]):
            raise InputError(
                f"{source}: the training rows all have the value {self.mean_[0]:g} in {name!r}, so there is nothing to "
                "learn; name another column with `value`"
            )
        return self

    @property
    def spec(self) -> ValueOutput:
        """What a model gives out."""
        return ValueOutput(len(self.mean_))

    def encode(self, values: Iterable[Any]) -> np.ndarray:
        """Scaled values: (examples, values) float32."""
        array = np.array(list(values), dtype=float).reshape(-1, len(self.mean_))
        return ((array - self.mean_) / self.scale_).astype("float32")

    def outputs(self, scaled: Any) -> dict[str, Any]:
        """Scaled values (batch, values) → ``value`` (batch,), or (batch, values) of several, in the user's unit.

        In double precision: a small movement of a large level has no digits in single.
        """
        import tensorflow as tf

        value = tf.cast(scaled, tf.float64) * self.scale_ + self.mean_
        return {"value": value[:, 0] if len(self.mean_) == 1 else value}

    serve = outputs

    def y_true(self, values: Iterable[Any]) -> np.ndarray:
        """Values in the user's unit, as the metrics take them: (examples,)."""
        return np.asarray(list(values), dtype=float)

    def table(self, outputs: dict[str, np.ndarray], lengths: np.ndarray) -> pd.DataFrame:  # noqa: ARG002
        """A row per example: ``value``, or ``value_0``, ``value_1``, ..."""
        value = outputs["value"].astype("float64")
        if value.ndim == 1:
            return pd.DataFrame({"value": value})
        return pd.DataFrame(value, columns=[f"value_{i}" for i in range(value.shape[1])])

    def describe_outputs(self) -> str:
        """Outputs of the exported model, for the model card."""
        shape = "[batch]" if len(self.mean_) == 1 else f"[batch, {len(self.mean_)}]"
        return f"`value`: float64 {shape}, in the unit of the data"

    def __repr__(self) -> str:
        return "a number" if len(self.mean_) == 1 else f"{len(self.mean_)} numbers"

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "regression", "mean": self.mean_.tolist(), "scale": self.scale_.tolist()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ValueEncoder:
        """What :meth:`to_config` described."""
        encoder = cls()
        encoder.mean_, encoder.scale_ = np.atleast_1d(config["mean"]), np.atleast_1d(config["scale"])
        return encoder


class TagEncoder:
    """One label per step."""

    per_step = True

    def fit(self, values: Iterable[Any], *, source: str, name: str) -> TagEncoder:
        """Learn the tags."""
        self.classes_ = sorted_labels([tag for tags in values for tag in tags])
        if len(self.classes_) < 2:
            raise InputError(
                f"{source}: the training rows hold fewer than two different tags in {name!r}; give rows with more"
            )
        return self

    @property
    def spec(self) -> TagOutput:
        """What a model gives out."""
        return TagOutput(len(self.classes_))

    def encode(self, values: Iterable[Any]) -> Ragged:
        """Tag numbers end to end, -1 for tags never seen."""
        number = {tag: i for i, tag in enumerate(self.classes_)}
        return Ragged.of([np.array([number.get(tag, UNSEEN) for tag in tags], dtype=np.int32) for tags in values])

    def outputs(self, logits: Any) -> dict[str, Any]:
        """Logits (batch, time, classes) → probabilities and numbers of the likeliest tags (batch, time)."""
        return _likeliest(logits)

    def serve(self, logits: Any) -> dict[str, Any]:
        """Logits → ``tags`` (batch, time) as strings, also behind a sequence's end, and their probabilities."""
        import tensorflow as tf

        outputs = self.outputs(logits)
        tags = tf.gather(tf.constant([str(c) for c in self.classes_]), outputs["number"])
        return {"tags": tags, "probabilities": outputs["probabilities"]}

    def y_true(self, values: Iterable[Any]) -> list[np.ndarray]:
        """Tag numbers of each sequence, as the metrics take them."""
        encoded = self.encode(values)
        return [encoded[i] for i in range(len(encoded))]

    def table(self, outputs: dict[str, np.ndarray], lengths: np.ndarray) -> pd.DataFrame:
        """A row per sequence: ``tags``, a list."""
        numbers = outputs["probabilities"].argmax(axis=-1)
        tags = [[self.classes_[i] for i in row[:n]] for row, n in zip(numbers, lengths, strict=True)]
        return pd.DataFrame({"tags": pd.Series(tags, dtype=object)})

    def describe_outputs(self) -> str:
        """Outputs of the exported model, for the model card."""
        return "`tags`: string [batch, time]; `probabilities`: float32 [batch, time, classes]"

    def __repr__(self) -> str:
        return f"one of {len(self.classes_)} tags per step"

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"kind": "tagging", "classes": self.classes_}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TagEncoder:
        """What :meth:`to_config` described."""
        encoder = cls()
        encoder.classes_ = config["classes"]
        return encoder


def _likeliest(logits: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {
        "probabilities": tf.nn.softmax(tf.cast(logits, tf.float32)),
        "number": tf.argmax(logits, axis=-1, output_type=tf.int32),
    }


TargetEncoder = ClassEncoder | ValueEncoder | TagEncoder
# By the task of a frame's targets.
TARGET_ENCODERS: dict[str, type[ClassEncoder] | type[ValueEncoder] | type[TagEncoder]] = {
    "classification": ClassEncoder,
    "regression": ValueEncoder,
    "tagging": TagEncoder,
}

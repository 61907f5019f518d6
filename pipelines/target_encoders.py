"""Targets: the user's labels, values and tags ↔ the numbers a model is trained on; learnt from training rows only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import InputError
from ..spec import ClassOutput, TagOutput, ValueOutput
from .channels import ROUNDING
from .ragged import Ragged

# Marks an answer that training never saw; it can only be counted as wrong.
UNSEEN = -1


def sorted_labels(labels: Iterable[Any]) -> list[Any]:
    """Different labels, numbers before words."""
    return sorted(set(labels), key=lambda label: (isinstance(label, str), label))


class ClassAnswer:
    """One label an example."""

    def fit(self, values: Iterable[Any], *, source: str, name: str) -> ClassAnswer:
        """Learn the classes."""
        self.classes_ = sorted_labels(values)
        if len(self.classes_) < 2:
            found = repr(self.classes_[0]) if self.classes_ else "none"
            raise InputError(
                f"{source}: the training rows hold only one label in `{name}` ({found}) where at least two were "
                "expected; give rows of another class, or name another column with --label"
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

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"task": "classification", "classes": self.classes_}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ClassAnswer:
        """What :meth:`to_config` described."""
        answer = cls()
        answer.classes_ = config["classes"]
        return answer


class ValueAnswer:
    """One number an example, scaled by mean and standard deviation."""

    def fit(self, values: Iterable[Any], *, source: str, name: str) -> ValueAnswer:
        """Learn the scale."""
        array = np.array(list(values), dtype=float)
        self.mean_, self.scale_ = float(array.mean()), float(array.std())
        if self.scale_ <= ROUNDING * abs(self.mean_):
            raise InputError(
                f"{source}: the training rows all have the value {self.mean_:g} in `{name}`, so there is nothing to "
                "learn; name another column with --value"
            )
        return self

    @property
    def spec(self) -> ValueOutput:
        """What a model gives out."""
        return ValueOutput()

    def encode(self, values: Iterable[Any]) -> np.ndarray:
        """Scaled values: (examples, 1) float32."""
        array = (np.array(list(values), dtype=float) - self.mean_) / self.scale_
        return array.astype("float32")[:, None]

    def outputs(self, scaled: Any) -> dict[str, Any]:
        """Scaled values (batch, 1) → ``value`` (batch,) in the user's unit."""
        return {"value": scaled[:, 0] * np.float32(self.scale_) + np.float32(self.mean_)}

    serve = outputs

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"task": "regression", "mean": self.mean_, "scale": self.scale_}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> ValueAnswer:
        """What :meth:`to_config` described."""
        answer = cls()
        answer.mean_, answer.scale_ = config["mean"], config["scale"]
        return answer


class TagAnswer:
    """One label a step."""

    def fit(self, values: Iterable[Any], *, source: str, name: str) -> TagAnswer:
        """Learn the tags."""
        self.classes_ = sorted_labels([tag for tags in values for tag in tags])
        if len(self.classes_) < 2:
            raise InputError(
                f"{source}: the training rows hold fewer than two different tags in `{name}`; give rows with more"
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

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"task": "tagging", "classes": self.classes_}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> TagAnswer:
        """What :meth:`to_config` described."""
        answer = cls()
        answer.classes_ = config["classes"]
        return answer


def _likeliest(logits: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {
        "probabilities": tf.nn.softmax(tf.cast(logits, tf.float32)),
        "number": tf.argmax(logits, axis=-1, output_type=tf.int32),
    }


Answer = ClassAnswer | ValueAnswer | TagAnswer
ANSWERS: dict[str, type[ClassAnswer] | type[ValueAnswer] | type[TagAnswer]] = {
    "classification": ClassAnswer,
    "regression": ValueAnswer,
    "tagging": TagAnswer,
}

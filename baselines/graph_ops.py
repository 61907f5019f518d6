"""TensorFlow operations that several baselines share: raw inputs, constants, lookup tables, outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

_DTYPES = {
    "text": "string",
    "tokens": "string",
    "id": "string",
    "values": "float64",
    "lengths": "int32",
    "step": "int64",
}
SMALLEST = float(np.finfo(np.float32).tiny)


def run_eagerly(graph: Any, raw: Mapping[str, np.ndarray], **dtypes: str) -> dict[str, np.ndarray]:
    """What a graph gives for arrays; keys that no baseline reads are dropped. `dtypes` overrides the usual ones."""
    import tensorflow as tf

    wanted = {**_DTYPES, **dtypes}
    tensors = {name: tf.convert_to_tensor(raw[name], dtype) for name, dtype in wanted.items() if name in raw}
    return {name: output.numpy() for name, output in graph(tensors).items()}


class GraphConstants:
    """Arrays as variables, made once and outside whatever is being traced; an exported module has to hold them.

    As constants of the graph they would be written into it anew for every signature.
    """

    def __init__(self, **arrays: np.ndarray) -> None:
        self._arrays = arrays
        self._variables: dict[str, Any] = {}

    def __getitem__(self, name: str) -> tf.Variable:
        import tensorflow as tf

        if name not in self._variables:
            with tf.init_scope(), tf.device("CPU"):
                self._variables[name] = tf.Variable(self._arrays[name], trainable=False, name=name)
        return self._variables[name]

    def resources(self) -> list[Any]:
        """All variables."""
        return [self[name] for name in self._arrays]


class StringIndex:
    """Strings and their numbers, in Python and as a lookup table of TensorFlow.

    Args:
        numbers: string → number, none negative.
        default: the number of all other strings.
        empty: how an empty string reaches the graph; in a row of tokens a space, because "" fills the row up.
    """

    def __init__(self, numbers: Mapping[str, int], default: int = -1, empty: bytes = b" ") -> None:
        self.numbers, self.default, self.empty = dict(numbers), default, empty
        self._table: Any = None

    def __len__(self) -> int:
        return len(self.numbers)

    def get(self, text: str) -> int:
        """The number of a string."""
        return self.numbers.get(text, self.default)

    @property
    def table(self) -> tf.lookup.StaticHashTable:
        """The lookup table; an exported module has to hold it."""
        import tensorflow as tf

        if self._table is None:
            by_bytes: dict[bytes, int] = {}
            for text, number in self.numbers.items():
                encoded = text.encode("utf-8", "replace") or self.empty  # as the pipelines write strings
                by_bytes.setdefault(encoded, number)  # half a character may make two strings one
            with tf.init_scope(), tf.device("CPU"):
                keys = tf.constant(list(by_bytes), tf.string)
                pairs = tf.lookup.KeyValueTensorInitializer(keys, tf.constant(list(by_bytes.values()), tf.int64))
                self._table = tf.lookup.StaticHashTable(pairs, default_value=self.default)
        return self._table


def batch_size(raw: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """Number of examples in raw inputs."""
    import tensorflow as tf

    return tf.shape(raw[next(name for name in ("text", "tokens", "values") if name in raw)])[0]


def token_lengths(tokens: tf.Tensor) -> tf.Tensor:
    """Tokens in each row (batch, time) that "" fills up: int32 (batch,)."""
    import tensorflow as tf

    places = tf.range(1, tf.shape(tokens)[1] + 1)
    return tf.maximum(tf.reduce_max(tf.where(tokens != "", places, 0), axis=1), 0)  # of no columns the max is negative


def as_logits(probabilities: tf.Tensor) -> tf.Tensor:
    """Logarithm of probabilities of any shape, as float32; that of 0 is finite."""
    import tensorflow as tf

    return tf.cast(tf.math.log(tf.maximum(probabilities, SMALLEST)), tf.float32)


def pack_strings(strings: Iterable[str]) -> dict[str, np.ndarray]:
    """Strings as two plain arrays, whatever their lengths and characters."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in strings]
    ends = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    return {"strings": np.frombuffer(b"".join(encoded), np.uint8), "string_ends": ends}


def unpack_strings(arrays: Mapping[str, np.ndarray]) -> list[str]:
    """What :func:`pack_strings` packed."""
    data, ends = arrays["strings"].tobytes(), arrays["string_ends"].tolist()
    starts = [0, *ends][:-1]
    return [data[start:end].decode("utf-8", "surrogatepass") for start, end in zip(starts, ends, strict=True)]

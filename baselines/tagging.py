"""Tags predicted from nothing, from the token alone, or from a window of steps around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..grid import Grid
from .graph_ops import GraphConstants, StringIndex, as_logits, pack_strings, run_eagerly, unpack_strings
from .linear import LinearBaseline, logistic, split_steps
from .model_selection import class_rates
from .scaling import Scale, fit_scale

if TYPE_CHECKING:
    import tensorflow as tf

GRID: Grid = {"window": [5, 3, 9], "C": [1.0, 10.0, 0.1]}


def majority_tag(
    inputs: Sequence[Any],  # noqa: ARG001
    targets: Sequence[np.ndarray],
    n_classes: int,
    *,
    seed: int = 0,  # noqa: ARG001
) -> MajorityTag:
    """Predict the tag rates of training for every step, so the most frequent tag.

    Arguments:
        inputs: training sequences, of any kind; not looked at.
        targets: for each sequence the tags of its steps (time,), each in 0..n_classes - 1.
        n_classes: how many tags there are, seen in training or not.
        seed: not used here; every baseline takes the same arguments.

    Returns:
        A fitted baseline; called on sequences, it gives a list of probabilities (time, n_classes) whose rows sum to 1.

    Raises:
        ValueError: no targets, or ids outside the tags.

    Example:
        >>> majority_tag([["a", "b"]], [np.array([1, 1])], 2)([["c"]])
        [array([[0., 1.]])]
    """
    return MajorityTag(class_rates(np.concatenate(list(targets)), n_classes))


def most_frequent_tag(
    inputs: Sequence[Sequence[str]],
    targets: Sequence[np.ndarray],
    n_classes: int,
    *,
    seed: int = 0,  # noqa: ARG001
) -> MostFrequentTag:
    """Predict for every token the tags that it had in training.

    About nine words in ten get their part of speech right in this way, so a tagger is judged by the tenth. The rates
    of all tags count as one more occurrence of every token; a token never seen has those alone.

    Arguments:
        inputs: training sequences, lists of tokens.
        targets, n_classes, seed: as for :func:`majority_tag`.

    Returns:
        As for :func:`majority_tag`.

    Example:
        >>> fitted = most_frequent_tag([["a", "b", "b"]], [np.array([0, 1, 1])], 2)
        >>> fitted([["a", "c"]])[0].argmax(axis=1)
        array([0, 1])

    Source: Charniak, Hendrickson, Jacobson and Perkowitz (1993), Equations for Part-of-Speech Tagging, AAAI.
    """
    tags = np.concatenate(list(targets))
    overall = class_rates(tags, n_classes)
    number = _numbered(inputs)
    counts = np.zeros((len(number) + 1, n_classes))  # row 0: unknown
    np.add.at(counts, (_ids(inputs, number), tags), 1)
    counts += overall
    return MostFrequentTag(list(number), counts / counts.sum(axis=1, keepdims=True))


def logistic_window(
    inputs: Sequence[Any],
    targets: Sequence[np.ndarray],
    n_classes: int,
    *,
    window: int = 5,
    C: float = 1.0,
    seed: int = 0,  # noqa: ARG001
) -> LinearBaseline | MajorityTag:
    """Logistic regression on a step and those around it.

    What the neighbourhood alone can predict; whatever must be carried further needs a memory. Values: all channels of
    the window's steps (gaps and scale: ``scaling.py``), and whether each lies within the sequence. Tokens: which of the
    training tokens is at each of its places, one-hot; all zeros for an unknown one, or none. With one tag only, it is
    :func:`majority_tag`.

    Arguments:
        inputs: training sequences: lists of tokens, or values (time, channels), NaN where nothing was observed.
        targets, n_classes, seed: as for :func:`majority_tag`.
        window: steps read for a tag, an odd number: two before it, itself and two after it are 5.
        C: inverse strength of the penalty.

    Returns:
        As for :func:`majority_tag`.

    Source: Dietterich (2002), Machine Learning for Sequential Data, section 3.1 (sliding windows).
    """
    tags = np.concatenate(list(targets))
    if len(np.unique(tags)) < 2:
        return majority_tag(inputs, targets, n_classes)
    values = isinstance(inputs[0], np.ndarray)
    reach = window // 2
    features = ValueWindows(fit_scale(inputs), reach) if values else TokenWindows(list(_numbered(inputs)), reach)
    return LinearBaseline("logistic_window", features, logistic(features(inputs), tags, n_classes, C=C))


class MajorityTag:
    """The same probabilities of tags for every step."""

    kind = "majority_tag"
    why_no_graph = None

    def __init__(self, rates: np.ndarray) -> None:
        self.rates = rates

    def __call__(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """Probabilities, a list of (time, classes)."""
        return [np.tile(self.rates, (len(sequence), 1)) for sequence in inputs]

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph on arrays."""
        return run_eagerly(self.graph, raw)

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """``tokens`` or ``values`` → ``logits`` (batch, time, classes)."""
        import tensorflow as tf

        shape = tf.shape(raw["tokens" if "tokens" in raw else "values"])[:2]
        logits = as_logits(tf.constant(self.rates))
        return {"logits": tf.broadcast_to(logits, tf.concat([shape, tf.shape(logits)], axis=0))}

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """None."""
        return {}

    def resources(self) -> list[Any]:
        """None."""
        return []

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        return {"kind": self.kind}, {"rates": self.rates}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> MajorityTag:  # noqa: ARG003
        """What :meth:`state` described."""
        return cls(arrays["rates"])

    def __repr__(self) -> str:
        return f"majority_tag: tag {int(self.rates.argmax())} at {self.rates.max():.1%}"


class MostFrequentTag:
    """Probabilities of tags by token.

    Args:
        tokens: those of training.
        rates: (1 + tokens, classes); row 0 is for all other tokens.
    """

    kind = "most_frequent_tag"
    why_no_graph = None

    def __init__(self, tokens: Sequence[str], rates: np.ndarray) -> None:
        self.tokens, self.rates = list(tokens), rates
        self._index = StringIndex(_numbered([self.tokens]), default=0)
        self._constants = GraphConstants(rates=rates)

    def __call__(self, inputs: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Probabilities, a list of (time, classes)."""
        return split_steps(self.rates[_ids(inputs, self._index.numbers)], inputs)

    def predict(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The graph on arrays."""
        return run_eagerly(self.graph, raw)

    def graph(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """``tokens`` (batch, time) → ``logits`` (batch, time, classes)."""
        import tensorflow as tf

        return {"logits": as_logits(tf.gather(self._constants["rates"], self._index.table.lookup(raw["tokens"])))}

    def extra_inputs(self) -> dict[str, tf.TensorSpec]:
        """None."""
        return {}

    def resources(self) -> list[Any]:
        """The table of tokens and its rates."""
        return [self._index.table, *self._constants.resources()]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        return {"kind": self.kind}, {"rates": self.rates, **pack_strings(self.tokens)}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> MostFrequentTag:  # noqa: ARG003
        """What :meth:`state` described."""
        return cls(unpack_strings(arrays), arrays["rates"])

    def __repr__(self) -> str:
        return f"most_frequent_tag of {len(self.tokens):,} tokens"


class ValueWindows:
    """Scaled values of some steps, and whether each lies within the sequence: steps * (channels + 1) columns per step.

    Args:
        scale: of the channels.
        reach: steps read before and after the one to be tagged.
    """

    kind = "value_windows"
    per_step = True

    def __init__(self, scale: Scale, reach: int) -> None:
        self.scale, self.reach = scale, reach

    def __call__(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Columns (all steps, window * (channels + 1))."""
        reach, width = self.reach, 2 * self.reach + 1
        padded = [
            np.pad(
                np.column_stack([values, np.ones(len(values))]), ((reach, reach), (0, 0))
            )  # (time + 2 reach, channels + 1)
            for values in self.scale(inputs)
        ]
        return np.concatenate(
            [
                np.concatenate([values[i : len(values) - 2 * reach + i] for i in range(width)], axis=1)
                for values in padded
            ]
        )

    def scores(self, raw: Mapping[str, tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
        """Columns times weights (columns, outputs), in the graph: float64 (batch, time, outputs)."""
        import tensorflow as tf

        time = tf.shape(raw["values"])[1]
        inside = tf.cast(tf.sequence_mask(raw["lengths"], time), tf.float64)[:, :, None]
        values = tf.concat([self.scale.graph(raw["values"], raw["lengths"]), inside], axis=2)
        padded = tf.pad(values, [[0, 0], [self.reach, self.reach], [0, 0]])
        windows = tf.concat([padded[:, i : time + i] for i in range(2 * self.reach + 1)], axis=2)
        return tf.einsum("btc,co->bto", windows, weights)

    def resources(self) -> list[Any]:
        """None."""
        return []

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        return {"kind": self.kind, "reach": self.reach}, {"mean": self.scale.mean, "spread": self.scale.spread}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> ValueWindows:
        """What :meth:`state` described."""
        return cls(Scale(arrays["mean"], arrays["spread"]), config["reach"])

    def __repr__(self) -> str:
        return f"{2 * self.reach + 1} steps of {len(self.scale.mean)} channels"


class TokenWindows:
    """Which training token is at each of some places, one-hot: places * tokens columns per step.

    Args:
        tokens: those of training.
        reach: places read before and after the one to be tagged.
    """

    kind = "token_windows"
    per_step = True

    def __init__(self, tokens: Sequence[str], reach: int) -> None:
        self.tokens, self.reach = list(tokens), reach
        self._index = StringIndex(_numbered([self.tokens]), default=0)

    def __call__(self, inputs: Sequence[Sequence[str]]) -> Any:
        """Sparse columns (all steps, window * tokens)."""
        from scipy.sparse import csr_array

        number, reach = self._index.numbers, self.reach
        gap = np.zeros(reach, dtype=int)
        ids = np.concatenate([part for tokens in inputs for part in (_ids([tokens], number), gap)] + [gap])
        inside = np.concatenate([np.arange(len(tokens) + reach) < len(tokens) for tokens in inputs])
        steps = np.flatnonzero(inside)  # gaps are as wide as the reach, so a window reaches no other sequence
        around = np.stack([np.where(steps + i >= 0, ids[steps + i], 0) for i in range(-reach, reach + 1)], axis=1)
        row, place = np.nonzero(around)
        column = place * len(number) + around[row, place] - 1
        return csr_array((np.ones(len(row)), (row, column)), shape=(len(steps), (2 * reach + 1) * len(number)))

    def scores(self, raw: Mapping[str, tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
        """Columns times weights (columns, outputs), in the graph: float64 (batch, time, outputs)."""
        import tensorflow as tf

        tokens = raw["tokens"]
        time = tf.shape(tokens)[1]
        ids = tf.pad(self._index.table.lookup(tokens), [[0, 0], [self.reach, self.reach]])  # (batch, time + 2 reach)
        by_place = tf.reshape(weights, [2 * self.reach + 1, len(self.tokens), weights.shape[1]])
        by_place = tf.pad(by_place, [[0, 0], [1, 0], [0, 0]])  # unknown, or none, has no weight
        return tf.add_n([tf.gather(by_place[i], ids[:, i : time + i]) for i in range(2 * self.reach + 1)])

    def resources(self) -> list[Any]:
        """The table of tokens."""
        return [self._index.table]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain JSON values and arrays."""
        return {"kind": self.kind, "reach": self.reach}, pack_strings(self.tokens)

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> TokenWindows:
        """What :meth:`state` described."""
        return cls(unpack_strings(arrays), config["reach"])

    def __repr__(self) -> str:
        return f"{2 * self.reach + 1} places of {len(self.tokens):,} tokens"


def _numbered(sequences: Sequence[Sequence[str]]) -> dict[str, int]:
    """Every token of the training set and its number, from 1 on."""
    return {token: i for i, token in enumerate(dict.fromkeys(t for tokens in sequences for t in tokens), start=1)}


def _ids(sequences: Sequence[Sequence[str]], number: dict[str, int]) -> np.ndarray:
    """Numbers of all tokens in a row (all steps,); 0: never seen."""
    return np.array([number.get(token, 0) for tokens in sequences for token in tokens], dtype=int)

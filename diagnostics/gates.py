"""Gates: what a recurrent layer lets in, keeps and shows at every step, computed once more from its weights.

The layers themselves run compiled loops that keep nothing; here the textbook's equations run in NumPy, gate by gate.

    LSTM        i, f, o = σ(x W + h U + b)   g = tanh(x W + h U + b)   c' = f c + i g      h' = o tanh(c')
    GRU         z, r = σ(x W + h U + b)      g = tanh(x W + b + r (h U + b))               h' = z h + (1 - z) g
    SimpleRNN   h' = tanh(x W + h U + b)

What keeps is f in an LSTM and z in a GRU as Keras has it (other books swap z and 1 - z); a SimpleRNN has no such gate.
All three have a growth rate: the largest Lyapunov exponent λ of products of ∂h'/∂h, half-life ln 2 / -λ.

Source: Hochreiter & Schmidhuber (1997); Gers, Schmidhuber & Cummins (2000); Cho et al. (2014); Elman (1990). Half-life
of a gate: Tallec & Ollivier (2018). Saturation: Karpathy, Johnson & Fei-Fei (2015). λ of recurrent networks: Vogt et
al. (2022).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .examples import Examples
from .influence import layer_inputs

if TYPE_CHECKING:
    import keras

Arrays = dict[str, np.ndarray]
# The gate that keeps what was, by the kind of cell.
KEEPS = {"lstm": "forget", "gru": "update", "simple_rnn": None}
_LOW, _HIGH = 0.1, 0.9
_EXAMPLES, _LYAPUNOV_EXAMPLES = 256, 32


@dataclass(frozen=True, eq=False)
class LayerGates:
    """One recurrent layer, one direction.

    Attributes:
        layer: its name.
        cell: "lstm", "gru" or "simple_rnn".
        steps: that it reads.
        steps_per_segment: steps of the data in one of them.
        keep: for each unit the share kept in one step, the geometric mean of its gate (units,); empty without a gate.
        half_life: steps of the layer after which half is left (units,); None: longer than what was read.
        saturated_low, saturated_high: share of steps with the gate below 0.1 and above 0.9 (units,).
        lyapunov: mean growth of a small change of the state in one step, as a logarithm.
        example: gates, cell and hidden state of one example, each (steps, units).
        lags: for each unit the lag of the input that its last state follows most, and the correlation.
    """

    layer: str
    cell: str
    steps: int
    steps_per_segment: int
    keep: np.ndarray
    half_life: list[float | None]
    saturated_low: np.ndarray
    saturated_high: np.ndarray
    lyapunov: float
    example: Arrays
    lags: list[tuple[int, float]]

    @property
    def median_half_life(self) -> float | None:
        """Half-life of the median unit, in steps of the layer; None: longer than what was read."""
        if not len(self.keep):
            return half_life_of(float(np.exp(self.lyapunov)), self.steps)
        return half_life_of(float(np.median(self.keep)), self.steps)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON of ``inspect``."""
        return {
            "layer": self.layer,
            "cell": self.cell,
            "units": next(iter(self.example.values())).shape[1],
            "steps": self.steps,
            "steps_per_segment": self.steps_per_segment,
            "keep": _rounded(self.keep),
            "half_life": [None if h is None else round(h, 4) for h in self.half_life],
            "saturated_low": _rounded(self.saturated_low),
            "saturated_high": _rounded(self.saturated_high),
            "median_half_life": None if self.median_half_life is None else round(self.median_half_life, 4),
            "lyapunov": round(self.lyapunov, 6) if np.isfinite(self.lyapunov) else None,
            "follows": [{"lag": lag, "correlation": round(r, 4)} for lag, r in self.lags],
        }


def gates_of(network: keras.Model, examples: Examples) -> list[LayerGates]:
    """Gates, half-lives and saturation of every recurrent layer of a network.

    Args:
        network: trained.
        examples: what it reads; the first 256, evenly spaced, are run.
    """
    some = examples.spread(_EXAMPLES)
    shown = gates_of_example(network, examples, examples.typical)
    layers = []
    for layer, x, segment in layer_inputs(network, some):
        lengths = np.repeat(-(-some.lengths // segment), len(x) // len(some))
        for name, own, backwards in _directions(layer):
            if not is_standard(own):
                continue
            measured = _measure(name, own, x[:, ::-1] if backwards else x, lengths, segment, backwards=backwards)
            layers.append(replace(measured, example=shown[name]))
    return layers


def gates_of_example(network: keras.Model, examples: Examples, example: int = 0) -> dict[str, Arrays]:
    """Every gate, cell and hidden state of one example: by layer, then by name, each (steps, units).

    Args:
        network: trained.
        examples: what it reads.
        example: number of the one looked at.
    """
    one = examples.take(np.array([example]))
    found = {}
    for layer, x, segment in layer_inputs(network, one):
        steps = -(-int(one.lengths[0]) // segment)
        for name, own, backwards in _directions(layer):
            if is_standard(own):
                read = x[:1, :steps]
                states = unroll(own, read[:, ::-1] if backwards else read)
                found[name] = {k: v[0, ::-1] if backwards else v[0] for k, v in states.items()}
    return found


def unroll(layer: keras.layers.RNN, x: np.ndarray) -> Arrays:
    """Run a layer from a zero state, keeping everything.

    Args:
        layer: an LSTM, GRU or SimpleRNN.
        x: what it reads (rows, steps, channels).

    Returns:
        Each (rows, steps, units): LSTM ``input``, ``forget``, ``candidate``, ``output``, ``cell``, ``hidden``; GRU
        ``update``, ``reset``, ``candidate``, ``hidden``; SimpleRNN ``hidden``.

    Example:
        >>> unroll(keras.layers.GRU(3), np.zeros((2, 5, 1)))["update"].shape
        (2, 5, 3)
    """
    step, state = _step_of(layer, len(x), np.float64)
    steps: list[Arrays] = []
    for t in range(x.shape[1]):
        state, seen = step(x[:, t].astype(float), state)
        steps.append(seen)
    return {name: np.stack([seen[name] for seen in steps], axis=1) for name in steps[0]}


def is_standard(layer: Any) -> bool:
    """Whether the layer is one of the three with its usual activations."""
    import keras

    if not isinstance(layer, keras.layers.LSTM | keras.layers.GRU | keras.layers.SimpleRNN) or not layer.built:
        return False
    usual = layer.activation is keras.activations.tanh
    gate = getattr(layer, "recurrent_activation", keras.activations.sigmoid) is keras.activations.sigmoid
    return usual and gate and getattr(layer.cell, "reset_after", True)


def cell_kind(layer: Any) -> str:
    """ "lstm", "gru" or "simple_rnn"."""
    import keras

    if isinstance(layer, keras.layers.LSTM):
        return "lstm"
    return "gru" if isinstance(layer, keras.layers.GRU) else "simple_rnn"


def half_life_of(keep: float, read: int) -> float | None:
    """Steps after which half is left of what keeps the share `keep` in each; None: longer than the steps read.

    Example:
        >>> half_life_of(0.5, 10)
        1.0
    """
    if keep <= 0:
        return 0.0
    if keep >= 1:
        return None
    steps = float(np.log(0.5) / np.log(keep))
    return None if steps > read else steps


def lyapunov(layer: keras.layers.RNN, x: np.ndarray, *, seed: int = 0) -> float:
    """Largest Lyapunov exponent over the steps of x: how fast a small change of the state grows, as a logarithm.

    The derivative along a direction is the imaginary part of a complex step, exact to rounding.
    """
    units, tiny = layer.units, 1e-30
    step, state = _step_of(layer, len(x), np.complex128)
    random = np.random.default_rng(seed)
    directions = [random.normal(size=part.shape) for part in state]
    growth = []
    for t in range(x.shape[1]):
        size = np.sqrt(sum((d**2).sum(axis=1, keepdims=True) for d in directions))
        size = np.maximum(size, 1e-300)
        moved = [part.real + 1j * tiny * d / size for part, d in zip(state, directions, strict=True)]
        state, _ = step(x[:, t].astype(complex), moved)
        directions = [part.imag / tiny for part in state]
        after = np.sqrt(sum((d**2).sum(axis=1) for d in directions))
        growth.append(np.log(np.maximum(after, 1e-300)))
    skipped = min(len(growth) // 3, units)  # until the direction is the one that grows fastest
    return float(np.mean(growth[skipped:]))


def _directions(layer: Any) -> list[tuple[str, Any, bool]]:
    import keras

    if isinstance(layer, keras.layers.Bidirectional):
        return [
            (f"{layer.name}, forward", layer.forward_layer, False),
            (f"{layer.name}, backward", layer.backward_layer, True),
        ]
    return [(layer.name, layer, bool(layer.go_backwards))]


def _measure(name: str, layer: Any, x: np.ndarray, lengths: np.ndarray, segment: int, *, backwards: bool) -> LayerGates:
    kind, states = cell_kind(layer), unroll(layer, x)
    real = np.arange(x.shape[1])[None, :] < lengths[:, None]  # (rows, steps)
    real = real[:, ::-1] if backwards else real
    keeps = KEEPS[kind]
    if keeps is None:
        keep = low = high = np.empty(0)
    else:
        gate = states[keeps][real]  # (real steps, units)
        keep = np.exp(np.log(np.maximum(gate, 1e-12)).mean(axis=0))
        low, high = (gate < _LOW).mean(axis=0), (gate > _HIGH).mean(axis=0)
    return LayerGates(
        layer=name,
        cell=kind,
        steps=x.shape[1],
        steps_per_segment=segment,
        keep=keep,
        half_life=[half_life_of(float(k), x.shape[1]) for k in keep],
        saturated_low=low,
        saturated_high=high,
        lyapunov=lyapunov(layer, x[:_LYAPUNOV_EXAMPLES]),
        example={},
        lags=_followed_lags(states["hidden"], x, lengths),
    )


def _followed_lags(hidden: np.ndarray, x: np.ndarray, lengths: np.ndarray) -> list[tuple[int, float]]:
    """For each unit the lag of the strongest correlation between its last state and what was read: (lag, r)."""
    rows = np.arange(len(x))
    last = _standard(hidden[rows, lengths - 1])  # (rows, units)
    best = np.zeros(last.shape[1])
    lags = np.ones(last.shape[1], int)
    for lag in range(1, int(lengths.min()) + 1):
        read = _standard(x[rows, lengths - lag])  # (rows, channels)
        r = last.T @ read / len(rows)  # (units, channels)
        strongest = r[np.arange(len(r)), np.abs(r).argmax(axis=1)]
        better = np.abs(strongest) > np.abs(best) + 1e-9
        best, lags = np.where(better, strongest, best), np.where(better, lag, lags)
    return [(int(lag), float(r)) for lag, r in zip(lags, best, strict=True)]


def _standard(columns: np.ndarray) -> np.ndarray:
    deviation = columns.std(axis=0)
    return (columns - columns.mean(axis=0)) / np.where(deviation > 1e-12, deviation, np.inf)


def _step_of(layer: Any, rows: int, dtype: Any) -> tuple[Any, list[np.ndarray]]:
    """One step of a layer, and its zero state: step(x, state) → (state, everything by name)."""
    cell, kind = layer.cell, cell_kind(layer)
    kernel, recurrent = (np.asarray(w, dtype=float) for w in (cell.kernel, cell.recurrent_kernel))
    shape = (2, kernel.shape[1]) if kind == "gru" else (kernel.shape[1],)
    bias = np.zeros(shape) if cell.bias is None else np.asarray(cell.bias, dtype=float)
    zero = np.zeros((rows, layer.units), dtype)

    def lstm(x: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], Arrays]:
        h, c = state
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
        i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        return [h, c], {"input": i, "forget": f, "candidate": g, "output": o, "cell": c, "hidden": h}

    def gru(x: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], Arrays]:
        [h] = state
        xz, xr, xg = np.split(x @ kernel + bias[0], 3, axis=1)
        hz, hr, hg = np.split(h @ recurrent + bias[1], 3, axis=1)
        z, r = _sigmoid(xz + hz), _sigmoid(xr + hr)
        g = np.tanh(xg + r * hg)
        h = z * h + (1 - z) * g
        return [h], {"update": z, "reset": r, "candidate": g, "hidden": h}

    def simple_rnn(x: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], Arrays]:
        h = np.tanh(x @ kernel + state[0] @ recurrent + bias)
        return [h], {"hidden": h}

    step = {"lstm": lstm, "gru": gru, "simple_rnn": simple_rnn}[kind]
    return step, [zero] * (2 if kind == "lstm" else 1)


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.tanh(z / 2) / 2 + 0.5


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 6) for v in values]

"""Gates: what a recurrent layer lets in, keeps and shows at every step, computed once more from its weights.

The layers themselves run compiled loops that keep nothing; here the textbook's equations run in NumPy, gate by gate.

    LSTM        i, f, o = σ(x W + h U + b)   g = tanh(x W + h U + b)   c' = f c + i g      h' = o tanh(c')
    GRU         z, r = σ(x W + h U + b)      g = tanh(x W + b + r (h U + b))               h' = z h + (1 - z) g
    SimpleRNN   h' = tanh(x W + h U + b)
    minGRU      z = σ(x W + b)               g = x W + b                                   h' = z h + (1 - z) g
    minLSTM     i, f = σ(x W + b), over their sum      g = x W + b                         h' = f h + i g

and those of an LSTM that lacks parts, or of a SimpleRNN with a deeper transition, as their settings say. What keeps is
f in an LSTM and z in a GRU as Keras has it (other books swap z and 1 - z); a SimpleRNN has no such gate, and an LSTM
without its forget gate keeps all. All have a growth rate: the largest Lyapunov exponent λ of products of ∂h'/∂h,
half-life ln 2 / -λ.

Source: Hochreiter & Schmidhuber (1997); Gers, Schmidhuber & Cummins (2000); Cho et al. (2014); Elman (1990). Half-life
of a gate: Tallec & Ollivier (2018). Saturation: Karpathy, Johnson & Fei-Fei (2015). λ of recurrent networks: Vogt et
al. (2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..models.recurrent import RNN, LSTMCell, LSTMForm, MinimalCell
from .examples import Examples
from .influence import layer_inputs

if TYPE_CHECKING:
    import keras

Arrays = dict[str, np.ndarray]
_Step = Callable[[np.ndarray, list[np.ndarray]], tuple[list[np.ndarray], Arrays]]
# The gate that keeps what was, by the kind of cell.
KEEPS = {"lstm": "forget", "gru": "update", "simple_rnn": None, "min_gru": "update", "min_lstm": "forget"}
_LOW, _HIGH = 0.1, 0.9
_EXAMPLES, _LYAPUNOV_EXAMPLES = 256, 32


@dataclass(frozen=True, eq=False)
class LayerGates:
    """One recurrent layer, one direction.

    Attributes:
        layer: its name.
        cell: a key of ``KEEPS``.
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
        layer: an LSTM, GRU or SimpleRNN, or a layer of this package.
        x: what it reads (rows, steps, channels).

    Returns:
        Each (rows, steps, units): LSTM ``input``, ``forget``, ``candidate``, ``output``, ``cell``, ``hidden``; GRU
        ``update``, ``reset``, ``candidate``, ``hidden``; SimpleRNN ``hidden``; a gate that a cell does not have is left
        out.

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
    """Whether the layer's equations are known here: Keras's three with their usual activations, or one of ours."""
    import keras

    if not layer.built:
        return False
    if isinstance(layer, RNN):
        return True
    if not isinstance(layer, keras.layers.LSTM | keras.layers.GRU | keras.layers.SimpleRNN):
        return False
    usual = layer.activation is keras.activations.tanh
    gate = getattr(layer, "recurrent_activation", keras.activations.sigmoid) is keras.activations.sigmoid
    return usual and gate and getattr(layer.cell, "reset_after", True)


def cell_kind(layer: Any) -> str:
    """A key of ``KEEPS``."""
    import keras

    if isinstance(layer.cell, MinimalCell):
        return layer.cell.kind
    if isinstance(layer.cell, keras.layers.LSTMCell | LSTMCell):
        return "lstm"
    return "gru" if isinstance(layer.cell, keras.layers.GRUCell) else "simple_rnn"


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
        gate = states.get(keeps, np.ones_like(states["hidden"]))[real]  # (real steps, units)
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


def _step_of(layer: Any, rows: int, dtype: Any) -> tuple[_Step, list[np.ndarray]]:
    """One step of a layer, and its zero state: step(x, state) → (state, everything by name)."""
    cell, kind = layer.cell, cell_kind(layer)
    steps = {"lstm": _lstm, "gru": _gru, "simple_rnn": _simple_rnn, "min_gru": _min_gru, "min_lstm": _min_lstm}
    zero = np.zeros((rows, layer.units), dtype)
    return steps[kind](cell), [zero] * (2 if kind == "lstm" else 1)


def _weights(cell: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """Kernel, bias and recurrent kernel, where there is one."""
    kernel = np.asarray(cell.kernel, dtype=float)
    recurrent = np.asarray(getattr(cell, "recurrent_kernel", 0), dtype=float)
    bias = np.zeros((2, kernel.shape[1])[not hasattr(cell, "reset_after") :]) if cell.bias is None else cell.bias
    return kernel, np.asarray(bias, dtype=float), recurrent


def _lstm(cell: Any) -> _Step:
    kernel, bias, recurrent = _weights(cell)
    form = getattr(cell, "form", LSTMForm())
    peepholes = dict(zip(form.peepholes, np.asarray(cell.peephole) if form.peepholes else (), strict=True))

    def step(x: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], Arrays]:
        h, c = state
        z = dict(zip(form.columns, np.split(x @ kernel + h @ recurrent + bias, len(form.columns), axis=1), strict=True))
        seen = {name: _sigmoid(z[name] + peepholes.get(name, 0) * c) for name in ("input", "forget") if name in z}
        if form.coupled:
            seen["input"] = 1 - seen["forget"]
        seen["candidate"] = np.tanh(z["candidate"])
        c = seen.get("forget", 1) * c + seen.get("input", 1) * seen["candidate"]
        if form.output:
            seen["output"] = _sigmoid(z["output"] + peepholes.get("output", 0) * c)
        h = seen.get("output", 1) * np.tanh(c)
        return [h, c], {**seen, "cell": c, "hidden": h}

    return step


def _gru(cell: Any) -> _Step:
    kernel, bias, recurrent = _weights(cell)

    def step(x: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], Arrays]:
        [h] = state
        xz, xr, xg = np.split(x @ kernel + bias[0], 3, axis=1)
        hz, hr, hg = np.split(h @ recurrent + bias[1], 3, axis=1)
        z, r = _sigmoid(xz + hz), _sigmoid(xr + hr)
        g = np.tanh(xg + r * hg)
        h = z * h + (1 - z) * g
        return [h], {"update": z, "reset": r, "candidate": g, "hidden": h}

    return step


def _simple_rnn(cell: Any) -> _Step:
    kernel, bias, recurrent = _weights(cell)
    further = [np.asarray(w, dtype=float) for w in getattr(cell, "loop_weights", ())[3:]]
    relu = getattr(cell, "identity", False)

    def activation(z: np.ndarray) -> np.ndarray:
        return np.where(z.real > 0, z, 0) if relu else np.tanh(z)

    def step(x: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], Arrays]:
        h = activation(x @ kernel + state[0] @ recurrent + bias)
        for more, shift in zip(further[::2], further[1::2], strict=True):
            h = activation(h @ more + shift)
        return [h], {"hidden": h}

    return step


def _min_gru(cell: Any) -> _Step:
    kernel, bias, _ = _weights(cell)

    def step(x: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], Arrays]:
        z, g = np.split(x @ kernel + bias, 2, axis=1)
        z = _sigmoid(z)
        h = z * state[0] + (1 - z) * g
        return [h], {"update": z, "candidate": g, "hidden": h}

    return step


def _min_lstm(cell: Any) -> _Step:
    kernel, bias, _ = _weights(cell)

    def step(x: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], Arrays]:
        i, f, g = np.split(x @ kernel + bias, 3, axis=1)
        i, f = _sigmoid(i), _sigmoid(f)
        i, f = i / (i + f), f / (i + f)
        h = f * state[0] + i * g
        return [h], {"input": i, "forget": f, "candidate": g, "hidden": h}

    return step


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return np.tanh(z / 2) / 2 + 0.5


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 6) for v in values]

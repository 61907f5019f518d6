"""The cell of each recurrent family, and which of its parts a variant has.

A cell is a function of the steps that its layer reads and of its own settings. It gives what makes the layer:
``lstm(24, forget=False)(64, return_sequences=True)``. With its defaults that is Keras's own, with the fast loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import keras

from ..errors import InputError
from ..spec import SequenceSpec
from .recurrent import GRU, LSTM, RNN, GateBias, LSTMCell, LSTMForm, MinimalCell, SimpleRNN, TransitionCell
from .settings import Constraint, Flag, Layers, is_number, one_of

# From the steps that a layer reads to what makes it, of its units and the words of `keras.layers.RNN`.
Cell = Callable[[int], Callable[..., keras.layers.RNN]]

_CHRONO = "chrono"
ForgetBias = Annotated[float | str, Constraint(lambda x: is_number(x) or x == _CHRONO, "a number or chrono")]
Recurrent = Annotated[str, one_of("orthogonal", "identity")]


def simple_rnn(
    steps: int,  # noqa: ARG001 - all cells are given it
    *,
    recurrent: Recurrent = "orthogonal",
    transition_depth: Layers = 1,
) -> Callable[..., keras.layers.RNN]:
    """The simple recurrent network.

    Args:
        steps: that the layer reads.
        recurrent: what the recurrent weights begin as: "orthogonal"; or the "identity", with relu in place of tanh and
            small weights for the inputs (IRNN, Le, Jaitly & Hinton 2015).
        transition_depth: layers from one state to the next (deep transition, Pascanu et al. 2014).
    """
    identity = recurrent == "identity"
    if transition_depth == 1 and not identity:
        return SimpleRNN
    return _around("simple_rnn", partial(TransitionCell, depth=transition_depth, identity=identity))


def gru(steps: int) -> Callable[..., keras.layers.RNN]:  # noqa: ARG001 - all cells are given it
    """The GRU of Cho et al. (2014)."""
    return GRU


def lstm(
    steps: int,
    *,
    input: Flag = True,
    forget: Flag = True,
    output: Flag = True,
    coupled: Flag = False,
    peephole: Flag = False,
    forget_bias: ForgetBias = 1.0,
) -> Callable[..., keras.layers.RNN]:
    """The LSTM, and what Greff et al. (2017) took away from it or added.

    Args:
        steps: that the layer reads.
        input, forget, output: whether it has the gate; without a forget gate it is the LSTM of 1997.
        coupled: let in what is forgotten, i = 1 - f.
        peephole: the gates see the cell (Gers & Schmidhuber 2000).
        forget_bias: what the bias of the forget gate begins with: a number, or "chrono" for time scales from 1 to
            `steps` (Tallec & Ollivier 2018).

    Raises:
        InputError: if settings contradict one another.
    """
    form = LSTMForm(input=input, forget=forget, output=output, coupled=coupled, peephole=peephole)
    _check_lstm(form, forget_bias)
    if form == LSTMForm() and forget_bias == 1:
        return LSTM
    bias = GateBias(form.columns, forget_bias, steps)
    if form == LSTMForm():
        return partial(LSTM, bias_initializer=bias, unit_forget_bias=False)
    parts = {"input": input, "forget": forget, "output": output, "coupled": coupled, "peephole": peephole}
    return _around("lstm", partial(LSTMCell, bias_initializer=bias, **parts))


def min_gru(steps: int) -> Callable[..., keras.layers.RNN]:  # noqa: ARG001 - all cells are given it
    """The minGRU of Feng et al. (2024)."""
    return _around("min_gru", partial(MinimalCell, kind="min_gru"))


def min_lstm(steps: int) -> Callable[..., keras.layers.RNN]:  # noqa: ARG001 - all cells are given it
    """The minLSTM of Feng et al. (2024)."""
    return _around("min_lstm", partial(MinimalCell, kind="min_lstm"))


def with_cell(
    builder: Callable[..., keras.Model], family: str, cell: Callable[..., Callable[..., keras.layers.RNN]]
) -> Callable[..., keras.Model]:
    """The factory of a recurrent family: the builder's settings, and those of its cell.

    Args:
        builder: ``(family, cell, spec, *, ...) -> keras.Model``; it asks the cell for layers once it knows the steps.
        family: name of the models.
        cell: ``(steps, *, ...) -> what makes a layer``.
    """
    own = _settings(cell)
    shared = list(inspect.signature(builder, eval_str=True).parameters.values())[2:]

    def build(spec: SequenceSpec, **config: Any) -> keras.Model:
        mine = {setting.name: config.pop(setting.name) for setting in own if setting.name in config}
        return builder(family, partial(cell, **mine), spec, **config)

    build.__signature__ = inspect.Signature([*shared, *own])  # type: ignore[attr-defined]
    return build


def check_cell(cell: Callable[..., Any], config: dict[str, Any]) -> None:
    """Refuse settings of a cell that contradict one another.

    Raises:
        InputError: naming them.
    """
    cell(1, **{setting.name: config[setting.name] for setting in _settings(cell) if setting.name in config})
    if config.get("weight_dropout") and cell in (min_gru, min_lstm):
        raise InputError(
            f"`weight_dropout` leaves out weights from state to state, and {cell.__name__} has none; leave it out"
        )


def _settings(cell: Callable[..., Any]) -> list[inspect.Parameter]:
    """Parameters of a cell after the steps."""
    return list(inspect.signature(cell, eval_str=True).parameters.values())[1:]


def _check_lstm(form: LSTMForm, forget_bias: float | str) -> None:
    if form.coupled and not (form.input and form.forget):
        left_out = "forget" if not form.forget else "input"
        raise InputError(
            f"`coupled` of lstm makes the input gate of the forget gate and needs both; received `{left_out}`=False: "
            "leave one of the two settings out"
        )
    if not form.forget and forget_bias != 1:
        raise InputError(
            f"`forget_bias` of lstm needs the forget gate; received {forget_bias!r} with `forget`=False: leave one of "
            "the two settings out"
        )
    if form.peephole and not form.peepholes:
        raise InputError("`peephole` of lstm needs a gate that sees the cell; received an lstm without any gate")


def _around(name: str, cell: Callable[..., keras.layers.Layer]) -> Callable[..., keras.layers.RNN]:
    """What makes a layer around a cell, named as Keras names its own: ``lstm``, ``lstm_1``, ..."""

    def layer(units: int, **options: Any) -> keras.layers.RNN:
        return RNN(cell(units, dtype=options.get("dtype")), name=f"{name}_{keras.backend.get_uid(name)}", **options)

    return layer

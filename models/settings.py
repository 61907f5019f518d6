"""Settings of a factory, read from its signature: type, constraint, rule and what they apply to
are in the annotations of its parameters.

units: Annotated[int, at_least(1)] = 64
segment_length: Annotated[int | None, at_least(1), Rule(default_segment)] = None
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from types import NoneType
from typing import Annotated, Any, get_args

import numpy as np

from ..errors import InputError
from ..spec import SequenceSpec, TokensInput


@dataclass(frozen=True)
class Constraint:
    """What a setting may be.

    Attributes:
        fits: whether a value may be used.
        expected: what is expected, in words.
    """

    fits: Callable[[Any], bool]
    expected: str


@dataclass(frozen=True)
class Rule:
    """What a setting that is left None becomes.

    Attributes:
        value: from the specification.
    """

    value: Callable[[SequenceSpec], Any]


@dataclass(frozen=True)
class TokensOnly:
    """Marks a setting that does not apply to values."""


@dataclass(frozen=True)
class Setting:
    """A parameter of a factory.

    Attributes:
        type: int, float, bool, str, or an array.
        may_be_none: whether None is allowed, for a documented rule to choose.
        constraint: what it may be.
        rule: what None becomes, where that follows from the specification alone.
        tokens_only: whether it does not apply to values.
    """

    type: type
    may_be_none: bool
    constraint: Constraint
    rule: Rule | None = None
    tokens_only: bool = False

    def convert(self, text: str) -> Any:
        """Read a value from text; what cannot be read stays text, for :func:`check_settings` to refuse."""
        word = text.lower()
        if self.type is str and self.constraint.fits(word):  # before None: "none" is one of the words of `window_norm`
            return word
        if word == "none" and self.may_be_none:
            return None
        if self.type is bool:
            return {"true": True, "false": False}.get(word, text)
        try:
            return self.type(text) if self.type in (int, float) else text
        except ValueError:
            return text


def at_least(least: int) -> Constraint:
    """Whole numbers from `least` on."""

    def fits(value: Any) -> bool:
        return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)

    return Constraint(fits, f"a whole number of at least {least}")


def one_of(*names: Any) -> Constraint:
    """Some words, or some numbers."""
    words = [str(name) for name in names]
    listed = f"one of {', '.join(words)}" if isinstance(names[0], str) else f"{', '.join(words[:-1])} or {words[-1]}"
    return Constraint(lambda x: type(x) is type(names[0]) and x in names, listed)


def is_number(value: Any) -> bool:
    """Whether a value is a number, and not true or false."""
    return isinstance(value, Real) and not isinstance(value, bool)


_FRACTION = Constraint(lambda x: is_number(x) and 0 <= x < 1, "a number from 0 to below 1")
FLAG = Constraint(lambda x: isinstance(x, bool | np.bool_), "true or false")
_POSITIVE = Constraint(lambda x: is_number(x) and 0 < x < np.inf, "a number above 0")
_RATE_OR_FIND = Constraint(lambda x: x == "find" or _POSITIVE.fits(x), 'a number above 0, or "find"')
_VECTORS = Constraint(lambda x: isinstance(x, np.ndarray), "an array (vocabulary, dimensions)")

# Settings that several families have.
Units = Annotated[int, at_least(1)]
Layers = Annotated[int, at_least(1)]
Rate = Annotated[float, _FRACTION]
Flag = Annotated[bool, FLAG]
NGrams = Annotated[int, one_of(1, 2, 3), TokensOnly()]
Buckets = Annotated[int, at_least(2), TokensOnly()]
Vectors = Annotated[np.ndarray | None, _VECTORS, TokensOnly()]
TokenFlag = Annotated[bool, FLAG, TokensOnly()]

# The setting of every family that predicts something of a whole sequence: the baseline that its networks add to.
_BASELINE = Constraint(lambda x: isinstance(x, str) and x not in ("", "none"), "auto or the name of a baseline")
OFFSET_SETTINGS: dict[str, Setting] = {"offset": Setting(str, True, _BASELINE)}

# Settings of the training, not of the network: what :class:`recurra.training.Trainer` has under the same names.
TRAINING_SETTINGS: dict[str, Setting] = {
    "learning_rate": Setting(float, False, _RATE_OR_FIND),
    "epsilon": Setting(float, False, _POSITIVE),
    "target_loss": Setting(float, True, _POSITIVE),
    "ema": Setting(float, False, _FRACTION),
    "decay": Setting(float, False, Constraint(lambda x: is_number(x) and 0 < x <= 1, "a number above 0 and at most 1")),
    "decay_after": Setting(int, False, at_least(1)),
    "label_smoothing": Setting(float, False, _FRACTION),
}


def settings_of(factory: Callable[..., Any]) -> dict[str, Setting]:
    """Settings that a factory takes, by name: its parameters after the specification."""
    parameters = list(inspect.signature(factory, eval_str=True).parameters.values())[1:]
    return {parameter.name: _setting(parameter.name, parameter.annotation) for parameter in parameters}


def _setting(name: str, hint: Any) -> Setting:
    kind, *marks = get_args(hint) or (hint,)
    kinds = get_args(kind) or (kind,)
    constraint = next((mark for mark in marks if isinstance(mark, Constraint)), None)
    if constraint is None:
        raise TypeError(f"`{name}` needs a constraint in its annotation. Received: {hint!r}")
    return Setting(
        next(k for k in kinds if k is not NoneType),
        NoneType in kinds,
        constraint,
        next((mark for mark in marks if isinstance(mark, Rule)), None),
        any(isinstance(mark, TokensOnly) for mark in marks),
    )


def check_settings(model: str, known: Mapping[str, Setting], config: Mapping[str, Any]) -> None:
    """Refuse unknown settings, and values that a setting cannot have.

    Args:
        model: family and kind of output, for the message.
        known: the settings of the model.
        config: the settings given.

    Raises:
        InputError: naming the setting, its value and what is expected.
    """
    for name, value in config.items():
        if name not in known:
            raise InputError(f"{model} has no setting `{name}`; there are {', '.join(sorted(known))}")
        setting = known[name]
        if not setting.constraint.fits(value) and not (value is None and setting.may_be_none):
            raise InputError(f"`{name}` of {model} must be {setting.constraint.expected}; received {value!r}")


def applicable(known: Mapping[str, Setting], spec: SequenceSpec) -> dict[str, Setting]:
    """The settings that apply to the inputs of a specification."""
    tokens = isinstance(spec.inputs, TokensInput)
    return {name: setting for name, setting in known.items() if tokens or not setting.tokens_only}

"""What each setting may be, and one sentence for whatever it may not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, get_args, get_type_hints

import numpy as np

from ..errors import InputError
from ..spec import SequenceSpec, TokensInput
from .dense import READERS
from .forecaster import WINDOW_NORMS
from .steps import POOLINGS


@dataclass(frozen=True)
class Rule:
    """What a setting may be.

    Attributes:
        fits: whether a value may be used.
        expected: what is expected, in words.
        of_tokens: whether it says nothing where values are read.
    """

    fits: Callable[[Any], bool]
    expected: str
    of_tokens: bool = False


def _whole(least: int, *, of_tokens: bool = False) -> Rule:
    def fits(value: Any) -> bool:
        return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)

    return Rule(fits, f"a whole number of at least {least}", of_tokens)


def _share() -> Rule:
    return Rule(lambda x: _is_number(x) and 0 <= x < 1, "a number from 0 to below 1")


def _flag(*, of_tokens: bool = False) -> Rule:
    return Rule(lambda x: isinstance(x, bool | np.bool_), "true or false", of_tokens=of_tokens)


def _one_of(names: tuple[str, ...], *, of_tokens: bool = False) -> Rule:
    return Rule(lambda x: isinstance(x, str) and x in names, f"one of {', '.join(names)}", of_tokens)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


# A setting means the same in every family and task that has it.
RULES: dict[str, Rule] = {
    "epsilon": Rule(lambda x: _is_number(x) and 0 < x < np.inf, "a number above 0"),
    "learning_rate": Rule(lambda x: _is_number(x) and 0 < x < np.inf, "a number above 0"),
    "units": _whole(1),
    "num_layers": _whole(1),
    "dropout": _share(),
    "input_dropout": _share(),
    "residual": _flag(),
    "bidirectional": _flag(),
    "segment_length": _whole(1),
    "pooling": _one_of(POOLINGS),
    "window": _whole(1),
    "window_norm": _one_of(WINDOW_NORMS),
    "share_targets": _flag(),
    "feedback": _whole(0),
    "tie_weights": _flag(),
    "reading": _one_of(READERS, of_tokens=True),
    "embedding": _whole(1, of_tokens=True),
    "ngrams": Rule(lambda x: _whole(1).fits(x) and x <= 3, "1, 2 or 3", of_tokens=True),
    "ngram_buckets": _whole(2, of_tokens=True),
    "vectors": Rule(lambda x: isinstance(x, np.ndarray), "an array (vocabulary, dimensions)", of_tokens=True),
    "train_vectors": _flag(of_tokens=True),
}


def settings_of(factory: Callable[..., Any]) -> dict[str, bool]:
    """Settings that a factory takes, be they parameters or the keys of its unpacked ``TypedDict``.

    Returns:
        For each name whether it may be None, which leaves the choice to a stated rule.
    """
    types = get_type_hints(factory)
    names = list(inspect.signature(factory).parameters)[1:]  # the first one is the specification
    if names == ["settings"]:
        [keys] = get_args(types["settings"])
        types, names = get_type_hints(keys), list(keys.__annotations__)
    return {name: type(None) in get_args(types[name]) for name in names}


def check_settings(model: str, known: dict[str, bool], config: dict[str, Any]) -> None:
    """Refuse settings that there are not, and values that they cannot have.

    Args:
        model: family and task, for the message.
        known: the settings that it has, and whether they may be None.
        config: the settings.

    Raises:
        InputError: naming the setting, its value and what is expected.
    """
    for name, value in config.items():
        if name not in known:
            raise InputError(f"{model} has no setting `{name}`; there are {', '.join(sorted(known))}")
        if not RULES[name].fits(value) and not (value is None and known[name]):
            raise InputError(f"`{name}` of {model} must be {RULES[name].expected}; received {value!r}")


def unfit_for(spec: SequenceSpec) -> set[str]:
    """Names of the settings that say nothing for what comes in."""
    if isinstance(spec.inputs, TokensInput):
        return set()
    return {name for name, rule in RULES.items() if rule.of_tokens}

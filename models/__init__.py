"""Models: SequenceSpec → an uncompiled ``keras.Model``, one file a family.

A factory loads no data and reads no config. To add a family: one file, one line here, one number test, one docs row.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from ..errors import InputError
from ..spec import SequenceSpec
from . import dense, gru, language, linear, lstm, recurrence, recurrent_reader, simple_rnn
from .carried_state import CarriedState
from .embedding import default_embedding
from .forecaster import default_window_norm
from .settings import check_settings, settings_of, unfit_for

# Settings of the training, not of the network: Adam's own.
TRAINING = ("learning_rate", "epsilon")


@dataclass(frozen=True)
class Plan:
    """How a family does one task.

    Attributes:
        build: the factory.
        grid: what ``--configs N`` draws from; the first value of each list is the default, always tried first.
    """

    build: Callable[..., keras.Model]
    grid: dict[str, list[Any]]


@dataclass(frozen=True)
class Family:
    """A line of the registry.

    Attributes:
        tasks: for each task its plan, or in words why the family cannot do it.
        recurrent: whether it carries a state.
    """

    tasks: dict[str, Plan | str]
    recurrent: bool = False


FAMILIES = {
    "linear": Family(
        {
            "forecast": Plan(linear.linear, linear.GRID),
            "classification": Plan(linear.linear_reader, linear.READER_GRID),
            "regression": Plan(linear.linear_reader, linear.READER_GRID),
            "tagging": Plan(linear.linear_tagger, linear.TAGGER_GRID),
            "language-model": Plan(linear.linear_language, linear.LANGUAGE_GRID),
        }
    ),
    "dense": Family(
        {
            "forecast": Plan(dense.dense, dense.GRID),
            "classification": Plan(dense.dense_reader, dense.READER_GRID),
            "regression": Plan(dense.dense_reader, dense.READER_GRID),
            "tagging": Plan(dense.dense_tagger, dense.TAGGER_GRID),
            "language-model": Plan(dense.dense_language, dense.LANGUAGE_GRID),
        }
    ),
    "simple_rnn": Family(
        {
            "forecast": Plan(simple_rnn.simple_rnn, recurrence.GRID),
            "classification": Plan(simple_rnn.simple_rnn_reader, recurrent_reader.READER_GRID),
            "regression": Plan(simple_rnn.simple_rnn_reader, recurrent_reader.READER_GRID),
            "tagging": Plan(simple_rnn.simple_rnn_tagger, recurrent_reader.TAGGER_GRID),
            "language-model": Plan(simple_rnn.simple_rnn_language, language.GRID),
        },
        recurrent=True,
    ),
    "gru": Family(
        {
            "forecast": Plan(gru.gru, recurrence.GRID),
            "classification": Plan(gru.gru_reader, recurrent_reader.READER_GRID),
            "regression": Plan(gru.gru_reader, recurrent_reader.READER_GRID),
            "tagging": Plan(gru.gru_tagger, recurrent_reader.TAGGER_GRID),
            "language-model": Plan(gru.gru_language, language.GRID),
        },
        recurrent=True,
    ),
    "lstm": Family(
        {
            "forecast": Plan(lstm.lstm, recurrence.GRID),
            "classification": Plan(lstm.lstm_reader, recurrent_reader.READER_GRID),
            "regression": Plan(lstm.lstm_reader, recurrent_reader.READER_GRID),
            "tagging": Plan(lstm.lstm_tagger, recurrent_reader.TAGGER_GRID),
            "language-model": Plan(lstm.lstm_language, language.GRID),
        },
        recurrent=True,
    ),
}

RECURRENT = tuple(name for name, family in FAMILIES.items() if family.recurrent)

# What follows from the specification where a setting is left open.
_READING_RULES: dict[str, Callable[[SequenceSpec], Any]] = {
    "segment_length": recurrent_reader.default_reader_segment,
    "pooling": recurrent_reader.default_pooling,
    "embedding": default_embedding,
    "window": dense.default_reading_window,
}
_RULES: dict[str, dict[str, Callable[[SequenceSpec], Any]]] = {
    "forecast": {"segment_length": recurrence.default_segment, "window_norm": default_window_norm},
    "classification": _READING_RULES,
    "regression": _READING_RULES,
    "tagging": {"embedding": default_embedding},
    "language-model": {"window": language.default_language_window},
}

__all__ = [
    "FAMILIES",
    "RECURRENT",
    "CarriedState",
    "Family",
    "Plan",
    "build",
    "check_config",
    "draw_configs",
    "known_settings",
    "list_families",
]


def list_families() -> list[str]:
    """Names of the families, the simplest first."""
    return list(FAMILIES)


def build(family: str, spec: SequenceSpec, **config: Any) -> keras.Model:
    """Build an uncompiled model of a family, for the specification's task.

    Args:
        family: one of :func:`list_families`.
        spec: what goes in and comes out.
        **config: the family's own settings, e.g. ``units=64``.

    Returns:
        A model with inputs by name:

        - forecast: ``values`` (batch, lookback, channels), and ``future`` where covariates are known ahead →
          (batch, horizon, targets);
        - classification, regression: ``tokens`` (batch, time), or ``values`` (batch, time, channels) and ``lengths``
          (batch,) → logits (batch, classes), or (batch, 1);
        - tagging: the same → logits (batch, time, classes);
        - language-model: ``tokens`` (batch, time), ``state_0``, ... and ``condition`` (batch,) where there is one →
          {"logits": (batch, time, vocabulary), "state_0": ...}.

    Raises:
        InputError: if there is no such family, if it cannot do the task, or if it has no such setting or value.

    Example:
        >>> model = build("lstm", pipeline.spec, units=64)
    """
    plan = _plan(family, spec.task)
    known, unfit = settings_of(plan.build), unfit_for(spec)
    known = {name: may_be_none for name, may_be_none in known.items() if name not in unfit}
    check_settings(f"{family} for {spec.task}", known, config)
    return plan.build(spec, **config)


def known_settings(family: str, task: str = "forecast") -> set[str]:
    """Names that a family's factory for a task takes, and those that its training takes."""
    return {*settings_of(_plan(family, task).build), *TRAINING}


def check_config(family: str, task: str, config: dict[str, Any]) -> None:
    """Refuse settings that a family does not have for a task, and values they cannot have, before anything is built.

    Raises:
        InputError: naming the setting, its value and what is expected.
    """
    known = settings_of(_plan(family, task).build) | dict.fromkeys(TRAINING, False)
    check_settings(f"{family} for {task}", known, config)


def draw_configs(
    family: str, spec: SequenceSpec, n: int, *, fixed: dict[str, Any] | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Draw `n` different settings from a family's grid, its defaults first.

    Args:
        family: one of :func:`list_families`.
        spec: what the models are built for; the rules for settings left open look at it.
        n: how many; fewer come back where the grid holds fewer.
        fixed: settings that replace the grid's, where the family has them and what comes in makes sense of them.
        seed: of the draws.

    Returns:
        Settings for :func:`build`, and those of `TRAINING`.

    Raises:
        InputError: if the family cannot do the task, or a fixed setting cannot have its value.
    """
    unfit = unfit_for(spec)
    known = known_settings(family, spec.task) - unfit
    fixed = {name: value for name, value in (fixed or {}).items() if name in known}
    check_config(family, spec.task, fixed)
    grid = _plan(family, spec.task).grid | {name: [value] for name, value in fixed.items()}
    # What is left to a rule gets its value first: two names for one setting would be trained twice.
    grid = {name: _different([_said(name, v, spec) for v in grid[name]]) for name in grid if name not in unfit}
    everything = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    order = random.Random(seed).sample(range(1, len(everything)), min(n, len(everything)) - 1)
    return [everything[i] for i in (0, *order)]


def _plan(family: str, task: str) -> Plan:
    if family not in FAMILIES:
        raise InputError(f"there is no family {family!r}; choose from {', '.join(FAMILIES)}")
    plan = FAMILIES[family].tasks[task]
    if isinstance(plan, str):
        raise InputError(f"the family {family} cannot do {task}: {plan}")
    return plan


def _different(values: list[Any]) -> list[Any]:
    """Each value once; a single one may be an array, which has no hash."""
    return list(dict.fromkeys(values)) if len(values) > 1 else values


def _said(name: str, value: Any, spec: SequenceSpec) -> Any:
    """The value that a setting left open gets by its rule."""
    rule = _RULES[spec.task].get(name)
    return rule(spec) if value is None and rule else value

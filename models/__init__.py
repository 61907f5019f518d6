"""Models: SequenceSpec → an uncompiled ``keras.Model``, one file a family.

A factory loads no data and reads no config. To add a family: one file, one line here, one number test, one docs row.
"""

from __future__ import annotations

import inspect
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from ..errors import InputError
from ..spec import SequenceSpec
from .dense import GRID as DENSE_GRID
from .dense import dense
from .forecaster import default_window_norm
from .gru import gru
from .linear import GRID as LINEAR_GRID
from .linear import linear
from .lstm import lstm
from .recurrence import GRID as RECURRENT_GRID
from .recurrence import RecurrentSettings, default_segment_length
from .simple_rnn import simple_rnn


@dataclass(frozen=True)
class Family:
    """A line of the registry.

    Attributes:
        build: the factory.
        grid: what ``--configs N`` draws from; the first value of each list is the default, always tried first.
        recurrent: whether it carries a state.
    """

    build: Callable[..., keras.Model]
    grid: dict[str, list[Any]]
    recurrent: bool = False


FAMILIES = {
    "linear": Family(linear, LINEAR_GRID),
    "dense": Family(dense, DENSE_GRID),
    "simple_rnn": Family(simple_rnn, RECURRENT_GRID, recurrent=True),
    "gru": Family(gru, RECURRENT_GRID, recurrent=True),
    "lstm": Family(lstm, RECURRENT_GRID, recurrent=True),
}

RECURRENT = tuple(name for name, family in FAMILIES.items() if family.recurrent)

__all__ = ["FAMILIES", "RECURRENT", "Family", "build", "draw_configs", "known_settings", "list_families"]


def list_families() -> list[str]:
    """Names of the families, the simplest first."""
    return list(FAMILIES)


def build(family: str, spec: SequenceSpec, **config: Any) -> keras.Model:
    """Build an uncompiled model of a family.

    Args:
        family: one of :func:`list_families`.
        spec: what goes in and comes out.
        **config: the family's own settings, e.g. ``units=64``.

    Returns:
        A model from ``values`` (batch, lookback, channels), and ``future`` where covariates are known ahead, to
        (batch, horizon, targets).

    Raises:
        InputError: if there is no such family; the message lists those there are.

    Example:
        >>> model = build("lstm", pipeline.spec, units=64)
    """
    if family not in FAMILIES:
        raise InputError(f"there is no family {family!r}; choose from {', '.join(FAMILIES)}")
    return FAMILIES[family].build(spec, **config)


def known_settings(family: str) -> set[str]:
    """Names that a family's factory takes, and ``learning_rate``, which its training takes."""
    record = FAMILIES[family]
    taken = RecurrentSettings.__annotations__ if record.recurrent else inspect.signature(record.build).parameters
    return {*taken, "learning_rate"} - {"spec"}


def draw_configs(
    family: str, spec: SequenceSpec, n: int, *, fixed: dict[str, Any] | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Draw `n` different settings from a family's grid, its defaults first.

    Args:
        family: one of :func:`list_families`.
        spec: what the models are built for; the rule for segments looks at it.
        n: how many; fewer come back where the grid holds fewer.
        fixed: settings that replace the grid's, where the family has them.
        seed: of the draws.

    Returns:
        Settings for :func:`build`, and ``learning_rate`` for training.
    """
    known = known_settings(family)
    grid = FAMILIES[family].grid | {name: [value] for name, value in (fixed or {}).items() if name in known}
    # What is left to a rule gets its value first: two names for one setting would be trained twice.
    grid = {name: list(dict.fromkeys(_said(name, v, spec) for v in grid[name])) for name in grid}
    everything = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    order = random.Random(seed).sample(range(1, len(everything)), min(n, len(everything)) - 1)
    return [everything[i] for i in (0, *order)]


def _said(name: str, value: Any, spec: SequenceSpec) -> Any:
    """The value that a setting left open gets by its rule."""
    if value is None and name == "segment_length":
        return default_segment_length(spec.inputs.length, spec.season)
    if value is None and name == "window_norm":
        return default_window_norm(spec)
    return value

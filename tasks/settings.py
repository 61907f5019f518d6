"""Checks that the settings of several tasks share, and their plain JSON form."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LOSSES = ("mae", "mse", "huber")


def to_json(*settings: DataclassInstance) -> dict[str, Any]:
    """All fields as plain JSON values."""
    return {k: list(v) if isinstance(v, tuple) else v for s in settings for k, v in asdict(s).items()}


def require_at_least_one(settings: DataclassInstance, *names: str) -> None:
    """Refuse numbers below 1; None leaves a number to a rule."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise InputError(f"`{name}` must be at least 1; received {value}")


def require_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a word that the setting does not have."""
    if value not in known:
        raise InputError(f"`{name}` must be one of {', '.join(known)}; received {value!r}")


def require_fraction(name: str, value: float) -> None:
    """Refuse what is not a fraction."""
    if not 0 < value < 1:
        raise InputError(f"`{name}` must lie between 0 and 1; received {value}")

"""Variants: a family with settings of its own in one comparison, such as ``dense:feedback=1``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import InputError
from ..models import FAMILIES

_FLAGS = {"true": True, "false": False, "none": None}


def parse_variant(name: str) -> tuple[str, dict[str, Any]]:
    """Take the family and its own settings apart.

    Args:
        name: a family, or a family and settings: ``"gru"``, ``"dense:feedback=1+units=32"``.

    Returns:
        The family and the settings, which replace its defaults.

    Raises:
        InputError: if a setting is not NAME=VALUE.

    Example:
        >>> parse_variant("dense:feedback=1+units=32")
        ('dense', {'feedback': 1, 'units': 32})
    """
    family, _, settings = name.partition(":")
    return family, parse_settings(settings.split("+"), "a variant") if settings else {}


def parse_settings(pairs: Iterable[str], where: str = "--set") -> dict[str, Any]:
    """Read ["units=32", "dropout=0.1"] as {"units": 32, "dropout": 0.1}."""
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{where} takes NAME=VALUE, such as units=32; received {pair!r}")
        settings[name.strip()] = _value(text.strip())
    return settings


def carries_state(name: str) -> bool:
    """Whether a model goes on from a state of its own: a recurrent family, or one whose outputs are fed back."""
    family, settings = parse_variant(name)
    return family in FAMILIES and (FAMILIES[family].recurrent or bool(settings.get("feedback")))


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _FLAGS.get(text.lower(), text)

"""Variants: a family with settings of its own in one comparison, such as ``dense:feedback=1``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InputError
from .settings import Setting

_WORDS = {"true": True, "false": False, "none": None}


_MIXED = " + "


def mix_name(network: str, baseline: str) -> str:
    """What a network and a baseline that are mixed are called: "lstm + nbsvm"."""
    return f"{network}{_MIXED}{baseline}"


def split_mix(name: str) -> tuple[str, str | None]:
    """The network and the baseline of a mix; of any other model its name, and None."""
    network, mixed, baseline = name.partition(_MIXED)
    return network, baseline if mixed else None


def split_variant(name: str) -> tuple[str, dict[str, str]]:
    """Split a variant into its family and its settings, still as text.

    Args:
        name: a family, or a family and settings: ``"gru"``, ``"dense:feedback=1+units=32"``.

    Raises:
        InputError: if a setting is not NAME=VALUE.
    """
    family, colon, settings = name.partition(":")
    return family, split_pairs(settings.split("+"), "a variant of a family") if colon else {}


def split_pairs(pairs: Iterable[str], what: str = "`config`") -> dict[str, str]:
    """["units=32", "dropout=0.1"] → {"units": "32", "dropout": "0.1"}."""
    settings: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{what} must be NAME=VALUE, such as units=32; received {pair!r}")
        if name.strip() in settings:
            raise InputError(
                f"{what} has the setting `{name.strip()}` twice, {settings[name.strip()]} and {text.strip()}; leave "
                "one out"
            )
        settings[name.strip()] = text.strip()
    return settings


def convert(settings: Mapping[str, str], known: Mapping[str, Setting]) -> dict[str, Any]:
    """Read each value by the type of its setting; where the setting is not known, by what the text looks like."""
    return {name: known[name].convert(text) if name in known else _by_look(text) for name, text in settings.items()}


def _by_look(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _WORDS.get(text.lower(), text)

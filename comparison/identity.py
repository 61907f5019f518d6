"""What makes two comparisons the same: a folder never mixes the trials of two."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic import replacing
from ..errors import InputError

_LONGEST = 60
_FILE = "identity.json"


def check_identity(folder: Path, identity: dict[str, Any]) -> None:
    """Make sure that trials found in `folder` belong to this comparison, or begin a new run there.

    Args:
        folder: where the trials are kept.
        identity: everything that decides the outcome: the hash of the data and all settings.

    Raises:
        InputError: if the folder holds another comparison; the message says what differs.
    """
    path = folder / _FILE
    identity = to_strict_json(identity)
    earlier = _read(path)
    if earlier is None:
        with replacing(path) as file:
            file.write_text(json.dumps(identity, indent=1), encoding="utf-8")
        return
    if differing := [key for key in identity if identity[key] != earlier.get(key)]:
        # A hash tells nobody anything; settings come first.
        key = min(differing, key=lambda key: key == "data")
        what = f"its `{key}` is {_short(earlier.get(key))}, now it is {_short(identity[key])}"
        if key == "data":
            what = "it is about other data, or other columns of them"
        raise InputError(f"{folder} holds another comparison: {what}; choose another `out`, or delete that folder")


def holds(folder: Path, identity: dict[str, Any]) -> bool:
    """Whether a folder is there and belongs to this comparison."""
    return _read(folder / _FILE) == to_strict_json(identity)


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def to_strict_json(value: Any) -> Any:
    """Strict JSON: no NaN, no numpy types."""
    if isinstance(value, dict):
        return {str(key): to_strict_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_strict_json(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."

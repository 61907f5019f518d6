"""What a diagnostic found, as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..atomic import replacing
from ..errors import InputError


def write_json(path: Path | str, content: dict[str, Any]) -> Path:
    """Write JSON, whole or not at all.

    Raises:
        InputError: if the place cannot be written to.
    """
    path = Path(path)
    try:
        with replacing(path) as file:
            file.write_text(json.dumps(content, indent=1), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another `json`") from error
    return path

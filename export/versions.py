"""Versions of an exported model: whole-numbered folders, as TensorFlow Serving counts them."""

from __future__ import annotations

from pathlib import Path


def versions(path: Path) -> list[int]:
    """The whole-numbered folders of a model, oldest first."""
    if not path.is_dir():
        return []
    return sorted(int(child.name) for child in path.iterdir() if child.is_dir() and child.name.isdecimal())

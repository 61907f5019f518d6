"""Lists written out as texts, as a CSV file has them: JSON's ``["a", "b"]`` or Python's ``['a', 'b']``."""

import ast
import json
import re
from collections.abc import Sequence
from typing import Any

# Two quoted words without a comma: numpy's way of printing, which Python would read as one word.
_NO_COMMA = re.compile(r"""(['"])\s+(['"])""")


def read_lists(cells: Sequence[Any]) -> list[Any] | None:
    """Read the texts of a column as lists, where all of them are lists.

    Args:
        cells: texts, and others, which stay as they are.

    Returns:
        The cells with lists in place of texts; None where some text is not a list, or where no cell is a text.

    Example:
        >>> read_lists(['["a", "b"]', "['c']", None])
        [['a', 'b'], ['c'], None]
        >>> read_lists(["[a]", "b c"]) is None
        True
    """
    found, any_text = [], False
    for cell in cells:
        if not isinstance(cell, str) or not cell.strip():
            found.append(None if isinstance(cell, str) else cell)
            continue
        read = as_list(cell)
        if read is None:
            return None
        any_text = True
        found.append(read)
    return found if any_text else None


def as_list(text: str) -> list[Any] | None:
    """Read one text as a list; None where it is not one."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for reader in (json.loads, _python):
        try:
            read = reader(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(read, list):
            return read
    return None


def _python(text: str) -> Any:
    if _NO_COMMA.search(text):
        raise ValueError(text)
    return ast.literal_eval(text)

"""The user's own strings, made fit to be shown: nothing in a name or a label moves the cursor or turns text around."""

from __future__ import annotations

import re
from collections.abc import Callable

# Control characters, marks that change the direction of writing, other line ends, halves of surrogate pairs.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# Turns the text of a note or message into what is printed; the command line makes flags of `parameters`.
Rewrite = Callable[[str], str]


def unchanged(text: str) -> str:
    """Print the text as it is."""
    return text


def visible(text: str) -> str:
    r"""Write control characters as escapes, a line feed as ``\n``.

    Example:
        >>> visible("red\x1b[31m")
        'red\\x1b[31m'
    """
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def shortened(text: str, longest: int = 40) -> str:
    """Cut a name that would not fit; the user's columns may be called anything."""
    text = visible(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"

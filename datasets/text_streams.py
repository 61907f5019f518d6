"""Texts from Parquet or CSV larger than memory: read once, some rows at a time, checked and kept in files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import InputError
from ..frames import TextFrame
from ..frames.sequences.source_tables import SourceTables
from ..frames.sequences.text_parts import TextParts
from .parquet_folders import in_words
from .row_streams import Large, can_be_streamed, open_rows

_ROLES = ("text", "id", "label", "value", "tags")


def read_texts_in_streams(
    large: Large, roles: Mapping[str, Any], *, sample: pd.DataFrame | None = None, for_prediction: bool = False
) -> TextFrame:
    """Read texts that are larger than memory.

    Args:
        large: the rows.
        roles: columns by role, and ``test``, a second file.
        sample: the first rows, where they have been read.
        for_prediction: whether targets are left out, and texts may all be empty.

    Returns:
        A frame whose texts are read from files as they are looked at; see
        :class:`recurra.frames.sequences.stored_texts.StoredTexts`.

    Raises:
        InputError: anything wrong in the rows.
    """
    sources, source = [large.rows], str(large.rows.path)
    tables = [large.rows.sample() if sample is None else sample]
    if (test := roles.get("test")) is not None:
        if not can_be_streamed(test):
            raise InputError(
                f"{test}: the rows of {source} are larger than `memory` allows, and the test set beside them is read "
                "in streams as they are, from Parquet or .csv; save it as one of them, or give more `memory`"
            )
        sources.append(open_rows(Path(test), large.memory))
        tables.append(sources[1].sample())
    for table, rows in zip(tables, sources, strict=True):
        table.attrs["source"] = str(rows.path)
    named = {role: roles[role] for role in _ROLES if role in roles}
    first = SourceTables(
        tables[0], tables[1] if len(tables) > 1 else None, source, roles.get("split"), roles.get("group")
    )
    reader = TextParts(first, memory=large.memory, for_prediction=for_prediction, **named)
    for number, rows in enumerate(sources):
        for table in rows.tables(reader.columns):
            reader.add(table, held_out=number > 0)
        reader.notes += rows.notes
    frame = reader.frame()
    note = (
        f"{reader.count:,} rows are more than `memory` ({in_words(large.memory)}) holds: they are checked some at a "
        f"time, and their texts are read from files in {tempfile.gettempdir()}"
    )
    return replace(frame, notes=(note, *frame.notes))

"""Several columns that tell sequences apart together, as one: patient and visit, machine and run."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from ...errors import InputError
from ..columns import check_column

_SIGN = ","


def join_ids(
    tables: Sequence[pd.DataFrame], id: str | Sequence[str] | None, used: Collection[str | None], source: str
) -> tuple[list[pd.DataFrame], str | None]:
    """Join the columns of ids, where there are several, into one that is called and written `store,item`.

    Args:
        tables: of training, and of test rows.
        id: a column, several, or their names as one text with commas.
        used: columns with another role, which stay beside it.
        source: file or data set, for messages.

    Returns:
        The tables, and the name of the column.

    Raises:
        InputError: a column is missing or empty somewhere, or two sequences would be called the same.
    """
    if id is None or (isinstance(id, str) and (_SIGN not in id or all(id in table.columns for table in tables))):
        return list(tables), id
    parts = [part.strip() for part in id.split(_SIGN)] if isinstance(id, str) else list(id)
    return [_joined(table, parts, used, source) for table in tables], _SIGN.join(parts)


def _joined(table: pd.DataFrame, parts: list[str], used: Collection[str | None], source: str) -> pd.DataFrame:
    for part in parts:
        check_column(table, part, source)
        if table[part].isna().any():
            raise InputError(f"{source}: column {part!r} of `id` has empty cells where a name was expected; fill them")
    cells = table[parts].astype(str)
    names = cells.agg(_SIGN.join, axis=1)
    if names.nunique() < len(cells.drop_duplicates()):
        raise InputError(
            f"{source}: the columns {', '.join(map(repr, parts))} hold commas, so that joined by them two sequences "
            "would be called the same; write the ids without commas"
        )
    joined = table.drop(columns=[part for part in parts if part not in used])
    joined.insert(0, _SIGN.join(parts), names)
    joined.attrs = table.attrs
    return joined

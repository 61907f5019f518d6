"""What a frame holds, as plain JSON values: for reports and model cards."""

from typing import Any

import numpy as np

from .corpus import CorpusFrame
from .fingerprint import data_hash
from .frame import Frame
from .sequences.panel_frame import PanelFrame
from .sequences.text_frame import TextFrame
from .series.series_frame import SeriesFrame


def describe(frame: Frame) -> dict[str, Any]:
    """Describe a frame.

    Args:
        frame: any frame.

    Returns:
        ``source`` and ``hash``; for series ``rows``, ``series``, the columns by role, ``freq``, ``first`` and ``last``;
        for texts and panels ``rows``, ``inputs``, ``target`` and ``roles``; for one long text ``characters``.

    Example:
        >>> describe(recurra.load("co2"))["freq"]
        'W-SAT'
    """
    info: dict[str, Any] = {"source": frame.source, "hash": data_hash(frame)}
    if isinstance(frame, CorpusFrame):
        return info | {"inputs": "corpus", "characters": len(frame)}
    return info | (_series(frame) if isinstance(frame, SeriesFrame) else _sequences(frame))


def _series(frame: SeriesFrame) -> dict[str, Any]:
    stamps, starts = frame.table[frame.time], frame.starts
    return {
        "rows": len(frame.table),
        "series": len(frame.lengths),
        "id": frame.id,
        "time": frame.time,
        "targets": list(frame.targets),
        "past_covariates": list(frame.past_covariates),
        "future_covariates": list(frame.future_covariates),
        "freq": frame.freq,
        "first": str(stamps.iloc[starts].min()),
        "last": str(stamps.iloc[starts + frame.lengths - 1].max()),
    }


def _sequences(frame: TextFrame | PanelFrame) -> dict[str, Any]:
    info: dict[str, Any] = {
        "rows": len(frame),
        "inputs": frame.kind,
        "target": None if frame.targets is None else frame.targets.name,
        "roles": dict(frame.roles),
        "groups": None if frame.groups is None else len(np.unique(frame.groups)),
    }
    if isinstance(frame, PanelFrame):
        lengths = [len(values) for values in frame.values]
        info |= {"channels": list(frame.channels), "shortest": min(lengths), "longest": max(lengths)}
    return info

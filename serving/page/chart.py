"""A forecast as inline SVG: the last rows, what comes after them, and intervals around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 10, 16, 30


@dataclass(frozen=True)
class Band:
    """An interval: its level in percent, and its ends (horizon,)."""

    level: int
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Chart:
    """Coordinates for the template.

    Attributes:
        past, future: points of polylines.
        bands: level and points of a polygon each, the widest first.
        ticks: y and label of each.
        now: x of the last row.
        first, last: labels of the ends of the x axis.
    """

    past: list[str]
    future: str
    bands: list[tuple[int, str]]
    ticks: list[tuple[float, str]]
    now: float
    first: str
    last: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


def draw(past: np.ndarray, future: np.ndarray, bands: Sequence[Band], first: str, last: str) -> Chart:
    """Lay out a chart.

    Args:
        past: last rows of the target, NaN where missing: (rows,).
        future: forecast: (horizon,).
        bands: its intervals.
        first, last: labels of the ends of the x axis.
    """
    everything = np.concatenate([past, future, *(end for band in bands for end in (band.low, band.high))])
    known = everything[np.isfinite(everything)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        low, high = low - 1, high + 1
    steps = len(past) + len(future) - 1

    def x(i: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * i / max(steps, 1)

    def y(value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - low) / (high - low)

    def points(start: int, values: np.ndarray) -> str:
        return " ".join(f"{x(start + i):.1f},{y(float(v)):.1f}" for i, v in enumerate(values) if np.isfinite(v))

    origin, begin = len(past) - 1, len(past)
    join = past[-1:] if len(past) and np.isfinite(past[-1]) else np.empty(0)
    drawn = [
        (band.level, f"{points(begin, band.low)} {' '.join(reversed(points(begin, band.high).split()))}")
        for band in sorted(bands, key=lambda band: -band.level)
    ]
    digits = digits_of(np.array([low, high]))
    ticks = [(y(value), f"{value:.{digits}g}") for value in np.linspace(low, high, 5)]
    future_points = points(origin, np.concatenate([join, future])) if len(join) else points(begin, future)
    return Chart(_pieces(past, points), future_points, drawn, ticks, x(origin), first, last)


def digits_of(values: np.ndarray) -> int:
    """Significant digits that show how values differ, also where their level is large beside that: at least 4."""
    known = values[np.isfinite(values)]
    if not len(known) or not (span := float(np.ptp(known))):
        return 4
    return min(15, 4 + max(0, math.ceil(math.log10(float(np.abs(known).max()) / span))))


def _pieces(past: np.ndarray, points: object) -> list[str]:
    """A line for each run of observed rows: a gap is not drawn over."""
    made, start = [], None
    for i, known in enumerate([*np.isfinite(past), False]):
        if known and start is None:
            start = i
        elif not known and start is not None:
            made.append(points(start, past[start:i]))  # type: ignore[operator]
            start = None
    return made

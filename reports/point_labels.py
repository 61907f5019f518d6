"""Put names beside points so that they cover neither one another nor a point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .model_styles import ink_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

# Directions tried, the most readable first: right, left, above, below, and between; then further out.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_DISTANCES = (9.0, 16.0, 26.0, 38.0, 52.0)  # points from the middle of the marker


class Labelled(NamedTuple):
    """A point with a vertical bar, in data units."""

    text: str
    x: float
    y: float
    bar: float
    colour: str


class _Box(NamedTuple):
    """A rectangle in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    def overlap(self, other: _Box) -> float:
        """Area shared, in square pixels."""
        wide = min(self.x1, other.x1) - max(self.x0, other.x0)
        high = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(wide, 0.0) * max(high, 0.0)

    @property
    def area(self) -> float:
        return (self.x1 - self.x0) * (self.y1 - self.y0)


def place_labels(axes: Axes, points: Sequence[Labelled], *, lines: Sequence[float] = (), size: float = 9) -> None:
    """Write each point's name at the first free place near it.

    Args:
        axes: with limits and layout final.
        points: what is named. Where everything is crowded, the place that covers least is taken.
        lines: heights at which a line crosses the panel, which no name should be written on.
        size: of the letters.
    """
    scale = axes.figure.dpi / 72  # pixels a point
    extent = axes.get_window_extent()
    frame = _Box(extent.x0, extent.y0, extent.x1, extent.y1)
    taken = [_marker(axes, point, 5 * scale) for point in points]
    heights = [axes.transData.transform((1, line))[1] for line in lines]
    taken += [_Box(frame.x0, height - scale, frame.x1, height + scale) for height in heights]
    for point in points:
        text = _write(axes, point, size)
        written = text.get_window_extent()
        half = (written.width / 2 + scale, written.height / 2)
        options = list(_candidates(axes.transData.transform((point.x, point.y)), half, scale))
        cost = [_covered(box, taken, frame) + 0.01 * i for i, (_, box) in enumerate(options)]
        offset, box = options[int(np.argmin(cost))]
        text.set_position(tuple(offset / scale))
        taken.append(box)
        if np.hypot(*np.maximum(np.abs(offset) - half, 0)) > 14 * scale:  # too far to be understood without a line
            line = {"arrowstyle": "-", "color": point.colour, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
            start = tuple((offset - np.clip(offset, -np.array(half), half)) * 0.98 / scale)
            axes.annotate("", (point.x, point.y), xytext=start, textcoords="offset points", arrowprops=line)


def _write(axes: Axes, point: Labelled, size: float) -> Annotation:
    return axes.annotate(
        point.text,
        (point.x, point.y),
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=size,
        color=ink_of(point.colour),
        ha="center",
        va="center",
        zorder=5,
        parse_math=False,
    )


def _marker(axes: Axes, point: Labelled, reach: float) -> _Box:
    x, y0 = axes.transData.transform((point.x, point.y - point.bar))
    y1 = axes.transData.transform((point.x, point.y + point.bar))[1]
    return _Box(x - reach, y0 - reach, x + reach, y1 + reach)


def _candidates(at: np.ndarray, half: tuple[float, float], scale: float) -> Iterator[tuple[np.ndarray, _Box]]:
    """Offsets of a label's middle from its point, and the box it would fill; in pixels."""
    for distance in _DISTANCES:
        for right, up in _DIRECTIONS:
            slant = 0.8 if right and up else 1.0
            offset = np.array(
                [right * (half[0] + slant * distance * scale), up * (half[1] + slant * distance * scale * 0.7)]
            )
            x, y = at + offset
            yield offset, _Box(x - half[0], y - half[1], x + half[0], y + half[1])


def _covered(box: _Box, taken: Sequence[_Box], frame: _Box) -> float:
    """Square pixels that this place would cover, or that lie outside the frame."""
    return sum(box.overlap(other) for other in taken) + 2 * (box.area - box.overlap(frame))

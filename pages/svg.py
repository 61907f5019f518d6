"""Small charts as inline SVG: lines, bars, intervals, heat maps. Colours are the page's own, by class.

A value can be read on hovering without any script, from the <title> that each mark carries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from ..display.visible_text import visible
from .page import Figure

WIDTH, HEIGHT = 480, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 44
# Points drawn of one line; a screen shows no more.
_MOST_POINTS = 500
# Marks that carry a value for hovering.
_MOST_MARKS = 120
_MOST_CELLS = 60
_MOST_POWERS = 6
_LONGEST_NAME, _MOST_SLANTED = 14, 15
_SMALL = 0.005
# Columns of a heat map with a name each.
_MOST_NAMES = 30
# Up to so many rows each cell is large enough for its number.
_FEW_CELLS = 6
COLOURS = 7


@dataclass(frozen=True)
class _Axes:
    """A mapping of data to the drawing's coordinates."""

    x: tuple[float, float]
    y: tuple[float, float]
    height: int = HEIGHT
    log: bool = False  # whether y are exponents of ten

    def px(self, x: float) -> float:
        low, high = self.x
        return _LEFT + (x - low) / (high - low or 1) * (WIDTH - _LEFT - _RIGHT)

    def py(self, y: float) -> float:
        low, high = self.y
        y = np.log10(max(y, 10**low)) if self.log else y
        return self.height - _BOTTOM - (y - low) / (high - low or 1) * (self.height - _TOP - _BOTTOM)


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    alt: str,
    x: str,
    y: str,
    caption: str = "",
    from_zero: bool = False,
    log: bool = False,
    dashed: Sequence[str] = (),
    vertical: Mapping[str, float] | None = None,
    labels: Sequence[str] | None = None,
    first_colour: int = 0,
) -> Figure:
    """Lines over a common axis.

    Args:
        series: by name, x and y values; NaN leaves a gap.
        alt: the finding.
        x, y: names of the axes.
        caption: under the figure.
        from_zero: whether the y axis begins at 0.
        log: whether the y axis is logarithmic, over at most six powers of ten; smaller values lie on its end.
        dashed: names of the lines drawn dashed.
        vertical: places marked by a vertical line, by what they mean.
        labels: names of the places 0, 1, ... on the x axis, such as dates.
        first_colour: number of the first line's colour, so that the same lines look alike in several figures.
    """
    drawn = {name: _thinned(np.asarray(xs, float), np.asarray(ys, float)) for name, (xs, ys) in series.items()}
    axes = _axes(drawn, from_zero=from_zero, log=log, more=list((vertical or {}).values()))
    parts = [_frame(axes, x, y, labels)]
    for name, place in (vertical or {}).items():
        at = axes.px(place)
        parts.append(
            f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>' + _beside(at, name)
        )
    for i, (name, (xs, ys)) in enumerate(drawn.items(), first_colour):
        style = f"l{i % COLOURS}" + (" dashed" if name in dashed else "")
        parts.append(f'<path class="line {style}" d="{_path(axes, xs, ys)}"/>')
        parts.append(_marks(axes, name, xs, ys, i, labels))
    return _figure("".join(parts), HEIGHT, alt, caption, list(drawn) if len(drawn) > 1 else [], first_colour, dashed)


def bars(
    values: Mapping[str, float],
    *,
    alt: str,
    x: str,
    caption: str = "",
    errors: Mapping[str, tuple[float, float]] | None = None,
    marked: Sequence[str] = (),
) -> Figure:
    """Horizontal bars with their values, from 0.

    Args:
        values: by name, in the order drawn.
        alt: the finding.
        x: what the length means.
        caption: under the figure.
        errors: by name the ends of an interval.
        marked: names of the bars in the first colour; the others are grey. All, where none is given.
    """
    row, top = 24, 6
    height = top + row * len(values) + _BOTTOM - 8
    left = 8 + min(190, 7.2 * max((len(name) for name in values), default=1))
    ends = [high for _, high in (errors or {}).values()]
    most = max([*(v for v in values.values() if np.isfinite(v)), *ends, 1e-12])
    wide = WIDTH - left - 70
    parts = []
    for i, (name, value) in enumerate(values.items()):
        y, length = top + i * row, max(value, 0) / most * wide if np.isfinite(value) else 0
        style = "b0" if not marked or name in marked else "grey"
        parts.append(
            f'<text x="{left - 6:.0f}" y="{y + 15}" text-anchor="end">{_text(_short(name))}</text>'
            f'<rect class="{style}" x="{left:.1f}" y="{y + 3}" width="{length:.1f}" height="{row - 8}">'
            f"<title>{_text(name)}: {value:.4g}</title></rect>"
        )
        end = length
        if errors and name in errors:
            low, high = (max(e, 0) / most * wide for e in errors[name])
            end = max(end, high)
            parts.append(
                f'<line class="axis" x1="{left + low:.1f}" x2="{left + high:.1f}" y1="{y + 11}" y2="{y + 11}"/>'
            )
        parts.append(f'<text class="quiet" x="{left + end + 5:.1f}" y="{y + 15}">{value:.4g}</text>')
    parts.append(f'<text class="quiet" x="{left:.0f}" y="{height - 10}">{_text(x)}</text>')
    return _figure("".join(parts), height, alt, caption, [])


def intervals(
    rows: Mapping[str, tuple[float, float | None, float | None]], *, alt: str, x: str, caption: str = ""
) -> Figure:
    """Values with their intervals around a line at 0: by name value, low, high."""
    row, top = 26, 8
    height = top + row * len(rows) + _BOTTOM
    known = [v for triple in rows.values() for v in triple if v is not None and np.isfinite(v)] + [0.0]
    low, high = min(known), max(known)
    room = 0.08 * (high - low or 1)
    left = 8 + min(150, 7.2 * max((len(name) for name in rows), default=1))

    def px(value: float) -> float:
        return left + (value - low + room) / (high - low + 2 * room) * (WIDTH - left - 14)

    bottom = height - _BOTTOM + 6
    parts = [f'<line class="axis" x1="{px(0):.1f}" x2="{px(0):.1f}" y1="2" y2="{bottom}"/>']
    for i, (name, (value, lower, upper)) in enumerate(rows.items()):
        y = top + i * row + 11
        parts.append(f'<text x="{left - 6:.0f}" y="{y + 4}" text-anchor="end">{_text(_short(name))}</text>')
        if lower is not None and upper is not None:
            parts.append(f'<line class="line l0" x1="{px(lower):.1f}" x2="{px(upper):.1f}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<circle class="b0" cx="{px(value):.1f}" cy="{y}" r="4"><title>{_text(name)}: {value:.4g}</title></circle>'
        )
    for tick in _ticks(low - room, high + room, 4):
        parts.append(f'<text class="quiet" x="{px(tick):.1f}" y="{bottom + 15}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text class="quiet" x="{left:.0f}" y="{height - 4}">{_text(x)}</text>')
    return _figure("".join(parts), height, alt, caption, [])


def heat_map(
    values: np.ndarray,
    *,
    alt: str,
    rows: str,
    columns: Sequence[str],
    x: str,
    caption: str = "",
    scale: tuple[str, str] = ("0", "1"),
) -> Figure:
    """A matrix of values between 0 and 1, dark where they are high: (rows, columns).

    Args:
        values: more than 60 rows or columns are averaged into that many.
        alt: the finding.
        rows: what a row is.
        columns: names of the columns, of which as many are written as fit.
        x: what the columns are.
        caption: under the figure.
        scale: what white and the full colour stand for.
    """
    values = _averaged(_averaged(np.asarray(values, float), 0), 1)
    n, m = values.shape
    cell_h = max(3.0, min(14.0 if n > _FEW_CELLS else 40.0, 260 / n))
    longest = min(_LONGEST_NAME, max((len(str(name)) for name in columns), default=1))
    turn = 40 if len(columns) <= _MOST_SLANTED else 90  # steeper where they stand closer
    height = int(_TOP + n * cell_h + 38 + (4.6 if turn < 90 else 6.4) * longest)
    cell_w = (WIDTH - _LEFT - _RIGHT) / m
    parts = []
    for i in range(n):
        for j in range(m):
            parts.append(
                f'<rect class="b0" x="{_LEFT + j * cell_w:.1f}" y="{_TOP + i * cell_h:.1f}" width="{cell_w + 0.2:.1f}" '
                f'height="{cell_h + 0.2:.1f}" fill-opacity="{np.clip(values[i, j], 0, 1):.2f}"/>'
            )
    if max(n, m) <= _FEW_CELLS:
        parts += [
            f'<text class="halo" x="{_LEFT + (j + 0.5) * cell_w:.1f}" y="{_TOP + (i + 0.5) * cell_h + 4:.1f}" '
            f'text-anchor="middle">{values[i, j]:.2f}</text>'
            for i in range(n)
            for j in range(m)
        ]
    bottom = _TOP + n * cell_h
    parts.append(
        f'<rect class="outline" x="{_LEFT}" y="{_TOP}" width="{WIDTH - _LEFT - _RIGHT}" height="{n * cell_h:.1f}"/>'
    )
    parts.append(_column_names(columns, bottom + 10, turn))
    parts.append(f'<text class="quiet" x="{_LEFT}" y="{height - 6}">{_text(x)}</text>')
    parts.append(_scale(height - 6, *scale))
    middle = _TOP + n * cell_h / 2
    parts.append(
        f'<text class="quiet" transform="translate(14,{middle:.1f}) rotate(-90)" '
        f'text-anchor="middle">{_text(rows)}</text>'
    )
    return _figure("".join(parts), height, alt, caption, [])


def _column_names(columns: Sequence[str], y: float, turn: int) -> str:
    """As many names under the columns as there is room for."""
    parts = []
    for j in range(0, len(columns), max(1, int(np.ceil(len(columns) / _MOST_NAMES)))):
        at = _LEFT + (j + 0.5) / len(columns) * (WIDTH - _LEFT - _RIGHT)
        name = _text(_short(str(columns[j]), _LONGEST_NAME))
        place = f"translate({at - 4 * (turn == 90):.1f},{y:.1f}) rotate({turn})"
        parts.append(f'<text class="quiet" transform="{place}">{name}</text>')
    return "".join(parts)


def _scale(y: int, low: str, high: str) -> str:
    """What light and dark stand for, at the right end."""
    right, cell = WIDTH - _RIGHT - 6.2 * len(high) - 4, 12
    parts = [f'<text class="quiet" x="{WIDTH - _RIGHT}" y="{y}" text-anchor="end">{_text(high)}</text>']
    first = right - 5 * cell
    for i in range(5):
        parts.append(
            f'<rect class="b0" x="{first + i * cell:.1f}" y="{y - 9}" width="{cell}" height="10" '
            f'fill-opacity="{i / 4:.2f}"/>'
        )
    parts.append(f'<rect class="outline" x="{first:.1f}" y="{y - 9}" width="{5 * cell}" height="10"/>')
    parts.append(f'<text class="quiet" x="{first - 4:.1f}" y="{y}" text-anchor="end">{_text(low)}</text>')
    return "".join(parts)


def _figure(
    body: str, height: int, alt: str, caption: str, legend: list[str], first_colour: int = 0, dashed: Sequence[str] = ()
) -> Figure:
    keys = ""
    if legend:
        items = "".join(
            f'<span class="key"><i class="k{i % COLOURS}{" broken" if name in dashed else ""}"></i>{_text(name)}</span>'
            for i, name in enumerate(legend, first_colour)
        )
        keys = f'<div class="legend">{items}</div>'
    svg = (
        f'{keys}<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{_text(alt)}" '
        f'xmlns="http://www.w3.org/2000/svg">{body}</svg>'
    )
    return Figure(Markup(svg), alt, caption)


def _axes(
    drawn: Mapping[str, tuple[np.ndarray, np.ndarray]], *, from_zero: bool, log: bool, more: Sequence[float]
) -> _Axes:
    xs = np.concatenate([x for x, _ in drawn.values()] + [np.asarray(more, float)])
    ys = np.concatenate([y for _, y in drawn.values()])
    ys = ys[np.isfinite(ys)] if np.isfinite(ys).any() else np.array([0.0, 1.0])
    if log and ys.max() > 0:
        highest = np.log10(ys.max())
        lowest = max(np.log10(ys[ys > 0].min()), highest - _MOST_POWERS)
        return _Axes(_ends(xs), (float(np.floor(lowest)), float(highest + 0.1)), log=True)
    low, high = float(ys.min()), float(ys.max())
    room = 0.05 * (high - low or abs(high) or 1)
    lowest = 0.0 if low >= 0 and (from_zero or low < room) else low - room
    return _Axes(_ends(xs), (lowest, high + room))


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _frame(axes: _Axes, x: str, y: str, labels: Sequence[str] | None) -> str:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    powers = [10.0**power for power in range(int(axes.y[0]), int(np.floor(axes.y[1])) + 1)] if axes.log else []
    for tick in powers or _ticks(*axes.y, 5):
        at = axes.py(tick)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text class="quiet" x="{_LEFT - 5}" y="{at + 4:.1f}" text-anchor="end">{_tick_name(tick)}</text>'
        )
    ticks = _ticks(*axes.x, 6)
    if labels is not None:
        last = min(len(labels) - 1, int(axes.x[1]))
        ticks = [float(at) for at in np.unique(np.linspace(max(0, int(axes.x[0])), last, 4).round())]
    elif _whole_from_one(axes.x):
        ticks = [1.0, *(tick for tick in ticks if tick > 1 + 0.04 * (axes.x[1] - 1) and tick == round(tick))]
    for tick in ticks:
        name = f"{tick:.6g}" if labels is None else labels[round(tick)]
        parts.append(
            f'<text class="quiet" x="{min(axes.px(tick), right - 3 * len(name) + _RIGHT - 2):.1f}" y="{bottom + 16}" '
            f'text-anchor="middle">{_text(name)}</text>'
        )
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts.append(f'<text class="quiet" x="{right}" y="{HEIGHT - 6}" text-anchor="end">{_text(x)}</text>')
    parts.append(
        f'<text class="quiet" transform="translate(11,{(HEIGHT - _BOTTOM) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{_text(y)}</text>'
    )
    return "".join(parts)


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _tick_name(value: float) -> str:
    """A number as short as there is room for beside an axis."""
    if 0 < value < _SMALL and np.isclose(power := np.log10(value), round(power)):
        return "10" + str(round(power)).translate(_SUPERSCRIPTS)
    return f"{value:.6g}"


def _beside(at: float, name: str) -> str:
    """A name beside a vertical line, on the side with more room."""
    left = at > (_LEFT + WIDTH - _RIGHT) / 2
    place, anchor = (at - 4, "end") if left else (at + 4, "start")
    return f'<text class="quiet halo" x="{place:.1f}" y="{_TOP + 10}" text-anchor="{anchor}">{_text(name)}</text>'


def _whole_from_one(ends: tuple[float, float]) -> bool:
    """Whether an axis counts steps, units or lags, of which the first is worth a tick."""
    return ends[0] == 1 and ends[1] > 1


def _path(axes: _Axes, xs: np.ndarray, ys: np.ndarray) -> str:
    commands, pen = [], False
    for x, y in zip(xs, ys, strict=True):
        if not np.isfinite(y):
            pen = False
            continue
        commands.append(f"{'L' if pen else 'M'}{axes.px(x):.1f} {axes.py(y):.1f}")
        pen = True
    return "".join(commands)


def _marks(axes: _Axes, name: str, xs: np.ndarray, ys: np.ndarray, number: int, labels: Sequence[str] | None) -> str:
    keep = np.flatnonzero(np.isfinite(ys))
    keep = keep[:: max(1, len(keep) // _MOST_MARKS)]
    radius = 2.6 if len(xs) <= 40 else 3.5
    style = f"b{number % COLOURS}" if len(xs) <= 40 else "hover"
    marks = []
    for i in keep:
        at = f"{xs[i]:g}" if labels is None or not 0 <= int(xs[i]) < len(labels) else labels[int(xs[i])]
        marks.append(
            f'<circle class="{style}" cx="{axes.px(xs[i]):.1f}" cy="{axes.py(ys[i]):.1f}" r="{radius}">'
            f"<title>{_text(name)}, {_text(at)}: {ys[i]:.4g}</title></circle>"
        )
    return "".join(marks)


def _thinned(xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    keep = np.unique(np.linspace(0, max(len(xs) - 1, 0), min(len(xs), _MOST_POINTS)).astype(int))
    return xs[keep], ys[keep]


def _averaged(values: np.ndarray, axis: int) -> np.ndarray:
    if values.shape[axis] <= _MOST_CELLS:
        return values
    parts = np.array_split(values, _MOST_CELLS, axis=axis)
    return np.concatenate([part.mean(axis=axis, keepdims=True) for part in parts], axis=axis)


def _ticks(low: float, high: float, n: int) -> list[float]:
    """About n round numbers between two values."""
    span = high - low
    if not np.isfinite(span) or span <= 0:
        return [low]
    step = 10.0 ** np.floor(np.log10(span / n))
    step *= next(factor for factor in (1, 2, 5, 10) if span / (step * factor) <= n + 0.5)
    first = np.ceil(low / step) * step
    return [float(round(v, 10)) + 0.0 for v in np.arange(first, high + step * 1e-6, step)]


def _short(name: str, longest: int = 26) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _text(text: str) -> str:
    return str(escape(visible(text)))

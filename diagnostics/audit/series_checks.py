"""Leaks in series: covariates that hold the target, series that run ahead, copied blocks, scaling on all rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...frames import SeriesFrame
from ...pipelines import Fold, RowRange
from .copies import common_runs
from .finding import LEAK, NOTE, WARNING, Cost, Finding
from .lines import FileRows
from .prices import forecast_error

# A relation counts as exact when what it leaves is at most so much of the spread, over nearly all rows ...
_EXACT, _NEARLY_ALL = 1e-3, 0.99
# ... and of the changes from row to row: a smooth series is close to itself a step later.
_OF_CHANGES = 0.05
_MOST_ROWS = 20_000
_FARTHEST = 60
# Values of a standardised column: mean and deviation of all rows within this of 0 and 1.
_ROUND = 1e-3
_UNROUND = 1e-2
# Steps of a block that cannot repeat by chance, and different values in it.
_BLOCK, _DIFFERENT = 8, 4


@dataclass(frozen=True, eq=False)
class SeriesCase:
    """Series, where they are cut, and what a forecast reads.

    Attributes:
        frame: the series.
        fold: the oldest cutoff: everything tested in any fold lies after it.
        lookback, horizon, season: of the task.
        rows: rows of the file.
    """

    frame: SeriesFrame
    fold: Fold[RowRange]
    lookback: int
    horizon: int
    season: int
    rows: FileRows

    def after_training(self) -> np.ndarray:
        """Which rows are tested in some fold: bool (rows,)."""
        frame = self.frame
        place = np.arange(len(frame.table)) - np.repeat(np.cumsum(frame.lengths) - frame.lengths, frame.lengths)
        return place >= np.repeat(self.fold.test.start, frame.lengths)

    def numeric(self, names: tuple[str, ...]) -> list[str]:
        """Those of the columns that hold numbers."""
        return [name for name in names if self.frame.table[name].dtype.kind == "f"]


def covariate_findings(case: SeriesCase) -> tuple[list[Finding], int]:
    """target_copy, target_shift, target_smoothed: covariates that hold the target. And how many pairs were compared."""
    frame, findings, looked = case.frame, [], 0
    for role, names in (("past", frame.past_covariates), ("future", frame.future_covariates)):
        for name in case.numeric(names):
            for target in frame.targets:
                looked += 1
                found = _relation(case, name, target, role)
                if found is not None:
                    findings.append(found)
                    break
    return findings, looked


def _relation(case: SeriesCase, name: str, target: str, role: str) -> Finding | None:
    frame = case.frame
    covariate, y = frame.columns([name])[:, 0], frame.columns([target])[:, 0]
    series = np.repeat(np.arange(len(frame.lengths)), frame.lengths)
    covariate, y, series = covariate[:_MOST_ROWS], y[:_MOST_ROWS], series[:_MOST_ROWS]
    lowest = -(case.horizon - 1) if role == "future" else 0
    shifts = range(lowest, min(_FARTHEST, len(y) // 4) + 1)
    left = {k: _left_over(covariate, _shifted(y, series, k)) for k in shifts}
    best = min(left, key=lambda k: (left[k], abs(k)))
    if left[best] <= _EXACT:
        return _of_shift(case, name, target, role, best)
    if _is_smoothed(covariate, y, series, case, role):
        return _finding(
            case,
            "target_smoothed",
            LEAK,
            name,
            f"column {name!r} is an average of {target!r} that reaches into rows after its own (a centred or "
            "two-sided filter): it holds values that are to be forecast",
            f"compute {name!r} from rows up to its own only (a trailing average), or leave it out",
        )
    return None


def _of_shift(case: SeriesCase, name: str, target: str, role: str, k: int) -> Finding:
    if k == 0 and role == "past":
        return _finding(
            case,
            "target_copy",
            NOTE,
            name,
            f"column {name!r} is a copy of {target!r} at the same step: redundant, but known when the forecast is made",
            f"leave {name!r} out of `past_covariates`",
            priced=False,
        )
    if k == 0:
        return _finding(
            case,
            "target_copy",
            LEAK,
            name,
            f"column {name!r} is given as known ahead and is a copy of {target!r}, which is to be forecast",
            f"leave {name!r} out of `future_covariates`",
        )
    where = f"{k} steps later" if k > 0 else f"{-k} steps earlier, within the horizon of {case.horizon}"
    return _finding(
        case,
        "target_shift",
        LEAK,
        name,
        f"column {name!r} equals {target!r} {where}: it tells what is to be forecast",
        f"shift {name!r} so that each row holds only what is known then, or leave it out",
    )


def _finding(
    case: SeriesCase, kind: str, severity: str, name: str, text: str, fix: str, *, priced: bool = True
) -> Finding:
    rows = np.flatnonzero(np.isfinite(case.frame.columns([name])[:, 0]))
    cost = None
    if priced:
        errors = [forecast_error(case.frame, case.fold, case.lookback, case.horizon, without=w) for w in ((), (name,))]
        cost = _cost(*errors)
    return Finding(kind, severity, text, fix, name, case.rows.lines(rows[:100]), len(rows), cost)


def _cost(with_leak: float | None, without: float | None) -> Cost | None:
    if with_leak is None or without is None:
        return None
    return Cost("MAE", with_leak, without, "ridge regression")


def _shifted(y: np.ndarray, series: np.ndarray, k: int) -> np.ndarray:
    """y of the row k later in the same series, NaN where there is none."""
    at = np.arange(len(y)) + k
    inside = (at >= 0) & (at < len(y))
    at = np.clip(at, 0, len(y) - 1)
    return np.where(inside & (series[at] == series), y[at], np.nan)


def _left_over(covariate: np.ndarray, y: np.ndarray) -> float:
    """What a straight line of y leaves of a column, as a fraction of its spread; infinite where that says nothing."""
    known = np.isfinite(covariate) & np.isfinite(y)
    if known.sum() < 20:
        return np.inf
    c, x = covariate[known], y[known]
    spread, changes = c.std(), np.abs(np.diff(c)).mean()
    if spread == 0 or x.std() == 0 or changes == 0:
        return np.inf
    slope, offset = np.polyfit(x - x.mean(), c, 1)
    residual = np.abs(c - offset - slope * (x - x.mean()))
    worst = float(np.quantile(residual, _NEARLY_ALL))
    return max(worst / spread, worst / changes * _EXACT / _OF_CHANGES)


def _is_smoothed(c: np.ndarray, y: np.ndarray, series: np.ndarray, case: SeriesCase, role: str) -> bool:
    """Whether a linear filter over rows before and after gives the column exactly, and one over known rows does not."""
    width = int(min(_FARTHEST, max(case.season, 12), len(y) // 20))
    if width < 1 or c.std() == 0:
        return False
    lags = np.arange(-width, width + 1)
    rows = np.stack([_shifted(y, series, int(k)) for k in lags], axis=1)
    known = np.isfinite(rows).all(axis=1) & np.isfinite(c)
    if known.sum() < 4 * len(lags):
        return False
    rows, c = rows[known], c[known]
    allowed = lags <= (0 if role == "past" else -case.horizon)
    both = _filter_left(rows, c)
    return both <= _EXACT and _filter_left(rows[:, allowed], c) > 5 * max(both, _EXACT / 5)


def _filter_left(rows: np.ndarray, c: np.ndarray) -> float:
    design = np.column_stack([np.ones(len(c)), rows])
    solution, *_ = np.linalg.lstsq(design, c, rcond=None)
    return float(np.quantile(np.abs(c - design @ solution), _NEARLY_ALL) / c.std())


# ---------------------------------------------------------------------------------------------------- others


def identifier_findings(case: SeriesCase) -> list[Finding]:
    """identifier: a column with another value in every row, which a network can only learn by heart."""
    frame, findings = case.frame, []
    for name in (*frame.past_covariates, *frame.future_covariates):
        column = frame.table[name].dropna()
        if len(column) < 20 or column.dtype.kind == "f" or column.nunique() < 0.9 * len(column):
            continue
        findings.append(
            Finding(
                "identifier",
                WARNING,
                f"column {name!r} has {column.nunique():,} different words in {len(column):,} rows: it names the rows, "
                "and says nothing of new ones",
                f"leave {name!r} out",
                name,
                case.rows.lines(np.arange(min(100, len(frame.table)))),
                len(column),
            )
        )
    return findings


def scaling_findings(case: SeriesCase) -> list[Finding]:
    """scaled_on_all_rows: a column whose mean and deviation, or range, are round over all rows, the test included."""
    after, findings = case.after_training(), []
    frame = case.frame
    for name in case.numeric((*frame.targets, *frame.past_covariates, *frame.future_covariates)):
        values = frame.columns([name])[:, 0]
        how = scaled_how(values, after)
        if how is None:
            continue
        errors = [
            forecast_error(frame, case.fold, case.lookback, case.horizon, rescale=name, on_all_rows=all_rows)
            for all_rows in (True, False)
        ]
        findings.append(
            Finding(
                "scaled_on_all_rows",
                LEAK,
                f"column {name!r} {how} over all rows, those of the test included: it was scaled with numbers that "
                "nobody knows before the test (mostly of little effect; see its cost)",
                "give the values as they were measured; recurra scales each fold by its training rows",
                name,
                case.rows.lines(np.flatnonzero(after)[:100]),
                int(after.sum()),
                _cost(*errors),
            )
        )
    return findings


def scaled_how(values: np.ndarray, after: np.ndarray) -> str | None:
    """In words how a column was scaled on all rows; None if it was not, or not with the help of the test rows."""
    known = np.isfinite(values)
    everything, training = values[known], values[known & ~after]
    if len(np.unique(everything)) < 20 or len(training) < 20:
        return None
    deviations = [(x.mean(), x.std(), x.std(ddof=1)) for x in (everything, training)]

    def off(mean: float, deviation: float, sample: float) -> float:
        return max(abs(mean), min(abs(deviation - 1), abs(sample - 1)))

    if off(*deviations[0]) <= _ROUND and off(*deviations[1]) > _UNROUND:
        return "has mean 0 and standard deviation 1"
    for low, high in ((0.0, 1.0), (-1.0, 1.0)):
        ends = np.isclose(everything.min(), low, atol=1e-9) and np.isclose(everything.max(), high, atol=1e-9)
        own = np.isclose(training.min(), low, atol=1e-9) and np.isclose(training.max(), high, atol=1e-9)
        rare = (np.isclose(everything, low) | np.isclose(everything, high)).sum() <= 4
        if ends and not own and rare:
            return f"runs exactly from {low:g} to {high:g}"
    return None


def block_findings(case: SeriesCase) -> list[Finding]:
    """repeated_block: stretches of the test part that stand word for word in the training part.

    What repeats by chance is measured on the training rows themselves: a block is only news if it is twice as long as
    the longest that repeats there.
    """
    frame, findings = case.frame, []
    for target in frame.targets:
        values = frame.columns([target])[:, 0]
        starts = np.cumsum(frame.lengths) - frame.lengths
        pieces = [values[s : s + n] for s, n in zip(starts, frame.lengths, strict=True)]
        cut = [p[: int(t)] for p, t in zip(pieces, case.fold.test.start, strict=True)]
        rest = [p[int(t) :] for p, t in zip(pieces, case.fold.test.start, strict=True)]
        natural = max((run.length for run in common_runs(cut, cut, _BLOCK, _DIFFERENT)), default=0)
        runs = [r for r in common_runs(cut, rest, _BLOCK, _DIFFERENT) if r.length >= max(2 * _BLOCK, 2 * natural)]
        if not runs:
            continue
        rows = np.concatenate(
            [starts[r.second] + case.fold.test.start[r.second] + r.at + np.arange(r.length) for r in runs]
        )
        rows = np.unique(rows)
        longest = max(runs, key=lambda r: r.length)
        findings.append(
            Finding(
                "repeated_block",
                LEAK,
                f"{len(rows):,} rows of {target!r} in the test part repeat rows of the training part, the longest "
                f"stretch {longest.length} rows long; by chance at most {natural} repeat",
                "remove the copied rows (a file joined twice, a gap filled with an earlier stretch?)",
                target,
                case.rows.lines(rows[:100]),
                len(rows),
            )
        )
    return findings


def leading_findings(case: SeriesCase) -> tuple[list[Finding], int]:
    """leading_series: a series that is another one some steps ahead, so that training on it shows the other's test."""
    frame = case.frame
    if len(frame.lengths) < 2:
        return [], 0
    times = frame.times()
    unique = np.unique(times)
    step = np.searchsorted(unique, times)
    starts = np.cumsum(frame.lengths) - frame.lengths
    values = frame.columns(frame.targets[:1])[:, 0]
    pieces = [_changes(values[s : s + n]) for s, n in zip(starts, frame.lengths, strict=True)]
    findings = []
    pairs: dict[tuple[int, int, int], int] = {}
    for run in common_runs(pieces, pieces, _BLOCK, _DIFFERENT, between=True):
        ahead = int(step[starts[run.second] + run.at] - step[starts[run.first] + run.from_])
        if ahead != 0:
            first, second = (run.first, run.second) if ahead > 0 else (run.second, run.first)
            key = (first, second, abs(ahead))
            pairs[key] = pairs.get(key, 0) + run.length
    for (first, second, ahead), length in pairs.items():
        shared = min(frame.lengths[first], frame.lengths[second]) - ahead
        if length < 0.5 * shared or length < 2 * _BLOCK:
            continue
        rows = starts[first] + np.arange(frame.lengths[first])
        findings.append(
            Finding(
                "leading_series",
                LEAK,
                f"series {frame.ids[first]!r} is series {frame.ids[second]!r} {ahead} steps ahead of time: whoever "
                "trains on the one has read the test rows of the other",
                "leave one of the two out, or move the leading one to when its values were known",
                frame.id,
                case.rows.lines(rows[:100]),
                int(length),
            )
        )
    return findings, len(frame.lengths) * (len(frame.lengths) - 1) // 2


def _changes(values: np.ndarray) -> np.ndarray:
    """Each change beside the one before it, as an angle, rounded: the same for a copy in another unit."""
    changes = np.diff(values)
    return np.round(np.arctan2(changes[1:], changes[:-1]), 4) + 0.0


def describe_case(experiment: Any, rows: FileRows) -> SeriesCase:
    """The case of a forecasting experiment."""
    return SeriesCase(
        experiment.frame, experiment.folds[0], experiment.lookback, experiment.horizon, experiment.season, rows
    )

"""Does the pipeline itself keep test rows out? Test rows are changed beyond recognition, and nothing may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from ...tasks import Experiment
from .finding import LEAK, Finding


def pipeline_fit_findings(experiment: Experiment) -> list[Finding]:
    """pipeline_fit: what the pipeline learnt must be the same whatever the test rows hold."""
    data: Any = experiment.prepare(0)
    changed = changed_test_rows(experiment.frame, data.fold)
    other: Any = experiment.task.open(changed, folds=experiment.n_folds).prepare(0)
    before, after = data.pipeline.to_config(), other.pipeline.to_config()
    differing = [name for name in before if before[name] != after.get(name)]
    if not differing:
        return []
    return [
        Finding(
            "pipeline_fit",
            LEAK,
            f"the pipeline's {', '.join(differing)} change with the test rows: it was fitted on them",
            "fit scaling, vocabulary and classes on training rows only",
            count=1,
        )
    ]


def reads_future_findings(experiment: Any) -> list[Finding]:
    """reads_future: the inputs of the first test window must not change with the rows after its cutoff."""
    data = experiment.prepare(0)
    changed = changed_test_rows(experiment.frame, data.fold)
    if np.array_equal(_first_inputs(data, experiment.frame), _first_inputs(data, changed), equal_nan=True):
        return []
    return [
        Finding(
            "reads_future",
            LEAK,
            "the inputs of the first test window change with rows after it: it reads the future",
            "fill gaps, smooth and scale from earlier rows only",
            count=1,
        )
    ]


def _first_inputs(data: Any, frame: SeriesFrame) -> np.ndarray:
    batches = data.pipeline.batches(data.pipeline.encode(frame), data.fold.test)
    first = next(iter(batches.dataset(batch_size=1)))[0]
    return np.asarray(first["values"])


def changed_test_rows(frame: Any, fold: Any) -> Any:
    """The same frame with other inputs in its test rows."""
    if isinstance(frame, SeriesFrame):
        return _changed_series(frame, fold.test.start)
    change: Callable[[Any], Any] = _changed_values if isinstance(frame, PanelFrame) else _changed_text
    if isinstance(frame, CorpusFrame):
        return _changed_corpus(frame)
    tested = set(fold.test.tolist())
    inputs = [change(own) if i in tested else own for i, own in enumerate(frame.inputs)]
    if isinstance(frame, PanelFrame):
        return replace(frame, values=inputs)
    if isinstance(frame, TextFrame):
        texts = np.empty(len(inputs), dtype=object)
        texts[:] = inputs
        return replace(frame, texts=texts)
    return frame


def _changed_series(frame: SeriesFrame, start: np.ndarray) -> SeriesFrame:
    place = np.arange(len(frame.table)) - np.repeat(np.cumsum(frame.lengths) - frame.lengths, frame.lengths)
    after = place >= np.repeat(start, frame.lengths)
    table = frame.table.copy()
    for name in (*frame.targets, *frame.past_covariates):
        if table[name].dtype.kind == "f":
            values = table[name].to_numpy(copy=True)
            values[after] = values[after] * 7.0 + 1000.0
            table[name] = values
    return replace(frame, table=table)


def _changed_corpus(frame: CorpusFrame) -> CorpusFrame:
    """As many characters as before, in words that no text has."""
    start = frame.bounds[1]
    length = len(frame) - start
    return replace(frame, text=frame.text[:start] + ("zzqx " * (length // 5 + 1))[:length])


def _changed_values(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, float) * 7.0 + 1000.0


def _changed_text(text: Any) -> Any:
    return "zzqx " * 5 + text if isinstance(text, str) else ["zzqx"] * len(text)

"""Audit some data before anything is trained: does the test part know what it should not?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...comparison.settings import open_experiment
from ...errors import InputError
from ...frames import CorpusFrame, Frame, PanelFrame, SeriesFrame, TextFrame
from . import corpus_checks, label_checks, pipeline_checks, series_checks
from .copies import ExampleCase, duplicate_findings, group_findings, overlap_findings
from .finding import KINDS, LEAK, NOTE, WARNING, Audit, Finding
from .lines import FileRows

_SEVERITIES = (LEAK, WARNING, NOTE)
_OF_SERIES = (
    "target_copy",
    "target_shift",
    "target_smoothed",
    "repeated_block",
    "scaled_on_all_rows",
    "leading_series",
    "identifier",
    "pipeline_fit",
    "reads_future",
)
_OF_TEXTS = ("duplicate", "near_duplicate", "label_in_text", "identifier", "pipeline_fit")
_OF_PANELS = (
    "duplicate",
    "near_duplicate",
    "identifier",
    "scaled_on_all_rows",
    "overlapping_windows",
    "pipeline_fit",
)
OnSentence = Callable[[str], None]


def audit(
    source: str | Path | Frame,
    *,
    group: str | None = None,
    time: Any = None,
    on_progress: OnSentence = lambda _: None,
    **roles: Any,
) -> Audit:
    """Look for leaks: ways in which the test part tells the training, or an input the answer, what it should not know.

    Args:
        source: a file, a data set's name, or a frame.
        group: column that says which examples belong together (a patient, an author, a machine); folds keep them
            together, as those of :func:`recurra.compare` with the same role do.
        time: the time column of series; of texts and panels a column that says when each was made.
        on_progress: called with a sentence now and then.
        **roles: columns and settings as in :func:`recurra.compare`.

    Returns:
        The audit; ``audit.leaks`` is empty where nothing makes scores too good.

    Raises:
        InputError: anything in the source or the roles that the user can fix.

    Example:
        >>> recurra.diagnostics.audit("reviews.csv", text="review", label="stars", test="new.csv").leaks
        []

    Source: Kapoor & Narayanan (2023), Leakage and the reproducibility crisis in machine-learning-based science.
    """
    roles = {name: value for name, value in roles.items() if value is not None}
    on_progress(f"reading {source}")
    if group is not None:
        roles["group"] = group
    experiment, dated = _open(source, time, roles)
    frame = experiment.frame
    if isinstance(frame, TextFrame):
        frame.refuse_stored("an audit")
    rows = FileRows(str(source) if not isinstance(source, Frame) else "", frame, {**roles, "time": time})
    if isinstance(frame, SeriesFrame):
        return _of_series(experiment, rows, on_progress)
    if isinstance(frame, CorpusFrame) or experiment.task.name == "language-model":
        return _of_language(experiment, rows, on_progress)
    return _of_examples(experiment, rows, time if dated else None, on_progress)


def _open(source: Any, time: Any, roles: dict[str, Any]) -> tuple[Any, bool]:
    """The experiment, and whether `time` is a date of examples rather than a role of the frame."""
    of_examples = {"text", "label", "value", "tags"} & roles.keys() and "id" not in roles
    if time is not None and not of_examples and not isinstance(source, Frame):
        try:
            opened = open_experiment(source, needs_family=False, time=time, **_settings(roles))[0]
        except InputError:
            opened = open_experiment(source, needs_family=False, **_settings(roles))[0]
            if isinstance(opened.frame, SeriesFrame):
                raise
            return opened, True
        return opened, isinstance(opened.frame, PanelFrame)
    return open_experiment(source, needs_family=False, **_settings(roles))[0], time is not None


def _settings(roles: dict[str, Any]) -> dict[str, Any]:
    return {**roles, "families": (), "baselines": roles.get("baselines", ())}


def _of_series(experiment: Any, rows: FileRows, on_progress: OnSentence) -> Audit:
    experiment.check()
    case = series_checks.describe_case(experiment, rows)
    on_progress("covariates")
    findings, looked = series_checks.covariate_findings(case)
    on_progress("copied blocks and scaling")
    findings += series_checks.block_findings(case)
    findings += series_checks.scaling_findings(case)
    findings += series_checks.identifier_findings(case)
    on_progress("series that run ahead of others")
    leading, pairs = series_checks.leading_findings(case)
    findings += leading
    on_progress("the pipeline itself")
    findings += pipeline_checks.pipeline_fit_findings(experiment)
    findings += pipeline_checks.reads_future_findings(experiment)
    frame = experiment.frame
    skipped = {kind: "it is about texts and panels, and these are series" for kind in KINDS if kind not in _OF_SERIES}
    checked = list(_OF_SERIES)
    if not case.numeric((*frame.past_covariates, *frame.future_covariates)):
        for kind in ("target_copy", "target_shift", "target_smoothed"):
            checked.remove(kind)
            skipped[kind] = "there is no covariate of numbers"
    if len(frame.lengths) < 2:
        checked.remove("leading_series")
        skipped["leading_series"] = "there is only one series"
    return _audit(frame, findings, checked, skipped, looked + pairs + len(frame.targets))


def _of_examples(experiment: Any, rows: FileRows, time: Any, on_progress: OnSentence) -> Audit:
    frame: TextFrame | PanelFrame = experiment.frame
    folds = [(np.concatenate([f.train, f.validation]), f.test) for f in experiment.folds]
    case = ExampleCase(frame, folds, frame.is_test is not None, rows)
    checked = list(_OF_TEXTS if isinstance(frame, TextFrame) else _OF_PANELS)
    on_progress("duplicates")
    findings, looked = duplicate_findings(case), len(frame)
    on_progress("labels in the inputs")
    for check in (label_checks.label_in_text_findings, label_checks.identifier_findings):
        found, tried = check(case)
        findings += found
        looked += tried
    findings += overlap_findings(case)
    findings += label_checks.panel_scaling_findings(case)
    on_progress("the pipeline itself")
    findings += pipeline_checks.pipeline_fit_findings(experiment)
    skipped = {kind: "it is about series" for kind in _OF_SERIES if kind not in checked}
    skipped["overlapping_windows"] = "texts are not windows of numbers"
    skipped["label_in_text"] = "there is no text"
    if time is None:
        skipped |= dict.fromkeys(("test_before_training", "time_tells_label"), "no column of dates was named (`time`)")
    else:
        findings += label_checks.time_findings(case, str(time), _column(rows, str(time), frame))
        checked += ["test_before_training", "time_tells_label"]
    if frame.groups is None:
        skipped["group_overlap"] = "no column of groups was named (`group`)"
    else:
        findings += group_findings(case, str(frame.roles.get("group", "groups")), frame.groups)
        checked.append("group_overlap")
    return _audit(frame, findings, checked, {k: w for k, w in skipped.items() if k not in checked}, looked)


def _of_language(experiment: Any, rows: FileRows, on_progress: OnSentence) -> Audit:
    """A long text, or lines: nothing but the text itself may leak."""
    frame, folds = experiment.frame, experiment.folds
    on_progress("copied passages")
    if isinstance(frame, CorpusFrame):
        checked = ["repeated_block", "pipeline_fit"]
        findings = corpus_checks.passage_findings(frame, experiment.task.tokens)
    else:
        checked = ["duplicate", "near_duplicate", "pipeline_fit"]
        parts = [(np.concatenate([f.train, f.validation]), f.test) for f in folds]
        findings = duplicate_findings(ExampleCase(frame, parts, frame.is_test is not None, rows))
    on_progress("the pipeline itself")
    findings += pipeline_checks.pipeline_fit_findings(experiment)
    skipped = dict.fromkeys(KINDS, "the next word is the text's own, not a column that something could give away")
    return _audit(frame, findings, checked, {k: w for k, w in skipped.items() if k not in checked}, len(frame))


def _column(rows: FileRows, name: str, frame: TextFrame | PanelFrame) -> np.ndarray:
    column = rows.column(name)
    if column is None:
        raise InputError(f"{frame.source}: no column is called {name!r}; name one of the file's columns")
    return column


def _audit(frame: Any, findings: list[Finding], checked: list[str], skipped: dict[str, str], looked: int) -> Audit:
    ordered = sorted(findings, key=lambda f: (_SEVERITIES.index(f.severity), KINDS.index(f.kind)))
    in_order = {kind: skipped[kind] for kind in KINDS if kind in skipped}
    return Audit(frame.source, ordered, [kind for kind in KINDS if kind in checked], in_order, looked, frame.notes)

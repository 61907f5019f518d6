"""The job that a source and a task call for."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from .. import datasets
from ..errors import InputError
from ..frames import CorpusFrame, PanelFrame, SeriesFrame, TextFrame
from .example_job import ExampleJob
from .language_job import LanguageJob
from .series_job import SeriesJob
from .settings import Settings, parse_budget
from .variants import parse_settings

Frame = SeriesFrame | TextFrame | PanelFrame | CorpusFrame
JOBS: dict[str, type[SeriesJob] | type[ExampleJob] | type[LanguageJob]] = {
    "forecast": SeriesJob,
    "classification": ExampleJob,
    "regression": ExampleJob,
    "tagging": ExampleJob,
    "language-model": LanguageJob,
}


def make_job(source: str | Path | Frame, *, task: str | None = None, **options: Any) -> Any:
    """Read the source and set up the job.

    Args:
        source: a frame, a data set's name, or a file.
        task: one of :data:`JOBS`; by default what the source's columns ask for.
        **options: column roles where `source` is read here (see :func:`recurra.load`); fields of ``Settings`` and of
            the task's own settings. None leaves a choice to its rule.

    Raises:
        InputError: anything in the source or the options that the user can mend.
    """
    if task is not None and task not in JOBS:
        raise InputError(f"--task takes {', '.join(JOBS)}; received {task!r}")
    options = {name: value for name, value in options.items() if value is not None}
    if not isinstance(source, Frame):
        source = datasets.load(source, task=task, **_roles(options))
    frame = source
    task = task_of(frame, task)
    job: Any = JOBS[task]
    common = {f.name for f in fields(Settings)}
    own = {f.name for f in fields(job.task_settings)}
    if unknown := sorted(set(options) - common - own):
        known = ", ".join(_flag(name) for name in sorted(common | own))
        raise InputError(f"{_flag(unknown[0])} says nothing for the task {task}, which has {known}")
    chosen = job.defaults(frame) | {name: value for name, value in options.items() if name in common}
    chosen |= {name: tuple(chosen[name]) for name in ("families", "baselines")}
    chosen["budget"] = parse_budget(chosen.get("budget"))
    if isinstance(chosen.get("config"), list):
        chosen["config"] = parse_settings(chosen["config"])
    settings = Settings(**chosen)
    return job(frame, settings, {name: value for name, value in options.items() if name in own})


def task_of(frame: Frame, task: str | None) -> str:
    """The task asked for, or the one that a frame's targets ask for.

    Raises:
        InputError: if the frame has nothing to be learnt for it.
    """
    found = {SeriesFrame: "forecast", CorpusFrame: "language-model"}.get(type(frame)) or getattr(frame, "task", None)
    if task == "language-model" and isinstance(frame, TextFrame) and frame.kind == "text":
        return task
    if found is None:
        raise InputError(
            f"{frame.source}: nothing was named that is to be learnt; name a column with --label, --value or --tags, "
            "or choose --task language-model"
        )
    if task is not None and task != found:
        raise InputError(f"{frame.source} was read for {found}, so --task {task} does not fit it; leave --task out")
    return found


def _flag(name: str) -> str:
    return "--set" if name == "config" else f"--{name.replace('_', '-')}"


def _roles(options: dict[str, Any]) -> dict[str, Any]:
    """Take the column roles out of the options."""
    return {name: options.pop(name) for name in datasets.ROLES if name in options}

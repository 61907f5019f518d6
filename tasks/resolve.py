"""From a task's name, typed settings or plain keywords, and the data, to the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ..errors import InputError
from ..frames import CorpusFrame, Frame, SeriesFrame, TextFrame
from ..frames.targets import TASK_OF_ROLE
from .protocol import Task


def resolve_task(frame: Frame, task: str | Task | None, settings: Mapping[str, Any]) -> Task:
    """The task asked for, or the one that a frame's targets ask for, with its settings.

    Args:
        frame: the data.
        task: a name, typed settings, or None.
        settings: plain keywords; they replace those of typed settings.

    Raises:
        InputError: an unknown task, one that does not fit the frame, or a setting that it does not have.
    """
    from . import TASKS

    if task is None or isinstance(task, str):
        made = TASKS[_name_for(frame, task)]
        _check_names(made, settings)
        return made(**settings)
    _check_fit(frame, task.name)
    _check_names(type(task), settings)
    return replace(task, **settings)  # type: ignore[type-var]  # every task is a dataclass


def setting_names(task: type[Task]) -> list[str]:
    """Names of a task's settings."""
    return [field.name for field in fields(task)]  # type: ignore[arg-type]  # every task is a dataclass


def list_baselines(task: str = "forecast", frame: Frame | None = None) -> list[str]:
    """Names of a task's baselines, the simplest first.

    Args:
        task: a key of ``TASKS``.
        frame: only those that can read this frame, and whose library is installed.

    Raises:
        InputError: an unknown task.

    Example:
        >>> list_baselines()
        ['naive', 'seasonal_naive', 'naive2', 'drift', 'theta', 'ets']
    """
    return task_class(task).list_baselines(frame)


def task_class(name: str) -> type[Task]:
    """The task of that name.

    Raises:
        InputError: an unknown task, with those there are.
    """
    from . import TASKS

    if name not in TASKS:
        raise InputError(f"`task` must be one of {', '.join(TASKS)}; received {name!r}")
    return TASKS[name]


def task_of_data(name: str) -> str:
    """The task that data are read for: what is learnt from labels reads what classification reads.

    Raises:
        InputError: an unknown task.
    """
    role = task_class(name).role
    return name if role is None else TASK_OF_ROLE[role]


def _name_for(frame: Frame, task: str | None) -> str:
    if task is not None:
        task_class(task)
        _check_fit(frame, task)
        return task
    return found_task(frame) or _refuse(frame)


def found_task(frame: Frame) -> str | None:
    """What a frame's targets ask for."""
    if isinstance(frame, SeriesFrame):
        return "forecast"
    return "language-model" if isinstance(frame, CorpusFrame) else frame.task


def _refuse(frame: Frame) -> str:
    raise InputError(
        f"{frame.source}: no column was named that is to be learnt; name it with `label`, `value` or `tags`, or choose "
        "`task` language-model"
    )


def _check_fit(frame: Frame, task: str) -> None:
    if task_class(task).accepts(frame):
        return
    found = found_task(frame)
    if found is None and isinstance(frame, TextFrame):
        _refuse(frame)
    raise InputError(f"{frame.source} was read for {found}, so `task` {task} does not fit it; leave `task` out")


def _check_names(task: type[Task], settings: Mapping[str, Any]) -> None:
    known = setting_names(task)
    if unknown := sorted(set(settings) - set(known)):
        names = ", ".join(f"`{name}`" for name in known)
        raise InputError(f"`{unknown[0]}` does not apply to the task {task.name}, which has {names}")

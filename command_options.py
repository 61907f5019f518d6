"""Options of the command line, made from the annotated fields of the settings: one place for type, help and default.

A setting is a field ``name: Annotated[type, "help"] = default`` of a task, of ``CompareSettings`` or of
``ColumnRoles``; its option, its row in docs/command-line.md and its name in messages follow from that.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from .comparison.settings import CompareSettings
from .serving.command import FLAGS
from .tasks import TASKS


@dataclass(frozen=True)
class ColumnRoles:
    """What the columns of a table are, and which rows are tested; see :func:`recurra.load`."""

    task: Annotated[
        str | None,
        "forecast, classification, regression, tagging or language-model; by default what the columns ask for.",
    ] = None
    time: Annotated[
        str | None,
        "Time column; parts such as year,month,day, year,week or year,quarter; Date,Time; or none for row numbers.",
    ] = None
    target: Annotated[tuple[str, ...] | None, "Columns to forecast; by default y or the only numeric column."] = None
    id: Annotated[
        str | None,
        "Column that tells the series, sequences or texts apart; also several, such as store,item, save of texts.",
    ] = None
    past_covariates: Annotated[tuple[str, ...] | None, "Covariates known only up to now."] = None
    future_covariates: Annotated[tuple[str, ...] | None, "Covariates known ahead."] = None
    freq: Annotated[str | None, "Step of time, such as h or MS; otherwise inferred."] = None
    decimal: Annotated[
        str | None, "Decimal sign of the numbers in a series' file, '.' or ','; by default as the cells show."
    ] = None
    memory: Annotated[
        str | None,
        "What the rows of Parquet, or of texts in a .csv, may take, such as 2GB: series and texts that are larger are "
        "read in streams; by default half of the free memory.",
    ] = None
    text: Annotated[str | None, "Column of texts."] = None
    label: Annotated[str | None, "Column of classes to predict; for a language model, the class of each text."] = None
    value: Annotated[str | None, "Column of numbers to predict, one for each text or sequence."] = None
    tags: Annotated[str | None, "Column of the class of each step."] = None
    values: Annotated[str | None, "Column of lists of numbers, one sequence per row."] = None
    channels: Annotated[tuple[str, ...] | None, "Columns of numbers, one step per row."] = None
    test: Annotated[str | None, "A second file like the first: the held-out test set."] = None
    split: Annotated[str | None, "Column that says train or test."] = None
    group: Annotated[
        str | None,
        "Column that says which texts or sequences belong together, such as a patient or a film: folds never split a "
        "group.",
    ] = None


@dataclass(frozen=True)
class Setting:
    """An option of the command line.

    Attributes:
        name: of the parameter in Python and in JSON.
        type: int, float, str, bool, or tuple for lists.
        help: what it does, and its default.
        panel: heading that it stands under.
        default: of the parameter in Python.
    """

    name: str
    type: type
    help: str
    panel: str
    default: Any = None

    @property
    def flag(self) -> str:
        """As it is written on the command line."""
        return _FLAGS.get(self.name, f"--{self.name.replace('_', '-')}")

    def parameter(self) -> inspect.Parameter:
        """As typer reads it; None where it was not given."""
        kind: Any = list[str] | None if self.type is tuple else self.type | None
        # what is on already can only be turned off
        flag = f"{self.flag}/--no-{self.flag[2:]}" if self.default is True else self.flag
        option = typer.Option(flag, help=self.help, rich_help_panel=self.panel)
        keyword = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(self.name, keyword, default=None, annotation=Annotated[kind, option])


_FLAGS = {"config": "--set"}
_COLUMNS, _READING, _COMPARING = "What is learnt", "How it is read", "How it is compared"
# How settings are written where that is not how they are kept.
_WRITTEN = {"budget": str, "config": tuple}


def settings_of(made: type, panel: str) -> dict[str, Setting]:
    """The options that a settings class has, by name."""
    hints = get_type_hints(made, include_extras=True)
    found = {}
    for field in fields(made):
        kind, text = get_args(hints[field.name])
        kind = next(part for part in (get_args(kind) or (kind,)) if part is not type(None)) if _optional(kind) else kind
        kind = _WRITTEN.get(field.name, get_origin(kind) or kind)
        found[field.name] = Setting(field.name, kind, text, panel, field.default)
    return found


def _optional(kind: Any) -> bool:
    return type(None) in get_args(kind)


def _of_tasks() -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for task in TASKS.values():
        found |= {name: own for name, own in settings_of(task, _READING).items() if name not in found}
    return found


ROLES = settings_of(ColumnRoles, _COLUMNS)
TASK_SETTINGS = _of_tasks()
COMPARE_SETTINGS = settings_of(CompareSettings, _COMPARING)
COMPARE = {**ROLES, **TASK_SETTINGS, **COMPARE_SETTINGS}
# Nothing is trained in an audit.
AUDIT = {**ROLES, **TASK_SETTINGS, "folds": COMPARE_SETTINGS["folds"]}
# What makes sense where one family is trained on all data.
_NOT_FOR_FIT = ("families", "baselines", "folds", "seeds", "configs", "test_size", "max_origins", "mix")
FIT = {name: setting for name, setting in COMPARE.items() if name not in _NOT_FOR_FIT}
# Options of the other commands, for messages that name them.
_OTHERS = FLAGS | {
    name: f"--{name.replace('_', '-')}"
    for name in (
        "family",
        "seed",
        "jobs",
        "backend",
        "scheduler",
        "export",
        "out",
        "output",
        "distances",
        "length",
        "temperature",
        "show",
        "top_k",
        "samples",
        "json",
        "report",
    )
}


def with_options(settings: Mapping[str, Setting]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each setting; the function takes them as ``**options``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        added = [setting.parameter() for setting in settings.values()]
        parameters = [*own, *added]
        command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        return command

    return decorate


def given_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was really given, lists taken apart: {"families": ["a,b"], "seeds": None} → {"families": ("a", "b")}."""
    given = {name: value for name, value in options.items() if value is not None and value not in ((), [])}
    return {
        name: _items(name, list(value)) if isinstance(value, list | tuple) else value for name, value in given.items()
    }


def _items(name: str, values: list[str]) -> list[str] | tuple[str, ...]:
    if name == "config":
        return list(values)
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def as_flags(text: str) -> str:
    """Name options as they are written here: "`horizon` must be ..." → "--horizon must be ..."."""
    return re.sub(r"`([a-z_]+)`", lambda match: flag_of(match[1]) or match[0], text)


def flag_of(name: str) -> str | None:
    """How a parameter is written on the command line; None where it is no option."""
    return COMPARE[name].flag if name in COMPARE else _OTHERS.get(name)

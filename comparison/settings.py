"""Settings that every task has; whatever is not given is derived from the data by a stated rule."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from .. import datasets
from ..errors import InputError
from ..frames import Frame, SeriesFrame
from ..tasks import TASKS, Experiment, Task, resolve_task, task_of_data
from ..tasks.resolve import setting_names
from ..tasks.settings import require_at_least_one, require_one_of

# Where nobody says how many: fitting one takes seconds at most, where a network takes minutes; and a wrong strength of
# the penalty makes the strongest of them worthless.
_CONFIGS_OF_A_BASELINE = 4
# What tells how long a network is trained once more.
NO_REFIT, CROSS_VALIDATION = "none", "cross-validation"
REFITS = (NO_REFIT, "validation", CROSS_VALIDATION)


@dataclass(frozen=True)
class CompareSettings:
    """What every comparison has.

    A family may come with settings of its own, as in ``"dense:feedback=1+units=32"``; `config` holds settings for every
    family that has them, such as ``{"units": 32}``.
    """

    families: Annotated[
        tuple[str, ...],
        "Families to train, by default all that can do the task; with settings of its own a family is a variant, such "
        "as dense:units=32+dropout=0.1.",
    ]
    baselines: Annotated[tuple[str, ...], "Models to beat, by default those of the task that are fitted quickly."]
    folds: Annotated[int, "Cutoffs, or test sets that take turns; a held-out test set is tested once."] = 3
    seeds: Annotated[int, "Repetitions of each training."] = 3
    configs: Annotated[
        int | None,
        "Configurations tried of each family and baseline: its defaults and random draws, chosen on validation data; "
        "by default 1 of a family and 4 of a baseline, whose trials take seconds.",
    ] = None
    budget: Annotated[
        float | None,
        "Time for all training together and the compiling before it, such as 90s, 10m or 1h; every family may use an "
        "equal share.",
    ] = None
    max_epochs: Annotated[
        int | None, "The most epochs of a training; by default 100 for forecasts, otherwise about 30,000 steps."
    ] = None
    patience: Annotated[
        int | None,
        "Epochs without improvement that end a training; by default 9 for forecasts, otherwise about 600 steps.",
    ] = None
    batch_size: Annotated[
        int | None, "Windows or examples in a training step; by default 32, and 128 from 8,192 windows on."
    ] = None
    config: Annotated[
        dict[str, Any] | None, "A setting of the families, such as units=32, for every family that has it."
    ] = None

    mix: Annotated[
        str | None,
        "Mix every network with a baseline, as a model of its own: auto (the best on validation data), a baseline's "
        "name, or none; by default auto for labels of texts and for language models, none elsewhere.",
    ] = None

    refit_folds: Annotated[
        str,
        "Train every network once more on training and validation part before it is scored, as baselines are, for as "
        "many steps as were best by the validation part (validation) or by cross-validation of both; or none. By "
        "default validation for fewer than 1,000 texts or sequences, otherwise none.",
    ] = NO_REFIT

    strategy: Annotated[
        str | None, "mirrored: one training on several devices, each with a part of every batch; by default on one."
    ] = None

    @property
    def refit_notes(self) -> list[str]:
        """What is said of refits, where there are any."""
        if self.refit_folds == NO_REFIT:
            return []
        steps = "its best epoch took" if self.refit_folds != CROSS_VALIDATION else "were best by cross-validation"
        return [
            f"every network was trained once more on training and validation part, for as many steps as {steps} "
            "(`refit_folds`)"
        ]

    def __post_init__(self) -> None:
        if self.strategy not in (None, "mirrored"):
            raise InputError(f"`strategy` must be mirrored; received {self.strategy!r}")
        require_one_of("refit_folds", self.refit_folds, REFITS)
        require_at_least_one(self, "folds", "seeds", "configs", "max_epochs", "patience", "batch_size")

    @property
    def configs_of_a_family(self) -> int:
        """Configurations tried of each family."""
        return self.configs or 1

    @property
    def configs_of_a_baseline(self) -> int:
        """Configurations tried of each baseline, where it has as many."""
        return self.configs or _CONFIGS_OF_A_BASELINE

    def check_models(self, task: Task, baselines: Collection[str], *, needs_family: bool) -> None:
        """Refuse unknown models and settings before anything is trained.

        Args:
            task: what the models are for.
            baselines: names that the task has for the data.
            needs_family: whether a family has to be among the models.
        """
        from ..models import check_config, known_settings, list_families, parse_variant

        if self.strategy is not None and task.training.fixed_batch_size:
            raise InputError(
                f"`strategy` does not apply to {task.name}: its state is carried from batch to batch; leave it out"
            )
        if needs_family and not self.families:
            raise InputError(f"`families` must name a family; choose from {', '.join(list_families(task.output_kind))}")
        known_families = list_families(task.output_kind)
        _check_known("families", [name.partition(":")[0] for name in self.families], known_families)
        _check_known("baselines", self.baselines, baselines)
        for option, names in (("families", self.families), ("baselines", self.baselines)):
            if len(set(names)) < len(names):
                raise InputError(f"`{option}` must name each model once; received {', '.join(names)}")
        if self.mix not in (None, "none", "auto", *self.baselines):
            near = ", ".join(self.baselines) or "none was chosen"
            raise InputError(
                f"`mix` must be none, auto or one of the baselines compared ({near}); received {self.mix!r}"
                f"{_meant(str(self.mix), ('none', 'auto', *self.baselines))}"
            )
        variants = [parse_variant(name, task.output_kind) for name in self.families]
        takes = {family: known_settings(family, task.output_kind) for family, _ in variants}
        if unknown := sorted(set(self.config or {}) - set().union(*takes.values())):
            there_are = ", ".join(sorted(set().union(*takes.values())))
            raise InputError(f"`config` must be settings of the chosen families ({there_are}); received {unknown[0]!r}")
        for family, own in variants:
            shared = {name: value for name, value in (self.config or {}).items() if name in takes[family]}
            check_config(family, task.output_kind, shared | own)
            if (shared | own).get("second_embedding") and getattr(task, "vectors", None) is None:
                raise InputError("`second_embedding` stands beside `vectors`; give `vectors`, or leave it out")
            offset = (shared | own).get("offset")
            if offset not in (None, "auto", *self.baselines):
                raise InputError(
                    f"`offset` must be auto or one of the baselines compared ({', '.join(self.baselines) or 'none'}); "
                    f"received {offset!r}{_meant(str(offset), ('auto', *self.baselines))}"
                )

    def not_mixed(self) -> list[str]:
        """A sentence about the families that `mix` leaves as they are, because they contain a baseline already."""
        inside = [name for name in self.families if offset_of(name, self.config) is not None]
        if self.mix in (None, "none") or not inside:
            return []
        return [f"`mix` does not apply to {' and '.join(inside)}: with `offset` a baseline is inside already"]


def offset_of(family: str, config: Mapping[str, Any] | Iterable[str] | None) -> str | None:
    """The offset that a variant, or the settings given to all families, name."""
    from ..models import parse_variant

    pairs = config if isinstance(config, Mapping) else dict(pair.split("=", 1) for pair in config or () if "=" in pair)
    return parse_variant(family)[1].get("offset", pairs.get("offset"))


def open_experiment(
    source: str | Path | pd.DataFrame | Frame,
    *,
    task: str | Task | None = None,
    needs_family: bool = True,
    **options: Any,
) -> tuple[Experiment, CompareSettings]:
    """Read the source, and sort the options: column roles, settings of the task, settings of the comparison.

    Args:
        source: a frame, a table, a data set's name, or a file.
        task: a key of ``TASKS`` or typed settings; by default what the source's columns ask for.
        needs_family: whether a family has to be among the models.
        **options: column roles where `source` is read here (see :func:`recurra.load`); fields of
            :class:`CompareSettings` and of the task. None leaves a choice to its rule.

    Raises:
        InputError: anything in the source or the options that the user can fix.
    """
    options = {name: value for name, value in options.items() if value is not None}
    frame = source if isinstance(source, Frame) else _load(source, task, options)
    common = {f.name for f in fields(CompareSettings)}
    own = {name: value for name, value in options.items() if name not in common}
    _check_spelling(own, common)
    resolved = resolve_task(frame, task, own)
    _check_baselines(resolved, frame, options.get("baselines", ()))
    settings = _settings(resolved, frame, {name: value for name, value in options.items() if name in common})
    settings.check_models(resolved, type(resolved).list_baselines(frame), needs_family=needs_family)
    experiment = resolved.open(frame, folds=settings.folds, batch_size=settings.batch_size)
    experiment.notes.extend(settings.not_mixed() if "mix" in options else [])
    return experiment, settings


def _check_baselines(task: Task, frame: Frame, named: Collection[str]) -> None:
    """Refuse baselines that there are, but not for these data, with the reason."""
    here = type(task).list_baselines(frame)
    for name in named:
        if name in type(task).list_baselines() and name not in here:
            stored = isinstance(frame, SeriesFrame) and frame.stored is not None
            why = (
                "reads all rows at once, and these are larger than `memory`; leave it out, or give more"
                if stored
                else f"cannot read such data, or needs a library that is not installed; choose from {', '.join(here)}"
            )
            raise InputError(f"{frame.source}: the baseline {name} {why}")


def _load(source: str | Path | pd.DataFrame, task: str | Task | None, options: dict[str, Any]) -> Frame:
    """Read the source, and take the column roles out of the options."""
    roles = {name: options.pop(name) for name in datasets.ROLES if name in options}
    name = task if task is None or isinstance(task, str) else task.name
    return datasets.load(source, task=None if name is None else task_of_data(name), **roles)


def _settings(task: Task, frame: Frame, given: Mapping[str, Any]) -> CompareSettings:
    """The settings given, the task's own defaults for the rest."""
    from ..models import default_families, parse_settings

    training = task.training
    chosen: dict[str, Any] = {
        "families": default_families(task.output_kind),
        "baselines": type(task).default_baselines(frame),
        "max_epochs": training.max_epochs,
        "patience": training.patience,
        "mix": "auto" if type(task).mixes(frame) else "none",
        "refit_folds": "validation" if type(task).refits(frame) else NO_REFIT,
    } | dict(given)
    chosen |= {name: tuple(chosen[name]) for name in ("families", "baselines")}
    chosen["budget"] = parse_budget(chosen.get("budget"))
    if isinstance(chosen.get("config"), list | tuple):
        families = [name.partition(":")[0] for name in chosen["families"]]
        chosen["config"] = parse_settings(chosen["config"], families, task.output_kind)
    return CompareSettings(**chosen)


def parse_budget(text: str | float | None) -> float | None:
    """Read "90s", "10m", "1.5h" or seconds as seconds."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(text))
    if not match or float(match[1]) <= 0:
        raise InputError(f"`budget` must be a time such as 90s, 10m or 1h; received {text!r}")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _check_known(option: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = _meant(name, known) or _elsewhere(name)
            raise InputError(f"`{option}` must be some of {', '.join(known)}; received {name!r}{near}")


def _elsewhere(name: str) -> str:
    """The tasks that a baseline is for, where it is one of others."""
    tasks = [task for task, kind in TASKS.items() if name in kind.list_baselines()]
    return (
        f", a baseline of other tasks ({', '.join(tasks)}): set `task` if it is meant to be one of them"
        if tasks
        else ""
    )


def _meant(name: str, known: Collection[str]) -> str:
    """A question after the name that was not found, where one of the known ones is spelt nearly like it."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _check_spelling(names: Iterable[str], common: Collection[str]) -> None:
    """Refuse names that no task knows but that look like one of the settings."""
    known = {*common, *(name for task in TASKS.values() for name in setting_names(task))}
    for name in names:
        if name not in known and (near := difflib.get_close_matches(name, known, n=1, cutoff=0.8)):
            raise InputError(f"there is no setting `{name}`; did you mean `{near[0]}`?")

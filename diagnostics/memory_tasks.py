"""Memory tasks: where each family forgets, on synthetic sequences whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..atomic import replacing
from ..comparison.identity import check_identity
from ..comparison.progress import OnProgress, ignore
from ..comparison.run import Run
from ..comparison.settings import open_experiment, parse_budget
from ..comparison.trials import Outcome, cut_short
from ..comparison.workers import run_trials
from ..datasets import synthetic_sequences
from ..display import html
from ..errors import InputError
from ..frames import PanelFrame, TextFrame
from ..models import known_settings, parse_variant

DISTANCES = (5, 10, 20, 50, 100, 200)
# A sum counts as right when it is this near (Hochreiter & Schmidhuber 1997, section 5.4).
_NEAR = 0.04
_SYMBOLS = 10
# The prediction is made from the last state, and every step is read by itself: pooling or segments would remember too.
_LAST_STATE = {"pooling": "last", "segment_length": 1}
# From this accuracy on, a distance counts as remembered.
REMEMBERED = 0.9


@dataclass(frozen=True)
class MemoryTask:
    """Synthetic sequences with something to remember.

    Attributes:
        draw: makes the sequences for a distance, with a held-out test set.
        accuracy: from an outcome.
        chance: accuracy of guessing.
        from_last_state: whether there is one prediction per sequence, after its last step.
    """

    draw: Callable[[int], TextFrame | PanelFrame]
    accuracy: Callable[[Outcome], float]
    chance: float
    from_last_state: bool = True


def _recall(distance: int) -> TextFrame:
    table, source = synthetic_sequences.recall(distance), f"recall over {distance} steps"
    return TextFrame.from_table(table, text="tokens", label="label", split="split", source=source)


def _copy(distance: int) -> TextFrame:
    table, source = synthetic_sequences.copy(distance), f"copy over {distance} steps"
    return TextFrame.from_table(table, text="tokens", tags="tags", split="split", source=source)


def _adding(distance: int) -> PanelFrame:
    return PanelFrame.from_arrays(**synthetic_sequences.adding(distance), source=f"adding over {distance} steps")


MEMORY_TASKS = {
    "recall": MemoryTask(_recall, lambda outcome: float(1 - np.mean(outcome.losses)), 0.5),
    "adding": MemoryTask(_adding, lambda outcome: float(np.mean(outcome.losses < _NEAR)), 2 * _NEAR - _NEAR**2),
    # of the symbols, not of the blanks before them
    "copy": MemoryTask(_copy, lambda outcome: float(np.mean(outcome.example[-_SYMBOLS:])), 1 / 8, False),
}


@dataclass(frozen=True, eq=False)
class MemoryResult:
    """What each model still knew after each distance.

    Attributes:
        task: a key of ``MEMORY_TASKS``.
        rows: model, distance, seed, accuracy (on the test set), train_seconds, and stopped_by: "patience", "budget" or
            "max_epochs".
        chance: accuracy of guessing.
    """

    task: str
    rows: pd.DataFrame
    chance: float

    @property
    def table(self) -> pd.DataFrame:
        """Mean accuracy, a row per model and a column per distance; and ``remembers``, up to where it was 0.9."""
        table = self.rows.pivot_table(index="model", columns="distance", values="accuracy", sort=False)
        return table.assign(remembers=[_reach(row) for _, row in table.iterrows()])

    @property
    def cut_short(self) -> list[tuple[int, str]]:
        """How many trainings were ended by something else than the validation loss, and by what."""
        return cut_short(self.rows["stopped_by"].tolist())

    def write(self, folder: Path | str) -> list[Path]:
        """Write ``memory.json`` and ``memory.csv`` into a folder."""
        folder = Path(folder)
        with replacing(folder / "memory.csv") as path:
            self.rows.to_csv(path, index=False)
        content = {"task": self.task, "chance": self.chance, "rows": self.rows.to_dict("records")}
        with replacing(folder / "memory.json") as path:
            path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        return [folder / "memory.json", folder / "memory.csv"]

    def __repr__(self) -> str:
        return f"MemoryResult({self.task}: {len(self.rows)} trainings)\n{self.table.round(3)}"

    def _repr_html_(self) -> str:
        table = self.table
        rows = [[str(model), *(f"{value:.4g}" for value in row)] for model, row in table.iterrows()]
        caption = f"accuracy after so many steps; guessing: {self.chance:.2f}; remembers: up to {REMEMBERED} correct"
        return html.block(html.table([self.task, *map(str, table.columns)], rows), html.small(caption))


def _reach(accuracies: pd.Series) -> int:
    """The longest distance up to which every one was remembered; 0 where the first was not."""
    missed = [distance for distance, accuracy in accuracies.items() if not accuracy >= REMEMBERED]
    kept = [int(d) for d in accuracies.index if not missed or d < missed[0]]
    return max(kept, default=0)


def measure_memory(
    task: str = "recall",
    *,
    distances: Sequence[int] = DISTANCES,
    families: Sequence[str] = ("dense", "simple_rnn", "gru", "lstm"),
    seeds: int = 1,
    budget: str | float | None = None,
    n_jobs: int = 1,
    out: Path | str | None = None,
    on_progress: OnProgress = ignore,
    **settings: Any,
) -> MemoryResult:
    """Train families on longer and longer synthetic sequences, and see up to where they remember.

    Args:
        task: "recall", what the first symbol was, after `distance` others; "adding", the sum of two marked numbers
            among `distance`; "copy", ten symbols repeated after `distance` blanks.
        distances: steps to be bridged.
        families: models, or variants such as ``"dense:window=20"``. Recurrent ones predict from their last state.
        seeds: repetitions.
        budget: time for all training together.
        n_jobs: trainings that run at once, as in :func:`recurra.compare`.
        out: folder for ``memory.json``, ``memory.csv`` and the finished trainings; the same call again resumes there.
        on_progress: called with where the run is.
        **settings: fields of ``CompareSettings`` and of the task, such as ``config={"units": 32}``.

    Returns:
        Accuracy by model, distance and seed.

    Raises:
        InputError: an unknown task, settings that do not fit, or `out` holds something else.

    Example:
        >>> recurra.measure_memory("recall", distances=[5, 50]).table

    Source: Bengio, Simard & Frasconi (1994), Learning long-term dependencies with gradient descent is difficult;
    Hochreiter & Schmidhuber (1997); Arjovsky, Shah & Bengio (2016).
    """
    if task not in MEMORY_TASKS:
        raise InputError(f"the memory task must be one of {', '.join(MEMORY_TASKS)}; received {task!r}")
    if not distances or min(distances) < 1:
        raise InputError(f"`distances` must be whole numbers of at least 1; received {list(distances)}")
    distances = sorted(distances)
    folder = None if out is None else Path(out)
    if folder is not None:
        asked = {"task": task, "distances": distances, "families": list(families), "seeds": seeds, "budget": budget}
        check_identity(folder, {**asked, **settings})
    seconds = parse_budget(budget)
    settings |= {"families": families, "seeds": seeds, "budget": None if seconds is None else seconds / len(distances)}
    rows: list[dict[str, Any]] = []
    for number, distance in enumerate(distances):
        watch = _offset(on_progress, number, len(distances), distance)
        rows += _at_distance(MEMORY_TASKS[task], distance, folder, watch, n_jobs, settings)
        if folder is not None:
            MemoryResult(task, pd.DataFrame(rows), MEMORY_TASKS[task].chance).write(folder)
    return MemoryResult(task, pd.DataFrame(rows), MEMORY_TASKS[task].chance)


def _at_distance(
    task: MemoryTask,
    distance: int,
    folder: Path | None,
    on_progress: OnProgress,
    n_jobs: int,
    settings: dict[str, Any],
) -> list[dict[str, Any]]:
    """All trainings over one distance, on the run and the store of comparisons."""
    experiment, common = open_experiment(task.draw(distance), baselines=[], folds=1, **settings)
    if task.from_last_state:
        kind = experiment.task.output_kind
        takes = {s for name in common.families for s in known_settings(parse_variant(name, kind)[0], kind)}
        last_state = {name: value for name, value in _LAST_STATE.items() if name in takes}
        common = replace(common, config={**last_state, **(common.config or {})})
    run = Run(experiment, common, None if folder is None else folder / f"distance-{distance}", on_progress)
    return [
        {
            "model": outcome.row["model"],
            "distance": distance,
            "seed": outcome.row["seed"],
            "accuracy": task.accuracy(outcome),
            "train_seconds": outcome.row["train_seconds"],
            "stopped_by": outcome.row["stopped_by"],
        }
        for outcome in run_trials(run, n_jobs)
        if outcome.row["chosen"]
    ]


def _offset(on_progress: OnProgress, number: int, total: int, distance: int) -> OnProgress:
    """Progress of one distance as a share of all of them, its models named with the distance."""
    return lambda p: on_progress(
        replace(
            p,
            trial=replace(p.trial, model=f"{p.trial.model} over {distance} steps"),
            done=number * p.total + p.done,
            total=total * p.total,
            seconds_left=None,
        )
    )

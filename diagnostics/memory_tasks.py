"""Memory tasks: where each family forgets, on synthetic sequences whose truth is known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..atomic import replacing
from ..comparison.identity import check_identity
from ..comparison.progress import OnProgress, Progress, ignore
from ..comparison.run import Run
from ..comparison.settings import CompareSettings, open_experiment, parse_budget
from ..comparison.trials import Outcome, cut_short
from ..comparison.workers import run_trials
from ..datasets import synthetic_sequences
from ..display import html
from ..errors import InputError
from ..frames import PanelFrame, TextFrame
from ..models import known_settings, parse_variant
from ..training.learning_rates import FIND
from .memory_gradient import observe_gradient

DISTANCES = (5, 10, 20, 50, 100)
FAMILIES = ("dense", "simple_rnn", "gru", "lstm")
# A sum counts as right when it is this near (Hochreiter & Schmidhuber 1997, section 5.4).
_NEAR = 0.04
_SYMBOLS = 10
# The prediction is made from the last state, and every step is read by itself: pooling or segments would remember too.
_LAST_STATE = {"pooling": "last", "segment_length": 1}
# Small networks suffice, and a rate that suits one family leaves another behind.
_SETTINGS = {"units": 32, "learning_rate": FIND, **_LAST_STATE}
# Of a rate: the most epochs of about 110 steps, and how many without a smaller validation loss mean that it can't.
MAX_EPOCHS, PATIENCE = 40, 10
# From this accuracy on, a distance counts as remembered.
REMEMBERED = 0.9
# What became of a training.
REMEMBERS, FORGETS, CUT_SHORT = "remembers", "forgets", "cut short"


@dataclass(frozen=True)
class MemoryTask:
    """Synthetic sequences with something to remember.

    Attributes:
        draw: makes the sequences for a distance, with a held-out test set.
        accuracy: from an outcome.
        chance: accuracy of guessing.
        solved: validation loss (nats, or absolute error in standard deviations) that ends a training, by distance.
        from_last_state: whether there is one prediction per sequence, after its last step.
        steps_back: from the last step to what is to be remembered, at least.
    """

    draw: Callable[[int], TextFrame | PanelFrame]
    accuracy: Callable[[Outcome], float]
    chance: float
    solved: Callable[[int], float]
    from_last_state: bool = True
    steps_back: Callable[[int], int] = lambda distance: distance


def _recall(distance: int) -> TextFrame:
    table, source = synthetic_sequences.recall(distance), f"recall over {distance} steps"
    return TextFrame.from_table(table, text="tokens", label="label", split="split", source=source)


def _order(distance: int) -> TextFrame:
    table, source = synthetic_sequences.order(distance), f"order over {distance} steps"
    return TextFrame.from_table(table, text="tokens", label="label", split="split", source=source)


def _copy(distance: int) -> TextFrame:
    table, source = synthetic_sequences.copy(distance), f"copy over {distance} steps"
    return TextFrame.from_table(table, text="tokens", tags="tags", split="split", source=source)


def _adding(distance: int) -> PanelFrame:
    return PanelFrame.from_arrays(**synthetic_sequences.adding(distance), source=f"adding over {distance} steps")


def _right(outcome: Outcome) -> float:
    return float(1 - np.mean(outcome.losses))


MEMORY_TASKS = {
    "recall": MemoryTask(_recall, _right, 0.5, lambda _: 0.1),
    "order": MemoryTask(_order, _right, 0.5, lambda _: 0.1),
    "adding": MemoryTask(
        _adding,
        lambda outcome: float(np.mean(outcome.losses < _NEAR)),
        2 * _NEAR - _NEAR**2,
        lambda _: 0.045,
        steps_back=lambda distance: distance // 2,
    ),
    # of the symbols, not of the blanks before them
    "copy": MemoryTask(
        _copy,
        lambda outcome: float(np.mean(outcome.example[-_SYMBOLS:])),
        1 / 8,
        lambda distance: 0.1 * _SYMBOLS / (2 * _SYMBOLS + distance),
        from_last_state=False,
        steps_back=lambda distance: _SYMBOLS + distance,
    ),
}


@dataclass(frozen=True, eq=False)
class MemoryResult:
    """What each model still knew after each distance.

    Attributes:
        task: a key of ``MEMORY_TASKS``.
        rows: model, distance, seed, accuracy (on the test set), outcome ("remembers": at least 0.9; "forgets": the
            validation loss stood still; "cut short": neither, the epochs or the budget were over), learning_rate,
            epochs (of all rates that were tried), train_seconds, stopped_by; and of the first seed of recurrent models
            gradient_before and gradient_after, see :func:`recurra.diagnostics.memory_gradient.gradient_left`.
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
    def undecided(self) -> set[tuple[str, int]]:
        """Models and distances that were not remembered, where a training was cut short: more might have helped."""
        accuracy = self.rows.groupby(["model", "distance"])["accuracy"].mean()
        short = self.rows.groupby(["model", "distance"])["outcome"].agg(lambda column: (column == CUT_SHORT).any())
        return set(accuracy.index[(accuracy < REMEMBERED) & short])

    def reach(self, model: str) -> str:
        """Up to where a model remembers, in words: "50"; "at least 50" or "not known", the next was cut short; ""."""
        accuracies = self.table.loc[model].drop("remembers")
        reach = _reach(accuracies)
        beyond = [int(d) for d in accuracies.index if d > reach]
        if beyond and (model, beyond[0]) in self.undecided:
            return f"at least {reach}" if reach else "not known"
        return str(reach) if reach else ""

    @property
    def gradients(self) -> pd.DataFrame:
        """What is left of the gradient after each distance, before and after training (model, distance)."""
        if "gradient_before" not in self.rows:
            return pd.DataFrame(columns=["gradient_before", "gradient_after"])
        columns = ["model", "distance", "gradient_before", "gradient_after"]
        return self.rows[columns].dropna().set_index(["model", "distance"]).astype(float)

    @property
    def cut_short(self) -> list[tuple[int, str]]:
        """How many trainings were cut short before they remembered, and by what."""
        return cut_short(self.rows.loc[self.rows["outcome"] == CUT_SHORT, "stopped_by"].tolist())

    def write(self, folder: Path | str) -> list[Path]:
        """Write ``memory.json`` and ``memory.csv`` into a folder."""
        folder = Path(folder)
        with replacing(folder / "memory.csv") as path:
            self.rows.to_csv(path, index=False)
        rows = self.rows.astype(object).where(self.rows.notna(), None).to_dict("records")
        models = [
            {"model": model, "remembers": int(reach), "in_words": self.reach(str(model))}
            for model, reach in self.table["remembers"].items()
        ]
        content = {"task": self.task, "chance": self.chance, "models": models, "rows": rows}
        with replacing(folder / "memory.json") as path:
            path.write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")
        return [folder / "memory.json", folder / "memory.csv"]

    def __repr__(self) -> str:
        return f"MemoryResult({self.task}: {len(self.rows)} trainings)\n{self.table.round(3)}"

    def _repr_html_(self) -> str:
        table, undecided = self.table, self.undecided
        distances = [name for name in table.columns if name != "remembers"]
        rows = [
            [
                str(model),
                *(f"{row[d]:.4g}{'?' if (model, d) in undecided else ''}" for d in distances),
                self.reach(str(model)) or "–",
            ]
            for model, row in table.iterrows()
        ]
        caption = f"accuracy after so many steps; guessing: {self.chance:.2f}; remembers: up to {REMEMBERED} correct"
        caption += "; ?: cut short, more training might have helped" if undecided else ""
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
    families: Sequence[str] = FAMILIES,
    seeds: int = 3,
    budget: str | float | None = None,
    n_jobs: int | None = None,
    out: Path | str | None = None,
    on_progress: OnProgress = ignore,
    **settings: Any,
) -> MemoryResult:
    """Train families on longer and longer synthetic sequences, and see up to where they remember.

    A training ends when it has solved the task (validation loss), when its validation loss has stood still for
    ``patience`` epochs with each of three learning rates (the first seed tries them, the others take what it found),
    or, cut short, after ``max_epochs``.

    Args:
        task: "recall", what the first symbol was, after `distance` others of its kind; "order", which of two marked
            symbols came last, `distance` steps ago; "adding", the sum of two marked numbers among `distance`; "copy",
            ten symbols repeated after `distance` blanks.
        distances: steps to be bridged.
        families: models, or variants such as ``"dense:window=20"``. Recurrent ones predict from their last state.
        seeds: repetitions.
        budget: time for all training together.
        n_jobs: trainings that run at once, as in :func:`recurra.compare`.
        out: folder for ``memory.json``, ``memory.csv`` and the finished trainings; the same call again resumes there.
        on_progress: called with where the run is.
        **settings: fields of ``CompareSettings`` and of the task, such as ``config={"units": 64}`` or ``max_epochs``,
            by default 40, and ``patience``, by default 10.

    Returns:
        Accuracy and outcome by model, distance and seed, and what is left of the gradient.

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
    settings = {"max_epochs": MAX_EPOCHS, "patience": PATIENCE} | {k: v for k, v in settings.items() if v is not None}
    rows: list[dict[str, Any]] = []
    clock = _Clock(on_progress, distances)
    for distance in distances:
        rows += _at_distance(MEMORY_TASKS[task], distance, folder, clock.of(distance), n_jobs, settings)
        if folder is not None:
            MemoryResult(task, pd.DataFrame(rows), MEMORY_TASKS[task].chance).write(folder)
    return MemoryResult(task, pd.DataFrame(rows), MEMORY_TASKS[task].chance)


def _at_distance(
    task: MemoryTask,
    distance: int,
    folder: Path | None,
    on_progress: OnProgress,
    n_jobs: int | None,
    settings: dict[str, Any],
) -> list[dict[str, Any]]:
    """All trainings over one distance, on the run and the store of comparisons."""
    experiment, common = open_experiment(task.draw(distance), baselines=[], folds=1, **settings)
    usual = _usual(task, distance, experiment.task.output_kind, common)
    common = replace(common, config={**usual, **(common.config or {})})
    run = Run(
        experiment,
        common,
        None if folder is None else folder / f"distance-{distance}",
        on_progress,
        observe=partial(observe_gradient, distance=task.steps_back(distance)),
    )
    return [_row(distance, outcome.row, task.accuracy(outcome)) for outcome in run_trials(run, n_jobs)]


def _usual(task: MemoryTask, distance: int, kind: str, common: CompareSettings) -> dict[str, Any]:
    """Settings of memory tasks that any of the families has."""
    takes = {s for name in common.families for s in known_settings(parse_variant(name, kind)[0], kind)}
    usual = {**_SETTINGS, "target_loss": task.solved(distance)}
    if not task.from_last_state:
        usual = {name: value for name, value in usual.items() if name not in _LAST_STATE}
    return {name: value for name, value in usual.items() if name in takes}


def _row(distance: int, trial: dict[str, Any], accuracy: float) -> dict[str, Any]:
    tried = trial.get("learning_rates_tried") or [{"epochs": trial["epochs"], "stopped_by": trial["stopped_by"]}]
    cut = [rate["stopped_by"] for rate in tried if rate["stopped_by"] in ("budget", "max_epochs")]
    outcome = REMEMBERS if accuracy >= REMEMBERED else CUT_SHORT if cut else FORGETS
    return {
        "model": trial["model"],
        "distance": distance,
        "seed": trial["seed"],
        "accuracy": accuracy,
        "outcome": outcome,
        "learning_rate": trial["learning_rate"],
        "epochs": sum(rate["epochs"] for rate in tried),
        "train_seconds": trial["train_seconds"],
        "stopped_by": cut[0] if outcome == CUT_SHORT else trial["stopped_by"],
        "gradient_before": trial["gradient_before"],
        "gradient_after": trial["gradient_after"],
    }


class _Clock:
    """Progress of all distances together; a training over a longer one takes longer."""

    # What compiling and the rest cost, in steps to be bridged.
    _FIXED = 20

    def __init__(self, on_progress: OnProgress, distances: Sequence[int]) -> None:
        self._on_progress, self._distances = on_progress, distances
        self._begun = time.monotonic()

    def of(self, distance: int) -> OnProgress:
        """What the run of one distance reports to; its models are named with the distance."""
        before = [d for d in self._distances if d < distance]

        def watch(p: Progress) -> None:
            done = sum(d + self._FIXED for d in before) + (distance + self._FIXED) * p.done / p.total
            left = sum(d + self._FIXED for d in self._distances) - done
            seconds = (time.monotonic() - self._begun) * left / done if done else None
            trial = replace(p.trial, model=f"{p.trial.model} over {distance} steps")
            total = len(self._distances) * p.total
            self._on_progress(
                replace(p, trial=trial, done=len(before) * p.total + p.done, total=total, seconds_left=seconds)
            )

        return watch

"""Remembering: where each family forgets, on made sequences whose truth is known."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..atomic import replacing
from ..datasets import synthetic_sequences
from ..errors import InputError
from ..frames import PanelFrame, TextFrame
from ..models import draw_configs
from .job import Order
from .jobs import make_job
from .result import check_same
from .run import Progress
from .settings import parse_budget
from .trials import Trial, cut_short
from .variants import carries_state, parse_variant

DISTANCES = (5, 10, 20, 50, 100, 200)
# A sum counts as right when it is this near (Hochreiter & Schmidhuber 1997, section 5.4).
_NEAR = 0.04
# What is right by guessing: one of two symbols; a sum within reach of the best guess, 1; one of eight symbols.
TASKS = {"recall": 0.5, "adding": 2 * _NEAR - _NEAR**2, "copy": 1 / 8}
# Only the last state targets, and every step is read by itself: pooling or segments would do the remembering.
_LAST_STATE = {"pooling": "last", "segment_length": 1}
_SYMBOLS = 10
# From this share on, a distance counts as remembered.
REMEMBERED = 0.9


@dataclass(frozen=True, eq=False)
class Remembering:
    """What each model still knew after each distance.

    Attributes:
        task: "recall", "adding" or "copy".
        rows: model, distance, seed, accuracy (share of right targets on the test part), train_seconds, and ended_by:
            "patience", "budget" or "max_epochs".
        chance: accuracy of guessing.
    """

    task: str
    rows: pd.DataFrame
    chance: float

    @property
    def table(self) -> pd.DataFrame:
        """Mean accuracy, a row a model and a column a distance; and ``remembers``, up to where it was 0.9."""
        table = self.rows.pivot_table(index="model", columns="distance", values="accuracy", sort=False)
        return table.assign(remembers=[self._reach(row) for _, row in table.iterrows()])

    def _reach(self, row: pd.Series) -> int:
        """The longest distance up to which every one was remembered; 0 where the first was not."""
        missed = [distance for distance, accuracy in row.items() if not accuracy >= REMEMBERED]
        kept = [int(d) for d in row.index if not missed or d < missed[0]]
        return max(kept, default=0)

    @property
    def cut_short(self) -> list[tuple[int, str]]:
        """How many trainings were ended by something else than the validation error, and by what."""
        return cut_short(self.rows["ended_by"].tolist())

    def write(self, folder: Path | str) -> list[Path]:
        """Write ``remember.json`` and ``remember.csv`` into a folder."""
        folder = Path(folder)
        with replacing(folder / "remember.csv") as path:
            self.rows.to_csv(path, index=False)
        said = {"task": self.task, "chance": self.chance, "rows": self.rows.to_dict("records")}
        with replacing(folder / "remember.json") as path:
            path.write_text(json.dumps(said, indent=1), encoding="utf-8")
        return [folder / "remember.json", folder / "remember.csv"]


def remember(
    task: str = "recall",
    *,
    distances: Sequence[int] = DISTANCES,
    families: Sequence[str] = ("dense", "simple_rnn", "gru", "lstm"),
    seeds: int = 1,
    budget: str | float | None = None,
    out: Path | str | None = None,
    on_progress: Callable[[Progress], None] = lambda *_: None,
    **settings: Any,
) -> Remembering:
    """Train families on made sequences, longer and longer, and see up to where they remember.

    Args:
        task: "recall", what the first symbol was, after `distance` others; "adding", the sum of two marked numbers
            among `distance`; "copy", ten symbols repeated after `distance` blanks.
        distances: steps to be bridged, in rising order.
        families: models, or variants such as ``"dense:window=20"``. Recurrent ones answer from their last state.
        seeds: repetitions.
        budget: time for all training together.
        out: folder for ``remember.json`` and ``remember.csv``, written after every training; the same call again goes
            on from there.
        on_progress: called with where the run is.
        **settings: fields of ``Settings`` and ``ExampleSettings``, such as ``config={"units": 32}``.

    Returns:
        Accuracy by model, distance and seed.

    Raises:
        InputError: an unknown task, settings that do not fit, or `out` holds something else.

    Example:
        >>> recurra.remember("recall", distances=[5, 50]).table

    Source: Bengio, Simard & Frasconi (1994), Learning long-term dependencies with gradient descent is difficult;
    Hochreiter & Schmidhuber (1997); Arjovsky, Shah & Bengio (2016).
    """
    if task not in TASKS:
        raise InputError(f"there is no task {task!r} to remember; choose from {', '.join(TASKS)}")
    if not distances or min(distances) < 1:
        raise InputError(f"--distances must be whole numbers of at least 1; received {list(distances)}")
    total = len(distances) * len(families) * seeds
    share = (parse_budget(budget) or math.inf) / total
    asked = {"task": task, "distances": sorted(distances), "families": list(families), "seeds": seeds}
    question = {**asked, "budget": budget, **settings}
    rows = [] if out is None else _earlier(Path(out), question)
    known = {(row["model"], row["distance"], row["seed"]) for row in rows}
    for distance in sorted(distances):
        frame = made(task, distance)
        for name in families:
            family, own = parse_variant(name)
            config = {**(_LAST_STATE if carries_state(name) and task != "copy" else {}), **own}
            job = make_job(frame, families=[name], baselines=[], **settings)
            fold = job.folds[0]
            fixed = {**config, **(job.settings.config or {})}
            drawn = draw_configs(family, job.spec(fold), 1, fixed=fixed)[0]
            for seed in range(seeds):
                if (name, distance, seed) in known:
                    continue
                trial, done = Trial(f"{name} over {distance} steps", 0, seed), len(rows)

                def on_epoch(epoch: int, loss: float, trial: Trial = trial, done: int = done) -> None:
                    on_progress(Progress(trial, done, total, epoch, loss))

                on_progress(Progress(trial, done, total))
                fitted = job.fit(family, fold, Order(seed, drawn, share, on_epoch=on_epoch))
                accuracy = _accuracy(task, job.examine(fitted, fold))
                row = {"model": name, "distance": distance, "seed": seed, "accuracy": accuracy}
                rows.append({**row, "train_seconds": fitted.history.seconds, "ended_by": fitted.history.stopped_by})
                if out is not None:
                    Remembering(task, pd.DataFrame(rows), TASKS[task]).write(out)
    return Remembering(task, pd.DataFrame(rows), TASKS[task])


def _earlier(folder: Path, question: dict[str, Any]) -> list[dict[str, Any]]:
    """What the same question brought before it was stopped."""
    check_same(folder, question)
    file = folder / "remember.json"
    return json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []


def made(task: str, distance: int) -> TextFrame | PanelFrame:
    """The sequences of a task, with their official test part."""
    if task == "adding":
        return PanelFrame.from_arrays(**synthetic_sequences.adding(distance), source=f"adding over {distance} steps")
    draw = {"recall": synthetic_sequences.recall, "copy": synthetic_sequences.copy}[task]
    role = {"label": "label"} if task == "recall" else {"tags": "tags"}
    source = f"{task} over {distance} steps"
    return TextFrame.from_table(draw(distance), text="tokens", split="split", source=source, **role)


def _accuracy(task: str, score: Any) -> float:
    if task == "recall":
        return float(1 - np.mean(score.losses))
    if task == "adding":
        return float(np.mean(score.losses < _NEAR))
    return float(np.mean(score.example[-_SYMBOLS:]))  # of the symbols, not of the blanks before them

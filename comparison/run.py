"""Run a comparison: trials one after another, each written down at once, so that a killed run goes on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..models import draw_configs
from ..training import History
from .job import Fitted, Job, Order
from .result import check_same
from .trials import Outcome, Trial, TrialStore, cut_short, run_baseline, run_family
from .variants import parse_variant


@dataclass(frozen=True)
class Progress:
    """Where a run is: handed to ``on_progress`` before each trial and after each epoch.

    The training on all rows, after the folds, has no fold: there ``final`` is True.
    """

    trial: Trial
    done: int
    total: int
    epoch: int = 0
    loss: float | None = None
    seconds_left: float | None = None
    final: bool = False


def training_record(family: str, config: dict[str, Any], seed: int, history: History) -> dict[str, Any]:
    """What a model card says of a training."""
    return {"family": family, **config, "seed": seed, "best_epoch": history.best_epoch, "ended_by": history.stopped_by}


class Run:
    """The loop over folds, families, configurations and seeds."""

    def __init__(self, job: Job, folder: Path | None, on_progress: Callable[[Progress], None]) -> None:
        s = job.settings
        self.job, self.settings, self.on_progress = job, s, on_progress
        self.folds = job.folds
        question = job.question()  # sets the exams: what is wrong with them is said before a folder is made
        self.store = None if folder is None else TrialStore(folder / "trials")
        if folder is not None:
            check_same(folder, question)
        each = s.configs + s.seeds - 1
        self.total = len(self.folds) * (len(s.baselines) + len(s.families) * each)
        self.share = (s.budget or float("inf")) / (len(self.folds) * len(s.families) * each)
        self.done = 0
        self._seconds: dict[str, list[float]] = {}  # of trials finished now, by model
        self._finished: Counter[str] = Counter()  # trials, by model

    def all_trials(self) -> list[Outcome]:
        """Run what is not finished yet; baselines first, because they say early what is to be beaten."""
        outcomes = []
        for fold in self.folds:
            for name in self.settings.baselines:
                outcomes.append(self._baseline(name, fold))
            for family in self.settings.families:
                outcomes += self._family(family, fold)
        return outcomes

    def refit(self, summary: list[dict[str, Any]], outcomes: list[Outcome]) -> tuple[Fitted, dict[str, Any]]:
        """Train the best family once more, with the settings chosen in the newest fold, on all rows."""
        best = next(line["model"] for line in summary if line["kind"] == "family")
        rows = [o.row for o in outcomes if o.row["model"] == best and o.row["chosen"]]
        newest = max(row["fold"] for row in rows)
        config = next(row["config"] for row in rows if row["fold"] == newest)
        trial = Trial(best, len(self.folds))
        self._say(trial)
        order = Order(0, config, self.share, on_epoch=self._epochs(trial))
        family, _ = parse_variant(best)
        fitted = self.job.fit(family, self.job.final_fold(), order)
        return fitted, training_record(family, config, 0, fitted.history)

    def notes(self, outcomes: list[Outcome]) -> list[str]:
        """What the run did that a reader should know."""
        notes = list(dict.fromkeys(note for outcome in outcomes for note in outcome.row["notes"]))
        for cut, by in cut_short([outcome.row["stopped_by"] for outcome in outcomes]):
            were = "training was" if cut == 1 else "trainings were"
            notes.append(f"{cut} {were} ended by {by}, not by the validation error: more might have helped")
        return [*notes, *self.job.notes_after(outcomes)]

    def examples(self, outcomes: list[Outcome]) -> dict[str, np.ndarray]:
        """Each model's example in the last fold, first seed."""
        newest = len(self.folds) - 1
        found: dict[str, np.ndarray] = {}
        for outcome in outcomes:
            if outcome.row["fold"] == newest and outcome.row["chosen"]:
                found.setdefault(outcome.row["model"], outcome.example)
        return found

    def _baseline(self, name: str, fold: Any) -> Outcome:
        outcome = self._finished_or(Trial(name, fold.index), lambda trial: run_baseline(self.job, fold, trial))
        outcome.row["chosen"] = True
        return outcome

    def _family(self, family: str, fold: Any) -> list[Outcome]:
        """Try every configuration with the first seed; the best on validation rows gets the other seeds."""
        s = self.settings
        name, own = parse_variant(family)
        configs = draw_configs(name, self.job.spec(fold), s.configs, fixed={**(s.config or {}), **own})

        def work(trial: Trial) -> Outcome:
            return run_family(
                self.job,
                fold,
                trial,
                configs[trial.config_number],
                budget=self.share,
                checkpoint=None if self.store is None else self.store.checkpoint(trial),
                on_epoch=self._epochs(trial),
            )

        tried = [self._finished_or(Trial(family, fold.index, 0, i), work) for i in range(len(configs))]
        best = min(range(len(tried)), key=lambda i: tried[i].row["validation_loss"])
        more = [self._finished_or(Trial(family, fold.index, seed, best), work) for seed in range(1, s.seeds)]
        for i, outcome in enumerate(tried):
            outcome.row["chosen"] = i == best
        for outcome in more:
            outcome.row["chosen"] = True
        return tried + more

    def _finished_or(self, trial: Trial, work: Callable[[Trial], Outcome]) -> Outcome:
        outcome = self.store.get(trial) if self.store else None
        if outcome is None:
            self._say(trial)
            begun = time.monotonic()
            outcome = work(trial)
            self._seconds.setdefault(trial.model, []).append(time.monotonic() - begun)
            if self.store:
                self.store.put(trial, outcome)
        self.done += 1
        self._finished[trial.model] += 1
        return outcome

    def _epochs(self, trial: Trial) -> Callable[[int, float], None]:
        return lambda epoch, loss: self._say(trial, epoch, loss)

    def _say(self, trial: Trial, epoch: int = 0, loss: float | None = None) -> None:
        final = trial.fold == len(self.folds)
        left = None if final else self._seconds_left()
        self.on_progress(Progress(trial, self.done, self.total + final, epoch, loss, left, final))

    def _seconds_left(self) -> float | None:
        """Trials to come, each as long as those of its family took, or of all trained ones where none did yet."""
        s = self.settings
        trained = [x for name, times in self._seconds.items() if name in s.families for x in times]
        if not trained:
            return None
        each = len(self.folds) * (s.configs + s.seeds - 1)
        left = 0.0
        for name in s.families:
            left += (each - self._finished[name]) * float(np.mean(self._seconds.get(name) or trained))
        return max(left, 0.0)

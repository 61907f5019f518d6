"""Trials: one model, fold, seed and configuration each; every finished one is written down at once."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ..atomic import replacing
from ..models.cost import multiply_adds
from ..training import Part, compiled
from .job import Job, Order
from .variants import parse_variant

_TIMED_RUNS = 7


@dataclass(frozen=True)
class Trial:
    """What is tried: `config` number 0 is the family's default; a baseline has neither seed nor config."""

    model: str
    fold: int
    seed: int = 0
    config_number: int = 0

    @property
    def key(self) -> str:
        """Name of the files the trial is kept in."""
        model = re.sub(r"[^\w=+.]", "_", self.model)  # a variant's name holds a colon
        return f"{model}-fold{self.fold}-seed{self.seed}-config{self.config_number}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a trial.

    Attributes:
        row: scores, price and circumstances, as they stand in ``comparison.json``.
        losses, example: see :class:`recurra.comparison.job.Score`.
    """

    row: dict[str, Any]
    losses: np.ndarray
    example: np.ndarray


def cut_short(ended: Sequence[str | None]) -> list[tuple[int, str]]:
    """How many trainings were ended by something else than the validation error, and by what."""
    reasons = {"budget": "the budget", "max_epochs": "--max-epochs"}
    return [(ended.count(reason), words) for reason, words in reasons.items() if reason in ended]


def losses_by_fold(outcomes: Sequence[Outcome], model: str, folds: Iterable[int]) -> list[list[np.ndarray]]:
    """A model's losses in each fold, one array a seed, of the configuration that was chosen."""
    mine = [o for o in outcomes if o.row["model"] == model and o.row["chosen"]]
    return [[o.losses for o in mine if o.row["fold"] == fold] for fold in folds]


class TrialStore:
    """A folder that holds finished trials: arrays first, then the row, so a row is never without its arrays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self, trial: Trial) -> Path:
        """Where an unfinished trial keeps its state."""
        return self.folder / f"{trial.key}.checkpoint.npz"

    def get(self, trial: Trial) -> Outcome | None:
        """The outcome, if the trial is finished."""
        path = self.folder / f"{trial.key}.json"
        if not path.exists():
            return None
        with np.load(self.folder / f"{trial.key}.npz") as arrays:
            return Outcome(json.loads(path.read_text(encoding="utf-8")), arrays["losses"], arrays["example"])

    def put(self, trial: Trial, outcome: Outcome) -> None:
        """Write a finished trial down and forget its checkpoint."""
        with replacing(self.folder / f"{trial.key}.npz") as path:
            np.savez(path, losses=outcome.losses, example=outcome.example)
        with replacing(self.folder / f"{trial.key}.json") as path:
            path.write_text(json.dumps(outcome.row, indent=1), encoding="utf-8")
        self.checkpoint(trial).unlink(missing_ok=True)


def run_family(
    job: Job,
    fold: Any,
    trial: Trial,
    config: dict[str, Any],
    *,
    budget: float,
    checkpoint: Path | None,
    on_epoch: Callable[[int, float], None],
) -> Outcome:
    """Train and examine one configuration of a family."""
    fitted = job.fit(parse_variant(trial.model)[0], fold, Order(trial.seed, config, budget, checkpoint, on_epoch))
    score, history = job.examine(fitted, fold), fitted.history
    row = {
        "model": trial.model,
        "kind": "family",
        "fold": trial.fold,
        "seed": trial.seed,
        "config_number": trial.config_number,
        "config": config,
        "validation_loss": history.best_loss,
        **score.scores,
        "parameters": fitted.network.count_params(),
        "multiply_adds": multiply_adds(fitted.network, job.priced_steps(fold)),
        "train_seconds": history.seconds,
        "predict_ms": predict_ms(fitted.predictor.model, *job.timed(fitted, fold)),
        "epochs": len(history.losses),
        "best_epoch": history.best_epoch,
        "stopped_by": history.stopped_by,
        "notes": list(fitted.notes),
    }
    return Outcome(row, score.losses, score.example)


def predict_ms(model: keras.Model, part: Part, targets: int) -> float:
    """Milliseconds of the network for one answer, in batches: the median of several runs, once it is compiled."""
    inputs = next(iter(part.dataset(batch_size=part.predict_batch).take(1)))[0]
    forward, seconds = compiled(model), []
    for _ in range(_TIMED_RUNS + 1):
        begun = time.perf_counter()
        forward(inputs).numpy()
        seconds.append(time.perf_counter() - begun)
    return 1000 * statistics.median(seconds[1:]) / targets


def run_baseline(job: Job, fold: Any, trial: Trial) -> Outcome:
    """Examine one baseline."""
    begun = time.perf_counter()
    score = job.baseline(trial.model, fold)
    row = {
        "model": trial.model,
        "kind": "baseline",
        "fold": trial.fold,
        "seed": None,
        "config_number": None,
        "config": {},
        "validation_loss": None,
        **score.scores,
        "parameters": None,
        "multiply_adds": None,
        "train_seconds": time.perf_counter() - begun,
        "predict_ms": None,
        "epochs": None,
        "best_epoch": None,
        "stopped_by": None,
        "notes": [],
    }
    return Outcome(row, score.losses, score.example)

"""Trials: one model, fold, seed and configuration each; every finished one is written down at once."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atomic import replacing
from ..tasks import Evaluation, FoldData

if TYPE_CHECKING:
    import keras

    from ..tasks.mixing import MixedModel
    from ..training import FitOptions, History
    from .trainers import Trainers

_TIMED_RUNS = 7
Row = dict[str, Any]
# The data, a trained network and its seed → what else its row shall say; it has to be picklable.
Observe = Callable[["FoldData", "keras.Model", int], Row]


@dataclass(frozen=True)
class Trial:
    """One training or baseline: config number 0 is the family's default; a baseline's trial is all that it tries.

    One after the folds has a `purpose`, which progress names. A baseline that is chosen anew is so `among` that many.
    """

    model: str
    fold: int
    seed: int = 0
    config_number: int = 0
    purpose: str = "final training"
    among: int | None = None

    @property
    def key(self) -> str:
        """Name of the files the trial is kept in."""
        model = re.sub(r"[^\w=+.]", "_", self.model)  # a variant's name holds a colon
        among = "" if self.among is None else f"-among{self.among}"
        return f"{model}-fold{self.fold}-seed{self.seed}-config{self.config_number}{among}"

    def mixed(self, baseline: str) -> Trial:
        """The trial of the same network mixed with a baseline."""
        from ..models import mix_name

        return replace(self, model=mix_name(self.model, baseline))


@dataclass(frozen=True)
class Partner:
    """The baseline that networks are mixed with, and the settings that were chosen for it in a fold."""

    name: str
    config: Row


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a trial achieved.

    Attributes:
        row: metrics, price and circumstances, as they stand in ``comparison.json``.
        losses, example: see :class:`recurra.tasks.Evaluation`.
    """

    row: Row
    losses: np.ndarray
    example: np.ndarray

    @property
    def trial(self) -> Trial:
        """The trial that it is the outcome of."""
        return trial_of(self.row)


def trial_of(row: Row) -> Trial:
    """The trial that a row tells of: a baseline has one in each fold, whichever of its configurations was chosen."""
    if row["kind"] == "baseline":
        return Trial(row["model"], row["fold"])
    return Trial(row["model"], row["fold"], row["seed"] or 0, row["config_number"] or 0)


def cut_short(stopped_by: Sequence[str | None]) -> list[tuple[int, str]]:
    """How many trainings were ended by something else than the validation loss, and by what."""
    reasons = {"budget": "the budget", "max_epochs": "`max_epochs`"}
    return [(stopped_by.count(reason), words) for reason, words in reasons.items() if reason in stopped_by]


def finished_files(folder: Path) -> set[Path]:
    """Rows of finished trials in a store's folder; what is being written there begins with a dot."""
    return {path for path in folder.glob("*.json") if not path.name.startswith(".")}


class TrialStore:
    """A folder that holds finished trials: arrays first, then the row, so a row is never without its arrays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self, trial: Trial) -> Path:
        """Where an unfinished trial keeps its state."""
        return self.folder / f"{trial.key}.checkpoint.npz"

    def has(self, trial: Trial) -> bool:
        """Whether the trial is finished."""
        return (self.folder / f"{trial.key}.json").exists()

    def get(self, trial: Trial) -> Outcome | None:
        """The outcome, if the trial is finished."""
        path = self.folder / f"{trial.key}.json"
        if not self.has(trial):
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
    trainers: Trainers,
    data: FoldData,
    trial: Trial,
    family: str,
    config: dict[str, Any],
    options: FitOptions,
    partner: Partner | None = None,
    *,
    observe: Observe | None = None,
) -> list[Outcome]:
    """Train and evaluate one configuration of a family, and the network's mix with a baseline, `partner`.

    The network is scored after it was trained once more on the validation part too, where that was asked for;
    intervals and the weights of the mix come from the network that had not seen it.
    """
    from ..models import macs

    model, history = trainers.train(data, family, config, options)
    fitted = data.network(model)
    mixed = None if partner is None else data.mixed(model, partner.name, partner.config)
    refit_epochs, refit_seconds = trainers.refit(data, family, config, history, options)
    seconds = history.seconds + fitted.seconds + refit_seconds
    evaluation = fitted.evaluate()
    price = {
        "parameters": fitted.predictor.model.parameters(),
        "macs": macs(model, data.cost_length),
        "train_seconds": seconds,
        "predict_ms": predict_ms(model, data) + fitted.predict_ms,
    }
    inside = {} if fitted.baseline is None else {"baseline": fitted.baseline}
    chosen = {"seed": trial.seed, "config_number": trial.config_number, "config": {**config, **inside}}
    row = _row(trial, "family", chosen, history.best_loss, evaluation, price, history)
    row |= {} if refit_epochs is None else {"refit_epochs": refit_epochs}
    row |= {} if observe is None else observe(data, model, trial.seed)
    outcomes = [Outcome({**row, "notes": list(fitted.notes)}, evaluation.losses, evaluation.example)]
    if mixed is not None and partner is not None:
        outcomes.append(_outcome_of_mix(mixed, trial.mixed(partner.name), partner, chosen, price))
    return outcomes


def _outcome_of_mix(mixed: MixedModel, trial: Trial, partner: Partner, chosen: Row, price: Row) -> Outcome:
    """Evaluate a mix; its price is that of the network and what the baseline adds."""
    evaluation = mixed.fitted.evaluate()
    price = {
        "parameters": mixed.fitted.predictor.model.parameters(),
        "macs": price["macs"],
        "train_seconds": price["train_seconds"] + mixed.seconds,
        "predict_ms": price["predict_ms"] + mixed.predict_ms,
    }
    weights = dict(zip(("network_weight", "baseline_weight"), mixed.weights, strict=True))
    chosen = {**chosen, "config": {**chosen["config"], **weights, "baseline": partner.config}}
    row = _row(trial, "mix", chosen, None, evaluation, price, None)
    return Outcome({**row, "notes": list(mixed.fitted.notes)}, evaluation.losses, evaluation.example)


@dataclass(frozen=True)
class BaselineChoice:
    """Which configuration of a baseline is best on the validation part.

    Attributes:
        number: its place among those tried.
        config: its settings.
        tried: each configuration and its ``loss`` there, NaN written as None; empty where there was nothing to choose.
    """

    number: int
    config: Row
    tried: list[Row]

    @property
    def loss(self) -> float | None:
        """That of the best one; None where nothing was tried."""
        return self.tried[self.number]["loss"] if self.tried else None


def choose_baseline(data: FoldData, name: str, n: int) -> BaselineChoice:
    """Fit `n` configurations of a baseline to the training part, and take the best on the validation part."""
    configs = data.baseline_configs(name, n)
    if len(configs) == 1:
        return BaselineChoice(0, configs[0], [])
    losses = [data.baseline_loss(name, config) for config in configs]
    number = min(range(len(configs)), key=lambda i: (not np.isfinite(losses[i]), losses[i]))
    known = [loss if np.isfinite(loss) else None for loss in losses]
    tried = [{"config": config, "loss": loss} for config, loss in zip(configs, known, strict=True)]
    return BaselineChoice(number, configs[number], tried)


def run_baseline(data: FoldData, trial: Trial, n: int) -> Outcome:
    """Choose among `n` configurations of a baseline, fit that one to training and validation part, and evaluate it."""
    begun = time.perf_counter()
    choice = choose_baseline(data, trial.model, n)
    evaluation = data.baseline(trial.model, choice.config).evaluate()
    price = {"parameters": None, "macs": None, "train_seconds": time.perf_counter() - begun, "predict_ms": None}
    chosen = {"seed": None, "config_number": choice.number, "config": choice.config}
    row = _row(trial, "baseline", chosen, choice.loss, evaluation, price, None)
    row |= {"configs_tried": choice.tried} if choice.tried else {}
    return Outcome({**row, "notes": []}, evaluation.losses, evaluation.example)


def _row(
    trial: Trial,
    kind: str,
    chosen: Row,
    validation_loss: float | None,
    evaluation: Evaluation,
    price: Row,
    history: History | None,
) -> Row:
    """A trial as it stands in ``comparison.json``."""
    row = {"model": trial.model, "kind": kind, "fold": trial.fold, **chosen, "validation_loss": validation_loss}
    row |= evaluation.metrics
    if evaluation.by_step:
        row["by_step"] = evaluation.by_step
    ended: Row = {
        "epochs": None if history is None else len(history.losses),
        "best_epoch": None if history is None else history.best_epoch,
        "stopped_by": None if history is None else history.stopped_by,
        "learning_rate": None if history is None else history.learning_rate,
    }
    if history is not None and history.rates:
        ended["learning_rates_tried"] = history.rates
    return {**row, **price, **ended}


def predict_ms(model: keras.Model, data: FoldData) -> float:
    """Milliseconds of the network per prediction, in batches: the median of several runs, once it is compiled."""
    from ..training import compiled, read_in_order

    batches, predictions = data.timing_batches()
    inputs = next(iter(read_in_order(batches)))[0]
    forward, seconds = compiled(model), []
    for _ in range(_TIMED_RUNS + 1):
        begun = time.perf_counter()
        forward(inputs).numpy()
        seconds.append(time.perf_counter() - begun)
    return 1000 * statistics.median(seconds[1:]) / predictions

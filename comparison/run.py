"""Run an experiment: trials one after another, each written down at once, so that a killed run resumes."""

from __future__ import annotations

import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..models import OFFSET, draw_configs, is_recurrent, parse_variant, split_mix
from ..pipelines import ShuffledBatches
from ..tasks import Experiment, FittedModel, FoldData, Task
from ..tasks.protocol import FoldLosses
from ..tasks.settings import to_json
from ..training import FitOptions, History
from ..training.halving import find
from ..training.learning_rates import FIND
from .identity import check_identity
from .progress import OnProgress, Progress
from .settings import CROSS_VALIDATION, NO_REFIT, CompareSettings
from .trainers import Trainers
from .trials import (
    Observe,
    Outcome,
    Partner,
    Row,
    Trial,
    TrialStore,
    choose_baseline,
    cut_short,
    run_baseline,
    run_family,
)

if TYPE_CHECKING:
    import keras

# So many configurations are worth comparing before all of them are trained to the end.
HALVED_FROM = 4
# Part of the budget that compiling may take without a word.
_MUCH = 0.2


def training_record(family: str, config: dict[str, Any], seed: int, history: History) -> dict[str, Any]:
    """What a model card says of a training."""
    ended = {"best_epoch": history.best_epoch, "stopped_by": history.stopped_by}
    return {"family": family, **config, "seed": seed, "learning_rate": history.learning_rate, **ended}


def fitted_with(
    data: FoldData, network: keras.Model, partner: Partner | None, training: dict[str, Any]
) -> tuple[FittedModel, dict[str, Any]]:
    """A trained network, or its mix with a baseline, and what a model card says of it."""
    if partner is None:
        fitted = data.network(network)
        return fitted, {**training, **({training[OFFSET]: fitted.baseline} if fitted.baseline else {})}
    mixed = data.mixed(network, partner.name, partner.config)
    weights = {"network": mixed.weights[0], partner.name: mixed.weights[1]}
    own = {partner.name: partner.config} if partner.config else {}
    return mixed.fitted, {**training, "mixed_with": partner.name, **own, "weights": weights}


def best_baseline(
    task: Task, data: FoldData, names: Iterable[str], chosen: Callable[[str], dict[str, Any]]
) -> str | None:
    """The baseline with the lowest loss on a fold's validation part, of those that can be part of a network's graph.

    One that reads nothing of an example has nothing to add: it is taken where there is no other.

    Args:
        task: what they are for.
        data: the fold.
        names: of the baselines.
        chosen: a baseline's name → its settings.
    """
    losses = {}
    for name in names:
        config = chosen(name)
        if data.mixes_with(name, config):
            losses[name] = data.baseline_loss(name, config)
    blind = () if task.output_kind == "forecast" else task.wording.trivial  # the trivial forecasts read a series

    def rank(name: str) -> tuple[bool, bool, float]:
        return name in blind, not np.isfinite(losses[name]), losses[name]

    return min(losses, key=rank, default=None)


def settled(config: dict[str, Any], best: Callable[[], str | None]) -> dict[str, Any]:
    """A configuration whose `offset` is the name of a baseline, where it is "auto" the best one.

    Raises:
        InputError: if no baseline can be part of a network.
    """
    if config.get(OFFSET) != "auto":
        return config
    name = best()
    if name is None:
        raise InputError(
            "`offset` is auto, but none of the baselines can be joined with a network in one graph; leave it out"
        )
    return {**config, OFFSET: name}


def read_by(data: FoldData, config: dict[str, Any], chosen: Callable[[str], dict[str, Any]]) -> FoldData:
    """A fold as networks of a configuration read it: with the score of a baseline where they have an `offset`.

    Args:
        data: the fold.
        config: of the networks.
        chosen: a baseline's name → its settings.
    """
    name = config.get(OFFSET)
    return data if name is None else data.with_offset(name, chosen(name))


class ShuffledFold:
    """A fold whose training and validation examples have their steps in a random order."""

    def __init__(self, data: FoldData) -> None:
        self._data = data
        self.train, self.validation = ShuffledBatches(data.train), ShuffledBatches(data.validation, seed=1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)


class Run:
    """The loop over folds, families, configurations and seeds.

    Args:
        experiment: knows the data.
        settings: which models, how often, how long.
        folder: where finished trials are kept, or None.
        on_progress: called often with where the run is.
        partner: baseline that networks are mixed with, where that is settled already.
        observe: called with the data, the network and the seed of every training that is over; what it gives joins the
            trial's row.

    Raises:
        InputError: if the folder holds the trials of another comparison.
    """

    def __init__(
        self,
        experiment: Experiment,
        settings: CompareSettings,
        folder: Path | None,
        on_progress: OnProgress,
        partner: str | None = None,
        observe: Observe | None = None,
    ) -> None:
        self.observe = observe
        self.experiment, self.settings, self.folder, self.on_progress = experiment, settings, folder, on_progress
        self._partner = partner
        self._partner_configs: dict[int, dict[str, Any]] = {}
        experiment.check()  # faults of the data are reported before a folder is made
        self._check_refits()
        self.n_folds = experiment.n_folds
        self.trainers = Trainers(experiment.task, settings)
        self.store = None if folder is None else TrialStore(folder / "trials")
        if folder is not None:
            check_identity(folder, self.identity)
        each = settings.configs_of_a_family + settings.seeds - 1
        self.total = self.n_folds * (len(settings.baselines) + len(settings.families) * each)
        self._trainings = self.n_folds * each  # of one family
        self.share = (settings.budget or float("inf")) / (max(len(settings.families), 1) * self._trainings)
        self._spent: defaultdict[str, float] = defaultdict(float)  # seconds of training and compiling, by model
        self._compiling = 0.0  # seconds
        self.done, self.at_once = 0, 1
        self._seconds: dict[str, list[float]] = {}  # of trials finished now, by model
        self._finished: Counter[str] = Counter()  # trials, by model

    def _check_refits(self) -> None:
        asked = self.settings.refit_folds
        if asked == NO_REFIT:
            return
        data = self.experiment.prepare(0)
        if data.known is None:
            raise InputError(f"`refit_folds` does not apply to {self.experiment.task.name}; leave it out")
        if asked == CROSS_VALIDATION and not data.known_parts():
            raise InputError(
                f"`refit_folds` {CROSS_VALIDATION} does not apply to {self.experiment.task.name}, where every part but "
                "the last would be learnt from what comes later; take validation"
            )

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the outcome: the hash of the data, and all settings."""
        data = self.experiment.describe()
        rows = {name: data[name] for name in ("baseline_rows",) if name in data}  # by how much memory there is
        return {"data": data["hash"], **rows, **self.settings_json()}

    def settings_json(self) -> dict[str, Any]:
        """All settings, those of the task included."""
        return to_json(self.experiment.task, self.settings)  # type: ignore[arg-type]  # every task is a dataclass

    @cached_property
    def partner(self) -> str | None:
        """The baseline that networks are mixed with: the best on the validation part of the first fold.

        One for all folds, so that a mix is one model. Chosen there and not on each fold's own part because the name of
        a model may not depend on the fold; which of a few baselines is joined tells a network next to nothing.

        Raises:
            InputError: if a mix was asked for and the baseline, or all of them, cannot be a graph.
        """
        mix = self.settings.mix
        if self._partner is not None or mix in (None, "none"):
            return self._partner
        found = self.best_baseline if mix == "auto" else self._best_of([mix])
        if found is not None:
            return found
        if mix == "auto" and type(self.experiment.task).mixes(self.experiment.frame):
            return None  # nobody asked for it
        what = "none of the baselines" if mix == "auto" else str(mix)
        raise InputError(
            f"`mix` is {mix}, but {what} can be joined with a network for {self.experiment.task.name} in one graph; "
            "choose another baseline, or leave `mix` out"
        )

    @cached_property
    def best_baseline(self) -> str | None:
        """The best one on the validation part of the first fold, of those that can be part of a network's graph."""
        return self._best_of(self.settings.baselines)

    def _best_of(self, names: Iterable[str]) -> str | None:
        return best_baseline(
            self.experiment.task, self.experiment.prepare(0), names, lambda name: self._chosen(name, 0)
        )

    def data_for(self, fold: int, config: dict[str, Any]) -> FoldData:
        """A fold as networks of a configuration read it."""
        return read_by(self.experiment.prepare(fold), config, lambda name: self._chosen(name, fold))

    def partner_in(self, fold: int) -> Partner | None:
        """The baseline that networks are mixed with in a fold, and its settings there."""
        if self.partner is None:
            return None
        if fold not in self._partner_configs:
            self._partner_configs[fold] = self._chosen(self.partner, fold)
        return Partner(self.partner, self._partner_configs[fold])

    def _chosen(self, baseline: str, fold: int) -> dict[str, Any]:
        """The settings of a baseline in a fold: of its trial where that is finished, otherwise as that will choose."""
        kept = self.store.get(Trial(baseline, fold)) if self.store else None
        if kept is not None:
            return dict(kept.row["config"])
        return choose_baseline(self.experiment.prepare(fold), baseline, self.settings.configs_of_a_baseline).config

    @property
    def places(self) -> list[tuple[str, int]]:
        """Every model on every fold; baselines first, because they say early what is to be beaten."""
        models = (*self.settings.baselines, *self.settings.families)
        return [(model, fold) for fold in range(self.n_folds) for model in models]

    def trials_of(self, model: str, fold: int) -> list[Outcome]:
        """Run what is not finished yet of one model on one fold."""
        if model in self.settings.baselines:
            return [self.baseline(model, fold)]
        return self._family(model, fold)

    def refit(self, model: str, kind: str, outcomes: list[Outcome]) -> tuple[FittedModel, dict[str, Any]]:
        """Fit a model once more on all data, with the configuration chosen in the newest fold.

        Returns:
            The fitted model, and what a model card says of how it came to be.
        """
        data = self.experiment.prepare_final()
        trial = Trial(model, self.n_folds)
        self._report(trial)
        if kind == "baseline":
            config = _newest_config(model, outcomes)
            return data.baseline(model, config), {"baseline": model, **config}
        network, mixed_with = split_mix(model)
        partner = None if mixed_with is None else Partner(mixed_with, _newest_config(model, outcomes)["baseline"])
        family, _ = parse_variant(network, self.experiment.task.output_kind)
        config = _newest_config(network, outcomes)
        data = read_by(data, config, lambda _: config["baseline"])
        return self.train_final(data, family, _own(config), seed=0, trial=trial, partner=partner)

    def retrain(
        self, model: str, outcomes: list[Outcome], *, shuffled: bool = False
    ) -> tuple[FoldData, FittedModel, dict[str, Any]]:
        """Train a family of the newest fold once more, with the first seed and the configuration chosen there.

        Args:
            model: of the comparison.
            outcomes: of all trials.
            shuffled: train on examples whose steps stand in a random order, a network of its own.

        Returns:
            The fold's data, the fitted model, and how it came to be. The weights are those that were scored, unless
            the budget ended the training.
        """
        family, _ = parse_variant(model, self.experiment.task.output_kind)
        config = _own(_newest_config(model, outcomes))
        data = self.data_for(self.n_folds - 1, config)
        purpose = "training on shuffled steps, for the diagnostics" if shuffled else "training for the diagnostics"
        trial = Trial(model, self.n_folds, purpose=purpose)
        self._report(trial)
        if not shuffled:
            return data, *self.train_final(data, family, config, seed=0, trial=trial)
        options = FitOptions(budget=self.share, on_epoch=self._on_epoch(trial))
        trainers = Trainers(self.experiment.task, self.settings)  # the others' networks keep their weights
        network, history = trainers.train(ShuffledFold(data), family, config, options)
        return data, data.network(network), training_record(family, config, 0, history)

    def train_final(
        self,
        data: FoldData,
        family: str,
        config: dict[str, Any],
        *,
        seed: int,
        trial: Trial,
        partner: Partner | None = None,
    ) -> tuple[FittedModel, dict[str, Any]]:
        """Train a configuration outside the trials, and mix it with a baseline, `partner`."""
        options = FitOptions(seed=seed, budget=self.share, on_epoch=self._on_epoch(trial))
        network, history = self.trainers.train(data, family, config, options)
        fitted = fitted_with(data, network, partner, training_record(family, config, seed, history))
        self.trainers.refit(data, family, config, history, options)
        return fitted

    def closing_notes(self, outcomes: list[Outcome]) -> list[str]:
        """What the run did that a reader should know."""
        notes = list(dict.fromkeys(note for outcome in outcomes for note in outcome.row["notes"]))
        if self.settings.families:
            notes += self.settings.refit_notes
        for count, by in cut_short([outcome.row["stopped_by"] for outcome in outcomes]):
            trainings = "training was" if count == 1 else "trainings were"
            notes.append(f"{count} {trainings} ended by {by}, not by the validation loss: more might have helped")
        if self.settings.budget is not None and self._compiling > _MUCH * self.settings.budget:
            notes.append(
                f"compiling the networks took {self._compiling:.0f} s of a budget of {self.settings.budget:.0f} s, and "
                "what is left is for training; a larger `budget` would be fairer to what is slow to compile"
            )
        if self.at_once > 1:
            notes.append("trials ran at once in several processes, so their seconds are longer than those of one alone")
        return [*notes, *self._unmatched(outcomes), *self.experiment.closing_notes()]

    def _unmatched(self, outcomes: list[Outcome]) -> list[str]:
        """A note where a recurrent network contains a baseline that no feed-forward one contains."""
        offsets = {(is_recurrent(o.row["model"]), o.row["config"].get(OFFSET)) for o in outcomes}
        missing = {name for recurrent, name in offsets if recurrent and name and (False, name) not in offsets}
        return [
            f"no feed-forward network has the offset {name}: name one, such as dense:offset={name}, to see what memory "
            "adds, and not the network"
            for name in sorted(missing - ({self.partner} if missing else set()))
        ]

    def examples(self, outcomes: list[Outcome]) -> dict[str, np.ndarray]:
        """Each model's example in the last fold, first seed."""
        found: dict[str, np.ndarray] = {}
        for outcome in outcomes:
            if outcome.row["fold"] == self.n_folds - 1 and outcome.row["chosen"]:
                found.setdefault(outcome.row["model"], outcome.example)
        return found

    def fold_losses(self, model: str, outcomes: list[Outcome]) -> FoldLosses:
        """A model's losses in each fold, one array per seed, of the configuration that was chosen."""
        mine = [o for o in outcomes if o.row["model"] == model and o.row["chosen"]]
        return [[o.losses for o in mine if o.row["fold"] == fold] for fold in range(self.n_folds)]

    def baseline(self, name: str, fold: int, *, among: int | None = None) -> Outcome:
        """Choose a configuration of a baseline, by default among as many as the settings say, and evaluate it."""
        trial = Trial(name, fold, among=among)
        n = among or self.settings.configs_of_a_baseline
        [outcome] = self._finished_or([trial], lambda: [run_baseline(self.experiment.prepare(fold), trial, n)])
        outcome.row["chosen"] = True
        return outcome

    def _family(self, name: str, fold: int) -> list[Outcome]:
        """Try the configurations with the first seed; the best on validation rows gets the other seeds."""
        s = self.settings
        configs = self.configs_of(name, fold, s.configs_of_a_family)
        trials = [Trial(name, fold, 0, number) for number in range(len(configs))]
        tried = self._halved(trials, configs) if len(configs) >= HALVED_FROM else []
        tried = tried or [self.attempt(trial, config) for trial, config in zip(trials, configs, strict=True)]
        best = min(range(len(tried)), key=lambda i: tried[i][0].row["validation_loss"])
        # A rate is chosen as a configuration is: by the first seed, for all.
        is_found = configs[best].get("learning_rate") == FIND
        found = {"learning_rate": tried[best][0].row["learning_rate"]} if is_found else {}
        repeated = [self.attempt(Trial(name, fold, seed, best), configs[best] | found) for seed in range(1, s.seeds)]
        for number, outcomes in enumerate([*tried, *repeated]):
            for outcome in outcomes:
                outcome.row["chosen"] = number == best or number >= len(tried)
        return [outcome for outcomes in (*tried, *repeated) for outcome in outcomes]

    def _halved(self, trials: list[Trial], configs: list[dict[str, Any]]) -> list[list[Outcome]]:
        """Train all configurations for a short while, the better half on, and so on; nothing where all are finished.

        Each keeps its state in a file until all are evaluated: a run that was killed decides as an unbroken one.
        """
        if self.store and all(self.store.get(trial) for trial in trials):
            return []
        data = self.data_for(trials[0].fold, configs[0])  # whose offset is that of all
        family, _ = parse_variant(trials[0].model, self.experiment.task.output_kind)
        with tempfile.TemporaryDirectory() as temporary:
            folder = self.store.folder if self.store else Path(temporary)
            files = [folder / f"{trial.key}.rounds.npz" for trial in trials]

            def train(number: int, end: int) -> tuple[list[float], bool]:
                options = self._options(trials[number], data, family, configs[number], files[number], end)
                return self.trainers.train(data, family, configs[number], options)[1].losses, False

            ends = self.trainers.rounds(data, family, configs[0], len(trials))
            best, losses = find(train, ends, range(len(trials)))
            tried = [
                self.attempt(trial, configs[i], files[i], None if i == best else len(losses[i]))
                for i, trial in enumerate(trials)
            ]
            for file in files:
                file.unlink(missing_ok=True)
        return tried

    def _options(
        self,
        trial: Trial,
        data: FoldData,
        family: str,
        config: dict[str, Any],
        checkpoint: Path | None,
        until: int | None,
    ) -> FitOptions:
        return FitOptions(
            seed=trial.seed,
            budget=self._time_for(trial.model, data, family, config),
            checkpoint=checkpoint,
            until=until,
            on_epoch=self._on_epoch(trial),
        )

    def configs_of(self, name: str, fold: int, count: int) -> list[dict[str, Any]]:
        """Configurations of a family or variant, the default first."""
        family, own = parse_variant(name, self.experiment.task.output_kind)
        fixed = {**(self.settings.config or {}), **own}
        configs = draw_configs(family, self.experiment.prepare(fold).spec, count, fixed=fixed)
        found = [settled(config, lambda: self.best_baseline) for config in configs]
        note = (
            f"offset=auto is {self.best_baseline} here, the best baseline on validation data"
            if found != configs
            else ""
        )
        if note and note not in self.experiment.notes:
            self.experiment.notes.append(note)
        return found

    def attempt(
        self, trial: Trial, config: dict[str, Any], checkpoint: Path | None = None, until: int | None = None
    ) -> list[Outcome]:
        """One training and, where networks are mixed with a baseline, its mix; it goes on from a checkpoint."""
        data = self.data_for(trial.fold, config)
        family, _ = parse_variant(trial.model, self.experiment.task.output_kind)
        # A network with an offset contains a baseline already.
        partner = None if config.get(OFFSET) else self.partner_in(trial.fold)
        trials = [trial] if partner is None else [trial, trial.mixed(partner.name)]

        def train() -> list[Outcome]:
            own = None if self.store is None else self.store.checkpoint(trial)
            options = self._options(trial, data, family, config, checkpoint or own, until)
            more = {} if self.observe is None else {"observe": self.observe}
            return run_family(self.trainers, data, trial, family, config, options, partner, **more)

        outcomes = self._finished_or(trials, train)
        self._spent[trial.model] += outcomes[0].row["train_seconds"]
        return outcomes

    def _time_for(self, name: str, data: FoldData, family: str, config: dict[str, Any]) -> float:
        """Seconds that the next training of a model may take: its trainings share what compiling leaves of its part."""
        if self.settings.budget is None:
            return float("inf")
        seconds = self.trainers.compile(data, family, config)
        self._compiling += seconds
        self._spent[name] += seconds
        left = self.share * self._trainings - self._spent[name]
        return min(max(left, 0.0) / max(self._trainings - self._finished[name], 1), self.share)

    def _finished_or(self, trials: list[Trial], work: Callable[[], list[Outcome]]) -> list[Outcome]:
        """The outcomes of one training: of the model, and of its mix."""
        kept = [self.store.get(trial) for trial in trials] if self.store else []
        outcomes = [outcome for outcome in kept if outcome is not None]
        if len(outcomes) < len(trials):
            self._report(trials[0])
            begun = time.monotonic()
            outcomes = work()
            self._seconds.setdefault(trials[0].model, []).append(time.monotonic() - begun)
            for trial, outcome in reversed(list(zip(trials, outcomes, strict=True))):  # the model's own ends the work
                if self.store:
                    self.store.put(trial, outcome)
        self.done += 1
        self._finished[trials[0].model] += 1
        return outcomes

    def report_finished(self, trial: Trial, seconds_each: float) -> None:
        """Report a trial that another process has finished, and how long each took, several at once."""
        left = (self.total - self.done) * seconds_each
        self.on_progress(Progress(trial, self.done, self.total, seconds_left=left, finished=True))

    def _on_epoch(self, trial: Trial) -> Callable[[int, float], None]:
        return lambda epoch, loss: self._report(trial, epoch, loss)

    def _report(self, trial: Trial, epoch: int = 0, loss: float | None = None) -> None:
        final = trial.fold == self.n_folds
        left = None if final else self._seconds_left()
        self.on_progress(Progress(trial, self.done, self.total + final, epoch, loss, left, final))

    def _seconds_left(self) -> float | None:
        """Trials to come, each as long as those of its family took, or of all trained ones where none did yet."""
        s = self.settings
        trained = [x for name, times in self._seconds.items() if name in s.families for x in times]
        if not trained:
            return None
        each = self.n_folds * (s.configs_of_a_family + s.seeds - 1)
        left = 0.0
        for name in s.families:
            left += (each - self._finished[name]) * float(np.mean(self._seconds.get(name) or trained))
        return max(left, 0.0)


def _own(config: dict[str, Any]) -> dict[str, Any]:
    """A network's own settings, without those of the baseline that it contains."""
    return {name: value for name, value in config.items() if name != "baseline"}


def _newest_config(model: str, outcomes: list[Outcome]) -> dict[str, Any]:
    """The configuration chosen in the newest fold."""
    rows: list[Row] = [o.row for o in outcomes if o.row["model"] == model and o.row["chosen"]]
    newest = max(row["fold"] for row in rows)
    return next(row["config"] for row in rows if row["fold"] == newest)

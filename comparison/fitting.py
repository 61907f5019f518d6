"""Fit one family or baseline to all data, without a comparison."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..display import html
from ..errors import InputError
from ..frames import Frame
from ..models import FAMILIES, draw_configs, parse_variant, split_mix
from ..predictor import Predictor
from ..seeds import check_seed
from ..tasks import TASKS, Experiment, FittedModel, FoldData, Task
from ..training import FitOptions
from .progress import OnProgress, Progress, ignore
from .run import best_baseline, fitted_with, read_by, settled, training_record
from .settings import CompareSettings, offset_of, open_experiment
from .terminal_progress import watching
from .trainers import Trainers
from .trials import Partner, Trial, choose_baseline

if TYPE_CHECKING:
    from ..training import History


@dataclass(frozen=True, eq=False)
class FitResult:
    """A fitted predictor and how it came to be.

    Attributes:
        predictor: raw in, raw out.
        history: how its training went; None for a baseline.
        training: family, settings, seed, ..., for the model card.
        notes: what was found and chosen.
        frame: the data.
        task: typed settings of the task.
    """

    predictor: Predictor[Any]
    history: History | None
    training: dict[str, Any]
    notes: list[str]
    frame: Frame
    task: Task

    def __repr__(self) -> str:
        history = self.history
        if history is None:
            return f"FitResult({self.training['baseline']} for {self.task.name})"
        return (
            f"FitResult({self.training['family']} for {self.task.name}: validation loss {history.best_loss:.4g} after "
            f"epoch {history.best_epoch} of {len(history.losses)}, {history.seconds:.1f} s)"
        )

    def _repr_html_(self) -> str:
        return html.block(html.title(repr(self), repr(self.predictor)), html.bullets(self.notes))


def fit(
    source: str | Path | pd.DataFrame | Frame,
    *,
    family: str,
    task: str | Task | None = None,
    seed: int = 0,
    on_progress: OnProgress = ignore,
    progress: bool | None = None,
    **settings: Any,
) -> FitResult:
    """Fit one family or baseline to all data; a tenth of them (of a series the newest) stops a network's training.

    With fewer than 1,000 examples, or where `refit_folds` says so, the network is then trained on that tenth too.

    Args:
        source, task, on_progress, progress, **settings: as in :func:`compare`.
        family: one of ``recurra.list_families()``, a variant such as ``"lstm:units=32"``, one of
            ``recurra.list_baselines(task)``, such as ``"tfidf_logistic"``, or a mix, ``"lstm + nbsvm"``.
        seed: of weights and order.

    Returns:
        ``.predictor``, ``.history`` (None for a baseline), ``.training`` (family, settings, seed), ``.notes``,
        ``.frame``, ``.task``.

    Raises:
        InputError: anything in the source or the settings that the user can fix.

    Example:
        >>> fitted = recurra.fit("co2", family="lstm")
        >>> fitted.predictor.predict(fitted.frame)
    """
    seed = check_seed(seed)
    network, partner = split_mix(family)
    if partner is not None:
        _check_parts(family, network, partner)
    mixed = {} if partner is None else {"baselines": [partner], "mix": partner}
    chosen: dict[str, Any] = {"families": [_checked(network)], "baselines": []} | mixed
    offset = offset_of(network, settings.get("config"))
    if offset is not None and partner is not None:
        raise InputError(f"`family` {family!r} contains a baseline twice; leave out `offset` or {partner}")
    if offset is not None:
        chosen["baselines"] = [offset] if any(offset in kind.list_baselines() for kind in TASKS.values()) else None
    if any(family in kind.list_baselines() for kind in TASKS.values()):
        chosen = {"families": [], "baselines": [family]}
    experiment, common = open_experiment(source, task=task, needs_family=False, **{**settings, **chosen})
    with watching(on_progress, progress) as watch:
        return _fit(experiment, common, family, seed, watch)


def _checked(family: str) -> str:
    """Refuse a name that neither a family nor a baseline has, as the option that it was given to."""
    known = [*FAMILIES, *dict.fromkeys(name for kind in TASKS.values() for name in kind.list_baselines())]
    if family.partition(":")[0] not in known:
        close = difflib.get_close_matches(family, known, n=1)
        near = f"; did you mean {close[0]}?" if close else ""
        raise InputError(f"`family` must be one of {', '.join(known)}; received {family!r}{near}")
    return family


def _check_parts(family: str, network: str, partner: str) -> None:
    """Refuse a mix that is not a network and a baseline of some task, as the option that it was given to."""
    baselines = dict.fromkeys(name for kind in TASKS.values() for name in kind.list_baselines())
    for part, known, what in (
        (network.partition(":")[0], list(FAMILIES), "a family before the +"),
        (partner, list(baselines), "a baseline behind the +"),
    ):
        if part not in known:
            close = difflib.get_close_matches(part, known, n=1)
            near = f"; did you mean {close[0]}?" if close else ""
            raise InputError(
                f"`family` {family!r}: {part!r} was found where {what} was expected, one of {', '.join(known)}{near}"
            )


def _fit(experiment: Experiment, common: CompareSettings, family: str, seed: int, on_progress: OnProgress) -> FitResult:
    data = experiment.prepare_final()
    network, partner = split_mix(family)
    with_settings = None if partner is None else Partner(partner, _chosen(data, common, partner))
    if with_settings is not None and not data.mixes_with(with_settings.name, with_settings.config):
        raise InputError(f"`family` {family!r}: {partner} cannot be joined with a network in one graph; choose another")
    if not common.families:
        on_progress(Progress(Trial(family, 0, seed), 0, 1, final=True))
        own = _chosen(data, common, family)
        return _result(experiment, data, data.baseline(family, own), {"baseline": family, **own}, None)
    name, own = parse_variant(network, experiment.task.output_kind)
    chosen = partial(_chosen, data, common)
    config = draw_configs(name, data.spec, 1, fixed={**(common.config or {}), **own})[0]
    config = settled(config, lambda: best_baseline(experiment.task, data, common.baselines, chosen))
    data = read_by(data, config, chosen)
    trial = Trial(family, 0, seed)

    def on_epoch(epoch: int, loss: float) -> None:
        on_progress(Progress(trial, 0, 1, epoch, loss, final=True))

    options = FitOptions(seed=seed, budget=common.budget or float("inf"), on_epoch=on_epoch)
    trainers = Trainers(experiment.task, common)
    model, history = trainers.train(data, name, config, options)
    fitted, training = fitted_with(data, model, with_settings, training_record(name, config, seed, history))
    trainers.refit(data, name, config, history, options)
    experiment.notes.extend(common.refit_notes)
    return _result(experiment, data, fitted, training, history)


def _chosen(data: FoldData, common: CompareSettings, baseline: str) -> dict[str, Any]:
    """The settings of a baseline that are best on the validation part, as a comparison would choose them."""
    return choose_baseline(data, baseline, common.configs_of_a_baseline).config


def _result(
    experiment: Experiment, data: FoldData, fitted: FittedModel, training: dict[str, Any], history: History | None
) -> FitResult:
    notes = [*experiment.notes, *(note for note in data.notes if note not in experiment.notes), *fitted.notes]
    return FitResult(fitted.predictor, history, training, notes, experiment.frame, experiment.task)

"""Train one family on all data, without a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..frames import Frame
from ..models import draw_configs, parse_variant
from ..predictor import Predictor
from ..tasks import Task
from ..training import FitOptions
from .progress import OnProgress, Progress, ignore
from .run import training_record
from .settings import open_experiment
from .trainers import Trainers
from .trials import Trial

if TYPE_CHECKING:
    from ..training import History


@dataclass(frozen=True, eq=False)
class FitResult:
    """A trained predictor and how it came to be.

    Attributes:
        predictor: raw in, raw out.
        history: how its training went.
        training: family, settings, seed, ..., for the model card.
        notes: what was found and chosen.
        frame: the data.
        task: typed settings of the task.
    """

    predictor: Predictor[Any]
    history: History
    training: dict[str, Any]
    notes: list[str]
    frame: Frame
    task: Task

    def __repr__(self) -> str:
        history = self.history
        return (
            f"FitResult({self.training['family']} for {self.task.name}: validation loss {history.best_loss:.4g} after "
            f"epoch {history.best_epoch} of {len(history.losses)}, {history.seconds:.1f} s)"
        )


def fit(
    source: str | Path | Frame,
    *,
    family: str,
    task: str | Task | None = None,
    seed: int = 0,
    on_progress: OnProgress = ignore,
    **settings: Any,
) -> FitResult:
    """Train one family on all data; a tenth of them (of a series the newest) stops the training.

    Args:
        source, task, on_progress, **settings: as in :func:`compare`.
        family: one of ``recurra.list_families()``, or a variant such as ``"lstm:units=32"``.
        seed: of weights and order.

    Returns:
        ``.predictor``, ``.history``, ``.training`` (family, settings, seed), ``.notes``, ``.frame``, ``.task``.

    Raises:
        InputError: anything in the source or the settings that the user can fix.

    Example:
        >>> fitted = recurra.fit("co2", family="lstm")
        >>> fitted.predictor.predict(fitted.frame)
    """
    experiment, common = open_experiment(source, task=task, **{**settings, "families": [family], "baselines": []})
    data = experiment.prepare_final()
    name, own = parse_variant(family, experiment.task.output_kind)
    config = draw_configs(name, data.spec, 1, fixed={**(common.config or {}), **own})[0]
    trial = Trial(family, 0, seed)

    def on_epoch(epoch: int, loss: float) -> None:
        on_progress(Progress(trial, 0, 1, epoch, loss, final=True))

    options = FitOptions(seed=seed, budget=common.budget or float("inf"), on_epoch=on_epoch)
    model, history = Trainers(experiment.task, common).train(data, name, config, options)
    fitted = data.network(model)
    notes = [*experiment.notes, *(note for note in data.notes if note not in experiment.notes), *fitted.notes]
    training = training_record(name, config, seed, history)
    return FitResult(fitted.predictor, history, training, notes, experiment.frame, experiment.task)

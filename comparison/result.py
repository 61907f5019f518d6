"""Comparison: what came of it, and how it is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .. import __version__
from ..atomic import replacing
from ..errors import InputError
from ..evaluation import TestRow, Verdict
from ..frames import Frame
from ..predictor import Predictor
from ..tasks import FittedModel, FoldData, Task
from ..tasks.protocol import PlotData
from .identity import to_strict_json
from .trials import Row

if TYPE_CHECKING:
    from .page import HasSections

SCHEMA_VERSION = 2


@dataclass(frozen=True, eq=False)
class Refit:
    """A model of the comparison, fitted once more on all data.

    Attributes:
        model: its name.
        predictor: raw in, raw out.
        training: how it came to be, for the model card.
    """

    model: str
    predictor: Predictor[Any]
    training: dict[str, Any]


def _no_models(model: str, **_: Any) -> tuple[FoldData, FittedModel, dict[str, Any]]:
    raise InputError(f"{model} cannot be inspected: only a comparison made in this process has its data and settings")


@dataclass(eq=False)
class Comparison:
    """Families and baselines, compared on one data set; docs/comparison-json.md describes the fields.

    Attributes:
        task: typed settings of the task, those derived from the data included.
        frame: the data.
        data, settings, notes, folds: what was compared on what, and what a rule chose.
        trial_rows: one object per model, fold, seed and configuration.
        summary_rows: one object per model, the best first.
        test_rows: one object per recurrent family: its effect against the best simpler model.
        verdict: ``{"worth_it": True | False | None, "best": ..., "text": ...}``.
        folder: where it was written, or None.
        examples: per model, for the plots, from the last fold and first seed: the forecast of the first series' last
            test window (horizon, targets); class numbers or values predicted for the test set (examples,); or the
            accuracy at each step (time,).
        plot_data: what plots need beside them.
        retrain: trains a family once more on the newest fold, for diagnostics; see :meth:`Run.retrain`.
        refits: the best model and, where that has no graph, the best that can be exported; empty if that was not
            asked for.
    """

    task: Task
    frame: Frame
    data: dict[str, Any]
    settings: dict[str, Any]
    notes: list[str]
    folds: list[dict[str, Any]]
    trial_rows: list[Row]
    summary_rows: list[Row]
    test_rows: list[TestRow]
    verdict: Verdict
    folder: Path | None = None
    examples: dict[str, np.ndarray] = field(default_factory=dict)
    plot_data: PlotData = field(default_factory=PlotData)
    refits: list[Refit] = field(default_factory=list)
    retrain: Callable[..., tuple[FoldData, FittedModel, dict[str, Any]]] = field(default=_no_models, repr=False)

    @property
    def trials(self) -> pd.DataFrame:
        """One row per model, fold, seed and configuration."""
        return pd.DataFrame(self.trial_rows).drop(
            columns=["by_step", "config", "configs_tried", "notes"], errors="ignore"
        )

    @property
    def summary(self) -> pd.DataFrame:
        """One row per model, the best first."""
        return pd.DataFrame(self.summary_rows).drop(columns="by_step", errors="ignore").set_index("model")

    @property
    def tests(self) -> pd.DataFrame:
        """One row per recurrent family: its effect against the best simpler model."""
        return pd.DataFrame(self.test_rows)

    @property
    def predictor(self) -> Predictor[Any] | None:
        """The best model, fitted once more on all data; None if that was not asked for."""
        return self.refits[0].predictor if self.refits else None

    @property
    def exportable(self) -> Refit | None:
        """The best model that can be a SavedModel."""
        return next((refit for refit in self.refits if refit.predictor.model.why_no_graph is None), None)

    def provenance(self, refit: Refit | None = None) -> dict[str, Any]:
        """What an export says of itself: how it came to be, its model's accuracy here, and the verdict."""
        refit = refit or self.exportable
        if refit is None:
            return {"training": {}, "metrics": {}, "verdict": None}
        line = next(line for line in self.summary_rows if line["model"] == refit.model)
        names = [*(metric.name for metric in self.task.metrics), f"{self.task.metrics[0].name}_sd"]
        metrics = {name: line[name] for name in names}
        return {"training": refit.training, "metrics": metrics, "verdict": self.verdict["text"]}

    def to_dict(self) -> dict[str, Any]:
        """What ``comparison.json`` holds: strict JSON."""
        return to_strict_json(
            {
                "schema_version": SCHEMA_VERSION,
                "recurra": __version__,
                "task": self.task.name,
                "data": self.data,
                "settings": self.settings,
                "notes": self.notes,
                "folds": self.folds,
                "trials": self.trial_rows,
                "summary": self.summary_rows,
                "tests": self.test_rows,
                "verdict": self.verdict,
            }
        )

    def write(self) -> None:
        """Write ``comparison.json`` and ``comparison.csv`` into the folder."""
        if self.folder is None:
            return
        with replacing(self.folder / "comparison.json") as path:
            path.write_text(json.dumps(self.to_dict(), indent=1), encoding="utf-8")
        with replacing(self.folder / "comparison.csv") as path:
            self.trials.to_csv(path, index=False)

    def to_html(self, *parts: HasSections, command: str = "") -> str:
        """One self-contained page: opens offline, prints, and reads without script.

        Args:
            *parts: what else stands on it: an inspected model, an audit of the data.
            command: that made it.

        Example:
            >>> page = result.to_html(recurra.diagnostics.inspect_comparison(result))
        """
        from .page import comparison_page

        return comparison_page(self, parts, command)

    def __repr__(self) -> str:
        main = self.task.metrics[0]
        best = self.summary_rows[0]
        answer = {True: "yes", False: "no", None: "cannot tell"}[self.verdict["worth_it"]]
        return (
            f"Comparison({self.task.name} of {self.data['source']!r}: {len(self.summary_rows)} models, best "
            f"{best['model']} with {main.title} {best[main.name]:.4g}; is a recurrent network worth it? {answer})"
        )

    def _repr_html_(self) -> str:
        from .html import comparison_html

        return comparison_html(self)

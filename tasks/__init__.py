"""Tasks: all that differs between forecasting, classifying, tagging, ... stands in one file each.

A task is a frozen dataclass of typed settings (``Forecast(horizon=24)``) with its metrics, baselines, words and, by
:meth:`Task.open`, the experiment that it is on a frame. To add one: a file, a line in ``TASKS``.
"""

from .classification import Classification
from .forecast import Forecast
from .language_model import LanguageModel
from .protocol import Evaluation, Experiment, FittedModel, FoldData, Task, TrainingDefaults
from .regression import Regression
from .resolve import list_baselines, resolve_task, task_of_data
from .tagging import Tagging

TASKS: dict[str, type[Task]] = {
    "forecast": Forecast,
    "classification": Classification,
    "regression": Regression,
    "tagging": Tagging,
    "language-model": LanguageModel,
}

__all__ = [
    "TASKS",
    "Classification",
    "Evaluation",
    "Experiment",
    "FittedModel",
    "FoldData",
    "Forecast",
    "LanguageModel",
    "Regression",
    "Tagging",
    "Task",
    "TrainingDefaults",
    "list_baselines",
    "resolve_task",
    "task_of_data",
]

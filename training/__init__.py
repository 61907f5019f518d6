"""Train one configuration within a budget; survive a kill; repeat exactly from a seed."""

from .history import FitOptions, History
from .loss import LOSSES, Elementwise
from .prediction import compiled, predict_batches, read_in_order
from .steps import steps_per_epoch, steps_per_execution
from .trainer import LEARNING_RATE, Trainer

__all__ = [
    "LEARNING_RATE",
    "LOSSES",
    "Elementwise",
    "FitOptions",
    "History",
    "Trainer",
    "compiled",
    "predict_batches",
    "read_in_order",
    "steps_per_epoch",
    "steps_per_execution",
]

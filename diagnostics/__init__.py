"""Diagnostics: why a model does what it does, and whether the data can be trusted.

inspection.py       inspect(): all of the following for one model
influence.py        how much each lag still moves the prediction: the vanishing gradient, measured
occlusion.py        what the network can do without
order.py            what the loss gains by reading steps in their order
gates.py            what a recurrent layer lets in, keeps and shows
cost.py             parameters, multiply-adds, memory, seconds, and how they grow
error_analysis.py   the worst examples, errors by group, calibration, coverage, what repeats
audit/              leaks: does the test part, or an input, know what it should not?
memory_gradient.py  what is left of a gradient after so many steps, inside a recurrent layer
memory_tasks.py     where each family forgets, on synthetic sequences
"""

from .audit import Audit, audit
from .cost import cost_of
from .gates import gates_of, gates_of_example, half_life_of, unroll
from .influence import horizon, influence_by_lag, inside_layers
from .inspection import Inspection, inspect, inspect_comparison
from .memory_tasks import MEMORY_TASKS, MemoryResult, measure_memory
from .occlusion import Occlusion, occlusion
from .order import Order, worth_of_order

__all__ = [
    "MEMORY_TASKS",
    "Audit",
    "Inspection",
    "MemoryResult",
    "Occlusion",
    "Order",
    "audit",
    "cost_of",
    "gates_of",
    "gates_of_example",
    "half_life_of",
    "horizon",
    "influence_by_lag",
    "inside_layers",
    "inspect",
    "inspect_comparison",
    "measure_memory",
    "occlusion",
    "unroll",
    "worth_of_order",
]

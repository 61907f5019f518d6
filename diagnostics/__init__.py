"""Diagnostics: why a model does what it does; so far, over how many steps each family can remember."""

from .memory_tasks import MEMORY_TASKS, MemoryResult, measure_memory

__all__ = ["MEMORY_TASKS", "MemoryResult", "measure_memory"]

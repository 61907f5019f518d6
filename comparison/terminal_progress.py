"""Progress of a run on the terminal: which family, fold and seed, how far, how long still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar

from .progress import OnProgress, ignore

if TYPE_CHECKING:
    from .progress import Progress


@contextmanager
def watching(on_progress: OnProgress, progress: bool | None) -> Iterator[OnProgress]:
    """Yield the callback of a run: the one given, else one that shows progress where somebody looks.

    Args:
        on_progress: what was given; ``ignore`` where nothing was.
        progress: whether to show it; None: on a terminal and in a notebook.
    """
    if on_progress is not ignore or progress is False:
        yield on_progress
        return
    console = Console(stderr=True, highlight=False, emoji=False)
    if progress is None and not (console.is_terminal or console.is_jupyter):
        yield on_progress
        return
    with show(console) as shown:
        yield shown


@contextmanager
def show(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Yield a callback for ``on_progress``: a live line on a terminal, a line per trial elsewhere."""
    if not console.is_terminal:
        yield _line_printer(console)
        return
    what = TextColumn("{task.description}", markup=False)
    left = TextColumn("{task.fields[left]}", markup=False)
    columns = (what, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), left)
    with ProgressBar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("preparing", total=None, left="")

        def update(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total, description=_description(progress))
            bar.update(task, left=_time_left(progress))

        yield update


def _line_printer(console: Console) -> Callable[[Progress], None]:
    def line(progress: Progress) -> None:
        if progress.epoch == 0:
            number = progress.done if progress.finished else progress.done + 1
            text = f"[{number}/{progress.total}] {_description(progress)}{_time_left(progress)}"
            console.print(text, markup=False, soft_wrap=True)

    return line


def _description(progress: Progress) -> str:
    trial = progress.trial
    where = trial.purpose if progress.final else f"fold {trial.fold + 1} · seed {trial.seed + 1}"
    text = f"{trial.model} · {where}"
    text += f" · config {trial.config_number + 1}" if trial.config_number else ""
    return text + (f" · epoch {progress.epoch}, loss {progress.loss:.4g}" if progress.loss is not None else "")


def _time_left(progress: Progress) -> str:
    if progress.seconds_left is None:
        return ""
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    return f" · about {minutes} min {seconds:02d} s left"

"""Live progress of a run: which family, fold and seed, how far, how long still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .. import comparison


@contextmanager
def show(console: Console) -> Iterator[Callable[[comparison.Progress], None]]:
    """Yield a callback for ``on_progress``: a live line on a terminal, a line a trial elsewhere."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}"), console=console, transient=True) as bar:
        task = bar.add_task("preparing", total=None, left="")

        def update(progress: comparison.Progress) -> None:
            bar.update(
                task, description=_what(progress), completed=progress.done, total=progress.total, left=_left(progress)
            )

        yield update


def _lines(console: Console) -> Callable[[comparison.Progress], None]:
    def line(progress: comparison.Progress) -> None:
        if progress.epoch == 0:
            console.print(
                f"[{progress.done + 1}/{progress.total}] {_what(progress)}{_left(progress)}",
                markup=False,
                soft_wrap=True,
            )

    return line


def _what(progress: comparison.Progress) -> str:
    trial = progress.trial
    where = "last training" if progress.final else f"fold {trial.fold + 1} · seed {trial.seed + 1}"
    text = f"{trial.model} · {where}"
    text += f" · config {trial.config_number + 1}" if trial.config_number else ""
    return text + (f" · epoch {progress.epoch}, loss {progress.loss:.4g}" if progress.loss is not None else "")


def _left(progress: comparison.Progress) -> str:
    if progress.seconds_left is None:
        return ""
    minutes, seconds = divmod(round(progress.seconds_left), 60)
    return f" · about {minutes} min {seconds:02d} s left"

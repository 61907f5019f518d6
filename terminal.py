"""What the command line prints: results on standard output, progress, notes and errors on standard error."""

from __future__ import annotations

import atexit
import io
import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from .command_options import as_flags
from .display.visible_text import visible
from .quiet import import_quietly

# A copy of standard error: progress stays visible while TensorFlow's start-up is kept quiet.
_stderr = os.fdopen(os.dup(2), "w", encoding="utf-8")
atexit.register(_stderr.close)
err = Console(file=_stderr, highlight=False, markup=False, emoji=False)
out = Console(highlight=False, markup=False, emoji=False)


def print_line(text: str) -> None:
    """Print a sentence with a user's words in it, on one line, whatever the words hold."""
    write(visible(text))


def write(text: str) -> None:
    """Write a text byte for byte: rich would put spaces for tabs and leave out control characters."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_notes(notes: Iterable[str]) -> None:
    """Print what was settled while reading, on standard error: standard output is for what was asked for."""
    for note in notes:
        err.print(Text(f"- {visible(as_flags(note))}"), soft_wrap=True)


def command(*words: object) -> str:
    """A command that a shell reads as it is meant, also where a path or a class holds spaces."""
    return shlex.join(["recurra", *map(str, words)])


@contextmanager
def starting() -> Iterator[None]:
    """Import TensorFlow quietly, and say that it takes a moment."""
    with err.status("starting TensorFlow ..."):
        import_quietly()
    yield


@contextmanager
def interruptible(folder: Path) -> Iterator[None]:
    """Say on Ctrl-C what is kept."""
    try:
        yield
    except KeyboardInterrupt:
        message = f"recurra: stopped; what was finished is kept in {folder}, the same command resumes it"
        err.print(Text(message), soft_wrap=True)
        raise typer.Exit(130) from None


def print_error(sentence: str) -> None:
    """Print what a user can fix; parameters are options by then."""
    err.print(Text(f"recurra: {visible(sentence)}", style="red"), soft_wrap=True)


def print_misuse(error: typer.TyperException) -> None:
    """What is no command line, as one sentence like all others; without any arguments the help says it already."""
    found = str(error.format_message() if hasattr(error, "format_message") else error)
    if not found:
        return
    context = getattr(error, "ctx", None)
    asked = context.command_path if context is not None else "recurra"
    print_error(f"{found[:1].lower()}{found[1:].rstrip('.')}; see {asked} --help")


def replace_unknown_characters() -> None:
    """On an old terminal, which has no ■, a question mark is better than an error."""
    for stream in (sys.stdout, _stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")

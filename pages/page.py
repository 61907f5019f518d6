"""Sections, figures and tables, and the file they become."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from ..atomic import replacing
from ..display.visible_text import visible
from ..errors import InputError
from .template import TEMPLATE


@dataclass(frozen=True)
class Figure:
    """A picture.

    Attributes:
        svg: its drawing, escaped already.
        alt: what it shows, as a finding.
        caption: under it.
    """

    svg: Markup
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Choice:
    """Figures of one kind, of which a reader with script sees one at a time, and without it all.

    Attributes:
        label: what is chosen, such as "series".
        figures: by the name of the choice.
    """

    label: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        head: names of the columns.
        rows: cells as text.
        caption: over it.
        left: so many first columns are words, the rest are numbers.
        bold: row that stands out.
        folded: whether it opens on a click; print opens it.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    left: int = 1
    bold: int | None = None
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it.

    Attributes:
        title: the heading.
        sentences: paragraphs.
        figures, tables: under them.
        bullets: a list under all.
    """

    title: str
    sentences: Sequence[str] = ()
    figures: Sequence[Figure | Choice] = ()
    tables: Sequence[Table] = ()
    bullets: Sequence[str] = ()

    @property
    def anchor(self) -> str:
        """Where a link leads to."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Page:
    """A whole page.

    Attributes:
        title: the one heading of the first rank.
        answer: the verdict in a few words; tone: "yes", "no" or "open", beside the words and never instead.
        text: the verdict's sentences.
        sections: what stands under it.
        command: that made it; made_by: name and version.
    """

    title: str
    answer: str
    text: str
    tone: str = "open"
    sections: Sequence[Section] = field(default=())
    command: str = ""
    made_by: str = "recurra"


def render(page: Page) -> str:
    """The page as one HTML text without any reference to another file."""
    return _template().render(page=page)


def write_page(path: Path | str, html: str) -> Path:
    """Write a page, whole or not at all.

    Raises:
        InputError: if the file cannot be written.
    """
    path = Path(path)
    try:
        with replacing(path) as file:
            file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another `report`") from error
    return path


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_shown)
    environment.filters["prose"] = _prose
    environment.tests["choice"] = lambda figure: isinstance(figure, Choice)
    return environment.from_string(TEMPLATE)


def _prose(text: str) -> Markup:
    """A sentence whose names in backticks are set as code."""
    parts = re.split(r"`([^`]+)`", text)
    shown = [escape(visible(part)) for part in parts]
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(shown))


def _shown(value: object) -> object:
    """Whatever a template prints: invisible characters of the user's words become visible."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

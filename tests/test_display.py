"""What notebooks and prompts show of the things a user holds: short, escaped, readable on any page."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.diagnostics.memory_tasks import MemoryResult
from recurra.display import html
from recurra.training import History

WICKED = "<script>alert('x')</script>\x1b[31m\u202e& \"quoted\""


class Page(HTMLParser):
    """Tags and text; every tag that is opened is closed."""

    def __init__(self, page):
        super().__init__()
        self.text, self.open = "", []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert {name for name, _ in attrs} <= {"style"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "|"


def series(source="table"):
    days = pd.date_range("2024-01-01", periods=60)
    table = pd.DataFrame({"unique_id": WICKED, "ds": days, "y": np.sin(np.arange(60.0))})
    return recurra.SeriesFrame.from_table(table, source=source)


def texts(source="table"):
    table = pd.DataFrame({"text": [f"good {WICKED}", "very bad"] * 20, "label": [WICKED, "bad"] * 20})
    return recurra.TextFrame.from_table(table, text="text", label="label", source=source)


def panel(source="table"):
    arrays = [np.arange(8.0).reshape(-1, 2) + i for i in range(6)]
    return recurra.PanelFrame.from_arrays(arrays, targets=[WICKED, "b"] * 3, source=source)


def corpus(source="text"):
    return recurra.CorpusFrame.from_text(f"It was {WICKED}\nthe best of times\n" * 5, source=source)


FRAMES = {"series": series, "texts": texts, "panel": panel, "corpus": corpus}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_is_a_line_at_the_prompt_and_its_first_rows_in_a_notebook(kind):
    frame = FRAMES[kind](source=WICKED)
    assert len(repr(frame)) < 400
    assert "\n" not in repr(frame)
    page = frame._repr_html_()
    assert_safe_and_readable(page)
    assert "the first" in Page(page).text
    assert len(page) < 10_000


def assert_safe_and_readable(page):
    assert "<script" not in page
    assert not re.search("[\x1b\u202e]", page)
    outer = re.match(r'<div style="([^"]*)">', page)[1]
    assert "background:" in outer  # one of the two alone is unreadable on some page
    assert re.search(r"(^|;)color:", outer)
    for style in re.findall(r'style="([^"]*)"', page):
        assert ("background:" in style) == bool(re.search(r"(^|;)color:", style)) or style.startswith(
            ("background:transparent", "border-collapse", "font-size")
        )
    assert not re.search(r"url\(|http", page)
    Page(page)


def test_fits_predictors_and_comparisons_are_short_and_have_html():
    options = {"horizon": 3, "lookback": 6, "season": 1, "max_epochs": 1}
    fitted = recurra.fit(series(), family="linear", **options)
    compared = recurra.compare(series(), families=["linear"], baselines=["naive"], folds=1, seeds=1, **options)
    for thing in (fitted, fitted.predictor, compared):
        assert len(repr(thing)) < 400
        assert "\n" not in repr(thing)
        assert_safe_and_readable(thing._repr_html_())
    assert "linear" in Page(fitted.predictor._repr_html_()).text
    assert "naive|baseline|" in Page(compared._repr_html_()).text
    assert repr(fitted.history).startswith("History(validation loss ")
    assert len(repr(History(losses=[0.1] * 500))) < 200


def test_memory_results_have_a_table():
    rows = pd.DataFrame({"model": ["lstm"], "distance": [5], "seed": [0], "accuracy": [0.987]})
    page = MemoryResult("recall", rows.assign(stopped_by="patience", outcome="forgets"), 0.5)._repr_html_()
    assert_safe_and_readable(page)
    assert "lstm|0.987|5|" in Page(page).text


def test_tables_escape_headings_and_cells_and_cut_long_ones():
    rows = pd.DataFrame({WICKED: ["x" * 500]})
    page = html.block(html.first_rows(rows))
    assert_safe_and_readable(page)
    assert "x" * 100 not in page
    assert html.facts({"a": "", "b": None, "c": 1}).count("<tr") == 1

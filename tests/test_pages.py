"""Pages: one file, escaped, readable without script; a comparison as one."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra import diagnostics
from recurra.cli import main
from recurra.pages import Choice, Page, Section, Table, bars, heat_map, intervals, lines, render

WILD = "<script>alert('x')</script> & \"quoted\" \x1b[31m"


class Outline(HTMLParser):
    """Tags, attributes and texts outside scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.inside = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.texts.append(data)

    def count(self, tag):
        return sum(name == tag for name, _ in self.tags)


def assert_self_contained(html):
    """No request, one heading of the first rank, names for all pictures, headings in order."""
    outline = Outline(html)
    assert outline.count("h1") == 1
    assert dict(outline.tags)["html"]["lang"] == "en"
    assert any(attrs.get("name") == "viewport" for tag, attrs in outline.tags if tag == "meta")
    for tag, attributes in outline.tags:
        assert not any(value and value.startswith(("http", "//")) for value in (attributes.get("src"),))
        assert tag not in ("img", "iframe", "object")
        if tag == "link":
            assert attributes["href"] == "data:,"
        if tag == "a":
            assert attributes["href"].startswith("#")
        if tag == "svg":
            assert attributes["role"] == "img"
            assert len(attributes["aria-label"]) > 10
    assert "@import" not in html
    assert "url(" not in html
    return " ".join(outline.texts)


def test_every_string_is_escaped():
    figure = lines({WILD: ([0, 1, 2], [1.0, np.nan, 2.0])}, alt=WILD, x=WILD, y=WILD, labels=[WILD] * 3)
    more = [
        bars({WILD: 1.0, "b": 2.0}, alt=WILD, x=WILD, errors={WILD: (0.5, 1.5)}),
        intervals({WILD: (0.1, -0.1, 0.3)}, alt=WILD, x=WILD),
        heat_map(np.eye(3), alt=WILD, rows=WILD, columns=[WILD] * 3, x=WILD),
        Choice(WILD, {WILD: figure, "other": figure}),
    ]
    table = Table([WILD, "n"], [[WILD, "1"]], WILD, folded=True)
    page = Page(WILD, WILD, WILD, "yes", [Section(WILD, [WILD], [figure, *more], [table], [WILD])], WILD)
    html = render(page)
    words = assert_self_contained(html)
    assert html.count("<script>") == 1  # our own
    assert "\x1b" not in html
    assert "alert('x')" in words  # shown, not run


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0], [np.nan, np.nan], [1e-9, 1e9], [-3.0, 5.0]])
def test_odd_values_make_a_picture_all_the_same(values):
    figure = lines({"a": (range(len(values)), values)}, alt="some finding", x="x", y="y")
    numbers = re.findall(r"(?:cx|cy|x1|y1)=\"([^\"]+)\"", str(figure.svg))
    assert all(np.isfinite(float(number)) for number in numbers)


def test_long_lines_are_thinned_and_large_matrices_averaged():
    figure = lines({"a": (range(100_000), np.sin(np.arange(100_000)))}, alt="some finding", x="x", y="y")
    assert len(str(figure.svg)) < 40_000
    picture = heat_map(np.random.default_rng(0).random((500, 900)), alt="some finding", rows="r", columns=["a"], x="x")
    assert str(picture.svg).count("<rect") <= 60 * 60 + 7  # and the frame and the scale


def test_places_with_names_are_each_named_once_and_small_shares_are_told_apart():
    labels = [f"day {i}" for i in range(3)]
    named = str(lines({"a": ([0, 1, 2], [1.0, 2.0, 1.5])}, alt="some finding", x="x", y="y", labels=labels).svg)
    assert [re.sub("<title>.*?</title>", "", named).count(f">{label}<") for label in labels] == [1, 1, 1]
    shares = [0.5, 0.05, 0.004, 0.0]
    svg = str(lines({"a": ([1, 2, 3, 4], shares)}, alt="some finding", x="x", y="y", log=True).svg)
    heights = [float(y) for y in re.findall(r'<circle[^>]*cy="([\d.]+)"', svg)]
    assert heights == sorted(heights)
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], rel=0.15)
    assert ">0.1<" in svg
    assert ">10⁻³<" in svg


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """A small comparison whose names would break a careless page."""
    y = 10 + np.sin(np.arange(160) / 2) + np.random.default_rng(0).normal(size=160) / 5
    table = pd.DataFrame({"t": np.arange(160), "<b>sold</b>": y})
    frame = recurra.SeriesFrame.from_table(table, time="t", target="<b>sold</b>")
    out = tmp_path_factory.mktemp("page")
    task = recurra.tasks.Forecast(horizon=3, lookback=8, season=1)
    options = {"families": ["linear", "gru:units=4"], "baselines": ["naive"], "folds": 2, "seeds": 1, "max_epochs": 3}
    return recurra.compare(frame, task=task, out=out, **options)


def test_a_comparison_is_one_page(comparison):
    html = comparison.to_html(command="recurra compare <x>")
    words = assert_self_contained(html)
    assert comparison.verdict["text"] in words
    assert "recurra compare <x>" in words
    for row in comparison.summary_rows:
        assert row["model"] in words
    for heading in ("Leaderboard", "Forecasts", "What the verdict rests on", "Data", "Settings and versions"):
        assert heading in words
    assert "only the default configuration was tried, with 1 seed in each of 2 folds" in words
    assert "2 of 2 trainings were ended early, by the limit of epochs" in words
    assert len(html) < 3_000_000


def test_an_inspected_model_and_an_audit_stand_on_the_page(comparison):
    found = diagnostics.inspect_comparison(comparison, train_shuffled=True)
    assert found.model == "gru:units=4"
    assert found.order["trained_shuffled"] > 0
    assert found.order["trained_value"] == pytest.approx(found.order["trained_shuffled"] - found.order["loss"])
    assert found.data["held_out"] is True
    assert found.memory["influence_before"] is not None
    html = comparison.to_html(found, diagnostics.audit(comparison.frame))
    words = assert_self_contained(html)
    for heading in ("Memory", "Worth of order", "Gates", "Cost", "Where it is wrong", "Audit of the data"):
        assert heading in words


def test_the_model_that_is_inspected_is_the_one_that_was_scored(comparison):
    found = diagnostics.inspect_comparison(comparison, "gru:units=4")
    newest = [row for row in comparison.trial_rows if row["model"] == "gru:units=4" and row["fold"] == 1]
    assert found.errors["mase"] == pytest.approx(newest[0]["mase"], rel=0.05)


def test_compare_writes_its_report(tmp_path, monkeypatch):
    y = np.sin(np.arange(120) / 3) + np.random.default_rng(0).normal(size=120) / 9
    pd.DataFrame({"ds": np.arange(120), "y": y}).to_csv(tmp_path / "a.csv", index=False)
    command = f"recurra compare {tmp_path / 'a.csv'} --families linear --baselines naive --horizon 2 --lookback 6"
    command += f" --folds 1 --seeds 1 --max-epochs 2 --out {tmp_path / 'out'} --report {tmp_path / 'report.html'}"
    monkeypatch.setattr("sys.argv", command.split())
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    words = assert_self_contained((tmp_path / "report.html").read_text())
    assert command.split("recurra ")[1] in words
    assert "Audit of the data" in words  # without a recurrent family there is nothing to inspect

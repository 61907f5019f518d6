"""The pages of a real server: as HTML, and in a real browser."""

import html
import json
import re
import urllib.parse

import numpy as np
import pandas as pd
import pytest

from recurra.export import save_model
from recurra.frames import CorpusFrame, SeriesFrame, TextFrame
from recurra.models import build
from recurra.pipelines import LanguagePipeline, SequencePipeline, SeriesPipeline, TextEncoder
from recurra.predictor import Predictor
from recurra.predictor.forecast import ForecastNetwork, ForecastSchema, Intervals
from recurra.predictor.language_model import LanguageModelNetwork, LanguageModelSchema
from recurra.predictor.sequences import SequenceNetwork, SequenceSchema
from recurra.serving.page.chart import Band, draw
from recurra.serving.page.tables import read_table, write_table
from recurra.serving.status import ServingError

RNG = np.random.default_rng(0)
NASTY = "<script>alert(1)</script>"


def random_weights(model):
    model.set_weights([RNG.normal(0, 0.6, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def reviews():
    table = pd.DataFrame({"text": ["good film", "bad film"] * 8, "label": ["pos", NASTY] * 8})
    frame = TextFrame.from_table(table, text="text", label="label")
    pipeline = SequencePipeline(TextEncoder(min_count=1)).fit(frame)
    network = SequenceNetwork(pipeline, random_weights(build("gru", pipeline.spec, units=4)))
    return Predictor(SequenceSchema.of(pipeline, frame), network, frame.task), frame


def sales():
    table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=40), "sold": 50 + 9 * np.sin(np.arange(40.0))})
    table["kind"], table["price"] = ["a", "b"] * 20, RNG.normal(size=40)
    roles = {"past_covariates": ["kind"], "future_covariates": ["price"]}
    frame = SeriesFrame.from_table(table, time="day", target="sold", **roles)
    pipeline = SeriesPipeline(lookback=6, horizon=3, calendar=("week",)).fit(frame)
    network = random_weights(build("gru", pipeline.spec, units=3))
    intervals = Intervals((80, 95), np.stack([np.full((3, 1), width) for width in (0.3, 0.6)]))
    return Predictor(
        ForecastSchema.of(pipeline, frame), ForecastNetwork(pipeline, network, intervals), "forecast"
    ), frame


def song():
    frame = CorpusFrame.from_text("the cat sat.\n\nThe dog ran, it sat.\n\n" * 20)
    pipeline = LanguagePipeline(tokens="word", min_count=1).fit(frame)
    network = LanguageModelNetwork(pipeline, random_weights(build("gru", pipeline.spec, units=4)))
    return Predictor(LanguageModelSchema.of(pipeline, frame), network, "language-model"), frame


@pytest.fixture(scope="module")
def made():
    return {"reviews": reviews(), "sales": sales(), "song": song()}


@pytest.fixture(scope="module")
def paged(serving_desk, made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, (predictor, frame) in made.items():
        save_model(predictor, folder / name, frame, metrics={"error": 0.25}, verdict=f"A memory is worth it {NASTY}")
    serving_desk.half_plus(folder / "half" / "1")
    with serving_desk.serving(folder) as server:
        yield server


def page(server, path, **fields):
    """Status and HTML; with fields the form is sent."""
    body = urllib.parse.urlencode(fields).encode() if fields else None
    status, headers, text = server.ask(path, body)
    assert "script-src 'self'" in headers["content-security-policy"]
    assert NASTY not in text
    return status, text


def area(text, name):
    """What stands in a text area."""
    return html.unescape(re.search(rf'<textarea id="\w+" name="{name}"[^>]*>\n(.*?)</textarea>', text, re.DOTALL)[1])


def curl_body(text):
    line = html.unescape(re.search(r"<code>(curl .*?)</code>", text, re.DOTALL)[1])
    path = re.search(r"http://[^/]+(\S+)$", line)[1]
    return path, re.search(r"-d '(.*)' http", line, re.DOTALL)[1].replace("'\"'\"'", "'")


def test_the_list_and_a_card(paged):
    status, text = page(paged, "/")
    assert status == 200
    assert re.findall(r'<a href="/models/(\w+)">', text) == ["half", "reviews", "sales", "song"]
    status, text = page(paged, "/models/reviews")
    assert status == 200
    for found in (
        "A memory is worth it &lt;script&gt;",
        "0.25",
        "16 rows",
        "text: string [-1]",
        "classification: label",
    ):
        assert found in text
    assert "not exported by recurra" in page(paged, "/models/half")[1]


def test_a_text_gets_a_label_and_words_that_mattered(paged):
    status, text = page(paged, "/models/reviews", text="good <b>bad</b> film")
    assert status == 200
    shares = [float(share) for share in re.findall(r'class="number">([\d.]+) %', text)]
    assert len(shares) == 2
    assert sum(shares) == pytest.approx(100, abs=0.2)
    assert re.search(r'<mark class="s-?[123]" title="[+-]0\.\d+">', text)
    assert "&lt;b&gt;bad&lt;/b&gt;" in text
    path, body = curl_body(text)
    [prediction] = paged.post(path, body.encode())[1]["predictions"]
    assert 100 * max(prediction["probabilities"]) == pytest.approx(shares[0], abs=0.06)


def test_rows_get_a_forecast(paged, made):
    status, text = page(paged, "/models/sales")
    csv = area(text, "csv")
    assert csv.startswith("day,sold,kind,price\n2024-01-01 00:00:00,50,a,")
    status, text = page(paged, "/models/sales", csv=csv)
    assert status == 200
    assert text.count('class="band band') == 2
    assert 'class="future" points="' in text
    rows = [re.findall(r">([^<>]+)</t[hd]>", row) for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", text)]
    rows = [row for row in rows if row[0].startswith("2024")]
    predictor, frame = made["sales"]
    expected = predictor.serve(predictor.schema.sample(frame))
    assert [row[0] for row in rows] == ["2024-01-07", "2024-01-08", "2024-01-09"]
    np.testing.assert_allclose([float(row[1]) for row in rows], np.asarray(expected["forecast"])[0, :, 0], rtol=1e-3)
    path, body = curl_body(text)
    forecast = paged.post(path, body.encode())[1]["outputs"]["forecast"][0]
    np.testing.assert_allclose(np.ravel(forecast), [float(row[1]) for row in rows], rtol=1e-3)


@pytest.mark.parametrize(
    ("csv", "why"),
    [
        ("", "there are no rows"),
        ("day,sold\n1,2\n", "there is no column &#39;kind&#39;"),
        ("day,sold,kind,price\n1,x,a,2\n", "row 1 of column &#39;sold&#39; holds &#39;x&#39;"),
        ("day,sold,kind,price\n1,2\n", "row 1 has 2 cells where the first line has 4 names"),
        ("day,sold,kind,price\n2024-01-01,2,a,1\n", "the model reads the last 6 rows"),
    ],
)
def test_rows_that_do_not_do_are_said_so(paged, csv, why):
    status, text = page(paged, "/models/sales", csv=csv)
    assert status == 400
    assert why in text
    assert 'role="alert"' in text


def test_a_text_goes_on(paged):
    status, text = page(paged, "/models/song", text="the cat")
    assert status == 200
    assert len(re.findall(r'<svg width="100%"', text)) >= 5
    assert len(re.search(r"<ins>(.*?)</ins>", text, re.DOTALL)[1].split()) > 5
    assert paged.post("/v1/models/song/streams", None)[1]["streams"] == []


def test_json_for_any_model(paged):
    status, text = page(paged, "/models/half")
    assert json.loads(area(text, "json")) == {"inputs": [[0.0]]}
    status, text = page(paged, "/models/half", json='{"instances": [[3.0]]}')
    assert status == 200
    assert "3.5" in text
    status, text = page(paged, "/models/reviews", json='{"signature_name": "nothing", "instances": [1]}')
    assert status == 400
    assert "not found in signature def" in text


def test_what_is_wrong_has_a_page(paged):
    assert page(paged, "/models/nothing")[0] == 404
    status, text = page(paged, "/models/%3Cscript%3E")
    assert (status, "&lt;script&gt;" in text) == (404, True)
    assert page(paged, "/models/song?version=9")[0] == 404
    assert page(paged, "/models/song?version=x")[0] == 400
    assert page(paged, "/models/song", **{f"field{i}": "x" for i in range(30)})[0] == 400
    assert paged.ask("/page/../pages.py")[0] == 404
    assert paged.ask("/page/model.html")[0] == 404


def test_tables_are_read_as_they_come():
    table = read_table("a;b\n1;\n NA ;2.5\n")
    np.testing.assert_array_equal(table.numbers("a"), np.array([1, np.nan], "float32"))
    np.testing.assert_array_equal(table.numbers("b"), np.array([np.nan, 2.5], "float32"))
    assert read_table("1\t2\n3\t4", header=["x", "y"]).names == ["x", "y"]
    assert read_table('a,b\n"x, y",1\n').column("a") == ["x, y"]
    assert write_table(["a"], [[float("nan")], [1.5]]) == 'a\n""\n1.5\n'
    with pytest.raises(ServingError, match="no rows below"):
        read_table("a,b")


def test_a_gap_is_not_drawn_over():
    past = np.array([1.0, np.nan, 3.0, 2.0])
    chart = draw(past, np.array([4.0, 5.0]), [Band(80, np.array([3.0, 3.0]), np.array([5.0, 6.0]))], "a", "b")
    assert len(chart.past) == 2
    assert chart.future.count(",") == 3  # from the last row on
    assert chart.bands[0][1].count(",") == 4
    assert draw(np.full(3, 7.0), np.full(2, 7.0), [], "a", "b").ticks[0][1] == "6"


# In a real browser


@pytest.fixture(scope="module")
def browser(chromium):
    if chromium.COMMAND is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with chromium.Browser() as browser:
        yield browser


def sent(browser):
    """Send the form and wait for the page that answers."""
    browser.run("window.before = true")
    browser.click("form button")
    browser.wait("window.before === undefined && document.readyState === 'complete'")


def assert_fits(browser, server):
    assert browser.run("document.documentElement.scrollWidth <= window.innerWidth")
    said, asked = browser.complaints()
    assert said == []
    assert [url for url in asked if not url.startswith((server.rest, "data:"))] == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (375, True)])
def test_a_person_tries_the_models(browser, paged, width, dark):
    browser.size(width, dark=dark)
    browser.open(f"{paged.rest}/")
    dim = browser.run("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dim == dark
    for name in ("reviews", "sales", "song", "half"):
        browser.open(f"{paged.rest}/models/{name}")
        sent(browser)
        assert "Answer" in browser.run("document.querySelector('#answer').innerText")
        assert_fits(browser, paged)
    browser.open(f"{paged.rest}/models/sales")
    sent(browser)
    widths = browser.run("[...document.querySelectorAll('figure svg')].map(e => e.getBoundingClientRect().width)")
    assert widths
    assert all(0 < found <= width for found in widths)


def test_keyboard_and_screen_reader(browser, paged):
    browser.size(1280)
    browser.open(f"{paged.rest}/models/reviews")
    focused = []
    for _ in range(5):
        browser.press("Tab")
        focused.append(browser.run("document.activeElement.textContent.trim() || document.activeElement.name"))
    assert focused[:2] == ["Skip to content", "recurra"]
    assert focused[3] == "Predict"
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if node.get("role", {}).get("value") in ("textbox", "button", "heading", "link", "main", "combobox")
    ]
    assert ("textbox", "Text") in named
    assert all(name for role, name in named if role not in ("main",))
    browser.run("document.querySelector('textarea').focus()")
    browser.run("window.before = true")
    browser.press("Tab")
    browser.press("Enter", text="\r")
    browser.wait("window.before === undefined && document.querySelector('#answer h2')")


def test_a_text_goes_on_token_by_token(browser, paged):
    browser.size(1280)
    browser.open(f"{paged.rest}/models/song")
    sent(browser)
    before = browser.run("document.querySelector('.continued').textContent.length")
    browser.click("[data-stream]")
    browser.wait("/\\d+ tokens read/.test(document.querySelector('.stream-state').textContent)")
    browser.wait("!document.querySelector('[data-stream]').disabled")
    assert browser.run("document.querySelector('.continued').textContent.length") > before + 20
    assert_fits(browser, paged)
    paged.wait_for(lambda: paged.post("/v1/models/song/streams", None)[1]["streams"] == [])


def test_a_file_is_read_and_a_line_copied(browser, paged, tmp_path):
    (tmp_path / "rows.csv").write_text("x\n1\n", encoding="utf-8")
    browser.size(1280)
    browser.open(f"{paged.rest}/models/sales")
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    node = browser.call("DOM.querySelector", nodeId=root, selector="input[type=file]")["nodeId"]
    browser.call("DOM.setFileInputFiles", files=[str(tmp_path / "rows.csv")], nodeId=node)
    browser.wait("document.querySelector('textarea').value === 'x\\n1\\n'")
    browser.open(f"{paged.rest}/models/reviews")
    sent(browser)
    browser.click("[data-copy]")
    browser.wait("/Copied|Selected/.test(document.querySelector('[data-copy]').textContent)")


def test_without_a_script_the_forms_work(browser, paged):
    browser.size(375, script=False)
    browser.open(f"{paged.rest}/models/reviews")
    browser.click("form button")
    browser.wait("document.querySelector('#answer h2')")
    assert browser.run("[...document.querySelectorAll('.script')].every(e => e.hidden)")
    browser.size(375)

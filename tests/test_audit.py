"""The leakage audit: every kind of leak is found where it was put, and nothing is found in clean data."""

import json
import os

import numpy as np
import pandas as pd
import pytest

import recurra
from recurra.cli import main
from recurra.diagnostics import audit
from recurra.diagnostics.audit import KINDS, copies
from recurra.pipelines import SeriesPipeline

random = np.random.default_rng(0)


def series(rows=400, seed=0):
    """A season, a slow wave and noise."""
    t, noise = np.arange(rows), np.random.default_rng(seed).normal(size=rows)
    return 10 * np.sin(2 * np.pi * t / 12) + 5 * np.sin(2 * np.pi * t / 170) + noise.cumsum() * 0.3 + noise


def write_series(path, y, **columns):
    pd.DataFrame({"t": np.arange(len(y)), "y": y, **columns}).to_csv(path, index=False)
    return str(path)


def look(path, **roles):
    return audit(path, time="t", target="y", horizon=6, lookback=12, season=12, **roles)


def kinds(found, severity="leak"):
    return [f.kind for f in found.findings if f.severity == severity]


def texts(n=300, words=20, seed=1):
    """Texts in which one word in twenty goes with the label, as opinions do."""
    drawn = np.random.default_rng(seed)
    labels = drawn.integers(2, size=n)
    vocabulary = np.array([f"w{i}" for i in range(400)])
    rows = [" ".join([*drawn.choice(vocabulary, words), *drawn.choice([["bad", "good"][y], "so"], 1)]) for y in labels]
    return pd.DataFrame({"text": rows, "label": labels})


def split(table, test=0.25):
    n = len(table)
    return table.assign(split=np.where(np.arange(n) < n * (1 - test), "train", "test"))


def look_texts(path, table, **roles):
    table.to_csv(path, index=False)
    return audit(str(path), text="text", label="label", **{"split": "split", **roles})


# ------------------------------------------------------------------------------------------------ series


def test_clean_series_have_no_leak(tmp_path):
    y = series()
    path = write_series(tmp_path / "a.csv", y, related=0.5 * y + random.normal(size=400), counter=np.arange(400.0))
    found = look(path, past_covariates=["related"], future_covariates=["counter"])
    assert found.findings == []
    assert "target_shift" in found.checked
    assert set(found.checked) | set(found.skipped) == set(KINDS)


def test_a_copy_of_the_target_is_a_leak_ahead_and_redundant_in_the_past(tmp_path):
    y = series()
    path = write_series(tmp_path / "a.csv", y, copied=1.8 * y + 32)
    ahead = look(path, future_covariates=["copied"])
    assert kinds(ahead) == ["target_copy"]
    [finding] = ahead.leaks
    assert finding.column == "copied"
    assert finding.rows[0] == 2  # the first line below the header
    assert finding.count == 400
    assert finding.cost.with_leak < 0.01 < finding.cost.without
    past = look(path, past_covariates=["copied"])
    assert kinds(past) == []
    assert kinds(past, "note") == ["target_copy"]


@pytest.mark.parametrize(("shift", "role"), [(3, "past_covariates"), (-2, "future_covariates")])
def test_a_shifted_target_is_a_leak_where_it_tells_what_is_to_be_forecast(tmp_path, shift, role):
    y = series()
    moved = np.roll(y, -shift)
    moved[-shift:] = np.nan if shift > 0 else moved[-shift:]
    table = {"moved": np.where(np.arange(400) < 400 - max(shift, 0), moved, np.nan)}
    if shift < 0:
        table["moved"][:-shift] = 0.0
    found = look(write_series(tmp_path / "a.csv", y, **table), **{role: ["moved"]})
    assert kinds(found) == ["target_shift"]
    assert found.leaks[0].cost.with_leak < found.leaks[0].cost.without


def test_a_lag_of_the_target_in_the_past_is_no_leak(tmp_path):
    y = series()
    path = write_series(tmp_path / "a.csv", y, lagged=np.concatenate([[0.0, 0.0], y[:-2]]))
    assert kinds(look(path, past_covariates=["lagged"])) == []


def test_a_centred_average_is_a_leak_and_a_trailing_one_is_not(tmp_path):
    y = series()
    centred = pd.Series(y).rolling(7, center=True, min_periods=1).mean().round(4)
    trailing = pd.Series(y).rolling(7, min_periods=1).mean().round(4)
    path = write_series(tmp_path / "a.csv", y, centred=centred, trailing=trailing)
    found = look(path, past_covariates=["centred", "trailing"])
    assert [(f.kind, f.column) for f in found.leaks] == [("target_smoothed", "centred")]


def test_a_block_copied_into_the_test_part_is_found_with_its_lines(tmp_path):
    y = series().round(2)
    y[360:390] = y[40:70]
    found = look(write_series(tmp_path / "a.csv", y))
    assert kinds(found) == ["repeated_block"]
    assert found.leaks[0].count == 30
    assert list(found.leaks[0].rows[:2]) == [362, 363]


def test_nights_without_sales_and_a_few_whole_numbers_are_no_copied_blocks(tmp_path):
    drawn = np.random.default_rng(5)
    y = np.where(np.arange(600) % 24 < 8, 0, drawn.poisson(2, 600)).astype(float)
    found = audit(write_series(tmp_path / "a.csv", y), time="t", target="y", horizon=6, lookback=24, season=24)
    assert found.leaks == []


def test_scaling_on_all_rows_is_a_leak_with_its_small_price(tmp_path):
    y = series()
    found = look(write_series(tmp_path / "a.csv", (y - y.mean()) / y.std()))
    assert kinds(found) == ["scaled_on_all_rows"]
    assert abs(found.leaks[0].cost.with_leak - found.leaks[0].cost.without) < 0.05
    y[-5] = y.max() + 1
    ranged = look(write_series(tmp_path / "b.csv", (y - y.min()) / (y.max() - y.min())))
    assert kinds(ranged) == ["scaled_on_all_rows"]
    train = y[:270]
    own = look(write_series(tmp_path / "c.csv", (y - train.mean()) / train.std()))
    assert kinds(own) == []


def test_a_series_that_runs_ahead_of_another_is_found(tmp_path):
    y, other = series(300), series(300, seed=7)
    table = pd.concat(
        [
            pd.DataFrame({"id": "late", "t": range(200), "y": y[:200]}),
            pd.DataFrame({"id": "early", "t": range(200), "y": 3 * y[5:205] + 1}),
            pd.DataFrame({"id": "other", "t": range(200), "y": other[:200]}),
        ]
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    found = look(str(tmp_path / "a.csv"), id="id")
    assert kinds(found) == ["leading_series"]
    assert "'early' is series 'late' 5 steps ahead" in found.leaks[0].text


def test_a_column_that_names_the_rows_is_a_warning(tmp_path):
    path = write_series(tmp_path / "a.csv", series(), code=[f"r{i}" for i in range(400)])
    found = look(path, past_covariates=["code"])
    assert kinds(found, "warning") == ["identifier"]
    assert found.leaks == []


def test_a_pipeline_that_is_fitted_on_all_rows_is_found(tmp_path, monkeypatch):
    path = write_series(tmp_path / "a.csv", series())
    honest = SeriesPipeline.fit
    monkeypatch.setattr(SeriesPipeline, "fit", lambda self, frame, _=None: honest(self, frame))
    assert kinds(look(path)) == ["pipeline_fit"]


def test_a_pipeline_that_reads_the_future_is_found(tmp_path, monkeypatch):
    path = write_series(tmp_path / "a.csv", series())
    honest = SeriesPipeline.encode

    def smoothed(self, frame):
        encoded = honest(self, frame)
        encoded.values[:-1] += encoded.values[1:]
        return encoded

    monkeypatch.setattr(SeriesPipeline, "encode", smoothed)
    assert kinds(look(path)) == ["reads_future"]


# ------------------------------------------------------------------------------------------------ texts


def test_clean_texts_have_no_leak(tmp_path):
    found = look_texts(tmp_path / "a.csv", split(texts()))
    assert found.findings == []


def test_texts_in_both_parts_are_duplicates_with_their_price(tmp_path):
    table = split(texts())
    table.loc[290:, "text"] = table["text"][:10].to_numpy()
    table.loc[290:, "label"] = table["label"][:10].to_numpy()
    found = look_texts(tmp_path / "a.csv", table)
    assert kinds(found) == ["duplicate"]
    assert found.leaks[0].count == 10
    assert list(found.leaks[0].rows) == list(range(292, 302))
    assert found.leaks[0].cost.with_leak == 0


def test_short_texts_that_repeat_are_a_note(tmp_path):
    table = split(texts())
    table.loc[::3, "text"] = "very good"
    found = look_texts(tmp_path / "a.csv", table)
    assert kinds(found) == []
    assert kinds(found, "note") == ["duplicate"]


def test_edited_copies_are_near_duplicates_where_chance_does_not_put_them(tmp_path):
    table = split(texts(words=40))
    for k in range(12):
        table.loc[288 + k, "text"] = "Well, " + table["text"][k].upper() + "!"
        table.loc[288 + k, "label"] = table["label"][k]
    assert kinds(look_texts(tmp_path / "a.csv", table)) == ["near_duplicate"]
    spread = texts(words=40)
    spread.loc[150:, "text"] = ["Well, " + text for text in spread["text"][:150]]
    spread = split(spread.sample(frac=1, random_state=0).reset_index(drop=True))
    found = look_texts(tmp_path / "b.csv", spread)
    assert kinds(found) == []
    assert kinds(found, "note") == ["near_duplicate"]


def test_a_text_that_names_its_label_is_found_and_a_word_of_opinion_is_not(tmp_path):
    table = split(texts())
    assert kinds(look_texts(tmp_path / "a.csv", table)) == []
    table["text"] = [f"{text} stars:{label}" for text, label in zip(table["text"], table["label"], strict=True)]
    found = look_texts(tmp_path / "b.csv", table)
    assert kinds(found) == ["label_in_text"]
    assert "stars:" in found.leaks[0].text
    assert found.leaks[0].cost.with_leak < found.leaks[0].cost.without


def test_a_number_that_counts_the_examples_class_by_class_is_an_identifier(tmp_path):
    table = texts().sort_values("label").reset_index(drop=True)
    table["text"] = [f"ticket {1000 + i} {text}" for i, text in enumerate(table["text"])]
    table = split(table.sample(frac=1, random_state=0).reset_index(drop=True))
    assert kinds(look_texts(tmp_path / "a.csv", table)) == ["identifier"]


def test_dates_tell_of_a_test_before_training_and_of_labels(tmp_path):
    days = pd.date_range("2020-01-01", periods=300).astype(str)
    table = split(texts()).assign(day=days)
    assert kinds(look_texts(tmp_path / "a.csv", table, time="day")) == []
    mixed = table.assign(day=np.random.default_rng(0).permutation(days))
    found = look_texts(tmp_path / "b.csv", mixed, time="day")
    assert kinds(found) == ["test_before_training"]
    equal = table.assign(day="2020-05-05")
    assert kinds(look_texts(tmp_path / "c.csv", equal, time="day")) == []
    ordered = texts().sort_values("label").assign(day=days)
    ordered = ordered.sample(frac=1, random_state=0)
    found = look_texts(tmp_path / "d.csv", ordered, time="day", split=None)
    assert kinds(found) == ["time_tells_label"]


def test_groups_in_both_parts_are_found(tmp_path):
    table = split(texts()).assign(author=np.arange(300) // 25)
    found = look_texts(tmp_path / "a.csv", table, group="author")
    assert kinds(found) == []
    table["author"] = np.arange(300) % 30
    found = look_texts(tmp_path / "b.csv", table, group="author")
    assert kinds(found) == ["group_overlap"]
    assert found.leaks[0].count == 75
    without = look_texts(tmp_path / "d.csv", table.drop(columns="split"), group="author", split=None)
    assert [(f.kind, f.severity) for f in without.findings if f.kind == "group_overlap"] == [("group_overlap", "note")]
    assert "group_overlap" in look_texts(tmp_path / "c.csv", table).skipped


def test_rows_without_a_label_do_not_move_the_lines(tmp_path):
    table = split(texts())
    table["label"] = table["label"].astype(object)
    table.loc[[3, 7, 100], "label"] = None
    table.loc[299, "text"], table.loc[299, "label"] = table["text"][50], table["label"][50]
    found = look_texts(tmp_path / "a.csv", table)
    assert list(found.leaks[0].rows) == [301]


# ------------------------------------------------------------------------------------------------ panels


def panel(values, labels, is_test=None, **more):
    return recurra.PanelFrame.from_arrays(values, labels, is_test=is_test, **more)


def test_windows_cut_from_one_record_overlap():
    record = np.random.default_rng(0).normal(size=2000)
    starts = np.arange(0, 1900, 10)
    labels = (starts // 10) % 2
    is_test = np.random.default_rng(1).random(len(starts)) < 0.3
    found = audit(panel([record[s : s + 40] for s in starts], labels, is_test))
    assert kinds(found) == ["overlapping_windows"]
    apart = audit(panel([record[s : s + 10] for s in starts], labels, is_test))
    assert kinds(apart) == []


def test_a_channel_that_never_changes_and_tells_the_class_is_an_identifier():
    drawn = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    patients = np.arange(120)  # numbered class by class
    values = [np.column_stack([drawn.normal(size=15), np.full(15, p)]) for p in patients]
    assert kinds(audit(panel(values, labels))) == ["identifier"]
    mixed = drawn.permutation(labels)
    assert kinds(audit(panel(values, mixed))) == []


def test_sequences_in_both_parts_and_in_another_unit_are_copies():
    drawn = np.random.default_rng(0)
    values = [drawn.normal(size=(20, 1)) for _ in range(80)]
    labels, is_test = drawn.integers(2, size=80), np.arange(80) >= 60
    assert kinds(audit(panel(values, labels, is_test))) == []
    exact = [*values[:70], *values[:10]]
    assert kinds(audit(panel(exact, labels, is_test))) == ["duplicate"]
    scaled = [*values[:70], *(1.8 * v + 32 for v in values[:10])]
    assert kinds(audit(panel(scaled, labels, is_test))) == ["near_duplicate"]


def test_a_panel_scaled_as_a_whole_is_found_and_sequences_scaled_each_are_not():
    drawn = np.random.default_rng(0)
    values = np.array([drawn.normal(loc=drawn.normal(3, 2), size=(20, 1)) for _ in range(80)])
    labels, is_test = drawn.integers(2, size=80), np.arange(80) >= 60
    whole = (values - values.mean()) / values.std()
    assert kinds(audit(panel(list(whole), labels, is_test))) == ["scaled_on_all_rows"]
    each = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    assert kinds(audit(panel(list(each), labels, is_test))) == []


# ------------------------------------------------------------------------------------------------ parts, command


def test_runs_are_found_with_their_places():
    drawn = np.random.default_rng(0).normal(size=100)
    other = np.concatenate([np.random.default_rng(1).normal(size=20), drawn[30:50]])
    [run] = copies.common_runs([drawn], [other], 8, 4)
    assert (run.from_, run.at, run.length) == (30, 20, 20)
    constant = np.zeros(50)
    assert copies.common_runs([constant], [constant.copy()], 8, 4) == []


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["recurra", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_exit_codes_say_leak_none_or_bad_input(tmp_path, monkeypatch, capsys):
    y = series()
    path = write_series(tmp_path / "a.csv", y, copied=y)
    out = tmp_path / "audit.json"
    roles = ["--time", "t", "--target", "y", "--horizon", "6", "--lookback", "12", "--season", "12"]
    assert run(monkeypatch, "audit", path, *roles) == 0
    assert run(monkeypatch, "audit", path, *roles, "--future-covariates", "copied", "--json", out) == 1
    assert "target_copy" in capsys.readouterr().out
    found = json.loads(out.read_text())
    [finding] = found["findings"]
    assert set(finding) == {"kind", "severity", "column", "rows", "count", "text", "fix", "cost"}
    assert {"kind", "why"} == found["skipped"][0].keys()
    assert "target_copy" in found["checked"]
    assert run(monkeypatch, "audit", tmp_path / "nothing.csv") == 2


@pytest.mark.skipif("RECURRA_DATA" not in os.environ, reason="needs the downloaded data sets")
@pytest.mark.parametrize(
    "name",
    ["co2", "airline_passengers", "etth1", "beijing_pm25", "m4_hourly", "ucr_ecg200", "japanese_vowels", "mr", "ptb"],
)
def test_clean_data_sets_give_no_alarm(name):
    assert audit(name).leaks == []


def novel(seed, words=3000):
    """Lines of drawn words: no passage of it comes twice by chance."""
    drawn = np.random.default_rng(seed).choice([f"word{i}" for i in range(300)], size=words)
    return [" ".join(line) for line in drawn.reshape(-1, 10)]


@pytest.mark.parametrize("tokens", ["word", "char"])
def test_passages_of_the_test_text_that_stand_before_it(tmp_path, tokens):
    train, test = novel(0), novel(1, 600)
    path, test_path = tmp_path / "novel.txt", tmp_path / "new.txt"
    path.write_text("\n".join(train))
    test_path.write_text("\n".join(test))
    clean = audit(str(path), test=str(test_path), task="language-model", tokens=tokens)
    assert clean.findings == []
    assert clean.checked == ["repeated_block", "pipeline_fit"]
    assert {*clean.checked, *clean.skipped} == set(KINDS)
    test[20:26] = train[100:106]  # 60 words of 600
    test_path.write_text("\n".join(test))
    (leak,) = audit(str(path), test=str(test_path), task="language-model", tokens=tokens).leaks
    assert (leak.kind, leak.count, leak.rows) == ("repeated_block", 1, [21])
    if tokens == "word":
        assert "60 of 600 words of the test text (10.00%)" in leak.text
    assert leak.cost.with_leak < leak.cost.without


def test_a_passage_in_a_text_cut_by_rule_is_named_by_its_line_and_a_refrain_is_none(tmp_path):
    path = tmp_path / "novel.txt"
    lines = novel(0)
    path.write_text("\n".join(lines + lines[5:9]))
    (leak,) = audit(str(path), task="language-model", tokens="word").leaks
    assert leak.rows == [len(lines) + 1]
    path.write_text("\n".join(f"{line}\n" + "and so he went and so he came " * 5 for line in lines))
    assert audit(str(path), task="language-model", tokens="word").findings == []


def test_lines_of_a_language_model_that_stand_on_both_sides(tmp_path):
    lines = [f"{line} {line[::-1]}" for line in novel(0)]
    table = pd.DataFrame({"text": [*lines, *lines[:3]], "split": ["train"] * 300 + ["test"] * 3})
    table.loc[290:299, "split"] = "test"
    table.to_csv(tmp_path / "lines.csv", index=False)
    found = audit(str(tmp_path / "lines.csv"), text="text", split="split", task="language-model")
    assert [(f.kind, f.count, list(f.rows)) for f in found.leaks] == [("duplicate", 3, [302, 303, 304])]
    assert found.checked == ["duplicate", "near_duplicate", "pipeline_fit"]

"""Whatever wins can be predicted with, saved and, where it is a graph, exported: every baseline of every task."""

import json

import numpy as np
import pandas as pd
import pytest
from command_line import succeed

import recurra
from recurra.export import load_model, save_model
from recurra.predictor import Predictor

SERIES = {"horizon": 5, "lookback": 14, "season": 7, "time": "ds", "id": "id", "target": "y"}
NO_GRAPH = {"theta", "arima", "ets", "dtw_1nn"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Small files of every form, by name."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    days, t = pd.date_range("2020-01-01", periods=150, freq="D"), np.arange(150)
    wave = 10 + 5 * np.sin(t * 2 * np.pi / 7) + 0.05 * t
    series = [pd.DataFrame({"ds": days, "id": k, "y": wave + rng.normal(size=150)}) for k in "abc"]
    pd.concat(series).to_csv(folder / "series.csv", index=False)
    words = np.array(["good", "bad", "fine", "awful", "great", "poor", "the", "a", "film", "was"])
    texts = [" ".join(rng.choice(words, 8)) for _ in range(80)]
    good = [text.count("good") for text in texts]
    labels = ["yes" if n else "no" for n in good]
    pd.DataFrame({"text": texts, "label": labels, "stars": good}).to_csv(folder / "texts.csv", index=False)
    tagged = [{"words": text.split(), "tags": ["A" if len(w) > 3 else "B" for w in text.split()]} for text in texts]
    (folder / "tagged.jsonl").write_text("\n".join(map(json.dumps, tagged)), encoding="utf-8")
    X = rng.normal(size=(60, 20, 2)).astype("float32")
    np.savez(folder / "panel.npz", X=X, y=np.where(X[:, :5, 0].mean(1) > 0, "up", "down"))
    np.savez(folder / "numbers.npz", X=X, y=X[:, :5, 0].mean(1))
    (folder / "corpus.txt").write_text(" ".join(rng.choice(words, 600)), encoding="utf-8")
    return folder


CASES = [
    *[("series.csv", name, SERIES) for name in recurra.list_baselines("forecast")],
    *[
        ("texts.csv", name, {"text": "text", "label": "label"})
        for name in ("majority", "tfidf_logistic", "tfidf_characters", "nbsvm")
    ],
    *[("texts.csv", name, {"text": "text", "value": "stars"}) for name in ("mean", "tfidf_ridge", "tfidf_characters")],
    *[("tagged.jsonl", name, {"text": "words", "tags": "tags"}) for name in recurra.list_baselines("tagging")],
    *[("panel.npz", name, {}) for name in ("majority", "logistic_flattened", "dtw_1nn")],
    *[("numbers.npz", name, {"task": "regression"}) for name in ("mean", "ridge_flattened")],
    *[
        ("corpus.txt", name, {"task": "language-model", "tokens": "word"})
        for name in recurra.list_baselines("language-model")
    ],
]


def test_every_baseline_has_a_case():
    assert {name for _, name, _ in CASES} == {
        name for task in recurra.tasks.TASKS for name in recurra.list_baselines(task)
    }


@pytest.mark.parametrize(("file", "name", "options"), CASES, ids=[f"{file}-{name}" for file, name, _ in CASES])
def test_a_baseline_is_fitted_saved_and_exported_with_the_same_predictions(tmp_path, files, file, name, options):
    if name == "dtw_1nn":
        pytest.importorskip("dtaidistance")
    fitted = recurra.fit(str(files / file), family=name, **options)
    predicted = fitted.predictor.predict(fitted.frame)
    assert len(predicted)
    assert "\n" not in repr(fitted.predictor)
    fitted.predictor.save(tmp_path / "kept")
    pd.testing.assert_frame_equal(Predictor.load(tmp_path / "kept").predict(fitted.frame), predicted)
    if name in NO_GRAPH:
        with pytest.raises(recurra.InputError, match="cannot be exported: its "):
            save_model(fitted.predictor, tmp_path / "exported", fitted.frame)
        assert not (tmp_path / "exported").exists()
        return
    path = save_model(fitted.predictor, tmp_path / "exported", fitted.frame, training=fitted.training)
    pd.testing.assert_frame_equal(load_model(path).predict(fitted.frame), predicted, rtol=1e-5)
    assert f"- baseline: {name}" in (path / "assets.extra" / "model_card.md").read_text(encoding="utf-8")


def test_a_window_of_another_series_and_place_is_forecast_as_such(tmp_path, files):
    """Naive2 exported: its factors follow `id` and `step`, so rows that end on another weekday are told apart."""
    fitted = recurra.fit(str(files / "series.csv"), family="naive2", **SERIES)
    exported = load_model(save_model(fitted.predictor, tmp_path / "exported", fitted.frame))
    table = pd.read_csv(files / "series.csv")
    for cut in (0, 1, 3):
        known = table.groupby("id").head(150 - cut)
        pd.testing.assert_frame_equal(exported.predict(known), fitted.predictor.predict(known), rtol=1e-5)
        alone = exported.predict(known[known["id"] == "b"])
        every = exported.predict(known)
        pd.testing.assert_frame_equal(
            alone, every[every["id"] == "b"].reset_index(drop=True), rtol=1e-5, check_categorical=False
        )


def test_the_command_line_exports_what_won(tmp_path, files):
    """TF-IDF finds the one word that matters; a network of two units trained for an epoch doesn't."""
    out = tmp_path / "model"
    options = ["--text", "text", "--label", "label", "--families", "lstm", "--set", "units=2", "--max-epochs", 1]
    shared = ["--folds", 2, "--seeds", 1, "--configs", 1, "--out", tmp_path / "run", "--export", out]
    _, predicted = succeed(
        ["compare", files / "texts.csv", *options, "--baselines", "tfidf_logistic", *shared],
        ["predict", out, "--text", "the good film", "--text", "the bad film"],
        cwd=tmp_path,
    )
    info = json.loads((out / "1" / "assets.extra" / "recurra.json").read_text(encoding="utf-8"))
    assert info["training"] == {"baseline": "tfidf_logistic", "C": 10.0, "ngrams": 2}
    assert info["model"] == "sequence_baseline"
    assert info["metrics"]
    assert "yes" in predicted.stdout
    assert "no" in predicted.stdout


def test_where_the_winner_is_no_graph_the_best_that_is_one_is_exported_and_named(tmp_path, files):
    out = tmp_path / "model"
    columns = ["--time", "ds", "--id", "id", "--target", "y", "--horizon", 5, "--lookback", 14, "--season", 7]
    shared = ["--folds", 2, "--seeds", 1, "--configs", 1, "--max-epochs", 1, "--out", tmp_path / "run", "--export", out]
    models = ["--families", "simple_rnn", "--set", "units=1", "--baselines", "ets,naive"]
    done, saved = succeed(
        ["compare", files / "series.csv", *columns, *models, *shared],
        ["predict", tmp_path / "run" / "best", files / "series.csv"],
        cwd=tmp_path,
    )
    output = " ".join(done.stdout.split())
    assert "ets was best but cannot be exported: its form and its constants are estimated by a library" in output
    info = json.loads((out / "1" / "assets.extra" / "recurra.json").read_text(encoding="utf-8"))
    exported = info["training"].get("baseline") or info["training"]["family"]
    assert f"exported is {exported}, the best model that can be" in output
    assert exported in {"naive", "simple_rnn"}
    assert len(saved.stdout.splitlines()) == 1 + 3 * 5


def test_a_baseline_without_a_graph_is_fitted_and_saved_from_the_command_line(tmp_path, files):
    columns = ["--time", "ds", "--id", "id", "--target", "y", "--horizon", 5, "--lookback", 14, "--season", 7]
    done, predicted = succeed(
        ["fit", files / "series.csv", "--family", "theta", *columns, "--export", tmp_path / "model"],
        ["predict", tmp_path / "model", files / "series.csv"],
        cwd=tmp_path,
    )
    assert "theta cannot be exported: its smoothing constant is estimated at every forecast" in " ".join(
        done.stdout.split()
    )
    assert len(predicted.stdout.splitlines()) == 1 + 3 * 5

"""Mixes of a network and a baseline: weights, the one predictor, its export, and what the verdict makes of them."""

import dataclasses
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from small_frames import panel, sentences
from typer.testing import CliRunner

import recurra
from recurra import Predictor
from recurra.cli import app
from recurra.comparison.settings import open_experiment
from recurra.diagnostics.subject import subject_of_model
from recurra.errors import InputError
from recurra.evaluation import judge
from recurra.evaluation.mixing import (
    class_weights,
    interpolated,
    interpolation_weights,
    mixed_probabilities,
    mixed_values,
    value_weights,
)
from recurra.export import load_model, save_model
from recurra.frames import CorpusFrame, SeriesFrame, TextFrame
from recurra.models import is_recurrent, mix_name, split_mix
from recurra.spec import END
from recurra.tasks import Classification
from recurra.tasks.language_model import tokens_of

RNG = np.random.default_rng(0)
TINY = {"max_epochs": 2, "config": {"units": 4}}


# Weights


def log_loss(y, p):
    return -np.log(p[np.arange(len(y)), y]).mean()


@given(st.integers(0, 10**6), st.integers(2, 4))
def test_weights_of_logits_are_never_worse_than_either_model_where_they_were_fitted(seed, classes):
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=200)
    first, second = (
        softmax(rng.normal(size=(200, classes)) + strength * np.eye(classes)[y], axis=1) for strength in (1, 2)
    )
    weights = class_weights(y, first, second)
    assert min(weights) >= 0
    mixed = mixed_probabilities(weights, first, second)
    np.testing.assert_allclose(mixed.sum(axis=1), 1)
    # but for the half square by which the weights are kept near one half each
    assert log_loss(y, mixed) <= min(log_loss(y, first), log_loss(y, second)) + 0.5 / 200


def test_a_model_that_knows_nothing_gets_no_weight_and_no_example_means_one_half():
    y = np.array([0, 1] * 200)
    right, blind = np.where(np.eye(2)[y] > 0, 0.8, 0.2), np.full((400, 2), 0.5)
    weights = class_weights(y, right, blind)
    assert weights[0] > 1  # it is right more often than it says
    assert weights[1] == pytest.approx(0.5)  # says nothing, whatever its weight
    wrong = class_weights(y, right, right[:, ::-1])
    assert wrong[1] < 0.5  # what is wrong cannot help with a weight below 0
    assert class_weights(np.full(5, -1), right[:5], blind[:5]) == (0.5, 0.5)
    certain = np.where(np.eye(2)[y[:4]] > 0, 1.0, 0.0)
    assert np.isfinite(class_weights(y[:4], certain, certain)).all()


def test_weights_of_values_are_those_of_least_squares_and_move_no_level():
    a, b = RNG.normal(size=(2, 500)) + 1e6
    y = 0.3 * a + 0.7 * b
    y[:3] = np.nan
    assert value_weights(y, a, b) == pytest.approx((0.3, 0.7))
    assert value_weights(2 * a - b, a, b) == (1.0, 0.0)
    assert value_weights(y, a, a) == (0.5, 0.5)
    np.testing.assert_allclose(mixed_values((0.5, 0.5), np.array([1.0, 2.0]), np.array([3.0, np.nan])), [2, 2])


@given(st.integers(0, 1000), st.floats(0.05, 0.95))
def test_weights_of_probabilities_are_those_that_the_tokens_were_drawn_with(seed, weight):
    rng = np.random.default_rng(seed)
    first, second = rng.dirichlet(np.full(6, 0.3), size=2)
    tokens = rng.choice(6, size=4000, p=weight * first + (1 - weight) * second)
    logs = np.log(first[tokens] + 1e-12), np.log(second[tokens] + 1e-12)
    found = interpolation_weights(*logs)
    assert sum(found) == pytest.approx(1)
    assert interpolated(found, *logs).sum() >= interpolated((weight, 1 - weight), *logs).sum() - 2
    assert interpolated(found, *logs).mean() >= max(log.mean() for log in logs) - 1e-2


def test_a_mix_is_named_by_its_parts_and_carries_the_state_of_its_network():
    assert mix_name("lstm:units=4", "nbsvm") == "lstm:units=4 + nbsvm"
    assert split_mix("lstm:units=4 + nbsvm") == ("lstm:units=4", "nbsvm")
    assert split_mix("lstm:units=4+dropout=0.1") == ("lstm:units=4+dropout=0.1", None)
    assert is_recurrent("gru + nbsvm")
    assert not is_recurrent("dense + nbsvm")


# One model: predicted, saved, exported


def labelled():
    return TextFrame.from_table(sentences(), text="text", label="label")


def series(n=1):
    steps = np.tile(np.arange(80), n)
    table = pd.DataFrame({"unique_id": np.repeat([f"s{i}" for i in range(n)], 80), "ds": steps})
    table["y"] = 50 + np.sin(steps / 3) * 5 + RNG.normal(size=len(table))
    return SeriesFrame.from_table(table, time="ds", target="y", id="unique_id" if n > 1 else None)


def song(lines=250):
    numbers = ["one", "two", "three", "four", "five"]
    said = [f"{' little, '.join(RNG.choice(numbers, 3))} little ducks" for _ in range(lines)]
    return CorpusFrame.from_text("\n".join(said))


MIXES = {
    "texts": (labelled, "gru + nbsvm", {}),
    "stars": (lambda: TextFrame.from_table(sentences(), text="text", value="stars"), "dense + tfidf_ridge", {}),
    "classes": (lambda: panel("classification"), "gru + logistic_flattened", {}),
    "values": (lambda: panel("regression"), "gru + ridge_flattened", {}),
    "tags": (lambda: panel("tagging"), "gru + logistic_window", {}),
    "series": (series, "gru + naive", {"horizon": 3, "lookback": 8, "season": 1}),
    "log": (series, "dense + drift", {"horizon": 3, "lookback": 8, "season": 1, "transform": "log"}),
    "novel": (
        song,
        "lstm + kneser_ney",
        {"task": "language-model", "tokens": "char", "parallel_streams": 4, "bptt_steps": 20},
    ),
    "lines": (labelled, "gru + bigram", {"task": "language-model", "tokens": "word"}),
    "many": (lambda: series(3), "gru + drift", {"horizon": 3, "lookback": 8, "season": 1}),
}


# One of each kind in every run, all of them in `make test-all`.
QUICK = ("series", "lines", "texts", "values")


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in MIXES])
def test_a_mix_is_one_predictor_saved_and_exported_as_one_graph(tmp_path, name):
    make, family, settings = MIXES[name]
    fitted = recurra.fit(make(), family=family, **TINY, **settings)
    predictor = fitted.predictor
    assert set(fitted.training["weights"]) == {"network", fitted.training["mixed_with"]}
    mix = predictor.model
    assert mix.parameters() == mix.network.parameters() + mix.baseline.parameters() + 2
    expected = predictor.predict(fitted.frame)
    predictor.save(tmp_path / "saved")
    again = Predictor.load(tmp_path / "saved")
    assert again.fingerprint() == predictor.fingerprint()
    save_model(predictor, tmp_path / "exported", fitted.frame)  # compares with what is reloaded
    for other in (again, load_model(tmp_path / "exported")):
        found = other.predict(fitted.frame)
        assert list(found) == list(expected)
        for column in expected:
            if expected[column].dtype == float:
                np.testing.assert_allclose(found[column], expected[column], rtol=2e-4, atol=1e-5)
            else:
                assert found[column].tolist() == expected[column].tolist()


def test_the_weights_join_what_the_parts_predict():
    fitted = recurra.fit(panel("classification"), family="gru + logistic_flattened", **TINY)
    mix, schema = fitted.predictor.model, fitted.predictor.schema
    raw = fitted.predictor.raw(fitted.frame)
    parts = [Predictor(schema, part).serve(raw)["probabilities"].numpy() for part in (mix.network, mix.baseline)]
    mixed = fitted.predictor.serve(raw)["probabilities"].numpy()
    np.testing.assert_allclose(mixed, mixed_probabilities(mix.weights, *parts), atol=1e-5)
    forecast = recurra.fit(series(), family="gru + drift", **TINY, **MIXES["series"][2])
    mix, raw = forecast.predictor.model, forecast.predictor.raw(forecast.frame)
    network, baseline = (np.asarray(part.serve(raw)["forecast"]) for part in (mix.network, mix.baseline))
    found = np.asarray(forecast.predictor.serve(raw)["forecast"])
    np.testing.assert_allclose(found, mixed_values(mix.weights, network, baseline))


def test_a_mixed_language_model_gives_each_token_the_probability_that_it_is_scored_by():
    frame = song()
    experiment, _ = open_experiment(frame, tokens="char", parallel_streams=4, bptt_steps=20, baselines=["kneser_ney"])
    data = experiment.prepare(0)
    mixed = data.mixed(data.build("gru", {"units": 6}), "kneser_ney", {"order": 3})
    model, ids = mixed.fitted.predictor.model, tokens_of(data.test)
    step, before = model.step, np.concatenate([[END], ids[:-1]])
    states = {name: np.zeros((1, *shape), dtype) for name, (shape, dtype) in step.state_shapes.items()}
    found = []
    for some in np.array_split(before, 7):  # in pieces, the states carried along
        outputs = step({"tokens": some[None].astype("int32"), **states})
        states = {name: outputs[name] for name in states}
        found.append(np.asarray(outputs["logits"])[0])
    logits = np.concatenate(found)
    np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1, rtol=1e-5)
    expected = mixed.fitted.evaluate().metrics["cross_entropy"]
    assert -logits[np.arange(len(ids)), ids][1:].mean() == pytest.approx(expected, rel=2e-2)
    assert 0 < model.weights[0] < 1


def test_a_comparison_of_language_models_mixes_by_itself():
    compared = recurra.compare(
        song(), tokens="char", families=["dense", "gru"], seeds=1, baselines=["unigram", "bigram"], refit=True, **TINY
    )
    assert {"dense + bigram", "gru + bigram"} < set(compared.summary.index)
    error = compared.summary["cross_entropy"]
    assert error["gru + bigram"] < min(error["gru"], error["bigram"]) + 0.02
    assert [row["against"] for row in compared.verdict["memory_adds"]] == ["dense + bigram", "bigram"]
    writer = recurra.TextGenerator(compared.refits[0].predictor)
    assert writer.generate("one ", length=5, seed=1) == writer.generate("one ", length=5, seed=1)


def test_the_weights_come_from_a_baseline_that_has_not_seen_the_validation_part():
    frame = TextFrame.from_table(sentences(), text="text", label="label")
    experiment, _ = open_experiment(frame, baselines=["nbsvm"], folds=2)
    data = experiment.prepare(0)
    learnt = []
    record = Classification.baselines["nbsvm"]

    def watched(inputs, *args, **config):
        learnt.append(set(inputs))
        return record.fit(inputs, *args, **config)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Classification.baselines, "nbsvm", dataclasses.replace(record, fit=watched))
        assert data.baseline_loss("nbsvm", {"C": 1.0}) < 0.7
        data.mixed(data.build("linear", {}), "nbsvm", {"C": 1.0})
    only, both = learnt  # the first serves the choice and the weights
    held, tested = ({frame.texts[i] for i in part} for part in (data.fold.validation, data.fold.test))
    assert not only & (held | tested)
    assert held <= both
    assert not both & tested


# In a comparison


def test_a_comparison_of_texts_mixes_by_itself_and_says_what_memory_adds(tmp_path):
    settings = {"families": ["dense", "gru"], "folds": 2, "seeds": 2, **TINY}
    compared = recurra.compare(sentences(), text="text", label="label", out=tmp_path, refit=True, **settings)
    assert compared.settings["mix"] == "auto"
    kinds = compared.summary["kind"].to_dict()
    mixes = [name for name, kind in kinds.items() if kind == "mix"]
    partner = split_mix(mixes[0])[1]
    assert set(mixes) == {f"dense + {partner}", f"gru + {partner}"}
    assert partner in ("nbsvm", "tfidf_logistic")
    parameters = compared.summary["parameters"]
    assert all(parameters[mix] > parameters[split_mix(mix)[0]] for mix in mixes)
    for row in compared.trial_rows:
        if row["kind"] == "mix":  # of the baseline as it was chosen in the fold
            own = next(r for r in compared.trial_rows if r["model"] == partner and r["fold"] == row["fold"])
            assert row["config"]["baseline"] == own["config"]
    if " + " in (best := compared.refits[0]).model:
        assert best.training[partner] == compared.trial_rows[-1]["config"]["baseline"]
    rows = compared.verdict["memory_adds"]
    assert [(row["model"], row["against"]) for row in rows] == [
        (f"gru + {partner}", f"dense + {partner}"),
        (f"gru + {partner}", partner),
    ]
    assert "What memory adds" in compared.verdict["text"]
    assert {row["model"] for row in compared.test_rows} == {"gru", f"gru + {partner}"} - {
        compared.test_rows[0]["against"]
    }


@pytest.mark.slow
def test_workers_mix_with_the_same_baseline():
    table, settings = sentences(), {"families": ["dense", "gru"], "folds": 2, "seeds": 1, **TINY}
    alone, several = (recurra.compare(table, text="text", label="label", **settings, n_jobs=n) for n in (1, 2))
    assert alone.summary["error"].to_dict() == several.summary["error"].to_dict()


def test_resuming_finds_the_mix_beside_its_network(tmp_path):
    settings = {
        "text": "text",
        "label": "label",
        "families": ["dense"],
        "folds": 2,
        "seeds": 1,
        "out": tmp_path,
        **TINY,
    }
    table = sentences()
    first = recurra.compare(table, **settings)
    trials = tmp_path / "trials"
    [mix] = trials.glob("dense_+_*-fold0*.json")
    mix.unlink()  # as a kill between the two would leave it, if the network's own came first
    before = {path: path.stat().st_mtime_ns for path in trials.glob("dense-*.json")}
    second = recurra.compare(table, **settings)
    assert mix.exists()
    changed = [path for path, then in before.items() if path.stat().st_mtime_ns != then]
    assert [path.name for path in changed] == ["dense-fold0-seed0-config0.json"]
    assert first.summary["error"].to_dict() == second.summary["error"].to_dict()


def test_mixes_are_asked_for_or_left_out_and_what_cannot_be_is_refused():
    small = {"families": ["linear"], "folds": 2, "seeds": 1, "max_epochs": 2}
    texts = {"text": "text", "label": "label"}
    assert not (recurra.compare(sentences(), **texts, mix="none", **small).summary["kind"] == "mix").any()
    compared = recurra.compare(
        series(), mix="auto", horizon=3, lookback=8, season=1, baselines=["naive", "theta"], **small
    )
    assert "linear + naive" in compared.summary.index
    with pytest.raises(InputError, match=r"`mix` must be none, auto or one of the baselines compared \(naive\)"):
        recurra.compare(series(), mix="nbsvm", baselines=["naive"], **small)
    with pytest.raises(InputError, match="`mix` is theta, but theta can be joined"):
        recurra.compare(series(), mix="theta", horizon=3, lookback=8, season=1, baselines=["theta"], **small)
    for family, part in (("gru + nosuch", "'nosuch'"), ("naive + gru", "'naive'")):
        with pytest.raises(InputError, match=rf"`family` '.*': {part} was found where a .* the \+ was expected"):
            recurra.fit(series(), family=family)


def test_what_is_said_of_a_mix_tells_it_from_its_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sentences().to_csv("texts.csv", index=False)
    run = partial(CliRunner().invoke, app)
    roles = ["--text", "text", "--label", "label"]
    fitted = run(["fit", "texts.csv", *roles, "--family", "dense + nbsvm", "--max-epochs", "1", "--export", "mixed"])
    assert "\ndense: validation loss " in fitted.output
    assert "\ndense + nbsvm: weighted: network " in fitted.output
    model = load_model(tmp_path / "mixed")
    notes = subject_of_model(model, "texts.csv").notes
    assert any("the network of the mix is measured alone" in note for note in notes)


# The verdict: like with like

ROWS = [
    {"model": "gru + nbsvm", "error": 0.20, "parameters": 900, "train_seconds": 9.0},
    {"model": "dense + nbsvm", "error": 0.205, "parameters": 500, "train_seconds": 3.0},
    {"model": "nbsvm", "error": 0.24},
]
WON = {"model": "gru + nbsvm", "effect": 0.05, "effect_low": 0.01, "effect_high": 0.09, "p_value": 0.01, "p_holm": 0.01}


def nested(against, effect, p):
    return {**WON, "against": against, "effect": effect, "p_holm": p, "n": 100, "note": ""}


def test_a_mix_is_not_paid_for_the_work_of_its_baseline():
    test = {**WON, "against": "dense + nbsvm", "n": 100, "note": ""}
    judged = {"wording": Classification.wording, "recurrent": ["gru + nbsvm"]}
    both = [nested("dense + nbsvm", 0.05, 0.01), nested("nbsvm", 0.17, 0.001)]
    assert judge(ROWS, [test], **judged, memory_adds=both)["worth_it"] is True
    carried = [nested("dense + nbsvm", 0.01, 0.4), nested("nbsvm", 0.17, 0.001)]
    verdict = judge(ROWS, [test], **judged, memory_adds=carried)
    assert verdict["worth_it"] is None
    assert (
        "the error of gru + nbsvm is 1.0 % lower than that of dense + nbsvm (95 % interval 1.0 % to 9.0 % lower)"
        in verdict["text"]
    )
    nothing = judge(ROWS, [{**test, "effect": -0.0004}], **judged, memory_adds=[nested("nbsvm", 0.0004, 0.9)])["text"]
    assert "its error is as high (95 % interval: 1.0 % to 9.0 % lower)" in nothing
    assert "the error of gru + nbsvm is as high as that of nbsvm (" in nothing


def test_a_baseline_of_another_task_names_that_task():
    said = r"received 'kneser_ney', a baseline of other tasks \(language-model\): set `task`"
    with pytest.raises(InputError, match=said):
        recurra.fit(sentences(), text="text", label="label", family="gru + kneser_ney", **TINY)

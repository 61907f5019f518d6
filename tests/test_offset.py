"""A baseline's score as an offset: out of fold in training, one graph in predictions, compared like with like."""

import dataclasses

import numpy as np
import pytest
from small_frames import panel, sentences

import recurra
from recurra import Predictor
from recurra.comparison.run import best_baseline
from recurra.comparison.settings import open_experiment
from recurra.diagnostics import inspect_comparison
from recurra.errors import InputError
from recurra.estimators import SequenceClassifier
from recurra.evaluation.mixing import class_scale, value_scale
from recurra.export import load_model, save_model
from recurra.frames import TextFrame
from recurra.models import build, macs
from recurra.pipelines import dealt_parts
from recurra.spec import ClassOutput, SequenceSpec, TagOutput, TokensInput
from recurra.tasks import Classification

RNG = np.random.default_rng(0)
TINY = {"max_epochs": 2, "config": {"units": 4}}
TEXTS = {"text": "text", "label": "label"}


def tagged():
    tokens = [RNG.choice(["a", "b", "c"], size=n).tolist() for n in RNG.integers(2, 7, size=60)]
    return TextFrame.from_records([{"tokens": t, "tags": ["-", *t[:-1]]} for t in tokens], tags="tags")


# The pieces


def test_a_score_is_calibrated_by_one_number():
    y = np.array([0, 1] * 2000)
    y[:400] = 1 - y[:400]  # wrong in one of ten
    said = np.where(np.eye(2)[np.array([0, 1] * 2000)] > 0, 0.6, 0.4)
    scale = class_scale(y, said)
    assert scale == pytest.approx(np.log(9) / np.log(1.5), rel=0.05)  # 0.6 becomes 0.9
    assert class_scale(np.full(4, -1), said[:4]) == 1
    assert class_scale(1 - y, said) == pytest.approx(0, abs=1e-3)
    assert np.isfinite(class_scale(y[400:410], np.eye(2)[y[400:410]]))
    values = RNG.normal(size=(50, 1))
    assert value_scale(0.8 * values, values) == pytest.approx(0.8)
    assert value_scale(-values, values) == 0
    assert value_scale(values, np.zeros((50, 1))) == 1


def test_parts_split_no_group_and_no_class():
    table = sentences().assign(film=np.repeat(np.arange(30), 4))
    frame = TextFrame.from_table(table, text="text", label="label")
    rows = np.arange(10, 110)
    parts = dealt_parts(frame, rows, 5)
    assert np.bincount(parts).tolist() == [20] * 5
    shares = [np.mean(table["label"].to_numpy()[rows[parts == part]] == "pos") for part in range(5)]
    assert np.ptp(shares) <= 0.1
    grouped = TextFrame.from_table(table, text="text", label="label", group="film")
    films = table["film"].to_numpy()[rows]
    parts = dealt_parts(grouped, rows, 5)
    assert all(len(set(parts[films == film])) == 1 for film in set(films))
    assert len(set(parts)) == 5
    assert set(dealt_parts(frame, np.array([3, 4]), 5)) == {0, 1}
    with pytest.raises(InputError, match="too few for two parts"):
        dealt_parts(frame, np.array([3]), 5)


@pytest.mark.parametrize("family", ["linear", "dense", "tcn", "gru"])
@pytest.mark.parametrize("output", [ClassOutput(3), TagOutput(3)])
def test_the_score_is_added_times_one_number(family, output):
    spec = SequenceSpec(TokensInput(9, 5), output)
    network = build(family, spec, offset="nbsvm")
    tokens = np.array([[3, 4, 5, 6, 7], [3, 3, 0, 0, 0]], "int32")
    score = RNG.normal(size=(2, 3) if isinstance(output, ClassOutput) else (2, 5, 3)).astype("float32")
    none, some = (np.asarray(network({"tokens": tokens, "offset": s})) for s in (0 * score, score))
    np.testing.assert_allclose(some - none, score, atol=1e-5)
    network.get_layer("offset_scale").scale.assign(2.0)
    np.testing.assert_allclose(np.asarray(network({"tokens": tokens, "offset": score})) - none, 2 * score, atol=1e-5)
    plain = build(family, spec)
    assert network.count_params() == plain.count_params() + 1
    assert macs(network, 5) == macs(plain, 5)


# The scores of a fold


def watched_fold(frame, **settings):
    """A fold, and what each baseline that is fitted for its offset learns from."""
    experiment, _ = open_experiment(frame, baselines=["nbsvm"], folds=2, **settings)
    data, learnt = experiment.prepare(0), []
    record = Classification.baselines["nbsvm"]

    def watched(inputs, *args, **config):
        learnt.append(set(inputs))
        return record.fit(inputs, *args, **config)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Classification.baselines, "nbsvm", dataclasses.replace(record, fit=watched))
        read = data.with_offset("nbsvm", {})
    return data, read, learnt


def test_no_score_comes_from_a_baseline_that_has_seen_the_example():
    frame = TextFrame.from_table(sentences(), **TEXTS)
    data, read, learnt = watched_fold(frame)
    train, held, tested = (
        {frame.texts[i] for i in part} for part in (data.fold.train, data.fold.validation, data.fold.test)
    )
    alone, both, *parts = learnt
    assert alone == train
    assert both == train | held
    assert len(parts) == 5
    for part in parts:
        assert part < train
    for text in train:
        assert sum(text not in part for part in parts) == 1  # scored by the one that has not seen it
    assert not any(part & tested for part in learnt)
    assert data.with_offset("nbsvm", {}) is read
    (inputs, *_), *_ = list(read.test.dataset(batch_size=256))
    fitted = read.network(build("linear", read.spec, offset="nbsvm")).predictor.model.offset
    order = read.test.order(256)
    rows = data.fold.test[order[order >= 0]]
    expected = fitted.of_predictions(fitted.fitted([frame.texts[i] for i in rows]))
    np.testing.assert_allclose(inputs["offset"][: len(rows)], expected, atol=1e-5)
    (inputs, *_), *_ = list(data.test.dataset(batch_size=256))
    assert "offset" not in inputs


def test_a_refit_reads_scores_of_both_parts_out_of_fold():
    frame = TextFrame.from_table(sentences(), **TEXTS)
    data, read, _ = watched_fold(frame)
    both = np.concatenate([data.fold.train, data.fold.validation])
    assert not np.allclose(read._offset.known[both], read._offset.scores[both])
    np.testing.assert_array_equal(read._offset.known[data.fold.test], read._offset.scores[data.fold.test])
    assert len(read.known) == len(both)
    (inputs, *_), *_ = list(read.known.dataset(batch_size=256))
    assert inputs["offset"].shape[1] == 2


# One model: predicted, saved, exported

CASES = {
    "texts": (lambda: TextFrame.from_table(sentences(), **TEXTS), "gru", "nbsvm"),
    "stars": (lambda: TextFrame.from_table(sentences(), text="text", value="stars"), "dense", "tfidf_ridge"),
    "classes": (lambda: panel("classification"), "gru", "logistic_flattened"),
    "values": (lambda: panel("regression"), "gru", "ridge_flattened"),
    "tags": (lambda: panel("tagging"), "gru", "logistic_window"),
    "tokens": (tagged, "dense", "most_frequent_tag"),
}
QUICK = ("texts", "values", "tags")


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in CASES])
def test_a_network_with_an_offset_is_one_predictor_saved_and_exported_as_one_graph(tmp_path, name):
    make, family, baseline = CASES[name]
    frame = make()
    fitted = recurra.fit(frame, family=f"{family}:offset={baseline}", **TINY)
    predictor = fitted.predictor
    assert fitted.training["offset"] == baseline
    assert predictor.model.parameters() > predictor.model.model.count_params()
    assert "reads a sequence as a whole" in predictor.model.why_no_step
    expected = predictor.predict(frame)
    predictor.save(tmp_path / "saved")
    again = Predictor.load(tmp_path / "saved")
    assert again.fingerprint() == predictor.fingerprint()
    save_model(predictor, tmp_path / "exported", frame)  # compares with what is reloaded
    for other in (again, load_model(tmp_path / "exported")):
        found = other.predict(frame)
        for column in expected:
            if expected[column].dtype == float:
                np.testing.assert_allclose(found[column], expected[column], rtol=2e-4, atol=1e-5)
            else:
                assert found[column].tolist() == expected[column].tolist()


def test_a_prediction_does_not_depend_on_the_padding_of_the_batch():
    data = open_experiment(tagged(), baselines=["most_frequent_tag"], folds=2)[0].prepare(0)
    read = data.with_offset("most_frequent_tag", {})
    predictor = read.network(read.build("dense", {"units": 4, "offset": "most_frequent_tag"})).predictor
    alone, wide = (
        predictor.serve({"tokens": np.array([tokens], object)})["probabilities"].numpy()
        for tokens in ([b"a", b"b"], [b"a", b"b", b"", b""])
    )
    np.testing.assert_allclose(wide[:, :2], alone, atol=1e-6)


# In a comparison


def test_offsets_are_compared_like_with_like(tmp_path):
    families = ["dense:offset=auto", "gru:offset=auto", "linear"]
    settings = {
        **TEXTS,
        "families": families,
        "folds": 2,
        "seeds": 1,
        "refit_folds": "validation",
        "out": tmp_path,
        **TINY,
    }
    table = sentences()
    compared = recurra.compare(table, **settings)
    kinds = compared.summary["kind"].to_dict()
    configs = {row["model"]: row["config"] for row in compared.to_dict()["trials"] if row["kind"] == "family"}
    partner = configs["gru:offset=auto"]["offset"]
    assert f"offset=auto is {partner} here, the best baseline on validation data" in compared.notes
    assert partner in ("nbsvm", "tfidf_logistic")
    assert [name for name, kind in kinds.items() if kind == "mix"] == [f"linear + {partner}"]
    rows = [(row["model"], row["against"]) for row in compared.verdict["memory_adds"]]
    assert rows == [("gru:offset=auto", "dense:offset=auto"), ("gru:offset=auto", partner)]
    prices = compared.summary["parameters"]
    assert prices["gru:offset=auto"] > prices[f"linear + {partner}"] - prices["linear"]  # the baseline counts
    again = recurra.compare(table, **settings)  # all trials are there
    assert again.summary["error"].to_dict() == compared.summary["error"].to_dict()
    inspected = inspect_comparison(compared, "gru:offset=auto")
    assert any("held fixed" in note for note in inspected.notes)


def test_a_note_says_that_what_contains_a_baseline_is_not_mixed_with_another():
    def notes(**mix):
        families = ["gru:offset=nbsvm", "dense"]
        experiment, _ = open_experiment(sentences(), **TEXTS, families=families, folds=2, **mix)
        return [note for note in experiment.notes if "mix" in note]

    assert notes() == notes(mix="none") == []
    for mix in ("nbsvm", "auto"):
        [note] = notes(mix=mix)
        assert note == "`mix` does not apply to gru:offset=nbsvm: with `offset` a baseline is inside already"


def test_what_reads_nothing_is_chosen_only_where_there_is_no_other():
    class Fold:
        def mixes_with(self, name, config):
            return name != "dtw_1nn" and config == {"of": name}

        def baseline_loss(self, name, config):
            assert config == {"of": name}
            return {"majority": 0.6, "nbsvm": 0.7, "tfidf_logistic": 0.65}[name]

    def best(*names):
        return best_baseline(Classification(), Fold(), names, lambda name: {"of": name})

    assert best("majority", "nbsvm", "tfidf_logistic") == "tfidf_logistic"
    assert best("majority", "dtw_1nn") == "majority"
    assert best("dtw_1nn") is None


@pytest.mark.slow
def test_workers_find_the_same():
    table, settings = sentences(), {"families": ["dense", "gru:offset=auto"], "folds": 2, "seeds": 1, **TINY}
    alone, several = (recurra.compare(table, **TEXTS, **settings, n_jobs=n) for n in (1, 2))
    assert alone.summary["error"].to_dict() == several.summary["error"].to_dict()
    assert any("name one, such as dense:offset=" in note for note in alone.notes) is False  # a mix stands in


def test_what_cannot_be_is_refused_in_a_sentence():
    small = {"folds": 2, "seeds": 1, "max_epochs": 1}
    table = sentences()
    with pytest.raises(InputError, match=r"`offset` must be auto or one of the baselines compared \(majority, "):
        recurra.compare(table, **TEXTS, families=["gru:offset=true"], **small)
    with pytest.raises(InputError, match=r"received 'nbsmv'; did you mean nbsvm\?"):
        recurra.compare(table, **TEXTS, families=["gru:offset=nbsmv"], **small)
    with pytest.raises(InputError, match="has no setting `offset`"):
        recurra.compare("co2", families=["gru:offset=naive"], **small)
    with pytest.raises(InputError, match="contains a baseline twice"):
        recurra.fit(table, **TEXTS, family="gru:offset=nbsvm + nbsvm", max_epochs=1)
    with pytest.raises(InputError, match="estimators have no setting `offset`"):
        SequenceClassifier(family="gru:offset=nbsvm").fit(table["text"], table["label"])
    frame = panel("classification")
    if "dtw_1nn" in Classification.list_baselines(frame):
        with pytest.raises(InputError, match="`offset` is dtw_1nn, which cannot be joined with a network"):
            recurra.compare(frame, families=["gru:offset=dtw_1nn"], baselines=["dtw_1nn"], **small)

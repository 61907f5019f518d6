"""Golden outputs: scores, predictions and exported signatures of every task, taken before the middle was rebuilt.

They hold to the last digit on the kind of processor that they were taken on, elsewhere to three digits: another order
of additions grows in training.
"""

import json
import math
import platform
from pathlib import Path

import golden_cases
import numpy as np
import pytest
import tensorflow as tf

import recurra
from recurra.models.recurrent_classifier import CLASSIFIER_GRID

HERE = Path(__file__).resolve().parent
GOLDEN = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (HERE / "golden").glob("*.json")}

# Keys that have other names now: old → new.
RENAMED = {
    "multiply_adds": "macs",
    "answer": "target",
    "past": "past_covariates",
    "future": "future_covariates",
    "calibration_error": "expected_calibration_error",
    "tag_error": "tag_error_rate",
    "tag_error_sd": "tag_error_rate_sd",
    "exact": "exact_match",
    "exact_sd": "exact_match_sd",
    "nats": "cross_entropy",
    "nats_sd": "cross_entropy_sd",
    "bits": "bits_per_token",
    "most_origins": "max_origins",
    "length": "sequence_length",
    "streams": "parallel_streams",
    "buckets": "bucket_by_length",
    "validation_share": "validation_fraction",
}
# In a language model the length was that of truncated backpropagation.
RENAMED_IN_LANGUAGE = {**RENAMED, "length": "bptt_steps"}


MADE = golden_cases.cases()


def processor():
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].split(":", 1)[1].strip() if names else platform.processor()


def renamed(value, names):
    if isinstance(value, dict):
        return {names.get(key, key): renamed(item, names) for key, item in value.items()}
    return [renamed(item, names) for item in value] if isinstance(value, list) else value


def assert_holds(found, golden, exact, where=""):
    """Every golden number is there again, to the last digit or to three of them."""
    if isinstance(golden, dict):
        for key, item in golden.items():
            assert key in found, f"{where}.{key} is gone"
            assert_holds(found[key], item, exact, f"{where}.{key}")
    elif isinstance(golden, list):
        assert len(found) == len(golden), where
        for i, (one, other) in enumerate(zip(found, golden, strict=True)):
            assert_holds(one, other, exact, f"{where}[{i}]")
    elif isinstance(golden, float) and not exact:
        assert math.isclose(found, golden, rel_tol=1e-3, abs_tol=1e-4), f"{where}: {found} against {golden}"
    else:
        assert found == golden, f"{where}: {found} against {golden}"


def records(table):
    return json.loads(table.to_json(orient="records", double_precision=15, date_format="iso"))


def shapes(path):
    loaded = tf.saved_model.load(str(path))
    found = {}
    for name, function in sorted(loaded.signatures.items()):
        takes, gives = function.structured_input_signature[1], function.structured_outputs
        found[name] = {
            "inputs": {key: [spec.dtype.name, str(spec.shape)] for key, spec in sorted(takes.items())},
            "outputs": {key: [spec.dtype.name, str(spec.shape)] for key, spec in sorted(gives.items())},
        }
    return found


@pytest.fixture(autouse=True)
def _learning_rates_then(monkeypatch):
    monkeypatch.setitem(CLASSIFIER_GRID, "learning_rate", [1e-3])


@pytest.mark.parametrize("name", sorted(MADE))
def test_scores_hold(name):
    frame, settings, _ = MADE[name]
    golden = GOLDEN[name]
    names = RENAMED_IN_LANGUAGE if golden["comparison"]["task"] == "language-model" else RENAMED
    expected = renamed({k: v for k, v in golden["comparison"].items() if k not in ("schema_version", "rows")}, names)
    expected["trials"] = renamed(golden["comparison"]["rows"], names)
    for trial in expected["trials"]:
        if trial["kind"] == "baseline":
            trial.pop("config_number")  # baselines have configurations now
    found = recurra.compare(frame, **{**golden_cases.SMALL, **settings}).to_dict()
    if found["settings"].get("min_count", 0) is None:
        expected["settings"].pop("min_count")  # open now where there are no words
    assert_holds(found, expected, processor() == golden["processor"], name)


@pytest.mark.parametrize("name", sorted(MADE))
def test_predictions_and_signatures_hold(name, tmp_path):
    frame, settings, asked = MADE[name]
    golden = GOLDEN[name]
    best = next(line["model"] for line in golden["comparison"]["summary"] if line["kind"] == "family")
    best = golden.get("family", best)  # another one has become better since the predictions were taken
    own = {**golden_cases.SMALL, **settings}
    for comparing in ("families", "baselines", "folds", "seeds"):
        own.pop(comparing, None)
    if best == "linear":  # which has no units
        own.pop("config")
    fitted = recurra.fit(frame, family=best, **own)
    path = recurra.save_model(fitted.predictor, tmp_path / "model", frame, training=fitted.training)
    assert shapes(path) == golden["signatures"]
    loaded = recurra.load_model(path)
    for predictor, expected in ((fitted.predictor, golden["predicted"]), (loaded, golden["exported"])):
        if name.startswith("language"):
            assert_ranks(recurra.TextGenerator(predictor), expected, asked)
        else:
            # batches of other lengths were added up in another order
            assert_holds(records(predictor.predict(asked)), expected, False, name)
    if "generated" in golden:
        prompt = (
            {"prompt": "ab", "label": "south", "length": 6} if asked is None else {"prompt": "the cat", "length": 12}
        )
        assert recurra.TextGenerator(loaded).generate(**prompt, seed=1) == golden["generated"]


def assert_ranks(generator, expected, asked):
    """Golden next tokens: five of them for each prompt, or the likeliest with its prompt."""
    if asked is None:
        assert_holds(records(generator.next_tokens("ab", label="east")), expected, False)
        return
    for prompt, golden in zip(asked, expected, strict=True):
        found = records(generator.next_tokens(prompt))
        wanted = golden if isinstance(golden, list) else [{k: golden[k] for k in ("token", "probability")}]
        assert_holds(found[: len(wanted)], wanted, False)


def test_probabilities_are_not_compared_by_chance():
    with pytest.raises(AssertionError):
        assert_holds({"a": 0.5}, {"a": 0.50001}, True)
    with pytest.raises(AssertionError):
        assert_holds({"a": np.nan}, {"a": 0.5}, False)

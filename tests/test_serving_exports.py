"""What recurra exports is served: the same answers as its predictor's, its card, its training range."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import recurra
from recurra.export import save_model
from recurra.frames import PanelFrame, SeriesFrame, TextFrame

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
TINY = {"max_epochs": 1, "config": {"units": 4}}


def series():
    days = pd.date_range("2024-01-01", periods=80)
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"day": days, "sold": 20 + np.sin(np.arange(80)) + rng.normal(size=80), "warm": rng.random(80)}
    )
    return SeriesFrame.from_table(table, time="day", target="sold", past_covariates=["warm"])


def panel():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(5 + 3 * (i % 2), 1, (4 + i % 3, 2)) for i in range(40)]
    return PanelFrame.from_arrays(arrays, ["low" if i % 2 == 0 else "high" for i in range(40)])


def texts():
    table = pd.DataFrame({"text": ["good fine", "bad poor"] * 20, "label": ["yes", "no"] * 20})
    return TextFrame.from_table(table, text="text", label="label")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """One model of each kind: name → (predictor, frame), in a folder."""
    folder, fits = tmp_path_factory.mktemp("saved_models"), {}
    for name, frame, options in (
        ("forecast", series(), {"family": "linear", "horizon": 3, "lookback": 6, "max_epochs": 1}),
        ("panel", panel(), {"family": "gru", "task": "classification", **TINY}),
        ("texts", texts(), {"family": "tfidf_logistic", "task": "classification"}),
    ):
        fitted = recurra.fit(frame, **options)
        save_model(fitted.predictor, folder / name, frame)
        fits[name] = (fitted.predictor, frame)
    return folder, fits


@pytest.fixture(scope="module")
def served(serving_desk, exported):
    with serving_desk.serving(exported[0]) as server:
        yield server


def inputs_of(predictor, frame):
    return {name: array[:3] for name, array in predictor.schema.sample(frame).items()}


def plain(array):
    return [value.decode() if isinstance(value, bytes) else value for value in array.tolist()]


@pytest.mark.parametrize("name", ["forecast", "panel", "texts"])
def test_a_served_model_answers_as_the_trained_one(served, exported, name):
    predictor, frame = exported[1][name]
    inputs = inputs_of(predictor, frame)
    expected = {key: np.asarray(value) for key, value in predictor.serve(inputs).items()}
    body = {"inputs": {key: plain(value) for key, value in inputs.items()}}
    status, document = served.predict(
        name, body if len(inputs) > 1 else {"inputs": next(iter(body["inputs"].values()))}
    )
    assert status == 200, document
    for key, array in expected.items():
        found = document["outputs"][key]
        if array.dtype.kind == "f":
            np.testing.assert_allclose(np.array(found), array, rtol=1e-4, atol=1e-5)
        else:
            assert found == plain(array)


def test_numbers_out_of_the_training_range_are_counted_and_said(served, exported):
    card = json.loads((exported[0] / "forecast" / "1" / "assets.extra" / "recurra.json").read_text())
    [low, _], [high, _] = card["ranges"]["values"]["min"], card["ranges"]["values"]["max"]
    assert 10 < low < 20 < high < 30
    usual = [[[low, 0.5]] * 6]
    status, headers, _ = served.ask("/v1/models/forecast:predict", {"instances": usual})
    assert (status, headers["recurra-model-version"], headers["recurra-warning"]) == (200, "1", None)
    odd = b'{"instances": [[[1000, 0.5], [NaN, 0.5], [20, 0.5], [20, 0.5], [20, 0.5], [20, -7]]]}'
    status, headers, _ = served.ask("/v1/models/forecast:predict", odd)
    assert status == 200
    assert headers["recurra-warning"] == "2 of 12 numbers of values are outside the range of the training data"
    page = served.ask("/monitoring/prometheus/metrics")[2]
    labels = '{input="values",model="forecast",signature="serving_default",version="1"}'
    assert f"recurra_input_outside_training_range_total{labels} 2.0" in page
    assert f"recurra_input_nan_total{labels} 1.0" in page


def test_a_window_of_another_length_is_refused_not_answered(served):
    message = served.error("forecast", {"instances": [[[20.0, 0.5]] * 5]})
    assert message.startswith("Expects input values to have shape [-1,6,2] but [1,5,2] is provided")


def test_check_asks_every_signature_by_both_protocols(exported, model_folder):
    command = [sys.executable, "-P", "-m", "recurra", "serve"]
    done = subprocess.run([*command, str(exported[0]), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    expected = {f"ok {name} version 1 serving_default" for name in ("forecast", "panel", "texts")}
    assert set(lines) >= {*expected, "ok panel version 1 step"}
    assert not (Path(model_folder) / "touched").exists()


def test_openapi_describes_what_is_served_and_nothing_it_allows_fails_the_server(served):
    status, document = served.post("/v1/openapi.json", None)
    assert status == 200
    assert set(document["paths"]) >= {"/v1/models/forecast:predict", "/v1/models/texts/metadata"}
    example = document["paths"]["/v1/models/texts:predict"]["post"]["requestBody"]["content"]["application/json"]
    assert served.predict("texts", example["examples"]["serving_default"]["value"])[0] == 200
    for operation in from_dict(document).get_all_operations():

        @settings(max_examples=12, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.ok().as_strategy())
        def whatever_is_sent(case):
            response = case.call(base_url=served.rest, timeout=60)
            case.validate_response(response, checks=CHECKS)

        whatever_is_sent()

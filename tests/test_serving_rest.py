"""TensorFlow Serving's REST API by a real server, with SavedModels that are not ours.

The texts and formats are those of tensorflow/serving: json_tensor_test.cc, http_rest_api_handler_test.cc,
http_rest_api_util_test.cc.
"""

import gzip
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.serving import json_parser, json_tensor

HALF = "half_plus_two"
PREDICT = f"/v1/models/{HALF}:predict"


# What TensorFlow's documentation shows


def test_the_documented_examples_work_unchanged(server):
    assert server.post(PREDICT, {"instances": [1.0, 2.0, 5.0]}) == (200, {"predictions": [2.5, 3.0, 4.5]})
    assert server.post(PREDICT, {"inputs": [1.0, 2.0, 5.0]}) == (200, {"outputs": [2.5, 3.0, 4.5]})
    assert server.post(f"/v1/models/{HALF}/versions/123:predict", {"instances": [[3.0]]}) == (
        200,
        {"predictions": [[3.5]]},
    )
    status, headers, text = server.ask(f"/v1/models/{HALF}")
    assert (status, headers["content-type"]) == (200, "application/json")
    version = {"version": "123", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    assert json.loads(text) == {"model_version_status": [version]}
    assert json.loads(server.ask(f"/v1/models/{HALF}/versions/123")[2]) == {"model_version_status": [version]}


def test_metadata_has_proto_names_strings_for_int64_and_empty_fields(server):
    status, document = server.post(f"/v1/models/{HALF}/metadata", None)
    assert status == 200
    assert document["model_spec"] == {"name": HALF, "signature_name": "", "version": "123"}
    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    x = signature["inputs"]["x"]
    assert x["dtype"] == "DT_FLOAT"
    dims = [{"size": "-1", "name": ""}, {"size": "1", "name": ""}]
    assert x["tensor_shape"] == {"dim": dims, "unknown_rank": False}
    assert signature["method_name"] == "tensorflow/serving/predict"


def test_classify_and_regress(server):
    classify, regress = f"/v1/models/{HALF}:classify", f"/v1/models/{HALF}:regress"
    body = {"signature_name": "classify_x_to_y", "examples": [{"x": 20.0}, {"x": [2.0]}]}
    assert server.post(classify, body) == (200, {"results": [[["", 12.0]], [["", 3.0]]]})
    body = {"signature_name": "regress_x_to_y", "examples": [{"x": 80.0}]}
    assert server.post(regress, body) == (200, {"results": [42.0]})
    body = {"signature_name": "regress_x_to_y", "context": {"x": 80.0}, "examples": [{}, {"x": 2.0}]}
    assert server.post(regress, body) == (200, {"results": [42.0, 3.0]})


def test_a_whole_number_is_no_float_feature(server):
    body = {"signature_name": "regress_x_to_y", "examples": [{"x": 80}]}
    status, document = server.post(f"/v1/models/{HALF}:regress", body)
    assert status == 400
    assert "Data type: int64 but expected type: float" in document["error"]


def test_errors_of_classify_and_regress(server):
    def error(method, body):
        status, document = server.post(f"/v1/models/{HALF}:{method}", body)
        assert status == 400
        return document["error"]

    assert error("classify", {"signature_name": "nope", "examples": [{}]}).startswith(
        "No signature was found with the name: nope"
    )
    assert "FAILED" not in error("classify", {"examples": [{"x": 1.0}]})
    assert error("classify", {"examples": [{"x": 1.0}]}).startswith("No classification inputs found in SignatureDef: ")
    assert "'examples' is expected and was not found" in error("regress", {})
    assert "Expecting 'examples' value to be an list/array" in error("regress", {"examples": {}})
    assert "'examples' value is an empty array" in error("regress", {"examples": []})
    assert "Example must be JSON object but got JSON Number" in error("regress", {"examples": [1]})
    assert "has element with unexpected JSON type: Null" in error("regress", {"examples": [{"x": None}]})
    assert "Unexpected element type in feature: x expecting type: float" in error(
        "regress", {"examples": [{"x": [1.0, "a"]}]}
    )


# Paths


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/foo"),
        ("POST", "/v1/foo"),
        ("POST", "/v1/models"),
        ("GET", f"/v1/models/{HALF}:predict"),
        ("GET", f"/v1/models/{HALF}/"),
        ("POST", f"/v1/models/{HALF}"),
        ("POST", f"/v1/models/{HALF}:explain"),
        ("POST", f"/v1/models/{HALF}/version/50:regress"),
        ("POST", f"/v1/models/{HALF}/versions/HELLO:regress"),
        ("PUT", PREDICT),
        ("DELETE", f"/v1/models/{HALF}"),
        ("POST", f"/v1/models/{HALF}/metadata"),
        ("POST", f"/v1/models/{HALF}/versions/1/labels/a:predict"),
    ],
)
def test_what_matches_no_path_is_malformed(server, method, path):
    status, document = server.post(path, b"{}" if method in ("POST", "PUT") else None, method=method)
    assert (status, document) == (400, {"error": f"Malformed request: {method} {path}"})


def test_paths_are_matched_without_regard_to_case_and_names_are_decoded_after_it(server):
    assert server.ask(f"/V1/Models/{HALF}")[0] == 200
    assert server.post("/v1/models/a%2fb:predict", {"instances": [1]})[1]["error"].startswith(
        "Servable not found for request: Latest(a/b)"
    )
    assert server.ask(f"/v1/models/{HALF.replace('_', '%5F')}")[0] == 200


def test_outside_of_v1_it_is_a_plain_404(server):
    status, headers, _ = server.ask("/index.html")
    assert (status, headers.get_content_type()) == (404, "text/plain")


def test_unknown_models_versions_and_labels(server):
    def error(path, body=None):
        status, document = server.post(path, body)
        return status, document["error"].split("\n")[0]

    body = {"instances": [1.0]}
    assert error("/v1/models/foo:predict", body) == (404, "Servable not found for request: Latest(foo)")
    assert error(f"/v1/models/{HALF}/versions/50:predict", body) == (
        404,
        f"Servable not found for request: Specific({HALF}, 50)",
    )
    assert error("/v1/models/foo") == (404, "Could not find any versions of model foo")
    assert error(f"/v1/models/{HALF}/versions/50") == (404, f"Could not find version 50 of model {HALF}")
    assert error(f"/v1/models/{HALF}/labels/new:predict", body) == (400, "Unrecognized servable version label: new")
    assert server.ask(f"/v1/models/{HALF}/labels/new")[0] == 200  # status does not look at labels
    assert error("/v1/models") == (400, "Missing model name in request.")
    great = f"/v1/models/{HALF}/versions/{2**64 - 1}"
    assert error(f"{great}:predict", body) == (400, f"Failed to convert version: {2**64 - 1} to numeric.")


def test_the_list_of_models(server):
    document = json.loads(server.ask("/v1/models?list")[2])
    assert document["models"] == [
        {"name": HALF, "versions": [123], "labels": {}},
        {"name": "python", "versions": [1], "labels": {}},
        {"name": "several", "versions": [7], "labels": {}},
    ]
    status, headers, text = server.ask("/v1/models", headers={"accept": "text/html"})
    assert (status, headers.get_content_type()) == (200, "text/html")
    assert HALF in text


# JSON in


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"  ", "JSON Parse error: The document is empty"),
        (b"instances = [1, 2]", "JSON Parse error: Invalid value"),
        (b'{"instances": [1, 2', "JSON Parse error: Missing a comma or ] after an array element."),
        (b'{"instances": ["\xff"]}', "JSON Parse error: Invalid encoding in string."),
        (b'{"instances": [1e400]}', "JSON Parse error: Number too big to be stored in double."),
        (b'{"instances": [1.]}', "JSON Parse error: Miss fraction part in number."),
        (b'{"instances": [1], }', "JSON Parse error: Missing a name for object member."),
        (b"[1]", "Is not object"),
        (b'{"signature_name": 100}', "'signature_name' key must be a string value."),
        (b"{}", "Missing 'inputs' or 'instances' key"),
        (b'{"instances": [1], "inputs": [1]}', "Not formatted correctly"),
        (b'{"instances": 1}', "Expecting 'instances' to be an list/array"),
        (b'{"instances": []}', "No values in 'instances' array"),
        (b'{"instances": ["x", "y"]}', "not of expected type: float"),
        (b'{"instances": [true]}', "JSON Value: true Type: True is not of expected type: float"),
        (b'{"instances": [null]}', "JSON Value: null Type: Null is not of expected type: float"),
        (b'{"instances": [[1, 2], [1]]}', "Expecting tensor size: 2 but got: 1"),
        (b'{"instances": [[[1, 2]], [[1], [2]]]}', "Expecting shape [1,2] but got: [2,1]"),
        (b'{"instances": [{"x": 1}, 2]}', "Expecting object but got list at item 1 of input list"),
        (b'{"instances": [1, {"x": 1}]}', "Expecting value/list but got object at item 1 of input list"),
        (b'{"instances": [{"z": 1}]}', "JSON object: does not have named input: z"),
        (b'{"instances": [[1, [2]]]}', "Encountered list at unexpected level: 1 expected < 1"),
        (b'{"inputs": [[1, 2], [3]]}', "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
        (b'{"inputs": {"z": 1}}', "Missing named input: x in 'inputs' object."),
        (b'{"inputs": [{"b64": "aaa"}]}', "is not of expected type: float"),
        (
            b'{"signature_name": "nope", "instances": ["bad"]}',
            'Serving signature name: "nope" not found in signature def',
        ),
    ],
)
def test_what_is_wrong_is_said_in_tensorflow_servings_words(server, body, text):
    assert text in server.error(HALF, body)


def test_errors_of_several_inputs(server):
    def error(body):
        return server.error("several", body)

    assert "instances is a plain list, but expecting list of objects" in error({"instances": [1]})
    assert "inputs is a plain value/list, but expecting an object" in error({"inputs": [1]})
    assert "keys must be equal to: a,b" in error({"instances": [{"a": [1, 2]}]})
    assert "Missing named input: b in 'inputs' object." in error({"inputs": {"a": [[1, 2]]}})
    wrapped = error({"instances": [{"a": [1, 2], "b": [1, 2]}, {"a": [1, 2], "b": [1.0, 2]}]})
    assert wrapped.startswith(
        "Failed to process element: 1 key: b of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 1.0 Type: "
        "Number is not of expected type: int64"
    )


def test_the_order_of_the_checks(server):
    assert server.post("/v1/models/foo:predict", b"{")[0] == 400  # broken JSON comes before an unknown model
    assert server.post("/v1/models/foo:predict", b"{}")[0] == 404  # an unknown model before what is missing
    assert "Serving signature name" in server.error(HALF, {"signature_name": "nope"})


def test_an_error_says_what_was_expected_and_shows_an_example_that_works(server):
    message = server.error(HALF, {"instances": ["x"]})
    first, expected, example, curl = message.split("\n")
    assert first.endswith("is not of expected type: float")
    assert expected == f"expected by serving_default of {HALF} version 123: x: float [-1, 1]"
    assert server.predict(HALF, json.loads(example.removeprefix("example: ")))[0] == 200
    assert curl.startswith("curl -d '{")
    assert curl.endswith(f"/v1/models/{HALF}/versions/123:predict")
    assert "did you mean texts?" in server.error("several", {"signature_name": "text", "inputs": 1})
    assert "did you mean half_plus_two?" in server.predict("half_plus_too", {"inputs": 1})[1]["error"]


def test_what_python_would_not_read_is_read(server):
    odd = server.ask(PREDICT, b'{"instances": [NaN, Infinity, -Infinity, Inf, -Inf]} and more {')[2]
    assert "[NaN, Infinity, -Infinity, Infinity, -Infinity" in odd
    deep = b"[" * 500_000 + b"]" * 500_000
    assert server.predict(HALF, b'{"unknown": ' + deep + b', "instances": [1]}') == (200, {"predictions": [2.5]})
    assert server.predict(HALF, b'{"instances": ' + deep + b"}")[0] == 400
    assert server.predict(HALF, b'\xef\xbb\xbf {"instances": [1]}')[0] == 200


def test_strict_types(server):
    def typed(i="1", b="true", d="1"):
        return server.predict(
            "several", f'{{"signature_name": "typed", "inputs": {{"i": [{i}], "b": [{b}], "d": [{d}]}}}}'.encode()
        )

    assert typed() == (200, {"outputs": {"i": [1], "b": [True], "d": [1.0]}})
    assert typed(i=2**63 - 1)[1]["outputs"]["i"] == [2**63 - 1]
    for wrong in ("1.0", '"1"', "true", "null", str(2**63), "1e3"):
        assert "is not of expected type: int64" in typed(i=wrong)[1]["error"]
    for wrong in ("1", "0", '"true"', "null"):
        assert "is not of expected type: bool" in typed(b=wrong)[1]["error"]
    assert typed(d="0.1")[1]["outputs"]["d"] == [0.1]


def test_a_float_rounds_and_overflows_silently(server):
    status, _, text = server.ask(PREDICT, b'{"instances": [1e39, -1e39, 16777217]}')
    assert (status, "[Infinity, -Infinity, 8.38861e+06" in text) == (200, True)


def test_unknown_keys_are_an_error_in_rows_and_ignored_in_columns(server):
    assert server.predict(HALF, {"inputs": {"x": [1.0], "z": 3}}) == (200, {"outputs": [2.5]})
    assert "does not have named input: z" in server.error(HALF, {"instances": [{"x": 1.0, "z": 3}]})


def test_scalars_and_bytes(server):
    assert server.predict("several", {"signature_name": "scalar", "inputs": 1.5}) == (200, {"outputs": 3.0})
    texts = {"signature_name": "texts", "instances": ["né", {"b64": "/w=="}, {"text": {"b64": "/w"}}]}
    assert "got object at item 2" in server.error("several", texts)
    texts["instances"] = ["né", {"b64": "bsOp"}, {"b64": "bsOp"}]
    row = {"upper": "Né", "raw_bytes": {"b64": "bsOp"}}
    assert server.predict("several", texts) == (200, {"predictions": [row, row, row]})
    texts = {"signature_name": "texts", "inputs": [{"b64": "bsOp"}, "a"]}
    outputs = {"upper": ["Né", "A"], "raw_bytes": [{"b64": "bsOp"}, {"b64": "YQ=="}]}
    assert server.predict("several", texts) == (200, {"outputs": outputs})
    for wrong in ("bs_p", "b", "@"):
        assert "Unable to base64 decode" in server.error("several", texts | {"inputs": [{"b64": wrong}]})


def test_numbers_are_written_with_six_digits_or_as_many_as_needed(server):
    numbers = b"[0.1, 4, 9000000, 0.1234567, 1e-5, 2.5e300]"
    body = b'{"signature_name": "typed", "inputs": {"i": [1], "b": [false], "d": %s}}' % numbers
    status, _, text = server.ask("/v1/models/several:predict", body)
    assert status == 200
    assert "[0.1, 4.0, 9e+06, 0.1234567, 1e-05, 2.5e+300]" in text
    texts = server.ask(PREDICT, b'{"instances": [0.1, 4, 18000000, 0.33333334]}')[2]
    assert "[2.05, 4.0, 9000002.0, 2.16666675" in texts


def test_rows_need_outputs_that_have_rows(server):
    body = {"signature_name": "total", "instances": [1.0, 2.0]}
    assert "has no shape information" in server.error("several", body)
    assert server.predict("several", {"signature_name": "total", "inputs": [1.0, 2.0]}) == (200, {"outputs": 3.0})
    different = {"i": [1], "b": [True, False], "d": [1.0]}
    assert server.predict("several", {"signature_name": "typed", "inputs": different})[0] == 200


def test_signatures_without_inputs_are_for_grpc(server):
    assert "Failed to get input map for signature: count" in server.error(
        "several", {"signature_name": "count", "inputs": {}}
    )


def test_a_model_that_fails_says_why_and_the_next_request_is_answered(server):
    body = {"signature_name": "positive", "instances": [-1.0]}
    assert "must be positive" in server.error("several", body)
    assert server.predict("several", body | {"instances": [4.0]}) == (200, {"predictions": [2.0]})


# HTTP


def test_content_type_is_not_looked_at_and_gzip_is_unpacked(server):
    body = b'{"instances": [1.0]}'
    assert server.ask(PREDICT, body, headers={"content-type": "application/x-www-form-urlencoded"})[0] == 200
    assert server.ask(PREDICT, gzip.compress(body), headers={"content-encoding": "gzip"})[0] == 200
    assert server.ask(PREDICT, body, headers={"content-encoding": "gzip"})[0] == 400
    assert server.ask(PREDICT, gzip.compress(body)[:-9], headers={"content-encoding": "gzip"})[0] == 400


def test_large_requests_give_the_same_as_small_ones(server):
    values = [i / 7 for i in range(20_000)]
    status, document = server.predict(HALF, {"instances": values})
    assert status == 200
    assert all(math.isclose(y, x / 2 + 2, rel_tol=1e-6) for x, y in zip(values, document["predictions"], strict=True))


def test_health_and_readiness(server):
    assert server.ask("/healthz")[0] == server.ask("/readyz")[0] == 200


def test_prometheus_finds_tensorflow_servings_names(server):
    server.predict(HALF, {"instances": [1.0]})
    server.predict("unheard_of", {"instances": [1.0]})
    status, headers, text = server.ask("/monitoring/prometheus/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain")
    lines = text.splitlines()
    assert lines[0] == "# TYPE :tensorflow:serving:request_count counter"
    assert any(
        line.startswith(f':tensorflow:serving:request_count{{model_name="{HALF}",status="OK"}} ') for line in lines
    )
    assert ':tensorflow:serving:request_count{model_name="unheard_of",status="NOT_FOUND"} 1' in lines
    latency = f':tensorflow:serving:request_latency_bucket{{model_name="{HALF}",API="predict",entrypoint="REST",le='
    limits = [line.split('le="')[1].split('"')[0] for line in lines if line.startswith(latency)]
    assert limits[:5] == ["10", "18", "32.4", "58.32", "104.976"]
    assert (len(limits), limits[-1]) == (34, "+Inf")
    assert any(f'runtime_latency_count{{model_name="{HALF}",API="Predict",runtime="TF1"}}' in line for line in lines)
    assert any(line.startswith("recurra_build_info{") for line in lines)
    assert 'signature="serving_default",version="123"' in text


# The parser that takes over where Python's gives up


def _nested(inner):
    return st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)


def _doubles(value):
    """Whole numbers of twenty digits and more are doubles for RapidJSON."""
    if isinstance(value, dict):
        return {name: _doubles(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_doubles(item) for item in value]
    return float(value) if type(value) is int and len(str(value)) >= 20 else value


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), _nested))
def test_both_parsers_read_the_same(value):
    text = json.dumps({"instances": value})
    ours = json_parser._Parser("\ufeff" + text, json_tensor.KEYS).parse()
    assert repr(ours) == repr(_doubles(json_parser.parse(text.encode(), wanted=json_tensor.KEYS)))

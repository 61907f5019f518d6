"""The Open Inference Protocol, version 2, by a real server."""

import json
import math

HALF = "half_plus_two"


def infer(server, model, inputs, **more):
    return server.post(f"/v2/models/{model}/infer", {"inputs": inputs, **more})


def tensor(name, shape, datatype, data, **more):
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **more}


def test_health_and_metadata(server):
    assert server.post("/v2/health/live", None) == (200, {"live": True})
    assert server.post("/v2/health/ready", None) == (200, {"ready": True})
    assert server.post("/v2", None)[1]["name"] == "recurra"
    status, document = server.post(f"/v2/models/{HALF}", None)
    assert status == 200
    assert document == {
        "name": HALF,
        "versions": ["123"],
        "platform": "tensorflow_savedmodel",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 1]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 1]}],
    }
    assert server.post(f"/v2/models/{HALF}/versions/123/ready", None) == (200, {"name": HALF, "ready": True})
    assert server.post("/v2/models/foo/ready", None)[0] == 404
    assert server.post(f"/v2/models/{HALF}/versions/5", None)[0] == 404


def test_flat_and_nested_data_ids_and_versions(server):
    for data in ([1, 2.5], [[1], [2.5]]):
        status, document = infer(server, HALF, [tensor("x", [2, 1], "FP32", data)], id="7")
        assert status == 200
        assert document == {
            "model_name": HALF,
            "model_version": "123",
            "id": "7",
            "outputs": [{"name": "y", "shape": [2, 1], "datatype": "FP32", "data": [2.5, 3.25]}],
        }
    assert (
        server.post(f"/v2/models/{HALF}/versions/123/infer", {"inputs": [tensor("x", [1, 1], "FP32", [0])]})[0] == 200
    )


def test_bytes_and_requested_outputs_are_not_lost(server):
    texts = [tensor("text", [2], "BYTES", ["né", "b"])]
    chosen = {"parameters": {"signature_name": "texts"}}
    status, document = infer(server, "several", texts, outputs=[{"name": "upper"}], **chosen)
    assert (status, [o["name"] for o in document["outputs"]]) == (200, ["upper"])
    assert document["outputs"][0]["data"] == ["Né", "B"]
    raw = [tensor("text", [1], "BYTES", ["/w=="], parameters={"content_type": "base64"})]
    document = infer(server, "several", raw, outputs=[{"name": "raw_bytes"}], **chosen)[1]
    [output] = document["outputs"]
    assert (output["data"], output["parameters"]) == (["/w=="], {"content_type": "base64"})


def test_what_is_wrong_is_a_400_with_a_reason(server):
    def error(inputs, **more):
        status, document = infer(server, HALF, inputs, **more)
        assert status == 400
        return document["error"]

    assert "data holds 1 values, shape [2, 1] 2" in error([tensor("x", [2, 1], "FP32", [1])])
    assert "input x must be FP32, but is INT64" in error([tensor("x", [1, 1], "INT64", [1])])
    assert "has no input z" in error([tensor("z", [1, 1], "FP32", [1])])
    assert "holds what is not FP32" in error([tensor("x", [1, 1], "FP32", ["a"])])
    assert "is given twice" in error([tensor("x", [1, 1], "FP32", [1])] * 2)
    assert "shape must be a list of whole numbers" in error([tensor("x", [-1, 1], "FP32", [1])])
    assert "input size does not match signature" in error([])
    assert "has no output 'z'" in error([tensor("x", [1, 1], "FP32", [1])], outputs=[{"name": "z"}])
    assert server.post("/v2/models/foo/infer", {"inputs": []})[0] == 404
    assert server.ask(f"/v2/models/{HALF}/infer", b"{")[0] == 400
    assert server.ask(f"/v2/models/{HALF}/infer")[0] == 405


def test_numbers_that_are_none_are_written_as_tensorflow_serving_does(server):
    body = b'{"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [NaN]}]}'
    assert math.isnan(json.loads(server.ask(f"/v2/models/{HALF}/infer", body)[2])["outputs"][0]["data"][0])

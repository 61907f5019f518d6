"""Streams of a real server: resources of a model, pinned to their version, the same as streams in Python."""

import base64
import json
import shutil
import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf

from recurra.export import load_model, save_model
from recurra.frames import CorpusFrame, PanelFrame, TextFrame
from recurra.models import build
from recurra.pipelines import LanguagePipeline, SequenceEncoder, SequencePipeline, TextEncoder
from recurra.predictor import Predictor
from recurra.predictor.language_model import LanguageModelNetwork, LanguageModelSchema
from recurra.predictor.sequences import SequenceNetwork, SequenceSchema

RNG = np.random.default_rng(0)
ROWS = RNG.normal(50, 9, size=(12, 2)).round(2)


def random_weights(model, seed=0):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.6, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def sequences(frame, encoder, seed=0, **settings):
    pipeline = SequencePipeline(encoder).fit(frame)
    network = SequenceNetwork(pipeline, random_weights(build("gru", pipeline.spec, units=3, **settings), seed))
    return Predictor(SequenceSchema.of(pipeline, frame), network, frame.task), frame


def panel(seed=0):
    arrays = [RNG.normal(50, 9, size=(n, 2)) for n in (3, 5, 4, 7) * 4]
    return sequences(PanelFrame.from_arrays(arrays, ["up", "down"] * 8), SequenceEncoder(), seed)


def words(**settings):
    records = [{"words": ["the", "cat", "sat"], "tags": ["D", "N", "V"]}, {"words": ["ran"], "tags": ["V"]}] * 8
    return sequences(TextFrame.from_records(records, text="words", tags="tags"), TextEncoder(tokens=None), **settings)


def song():
    frame = CorpusFrame.from_text("the cat sat.\n\nThe dog ran, it's é.\n\n" * 20)
    pipeline = LanguagePipeline(tokens="word", min_count=1).fit(frame)
    network = LanguageModelNetwork(pipeline, random_weights(build("lstm", pipeline.spec, units=4)))
    return Predictor(LanguageModelSchema.of(pipeline, frame), network, "language-model"), frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory, serving_desk):
    folder = tmp_path_factory.mktemp("streams")
    made = {"panel": panel(), "words": words(), "song": song(), "both": words(bidirectional=True)}
    for name, (predictor, frame) in made.items():
        save_model(predictor, folder / name, frame)
    serving_desk.half_plus(folder / "half" / "1")
    return folder


@pytest.fixture(scope="module")
def streaming(serving_desk, folder):
    with serving_desk.serving(folder, "--stream-idle-seconds", "900") as server:
        yield server


def opened(server, model, body=None, path=""):
    status, document = server.post(f"/v1/models/{model}{path}/streams", body or {})
    assert status == 201, document
    return f"/v1/models/{model}/streams/{document['stream']}", document


def pushed(server, stream, body):
    status, document = server.post(f"{stream}:push", body)
    assert status == 200, document
    return document


def assert_same(found, expected):
    for name, value in ((name, np.asarray(value)) for name, value in expected.items()):
        if value.dtype.kind == "f":
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6)
        else:
            assert np.ravel(found[name]).tolist() == np.ravel(value).tolist()


def test_a_stream_of_rows_is_that_of_python(streaming, folder):
    python = load_model(folder / "panel").stream()
    stream, document = opened(streaming, "panel")
    assert (document["steps"], document["version"], "predictions" in document) == (0, "1", False)
    assert "all rows since the stream began" in document["note"]
    for body, rows in (({"instances": ROWS[:1].tolist()}, ROWS[:1]), ({"inputs": ROWS[1:5].tolist()}, ROWS[1:5])):
        expected = python.push(rows)
        document = pushed(streaming, stream, body)
        for i, prediction in enumerate(document["predictions"]):
            assert_same(prediction, {name: array[i] for name, array in expected.items()})
    named = {"instances": [{"values": ROWS[5].tolist()}], "last": True}
    [prediction] = pushed(streaming, stream, named)["predictions"]
    assert_same(prediction, python.push(ROWS[5]))
    status, document = streaming.post(stream, None)
    assert (status, document["steps"], document["predictions"]) == (200, 6, [prediction])


def test_fork_rewind_save_and_delete(streaming, folder):
    stream, _ = opened(streaming, "panel", path="/versions/1")
    first = pushed(streaming, stream, {"instances": ROWS[:4].tolist()})
    status, fork = streaming.post(f"{stream}:fork", {})
    assert (status, fork["steps"]) == (201, 4)
    fork = f"/v1/models/panel/streams/{fork['stream']}"
    what_if = pushed(streaming, fork, {"instances": [ROWS[9].tolist()]})["predictions"]
    after = pushed(streaming, stream, {"instances": [ROWS[4].tolist()]})["predictions"]
    assert what_if != after
    assert streaming.post(f"{stream}:rewind", {"steps": 2})[1]["predictions"] == first["predictions"][2:3]
    again = pushed(streaming, stream, {"instances": ROWS[3:5].tolist()})["predictions"]
    assert again == [first["predictions"][3], *after]
    status, document = streaming.post(f"{stream}:rewind", {"steps": 99})
    assert status == 400
    assert "cannot go back 99 steps: it has read 5 and remembers the last 5" in document["error"]
    # kept here and opened there: on the server, and in Python
    saved = streaming.post(f"{stream}:save", {})[1]["saved"]
    copy, document = opened(streaming, "panel", {"saved": saved})
    assert (document["steps"], document["predictions"]) == (5, after)
    python = load_model(folder / "panel").stream(saved=base64.b64decode(saved["b64"]))
    [prediction] = pushed(streaming, copy, {"instances": [ROWS[6].tolist()]})["predictions"]
    assert_same(prediction, python.push(ROWS[6]))
    assert streaming.post(stream, None, method="DELETE")[1]["deleted"] is True
    for path in (stream, f"{stream}:push"):
        status, document = streaming.post(path, {} if path.endswith("push") else None)
        assert (status, document["error"].split("\n")[0].endswith("is gone: it was deleted")) == (410, True)
    listed = streaming.post("/v1/models/panel/streams", None)[1]["streams"]
    assert {fork.rpartition("/")[2], copy.rpartition("/")[2]} <= {entry["stream"] for entry in listed}
    assert stream.rpartition("/")[2] not in {entry["stream"] for entry in listed}


def test_texts_and_tokens(streaming, folder):
    python = load_model(folder / "song").stream()
    stream, document = opened(streaming, "song")
    assert document["predictions"][0]["next_tokens"] == python.prediction["tokens"].tolist()
    for piece in ("The cat", "sat", "", "é"):
        [found] = pushed(streaming, stream, {"text": piece})["predictions"]
        expected = python.push(piece)
        assert found["next_tokens"] == expected["tokens"].tolist()
        np.testing.assert_allclose(found["next_probabilities"], expected["probabilities"], rtol=1e-4)
    ids = pushed(streaming, stream, {"instances": [[5], [4]]})["predictions"]
    assert len(ids) == 2
    # a saved stream keeps its words
    saved = streaming.post(f"{stream}:save", {})[1]["saved"]
    assert opened(streaming, "song", {"saved": saved})[1]["predictions"] == ids[1:]
    tags = load_model(folder / "words").stream()
    stream, _ = opened(streaming, "words")
    [found] = pushed(streaming, stream, {"text": ["the", "unseen", "sat"]})["predictions"]
    assert_same(found, {name: array[-1] for name, array in tags.push(["the", "unseen", "sat"]).items()})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "/panel/streams/nothing:push", {}, 404, "there is no stream nothing of panel\nopen one: POST"),
        ("POST", "/nosuch/streams", {}, 404, "Servable not found for request: Latest(nosuch)"),
        ("POST", "/panel/versions/9/streams", {}, 404, "Servable not found for request: Specific(panel, 9)"),
        ("POST", "/panel/versions/x/streams", {}, 400, "Failed to convert version: x"),
        ("POST", "/half/streams", {}, 400, "half version 1 has no streams: it has no signature step"),
        ("POST", "/both/streams", {}, 400, "both version 1 has no streams: it reads every sequence from its end"),
        ("PUT", "/panel/streams", {}, 400, "Malformed request: PUT"),
        ("POST", "/panel/streams/x:explain", {}, 400, "Malformed request: POST"),
        ("POST", "/panel/streams", {"saved": {"b64": "!"}}, 400, "Unable to base64 decode"),
        ("POST", "/panel/streams", {"saved": {"b64": "AAAA"}}, 400, "not a saved stream"),
        ("POST", "/panel/streams", {"label": "x"}, 400, "the model has no classes, so label 'x' does not apply"),
        ("POST", "/panel/streams", b"{", 400, "JSON Parse error"),
    ],
)
def test_what_is_wrong_is_said(streaming, method, path, body, status, text):
    found, _, answer = streaming.ask(f"/v1/models{path}", body, method=method)
    assert found == status
    assert json.loads(answer)["error"].startswith(text) or text in json.loads(answer)["error"]


def test_a_refused_push_leaves_the_stream_where_it_was(streaming):
    stream, _ = opened(streaming, "panel")
    pushed(streaming, stream, {"instances": ROWS[:2].tolist()})
    for body, text in (
        (b'{"instances": [[1, 2], [1, NaN]]}', "row 1 has no value in channel 1: gaps in training"),
        ({"instances": [[1, 2, 3]]}, "Expects input values to have shape [-1,2] but [1,3] is provided"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"inputs": []}, "at least one"),
        ({"text": "a"}, "panel reads no text"),
        ({}, "Missing 'inputs' or 'instances' key"),
    ):
        status, document = streaming.post(f"{stream}:push", body)
        assert status == 400
        assert text in document["error"]
    assert streaming.post(stream, None)[1]["steps"] == 2


def test_many_streams_at_once_do_not_mix(streaming, folder):
    streams = [opened(streaming, "panel")[0] for _ in range(12)]
    found = [None] * len(streams)

    def push(i):
        for row in np.roll(ROWS, i, axis=0):
            found[i] = pushed(streaming, streams[i], {"instances": [row.tolist()]})["predictions"][0]

    threads = [threading.Thread(target=push, args=(i,)) for i in range(len(streams))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    model = load_model(folder / "panel")
    for i in (0, 5, 11):
        expected = model.stream().push(np.roll(ROWS, i, axis=0))
        assert_same(found[i], {name: array[-1] for name, array in expected.items()})


# Sequences of other servers


def infer(server, rows, **parameters):
    tensor = {"name": "values", "shape": list(np.shape(rows)), "datatype": "FP64", "data": np.asarray(rows).tolist()}
    return server.post("/v2/models/panel/infer", {"inputs": [tensor], "parameters": parameters, "id": "7"})


def test_sequences_of_v2(streaming, folder):
    python = load_model(folder / "panel").stream()
    status, document = infer(streaming, ROWS[:1], sequence_id=42)
    assert status == 400
    assert "must specify the START flag on the first request of the sequence\n" in document["error"]
    status, document = infer(streaming, ROWS[:1], sequence_id=42, sequence_start=True)
    assert (status, document["id"], document["model_version"]) == (200, "7", "1")
    python.push(ROWS[0])
    status, document = infer(streaming, ROWS[1:3], sequence_id=42, sequence_end=True)
    outputs = {output["name"]: np.reshape(output["data"], output["shape"]) for output in document["outputs"]}
    assert_same({n: a[-1] for n, a in outputs.items()}, {n: a[-1] for n, a in python.push(ROWS[1:3]).items()})
    status, document = infer(streaming, ROWS[:1], sequence_id=42)
    assert status == 400
    assert document["error"].endswith("is gone: its client ended it")
    # 0 is no sequence: the model's own inputs are expected
    assert "lengths" in infer(streaming, ROWS[:1], sequence_id=0)[1]["error"]
    assert infer(streaming, ROWS[:1], sequence_id=1.5)[0] == 400


def test_sequences_of_grpc(streaming, folder):
    python = load_model(folder / "panel").stream()
    values = {"values": ROWS[:1]}
    with pytest.raises(grpc.RpcError) as caught:
        streaming.grpc_predict("panel", values, metadata=[("sequence-id", "a")])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    for row, flags in ((0, [("sequence-start", "1")]), (1, []), (2, [("sequence-end", "true")])):
        sent = {"values": ROWS[row : row + 1]}
        answer = streaming.grpc_predict("panel", sent, metadata=[("sequence-id", "a"), *flags])
        expected = python.push(ROWS[row])
        assert answer.model_spec.signature_name == "step"
        np.testing.assert_allclose(
            tf.make_ndarray(answer.outputs["probabilities"])[0], expected["probabilities"], rtol=1e-5
        )


# Versions and limits


def states(server):
    """Of the versions, the newest first."""
    return [version["state"] for version in server.post("/v1/models/panel", None)[1]["model_version_status"]]


def test_versions_and_limits(serving_desk, tmp_path):
    predictor, frame = panel()
    other = panel(seed=1)[0]
    save_model(predictor, tmp_path / "panel", frame)
    flags = ("--poll-seconds", "0.1", "--max-streams", "3", "--stream-idle-seconds", "600")
    with serving_desk.serving(tmp_path, *flags) as server:
        stream, _ = opened(server, "panel")
        pushed(server, stream, {"instances": ROWS[:3].tolist()})
        saved = server.post(f"{stream}:save", {})[1]["saved"]
        save_model(other, tmp_path / "panel", frame)
        server.wait_for(lambda: states(server) == ["AVAILABLE", "UNLOADING"])
        # it stays on its version, which answers nobody else
        python = load_model(tmp_path / "panel" / "1").stream()
        python.push(ROWS[:3])
        shutil.rmtree(tmp_path / "panel" / "1")
        assert server.post("/v1/models/panel/versions/1/streams", {})[0] == 404
        document = pushed(server, stream, {"instances": [ROWS[3].tolist()]})
        assert_same(document["predictions"][0], python.push(ROWS[3]))
        assert server.post(stream, None)[1]["version"] == "1"
        # the one idle longest makes room
        new = [opened(server, "panel")[0] for _ in range(3)]
        status, document = server.post(stream, None)
        assert status == 410
        assert "is gone: it was evicted, having been idle longest: the server keeps 3 streams" in document["error"]
        assert server.post(new[0], None)[0] == 200
        status, document = server.post("/v1/models/panel/streams", {"saved": saved})
        assert (status, "version gone" in document["error"]) == (410, True)
        # nobody is on it any more: it is unloaded
        server.wait_for(lambda: states(server) == ["AVAILABLE", "END"])


def test_what_is_idle_is_closed(serving_desk, folder):
    with serving_desk.serving(folder, "--stream-idle-seconds", "0.5") as server:
        stream, _ = opened(server, "panel")
        server.wait_for(lambda: server.post("/v1/models/panel/streams", None)[1]["streams"] == [])
        status, document = server.post(stream, None)
        assert status == 410
        assert document["error"].endswith("is gone: it was idle for more than 0.5 seconds")

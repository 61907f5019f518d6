"""Versions come and go while they are asked: policies, labels, broken folders, warm-up, swaps."""

import shutil
import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import model_management_pb2, model_pb2, predict_pb2, prediction_log_pb2
from tensorflow_serving.config import model_server_config_pb2

from recurra.errors import InputError
from recurra.serving import model_config
from recurra.serving.options import ServerOptions
from recurra.serving.repository import Repository
from recurra.serving.status import ServingError
from recurra.serving.warmup import load

PATIENCE = 60


@pytest.fixture
def half(serving_desk, model_folder, tmp_path):
    """Makes versions of one model in a folder: copies, whose sums tell them apart."""
    base = tmp_path / "models" / "half"

    def make(version, offset=2.0):
        if offset == 2.0:
            return shutil.copytree(model_folder / "half_plus_two" / "00000123", base / version)
        return serving_desk.half_plus(base / version, offset)

    return make


def repository(folder, **given):
    return Repository(lambda: model_config.models_in(folder), load, **given)


def states(found, name="half"):
    return {version.number: version.state for version in found.status(name)}


def settled_states(found, name="half"):
    """States once nothing is under way any more."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and {"UNLOADING", "LOADING"} & set(states(found, name).values()):
        time.sleep(0.01)
    return states(found, name)


def answer(model, x=1.0):
    signature = model.signatures["serving_default"]
    return float(model.call(signature, {"x": np.float32([[x]])})["y"][0, 0])


def test_folder_names_and_policies(tmp_path):
    for name in ("1", "00000003", "12", "x5", "-1", "9" * 30):
        (tmp_path / "models" / "half" / name).mkdir(parents=True)
    folders = model_config.version_folders(tmp_path / "models" / "half")
    assert {version: path.name for version, path in folders.items()} == {1: "1", 3: "00000003", 12: "12"}
    assert model_config.latest(2)([1, 3, 12]) == {3, 12}
    (tmp_path / "models" / "half" / "1" / "saved_model.pb").touch()
    with pytest.raises(InputError, match="is one version of a model"):
        ServerOptions(tmp_path / "models" / "half" / "1")


def test_a_folder_of_one_models_versions_is_served_too(half):
    half("1")
    found = repository(half("2").parent)
    found.look()
    assert found.names() == ["half"]
    assert found.available("half") == {2}


def test_a_new_version_takes_over_then_the_old_one_is_unloaded_and_a_deleted_one_rolls_back(half):
    half("1", 10.0)
    folder = half("2", 20.0).parent.parent
    shutil.move(folder / "half" / "2", folder / ".later")
    found = repository(folder)
    found.look()
    assert found.ready
    with found.lease("half") as first:
        assert answer(first) == 10.5
        shutil.move(folder / ".later", folder / "half" / "2")
        found.look()
        with found.lease("half") as second:
            assert answer(second) == 20.5
        assert states(found) == {2: "AVAILABLE", 1: "UNLOADING"}  # somebody is still calling it
        assert answer(first) == 10.5
    assert settled_states(found) == {2: "AVAILABLE", 1: "END"}
    shutil.rmtree(folder / "half" / "2")
    found.look()
    assert settled_states(found) == {2: "END", 1: "AVAILABLE"}
    shutil.rmtree(folder / "half" / "1")
    found.look()
    with pytest.raises(ServingError, match=r"Servable not found for request: Latest\(half\)"), found.lease("half"):
        pass
    assert not found.ready


def test_a_broken_version_is_reported_and_the_old_one_stays_until_it_is_whole(half):
    folder = half("1", 10.0).parent.parent
    found = repository(folder)
    found.look()
    whole = half("7")
    pieces = {file: file.read_bytes() for file in whole.rglob("variables.*")}
    for file, content in pieces.items():
        file.write_bytes(content[:10])
    found.look()
    assert states(found) == {7: "END", 1: "AVAILABLE"}
    assert found.status("half", 7)[0].error.message
    for file, content in pieces.items():
        file.write_bytes(content)
    found.look()  # no minute of waiting: the files have changed
    assert settled_states(found) == {7: "AVAILABLE", 1: "END"}


def test_a_half_written_folder_becomes_a_version_when_it_is_whole(half, tmp_path):
    folder = half("1", 10.0).parent.parent
    whole = half("2")
    shutil.move(whole / "saved_model.pb", tmp_path / "later.pb")
    found = repository(folder)
    found.look()
    assert states(found) == {2: "END", 1: "AVAILABLE"}  # also at the start the version before takes its place
    assert found.status("half", 2)[0].error.code.name == "NOT_FOUND"
    shutil.move(tmp_path / "later.pb", whole / "saved_model.pb")
    found.look()
    assert settled_states(found) == {2: "AVAILABLE", 1: "END"}


def test_links_that_lead_out_of_the_folder_are_not_served(half, tmp_path):
    folder = half("1").parent.parent
    outside = tmp_path / "outside"
    shutil.copytree(folder / "half", outside)
    (folder / "linked").symlink_to(outside)
    (folder / "half" / "2").symlink_to(outside / "1")
    (folder / "half" / "3").symlink_to("1")
    found = repository(folder)
    found.look()
    assert found.names() == ["half"]
    assert found.available("half") == {3}


def test_only_recorded_requests_warm_up_and_one_that_fails_fails_the_load(serving_desk, tmp_path):
    path = serving_desk.several(tmp_path / "several" / "1")

    def record(signature, inputs):
        request = predict_pb2.PredictRequest(
            model_spec=model_pb2.ModelSpec(name="several", signature_name=signature),
            inputs={name: tf.make_tensor_proto(value) for name, value in inputs.items()},
        )
        log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
        (path / "assets.extra").mkdir(exist_ok=True)
        with tf.io.TFRecordWriter(str(path / "assets.extra" / "tf_serving_warmup_requests")) as writer:
            writer.write(log.SerializeToString())
            writer.write(log.SerializeToString())

    def counted():
        model = load("several", 1, path)
        try:
            return int(model.call(model.signatures["count"], {})["n"])
        finally:
            model.close()

    assert counted() == 1
    record("count", {})
    assert counted() == 3
    record("positive", {"x": np.float32([-1])})
    with pytest.raises(ServingError, match="warmup request 1 of several version 1 failed"):
        load("several", 1, path)


# ModelServerConfig


CONFIG = """
model_config_list {{
  config {{
    name: "named"
    base_path: "{base}"
    model_platform: "tensorflow"
    model_version_policy {{ {policy} }}
    version_labels {{ key: "stable" value: 1 }}
    version_labels {{ key: "canary" value: 2 }}
  }}
}}
"""


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("specific { versions: 1 versions: 2 versions: 9 }", {1, 2}),
        ("all {}", {1, 2, 3}),
        ("latest { num_versions: 2 }", {2, 3}),
        ("latest {}", {3}),
        ("", {3}),
    ],
)
def test_policies_of_the_configuration(half, tmp_path, policy, served):
    for version in ("1", "2", "3"):
        base = half(version).parent
    file = tmp_path / "models.config"
    file.write_text(CONFIG.format(base=base, policy=policy))
    assert set(model_config.read_config(file)["named"].wanted()) == served


def test_labels_name_versions_that_are_served(half, tmp_path, caplog):
    base = half("1", 10.0).parent
    half("2", 20.0)
    file = tmp_path / "models.config"
    file.write_text(CONFIG.format(base=base, policy="all {}"))
    found = Repository(lambda: model_config.read_config(file), load)
    found.look()
    for label, expected in (("stable", 10.5), ("canary", 20.5)):
        with found.lease("named", label=label) as model:
            assert answer(model) == expected
    with pytest.raises(ServingError, match="Unrecognized servable version label: new"):
        found.lease("named", label="new").__enter__()
    file.write_text(CONFIG.format(base=base, policy="specific { versions: 1 }"))
    found = Repository(lambda: model_config.read_config(file), load)
    found.look()
    assert "Request to assign label to version 2 of model named, which is not currently available" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model_config_list { config { name: 3 } }", "is not a ModelServerConfig in proto text"),
        ('model_config_list { config { name: "a" base_path: "b" } }', "to have an absolute path"),
        ('model_config_list { config { name: "a" base_path: "/b" model_platform: "torch" } }', "no entry for platform"),
        ('model_config_list { config { base_path: "/b" } }', "has no name"),
        ("custom_model_config {}", "Only ModelConfigList is currently supported"),
    ],
)
def test_a_configuration_that_is_wrong_is_refused_in_a_sentence(tmp_path, text, message):
    file = tmp_path / "models.config"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        model_config.read_config(file)
    with pytest.raises(InputError, match="cannot read `model_config`"):
        model_config.read_config(tmp_path / "none")


# By a real server


def test_a_swap_fails_no_request_and_a_client_may_reload_the_configuration(serving_desk, half, tmp_path):
    folder = half("1", 10.0).parent.parent
    half("2", 20.0)
    shutil.move(folder / "half" / "2", tmp_path / "2")
    with serving_desk.serving(folder, "--poll-seconds", "0.1") as server:
        seen, stop = [], threading.Event()

        def ask():
            while not stop.is_set():
                seen.append(server.predict("half", {"instances": [1.0]}))

        clients = [threading.Thread(target=ask) for _ in range(3)]
        for client in clients:
            client.start()
        shutil.move(tmp_path / "2", folder / "half" / "2")
        server.wait_for(lambda: server.predict("half", {"instances": [1.0]})[1] == {"predictions": [20.5]})
        stop.set()
        for client in clients:
            client.join()
        assert {status for status, _ in seen} == {200}
        assert {document["predictions"][0] for _, document in seen} <= {10.5, 20.5}

        request = model_management_pb2.ReloadConfigRequest()
        config = CONFIG.format(base=folder / "half", policy="specific { versions: 1 versions: 2 }")
        text_format.Parse(config, request.config)
        with pytest.raises(grpc.RpcError, match="not currently available for inference"):
            server.models.HandleReloadConfigRequest(request, timeout=PATIENCE)
        del request.config.model_config_list.config[0].version_labels["stable"]
        del request.config.model_config_list.config[0].version_labels["canary"]
        response = server.models.HandleReloadConfigRequest(request, timeout=PATIENCE)
        assert response.status.error_code == 0
        assert server.predict("named/versions/1", {"instances": [1.0]}) == (200, {"predictions": [10.5]})
        assert server.predict("half", {"instances": [1.0]})[0] == 404
        request.config.model_config_list.config[0].version_labels["stable"] = 1
        server.models.HandleReloadConfigRequest(request, timeout=PATIENCE)
        assert server.predict("named/labels/stable", {"instances": [1.0]}) == (200, {"predictions": [10.5]})
        empty = model_management_pb2.ReloadConfigRequest(config=model_server_config_pb2.ModelServerConfig())
        with pytest.raises(grpc.RpcError, match="Only ModelConfigList is currently supported"):
            server.models.HandleReloadConfigRequest(empty, timeout=PATIENCE)

"""What clients do wrong, on purpose or not, harms nobody else: limits, slow clients, secrets, kills."""

import asyncio
import contextlib
import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from recurra.errors import InputError
from recurra.serving.options import ServerOptions
from recurra.serving.server import Server

HALF = "half_plus_two"
PREDICT = f"/v1/models/{HALF}:predict"
BODY = b'{"instances": [1.0, 2.0]}'
COLUMN = b'{"instances": [[1.0]]}'
ANSWER = (200, {"predictions": [2.5, 3.0]})
TOKEN = "a-secret-that-nobody-guesses"


def connection(server):
    address = urllib.parse.urlsplit(server.rest)
    return socket.create_connection((address.hostname, address.port), timeout=60)


@pytest.fixture(scope="module")
def guarded(serving_desk, model_folder, tmp_path_factory):
    """A server with every option that keeps clients in check."""
    token = tmp_path_factory.mktemp("secrets") / "token"
    token.write_text(TOKEN + "\n")
    arguments = (
        "--token-file",
        token,
        "--cors",
        "--strict-json",
        "--max-body-bytes",
        "100000",
        "--timeout-seconds",
        "2",
    )
    server = serving_desk.Served(model_folder, *arguments, "--log-requests", "--strict-shapes")
    yield server.ready()
    code, logged = server.stop()
    assert code == 0
    assert TOKEN not in logged
    lines = [json.loads(line) for line in logged.splitlines()]
    assert {"method", "path", "status", "milliseconds"} <= next(li for li in lines if li["message"] == "request").keys()


AUTHORISED = {"authorization": f"Bearer {TOKEN}"}


# Who may come in


def test_a_token_is_needed_for_all_but_health(guarded):
    for headers in ({}, {"authorization": TOKEN}, {"authorization": "Bearer wrong"}):
        status, answered, text = guarded.ask(PREDICT, BODY, headers=headers)
        assert (status, answered["www-authenticate"]) == (401, "Bearer")
        assert "a bearer token is needed" in text
    assert guarded.post(PREDICT, COLUMN, headers=AUTHORISED) == (200, {"predictions": [[2.5]]})
    assert guarded.ask("/healthz")[0] == guarded.ask("/v2/health/live")[0] == 200
    assert guarded.ask("/monitoring/prometheus/metrics")[0] == 401
    with pytest.raises(grpc.RpcError, match="a bearer token is needed"):
        guarded.grpc_predict(HALF, {"x": np.float32([1])})
    metadata = [("authorization", f"Bearer {TOKEN}")]
    assert guarded.grpc_predict(HALF, {"x": np.float32([[1]])}, metadata=metadata).outputs["y"].float_val[0] == 2.5


def test_cors(guarded, server):
    status, headers, _ = guarded.ask(PREDICT, method="OPTIONS", headers={"origin": "http://a.example"})
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    assert guarded.ask(PREDICT, BODY)[1]["access-control-allow-methods"] == "POST, GET"
    status, headers, _ = server.ask(PREDICT, method="OPTIONS", headers={"origin": "http://a.example"})
    assert (status, headers["access-control-allow-origin"]) == (400, None)


def test_strict_json_has_null_in_place_of_nan(guarded):
    assert guarded.post(PREDICT, b'{"instances": [[NaN], [-Infinity]]}', headers=AUTHORISED) == (
        200,
        {"predictions": [[None], [None]]},
    )


def test_a_call_that_takes_too_long_is_given_up(guarded):
    body = {"signature_name": "slow", "inputs": [1000.0]}
    status, document = guarded.post("/v1/models/several:predict", body, headers=AUTHORISED)
    assert (status, "error" in document) == (504, True)


def test_strict_shapes(guarded):
    status, document = guarded.post(PREDICT, {"instances": [[1.0, 2.0]]}, headers=AUTHORISED)
    assert status == 400
    assert document["error"].startswith("Expects input x to have shape [-1,1] but [1,2] is provided")


def test_tls_and_sigterm(serving_desk, model_folder, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", certificate]
    subprocess.run([*command, *names], check=True, capture_output=True)
    served = serving_desk.Served(model_folder, "--tls-cert", certificate, "--tls-key", key)
    context = ssl.create_default_context(cafile=str(certificate))
    with contextlib.closing(
        http.client.HTTPSConnection(served.rest.removeprefix("https://"), context=context)
    ) as client:
        client.request("POST", PREDICT, BODY)
        assert json.loads(client.getresponse().read()) == ANSWER[1]
    credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
    served.channel.close()
    served.channel = grpc.secure_channel(served.grpc, credentials)
    served.prediction = serving_desk.prediction_service_pb2_grpc.PredictionServiceStub(served.channel)
    assert served.grpc_predict(HALF, {"x": np.float32([[1]])}).outputs["y"].float_val[0] == 2.5
    slow = served.prediction.Predict.future(_slow(1.0))
    time.sleep(0.2)
    served.process.send_signal(signal.SIGTERM)  # requests under way are finished
    assert len(slow.result(60).outputs["y"].float_val) == 1
    assert served.stop()[0] == 0


def test_it_listens_on_this_machine_alone_unless_told_otherwise():
    assert ServerOptions.host == "127.0.0.1"


# Names and paths


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "%2e%2e",
        "..%2f..",
        "%2fetc%2fpasswd",
        "..%2fmodels%2fhalf_plus_two",
        "half_plus_two%2f00000123",
        "%00",
        "%ff",
    ],
)
def test_names_are_looked_up_and_never_become_paths(server, name):
    address = urllib.parse.urlsplit(server.rest)
    for method, path in (
        ("POST", f"/v1/models/{name}:predict"),
        ("GET", f"/v1/models/{name}"),
        ("GET", f"/v2/models/{name}"),
    ):
        with contextlib.closing(http.client.HTTPConnection(address.hostname, address.port, timeout=60)) as client:
            client.request(method, path, BODY if method == "POST" else None)
            response = client.getresponse()
            assert response.status == 404
            assert b"root:" not in response.read()


# Bodies


def test_a_body_of_100_megabytes_is_refused(server):
    status, document = server.post(PREDICT, b'{"instances": [' + b"1," * 50_000_000 + b"1]}")
    assert status == 413
    assert "is larger than 67,108,864 bytes" in document["error"]
    assert server.post(PREDICT, BODY) == ANSWER


def test_a_body_whose_length_is_not_said_is_limited_too(guarded):
    chunks = iter([b"[" * 60_000, b"[" * 60_000])
    address = urllib.parse.urlsplit(guarded.rest)
    with contextlib.closing(http.client.HTTPConnection(address.hostname, address.port, timeout=60)) as client:
        client.request("POST", PREDICT, chunks, AUTHORISED, encode_chunked=True)
        assert client.getresponse().status == 413


def test_an_empty_batch_is_an_answer_or_a_400(server):
    assert server.post(PREDICT, b'{"inputs": []}') == (200, {"outputs": []})
    assert list(server.grpc_predict(HALF, {"x": np.zeros((0, 1), np.float32)}).outputs["y"].float_val) == []


# Clients that are slow, and clients that leave


def test_slow_clients_are_let_go_and_hold_nobody_up(guarded):
    head = f"POST {PREDICT} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 50\r\n\r\n{{"
    with contextlib.ExitStack() as stack:
        heads = [stack.enter_context(connection(guarded)) for _ in range(20)]
        for slow in heads:
            slow.sendall(b"POST " + PREDICT.encode())
        bodies = [stack.enter_context(connection(guarded)) for _ in range(5)]
        for slow in bodies:
            slow.sendall(head.encode())
        assert guarded.post(PREDICT, COLUMN, headers=AUTHORISED)[0] == 200
        assert [slow.recv(1000) for slow in heads] == [b""] * 20  # closed by the server
        assert {slow.recv(10_000)[:12] for slow in bodies} == {b"HTTP/1.1 408"}


def test_clients_that_hang_up_harm_nobody(server):
    for sent in (b"POST ", f"POST {PREDICT} HTTP/1.1\r\ncontent-length: 9\r\n\r\n{{".encode()):
        connection(server).close()
        with connection(server) as leaving:
            leaving.sendall(sent)
    with connection(server) as leaving:
        body = b'{"signature_name": "slow", "inputs": [0.5]}'
        head = f"POST /v1/models/several:predict HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n"
        leaving.sendall(head.encode() + body)
    assert server.post(PREDICT, BODY) == ANSWER


def test_what_is_not_http_is_refused(server):
    with connection(server) as odd:
        odd.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert odd.recv(1000).startswith(b"HTTP/1.1 400")
    assert server.post(PREDICT, BODY) == ANSWER


# Models


def test_a_model_runs_no_python(server, model_folder):
    """A graph may name a Python function; nobody runs it here, and pickles beside the graph are not opened."""
    status, document = server.predict("python", {"instances": [1.0]})
    assert status >= 400
    assert "pyfunc" in document["error"].lower()
    assert not (model_folder / "touched").exists()
    assert server.post(PREDICT, BODY) == ANSWER


# Ends


def test_a_killed_server_starts_again_and_draining_it_ends_when_it_has_lasted_long_enough(serving_desk, model_folder):
    killed = serving_desk.Served(model_folder)
    killed.process.kill()
    killed.stop()
    served = serving_desk.Served(model_folder, "--drain-seconds", "1").ready()
    assert served.post(PREDICT, BODY) == ANSWER
    slow = served.prediction.Predict.future(_slow(1e3))
    time.sleep(0.5)
    assert served.stop()[0] == 0  # and not after the minutes that the call would take
    assert slow.exception() is not None


def _slow(seconds):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "several", "slow"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.float32([seconds])))
    return request


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no folder nowhere"),
        ([], "there is nothing to serve"),
        ([".", "--rest-port", "99999"], "--rest-port must be between 0 and 65535"),
        ([".", "--max-batch-size", "0"], "--max-batch-size must be at least 1"),
        ([".", "--tls-cert", "a.pem"], "--tls-cert and --tls-key go together"),
        ([".", "--token", "a", "--token-file", "b"], "give either --token or --token-file"),
    ],
)
def test_what_is_wrong_with_an_option_is_said_in_a_sentence(tmp_path, arguments, message):
    command = [sys.executable, "-P", "-m", "recurra", "serve", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("recurra: ")
    assert message in done.stderr


def test_a_port_that_is_taken_is_an_error_of_the_user(server, model_folder):
    port = urllib.parse.urlsplit(server.rest).port

    async def start():
        await Server(ServerOptions(model_folder, rest_port=port, grpc_port=0)).run()

    with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1, `rest_port` {port}"):
        asyncio.run(start())

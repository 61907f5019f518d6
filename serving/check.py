"""``recurra serve --check``: every signature once through the server's own REST and gRPC, compared with the loader.

The reference is ``tf.saved_model.load``, which shares no code with the server's way of calling a graph.
"""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2, prediction_service_pb2_grpc

from .hints import example_body, example_inputs, in_json
from .options import ServerOptions
from .served_model import DEFAULT, ServedModel, Signature
from .server import Addresses, Server
from .tensors import array_of, proto_of

_TOLERANCE = 1e-4
_SECONDS = 60


def run_check(options: ServerOptions, say: Callable[[str], None]) -> bool:
    """Serve on free ports, ask everything once, and say what came.

    Args:
        options: the server's.
        say: takes the report, line by line.

    Returns:
        Whether all agreed.
    """
    options = replace(options, rest_port=0, grpc_port=0, poll_seconds=0.0, max_batch_size=1)
    return asyncio.run(_check(options, say))


async def _check(options: ServerOptions, say: Callable[[str], None]) -> bool:
    server, started = Server(options), asyncio.get_running_loop().create_future()
    running = asyncio.create_task(server.run(started.set_result))
    await asyncio.wait([running, started], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running  # raises what stopped it
    await server.service.settled()
    good = await asyncio.to_thread(_ask_all, server, started.result(), say)
    server.stop()
    await running
    return good


def _ask_all(server: Server, addresses: Addresses, say: Callable[[str], None]) -> bool:
    asked = _Asked(server, addresses)
    repository, good, count = server.repository, True, 0
    for name in repository.names():
        for version in repository.status(name):
            if version.error is not None:
                say(f"FAILED {name} version {version.number}: {version.error.message}")
                good = False
                continue
            with repository.lease(name, version.number) as model:
                reference = tf.saved_model.load(str(model.path))
                for signature in model.signatures.values():
                    problem = asked.compare(model, signature, reference.signatures[signature.name])
                    say(f"{'FAILED' if problem else 'ok'} {model} {signature.name}{f': {problem}' if problem else ''}")
                    good, count = good and not problem, count + 1
    if not count:
        say("FAILED: no signature was there to be asked")
    return good and count > 0


class _Asked:
    """A client of both protocols."""

    def __init__(self, server: Server, addresses: Addresses) -> None:
        self.rest, self.server = addresses.rest, server
        self.headers = {} if server.token is None else {"authorization": f"Bearer {server.token}"}
        limit = [("grpc.max_receive_message_length", -1)]
        options = server.options
        if options.tls_cert is None:
            self.channel = grpc.insecure_channel(addresses.grpc, options=limit)
        else:
            credentials = grpc.ssl_channel_credentials(options.tls_cert.read_bytes())
            self.channel = grpc.secure_channel(addresses.grpc, credentials, options=limit)
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def compare(self, model: ServedModel, signature: Signature, reference: Callable[..., Any]) -> str:
        """What is wrong with a signature; empty if nothing is."""
        inputs = _recorded(model, signature) or example_inputs(signature)
        try:
            expected = _numpy(reference(**{name: tf.constant(value) for name, value in inputs.items()}))
        except tf.errors.OpError as error:
            expected = {}
            if not model.changes_state(signature):
                return self._both_refuse(model, signature, inputs, error)
        if model.changes_state(signature):
            return ""  # each call may answer otherwise, so there is nothing to compare
        try:
            over_grpc = self._grpc(model, signature, inputs)
            over_rest = self._rest(model, signature, inputs) if in_json(signature) else None
        except (grpc.RpcError, urllib.error.HTTPError) as error:
            return _reason(error)
        return _difference(expected, over_grpc, "gRPC") or _difference_of_rest(expected, over_rest)

    def _both_refuse(self, model: ServedModel, signature: Signature, inputs: dict[str, Any], error: Exception) -> str:
        """Made-up inputs may be refused, such as texts that are no ``tf.Example``: by the server as by the loader."""
        try:
            self._grpc(model, signature, inputs)
        except grpc.RpcError:
            return ""
        return f"the loader refuses what the server answers: {error}"

    def _grpc(self, model: ServedModel, signature: Signature, inputs: dict[str, Any]) -> dict[str, np.ndarray]:
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = model.name, signature.name
        request.model_spec.version.value = model.version
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(proto_of(array))
        response = self.stub.Predict(request, timeout=_SECONDS, metadata=list(self.headers.items()))
        return {name: array_of(name, proto) for name, proto in response.outputs.items()}

    def _rest(self, model: ServedModel, signature: Signature, inputs: dict[str, Any]) -> Any:
        url = f"{self.rest}/v1/models/{model.name}/versions/{model.version}:predict"
        body = json.dumps(example_body(signature, inputs)).encode()
        context = None
        if self.server.options.tls_cert is not None:
            import ssl

            context = ssl.create_default_context(cafile=str(self.server.options.tls_cert))
        request = urllib.request.Request(url, body, self.headers)
        with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as response:
            return json.loads(response.read().decode(errors="replace"))["outputs"]


def _recorded(model: ServedModel, signature: Signature) -> dict[str, np.ndarray] | None:
    """Inputs of the first recorded request for a signature: real ones tell more than zeros."""
    for record in model.warmup_requests():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        if request.inputs and (request.model_spec.signature_name or DEFAULT) == signature.name:
            return {name: array_of(name, proto) for name, proto in request.inputs.items()}
    return None


def _numpy(outputs: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.asarray(tensor.numpy()) for name, tensor in outputs.items()}


def _difference(expected: dict[str, np.ndarray], found: dict[str, np.ndarray], where: str) -> str:
    if expected.keys() != found.keys():
        return f"{where} gave {sorted(found)}, the loader {sorted(expected)}"
    for name, array in expected.items():
        if array.shape != found[name].shape:
            return f"{where}: {name} has shape {list(found[name].shape)}, from the loader {list(array.shape)}"
        if not _close(array, found[name]):
            return f"{where}: {name} differs from the loader's"
    return ""


def _difference_of_rest(expected: dict[str, np.ndarray], found: Any) -> str:
    if found is None:
        return ""
    columns = found if len(expected) > 1 else {next(iter(expected)): found}
    arrays = {}
    for name, array in expected.items():
        is_bytes = array.dtype.kind == "O"
        values = list(_leaves(columns.get(name)))
        flat = np.array([b"", *map(_bytes, values)], object)[1:] if is_bytes else np.array(values).astype(array.dtype)
        arrays[name] = flat.reshape(array.shape) if flat.size == array.size else flat
    return _difference({name: _as_sent(array) for name, array in expected.items()}, arrays, "REST")


def _leaves(value: Any) -> Iterator[Any]:
    if not isinstance(value, list):
        yield value
        return
    for item in value:
        yield from _leaves(item)


def _bytes(value: Any) -> bytes:
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else str(value).encode()


def _as_sent(array: np.ndarray) -> np.ndarray:
    """Bytes that are not UTF-8 and go as plain strings do not come back as they were."""
    if array.dtype.kind != "O":
        return array
    sent = np.empty(array.shape, object)
    sent.ravel()[:] = [value.decode(errors="replace").encode() for value in array.ravel()]
    return sent


def _close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    if ours.dtype.kind not in "fc":
        return bool(np.array_equal(ours, theirs))
    size = float(np.abs(ours[np.isfinite(ours)]).mean()) if np.isfinite(ours).any() else 0.0
    return bool(np.allclose(ours, theirs, rtol=_TOLERANCE, atol=_TOLERANCE * size, equal_nan=True))


def _reason(error: Any) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"REST {error.code}: {error.read().decode(errors='replace')}"
    return f"gRPC {error.code().name}: {error.details()}"

"""TensorFlow Serving's gRPC services, with health and reflection.

Source: tensorflow_serving/model_servers/prediction_service_impl.cc, model_service_impl.cc, server.cc;
tensorflow_serving/servables/tensorflow/predict_util.cc, multi_inference.cc, get_model_metadata_impl.cc.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import grpc
import numpy as np
from grpc.aio import ServicerContext as Context
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from . import examples
from .hints import inputs_hint, signature_hint
from .model_config import from_proto
from .protos import metadata_response, model_spec, status_response
from .rest import Log
from .served_model import DEFAULT, ServedModel, Signature
from .service import ModelSpec, Service
from .status import Code, ServingError, hinting, invalid
from .streams import Streams
from .tensors import array_of, proto_of

_log = logging.getLogger("recurra.serving")
# The greatest message of gRPC; its own default of 4 MB is what users of large models complain of.
_MESSAGE_LIMIT = 2**31 - 1
_PREDICTION = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"].full_name
_MODEL = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
# TensorFlow Serving gives the short names.
_SERVICES = ("", "ModelService", "PredictionService", _MODEL, _PREDICTION)
_SIGNATURE_DEF = "signature_def"
_INLINE_BYTES = 65_536


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict, Classify, Regress, MultiInference, GetModelMetadata."""

    def __init__(self, service: Service, streams: Streams) -> None:
        self.service, self.streams = service, streams

    async def Predict(self, request: Any, context: Context) -> Any:
        """Run a signature on named tensors."""
        sequence = _sequence(context)
        answer = self._predict if sequence is None else partial(self._predict_in_sequence, sequence)
        return await self._counted("Predict", request.model_spec.name, context, answer, request)

    async def Classify(self, request: Any, context: Context) -> Any:
        """Labels and scores of examples."""
        return await self._counted("Classify", request.model_spec.name, context, self._classify, request)

    async def Regress(self, request: Any, context: Context) -> Any:
        """Values of examples."""
        return await self._counted("Regress", request.model_spec.name, context, self._regress, request)

    async def MultiInference(self, request: Any, context: Context) -> Any:
        """Several signatures on the same examples."""
        name = request.tasks[0].model_spec.name if request.tasks else ""
        return await self._counted("MultiInference", name, context, self._multi_inference, request)

    async def GetModelMetadata(self, request: Any, context: Context) -> Any:
        """A version's signatures."""
        return await self._counted("GetModelMetadata", request.model_spec.name, context, self._metadata, request)

    async def _counted(
        self, api: str, name: str, context: Context, answer: Callable[..., Awaitable[Any]], request: Any
    ) -> Any:
        log, started, code = Log(api=api), time.perf_counter(), Code.OK
        try:
            return await answer(request, context.time_remaining(), log)
        except ServingError as error:
            code = error.code
            await context.abort(error.code, error.details)
        finally:
            if name:
                self.service.finished(
                    name,
                    api=api,
                    entrypoint="GRPC",
                    code=code,
                    started=started,
                    version=log.version,
                    signature=log.signature,
                )

    async def _predict(self, request: Any, timeout: float | None, log: Log) -> Any:
        async with self.service.lease(_spec(request)) as model:
            signature = _signature(model, request.model_spec.signature_name)
            log.saw(model, signature.name)
            with hinting(lambda: inputs_hint(model, signature)):
                outputs = _filtered(signature, list(request.output_filter))
                inputs = await self._off_loop(request.ByteSize(), _arrays, request)
                answer = await self.service.call(model, signature, inputs, outputs=outputs, timeout=timeout)
            response = predict_pb2.PredictResponse(model_spec=model_spec(model, signature.name))
            size = sum(array.nbytes for array in answer.outputs.values())
            await self._off_loop(size, _fill, response, answer.outputs)
            return response

    async def _predict_in_sequence(
        self, sequence: tuple[str, bool, bool], request: Any, timeout: float | None, log: Log
    ) -> Any:
        """A push to a stream, whose number and flags came as metadata; the inputs are those of an observation."""
        spec, (number, start, end) = _spec(request), sequence
        async with asyncio.timeout(timeout):
            step = await self.streams.observation_of(spec, number, start=start)
            with hinting(lambda: f"an observation is {step.observation}"):
                wanted = _filtered(step.signature, list(request.output_filter)) or step.predicted
                stream, found = await self.streams.sequence(spec, number, _arrays(request), start=start, end=end)
        log.saw(stream.model, step.signature.name)
        response = predict_pb2.PredictResponse(model_spec=model_spec(stream.model, step.signature.name))
        _fill(response, {name: found[name] for name in wanted if name in found})
        return response

    async def _off_loop(self, size: int, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function; in a thread if there are many bytes to work on, so that others are served meanwhile."""
        if size > _INLINE_BYTES:
            return await self.service.runner.in_thread(function, *arguments)
        return function(*arguments)

    async def _classify(self, request: Any, timeout: float | None, log: Log) -> Any:
        response = classification_pb2.ClassificationResponse()
        result = await self._on_examples(request, timeout, log, response, examples.CLASSIFY)
        response.result.CopyFrom(result)
        return response

    async def _regress(self, request: Any, timeout: float | None, log: Log) -> Any:
        response = regression_pb2.RegressionResponse()
        result = await self._on_examples(request, timeout, log, response, examples.REGRESS)
        response.result.CopyFrom(result)
        return response

    async def _on_examples(self, request: Any, timeout: float | None, log: Log, response: Any, method: str) -> Any:
        async with self.service.lease(_spec(request)) as model:
            name = request.model_spec.signature_name
            with hinting(lambda: signature_hint(model, name or DEFAULT)):
                signature = examples.signature_for(model, name, method)
            log.saw(model, signature.name)
            rows = examples.serialised(request.input)
            outputs, count = await self.service.on_examples(model, signature, method, rows, timeout)
            response.model_spec.CopyFrom(model_spec(model, signature.name))
            return _result(method, outputs, count)

    async def _multi_inference(self, request: Any, timeout: float | None, log: Log) -> Any:
        spec = _spec(request.tasks[0]) if request.tasks else None
        if spec is None:
            raise invalid("Inference request must have at least one task")
        async with self.service.lease(spec) as model:
            log.saw(model)
            tasks = multi_inference_tasks(model, request)
            rows = examples.serialised(request.input)
            response = inference_pb2.MultiInferenceResponse()
            for signature, method in tasks:
                outputs, count = await self.service.on_examples(model, signature, method, rows, timeout)
                result = response.results.add(model_spec=model_spec(model, signature.name))
                kind = "classification_result" if method == examples.CLASSIFY else "regression_result"
                getattr(result, kind).CopyFrom(_result(method, outputs, count))
            return response

    async def _metadata(self, request: Any, timeout: float | None, log: Log) -> Any:  # noqa: ARG002  (nothing is run)
        _require_spec(request)
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for name in request.metadata_field:
            if name != _SIGNATURE_DEF:
                raise invalid(f"Metadata field {name} is not supported")
        async with self.service.lease(_spec(request)) as model:
            log.saw(model)
            spec, signatures = metadata_response(model)
            response = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=spec)
            response.metadata[_SIGNATURE_DEF].Pack(signatures)
            return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus, HandleReloadConfigRequest."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def GetModelStatus(self, request: Any, context: Context) -> Any:
        """States of a model's versions."""
        try:
            _require_spec(request)
            version = request.model_spec.version.value if request.model_spec.HasField("version") else None
            return status_response(self.service.repository, ModelSpec(request.model_spec.name, version))
        except ServingError as error:
            await context.abort(error.code, error.details)

    async def HandleReloadConfigRequest(self, request: Any, context: Context) -> Any:
        """Serve the models of another configuration."""
        try:
            configs = from_proto(request.config)
            await self.service.settled()
            await self.service.runner.in_thread(self.service.repository.replace, configs)
        except ServingError as error:
            await context.abort(error.code, error.details)
        return model_management_pb2.ReloadConfigResponse()


def multi_inference_tasks(model: ServedModel, request: Any) -> list[tuple[Signature, str]]:
    """The signatures of a request's tasks and what each is for.

    Raises:
        ServingError: if they do not go together.
    """
    tasks: list[tuple[Signature, str]] = []
    for task in request.tasks:
        if not task.model_spec.name:
            raise invalid("Found ModelSpec with an empty model name.")
        if task.model_spec.name != request.tasks[0].model_spec.name:
            raise invalid("All ModelSpecs in a MultiInferenceRequest must access the same model name.")
        name = task.model_spec.signature_name or DEFAULT
        if name in [signature.name for signature, _ in tasks]:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        if name not in model.signatures:
            raise invalid(f"Requested signature not found in model graph: {name}")
        if task.method_name not in (examples.CLASSIFY, examples.REGRESS):
            raise ServingError(Code.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}")
        tasks.append((examples.require_method(model, model.signatures[name], task.method_name), task.method_name))
    return tasks


def _sequence(context: Context) -> tuple[str, bool, bool] | None:
    """Number, start and end of the sequence that a call belongs to, by its metadata; None if to none."""
    metadata = dict(context.invocation_metadata() or ())
    number = str(metadata.get("sequence-id", ""))
    flags = [str(metadata.get(name, "")).lower() in ("1", "true") for name in ("sequence-start", "sequence-end")]
    return (number, flags[0], flags[1]) if number not in ("", "0") else None


def _arrays(request: Any) -> dict[str, np.ndarray]:
    return {name: array_of(name, proto) for name, proto in request.inputs.items()}


def _fill(response: Any, outputs: dict[str, np.ndarray]) -> None:
    for name, array in outputs.items():
        response.outputs[name].CopyFrom(proto_of(array))


def _result(method: str, outputs: dict[str, np.ndarray], count: int) -> Any:
    return (examples.classification if method == examples.CLASSIFY else examples.regression)(outputs, count)


def _require_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")


def _spec(request: Any) -> ModelSpec:
    _require_spec(request)
    spec = request.model_spec
    if not spec.name:
        raise invalid("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    return ModelSpec(
        spec.name,
        spec.version.value if choice == "version" else None,
        spec.version_label if choice == "version_label" else None,
    )


def _signature(model: ServedModel, name: str) -> Signature:
    name = name or DEFAULT
    if name not in model.signatures:
        message = f'Serving signature key "{name}" not found.'
        raise ServingError(Code.FAILED_PRECONDITION, message, signature_hint(model, name))
    return model.signatures[name]


def _filtered(signature: Signature, wanted: list[str]) -> list[str] | None:
    """Outputs that a request's filter leaves; None for all."""
    for place, name in enumerate(wanted):
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set "
                f"{{{','.join(signature.outputs)}}}."
            )
        if name in wanted[:place]:
            raise invalid(f"duplicate output tensor alias: {name}")
    return wanted or None


class _Authorised(grpc.aio.ServerInterceptor):
    """Refuses calls without the token; health is for everybody."""

    def __init__(self, token: str) -> None:
        self.expected = f"Bearer {token}".encode()

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Let a call through, or put a refusal in its place."""
        given = dict(details.invocation_metadata).get("authorization", "")
        given = given if isinstance(given, bytes) else str(given).encode()
        handler = await continuation(details)
        if details.method.startswith(f"/{_HEALTH}/") or hmac.compare_digest(given, self.expected) or handler is None:
            return handler
        return _refusing(handler)


def _refusing(handler: Any) -> Any:
    async def refuse(_: Any, context: Context) -> Any:
        await context.abort(Code.UNAUTHENTICATED, "a bearer token is needed: metadata authorization: Bearer TOKEN")

    async def refuse_stream(_: Any, context: Context) -> Any:
        await refuse(_, context)
        yield  # never reached: it makes this a stream

    if handler.request_streaming:
        make = (
            grpc.stream_stream_rpc_method_handler
            if handler.response_streaming
            else grpc.stream_unary_rpc_method_handler
        )
    else:
        make = (
            grpc.unary_stream_rpc_method_handler if handler.response_streaming else grpc.unary_unary_rpc_method_handler
        )
    answer = refuse_stream if handler.response_streaming else refuse
    return make(
        answer, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
    )


class GrpcServer:
    """The gRPC side of the server.

    Args:
        service: the models.
        streams: what sequences are; by default none yet, with the usual limits.
        token: that calls have to bring; None for none.
        credentials: for TLS; None for plain text.
    """

    def __init__(
        self,
        service: Service,
        *,
        streams: Streams | None = None,
        token: str | None = None,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
                ("grpc.max_send_message_length", _MESSAGE_LIMIT),
                ("grpc.so_reuseport", 0),  # a port that is taken is an error, not half of the requests
            ],
            interceptors=[_Authorised(token)] if token is not None else [],
        )
        self._credentials = credentials
        self._health = health.aio.HealthServicer()
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(service, Streams(service) if streams is None else streams), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(service), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (_PREDICTION, _MODEL, _HEALTH, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    def bind(self, address: str) -> int:
        """Take a port.

        Raises:
            RuntimeError: if it is taken.
        """
        if self._credentials is not None:
            return self._server.add_secure_port(address, self._credentials)
        return self._server.add_insecure_port(address)

    async def start(self) -> None:
        """Answer from now on; not ready yet."""
        await self.set_ready(False)
        await self._server.start()

    async def set_ready(self, ready: bool) -> None:
        """What the health service says."""
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in _SERVICES:
            await self._health.set(name, status)

    async def stop(self, seconds: float) -> None:
        """Take no more calls, and let those under way finish."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(seconds)

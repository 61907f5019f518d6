"""TensorFlow Serving's gRPC services by a real server, asked with the official stubs."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

HALF = "half_plus_two"


def refused(call, *arguments, **keywords):
    """Code and details of a call that fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **keywords)
    return caught.value.code().name, caught.value.details()


def examples(request, *values):
    for value in values:
        example = request.input.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(value)


def test_predict_answers_in_typed_fields_and_says_which_version_it_was(server):
    response = server.grpc_predict(HALF, {"x": np.float32([[1], [2], [2]])})
    assert list(response.outputs["y"].float_val) == [2.5, 3.0, 3.0]
    assert response.outputs["y"].tensor_content == b""
    assert [axis.size for axis in response.outputs["y"].tensor_shape.dim] == [3, 1]
    assert response.model_spec.name == HALF
    assert response.model_spec.version.value == 123
    assert response.model_spec.signature_name == "serving_default"


def test_typed_fields_are_repeated_and_what_does_not_fit_is_refused(server):
    proto = tensor_pb2.TensorProto(dtype=1, float_val=[1.0])
    for size in (3, 1):
        proto.tensor_shape.dim.add(size=size)
    assert list(server.grpc_predict(HALF, {"x": proto}).outputs["y"].float_val) == [2.5, 2.5, 2.5]
    proto.tensor_content = b"abc"
    assert refused(server.grpc_predict, HALF, {"x": proto})[1].startswith("tensor parsing error: x")
    great = tensor_pb2.TensorProto(dtype=1, float_val=[1.0])
    great.tensor_shape.dim.add(size=2**40)
    assert refused(server.grpc_predict, HALF, {"x": great})[1].startswith("tensor parsing error: x")


def test_every_type_there_and_back(server):
    inputs = {"i": np.int64([1, -(2**62)]), "b": np.array([True, False]), "d": np.array([0.1, np.inf])}
    outputs = server.grpc_predict("several", inputs, signature="typed").outputs
    assert list(outputs["i"].int64_val) == [1, -(2**62)]
    assert list(outputs["b"].bool_val) == [True, False]
    assert list(outputs["d"].double_val) == [0.1, np.inf]
    outputs = server.grpc_predict("several", {"text": np.array([b"a", b"\xff"], object)}, signature="texts").outputs
    assert list(outputs["raw_bytes"].string_val) == [b"a", b"\xff"]


def test_output_filter(server):
    inputs = {"a": np.float32([[1, 2]]), "b": np.int64([[3, 4]])}
    assert list(server.grpc_predict("several", inputs, outputs=["product"]).outputs) == ["product"]
    code, details = refused(server.grpc_predict, "several", inputs, outputs=["nope"])
    assert code == "INVALID_ARGUMENT"
    assert details.startswith(
        "output tensor alias not found in signature: nope Outputs expected to be in the set {product,sum}."
    )
    twice = refused(server.grpc_predict, "several", inputs, outputs=["sum", "sum"])
    assert twice[1].startswith("duplicate output tensor alias: sum")


def test_errors_have_tensorflow_servings_codes_and_texts(server):
    x = {"x": np.float32([[1]])}
    assert refused(server.grpc_predict, "foo", x)[0] == "NOT_FOUND"
    assert refused(server.grpc_predict, "foo", x)[1].startswith("Servable not found for request: Latest(foo)")
    assert refused(server.grpc_predict, HALF, x, signature="nope")[0] == "FAILED_PRECONDITION"
    assert refused(server.grpc_predict, HALF, x, signature="nope")[1].startswith(
        'Serving signature key "nope" not found.'
    )
    a = {"a": np.float32([[1, 2]])}
    code, details = refused(server.grpc_predict, "several", a)
    assert code == "INVALID_ARGUMENT"
    assert details.startswith(
        "input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. Missing but required: {b}."
    )
    assert "expected by serving_default of several version 7: a: float [-1, 2]; b: int64 [-1, 2]" in details
    wrong = refused(server.grpc_predict, HALF, {"x": np.int64([[1]])})
    assert wrong[1].startswith("Expects arg[0] to be float but int64 is provided")
    assert refused(server.grpc_predict, HALF, {"z": np.float32([[1]])})[1].startswith("Signature input alias: x(feed")
    predict = server.prediction.Predict
    assert refused(predict, predict_pb2.PredictRequest()) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    nameless = predict_pb2.PredictRequest()
    nameless.model_spec.signature_name = "a"
    assert refused(predict, nameless) == ("INVALID_ARGUMENT", "ModelSpec has no name specified.")
    positive = refused(server.grpc_predict, "several", {"x": np.float32([-1])}, signature="positive")
    assert positive[0] == "INVALID_ARGUMENT"
    assert "must be positive" in positive[1]


def test_long_details_are_cut_and_marked(server):
    details = refused(server.grpc_predict, HALF, {"x" * 3000: np.float32([1])})[1]
    assert len(details) == 1024 + len("...TRUNCATED")
    assert details.endswith("...TRUNCATED")


def test_the_start_up_probe_of_tensorflow_servings_own_tests(server):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "intentionally_missing_model"
    assert "Servable" in refused(server.prediction.Predict, request, timeout=5)[1]


def test_signatures_without_inputs_and_variables_that_change(server):
    first = server.grpc_predict("several", {}, signature="count").outputs["n"].int64_val[0]
    assert server.grpc_predict("several", {}, signature="count").outputs["n"].int64_val[0] == first + 1


def test_predict_works_on_signatures_that_classify(server):
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(20.0)
    inputs = {"inputs": [example.SerializeToString()]}
    assert list(server.grpc_predict(HALF, inputs, signature="classify_x_to_y").outputs["scores"].float_val) == [12.0]


def test_classify_regress_and_multi_inference(server):
    classify = classification_pb2.ClassificationRequest()
    classify.model_spec.name, classify.model_spec.signature_name = HALF, "classify_x_to_y"
    examples(classify, 20.0, 2.0)
    response = server.prediction.Classify(classify)
    assert [c.classes[0].score for c in response.result.classifications] == [12.0, 3.0]
    assert response.result.classifications[0].classes[0].label == ""
    assert response.model_spec.signature_name == "classify_x_to_y"
    regress = regression_pb2.RegressionRequest()
    regress.model_spec.name, regress.model_spec.signature_name = HALF, "regress_x_to_y"
    examples(regress, 80.0)
    assert [r.value for r in server.prediction.Regress(regress).result.regressions] == [42.0]
    both = inference_pb2.MultiInferenceRequest()
    for name, method in (("regress_x_to_y", "regress"), ("classify_x_to_y", "classify")):
        task = both.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.name, task.model_spec.signature_name = HALF, name
    examples(both, 80.0)
    results = server.prediction.MultiInference(both).results
    assert results[0].regression_result.regressions[0].value == 42.0
    assert results[1].classification_result.classifications[0].classes[0].score == 42.0
    assert results[0].model_spec.version.value == 123


def test_what_classify_refuses(server):
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = HALF, "nope"
    assert refused(server.prediction.Classify, request)[1].startswith("No signature was found with the name: nope")
    request.model_spec.signature_name = "classify_x_to_y"
    assert refused(server.prediction.Classify, request) == ("INVALID_ARGUMENT", "Input is empty.")
    task = inference_pb2.MultiInferenceRequest()
    task.tasks.add(method_name="tensorflow/serving/predict").model_spec.name = HALF
    assert refused(server.prediction.MultiInference, task)[0] == "UNIMPLEMENTED"


def test_status_and_metadata(server):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = HALF
    [status] = server.models.GetModelStatus(request).model_version_status
    assert (status.version, status.state, status.status.error_code) == (123, 30, 0)
    request.model_spec.name = "foo"
    assert refused(server.models.GetModelStatus, request) == (
        "NOT_FOUND",
        "Could not find any versions of model foo",
    )
    metadata = get_model_metadata_pb2.GetModelMetadataRequest()
    metadata.model_spec.name = HALF
    assert "at least one metadata_field" in refused(server.prediction.GetModelMetadata, metadata)[1]
    metadata.metadata_field.append("signature_def")
    response = server.prediction.GetModelMetadata(metadata)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert "serving_default" in signatures.signature_def
    assert response.model_spec.version.value == 123
    metadata.metadata_field.append("weights")
    assert refused(server.prediction.GetModelMetadata, metadata)[1].startswith("Metadata field weights is not")


def test_health_and_reflection(server):
    health = health_pb2_grpc.HealthStub(server.channel)
    names = ("", "ModelService", "PredictionService", "tensorflow.serving.PredictionService")
    server.wait_for(lambda: health.Check(health_pb2.HealthCheckRequest(service="")).status == 1)
    for name in names:
        assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == 1
    services = ProtoReflectionDescriptorDatabase(server.channel).get_services()
    assert "tensorflow.serving.PredictionService" in services


def test_messages_may_be_larger_than_4_megabytes(server):
    x = np.zeros((1_500_000, 1), np.float32)
    assert len(server.grpc_predict(HALF, {"x": x}).outputs["y"].float_val) == len(x)


def test_a_deadline_bounds_a_call_and_others_are_answered_meanwhile(server):
    slow = server.prediction.Predict.future(_slow_request(), timeout=0.5)
    assert list(server.grpc_predict(HALF, {"x": np.float32([[1]])}).outputs["y"].float_val) == [2.5]
    assert slow.exception().code().name == "DEADLINE_EXCEEDED"


def _slow_request():
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "several", "slow"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.float32([1000])))
    return request


def test_a_label_that_nobody_gave(server):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.version_label = HALF, "stable"
    code, details = refused(server.prediction.Predict, request)
    assert (code, details.split("\n")[0]) == ("INVALID_ARGUMENT", "Unrecognized servable version label: stable")


@settings(max_examples=60)
@given(
    dtype=st.integers(0, 25),
    shape=st.lists(st.integers(-2, 2**40), max_size=4),
    content=st.binary(max_size=12),
    values=st.lists(st.floats(width=32), max_size=4),
    unknown=st.booleans(),
)
def test_whatever_a_tensor_holds_the_server_neither_fails_nor_hangs(server, dtype, shape, content, values, unknown):
    proto = tensor_pb2.TensorProto(dtype=dtype, tensor_content=content, float_val=values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_shape.unknown_rank = unknown
    try:
        server.grpc_predict(HALF, {"x": proto}, timeout=30)
    except grpc.RpcError as error:
        code = error.code().name
    else:
        code = "OK"
    assert code in ("OK", "INVALID_ARGUMENT"), text_format.MessageToString(proto)

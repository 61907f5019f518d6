"""SavedModels that are not ours, and servers in processes of their own, for the tests of `recurra serve`."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc


def spec(shape, dtype, name):
    return tf.TensorSpec(shape, dtype, name)


def function(call, *signature):
    return tf.function(call, input_signature=list(signature), autograph=False)


def save(module, path, signatures):
    tf.saved_model.save(module, str(path), signatures=signatures)
    return path


def half_plus(path, offset=2.0):
    """TensorFlow Serving's own example: y = x / 2 + offset, also by `tf.Example`."""
    module = tf.Module()
    module.a, module.b = tf.Variable(0.5), tf.Variable(float(offset))

    def parsed(inputs):
        return tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]

    def line(x):
        return {"y": x * module.a + module.b}

    def classify(inputs):
        return {"scores": parsed(inputs) * module.a + module.b}

    def regress(inputs):
        return {"outputs": parsed(inputs) * module.a + module.b}

    example = spec([None], tf.string, "inputs")
    module.line = function(line, spec([None, 1], tf.float32, "x"))
    module.classify, module.regress = function(classify, example), function(regress, example)
    signatures = {
        "serving_default": module.line,
        "classify_x_to_y": module.classify,
        "regress_x_to_y": module.regress,
    }
    return save(module, path, signatures)


def several(path):
    """Two inputs and two outputs; texts and bytes; scalars; types; variables; a batch axis that gets lost; failures."""
    module = tf.Module()
    module.n = tf.Variable(0, dtype=tf.int64)

    def add(a, b):
        return {"sum": a + tf.cast(b, tf.float32), "product": a * tf.cast(b, tf.float32)}

    def texts(text):
        return {"upper": tf.strings.upper(text), "raw_bytes": tf.identity(text)}

    def scalar(x):
        return {"double": x * 2}

    def count():
        return {"n": module.n.assign_add(1)}

    def typed(i, b, d):
        return {"i": i, "b": b, "d": d}

    def total(x):
        return {"total": tf.reduce_sum(x)}

    def centred(x):
        return {"y": x - tf.reduce_mean(x, axis=0)}

    def positive(x):
        with tf.control_dependencies([tf.debugging.assert_greater_equal(x, 0.0, "must be positive")]):
            return {"root": tf.sqrt(x)}

    def slow(x):
        # about a second for each whole number in x
        steps = tf.cast(tf.reduce_max(x) * 2e5, tf.int32)
        loop = tf.while_loop(lambda i, _: i < steps, lambda i, y: (i + 1, tf.sin(y)), [0, x[0]])
        return {"y": loop[1][tf.newaxis]}

    row = spec([None], tf.float32, "x")
    made = {
        "serving_default": function(add, spec([None, 2], tf.float32, "a"), spec([None, 2], tf.int64, "b")),
        "texts": function(texts, spec([None], tf.string, "text")),
        "scalar": function(scalar, spec([], tf.float32, "x")),
        "count": function(count),
        "typed": function(
            typed, spec([None], tf.int64, "i"), spec([None], tf.bool, "b"), spec([None], tf.float64, "d")
        ),
        "total": function(total, row),
        "centred": function(centred, row),
        "positive": function(positive, row),
        "slow": function(slow, row),
    }
    for name, signature in made.items():
        setattr(module, f"f_{name}", signature)
    return save(module, path, made)


class Served:
    """A `recurra serve` in a process of its own, and a client of it."""

    def __init__(self, *arguments, env=None):
        command = [sys.executable, "-P", "-m", "recurra", "serve", "--rest-port", "0", "--grpc-port", "0"]
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )
        line = self.process.stdout.readline()
        found = re.match(r"serving: REST (\S+), gRPC (\S+)", line)
        assert found, line + self.process.stderr.read()
        self.rest, self.grpc = found[1], found[2]
        limit = [("grpc.max_receive_message_length", -1)]
        self.channel = grpc.insecure_channel(self.grpc, options=limit)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def ask(self, path, body=None, *, method=None, headers=None, timeout=60):
        """Status, headers and text of an answer."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.rest + path, data, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def post(self, path, body, **given):
        """An answer that is JSON: status and document."""
        status, _, text = self.ask(path, body, **given)
        return status, json.loads(text)

    def predict(self, model, body, **given):
        return self.post(f"/v1/models/{model}:predict", body, **given)

    def error(self, model, body):
        """The message of a prediction that is refused."""
        status, document = self.predict(model, body)
        assert status == 400, document
        return document["error"]

    def grpc_predict(self, model, inputs, *, signature="", outputs=(), timeout=60, **given):
        request = predict_pb2.PredictRequest(output_filter=list(outputs))
        request.model_spec.name, request.model_spec.signature_name = model, signature
        for name, value in inputs.items():
            proto = value if hasattr(value, "tensor_shape") else tf.make_tensor_proto(value)
            request.inputs[name].CopyFrom(proto)
        return self.prediction.Predict(request, timeout=timeout, **given)

    def wait_for(self, true, seconds=60):
        """Wait until something holds: machines may be slow."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                if true():
                    return
            time.sleep(0.05)
        raise AssertionError("it did not come true")

    def ready(self):
        self.wait_for(lambda: self.ask("/readyz")[0] == 200)
        return self

    def stop(self):
        """End it; its exit code and what it logged."""
        self.channel.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, logged = self.process.communicate(timeout=60)
        return self.process.returncode, logged


@contextlib.contextmanager
def serving(*arguments, **given):
    server = Served(*arguments, **given)
    try:
        yield server.ready()
    finally:
        code, logged = server.stop()
        assert code == 0, logged


def floats(*values):
    return np.array(values, np.float32)


def python(path, touched):
    """A graph that names a Python function, beside pickles; either would make the file `touched`."""
    module = tf.Module()

    def run(x):
        return {"y": tf.numpy_function(lambda value: touched.touch() or value, [x], tf.float32)}

    module.f = function(run, spec([None], tf.float32, "x"))
    save(module, path, {"serving_default": module.f})
    for name in ("keras_metadata.pb", "model.pkl"):
        (path / name).write_bytes(b"cos\nsystem\n(S'touch " + os.fsencode(touched) + b"'\ntR.")


def models(folder):
    """A folder as a server gets it."""
    python(folder / "python" / "1", folder / "touched")
    half_plus(folder / "half_plus_two" / "00000123")
    several(folder / "several" / "7")
    (folder / "no_model").mkdir()
    (folder / "no_model" / "notes.txt").write_text("nothing to serve")
    return Path(folder)

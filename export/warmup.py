"""The request TensorFlow Serving sends itself when it loads a version, so that no user waits for the first answer."""

from pathlib import Path

import numpy as np
import tensorflow as tf


def write_warmup(file: Path, name: str, inputs: dict[str, np.ndarray]) -> None:
    """Write one real request as ``tf_serving_warmup_requests``.

    Source: https://www.tensorflow.org/tfx/serving/saved_model_warmup
    """
    from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

    request = predict_pb2.PredictRequest(
        model_spec=model_pb2.ModelSpec(name=name, signature_name="serving_default"),
        inputs={key: tf.make_tensor_proto(value) for key, value in inputs.items()},
    )
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
    with tf.io.TFRecordWriter(str(file)) as writer:
        writer.write(log.SerializeToString())

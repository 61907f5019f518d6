"""LitServe's side of the serving benchmark: in a module of its own, because its workers import it by name."""

import sys
from typing import Any

import litserve
import numpy as np


class Api(litserve.LitAPI):
    """A Keras model, batched by LitServe."""

    model_file = ""

    def setup(self, device: str) -> None:  # noqa: ARG002  (its interface)
        """Load the model."""
        import keras
        import tensorflow as tf

        model = keras.saving.load_model(self.model_file)
        self.call = tf.function(model, input_signature=[tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)])

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        """One window: (96, 1)."""
        return np.array(request["instances"][0], np.float32)

    def batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        """Windows together."""
        return np.stack(inputs)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The model as a graph, which is far quicker than its `predict` for one batch."""
        return self.call(x).numpy()

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        """Windows apart."""
        return list(output)

    def encode_response(self, output: np.ndarray) -> dict[str, Any]:
        """As TensorFlow Serving answers."""
        return {"predictions": [output.tolist()]}


if __name__ == "__main__":
    from litserve_api import Api as Importable

    api = Importable(max_batch_size=64, batch_timeout=0.002, api_path="/v1/models/lstm:predict")
    api.model_file = sys.argv[2]
    litserve.LitServer(api, accelerator="cpu").run(
        port=int(sys.argv[1]), host="127.0.0.1", generate_client_file=False, log_level="error"
    )

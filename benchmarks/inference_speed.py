"""One window through an exported network: recurra's SavedModel against stock Keras's, ONNX Runtime and PyTorch.

A SavedModel is called twice: as recurra's server calls it, through a session, and as Python does, by its signature.
One LSTM layer of 64 units and a Dense head, a window of 96 steps and one value each, batch 1.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import Peer, clock, environment, serve, take_turns

LOOKBACK, UNITS, HORIZON, TURNS, SECONDS = 96, 64, 24, 9, 0.5
PEERS = ("recurra", "recurra-signature", "keras", "onnxruntime", "torch")
OWN = ("recurra", "recurra-signature", "keras")
PACKAGES = ("torch==2.13.0", "onnx", "onnxruntime", "numpy")
FLOPS = 105e9  # of one core: a step is too small to be split between two

Forward = Callable[[], Any]


def window() -> np.ndarray:
    """The model's input: (1, 96, 1)."""
    return np.random.default_rng(0).normal(size=(1, LOOKBACK, 1)).astype("float32")


def saved_model(peer: str) -> Forward:
    """A SavedModel, as recurra's server loads it, or by its signature."""
    import keras
    import tensorflow as tf

    from recurra.models import recurrent
    from recurra.serving.served_model import ServedModel

    layer = (keras.layers if peer == "keras" else recurrent).LSTM(UNITS)
    model = keras.Sequential([keras.Input((LOOKBACK, 1)), layer, keras.layers.Dense(HORIZON)])
    folder = tempfile.mkdtemp()
    model.export(folder, verbose=False)
    if peer == "recurra":
        model = ServedModel(Path(folder), "lstm", 1)
        signature, values = model.signatures["serving_default"], window()
        name = next(iter(signature.inputs))
        return lambda: model.call(signature, {name: values})["output_0"]
    loaded = tf.saved_model.load(folder)  # which holds the variables
    served, x = loaded.signatures["serving_default"], tf.constant(window())
    name = next(iter(served.structured_input_signature[1]))
    return lambda: (loaded, served(**{name: x})["output_0"].numpy())[1]


def torch_model() -> Forward:
    """PyTorch without gradients, on one thread: a window is too small to be split."""
    import torch

    torch.set_num_threads(1)

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = torch.nn.LSTM(1, UNITS, batch_first=True), torch.nn.Linear(UNITS, HORIZON)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0][:, -1])

    model, x = Network().eval(), torch.from_numpy(window())

    def forward() -> Any:
        with torch.inference_mode():
            return model(x).numpy()

    return forward


def onnx_model() -> Forward:
    """ONNX Runtime's LSTM operator and a Gemm."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    shapes = {"W": (1, 4 * UNITS, 1), "R": (1, 4 * UNITS, UNITS), "B": (1, 8 * UNITS), "K": (UNITS, HORIZON)}
    weights = [numpy_helper.from_array(rng.normal(0, 0.1, s).astype("float32"), n) for n, s in shapes.items()]
    axes = numpy_helper.from_array(np.array([0]), "axes")
    nodes = [
        helper.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["xt", "W", "R", "B"], ["", "h"], hidden_size=UNITS),
        helper.make_node("Squeeze", ["h", "axes"], ["last"]),
        helper.make_node("MatMul", ["last", "K"], ["y"]),
    ]
    ins = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, LOOKBACK, 1])]
    outs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, HORIZON])]
    graph = helper.make_graph(nodes, "lstm", ins, outs, [*weights, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = window()
    return lambda: session.run(None, {"x": x})


def handler(peer: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Build once, measure every turn."""
    makers: dict[str, Callable[[], Forward]] = {"torch": torch_model, "onnxruntime": onnx_model}
    forward = makers.get(peer, lambda: saved_model(peer))()
    forward()
    return lambda _: {"microseconds": 1e6 * clock(forward, SECONDS)}


def main(torch: str | None) -> None:
    """Measure all in turn, and write docs/benchmarks/inference.md."""
    import report

    python = environment("torch", *PACKAGES, given=torch)
    peers = [Peer(name, __file__, sys.executable if name in OWN else python) for name in PEERS if python or name in OWN]
    turns = {name: [turn["microseconds"] for turn in replies] for name, replies in take_turns(peers, TURNS).items()}
    ours = statistics.median(turns["recurra"])
    rows = []
    for name, samples in turns.items():
        low, middle, high = statistics.quantiles(samples, n=4)
        row = {"": name, "microseconds": middle, "quartiles": f"{low:.0f} to {high:.0f}", "× recurra's": middle / ours}
        rows.append(row)
    least = 2 * LOOKBACK * (1 + UNITS) * 4 * UNITS / FLOPS * 1e6
    report.write(
        "inference",
        "One window through an exported network",
        {f"LSTM, {UNITS} units, {LOOKBACK} steps, batch 1": rows},
        notes=[
            f"Medians of {TURNS} turns, every peer in a process of its own; {', '.join(PACKAGES)}. The MACs "
            f"alone take {least:.0f} microseconds at {FLOPS / 1e9:.0f} GFLOPS, what one core can do.",
            "recurra is called as its server calls it, by a session callable; recurra-signature and keras in Python, "
            "by the signature.",
        ],
    )


if __name__ == "__main__":
    serve(handler(sys.argv[1]))

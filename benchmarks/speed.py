"""How quick the recurrent layers are, beside stock Keras and PyTorch, on the CPU this runs on.

    python benchmarks/speed.py layers               the table in docs/speed-layers.md
    python benchmarks/speed.py growth               the plot in docs/speed-growth.svg

Every peer has a process of its own and they take turns, so a noisy neighbour meets all of them. Medians over the
turns, with the quartiles. PyTorch's process needs an interpreter that has it: `--torch PYTHON`, else one is made.

One training step is the forward and backward pass of one recurrent layer with a Dense head, squared error, and an Adam
update, on a batch that is always the same; eight steps an execution for the Keras models. Forward is one batch, by the
forms that `predict` runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CELLS = ("SimpleRNN", "GRU", "LSTM")
GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
SHAPES = [(32, 30, 4, 32), (64, 96, 7, 64), (32, 200, 128, 128), (64, 35, 650, 650), (16, 1000, 1, 64)]
PEERS = ("recurra", "keras", "keras-jit", "keras-unroll", "torch")
TORCH = "torch==2.13.0"
STEPS = 8
# Unrolled graphs of more steps take Keras minutes to build.
MOST_UNROLLED = 100


# ------------------------------------------------------------------------------------------- inside a peer's process


def keras_steps(peer: str, cell: str, shape: tuple[int, int, int, int]) -> tuple[Any, Any]:
    """Functions that run one execution of `STEPS` training steps, and one forward pass."""
    import keras
    import numpy as np
    import tensorflow as tf

    batch, length, inputs, units = shape
    if peer == "recurra":
        from recurra.models import recurrent as module
    else:
        module = keras.layers
    layer = getattr(module, cell)(units, unroll=peer == "keras-unroll")
    model = keras.Sequential([keras.Input((length, inputs)), layer, keras.layers.Dense(1)])
    model.compile("adam", "mse", jit_compile=peer == "keras-jit", steps_per_execution=STEPS)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(batch, length, inputs)).astype("f4"), rng.normal(size=(batch, 1)).astype("f4")
    model.train_on_batch(x, y)
    model.make_train_function(force=True)
    data = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    forward = tf.function(lambda x: model(x, training=False), jit_compile=peer == "keras-jit")
    x = tf.constant(x)
    if peer == "recurra":
        with module.portable(False):
            forward = forward.get_concrete_function(x)
    return lambda: model.train_function(data), lambda: forward(x).numpy()


def torch_steps(cell: str, shape: tuple[int, int, int, int]) -> tuple[Any, Any]:
    """The same for PyTorch, which knows SimpleRNN as RNN."""
    import torch

    batch, length, inputs, units = shape
    layer = getattr(torch.nn, {"SimpleRNN": "RNN"}.get(cell, cell))(inputs, units, batch_first=True)
    head = torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()])
    x, y = torch.randn(batch, length, inputs), torch.randn(batch, 1)

    def train() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(head(layer(x)[0][:, -1]), y)
            loss.backward()
            optimizer.step()

    def forward() -> None:
        with torch.inference_mode():
            head(layer(x)[0][:, -1])

    return train, forward


def clock(function: Any, steps: int, seconds: float) -> float:
    """Milliseconds a step."""
    n, begin = 0, time.perf_counter()
    while n == 0 or time.perf_counter() - begin < seconds:
        function()
        n += 1
    return (time.perf_counter() - begin) / (n * steps) * 1e3


def serve(peer: str) -> None:
    """Answer requests, one JSON line each: a setup builds the functions, a turn measures them."""
    functions: tuple[Any, Any] | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if "cell" in request:
            begin = time.perf_counter()
            shape = tuple(request["shape"])
            functions = (
                torch_steps(request["cell"], shape) if peer == "torch" else keras_steps(peer, request["cell"], shape)
            )
            for function in functions:
                function()
            answer = {"first": time.perf_counter() - begin}
        else:
            train, forward = functions
            seconds = request["seconds"]
            answer = {"train": clock(train, STEPS, seconds), "forward": clock(forward, 1, seconds / 2)}
        print("answer", json.dumps(answer), flush=True)


# ------------------------------------------------------------------------------------------------- taking turns


class Peer:
    """A process that measures itself when told to."""

    def __init__(self, name: str, python: str) -> None:
        env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
        self.name = name
        self.process = subprocess.Popen(
            [python, __file__, "peer", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
        )

    def ask(self, **request: Any) -> dict[str, float]:
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("answer "):
                return json.loads(line.removeprefix("answer "))
        raise RuntimeError(f"{self.name} stopped at {request}")

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def torch_python(given: str | None) -> str | None:
    """An interpreter with PyTorch, or None with the reason said."""
    if given:
        return given
    home = ROOT / "benchmarks" / ".torch"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", TORCH, "numpy"], check=False)
        if done.returncode:
            print(f"torch is skipped: {TORCH} can't be installed here")
            return None
    return str(python)


def measure(
    cell: str, shape: tuple[int, ...], pythons: dict[str, str], turns: int, seconds: float
) -> dict[str, dict[str, Any]]:
    """All peers on one shape: for each the first step in seconds, and samples of train and forward."""
    taking_part = [name for name in pythons if name != "keras-unroll" or shape[1] <= MOST_UNROLLED]
    peers = [Peer(name, pythons[name]) for name in taking_part]
    try:
        results: dict[str, dict[str, Any]] = {}
        for peer in peers:
            results[peer.name] = {**peer.ask(cell=cell, shape=shape), "train": [], "forward": []}
        for _ in range(turns):
            for peer in peers:
                for what, value in peer.ask(seconds=seconds).items():
                    results[peer.name][what].append(value)
    finally:
        for peer in peers:
            peer.close()
    return results


def floor(cell: str, shape: tuple[int, ...]) -> float:
    """Multiply-adds of a training step at 210 GFLOPS, in milliseconds: forward once, backward twice."""
    batch, length, inputs, units = shape
    return 3 * 2 * batch * length * (inputs + units) * GATES[cell] * units / 210e9 * 1e3


def layers(arguments: argparse.Namespace, pythons: dict[str, str]) -> None:
    """Measure the table and write it."""
    rows = []
    for shape in SHAPES:
        for cell in CELLS:
            results = measure(cell, shape, pythons, arguments.turns, arguments.seconds)
            rows.append({"cell": cell, "shape": shape, "floor": floor(cell, shape), "peers": results})
            print(table_row(rows[-1], "train"), table_row(rows[-1], "forward"), sep="\n", flush=True)
    docs = ROOT / "docs"
    (docs / "speed-layers.json").write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
    (docs / "speed-layers.md").write_text(page(rows))


def spread(samples: list[float]) -> str:
    """The median and the quartiles."""
    low, middle, high = statistics.quantiles(samples, n=4) if len(samples) > 1 else samples * 3
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def table_row(row: dict[str, Any], what: str) -> str:
    medians = {name: statistics.median(result[what]) for name, result in row["peers"].items()}
    best = min(value for name, value in medians.items() if name.startswith("keras"))
    cells = [spread(row["peers"][name][what]) if name in medians else "–" for name in PEERS]
    ratios = [
        f"{best / medians['recurra']:.2f}",
        f"{medians['torch'] / medians['recurra']:.2f}" if "torch" in medians else "–",
    ]
    first = f"{row['peers']['recurra']['first']:.1f}"
    least = row["floor"] / (1 if what == "train" else 3)
    shape = ", ".join(str(n) for n in row["shape"])
    return "| " + " | ".join([row["cell"], shape, what, *cells, *ratios, f"{least:.2f}", first]) + " |"


def page(rows: list[dict[str, Any]]) -> str:
    header = ["cell", "batch, time, inputs, units", "pass", *PEERS, "× best Keras", "× torch", "floor", "first step, s"]
    lines = [
        "# Speed of the recurrent layers",
        "",
        f"Milliseconds, median (quartiles), on {machine()}. Written by `benchmarks/speed.py layers`; the floor is",
        "the multiply-adds at 210 GFLOPS, the first step is building, compiling and running recurra's model.",
        "",
        "| " + " | ".join(header) + " |",
        "|" + "---|" * len(header),
        *(table_row(row, what) for what in ("train", "forward") for row in rows),
    ]
    return "\n".join(lines) + "\n"


def machine() -> str:
    model = next(
        (s.split(":")[1].strip() for s in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in s), ""
    )
    return f"{os.cpu_count()} cores of {model or platform.processor()}"


def growth(arguments: argparse.Namespace, pythons: dict[str, str]) -> None:
    """Time of a training step against length, units and batch, one of them varied at a time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    base = {"batch": 32, "time": 100, "inputs": 8, "units": 64}
    ranges = {"time": [25, 50, 100, 200, 400], "units": [16, 32, 64, 128, 256], "batch": [8, 16, 32, 64, 128]}
    names = [name for name in pythons if name != "keras-unroll"]
    figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True)
    for axis, (word, values) in zip(axes, ranges.items(), strict=True):
        curves: dict[str, list[float]] = {name: [] for name in names}
        for value in values:
            shape = tuple({**base, word: value}.values())
            results = measure("LSTM", shape, {n: pythons[n] for n in names}, arguments.turns, arguments.seconds)
            for name in names:
                curves[name].append(statistics.median(results[name]["train"]))
            print(word, value, {name: round(curve[-1], 2) for name, curve in curves.items()}, flush=True)
        for name, curve in curves.items():
            axis.loglog(values, curve, marker="o", label=name)
        axis.set_xlabel(word)
    axes[0].set_ylabel("LSTM training step, ms")
    axes[0].legend()
    figure.suptitle(f"batch 32, time 100, inputs 8, units 64, one varied at a time; {machine()}")
    figure.tight_layout()
    figure.savefig(ROOT / "docs" / "speed-growth.svg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["layers", "growth", "peer"])
    parser.add_argument("name", nargs="?", choices=PEERS, help="of the peer, for the processes this one starts")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has PyTorch")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="a peer measures in its turn")
    arguments = parser.parse_args()
    if arguments.command == "peer":
        serve(arguments.name)
        return
    pythons = {name: sys.executable for name in PEERS if name != "torch"}
    if python := torch_python(arguments.torch):
        pythons["torch"] = python
    {"layers": layers, "growth": growth}[arguments.command](arguments, pythons)


if __name__ == "__main__":
    main()

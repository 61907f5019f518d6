"""How fast the recurrent layers are, against stock Keras and PyTorch.

PyTorch's process needs an interpreter that has PyTorch: ``--torch PYTHON``; without one an environment is made.

A training step is the forward and backward pass of one recurrent layer with a Dense head, squared error, and an Adam
update, on a batch that is always the same; eight steps per execution for the Keras models. Forward is one batch, in the
form that prediction runs.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from peers import Peer, clock, environment, serve, take_turns

CELLS = ("LSTM", "GRU", "SimpleRNN")
GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}
SHAPES = [(32, 30, 4, 32), (64, 96, 7, 64), (32, 200, 128, 128), (64, 35, 650, 650), (16, 1000, 1, 64)]
GROWTH = {"time": [25, 100, 400, 1600], "units": [16, 64, 256, 512], "batch": [8, 32, 128, 512]}
BASE = {"batch": 32, "time": 100, "inputs": 8, "units": 64}
PEERS = ("recurra", "recurra-jit", "keras", "keras-jit", "keras-unroll", "torch")
TORCH = "torch==2.13.0"
TURNS, SECONDS, STEPS = 5, 0.4, 8
# Unrolled graphs of more steps take Keras minutes to build.
MOST_UNROLLED = 100
FLOPS = 210e9

Step = Callable[[], Any]


# What a peer's process does


def keras_steps(peer: str, cell: str, shape: tuple[int, ...]) -> tuple[Step, Step, float]:
    """Functions that run `STEPS` training steps at once, and one forward pass; when the first step was done."""
    import keras
    import numpy as np
    import tensorflow as tf

    from recurra.models import recurrent

    batch, length, inputs, units = shape
    options = {"unroll": True} if peer == "keras-unroll" else {}
    layer = getattr(recurrent if peer.startswith("recurra") else keras.layers, cell)(units, **options)
    model = keras.Sequential([keras.Input((length, inputs)), layer, keras.layers.Dense(1)])
    model.compile("adam", "mse", jit_compile=peer.endswith("-jit"), steps_per_execution=STEPS)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(batch, length, inputs)).astype("f4"), rng.normal(size=(batch, 1)).astype("f4")
    model.train_on_batch(x, y)
    done = time.perf_counter()
    model.make_train_function(force=True)
    data = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    graph = tf.function(lambda x: model(x, training=False), jit_compile=peer.endswith("-jit"))
    tensor = tf.constant(x)
    with recurrent.portable(False):
        forward = graph.get_concrete_function(tensor)
    return lambda: model.train_function(data), lambda: forward(tensor).numpy(), done


def torch_steps(cell: str, shape: tuple[int, ...]) -> tuple[Step, Step, float]:
    """The same for PyTorch, which knows SimpleRNN as RNN."""
    import torch

    batch, length, inputs, units = shape
    layer = getattr(torch.nn, {"SimpleRNN": "RNN"}.get(cell, cell))(inputs, units, batch_first=True)
    head = torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()])
    x, y = torch.randn(batch, length, inputs), torch.randn(batch, 1)

    def train(steps: int = STEPS) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(head(layer(x)[0][:, -1]), y).backward()
            optimizer.step()

    def forward() -> None:
        with torch.inference_mode():
            head(layer(x)[0][:, -1])

    train(1)
    return train, forward, time.perf_counter()


def handler(peer: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The first request, a cell and a shape, builds the functions; every turn measures them."""
    import_module("torch" if peer == "torch" else "recurra.models.recurrent")  # all peers at the same time
    train = forward = lambda: None
    Path("/proc/self/clear_refs").write_text("5")  # forgets the imports' peak
    imports = memory()

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal train, forward
        if "cell" not in request:
            times = {"train": 1e3 * clock(train, SECONDS) / STEPS, "forward": 1e3 * clock(forward, SECONDS / 2)}
            return times | {"memory": memory() - imports}
        begin = time.perf_counter()
        cell, shape = request["cell"], tuple(request["shape"])
        train, forward, done = torch_steps(cell, shape) if peer == "torch" else keras_steps(peer, cell, shape)
        train()
        forward()
        return {"first": done - begin}

    return handle


def memory() -> float:
    """Peak memory of the process, in megabytes (Linux)."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1e3


def measure(cell: str, shape: tuple[int, ...], pythons: dict[str, str]) -> dict[str, dict[str, Any]]:
    """All peers on one shape.

    Returns:
        For each the seconds until the first step is done, and of each turn milliseconds per training step and forward
        pass, and megabytes of memory beyond the imports.
    """
    peers = [
        Peer(name, __file__, pythons[name]) for name in pythons if name != "keras-unroll" or shape[1] <= MOST_UNROLLED
    ]
    results = {}
    for name, (first, *turns) in take_turns(peers, TURNS, cell=cell, shape=shape).items():
        results[name] = {**first, **{what: [turn[what] for turn in turns] for what in turns[0]}}
    return results


def products(cell: str, shape: tuple[int, ...]) -> float:
    """MACs of a training step at `FLOPS`, in milliseconds: forward once, backward twice."""
    batch, length, inputs, units = shape
    return 3 * 2 * batch * length * (inputs + units) * GATES[cell] * units / FLOPS * 1e3


def pythons(torch: str | None) -> dict[str, str]:
    """The interpreter of each peer."""
    found = {name: sys.executable for name in PEERS if name != "torch"}
    python = environment("torch", TORCH, "numpy", given=torch)
    return found | ({"torch": python} if python else {})


def layers(torch: str | None) -> None:
    """The table, to docs/benchmarks/layers.md."""
    import report

    sections: dict[str, list[dict[str, Any]]] = {"Training step": [], "Forward": []}
    peers = pythons(torch)
    for cell in CELLS:
        for shape in SHAPES:
            results = measure(cell, shape, peers)
            for heading, what in (("Training step", "train"), ("Forward", "forward")):
                sections[heading].append(_row(cell, shape, results, what))
                print(sections[heading][-1], flush=True)
            report.write(
                "layers",
                "Speed of the recurrent layers",
                sections,
                notes=[
                    f"Milliseconds: median (quartiles) of {TURNS} turns, every peer in a process of its own. torch is "
                    f"{TORCH}; -jit: the whole step compiled by XLA; keras-unroll was left out beyond "
                    f"{MOST_UNROLLED} steps.",
                    "× Keras, × torch: their time by recurra's, recurra and Keras with the best of their settings. "
                    f"at {FLOPS / 1e9:.0f} GFLOPS: what the MACs alone would take at the rate of numpy's large "
                    "products on two cores; the products inside TensorFlow and PyTorch may be faster. "
                    "first: seconds until the first training step is done, building and compiling included (recurra).",
                ],
            )


def _row(cell: str, shape: tuple[int, ...], results: dict[str, dict[str, Any]], what: str) -> dict[str, Any]:
    medians = {name: statistics.median(result[what]) for name, result in results.items()}
    row: dict[str, Any] = {"cell": cell, "batch, time, inputs, units": ", ".join(map(str, shape))}
    row |= {name: _spread(results[name][what]) if name in results else None for name in PEERS}
    best = {
        side: min(value for name, value in medians.items() if name.startswith(side)) for side in ("recurra", "keras")
    }
    row["× Keras"] = best["keras"] / best["recurra"]
    row["× torch"] = medians["torch"] / best["recurra"] if "torch" in medians else None
    row[f"at {FLOPS / 1e9:.0f} GFLOPS"] = products(cell, shape) / (1 if what == "train" else 3)
    return row | {"first": results["recurra"]["first"]}


def _spread(samples: list[float]) -> str:
    low, middle, high = statistics.quantiles(samples, n=4)
    return f"{middle:.3g} ({low:.3g}–{high:.3g})"


def growth(torch: str | None) -> None:
    """Time and memory of training against length, units and batch, one varied at a time: docs/benchmarks/growth.md."""
    import report

    peers = {name: python for name, python in pythons(torch).items() if name in ("recurra", "keras", "torch")}
    costs = {"train": "milliseconds per training step", "memory": "megabytes beyond the imports"}
    sections: dict[str, list[dict[str, Any]]] = {}
    for word, values in GROWTH.items():
        measured = [measure("LSTM", tuple({**BASE, word: value}.values()), peers) for value in values]
        for cost, label in costs.items():
            sections[f"{label.capitalize()}, against {word}"] = [
                {word: value} | {name: statistics.median(results[name][cost]) for name in peers}
                for value, results in zip(values, measured, strict=True)
            ]
    base = ", ".join(f"{word} {value}" for word, value in BASE.items())
    draw_growth(sections, list(costs.values()), f"One LSTM layer; {base}, one of them varied at a time")
    report.write(
        "growth",
        "How the cost of an LSTM layer grows",
        sections,
        notes=[
            f"Medians of {TURNS} turns, every peer in a process of its own; {base}, one varied at a time. This shape "
            "is in all three tables: so much do repetitions differ.",
            "Memory is the peak of the process, compilation included, less what it had after its imports.",
            "![](growth.png)",
        ],
    )


def draw_growth(sections: dict[str, list[dict[str, Any]]], labels: list[str], title: str) -> None:
    """Draw docs/benchmarks/growth.png: a row of axes per cost, a column per varied size."""
    import matplotlib as mpl
    import report

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib import ticker

    size: dict[str, Any] = {"figsize": (12, 7), "sharex": "col", "sharey": "row", "layout": "constrained"}
    figure, grid = plt.subplots(len(labels), len(GROWTH), **size)
    for column, (word, values) in zip(grid.T, GROWTH.items(), strict=True):
        for axis, label in zip(column, labels, strict=True):
            rows = sections[f"{label.capitalize()}, against {word}"]
            for name in [name for name in rows[0] if name != word]:
                axis.loglog(values, [row[name] for row in rows], marker="o", label=name)
            axis.set_xticks(values, map(str, values), minor=False)
            axis.minorticks_off()
        column[-1].set_xlabel(word)
    for axis, label in zip(grid[:, 0], labels, strict=True):
        axis.set_ylabel(label)
        axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
        axis.yaxis.set_minor_locator(ticker.NullLocator())
    grid[0, 0].legend()
    figure.suptitle(title)
    figure.savefig(report.FOLDER / "growth.png", dpi=120)


if __name__ == "__main__":
    serve(handler(sys.argv[1]))

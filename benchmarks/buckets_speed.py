"""An epoch over IMDB with batches padded by length, beside the same with all batches padded to the longest."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import report

import recurra
from recurra import models
from recurra.pipelines import ExamplePipeline, TokenReader
from recurra.training import Trainer

REVIEWS, ROUNDS, LENGTH, UNITS = 5_000, 3, 512, 64


def main() -> None:
    """Measure both, alternating, and write docs/benchmarks/buckets.md."""
    frame = recurra.load("imdb")
    known = np.flatnonzero(~frame.is_test)
    frame = frame.take(np.random.default_rng(0).choice(known, REVIEWS, replace=False))
    sides = {f"buckets: {name}": _side(frame, buckets) for name, buckets in (("yes", True), ("no", False))}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for round_ in range(ROUNDS + 1):  # the first one compiles
        for name, (trainer, part) in sides.items():
            begun = time.perf_counter()
            trainer.fit(part, part_of(part), seed=round_)
            if round_:
                seconds[name].append(time.perf_counter() - begun)
            print(name, round_, round(time.perf_counter() - begun, 1), flush=True)
    rows = [_row(name, seconds[name], sides[name][1]) for name in sides]
    rows[0]["times as fast"] = rows[1]["seconds"] / rows[0]["seconds"]
    report.write(
        "buckets",
        "Batches by length",
        {f"An epoch over {REVIEWS:,} IMDB reviews, {UNITS}-unit LSTM": rows},
        notes=[
            f"At most {LENGTH} words of each review, every word a step (no segments), batch 32; both sides alternate "
            f"in one process, median of {ROUNDS} rounds (range), compiled before.",
            "steps a review: padding included, in the mean over an epoch.",
        ],
    )


def _side(frame: Any, buckets: bool) -> tuple[Trainer, Any]:
    pipeline = ExamplePipeline(TokenReader(length=LENGTH), buckets=buckets).fit(frame)
    part = pipeline.part(pipeline.encode(frame), np.arange(len(frame)))
    spec = pipeline.spec
    build = lambda: models.build("lstm", spec, units=UNITS, segment_length=1)  # noqa: E731
    return Trainer(build, loss="crossentropy", max_epochs=1), part


def part_of(part: Any) -> Any:
    """A few of the examples to stop the training by: the epoch is what is measured."""
    from dataclasses import replace

    return replace(part, rows=part.rows[:256])


def _row(name: str, seconds: list[float], part: Any) -> dict[str, Any]:
    batches = part.dataset(batch_size=32, seed=0).take(len(part) // 32)
    steps = np.mean([inputs["tokens"].shape[1] for inputs, *_ in batches])
    return {
        "": name,
        "seconds": statistics.median(seconds),
        "range": f"{min(seconds):.3g} to {max(seconds):.3g}",
        "steps a review": float(steps),
    }

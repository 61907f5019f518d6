"""An epoch over IMDB with batches bucketed by length, against the same with all batches padded to the longest."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import Any

import numpy as np
import report

import recurra
from recurra import models
from recurra.frames import TextFrame
from recurra.pipelines import SequenceBatches, SequencePipeline, TextEncoder
from recurra.training import FitOptions, Trainer

REVIEWS, ROUNDS, LENGTH, UNITS = 5_000, 3, 512, 64


def main() -> None:
    """Measure both, alternating, and write docs/benchmarks/buckets.md."""
    frame = recurra.load("imdb")
    training = np.flatnonzero(~frame.is_test)
    frame = frame.take(np.random.default_rng(0).choice(training, REVIEWS, replace=False))
    sides = {f"bucket_by_length: {name}": _side(frame, on) for name, on in (("yes", True), ("no", False))}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for round_ in range(ROUNDS + 1):  # the first one compiles
        for name, (trainer, batches) in sides.items():
            begun = time.perf_counter()
            trainer.fit(batches, few(batches), FitOptions(seed=round_))
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
            "steps per review: padding included, mean over an epoch.",
        ],
    )


def _side(frame: TextFrame, bucket_by_length: bool) -> tuple[Trainer, SequenceBatches]:
    encoder = TextEncoder(sequence_length=LENGTH)
    pipeline = SequencePipeline(encoder, bucket_by_length=bucket_by_length).fit(frame)
    batches = pipeline.batches(pipeline.encode(frame), np.arange(len(frame)))
    spec = pipeline.spec
    build = lambda: models.build("lstm", spec, units=UNITS, segment_length=1)  # noqa: E731
    return Trainer(build, loss="crossentropy", max_epochs=1), batches


def few(batches: SequenceBatches) -> SequenceBatches:
    """A few of the examples as a validation set: the epoch is what is measured."""
    return replace(batches, rows=batches.rows[:256])


def _row(name: str, seconds: list[float], batches: SequenceBatches) -> dict[str, Any]:
    epoch = batches.dataset(batch_size=32, seed=0).take(len(batches) // 32)
    steps = np.mean([inputs["tokens"].shape[1] for inputs, *_ in epoch])
    return {
        "": name,
        "seconds": statistics.median(seconds),
        "range": f"{min(seconds):.3g} to {max(seconds):.3g}",
        "steps per review": float(steps),
    }

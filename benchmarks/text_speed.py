"""An epoch over IMDB of a 64-unit LSTM: recurra against the recipe of Keras's example, on the same reviews."""

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
from recurra.pipelines import SequencePipeline, TextEncoder
from recurra.training import FitOptions, Trainer

REVIEWS, VALIDATION, WORDS, LENGTH, EMBEDDING, UNITS, BATCH, TURNS, EPOCHS = (
    10_000,
    2_500,
    20_000,
    200,
    128,
    64,
    32,
    3,
    2,
)
Turn = tuple[float, float]  # seconds of an epoch, the best validation loss


def ours(frame: TextFrame, train: np.ndarray, validation: np.ndarray, seed: int) -> Turn:
    """recurra: batches bucketed by length, the same network."""
    pipeline = SequencePipeline(TextEncoder(sequence_length=LENGTH, vocabulary_size=WORDS)).fit(frame, train)
    encoded = pipeline.encode(frame)
    spec = pipeline.spec

    def build() -> Any:
        return models.build("lstm", spec, units=UNITS, embedding=EMBEDDING, segment_length=1, pooling="last")

    trainer = Trainer(build, loss="crossentropy", batch_size=BATCH, max_epochs=EPOCHS, patience=EPOCHS)
    ends: list[float] = []
    history = trainer.fit(
        pipeline.batches(encoded, train),
        pipeline.batches(encoded, validation),
        FitOptions(seed=seed, on_epoch=lambda *_: ends.append(time.perf_counter())),
    )
    return ends[-1] - ends[-2], history.best_loss


def theirs(frame: TextFrame, train: np.ndarray, validation: np.ndarray, seed: int) -> Turn:
    """Keras: words looked up by `TextVectorization`, every review 200 words long, `fit` with its defaults."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    texts, labels = frame.texts, np.unique(frame.targets.values, return_inverse=True)[1]
    vectorize = keras.layers.TextVectorization(WORDS, output_sequence_length=LENGTH)
    vectorize.adapt(tf.data.Dataset.from_tensor_slices(texts[train].astype(str)).batch(256))
    x, y = vectorize(tf.constant(texts.astype(str))).numpy(), labels
    network = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(WORDS, EMBEDDING),
            keras.layers.LSTM(UNITS),
            keras.layers.Dense(2),
        ]
    )
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ends: list[float] = []
    after = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
    history = network.fit(
        x[train],
        y[train],
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=(x[validation], y[validation]),
        callbacks=[after],
        verbose=0,
    )
    return ends[-1] - ends[-2], min(history.history["val_loss"])


def main() -> None:
    """Measure both, alternating, and write docs/benchmarks/text.md."""
    frame = recurra.load("imdb")
    training = np.flatnonzero(~frame.is_test)
    chosen = np.random.default_rng(0).choice(training, REVIEWS + VALIDATION, replace=False)
    frame = frame.take(chosen)
    frame = replace(frame, is_test=None) if frame.is_test is not None else frame
    train, validation = np.arange(REVIEWS), np.arange(REVIEWS, REVIEWS + VALIDATION)
    turns: dict[str, list[Turn]] = {"recurra": [], "keras": []}
    for seed in range(TURNS):
        for name, side in (("recurra", ours), ("keras", theirs)):
            turns[name].append(side(frame, train, validation, seed))
            print(name, seed, turns[name][-1], flush=True)
    rows = [_row(name, samples) for name, samples in turns.items()]
    for row in rows:
        row["recurra is × as fast"] = row["seconds per epoch"] / rows[0]["seconds per epoch"]
    report.write(
        "text",
        "An epoch over texts",
        {f"{REVIEWS:,} IMDB reviews, {UNITS}-unit LSTM": rows},
        notes=[
            f"The first {LENGTH} of each review's words, a vocabulary of {WORDS:,}, embeddings of {EMBEDDING}, batch "
            f"{BATCH}, {EPOCHS} epochs of which the last is counted, validation on {VALIDATION:,} reviews included. "
            f"Medians of {TURNS} turns (range), both sides alternating in one process; validation loss: cross-entropy "
            "in nats, the best epoch, mean over turns (range).",
            "recurra makes batches of reviews of about the same length; the recipe pads each to the full length.",
        ],
    )


def _row(name: str, samples: list[Turn]) -> dict[str, Any]:
    seconds, losses = zip(*samples, strict=True)
    return {
        "": name,
        "seconds per epoch": statistics.median(seconds),
        "range": f"{min(seconds):.3g} to {max(seconds):.3g}",
        "validation loss": statistics.mean(losses),
        "losses": f"{min(losses):.3f} to {max(losses):.3f}",
    }

"""Accuracy against published figures, under the published protocols.

    python benchmarks/accuracy.py ett        ETTh1 and ETTm1: the harness check, then models on ETTh1, horizon 96
    python benchmarks/accuracy.py m4         M4 Hourly: naive methods as published, then each family

Needs the data sets in RECURRA_DATA, or the internet. Settings were chosen on validation rows; the test rows are looked
at once, by this script. Figures go to docs/benchmarks/.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import report

from recurra import datasets, models
from recurra.baselines import BASELINES
from recurra.evaluation import mae, mase, mse, owa, seasonal_scale, smape
from recurra.frames import SeriesFrame
from recurra.pipelines import Fold, SeriesPipeline, Windows
from recurra.training import Trainer, predict_windows

ETT_COLUMNS = ["HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"]
# Rows of training, validation and test part (Zhou et al. 2021, Informer; LTSF-Linear).
ETT_ROWS = {"etth1": (8640, 2880, 2880), "ettm1": (34560, 11520, 11520)}
HORIZONS = (96, 192, 336, 720)
# "Repeat the last value", MSE/MAE: LTSF-Linear (AAAI 2023), Table 2. Its loader dropped the last, incomplete batch of 32.
REPEAT = {
    "etth1": ((1.295, 0.713), (1.325, 0.733), (1.323, 0.744), (1.339, 0.756)),
    "ettm1": ((1.214, 0.665), (1.261, 0.690), (1.283, 0.707), (1.319, 0.729)),
}
PUBLISHED_ETTH1_96 = {
    "vanilla GRU, lookback 720 (SegRNN paper, Table II)": (1.135, 0.844),
    "DLinear, lookback 336": (0.375, 0.399),
    "NLinear, lookback 336": (0.374, 0.394),
    "SegRNN, lookback 96": (0.368, 0.395),
    "SegRNN, lookback 720": (0.351, 0.392),
}
SEEDS = (0, 1, 2)


def ett_frame(name: str) -> tuple[SeriesFrame, Fold]:
    """One ETT set cut to the published rows, and its one fold."""
    frame = datasets.load(name, target=ETT_COLUMNS)
    train, validation, test = np.cumsum(ETT_ROWS[name])
    frame = frame.head([test])
    return frame, Fold(0, np.array([train]), np.array([validation]), np.array([test]))


def repeat_errors(name: str, horizon: int) -> tuple[float, float]:
    """MSE and MAE of repeating the last value, on z-scored values, windows cut to a multiple of 32."""
    frame, fold = ett_frame(name)
    pipeline = SeriesPipeline(lookback=1, horizon=horizon).fit(frame, fold.train)
    values = pipeline.values(frame).astype("float64")  # (rows, targets)
    starts = pipeline.windows(frame, fold.validation, fold.test).starts()
    starts = starts[: len(starts) // 32 * 32]
    truth = values[starts[:, None] + 1 + np.arange(horizon)]  # (windows, horizon, targets)
    forecast = np.broadcast_to(values[starts][:, None, :], truth.shape)
    return mse(truth, forecast), mae(truth, forecast)


def harness_check() -> list[dict[str, Any]]:
    """All eight cells of the deterministic check."""
    rows = []
    for name, published in REPEAT.items():
        for horizon, (their_mse, their_mae) in zip(HORIZONS, published, strict=True):
            our_mse, our_mae = repeat_errors(name, horizon)
            rows.append(
                {
                    "data": name,
                    "horizon": horizon,
                    "mse": round(our_mse, 3),
                    "published mse": their_mse,
                    "mae": round(our_mae, 3),
                    "published mae": their_mae,
                    "equal": round(our_mse, 3) == their_mse and round(our_mae, 3) == their_mae,
                }
            )
    return rows

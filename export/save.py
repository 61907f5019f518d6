"""Write a predictor as ``NAME/VERSION``: whole and checked, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from .. import __version__
from ..atomic import umask
from ..errors import InputError
from ..frames import SeriesFrame, data_hash
from ..predictor import SeriesPredictor
from .card import model_card
from .warmup import write_warmup

# Real rows the written model is held against before its version appears.
_CHECKED_WINDOWS = 64
# Single precision keeps about seven digits; scaling and a network's sums use up some of them.
_TOLERANCE = 1e-4


def save_model(
    predictor: SeriesPredictor,
    path: str | Path,
    frame: SeriesFrame,
    *,
    metrics: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
) -> Path:
    """Export a predictor as the next version under `path`.

    The version is written beside its place, reloaded, compared with the predictor on real windows of `frame`, and only
    then renamed: whoever polls the folder never sees half of it, and a killed export leaves what was there. A model
    that stands there already, as the newest version, gets no second one.

    Args:
        predictor: the fitted pipeline and trained model.
        path: the model's folder, e.g. ``saved_models/co2``; versions are the whole numbers in it.
        frame: the data it was trained on: real rows for the check, and columns, units of time and range for the card.
        metrics: measured accuracy, for the card.
        training: how the model came to be (family, config, seed, ...), for the card.

    Returns:
        The folder of the new version.

    Raises:
        InputError: if `path` is a file, or cannot be written to.
        RuntimeError: if the reloaded model disagrees with the predictor; no version appears then.

    Example:
        >>> save_model(fitted.predictor, "saved_models/co2", fitted.frame)
        PosixPath('saved_models/co2/1')

    Source: the layout is that of TensorFlow Serving,
    https://www.tensorflow.org/tfx/serving/serving_config
    """
    path = Path(path)
    info = describe(predictor, frame, metrics=metrics, training=training)
    if (newest := _newest(path)) and _said(newest) == info:
        return newest
    with _room_for_version(path) as folder:
        module, inputs = serving_module(predictor), example_inputs(predictor, frame)
        tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
        extra = folder / "assets.extra"
        extra.mkdir()
        (extra / "recurra.json").write_text(json.dumps(info, indent=1), encoding="utf-8")
        (extra / "model_card.md").write_text(model_card(path.name, info), encoding="utf-8")
        write_warmup(extra / "tf_serving_warmup_requests", path.name, {k: v[:1] for k, v in inputs.items()})
        _check(folder, predictor, inputs)
        return _publish(folder, path)


def serving_module(predictor: SeriesPredictor) -> tf.Module:
    """A module whose function ``serve`` takes raw values and answers in the user's units."""
    pipeline = predictor.pipeline
    lookback, horizon = pipeline.lookback, pipeline.horizon
    channels = len(pipeline.channels_.names)
    signature = {"values": tf.TensorSpec([None, lookback, channels], tf.float32, name="values")}
    if pipeline.future_:
        width = pipeline.channels_.width(pipeline.future_)
        signature["future"] = tf.TensorSpec([None, horizon, width], tf.float32, name="future")
    if pipeline.calendar:
        signature["time"] = tf.TensorSpec([None, lookback + horizon], tf.int64, name="time")

    module = tf.Module(name="recurra")
    module.model = predictor.model  # tracked: its weights belong to the SavedModel
    names = list(signature)

    def serve(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return predictor.forecast_raw(dict(zip(names, tensors, strict=True)))

    module.serve = tf.function(serve, input_signature=list(signature.values()))
    return module


def example_inputs(predictor: SeriesPredictor, frame: SeriesFrame) -> dict[str, np.ndarray]:
    """Raw inputs cut from real rows, the newest windows that have a whole horizon after them."""
    pipeline = predictor.pipeline
    windows = pipeline.windows(frame, 0, frame.lengths)
    starts = windows.starts()
    starts = starts[np.unique(np.linspace(0, len(starts) - 1, _CHECKED_WINDOWS).astype(int))]
    steps = np.arange(pipeline.lookback + pipeline.horizon)
    rows = starts[:, None] + steps  # (windows, lookback + horizon)
    columns = [column.raw(frame.table) for column in pipeline.channels_.columns]
    raw = np.concatenate(columns, axis=1).astype("float32")[rows]  # (windows, lookback + horizon, channels)
    inputs = {"values": raw[:, : pipeline.lookback]}
    if pipeline.future_:
        inputs["future"] = np.nan_to_num(raw[:, pipeline.lookback :, -pipeline.channels_.width(pipeline.future_) :])
    if pipeline.calendar:
        inputs["time"] = frame.times()[rows]
    return inputs


def describe(
    predictor: SeriesPredictor,
    frame: SeriesFrame,
    *,
    metrics: dict[str, Any] | None,
    training: dict[str, Any] | None,
) -> dict[str, Any]:
    """What stands in ``assets.extra/recurra.json``: everything prediction needs, and where the model comes from."""
    stamps = frame.table[frame.time]
    return {
        "task": "forecast",
        "versions": {"recurra": __version__, "tensorflow": tf.__version__, "keras": tf.keras.__version__},
        "data": {
            "source": frame.source,
            "hash": data_hash(frame),
            "id": frame.id,
            "time": frame.time,
            "roles": dict(frame.roles),
            "freq": frame.freq,
            "rows": len(frame.table),
            "series": len(frame.lengths),
            "first": str(stamps.min()),
            "last": str(stamps.max()),
        },
        "channels": predictor.pipeline.channels_.names,
        "pipeline": predictor.pipeline.to_config(),
        "intervals": list(predictor.intervals.levels) if predictor.intervals else [],
        "interval_notes": list(predictor.intervals.notes) if predictor.intervals else [],
        "parameters": predictor.model.count_params(),
        "weights": _hash_of(predictor.model.get_weights()),
        "training": training or {},
        "metrics": metrics or {},
    }


def _check(folder: Path, predictor: SeriesPredictor, inputs: dict[str, np.ndarray]) -> None:
    """Reload what was written and hold it against the predictor."""
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    written = serve(**{name: tf.constant(value) for name, value in inputs.items()})
    expected = predictor.forecast_raw({name: tf.constant(value) for name, value in inputs.items()})
    for name, tensor in expected.items():
        ours, theirs = np.asarray(tensor), np.asarray(written[name])
        worst = float(np.max(np.abs(ours - theirs)))
        if not worst <= _TOLERANCE * max(float(np.std(ours)), float(np.abs(ours).mean()), 1e-6):
            raise RuntimeError(
                f"the exported model disagrees with the trained one: output {name!r} differs by up to {worst:g} "
                f"on {len(ours)} windows of the training data; no version was made"
            )


@contextlib.contextmanager
def _room_for_version(path: Path) -> Iterator[Path]:
    """A temporary folder in `path`, whose name no server takes for a version; gone if the block fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=path))
    except OSError as error:
        raise InputError(f"cannot write the model to {path}: {error.strerror}; choose another --export") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(folder: Path, path: Path) -> Path:
    folder.chmod(0o777 & ~umask())  # mkdtemp makes folders that only their owner may read
    while True:
        version = path / str(max(versions(path), default=0) + 1)
        try:
            # fails if another export took the number in the meantime: a folder with content is never replaced
            os.rename(folder, version)  # noqa: PTH104
        except OSError:
            if not version.exists():
                raise
        else:
            return version


def _newest(path: Path) -> Path | None:
    numbers = versions(path)
    return path / str(numbers[-1]) if numbers else None


def _said(version: Path) -> dict[str, Any] | None:
    file = version / "assets.extra" / "recurra.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _hash_of(arrays: list[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def versions(path: Path) -> list[int]:
    """The whole-numbered folders of a model, oldest first."""
    if not path.is_dir():
        return []
    return sorted(int(child.name) for child in path.iterdir() if child.is_dir() and child.name.isdecimal())

"""Write a predictor as ``NAME/VERSION``: whole and checked, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from .. import __version__
from ..atomic import umask
from ..errors import InputError
from ..frames import Frame, describe
from ..predictor import Predictor
from .card import model_card
from .load import INFO, TRAINED, SavedModel
from .ranges import training_ranges
from .signatures import describe_stream, raw_signature, serving_module
from .versions import versions
from .warmup import write_warmup

# Single precision keeps about seven digits; scaling and a network's sums use up some of them.
_TOLERANCE = 1e-4
_DIFFERENT_WORDS = 0.02


def save_model(
    predictor: Predictor[Any],
    path: str | Path,
    frame: Frame,
    *,
    metrics: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    verdict: str | None = None,
) -> Path:
    """Export a predictor as the next version under `path`.

    The version is written beside its place, reloaded, compared with the predictor on real rows of `frame`, and only
    then renamed: whoever polls the folder never sees half of it, and a killed export leaves what was there. A model
    that is there already, as the newest version, gets no second one.

    Args:
        predictor: a trained network or a fitted baseline.
        path: the model's folder, e.g. ``saved_models/co2``; versions are the whole numbers in it.
        frame: the data it was trained on: real rows for the check, and columns, units of time and range for the card.
        metrics: measured accuracy, for the card.
        training: how the model came to be (family, config, seed, ...), for the card.
        verdict: of the comparison that it came from, for the card.

    Returns:
        The folder of the new version.

    Raises:
        InputError: if `path` is a file, or cannot be written to; or if the model cannot be a graph.
        RuntimeError: if the reloaded model disagrees with the predictor; no version appears then.

    Example:
        >>> save_model(fitted.predictor, "saved_models/co2", fitted.frame)
        PosixPath('saved_models/co2/1')

    Source: the layout is that of TensorFlow Serving,
    https://www.tensorflow.org/tfx/serving/serving_config
    """
    return write_version(
        predictor,
        path,
        predictor.schema.sample(frame),
        describe(frame),
        ranges=training_ranges(predictor, frame),
        metrics=metrics,
        training=training,
        verdict=verdict,
    )


def write_version(
    predictor: Predictor[Any],
    path: str | Path,
    sample: Mapping[str, np.ndarray],
    data: dict[str, Any],
    *,
    ranges: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    verdict: str | None = None,
) -> Path:
    """What :func:`save_model` does, for those who have no frame of the data any more.

    Args:
        predictor, path, metrics, training, verdict: as there.
        sample: raw inputs to compare the written model on: arrays whose first axis is the prediction.
        data: what :func:`recurra.frames.describe` said of the training data.
        ranges: least and greatest training values of each input, where they are known.
    """
    path = Path(path)
    if predictor.model.why_no_graph is not None:
        raise InputError(f"{predictor.model!r} cannot be exported: {predictor.model.why_no_graph}")
    module, signatures = serving_module(predictor)
    info = _describe(predictor, data, ranges, metrics=metrics, training=training, verdict=verdict)
    if (newest := _newest(path)) and _info(newest) == info:
        return newest
    inputs = {name: sample[name] for name in raw_signature(predictor)}
    with _room_for_version(path) as folder:
        with _said_in_a_sentence(path):
            with _without_log():
                tf.saved_model.save(module, str(folder), signatures=signatures)
            (folder / INFO).parent.mkdir()
            if not isinstance(predictor.model, SavedModel):
                predictor.save(folder / TRAINED)
            (folder / INFO).write_text(json.dumps(info, indent=1), encoding="utf-8")
            card = model_card(path.name, info, predictor.schema.card(info["data"]))
            (folder / INFO).with_name("model_card.md").write_text(card, encoding="utf-8")
            warmup = (folder / INFO).with_name("tf_serving_warmup_requests")
            write_warmup(warmup, path.name, {name: value[:1] for name, value in inputs.items()})
        _check(folder, inputs, predictor.serve({name: tf.constant(value) for name, value in inputs.items()}))
        return _publish(folder, path)


@contextmanager
def _without_log() -> Iterator[None]:
    """TensorFlow logs the name of a folder that is renamed a moment later."""
    log = tf.get_logger()
    level = log.level
    log.setLevel("WARNING")
    try:
        yield
    finally:
        log.setLevel(level)


def _describe(
    predictor: Predictor[Any],
    data: dict[str, Any],
    ranges: dict[str, Any] | None,
    *,
    metrics: dict[str, Any] | None,
    training: dict[str, Any] | None,
    verdict: str | None,
) -> dict[str, Any]:
    """The content of ``assets.extra/recurra.json``: everything prediction needs, and where the model comes from."""
    return {
        "versions": {"recurra": __version__, "tensorflow": tf.__version__, "keras": tf.keras.__version__},
        "task": predictor.task,
        "model": predictor.model.kind,
        "extra_inputs": list(predictor.model.extra_inputs),
        "data": data,
        "ranges": ranges or {},
        "schema": predictor.schema.to_config(),
        "notes": list(predictor.notes),
        "parameters": predictor.model.parameters(),
        "weights": predictor.fingerprint(),
        "stream": describe_stream(predictor),
        "training": training or {},
        "metrics": metrics or {},
        "verdict": verdict,
    }


def _check(folder: Path, inputs: dict[str, np.ndarray], expected: Mapping[str, Any]) -> None:
    """Reload what was written and compare its outputs with the predictor's."""
    written = SavedModel(folder).serve(inputs)
    for name, tensor in expected.items():
        ours, theirs = np.asarray(tensor), np.asarray(written[name])
        if ours.dtype.kind not in "fiu":  # words: two that are as good as one another may change places
            wrong = float(np.mean(ours != theirs))
            agree, how = wrong <= _DIFFERENT_WORDS, f"in {wrong:.0%} of the places"
        else:
            agree, how = _agree(ours, theirs)
        if not agree:
            raise RuntimeError(
                f"the exported model disagrees with the trained one: output {name!r} differs {how} on {len(ours)} "
                "rows of the training data; no version was made"
            )


def _agree(ours: np.ndarray, theirs: np.ndarray) -> tuple[bool, str]:
    """Whether numbers agree as far as single precision goes; what is not a number has to be none in both."""
    known = np.isfinite(ours)
    if not np.array_equal(known, np.isfinite(theirs)):
        return False, "in which of its numbers are finite"
    ours, theirs = ours[known], theirs[known]
    worst = float(np.max(np.abs(ours - theirs), initial=0.0))
    size = max(float(np.std(ours)), float(np.abs(ours).mean()), 1e-6) if len(ours) else 1.0
    return worst <= _TOLERANCE * size, f"by up to {worst:g}"


@contextmanager
def _said_in_a_sentence(path: Path) -> Iterator[None]:
    """A full disk is nothing that a traceback explains."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        why = getattr(error, "strerror", None) or getattr(error, "message", str(error)).rpartition("; ")[2]
        raise InputError(f"cannot write the model to {path}: {why}; make room, or choose another `export`") from error


@contextmanager
def _room_for_version(path: Path) -> Iterator[Path]:
    """A temporary folder in `path`, whose name no server takes for a version; gone if the block fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=path))
    except OSError as error:
        raise InputError(f"cannot write the model to {path}: {error.strerror}; choose another `export`") from error
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


def _info(version: Path) -> dict[str, Any] | None:
    file = version / INFO
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
    except ValueError:  # a damaged version is not the same as the one to be written
        return None

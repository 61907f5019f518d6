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
from ..predictor import ExamplePredictor, LanguagePredictor, SeriesPredictor
from . import examples, language, series
from .card import model_card
from .served import Served
from .warmup import write_warmup

# What exports each kind of predictor.
FORMS: dict[type, Any] = {SeriesPredictor: series, ExamplePredictor: examples, LanguagePredictor: language}
# Single precision keeps about seven digits; scaling and a network's sums use up some of them.
_TOLERANCE = 1e-4
_OTHER_WORDS = 0.02


def save_model(
    predictor: Any,
    path: str | Path,
    frame: Any,
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
    form = FORMS[type(predictor)]
    info = _describe(form, predictor, frame, metrics=metrics, training=training)
    if (newest := _newest(path)) and _said(newest) == info:
        return newest
    with _room_for_version(path) as folder:
        (module, signatures), inputs = form.serving_module(predictor), form.example_inputs(predictor, frame)
        tf.saved_model.save(module, str(folder), signatures=signatures)
        extra = folder / "assets.extra"
        extra.mkdir()
        (extra / "recurra.json").write_text(json.dumps(info, indent=1), encoding="utf-8")
        (extra / "model_card.md").write_text(model_card(path.name, info, form.card(info)), encoding="utf-8")
        write_warmup(extra / "tf_serving_warmup_requests", path.name, {k: v[:1] for k, v in inputs.items()})
        _check(folder, inputs, form.answer(predictor, inputs))
        return _publish(folder, path)


def _describe(
    form: Any,
    predictor: Any,
    frame: Any,
    *,
    metrics: dict[str, Any] | None,
    training: dict[str, Any] | None,
) -> dict[str, Any]:
    """What stands in ``assets.extra/recurra.json``: everything prediction needs, and where the model comes from."""
    network = getattr(predictor, "network", predictor.model)
    return {
        "versions": {"recurra": __version__, "tensorflow": tf.__version__, "keras": tf.keras.__version__},
        **form.describe(predictor, frame),
        "parameters": network.count_params(),
        "weights": _hash_of(network.get_weights()),
        "training": training or {},
        "metrics": metrics or {},
    }


def _check(folder: Path, inputs: dict[str, np.ndarray], expected: dict[str, Any]) -> None:
    """Reload what was written and hold it against the predictor."""
    written = Served(folder)(inputs)
    for name, tensor in expected.items():
        ours, theirs = np.asarray(tensor), np.asarray(written[name])
        if ours.dtype.kind not in "fiu":  # words: two that are as good as one another may change places
            wrong = float(np.mean(ours != theirs))
            agree, how = wrong <= _OTHER_WORDS, f"in {wrong:.0%} of the places"
        else:
            worst = float(np.max(np.abs(ours - theirs)))
            agree = worst <= _TOLERANCE * max(float(np.std(ours)), float(np.abs(ours).mean()), 1e-6)
            how = f"by up to {worst:g}"
        if not agree:
            raise RuntimeError(
                f"the exported model disagrees with the trained one: output {name!r} differs {how} on {len(ours)} "
                "rows of the training data; no version was made"
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

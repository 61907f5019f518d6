"""Baselines: what a trained model must beat.

Three registries, since they take and give different things. To add one: a file, a line below, a test, a row in the
docs.

Forecasts (``BASELINES``): a function ``forecast(values, origins, horizon, season) -> (origins, horizon)`` for one
series: row ``i`` uses only ``values[:origins[i]]``, and parameters are estimated once, before the first origin, as a
network's are. ``values`` may hold NaN. They give point forecasts only, and none uses covariates or other series.

Whole examples (``EXAMPLE_BASELINES``, for classification, regression and tagging): ``fit(inputs, targets, n_classes, *,
seed) -> predict``. Inputs are texts, lists of tokens, or sequences of values (time, channels) that may hold NaN;
targets are class ids (n,), values (n,), or a list of tags (time,); ``predict(inputs)`` gives probabilities (n,
classes), values (n,), or a list of probabilities (time, classes).

Language models (``LANGUAGE_BASELINES``): ``fit(ids, vocabulary, *, end) -> model`` with ``log_probabilities(ids)`` and
``next_probabilities(history)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..errors import InputError
from .dtw import dtw_1nn
from .ets import ets
from .examples import Predict
from .flattened import logistic_flattened, ridge_flattened
from .majority import majority, mean
from .naive import drift, naive, seasonal_naive
from .naive2 import naive2
from .nbsvm import nbsvm
from .ngrams import KneserNey, LanguageModel, bigram, kneser_ney, unigram
from .tags import logistic_window, majority_tag, most_frequent_tag
from .tfidf import tfidf_logistic, tfidf_ridge
from .theta import theta

__all__ = [
    "BASELINES",
    "EXAMPLE_BASELINES",
    "LANGUAGE_BASELINES",
    "ExampleBaseline",
    "KneserNey",
    "LanguageModel",
    "Predict",
    "available",
    "bigram",
    "drift",
    "dtw_1nn",
    "ets",
    "find_example_baseline",
    "kneser_ney",
    "list_baselines",
    "logistic_flattened",
    "logistic_window",
    "majority",
    "majority_tag",
    "mean",
    "most_frequent_tag",
    "naive",
    "naive2",
    "nbsvm",
    "ridge_flattened",
    "seasonal_naive",
    "tfidf_logistic",
    "tfidf_ridge",
    "theta",
    "unigram",
    "why_not",
]

Baseline = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]

TEXT, ANYTHING = ("text", "tokens"), ("text", "tokens", "values")


@dataclass(frozen=True)
class ExampleBaseline:
    """A line of the registry of baselines for whole examples.

    Attributes:
        fit: ``fit(inputs, targets, n_classes, *, seed) -> predict``.
        task: what it targets.
        kinds: what it reads: "text" (raw strings), "tokens" (lists of strings), "values" (arrays of numbers).
        library: what must be installed besides recurra's own dependencies, if anything.
    """

    fit: Callable[..., Predict]
    task: str
    kinds: tuple[str, ...]
    library: str | None = None


BASELINES: dict[str, Baseline] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "naive2": naive2,
    "drift": drift,
    "theta": theta,
    "ets": ets,
}

EXAMPLE_BASELINES: dict[str, ExampleBaseline] = {
    "majority": ExampleBaseline(majority, "classification", ANYTHING),
    "tfidf_logistic": ExampleBaseline(tfidf_logistic, "classification", TEXT),
    "nbsvm": ExampleBaseline(nbsvm, "classification", TEXT),
    "logistic_flattened": ExampleBaseline(logistic_flattened, "classification", ("values",)),
    "dtw_1nn": ExampleBaseline(dtw_1nn, "classification", ("values",), library="dtaidistance"),
    "mean": ExampleBaseline(mean, "regression", ANYTHING),
    "tfidf_ridge": ExampleBaseline(tfidf_ridge, "regression", TEXT),
    "ridge_flattened": ExampleBaseline(ridge_flattened, "regression", ("values",)),
    "majority_tag": ExampleBaseline(majority_tag, "tagging", ("tokens", "values")),
    "most_frequent_tag": ExampleBaseline(most_frequent_tag, "tagging", ("tokens",)),
    "logistic_window": ExampleBaseline(logistic_window, "tagging", ("tokens", "values")),
}

LANGUAGE_BASELINES: dict[str, Callable[..., LanguageModel]] = {
    "unigram": unigram,
    "bigram": bigram,
    "kneser_ney": kneser_ney,
}

# What each task can be asked of; a language model cuts its text itself.
KINDS = {
    "forecast": ("values",),
    "classification": ANYTHING,
    "regression": ANYTHING,
    "tagging": ("tokens", "values"),
    "language-model": TEXT,
}


def list_baselines(task: str = "forecast", kind: str | None = None) -> list[str]:
    """Names of a task's baselines, simplest first.

    Arguments:
        task: "forecast", "classification", "regression", "tagging" or "language-model".
        kind: only those that read "text", "tokens" or "values"; all by default.

    Raises:
        InputError: an unknown task or kind, or a kind that makes no sense with the task.

    Example:
        >>> list_baselines()
        ['naive', 'seasonal_naive', 'naive2', 'drift', 'theta', 'ets']
        >>> list_baselines("classification", "text")
        ['majority', 'tfidf_logistic', 'nbsvm']
    """
    if task not in KINDS:
        raise InputError(f"there is no task {task!r}; choose from {', '.join(KINDS)}")
    if kind is not None and kind not in KINDS[task]:
        raise InputError(f"{task} reads {' or '.join(KINDS[task])}, not {kind!r}")
    return [name for name in _names(task) if kind is None or not why_not(name, task, kind)]


def why_not(name: str, task: str, kind: str) -> str:
    """Why a baseline makes no sense with a task and a kind of input, in words; empty where it does.

    Example:
        >>> why_not("nbsvm", "classification", "values")
        "baseline 'nbsvm' reads text or tokens, not values"
    """
    names = _names(task)
    if name not in names:
        return f"there is no baseline {name!r} for {task}; choose from {', '.join(names)}"
    kinds = EXAMPLE_BASELINES[name].kinds if name in EXAMPLE_BASELINES else KINDS[task]
    return "" if kind in kinds else f"baseline {name!r} reads {' or '.join(kinds)}, not {kind}"


def available(name: str) -> bool:
    """Whether the library that a baseline needs is installed; most need none."""
    library = EXAMPLE_BASELINES[name].library if name in EXAMPLE_BASELINES else None
    return library is None or find_spec(library) is not None


def find_example_baseline(name: str, *, task: str, kind: str) -> ExampleBaseline:
    """The registry's line for a baseline of whole examples.

    Raises:
        InputError: it makes no sense with this task and kind of input, with what to choose in its place.
    """
    if reason := why_not(name, task, kind):
        known = "choose from" in reason
        raise InputError(reason if known else f"{reason}; choose from {', '.join(list_baselines(task, kind))}")
    return EXAMPLE_BASELINES[name]


def _names(task: str) -> list[str]:
    registries: dict[str, Any] = {"forecast": BASELINES, "language-model": LANGUAGE_BASELINES}
    return list(registries.get(task, [name for name, line in EXAMPLE_BASELINES.items() if line.task == task]))


# ---- temporary shim
from dataclasses import dataclass as _dc


@_dc(frozen=True)
class SequenceBaseline:
    fit: object
    inputs: tuple
    library: object = None


def _of(task):
    return {n: SequenceBaseline(b.fit, b.kinds, b.library) for n, b in EXAMPLE_BASELINES.items() if b.task == task}


FORECAST_BASELINES = BASELINES
CLASSIFICATION_BASELINES = _of("classification")
REGRESSION_BASELINES = _of("regression")
TAGGING_BASELINES = _of("tagging")


def available(b):
    return b.library is None or find_spec(b.library) is not None


def fit_forecaster(*a, **k):
    raise NotImplementedError

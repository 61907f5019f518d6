"""Baselines: what a trained model must beat.

To add one: a file, a line below, a test, a row in the docs.

Forecasts (``FORECAST_BASELINES``): ``forecast(rows, origins, *, horizon, season, window, **config)`` gives forecasts of
all series and targets; row ``i`` of a series' forecasts uses only the rows before ``origins[i]`` (and, of covariates
known ahead, those of the horizon), and parameters are estimated once, before the first origin, as those of a network
are. Values may be NaN. They give point forecasts only. Most look at one target of one series at a time: those are
functions ``naive(values, origins, horizon, season) -> (origins, horizon)``, which :func:`forecast_many` calls for many
series at once (those in ``ONE_BY_ONE`` fit each by itself); ``boosted_trees`` reads covariates and learns from all
series. :func:`fit_forecaster` makes a fitted baseline of each.

Sequences with targets (``CLASSIFICATION_BASELINES``, ``REGRESSION_BASELINES``, ``TAGGING_BASELINES``): ``fit(inputs,
targets, n_classes, *, seed, **config)`` gives a fitted baseline. Inputs are texts, lists of tokens, or sequences of
values (time, channels) that may hold NaN; targets are class ids (n,), values (n,), or a list of tags (time,). Called on
inputs, the fitted baseline gives probabilities (n, classes), values (n,), or a list of probabilities (time, classes).

Language models (``LANGUAGE_BASELINES``): ``fit(ids, vocabulary, *, end, **config)`` gives a fitted baseline with
``log_probabilities(ids)`` and ``next_probabilities(history)``.

What a baseline leaves to choose is its grid, the default first. A comparison draws configurations from it as it does
from a family's, and chooses on the validation part. ARIMA and ETS choose their form by AICc themselves.

A fitted baseline (``fitted.py``) predicts from the raw inputs of an exported model, is saved and loaded as plain
arrays, and in most cases is a TensorFlow graph.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ..grid import Grid
from . import dtw, flattened, tagging, tfidf
from .arima import arima
from .dtw import dtw_1nn
from .ets import ets
from .fitted import FittedBaseline, load_state
from .flattened import logistic_flattened, ridge_flattened
from .forecasters import (
    FORECAST_BASELINES,
    ONE_BY_ONE,
    ForecastBaseline,
    fit_forecaster,
    forecast_many,
    why_no_graph,
)
from .kneser_ney import KneserNey, bigram, kneser_ney, orders, unigram
from .majority import majority, mean
from .many_series import ManySeries
from .naive import drift, naive, seasonal_naive
from .naive2 import naive2
from .nbsvm import nbsvm, nbsvm_grid
from .series_rows import SeriesRows
from .tagging import logistic_window, majority_tag, most_frequent_tag
from .tfidf import tfidf_logistic, tfidf_ridge
from .theta import theta

__all__ = [
    "CLASSIFICATION_BASELINES",
    "FORECAST_BASELINES",
    "LANGUAGE_BASELINES",
    "ONE_BY_ONE",
    "REGRESSION_BASELINES",
    "TAGGING_BASELINES",
    "FittedBaseline",
    "ForecastBaseline",
    "KneserNey",
    "LanguageBaseline",
    "ManySeries",
    "SequenceBaseline",
    "SeriesRows",
    "arima",
    "available",
    "bigram",
    "drift",
    "dtw_1nn",
    "ets",
    "fit_forecaster",
    "forecast_many",
    "kneser_ney",
    "load_state",
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
    "why_no_graph",
]


def _nothing_to_choose(_: Any) -> Grid:
    return {}


@dataclass(frozen=True)
class SequenceBaseline:
    """A baseline for sequences with targets.

    Attributes:
        fit: ``fit(inputs, targets, n_classes, *, seed, **config)`` gives a fitted baseline.
        inputs: the kinds it reads: "text" (strings), "tokens" (lists of strings), "values" (arrays of numbers).
        library: what must be installed besides recurra's own dependencies, if anything.
        grid: from training inputs the values to try of each setting, the default first.
        default: whether it takes part in a comparison for which no baselines are named: what takes seconds for a fit
            doesn't.
    """

    fit: Callable[..., Any]
    inputs: tuple[str, ...] = ("text", "tokens")
    library: str | None = None
    grid: Callable[[Sequence[Any]], Grid] = _nothing_to_choose
    default: bool = True


@dataclass(frozen=True)
class LanguageBaseline:
    """A baseline for language models.

    Attributes:
        fit: ``fit(ids, vocabulary, *, end, **config)`` gives a fitted baseline.
        grid: from the size of the vocabulary the values to try of each setting, the default first.
    """

    fit: Callable[..., KneserNey]
    grid: Callable[[int], Grid] = _nothing_to_choose


_ANY = ("text", "tokens", "values")
_VALUES = ("values",)

CLASSIFICATION_BASELINES: dict[str, SequenceBaseline] = {
    "majority": SequenceBaseline(majority, _ANY),
    "tfidf_logistic": SequenceBaseline(tfidf_logistic, grid=tfidf.logistic_grid),
    "tfidf_characters": SequenceBaseline(
        tfidf.tfidf_characters_logistic,
        ("text",),
        grid=tfidf.characters_grid(tfidf.logistic_grid),
        default=False,
    ),
    "nbsvm": SequenceBaseline(nbsvm, grid=nbsvm_grid),
    "logistic_flattened": SequenceBaseline(logistic_flattened, _VALUES, grid=lambda _: flattened.LOGISTIC_GRID),
    "dtw_1nn": SequenceBaseline(dtw_1nn, _VALUES, library="dtaidistance", grid=lambda _: dtw.GRID),
}

REGRESSION_BASELINES: dict[str, SequenceBaseline] = {
    "mean": SequenceBaseline(mean, _ANY),
    "tfidf_ridge": SequenceBaseline(tfidf_ridge, grid=tfidf.ridge_grid),
    "tfidf_characters": SequenceBaseline(
        tfidf.tfidf_characters_ridge, ("text",), grid=tfidf.characters_grid(tfidf.ridge_grid), default=False
    ),
    "ridge_flattened": SequenceBaseline(ridge_flattened, _VALUES, grid=lambda _: flattened.RIDGE_GRID),
}

TAGGING_BASELINES: dict[str, SequenceBaseline] = {
    "majority_tag": SequenceBaseline(majority_tag, ("tokens", "values")),
    "most_frequent_tag": SequenceBaseline(most_frequent_tag, ("tokens",)),
    "logistic_window": SequenceBaseline(logistic_window, ("tokens", "values"), grid=lambda _: tagging.GRID),
}

LANGUAGE_BASELINES: dict[str, LanguageBaseline] = {
    "unigram": LanguageBaseline(unigram),
    "bigram": LanguageBaseline(bigram),
    "kneser_ney": LanguageBaseline(kneser_ney, grid=lambda vocabulary: {"order": orders(vocabulary)}),
}


def available(baseline: SequenceBaseline) -> bool:
    """Whether the library that a baseline needs is installed; most need none."""
    return baseline.library is None or find_spec(baseline.library) is not None

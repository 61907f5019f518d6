"""The class docstrings of the estimators, in numpydoc's sections: scikit-learn's HTML shows them beside each parameter.

Each parameter is described once, whatever estimators have it.
"""

from __future__ import annotations

import dataclasses
from textwrap import indent, wrap
from typing import TypeVar

ClassT = TypeVar("ClassT", bound=type)
_WIDTH = 112

PARAMETERS = {
    "family": (
        '{"linear", "dense", "tcn", "simple_rnn", "gru", "lstm", "min_gru", "min_lstm"}',
        'The kind of network, or a variant such as "lstm:forget=false".',
    ),
    "units": ("int", "Width of the hidden layers, or of the state that is carried along."),
    "num_layers": ("int", "Hidden layers, one on top of the other; None lets the family choose by the length."),
    "bidirectional": ("bool", "Whether sequences are read from both ends."),
    "kernel_size": ("int", "Steps that a convolution reads."),
    "segment_length": ("int", "Steps that are read as one; None chooses so that at most 128 are left."),
    "pooling": (
        '{"last", "mean", "max", "attention"}',
        "How states become one prediction; None: mean of numbers, max of texts.",
    ),
    "reading": (
        '{"average", "average_and_max", "window"}',
        "Whether a text's words are averaged, also beside the largest value in each dimension, or the first ones read "
        "in their order; None: `average` with `vectors`, otherwise `average_and_max`.",
    ),
    "window": ("int", 'Words that `reading="window"` reads; None follows from the lengths of the texts.'),
    "dropout": ("float", "Fraction of the hidden units left out in training."),
    "input_dropout": ("float", "Fraction of the steps, or words, left out in training."),
    "residual": ("bool", "Whether a layer's input is added to its output where their widths agree."),
    "embedding": (
        "int",
        "Dimensions of the vectors of words; None: those of `vectors`, else 64, and 32 of a small vocabulary.",
    ),
    "vectors": (
        "str or Path",
        "File of word vectors in GloVe's format that the vectors of the words begin with; `embedding` follows from it.",
    ),
    "train_vectors": ("bool", "Whether training changes the vectors of the file."),
    "second_embedding": ("int", "Dimensions of a second table, learnt from nothing, beside the vectors; 0: none."),
    "ngrams": ("int", "The most neighbouring words that have a vector of their own: 1, 2 or 3. Texts only."),
    "ngram_buckets": ("int", "Rows of the table of such neighbours, to which they are hashed. Texts only."),
    "loss": ('{"mse", "mae", "huber"}', "What is made small: squared or absolute errors of scaled values, or both."),
    "class_weight": (
        'dict or "balanced"',
        "Weights of the classes by label; `balanced` gives all classes the same weight altogether.",
    ),
    "sequence_length": (
        "int",
        "Steps read of each sequence; None: all of the longest training sequence, or what 95 % of the texts need.",
    ),
    "keep": ('{"first", "last"}', "Which end of a longer sequence is read."),
    "channels": (
        '{"last", "first"}',
        "Order of three-dimensional `X`: (samples, time, channels), or (samples, channels, time) as aeon has it.",
    ),
    "tokens": ('{"word", "char", "space"}', "How texts are cut; None: into characters where most are single words."),
    "vocabulary_size": ("int", "The most tokens known, the most frequent of the training texts."),
    "min_count": (
        "int",
        "How often a word must occur in the training texts to be known; None: 2, and 1 with `vectors`.",
    ),
    "learning_rate": (
        "float",
        "Adam's first learning rate; None: 0.01 of linear, 0.003 of recurrent, 0.001 of other networks.",
    ),
    "epsilon": (
        "float",
        "What Adam adds to the size of the gradients before it divides by it; near their own size, 1e-4, rare words "
        "are moved less.",
    ),
    "batch_size": ("int", "Rows in a training step."),
    "max_epochs": ("int", "The most epochs."),
    "patience": (
        "int",
        "Epochs without a smaller validation loss that end the training; the best weights are kept. Without a "
        "validation set the training loss counts.",
    ),
    "validation_fraction": (
        "float",
        "Fraction of the rows, stratified by class, that stops the training. Where it is less than 30 rows, none are "
        "held out: so few tell nothing.",
    ),
    "warm_start": ("bool", "Whether another call of `fit` goes on from the weights of the last one."),
    "random_state": (
        "int, RandomState instance or Generator",
        "Seed of first weights, order and validation rows. Results of an int repeat bit for bit on the same machine.",
    ),
    "verbose": ("int", "0 is silent; 1 prints a line for each epoch."),
    "callbacks": ("list of keras.callbacks.Callback", "Called in training; `set_callbacks` takes scikit-learn's own."),
}
# What only forecasters have, or mean by it.
FORECASTER_PARAMETERS = PARAMETERS | {
    "horizon": ("int", "Steps forecast at once; None: one season, at most 60 steps and a tenth of the series."),
    "lookback": ("int", "Steps read; None: two seasons or horizons, at most a quarter of the series."),
    "season": ("int", "Steps in a season, 1 for none; None: found in the autocorrelation."),
    "freq": (
        "str or int",
        'Step of time, an offset alias such as "h", "15min", "B" or "MS"; None: read from the stamps.',
    ),
    "id_col": ("str", "Column of the series."),
    "time_col": ("str", "Column of time stamps or whole numbers."),
    "target_col": ("str", "Column to forecast."),
    "past_covariates": ("sequence of str", "Columns that are read too, known up to now; others are ignored."),
    "future_covariates": ("sequence of str", "Columns that are read too, known ahead."),
    "calendar": ('sequence of {"day", "week", "year"}', "Cycles of the calendar that the network is told."),
    "transform": ('{"none", "log"}', '"log" works on logarithms of positive targets.'),
    "missing": ('{"interpolate", "ffill", "error"}', "Rule for missing inputs."),
    "levels": ("sequence of int", "Coverage of the prediction intervals in percent."),
    "alias": ("str", 'Name of the column of forecasts; None: that of the family, such as "LSTM".'),
    "num_layers": ("int", "Hidden layers, one on top of the other; None lets the family choose by the lookback."),
    "segment_length": ("int", "Values read in one step; None: about an eighth of the lookback, 1 of a short one."),
    "window": ("int", "Newest steps read, at most `lookback`; None: all of them."),
    "window_norm": (
        '{"none", "last", "mean", "standard"}',
        "What is taken off each window before it is read, and given back after; None: `last` for one series, "
        "`standard` for many.",
    ),
    "share_targets": ("bool", "Whether each target is read by itself, with the same weights."),
    "autoregressive": ("int", "Newest steps that a linear map reads beside the network, at most `lookback`; 0: none."),
    "loss": ('{"mae", "mse", "huber"}', "What is made small, in scaled units."),
    "learning_rate": (
        'float or "find"',
        "Adam's first learning rate, halved while the validation loss stands; None: 0.001; "
        '"find": the best of a few on the validation rows, kept in `learning_rate_`.',
    ),
    "batch_size": ("int", "Windows in a training step; None: 32, and 128 from 8,192 windows on."),
    "patience": ("int", "Epochs without a smaller validation loss that end the training; the best weights are kept."),
    "validation_fraction": (
        "float",
        "Newest rows, as a fraction of the longest series, that stop the training and calibrate the intervals.",
    ),
    "random_state": ("int, RandomState instance or Generator", "Seed of first weights and order."),
}
_FORECASTER_ATTRIBUTES = {
    "horizon_": ("int", "Steps forecast at once, as given or chosen."),
    "lookback_": ("int", "Steps read."),
    "season_": ("int", "Steps in a season."),
    "freq_": ("str or int", "Step of time."),
    "history_": ("dict", "`val_loss`: a number for each epoch."),
    "n_iter_": ("int", "Epochs trained."),
    "best_epoch_": ("int", "The one whose weights were kept."),
    "notes_": ("list of str", "What was found and chosen."),
    "model_": ("keras.Model", "The fitted network on scaled windows, a new copy each time."),
    "data_description_": ("dict", "What model cards say of the training data; no row of them is kept."),
}
_ATTRIBUTES = {
    "classes_": ("ndarray of shape (n_classes,)", "Labels, in the order of the probabilities."),
    "n_outputs_": ("int", "Values predicted for each row."),
    "y_ndim_": ("int", "1 where `y` was one number for each row, 2 where it was a column or several."),
    "n_features_in_": ("int", "Columns of a table, or channels of sequences; texts have none."),
    "feature_names_in_": ("ndarray of shape (n_features_in_,)", "Names of the columns, where `X` had any."),
    "history_": ("dict", "`loss`, and `val_loss` where rows were held out: a number for each epoch."),
    "n_iter_": ("int", "Epochs trained."),
    "seed_": ("int", "What `random_state` came to."),
    "model_": ("keras.Model", "The fitted network, a new copy each time."),
    "input_kind_": ("str", "What `X` was: a table, values (sequences of numbers), text or tokens."),
    "data_description_": ("dict", "What model cards say of the training data; no row of them is kept."),
}
_NOT_EVERYWHERE = {"classes_": "Regressor", "n_outputs_": "Classifier", "y_ndim_": "Classifier"}

_TEXT = """\
{summary}

It learns from tables (each row a sequence of one channel), arrays (samples, time, channels), lists of arrays of
different length, texts, and lists of tokens. Rows are trained on in a canonical form, so that neither their order nor
whether a row is repeated or weighted changes the result. Nothing is written to disk, and no global random state is
touched.

Parameters
----------
{parameters}

Attributes
----------
{attributes}

Examples
--------
>>> import numpy as np
>>> from recurra import {name}
>>> X = np.random.default_rng(0).normal(size=(200, 12))
>>> estimator = {name}(random_state=0).fit(X, {y})
>>> estimator.predict(X[:3]).shape
(3,)
"""

_FORECASTER_TEXT = """\
{summary}

It learns from a long table, a row per series and time. One network serves all series; it forecasts the whole horizon
at once, with intervals. Nothing is written to disk, and no global random state is touched.

Parameters
----------
{parameters}

Attributes
----------
{attributes}

See Also
--------
recurra.RollingOrigin : splits a table for scikit-learn's searches.
recurra.compare : says whether a family is worth its price.

Examples
--------
>>> from recurra import {name}
>>> forecaster = {name}(horizon=12, random_state=0).fit(df)  # unique_id, ds, y
>>> forecaster.predict()
"""


def documented_forecaster(cls: ClassT) -> ClassT:
    """The same for a forecaster."""
    fields = {field.name: field for field in dataclasses.fields(cls)}
    cls.__doc__ = _FORECASTER_TEXT.format(
        summary=(cls.__doc__ or "").strip(),
        parameters="\n".join(
            _item(name, f"{kind}, default={fields[name].default!r}", text)
            for name, (kind, text) in FORECASTER_PARAMETERS.items()
            if name in fields
        ),
        attributes="\n".join(_item(name, *text) for name, text in _FORECASTER_ATTRIBUTES.items()),
        name=cls.__name__,
    )
    return cls


def documented(cls: ClassT) -> ClassT:
    """Give an estimator its docstring: its own first sentence, then all parameters and attributes."""
    fields = [field for field in dataclasses.fields(cls) if field.name in PARAMETERS]
    order = list(PARAMETERS)
    fields.sort(key=lambda field: order.index(field.name))
    parameters = [
        _item(f.name, f"{PARAMETERS[f.name][0]}, default={f.default!r}", PARAMETERS[f.name][1]) for f in fields
    ]
    attributes = [
        _item(name, *text) for name, text in _ATTRIBUTES.items() if _NOT_EVERYWHERE.get(name, "-") not in cls.__name__
    ]
    cls.__doc__ = _TEXT.format(
        summary=(cls.__doc__ or "").strip(),
        parameters="\n".join(parameters),
        attributes="\n".join(attributes),
        name=cls.__name__,
        y="X[:, 0] > 0" if "Classifier" in cls.__name__ else "X[:, 0]",
    )
    return cls


def _item(name: str, kind: str, text: str) -> str:
    return f"{name} : {kind}\n" + indent("\n".join(wrap(text, _WIDTH)), "    ")

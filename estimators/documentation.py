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
    "family": ('{"linear", "dense", "tcn", "simple_rnn", "gru", "lstm"}', "The kind of network."),
    "units": ("int", "Width of the hidden layers, or of the state that is carried along."),
    "num_layers": ("int", "Hidden layers, one on top of the other; None lets the family choose by the length."),
    "bidirectional": ("bool", "Whether sequences are read from both ends."),
    "kernel_size": ("int", "Steps that a convolution reads."),
    "segment_length": ("int", "Steps that are read as one; None chooses so that at most 128 are left."),
    "pooling": ('{"last", "mean", "max"}', "How states become one prediction; None: mean of numbers, max of texts."),
    "reading": ('{"average", "window"}', "Whether a text's words are averaged, or the first ones read in their order."),
    "window": ("int", 'Words that `reading="window"` reads; None follows from the lengths of the texts.'),
    "dropout": ("float", "Fraction of the hidden units left out in training."),
    "input_dropout": ("float", "Fraction of the steps, or words, left out in training."),
    "residual": ("bool", "Whether a layer's input is added to its output where their widths agree."),
    "embedding": ("int", "Dimensions of the vectors of words; None: 64, and 32 of a small vocabulary."),
    "ngrams": ("int", "The most neighbouring words that have a vector of their own: 1, 2 or 3. Texts only."),
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
    "min_count": ("int", "In how many training texts, at least, a word must occur to be known."),
    "learning_rate": (
        "float",
        "Adam's first learning rate; None: 0.01 of linear, 0.003 of recurrent, 0.001 of other networks.",
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
_ATTRIBUTES = {
    "classes_": ("ndarray of shape (n_classes,)", "Labels, in the order of the probabilities."),
    "n_outputs_": ("int", "Values predicted for each row."),
    "n_features_in_": ("int", "Columns of a table, or channels of sequences; texts have none."),
    "feature_names_in_": ("ndarray of shape (n_features_in_,)", "Names of the columns, where `X` had any."),
    "history_": ("dict", "`loss`, and `val_loss` where rows were held out: a number for each epoch."),
    "n_iter_": ("int", "Epochs trained."),
    "model_": ("keras.Model", "The fitted network, a new copy each time."),
    "input_kind_": ("str", "What `X` was: a table, values (sequences of numbers), text or tokens."),
    "data_description_": ("dict", "What model cards say of the training data; no row of them is kept."),
}
_NOT_EVERYWHERE = {"classes_": "Regressor", "n_outputs_": "Classifier"}

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

"""The linear family: every prediction is a weighted sum of the inputs.

Source: Zeng, Chen, Zhang & Xu (2023), Are Transformers effective for time series forecasting?, AAAI (NLinear; DLinear's
moving-average split adds weights but no functions: the sum of two linear maps is one);
of words: Joulin et al. (2017), Bag of tricks for efficient text classification, EACL, without its hidden layer;
of next words: Mnih & Hinton (2007), Three new graphical models for statistical language modelling, ICML.
"""

from typing import Annotated, Any

import keras

from ..spec import SequenceSpec
from .embedding import add_ngrams
from .forecaster import ForecastWindow, ShareTargets, WindowNorm, forecaster
from .language_model_inputs import (
    TokenWindow,
    add_condition,
    carry_tokens,
    default_language_window,
    language_inputs,
    next_token,
    token_table,
)
from .layers.time_steps import Bias, FixedLength, Masked, Pool, SumOfPositions, Windows
from .sequence_inputs import output_size, sequence_inputs, takes_tokens, vocabulary_size
from .settings import Buckets, NGrams, at_least
from .tensor import Tensor

FORECASTER_GRID: dict[str, list[Any]] = {"learning_rate": [1e-3, 3e-3, 3e-4], "window_norm": [None, "standard", "mean"]}
CLASSIFIER_GRID: dict[str, list[Any]] = {"learning_rate": [1e-2, 3e-2, 3e-3], "ngrams": [1, 2]}
TAGGER_GRID: dict[str, list[Any]] = {"learning_rate": [1e-2, 3e-2, 3e-3], "window": [1, 3, 5]}
LANGUAGE_MODEL_GRID: dict[str, list[Any]] = {
    "embedding": [64, 128],
    "window": [None],
    "learning_rate": [1e-3, 3e-3, 3e-4],
}


def linear_forecaster(
    spec: SequenceSpec,
    *,
    window: ForecastWindow = None,
    window_norm: WindowNorm = None,
    share_targets: ShareTargets = True,
) -> keras.Model:
    """Build a linear model of the next steps.

    Args:
        spec: what goes in and comes out.
        window, window_norm, share_targets: see :func:`recurra.models.forecaster.forecaster`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).
    """

    def core(values: Tensor, future: Tensor | None, outputs: int) -> Tensor:
        x = keras.layers.Flatten()(values)  # (batch, lookback × channels)
        if future is not None:
            x = keras.layers.Concatenate()([x, keras.layers.Flatten()(future)])
        # Starts near zero: larger random weights would add noise that early stopping may keep.
        return keras.layers.Dense(outputs, kernel_initializer=_near_zero(values.shape[1]), name="head")(x)

    return forecaster("linear", spec, core, window_norm=window_norm, share_targets=share_targets, window=window)


def linear_classifier(spec: SequenceSpec, *, ngrams: NGrams = 1, ngram_buckets: Buckets = 2**18) -> keras.Model:
    """Build a bag of words, every word with its own score for each class; or a weighted sum of all values.

    Args:
        spec: what goes in and comes out.
        ngrams, ngram_buckets: scores of runs of words as well; see :func:`recurra.models.embedding.embed`. A row of
            the table is only as wide as the output, so there are four times as many as in the other families.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, classes).
    """
    inputs, x, steps = sequence_inputs(spec)
    size = output_size(spec)
    if not takes_tokens(spec):
        x = FixedLength(spec.inputs.length, name="fixed_length")(x)
        x = keras.layers.Flatten()(x)  # (batch, length × channels)
        output = keras.layers.Dense(size, kernel_initializer=_near_zero(spec.inputs.length), name="head")(x)
        return keras.Model(inputs, output, name="linear")
    scores = keras.layers.Embedding(vocabulary_size(spec), size, embeddings_initializer="zeros", name="embedding")(x)
    scores = add_ngrams(scores, x, ngrams, ngram_buckets)  # (batch, time, classes)
    output = Bias(name="head")(Pool("mean", name="pooling")(scores, steps))  # (batch, classes)
    return keras.Model(inputs, output, name="linear")


def linear_tagger(spec: SequenceSpec, *, window: Annotated[int, at_least(1)] = 1) -> keras.Model:
    """Build a linear model of each step's tag.

    Args:
        spec: what goes in and comes out.
        window: steps read for a tag, the current one in their middle; of an even number one more before it.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, time, classes).
    """
    inputs, x, steps = sequence_inputs(spec)
    size = output_size(spec)
    around = keras.layers.ZeroPadding1D((window // 2, window - 1 - window // 2))
    if not takes_tokens(spec):
        x = Windows(window, name="windows")(around(x))  # (batch, time, window × channels)
        return keras.Model(inputs, keras.layers.Dense(size, name="head")(x), name="linear")
    table = keras.layers.Embedding(vocabulary_size(spec), window * size, name="embedding")
    scores = around(Masked(name="masked_scores")(table(x), steps))
    scores = SumOfPositions(window, name="sum_of_positions")(scores)  # (batch, time, classes)
    return keras.Model(inputs, Bias(name="head")(scores), name="linear")


def linear_language_model(
    spec: SequenceSpec, *, window: TokenWindow = None, embedding: Annotated[int, at_least(1)] = 64
) -> keras.Model:
    """Build a log-bilinear model of the next token: a sum of vectors, one for each token at its position, and a head.

    Args:
        spec: what goes in and comes out.
        window: tokens read for the next one; None follows
            :func:`recurra.models.language_model_inputs.default_language_window`.
        embedding: dimensions of the vectors.

    Returns:
        An uncompiled model from tokens (batch, time) and the ids before them, state_0 (batch, window - 1), to logits
        (batch, time, vocabulary) and the ids for the next call.
    """
    window = window or default_language_window(spec)
    inputs = language_inputs(spec, [(window - 1, "int32")])
    tokens, state = carry_tokens(inputs["tokens"], inputs["state_0"])
    table = token_table(spec, window * embedding)
    x = SumOfPositions(window, name="sum_of_positions")(table(tokens))  # (batch, time, embedding)
    x = add_condition(x, inputs, spec)
    logits = next_token(x, table, spec)
    return keras.Model(inputs, {"logits": logits, "state_0": state}, name="linear")


def _near_zero(lookback: int) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.1 / lookback)

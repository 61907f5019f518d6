"""The dense family: a feed-forward network on a window; what leaves the window is lost.

Source of averaged words: Iyyer et al. (2015), Deep unordered composition rivals syntactic methods, ACL; of next words:
Bengio, Ducharme, Vincent & Jauvin (2003), A neural probabilistic language model, JMLR 3; of outputs fed back: Jordan
(1986), Serial order: a parallel distributed processing approach, ICS report 8604.
"""

from typing import Annotated, Any

import keras
from keras import ops

from ..spec import PADDING, SequenceSpec, TokensInput
from .embedding import Embedding, SecondEmbedding, embed, step_vectors
from .forecaster import Autoregressive, ForecastWindow, ShareTargets, WindowNorm, forecaster
from .language_model_inputs import (
    TokenWindow,
    add_condition,
    carry_tokens,
    default_language_window,
    language_inputs,
    next_token,
    token_table,
)
from .layers.dropout import Dropout
from .layers.jordan import JordanCell
from .layers.time_steps import FixedLength, Masked, Pool, Windows
from .sequence_inputs import drop_steps, of_kind, output_size, sequence_inputs, takes_tokens
from .settings import Buckets, Flag, Layers, NGrams, Rate, Rule, TokenFlag, TokensOnly, Units, Vectors, at_least, one_of
from .tensor import Tensor

FORECASTER_GRID: dict[str, list[Any]] = {
    "units": [64, 128, 256],
    "num_layers": [1, 2],
    "dropout": [0.0, 0.1, 0.3],
    "learning_rate": [1e-3, 3e-3, 3e-4],
}
CLASSIFIER_GRID: dict[str, list[Any]] = {
    "reading": [None, "average", "average_and_max", "window"],
    "ngrams": [1, 2],
    "embedding": [None],
    "units": [64, 128, 256],
    "num_layers": [1, 2],
    "dropout": [0.3, 0.5, 0.0],
    "learning_rate": [1e-3, 3e-3, 3e-4],
}
# `feedback` is left out: outputs that are read again are a state, and a simpler rival has none.
TAGGER_GRID: dict[str, list[Any]] = {
    "window": [8, 4, 16],
    "units": [64, 128],
    "embedding": [None],
    "dropout": [0.0, 0.3],
    "learning_rate": [3e-3, 1e-3, 1e-2],
}
LANGUAGE_MODEL_GRID: dict[str, list[Any]] = {
    "window": [None],
    "units": [128, 256],
    "embedding": [64, 128],
    "dropout": [0.0, 0.2, 0.5],
    "learning_rate": [1e-3, 3e-3, 3e-4],
}
READINGS = ("average", "average_and_max", "window")


def default_reading(spec: SequenceSpec) -> str:
    """How words become one vector: "average_and_max" where they are learnt from nothing, "average" of those of a file.

    In cross-validation (docs/benchmarks/strength.md) the largest values helped on every set without a file of vectors,
    and hurt with one.
    """
    return "average" if of_kind(spec.inputs, TokensInput).vectors else "average_and_max"


def default_reading_window(spec: SequenceSpec) -> int:
    """Tokens in the window: the longest sequence's, at most 64."""
    return min(spec.inputs.length, 64)


Reading = Annotated[str | None, one_of(*READINGS), Rule(default_reading), TokensOnly()]
ReadingWindow = Annotated[int | None, at_least(1), Rule(default_reading_window)]


def dense_forecaster(
    spec: SequenceSpec,
    *,
    units: Units = 64,
    num_layers: Layers = 1,
    dropout: Rate = 0.0,
    residual: Flag = False,
    window: ForecastWindow = None,
    window_norm: WindowNorm = None,
    share_targets: ShareTargets = True,
    autoregressive: Autoregressive = 0,
) -> keras.Model:
    """Build a feed-forward network on the window before the next steps.

    Args:
        spec: what goes in and comes out.
        units: width of each hidden layer.
        num_layers: number of hidden layers.
        dropout: fraction of hidden units left out in training.
        residual: add each hidden layer's input to its output, from the second one on.
        window, window_norm, share_targets, autoregressive: see :func:`recurra.models.forecaster.forecaster`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).
    """

    def core(values: Tensor, future: Tensor | None, outputs: int) -> Tensor:
        x = keras.layers.Flatten()(values)  # (batch, lookback × channels)
        if future is not None:
            x = keras.layers.Concatenate()([x, keras.layers.Flatten()(future)])
        x = _hidden(x, units, num_layers, dropout, residual)  # (batch, units)
        return keras.layers.Dense(outputs, name="head")(x)

    return forecaster(
        "dense",
        spec,
        core,
        window_norm=window_norm,
        share_targets=share_targets,
        autoregressive=autoregressive,
        window=window,
    )


def dense_classifier(
    spec: SequenceSpec,
    *,
    reading: Reading = None,
    window: ReadingWindow = None,
    units: Units = 64,
    num_layers: Layers = 1,
    dropout: Rate = 0.0,
    input_dropout: Rate = 0.0,
    residual: Flag = False,
    embedding: Embedding = None,
    ngrams: NGrams = 1,
    ngram_buckets: Buckets = 2**16,
    vectors: Vectors = None,
    train_vectors: TokenFlag = True,
    second_embedding: SecondEmbedding = 0,
) -> keras.Model:
    """Build a feed-forward network on the average of the words' vectors, or on the first ones side by side.

    The strongest sign of each dimension may stand beside the average: one word can decide, however long the text is.

    Values are read side by side, all `length` of them.

    Args:
        spec: what goes in and comes out.
        reading: "average" of all words' vectors, "average_and_max" of them side by side, or a "window" of the first
            ones in their order; None follows :func:`default_reading`.
        window: words in it; None follows :func:`default_reading_window`.
        units, num_layers, dropout, residual: of the hidden layers, as in :func:`dense_forecaster`.
        input_dropout: fraction of words left out in training.
        embedding, ngrams, ngram_buckets, vectors, train_vectors, second_embedding: see
            :func:`recurra.models.embedding.embed`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, classes).
    """
    inputs, x, steps = sequence_inputs(spec)
    if not takes_tokens(spec):
        x = keras.layers.Flatten()(
            FixedLength(spec.inputs.length, name="fixed_length")(x)
        )  # (batch, length × channels)
    else:
        reading = reading or default_reading(spec)
        if reading == "window":
            x = FixedLength(window or default_reading_window(spec), name="fixed_length")(x)  # (batch, window)
            steps = ops.not_equal(x, PADDING)
        x = embed(
            x,
            spec,
            embedding=embedding,
            ngrams=ngrams,
            ngram_buckets=ngram_buckets,
            vectors=vectors,
            train_vectors=train_vectors,
            second_embedding=second_embedding,
        )
        x = drop_steps(x, input_dropout)  # (batch, time, embedding)
        if reading == "window":
            x = keras.layers.Flatten()(Masked(name="masked_words")(x, steps))  # (batch, window × embedding)
        else:
            pools = [Pool("mean", name="average")(x, steps)]  # (batch, embedding)
            pools += [Pool("max", name="highest")(x, steps)] if reading == "average_and_max" else []
            x = keras.layers.Concatenate()(pools) if len(pools) > 1 else pools[0]
    x = _hidden(x, units, num_layers, dropout, residual)  # (batch, units)
    return keras.Model(inputs, keras.layers.Dense(output_size(spec), name="head")(x), name="dense")


def dense_tagger(
    spec: SequenceSpec,
    *,
    window: Annotated[int, at_least(1)] = 8,
    feedback: Annotated[int, at_least(0)] = 0,
    units: Units = 64,
    num_layers: Layers = 1,
    dropout: Rate = 0.0,
    residual: Flag = False,
    embedding: Embedding = None,
    vectors: Vectors = None,
    train_vectors: TokenFlag = True,
    second_embedding: SecondEmbedding = 0,
) -> keras.Model:
    """Build a feed-forward network on the newest steps, for each step's tag.

    Args:
        spec: what goes in and comes out.
        window: steps read for a tag, the current one the last of them.
        feedback: outputs beside the tags that are read again at the next step, the only thing that outlives the window;
            see :class:`recurra.models.layers.jordan.JordanCell`. With any, `dropout` applies to the window and
            `residual` to nothing.
        units, num_layers, dropout, residual: of the hidden layers, as in :func:`dense_forecaster`.
        embedding, vectors, train_vectors, second_embedding: see :func:`recurra.models.embedding.embed`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, time, classes).
    """
    inputs, x, steps = sequence_inputs(spec)
    x = step_vectors(
        x,
        steps,
        spec,
        embedding=embedding,
        vectors=vectors,
        train_vectors=train_vectors,
        second_embedding=second_embedding,
    )  # (batch, time, width)
    x = Windows(window, name="windows")(keras.layers.ZeroPadding1D((window - 1, 0))(x))  # (batch, time, window × width)
    if feedback:
        x = Dropout(dropout)(x) if dropout else x
        cell = JordanCell(units, num_layers, output_size(spec), feedback)
        return keras.Model(inputs, keras.layers.RNN(cell, return_sequences=True, name="feedback")(x), name="dense")
    x = _hidden(x, units, num_layers, dropout, residual)  # (batch, time, units)
    return keras.Model(inputs, keras.layers.Dense(output_size(spec), name="head")(x), name="dense")


def dense_language_model(
    spec: SequenceSpec,
    *,
    window: TokenWindow = None,
    units: Units = 128,
    num_layers: Layers = 1,
    embedding: Annotated[int, at_least(1)] = 64,
    dropout: Rate = 0.0,
    residual: Flag = False,
    tie_weights: Flag = False,
) -> keras.Model:
    """Build a feed-forward network on the last tokens' vectors, for the next token.

    Args:
        spec: what goes in and comes out.
        window: tokens read for the next one; None follows
            :func:`recurra.models.language_model_inputs.default_language_window`.
        units, num_layers, dropout, residual: of the hidden layers, as in :func:`dense_forecaster`.
        embedding: dimensions of the vectors.
        tie_weights: the head uses the vectors' table (Press & Wolf 2017).

    Returns:
        An uncompiled model from tokens (batch, time) and the ids before them, state_0 (batch, window - 1), to logits
        (batch, time, vocabulary) and the ids for the next call.
    """
    window = window or default_language_window(spec)
    inputs = language_inputs(spec, [(window - 1, "int32")])
    tokens, state = carry_tokens(inputs["tokens"], inputs["state_0"])
    table = token_table(spec, embedding, tie_weights)
    x = Windows(window, name="windows")(table(tokens))  # (batch, time, window × embedding)
    x = add_condition(x, inputs, spec)
    x = _hidden(x, units, num_layers, dropout, residual)  # (batch, time, units)
    return keras.Model(inputs, {"logits": next_token(x, table, spec), "state_0": state}, name="dense")


def _hidden(x: Tensor, units: int, num_layers: int, dropout: float, residual: bool) -> Tensor:
    """(batch, ..., width) → (batch, ..., units)."""
    for layer in range(num_layers):
        y = keras.layers.Dense(units, activation="relu")(x)
        y = Dropout(dropout)(y) if dropout else y
        x = x + y if residual and layer else y
    return x

"""The tcn family: dilated causal convolutions, whose dilation doubles from block to block; no hidden state is carried.

Source: Bai, Kolter & Koltun (2018), An empirical evaluation of generic convolutional and recurrent networks for
sequence modeling, arXiv:1803.01271; without its weight normalisation.
"""

from typing import Annotated, Any

import keras

from ..errors import InputError
from ..spec import SequenceSpec
from .embedding import Embedding, SecondEmbedding, embed, step_vectors
from .forecaster import Autoregressive, ShareTargets, WindowNorm, forecaster
from .language_model_inputs import add_condition, carry_tokens, language_inputs, next_token, token_table
from .layers.dropout import Dropout
from .layers.segments import Segments
from .layers.time_steps import JoinSteps, Pool
from .recurrent_classifier import Pooling, StepsPerSegment, default_pooling, default_steps_per_segment
from .recurrent_forecaster import SegmentLength, default_segment
from .sequence_inputs import drop_steps, output_size, sequence_inputs, takes_tokens
from .settings import Buckets, Flag, NGrams, Rate, TokenFlag, Units, Vectors, at_least
from .tensor import Tensor

FORECASTER_GRID: dict[str, list[Any]] = {
    "units": [64, 32, 128],
    "segment_length": [None, 1],
    "dropout": [0.0, 0.2],
    "learning_rate": [1e-3, 3e-3, 3e-4],
}
CLASSIFIER_GRID: dict[str, list[Any]] = {
    "units": [64, 128],
    "embedding": [None],
    "segment_length": [None, 1],
    "pooling": [None, "last"],
    "ngrams": [1, 2],
    "dropout": [0.3, 0.5, 0.0],
    "learning_rate": [1e-3, 3e-3, 3e-4],
}
TAGGER_GRID: dict[str, list[Any]] = {
    "units": [64, 128, 32],
    "embedding": [None],
    "dropout": [0.0, 0.3],
    "learning_rate": [3e-3, 1e-3, 1e-2],
}
LANGUAGE_MODEL_GRID: dict[str, list[Any]] = {
    "units": [128, 256],
    "num_layers": [4, 3],
    "dropout": [0.0, 0.2, 0.5],
    "learning_rate": [2e-3, 5e-3, 1e-3],
}
# A receptive field of 1,021 steps with kernels of 3; each further block costs time, and few sequences are longer.
MAX_LAYERS = 8

Kernel = Annotated[int, at_least(2)]
Blocks = Annotated[int | None, at_least(1)]


def receptive_field(num_layers: int, kernel_size: int = 3) -> int:
    """Steps that a prediction sees, the current one included: two convolutions a block, dilations 1, 2, 4, ...

    Example:
        >>> receptive_field(4)
        61
    """
    return 1 + 2 * (kernel_size - 1) * (2**num_layers - 1)


def default_num_layers(steps: int, kernel_size: int = 3) -> int:
    """Blocks whose receptive field covers so many steps, at most 8."""
    enough = (n for n in range(1, MAX_LAYERS) if receptive_field(n, kernel_size) >= steps)
    return next(enough, MAX_LAYERS)


def tcn_forecaster(
    spec: SequenceSpec,
    *,
    units: Units = 64,
    kernel_size: Kernel = 3,
    num_layers: Blocks = None,
    segment_length: SegmentLength = None,
    dropout: Rate = 0.0,
    window_norm: WindowNorm = None,
    share_targets: ShareTargets = True,
    autoregressive: Autoregressive = 0,
) -> keras.Model:
    """Build segments → blocks of causal convolutions → last step → all forecast steps at once.

    Args:
        spec: what goes in and comes out.
        units: channels of each convolution.
        kernel_size: steps that a convolution reads.
        num_layers: residual blocks; None follows :func:`default_num_layers`, for the number of segments and the kernel.
        segment_length: values read in one step, as the recurrent families do; None follows
            :func:`recurra.models.recurrent_forecaster.default_segment_length`.
        dropout: fraction of channels left out after each convolution in training.
        window_norm, share_targets, autoregressive: see :func:`recurra.models.forecaster.forecaster`.

    Returns:
        An uncompiled model from (batch, lookback, channels) to (batch, horizon, targets).
    """
    lookback = spec.inputs.length
    segment = segment_length or default_segment(spec)
    if not 1 <= segment <= lookback:
        raise InputError(f"`segment_length` must be between 1 and the lookback {lookback}; received {segment}")
    blocks = num_layers or default_num_layers(lookback // segment, kernel_size)

    def core(values: Tensor, future: Tensor | None, outputs: int) -> Tensor:
        x = Segments(segment, name="segments")(values) if segment > 1 else values  # (batch, steps, channels)
        x = _blocks(x, units, kernel_size, blocks, dropout)[:, -1]  # (batch, units)
        if future is not None:
            x = keras.layers.Concatenate()([x, keras.layers.Flatten()(future)])
        return keras.layers.Dense(outputs, name="head")(x)

    return forecaster(
        "tcn", spec, core, window_norm=window_norm, share_targets=share_targets, autoregressive=autoregressive
    )


def tcn_classifier(
    spec: SequenceSpec,
    *,
    units: Units = 64,
    kernel_size: Kernel = 3,
    num_layers: Blocks = None,
    segment_length: StepsPerSegment = None,
    pooling: Pooling = None,
    dropout: Rate = 0.0,
    input_dropout: Rate = 0.0,
    embedding: Embedding = None,
    ngrams: NGrams = 1,
    ngram_buckets: Buckets = 2**16,
    vectors: Vectors = None,
    train_vectors: TokenFlag = True,
    second_embedding: SecondEmbedding = 0,
) -> keras.Model:
    """Build embedding → segments → blocks of causal convolutions → pooling → one prediction.

    Args:
        spec: what goes in and comes out.
        units, kernel_size, num_layers, dropout: as in :func:`tcn_forecaster`.
        segment_length, pooling, input_dropout, embedding, ngrams, ngram_buckets, vectors, train_vectors,
            second_embedding: as in :func:`recurra.models.recurrent_classifier.recurrent_classifier`.

    Returns:
        An uncompiled model from tokens (batch, time), or values (batch, time, channels) and lengths, to
        (batch, classes).
    """
    inputs, x, steps = sequence_inputs(spec)
    if takes_tokens(spec):
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
    x = drop_steps(x, input_dropout)  # (batch, time, channels)
    segment = segment_length or default_steps_per_segment(spec)
    if segment > 1:
        x, steps = JoinSteps(segment, "average" if takes_tokens(spec) else "concatenate", name="segments")(x, steps)
    blocks = num_layers or default_num_layers(-(-spec.inputs.length // segment), kernel_size)
    x = _blocks(x, units, kernel_size, blocks, dropout)  # (batch, time, units)
    x = Pool(pooling or default_pooling(spec), name="pooling")(x, steps)  # (batch, units)
    return keras.Model(inputs, keras.layers.Dense(output_size(spec), name="head")(x), name="tcn")


def tcn_tagger(
    spec: SequenceSpec,
    *,
    units: Units = 64,
    kernel_size: Kernel = 3,
    num_layers: Blocks = None,
    dropout: Rate = 0.0,
    input_dropout: Rate = 0.0,
    embedding: Embedding = None,
    vectors: Vectors = None,
    train_vectors: TokenFlag = True,
    second_embedding: SecondEmbedding = 0,
) -> keras.Model:
    """Build embedding → blocks of causal convolutions → a tag for every step.

    Args:
        spec: what goes in and comes out.
        units, kernel_size, num_layers, dropout, input_dropout, embedding, vectors, train_vectors,
            second_embedding: as in :func:`tcn_classifier`.

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
    x = drop_steps(x, input_dropout)
    blocks = num_layers or default_num_layers(spec.inputs.length, kernel_size)
    x = _blocks(x, units, kernel_size, blocks, dropout)  # (batch, time, units)
    return keras.Model(inputs, keras.layers.Dense(output_size(spec), name="head")(x), name="tcn")


def tcn_language_model(
    spec: SequenceSpec,
    *,
    units: Units = 128,
    kernel_size: Kernel = 3,
    num_layers: Annotated[int, at_least(1)] = 4,
    embedding: Annotated[int | None, at_least(1)] = None,
    dropout: Rate = 0.0,
    tie_weights: Flag = False,
) -> keras.Model:
    """Build embedding → blocks of causal convolutions → logits of the next token.

    Args:
        spec: what goes in and comes out.
        units, kernel_size, num_layers, dropout: as in :func:`tcn_forecaster`; four blocks of kernels of 3 see 61
            tokens.
        embedding: dimensions of the tokens' vectors; by default as many as units.
        tie_weights: the head uses the embedding's table (Press & Wolf 2017).

    Returns:
        An uncompiled model from tokens (batch, time) and the ids before them, state_0 (batch, receptive field - 1), to
        logits (batch, time, vocabulary) and the ids for the next call.
    """
    before = receptive_field(num_layers, kernel_size) - 1
    inputs = language_inputs(spec, [(before, "int32")])
    tokens, state = carry_tokens(inputs["tokens"], inputs["state_0"])
    table = token_table(spec, embedding or units, tie_weights)
    x = _blocks(table(tokens), units, kernel_size, num_layers, dropout)[:, before:]  # (batch, time, units)
    x = add_condition(x, inputs, spec)
    return keras.Model(inputs, {"logits": next_token(x, table, spec), "state_0": state}, name="tcn")


def _blocks(x: Tensor, units: int, kernel_size: int, num_layers: int, dropout: float) -> Tensor:
    """Residual blocks of two causal convolutions each: (batch, time, channels) → (batch, time, units)."""
    for i in range(num_layers):
        y = x
        for j in range(2):
            y = _convolution(units, kernel_size, 2**i, f"block_{i}_convolution_{j}")(y)  # (batch, time, units)
            y = Dropout(dropout, noise_shape=(None, 1, None))(y) if dropout else y
        same = x if x.shape[-1] == units else keras.layers.Dense(units, name=f"block_{i}_projection")(x)
        x = keras.layers.Activation("relu", name=f"block_{i}")(same + y)
    return x


def _convolution(units: int, kernel_size: int, dilation: int, name: str) -> keras.layers.Layer:
    """A convolution of steps `dilation` apart, the current one the last of them; steps before the first are zeros."""
    return keras.layers.Conv1D(
        units,
        kernel_size,
        padding="causal",
        dilation_rate=dilation,
        activation="relu",
        kernel_initializer="he_uniform",
        name=name,
    )

"""Parameters of the estimators, in groups: what each family's factory takes, how texts are read, how training runs.

They are dataclasses so that ``__init__`` names every parameter and does nothing but assign it, as scikit-learn asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(kw_only=True, eq=False, repr=False)
class TrainingParameters:
    """How a network is trained."""

    learning_rate: float | None = None
    epsilon: float = 1e-7
    batch_size: int = 32
    max_epochs: int = 100
    patience: int = 10
    validation_fraction: float = 0.1
    warm_start: bool = False
    random_state: Any = None
    verbose: int = 0
    callbacks: Any = None


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceParameters:
    """How sequences and texts are read."""

    sequence_length: int | None = None
    keep: str = "first"
    channels: str = "last"
    tokens: str | None = None
    vocabulary_size: int = 20_000
    min_count: int | None = None


@dataclass(kw_only=True, eq=False, repr=False)
class ClassifierParameters:
    """What only classifiers have."""

    class_weight: Any = None


@dataclass(kw_only=True, eq=False, repr=False)
class RegressorParameters:
    """What only regressors have."""

    loss: str = "mse"


@dataclass(kw_only=True, eq=False, repr=False)
class LinearParameters:
    """Settings of the linear family."""

    ngrams: int = 1
    ngram_buckets: int = 2**18


@dataclass(kw_only=True, eq=False, repr=False)
class DenseParameters:
    """Settings of the dense family."""

    units: int = 64
    num_layers: int = 1
    dropout: float = 0.0
    input_dropout: float = 0.0
    residual: bool = False
    reading: str | None = None
    window: int | None = None
    embedding: int | None = None
    vectors: str | Path | None = None
    train_vectors: bool = True
    second_embedding: int = 0
    ngrams: int = 1
    ngram_buckets: int = 2**16


@dataclass(kw_only=True, eq=False, repr=False)
class TCNParameters:
    """Settings of the tcn family."""

    units: int = 64
    kernel_size: int = 3
    num_layers: int | None = None
    segment_length: int | None = None
    pooling: str | None = None
    dropout: float = 0.0
    input_dropout: float = 0.0
    embedding: int | None = None
    vectors: str | Path | None = None
    train_vectors: bool = True
    second_embedding: int = 0
    ngrams: int = 1
    ngram_buckets: int = 2**16


@dataclass(kw_only=True, eq=False, repr=False)
class RecurrentParameters:
    """Settings of the recurrent families."""

    units: int = 64
    num_layers: int = 1
    bidirectional: bool = False
    segment_length: int | None = None
    pooling: str | None = None
    dropout: float = 0.0
    input_dropout: float = 0.0
    residual: bool = False
    embedding: int | None = None
    vectors: str | Path | None = None
    train_vectors: bool = True
    second_embedding: int = 0
    ngrams: int = 1
    ngram_buckets: int = 2**16


@dataclass(kw_only=True, eq=False, repr=False)
class AnyFamilyParameters:
    """Settings of all families; None leaves a choice to the family, and must where it has no such setting."""

    family: str = "lstm"
    units: int | None = None
    num_layers: int | None = None
    bidirectional: bool | None = None
    kernel_size: int | None = None
    segment_length: int | None = None
    pooling: str | None = None
    reading: str | None = None
    window: int | None = None
    dropout: float | None = None
    input_dropout: float | None = None
    residual: bool | None = None
    embedding: int | None = None
    vectors: str | Path | None = None
    train_vectors: bool | None = None
    second_embedding: int | None = None
    ngrams: int | None = None
    ngram_buckets: int | None = None


# Parameters that go to the family's factory as they are; `vectors` names a file, of which it gets the words' own.
FAMILY_SETTINGS = frozenset(AnyFamilyParameters.__dataclass_fields__) - {"family", "vectors"}

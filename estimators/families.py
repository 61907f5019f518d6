"""An estimator for each family, and one for any."""

from __future__ import annotations

from dataclasses import dataclass

from .classifier import ClassifierOfSequences
from .documentation import documented
from .parameters import AnyFamilyParameters, DenseParameters, LinearParameters, RecurrentParameters, TCNParameters
from .regressor import RegressorOfSequences


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class LinearClassifier(LinearParameters, ClassifierOfSequences):
    """Classifier of sequences: a weighted sum of all values, or of a score for each word."""

    family = "linear"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class DenseClassifier(DenseParameters, ClassifierOfSequences):
    """Classifier of sequences: a feed-forward network on all values side by side, or on the average of the words."""

    family = "dense"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class TCNClassifier(TCNParameters, ClassifierOfSequences):
    """Classifier of sequences: dilated causal convolutions."""

    family = "tcn"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class SimpleRNNClassifier(RecurrentParameters, ClassifierOfSequences):
    """Classifier of sequences: a simple recurrent network (Elman 1990)."""

    family = "simple_rnn"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class GRUClassifier(RecurrentParameters, ClassifierOfSequences):
    """Classifier of sequences: a gated recurrent unit (Cho et al. 2014)."""

    family = "gru"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class LSTMClassifier(RecurrentParameters, ClassifierOfSequences):
    """Classifier of sequences: a long short-term memory (Hochreiter & Schmidhuber 1997)."""

    family = "lstm"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class SequenceClassifier(AnyFamilyParameters, ClassifierOfSequences):
    """Classifier of sequences of any family: which one is a parameter, which a grid search may choose."""


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class LinearRegressor(LinearParameters, RegressorOfSequences):
    """Regressor of sequences: a weighted sum of all values, or of a score for each word."""

    family = "linear"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class DenseRegressor(DenseParameters, RegressorOfSequences):
    """Regressor of sequences: a feed-forward network on all values side by side, or on the average of the words."""

    family = "dense"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class TCNRegressor(TCNParameters, RegressorOfSequences):
    """Regressor of sequences: dilated causal convolutions."""

    family = "tcn"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class SimpleRNNRegressor(RecurrentParameters, RegressorOfSequences):
    """Regressor of sequences: a simple recurrent network (Elman 1990)."""

    family = "simple_rnn"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class GRURegressor(RecurrentParameters, RegressorOfSequences):
    """Regressor of sequences: a gated recurrent unit (Cho et al. 2014)."""

    family = "gru"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class LSTMRegressor(RecurrentParameters, RegressorOfSequences):
    """Regressor of sequences: a long short-term memory (Hochreiter & Schmidhuber 1997)."""

    family = "lstm"


@documented
@dataclass(kw_only=True, eq=False, repr=False)
class SequenceRegressor(AnyFamilyParameters, RegressorOfSequences):
    """Regressor of sequences of any family: which one is a parameter, which a grid search may choose."""

"""Regressors of whole sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.callback import with_callbacks
from sklearn.utils.validation import _check_y, check_consistent_length

from ..training import LOSSES
from .encoding import scale_of
from .parameters import RegressorParameters
from .sequence_estimator import SequenceEstimator, Targets, _check_one_of


@dataclass(kw_only=True, eq=False, repr=False)
class RegressorOfSequences(RegressorParameters, RegressorMixin, SequenceEstimator):
    """What all regressors are."""

    _task = "regression"
    _output_kind = "value"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps) or (n_samples, n_steps, n_channels), or list
            Sequences of numbers; a list may hold arrays of different length, texts, or lists of tokens.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            A row of weight 2 counts as the same row twice.
        groups : array-like of shape (n_samples,), default=None
            What belongs together (a patient, a film): rows of one group never both train and stop the training.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        go_on = bool(self.warm_start) and hasattr(self, "n_outputs_")
        return self._fit(X, y, sample_weight, go_on=go_on, groups=groups)

    @with_callbacks
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on a batch.

        Scale, lengths and vocabulary are learnt from the first batch.

        Parameters
        ----------
        X, y : as in `fit`
            The batch.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
            The estimator.
        """
        return self._fit(X, y, sample_weight, go_on=hasattr(self, "n_outputs_"), epochs=1)

    def predict(self, X: Any) -> np.ndarray:
        """Predicted values.

        Parameters
        ----------
        X : as in `fit`
            Sequences.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the unit of the data.
        """
        outputs = self._outputs(X)
        encoder: Any = self._encoding.pipeline.target_encoder_
        values = outputs * encoder.scale_ + encoder.mean_
        return values[:, 0] if self.y_ndim_ == 1 else values

    # ------------------------------------------------------------------------------------------------ what is learnt

    def _checked_config(self) -> dict[str, Any]:
        _check_one_of(self, "loss", self.loss, LOSSES)
        return super()._checked_config()

    def _check_y(self, y: Any, n_rows: int, *, classes: Any, go_on: bool) -> Targets:  # noqa: ARG002
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        values = np.asarray(_check_y(y, multi_output=True, y_numeric=True, estimator=self), dtype=float)
        check_consistent_length(values, range(n_rows))
        one_column, values = values.ndim == 1, values.reshape(n_rows, -1)
        if go_on and values.shape[1] != self.n_outputs_:
            raise ValueError(f"`y` has {values.shape[1]} outputs, but the earlier fit had {self.n_outputs_}.")
        return Targets(values, one_column=one_column)

    def _check_targets(self, targets: Targets) -> None:
        """Any values can be learnt."""

    def _target_config(self, targets: Targets, rows: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
        mean, scale = scale_of(targets.numbers[rows], weight)
        return {"kind": "regression", "mean": mean.tolist(), "scale": scale.tolist()}

    def _training_loss(self) -> str:
        return self.loss

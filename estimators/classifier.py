"""Classifiers of whole sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.callback import with_callbacks
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length

from .parameters import ClassifierParameters
from .sequence_estimator import SequenceEstimator, Targets


@dataclass(kw_only=True, eq=False, repr=False)
class ClassifierOfSequences(ClassifierParameters, ClassifierMixin, SequenceEstimator):
    """What all classifiers are."""

    _task = "classification"
    _output_kind = "class"

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_steps) or (n_samples, n_steps, n_channels), or list
            Sequences of numbers; a list may hold arrays of different length, texts, or lists of tokens.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            A row of weight 2 counts as the same row twice.
        groups : array-like of shape (n_samples,), default=None
            What belongs together (a patient, a film): rows of one group never both train and stop the training.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        go_on = bool(self.warm_start) and hasattr(self, "classes_")
        return self._fit(X, y, sample_weight, go_on=go_on, groups=groups)

    @with_callbacks
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch on a batch.

        Scale, lengths and vocabulary are learnt from the first batch.

        Parameters
        ----------
        X, y : as in `fit`
            The batch.
        classes : array-like of shape (n_classes,), default=None
            All labels there will ever be; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
            The estimator.
        """
        go_on = hasattr(self, "classes_")
        if not go_on and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if go_on and classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(
                f"`classes={np.asarray(classes)!r}` is not the same as on last call to partial_fit, was: "
                f"{self.classes_!r}"
            )
        known = self.classes_ if go_on else np.unique(classes)
        return self._fit(X, y, sample_weight, go_on=go_on, epochs=1, classes=known)

    def decision_function(self, X: Any) -> np.ndarray:
        """Scores of the classes, before they become probabilities.

        Parameters
        ----------
        X : as in `fit`
            Sequences.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Of two classes how much the second one is preferred, otherwise a logit for each class.
        """
        logits = self._outputs(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes.

        Parameters
        ----------
        X : as in `fit`
            Sequences.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.column_stack([expit(-scores), expit(scores)])
        return softmax(scores, axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest labels.

        Parameters
        ----------
        X : as in `fit`
            Sequences.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Of the type of the labels in `fit`.
        """
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    # ------------------------------------------------------------------------------------------------ what is learnt

    def _check_y(self, y: Any, n_rows: int, *, classes: Any, go_on: bool) -> Targets:
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        labels = _check_y(y, multi_output=False, y_numeric=False, estimator=self)
        check_consistent_length(labels, range(n_rows))
        check_classification_targets(labels)
        known = classes if classes is not None else np.unique(labels)
        if go_on and classes is None and not np.array_equal(known, self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {known}."
            )
        if unknown := set(labels.tolist()) - set(known.tolist()):
            raise ValueError(f"`y` has classes not in `self.classes_`: {sorted(unknown, key=str)}.")
        return Targets(np.searchsorted(known, labels).astype("int32"), known)

    def _check_targets(self, targets: Targets) -> None:
        if targets.classes is not None and len(targets.classes) < 2:
            raise ValueError(
                f"This {type(self).__name__} needs samples of at least 2 classes in the data, but the data contains "
                f"only one class: {targets.classes.tolist()[0]!r}."
            )

    def _class_weights(self, targets: Targets, weight: np.ndarray | None) -> np.ndarray | None:
        if self.class_weight is None or targets.classes is None:
            return weight
        rows = np.ones(len(targets.numbers)) if weight is None else weight
        present = np.unique(targets.numbers[rows > 0])
        chosen = {targets.classes[i] for i in present}
        own: Any = self.class_weight
        if isinstance(own, dict):
            own = {label: value for label, value in own.items() if label in chosen or label not in set(targets.classes)}
        each = np.zeros(len(targets.classes))
        each[present] = compute_class_weight(
            own, classes=targets.classes[present], y=targets.classes[targets.numbers], sample_weight=rows
        )
        return rows * each[targets.numbers]

    def _target_config(self, targets: Targets, rows: np.ndarray, weight: np.ndarray) -> dict[str, Any]:  # noqa: ARG002
        labels = [] if targets.classes is None else targets.classes.tolist()
        return {"kind": "classification", "classes": [c.decode() if isinstance(c, bytes) else c for c in labels]}

    def _training_loss(self) -> str:
        return "crossentropy"

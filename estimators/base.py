"""What classifiers, regressors and forecasters have in common: watching a fit, saving, exporting, comparing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted

from ..atomic import replacing
from ..errors import InputError
from .plain_values import from_json, to_json

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..frames import Frame
    from ..pipelines.protocol import RawInputs
    from ..predictor import Predictor

_FILE = "estimator.json"
# Parameters that hold objects of the program; they are not saved.
_NOT_SAVED = ("callbacks",)

Attributes = Callable[[], dict[str, Any]]


class OnEpoch(Protocol):
    """What is called after each epoch, with its number from 1 and its loss; True ends the fit.

    `attributes` gives what the estimator would be now, for callbacks that score it.
    """

    def __call__(self, epoch: int, loss: float, attributes: Attributes | None = None) -> bool: ...


class Estimator(CallbackSupportMixin, BaseEstimator):
    """The methods that every estimator of recurra has beside those of scikit-learn.

    A subclass has the parameters ``family`` (or a class attribute of that name) and ``verbose``, and the methods below
    whose name begins with an underscore.
    """

    family: str
    verbose: int

    # ------------------------------------------------------------------------------------------------ what differs

    def _predictor(self) -> Predictor[Any]:
        """The fitted network as the predictor that exports and files are made of."""
        raise NotImplementedError

    def _restore(self, predictor: Predictor[Any]) -> None:
        """Set what cannot be written as JSON, from a predictor that was read."""
        raise NotImplementedError

    def _sample(self, X: Any) -> RawInputs:
        """Raw inputs that an export is checked on: of `X`, or made up where that is None."""
        raise NotImplementedError

    def _frame(self, X: Any, y: Any) -> Frame:
        """Training data as a comparison reads them."""
        raise NotImplementedError

    def _comparison_settings(self) -> dict[str, Any]:
        """What a comparison has to know: the variant of the family, its rivals, the task's settings."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------ what is shared

    @contextmanager
    def _watched(self, max_epochs: int, **data: Any) -> Iterator[OnEpoch]:
        """Tell scikit-learn's callbacks and the screen about a fit: gives a function to be called after each epoch.

        ``fit`` itself has to be decorated with ``sklearn.callback.with_callbacks``.

        Args:
            max_epochs: the most there will be.
            **data: ``X`` and ``y``, for callbacks that score.
        """
        context = self._init_callback_context(max_subtasks=max_epochs)
        context.call_on_fit_task_begin(estimator=self, **data)

        def on_epoch(epoch: int, loss: float, attributes: Attributes | None = None) -> bool:
            if self.verbose:
                print(f"{type(self).__name__}: epoch {epoch} of at most {max_epochs}, loss {loss:.4g}", file=sys.stdout)
            step = context.subcontext(task_name="epoch")
            step.call_on_fit_task_begin(estimator=self, **data)
            return bool(step.call_on_fit_task_end(estimator=self, reconstruction_attributes=attributes, **data))

        yield on_epoch
        context.call_on_fit_task_end(estimator=self, **data)

    def export(self, path: str | Path, X: Any = None) -> Path:
        """Export the fitted model as a SavedModel that takes raw inputs, as ``recurra serve`` reads it.

        Parameters
        ----------
        path : str or Path
            The model's folder; versions are the whole numbers in it.
        X : same as in `fit`, default=None
            Real rows that the export is compared on before it appears; some are made up where none are given.

        Returns
        -------
        version : Path
            The folder of the new version.
        """
        from ..export import write_version

        check_is_fitted(self)
        predictor = self._predictor()
        training = {"estimator": type(self).__name__, **self._saved_parameters()}
        return write_version(predictor, path, self._sample(X), self.data_description_, training=training)

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator into a folder, as JSON and a ``.keras`` file: loading it runs no code.

        Parameters
        ----------
        path : str or Path
            The folder; an estimator that was saved there before is replaced. Callbacks are not saved, nor is a
            `random_state` that is a generator.
        """
        check_is_fitted(self)
        folder = Path(path)
        attributes = {name: value for name, value in vars(self).items() if name.endswith("_")}
        state = {"class": type(self).__name__, "parameters": self._saved_parameters(), "attributes": attributes}
        self._predictor().save(folder)
        with replacing(folder / _FILE) as file:
            file.write_text(json.dumps({name: to_json(value) for name, value in state.items()}), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Parameters
        ----------
        path : str or Path
            The folder.

        Returns
        -------
        estimator : object
            The fitted estimator.
        """
        from ..predictor import Predictor

        file = Path(path) / _FILE
        if not file.is_file():
            raise InputError(f"{path} holds no saved estimator: there is no {_FILE} in it")
        state = {name: from_json(value) for name, value in json.loads(file.read_text(encoding="utf-8")).items()}
        if state["class"] != cls.__name__:
            raise InputError(f"{path} holds a {state['class']}; load it with {state['class']}.load")
        estimator = cls(**state["parameters"])
        for name, value in state["attributes"].items():
            setattr(estimator, name, value)
        estimator._restore(Predictor.load(path))
        return estimator

    def _saved_parameters(self) -> dict[str, Any]:
        """Parameters that can be written as JSON."""
        kept = {}
        for name, value in self.get_params(deep=False).items():
            if name in _NOT_SAVED:
                continue
            try:
                to_json(value)
            except TypeError:
                continue
            kept[name] = value
        return kept

    def _compared(self, X: Any, y: Any, settings: dict[str, Any]) -> Comparison:
        """Compare this family with every simpler one, and with baselines, on the same folds."""
        from ..comparison import compare

        return compare(self._frame(X, y), **{**self._comparison_settings(), **settings})

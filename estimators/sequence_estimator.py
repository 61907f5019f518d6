"""What classifiers and regressors share: from ``X`` and ``y`` to a trained network, and back to predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from inspect import signature
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from ..errors import InputError
from ..frames import describe
from ..models import FAMILIES, OFFSET_SETTINGS, TRAINING_SETTINGS, Plan, parse_variant, simpler_families
from ..models.settings import applicable, settings_of
from ..pipelines.ragged import Ragged
from ..pipelines.text_encoder import KEEPS, TextEncoder
from ..predictor import Predictor
from ..predictor.sequences import SequenceNetwork, SequenceSchema
from .base import Estimator
from .batches import Rows, Steps, blocks
from .data_frames import comparison_frame, plain_frame
from .encoding import Encoding, ReadingSettings, fit_encoding
from .fitting import FitSettings, NetworkState, train
from .network import POOL, Weights, first_weights
from .parameters import FAMILY_SETTINGS, SequenceParameters, TrainingParameters
from .reading import Examples, read_examples
from .seeds import seed_of
from .structure import network_of, structure_of
from .training_rows import TrainingRows, canonical, hold_out

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    from ..comparison import Comparison
    from ..frames import Frame
    from ..pipelines.protocol import RawInputs

# Single precision makes an answer depend on the rows beside it, in the seventh digit; double precision costs half as
# much again, or more. So few rows are predicted in the latter, many in the former.
_MANY = 1024
# Settings of trainings elsewhere: averaged weights, the schedule of the learning rate, a baseline to add to.
_NOT_TRAINED_BY = (TRAINING_SETTINGS.keys() | OFFSET_SETTINGS.keys()) - {"learning_rate", "epsilon"}
_SAMPLE = 16  # rows that an export is checked on where none are given


@dataclass(frozen=True, eq=False)
class Targets:
    """What is learnt.

    Attributes:
        numbers: classes (rows,) int32, or values (rows, values) float64.
        classes: labels by number; None of values.
        one_column: whether the user's values were one number for each row, and not a column.
    """

    numbers: np.ndarray
    classes: np.ndarray | None = None
    one_column: bool = True


class FittedSequences(Estimator):
    """What a fit leaves behind; not a dataclass, which would take these for parameters."""

    _task: str
    _output_kind: str
    _encoding: Encoding
    _state: NetworkState
    seed_: int
    history_: dict[str, list[float]]
    input_kind_: str


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceEstimator(TrainingParameters, SequenceParameters, FittedSequences):
    """A network on whole sequences, trained in memory; the class of the targets is added by the subclasses.

    A subclass has :meth:`_check_y`, :meth:`_check_targets`, :meth:`_target_config` and :meth:`_training_loss`, and the
    attributes ``_task`` (of :mod:`recurra.tasks`) and ``_output_kind`` (of :mod:`recurra.spec`).
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags

    # ------------------------------------------------------------------------------------------------ fit

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        go_on: bool,
        epochs: int | None = None,
        classes: Any = None,
        groups: Any = None,
    ) -> Self:
        """Fit anew, or go on; for so many epochs without a validation set where `epochs` is given."""
        config = self._checked_config()
        examples = self._read(X, reset=not go_on)
        targets = self._check_y(y, len(examples), classes=classes, go_on=go_on)
        weight = self._check_weights(sample_weight, examples, targets)
        if weight is not None and targets.classes is not None and classes is None and not go_on:
            targets = _present(targets, weight)
        of_row = _checked_groups(groups, len(examples))
        rows = canonical(len(examples), examples.row_bytes, _told_apart(targets.numbers, of_row), weight)
        seed = self.seed_ if go_on else seed_of(self.random_state)
        strata = None if targets.classes is None else targets.numbers[rows.rows]
        together = None if of_row is None else of_row[rows.rows]
        training, validation = hold_out(rows, strata, 0.0 if epochs else self.validation_fraction, seed, together)
        if go_on:
            encoding, state = self._encoding, replace(self._state)
        else:
            self._check_targets(targets)
            own = rows.rows[training], rows.weight[training]
            encoding = fit_encoding(examples, *own, self._target_config(targets, *own), self._reading_settings())
            state = self._first_state(encoding, config, seed)
        encoded = encoding.sequences(examples)
        parts = [_as_numbers(encoding, encoded, targets, rows, part) for part in (training, validation)]
        settings = self._fit_settings(config, seed, epochs)
        with self._watched(settings.max_epochs, X=X, y=y) as watch:

            def on_epoch(epoch: int, loss: float, weights: Callable[[], Weights]) -> bool:
                def attributes() -> dict[str, Any]:
                    now = {"_encoding": encoding, "_state": replace(state, weights=weights()), "n_iter_": epoch}
                    return now | self._target_attributes(targets)

                return watch(epoch, loss, attributes)

            history = train(state, parts[0], parts[1] if len(validation) else None, settings, on_epoch)
        self._encoding, self._state, self.seed_ = encoding, state, seed
        self._remember(examples, targets, history, go_on)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_iter_")

    def _checked_config(self) -> dict[str, Any]:
        """The family's own settings, checked, and the parameters that no factory checks."""
        from ..models import check_config, known_settings

        given = self.get_params(deep=False)
        config = {name: given[name] for name in FAMILY_SETTINGS if given.get(name) is not None}
        config["epsilon"] = self.epsilon
        if self.learning_rate is not None:
            config["learning_rate"] = self.learning_rate
        family, own = self._variant()
        config |= own
        if isinstance(config.get("learning_rate"), str):
            raise InputError(
                f"`learning_rate` of {type(self).__name__} must be a number above 0; received "
                f'{config["learning_rate"]!r} ("find" is for comparisons, `recurra.fit` and forecasters)'
            )
        check_config(family, self._output_kind, config)
        if unused := sorted(set(config) & _NOT_TRAINED_BY):
            raise InputError(f"estimators have no setting `{unused[0]}`; train {self.family!r} with recurra.fit")
        if given.get("vectors") is not None and "vectors" not in known_settings(family, self._output_kind):
            raise InputError(f"{family} for {self._task} has no setting `vectors`; choose another family")
        for name in ("batch_size", "max_epochs", "patience", "vocabulary_size"):
            _check_whole(self, name, given[name])
        for name in ("sequence_length", "min_count"):
            if given[name] is not None:
                _check_whole(self, name, given[name])
        _check_one_of(self, "keep", self.keep, KEEPS)
        _check_one_of(self, "channels", self.channels, ("last", "first"))
        if not 0 <= self.validation_fraction < 1:
            raise InputError(_message(self, "validation_fraction", "a number from 0 to below 1"))
        return config

    def _variant(self) -> tuple[str, dict[str, Any]]:
        """The family, and the settings that stand in its name."""
        return parse_variant(self.family, self._output_kind)

    def _read(self, X: Any, *, reset: bool) -> Examples:
        kind = None if reset else self._encoding.kind
        return read_examples(self, X, fitted_kind=kind, channels=self.channels)

    def _check_weights(self, sample_weight: Any, examples: Examples, targets: Targets) -> np.ndarray | None:
        """Weights of the rows (rows,), those of their classes included."""
        if sample_weight is None:
            return self._class_weights(targets, None)
        like = np.empty((len(examples), 1))
        weight = _check_sample_weight(sample_weight, like, dtype=np.float64, ensure_non_negative=True)
        return self._class_weights(targets, weight)

    def _class_weights(self, targets: Targets, weight: np.ndarray | None) -> np.ndarray | None:  # noqa: ARG002
        return weight

    def _first_state(self, encoding: Encoding, config: dict[str, Any], seed: int) -> NetworkState:
        """A network with first weights."""
        from .. import models

        spec, family = encoding.pipeline.spec, self._variant()[0]
        known = applicable(settings_of(_plan(family, self._output_kind).build), spec)
        own = {name: value for name, value in config.items() if name in known} | self._word_vectors(encoding)
        model, weights = first_weights(lambda: models.build(family, spec, **own), seed)
        return NetworkState(structure_of(model), self._training_loss(), weights)

    def _word_vectors(self, encoding: Encoding) -> dict[str, np.ndarray]:
        """Vectors of a file for the words of the vocabulary: (tokens, dimensions) float32."""
        from ..tasks.sequences import word_vectors

        file = self.get_params(deep=False).get("vectors")
        if file is None:
            return {}
        encoder = encoding.pipeline.encoder
        if not isinstance(encoder, TextEncoder):
            raise InputError("`vectors` are vectors of words, but X holds numbers; leave them out, or give texts")
        return {"vectors": word_vectors(file, encoder.vocabulary_.words)[0]}

    def _reading_settings(self) -> ReadingSettings:
        from ..tasks.sequences import usual_min_count

        min_count = self.min_count or usual_min_count(self.get_params(deep=False).get("vectors"))
        return ReadingSettings(self.sequence_length, self.keep, self.tokens, self.vocabulary_size, min_count)

    def _fit_settings(self, config: dict[str, Any], seed: int, epochs: int | None) -> FitSettings:
        done = len(self.history_["loss"]) if epochs and hasattr(self, "history_") else 0
        return FitSettings(
            learning_rate=self._rate(config),
            epsilon=float(config["epsilon"]),
            batch_size=self.batch_size,
            max_epochs=epochs or self.max_epochs,
            patience=self.patience,
            seed=seed,
            first_epoch=done,
            callbacks=tuple(self.callbacks or ()),
            keep_optimizer=epochs is not None,
        )

    def _rate(self, config: dict[str, Any]) -> float:
        usual = _plan(self._variant()[0], self._output_kind).grid["learning_rate"][0]
        return float(config.get("learning_rate", usual))

    def _remember(self, examples: Examples, targets: Targets, history: dict[str, list[float]], go_on: bool) -> None:
        """Set the fitted attributes."""
        if go_on:
            history = {name: self.history_.get(name, []) + losses for name, losses in history.items()}
        self.history_ = history
        self.input_kind_ = self._encoding.kind
        self.n_iter_ = len(history["loss"])
        for name, value in self._target_attributes(targets).items():
            setattr(self, name, value)
        self.data_description_ = describe(plain_frame(examples, self._task, targets.numbers))

    def _target_attributes(self, targets: Targets) -> dict[str, Any]:
        if targets.classes is not None:
            return {"classes_": targets.classes}
        return {"n_outputs_": targets.numbers.shape[1], "y_ndim_": 1 if targets.one_column else 2}

    # ------------------------------------------------------------------------------------------------ predict

    def _outputs(self, X: Any) -> np.ndarray:
        """Logits, or scaled values: (rows, outputs) float64."""
        check_is_fitted(self)
        examples = self._read(X, reset=False)
        found = self._encoding.sequences(examples)
        dtype = "float64" if len(examples) < _MANY else "float32"
        flat = found.flat if found.flat.ndim == 1 else found.flat.astype(dtype)
        sequences = Steps(flat, found.starts, found.lengths)
        parts = []
        with POOL.borrow(self._state.structure, self._state.loss) as network:
            for rows, inputs in blocks(sequences, self._encoding.widths):
                parts.append((rows, network.predict(self._state.weights, inputs, dtype=dtype)[: len(rows)]))
        outputs = np.empty((len(examples), parts[0][1].shape[1]))
        for rows, part in parts:
            outputs[rows] = part
        return outputs

    @property
    def model_(self) -> keras.Model:
        """The fitted network, a new Keras model each time."""
        check_is_fitted(self)
        model = network_of(self._state.structure)
        for variable, value in zip(model.variables, self._state.weights, strict=True):
            variable.assign(value)
        return model

    def compare_with_simpler(self, X: Any, y: Any = None, **settings: Any) -> Comparison:
        """Compare this family with every simpler one, and with baselines, on the same folds.

        Parameters
        ----------
        X, y : same as in `fit`
            The data; the estimator need not be fitted, and stays as it is.
        **settings : dict
            Settings of :func:`recurra.compare`, such as ``seeds=1``, ``folds=2`` or ``max_epochs=20``.

        Returns
        -------
        comparison : recurra.Comparison
            Its ``verdict["text"]`` says whether this family is worth its price.
        """
        return self._compared(X, y, settings)

    # ------------------------------------------------------------------------------------------------ files

    def _predictor(self) -> Predictor[Any]:
        pipeline = self._encoding.pipeline
        kind = "values" if self._encoding.kind == "table" else self._encoding.kind
        schema = SequenceSchema(pipeline, kind, {})
        return Predictor(schema, SequenceNetwork(pipeline, self.model_), self._task)

    def _restore(self, predictor: Predictor[Any]) -> None:
        if not isinstance(predictor.model, SequenceNetwork) or not isinstance(predictor.schema, SequenceSchema):
            raise InputError("the folder holds a predictor of another kind; save the estimator once more")
        model = predictor.model.model
        self._encoding = Encoding(self.input_kind_, predictor.schema.pipeline.to_config())
        self._state = NetworkState(structure_of(model), self._training_loss(), [v.numpy() for v in model.variables])

    def _sample(self, X: Any) -> RawInputs:
        inputs = self._made_up() if X is None else self._read(X, reset=False).inputs[:_SAMPLE]
        return self._encoding.pipeline.raw(inputs)

    def _made_up(self) -> list[Any]:
        """Sequences like those of the training data, drawn at random."""
        random = np.random.default_rng(0)
        encoder = self._encoding.pipeline.encoder
        lengths = random.integers(1, encoder.length_ + 1, _SAMPLE)
        if isinstance(encoder, TextEncoder):
            tokens = [list(random.choice(encoder.vocabulary_.words, n)) for n in lengths]
            joint = "" if encoder.tokens == "char" else " "
            return tokens if encoder.tokens is None else [joint.join(words) for words in tokens]
        if self._encoding.kind == "table":
            lengths[:] = encoder.length_
        return [random.normal(encoder.mean_, encoder.scale_, (n, len(encoder.mean_))) for n in lengths]

    def _frame(self, X: Any, y: Any) -> Frame:
        return comparison_frame(read_examples(clone(self), X, fitted_kind=None, channels=self.channels), y, self._task)

    def _comparison_settings(self) -> dict[str, Any]:
        config, family = self._checked_config(), self._variant()[0]
        plan = _plan(family, self._output_kind)
        usual = {name: p.default for name, p in signature(plan.build).parameters.items()}
        usual["epsilon"] = TrainingParameters.epsilon
        usual |= {name: values[0] for name, values in plan.grid.items()}  # what a comparison would take
        config["learning_rate"] = self._rate(config)
        own = {name: config[name] for name in sorted(config) if usual[name] != config[name]}
        settings = "+".join(f"{name}={value}" for name, value in own.items())
        simpler = simpler_families(family, self._output_kind)
        names = ("batch_size", "max_epochs", "patience", "validation_fraction", "sequence_length", "keep")
        shared = {name: getattr(self, name) for name in (*names, "tokens", "vocabulary_size")}
        shared["min_count"] = self.min_count
        file = self.get_params(deep=False).get("vectors")
        shared["vectors"] = None if file is None else str(file)
        return {"families": [*simpler, f"{family}:{settings}" if settings else family], **shared}


def _as_numbers(encoding: Encoding, encoded: Ragged, targets: Targets, rows: TrainingRows, part: np.ndarray) -> Rows:
    """Some of the canonical rows as a network reads them."""
    numbers = rows.rows[part]
    flat = encoded.flat if encoded.flat.ndim == 1 else encoded.flat.astype("float32")
    sequences = Steps(flat, encoded.starts[numbers], encoded.lengths[numbers])
    target: Any = targets.numbers[numbers]
    if targets.classes is None:
        target = encoding.pipeline.target_encoder_.encode(target)
    return Rows(sequences, target, rows.weight[part].astype("float32"), encoding.widths)


def _plan(family: str, kind: str) -> Plan:
    plan = FAMILIES[family].plans[kind]
    if isinstance(plan, str):
        raise InputError(f"the family {family} cannot predict {kind}: {plan}")
    return plan


def _present(targets: Targets, weight: np.ndarray) -> Targets:
    """Without the classes of which no row has any weight."""
    if targets.classes is None:
        return targets
    present, numbers = np.unique(targets.numbers[weight > 0], return_inverse=True)
    renumbered = np.zeros_like(targets.numbers)
    renumbered[weight > 0] = numbers
    return Targets(renumbered, targets.classes[present])


def _check_whole(estimator: Estimator, name: str, value: Any) -> None:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise InputError(_message(estimator, name, "a whole number of at least 1"))


def _check_one_of(estimator: Estimator, name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(_message(estimator, name, f"one of {', '.join(allowed)}"))


def _message(estimator: Estimator, name: str, expected: str) -> str:
    """In the words of scikit-learn's own checks of parameters."""
    value = estimator.get_params(deep=False)[name]
    return f"The {name!r} parameter of {type(estimator).__name__} must be {expected}. Got {value!r} instead."


def _checked_groups(groups: Any, n: int) -> np.ndarray | None:
    """Number of the group of each row: (rows,); None without groups."""
    if groups is None:
        return None
    names = np.asarray(groups)
    if names.shape != (n,):
        raise ValueError(f"`groups` must hold one group for each of {n} rows. Received: shape {names.shape}")
    return np.unique(names, return_inverse=True)[1]


def _told_apart(numbers: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Targets and groups as one array: rows that are equal but for their group are two rows."""
    if groups is None:
        return numbers
    return np.column_stack([numbers.reshape(len(numbers), -1), groups])

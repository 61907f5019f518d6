"""Models: SequenceSpec → an uncompiled ``keras.Model``, one file a family.

A factory loads no data and reads no config. To add a family: one file, one line here, one number test, one docs row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from ..errors import InputError
from ..grid import draw
from ..spec import SequenceSpec
from . import cells, dense, linear, recurrent_classifier, recurrent_forecaster, recurrent_language_model, tcn
from .carried_state import CarriedState
from .cost import macs
from .embedding import with_vectors
from .layers.window_statistics import is_flat, window_scale, window_size
from .offset import OFFSET, add_offset
from .seeded import seeded
from .settings import OFFSET_SETTINGS, TRAINING_SETTINGS, Setting, applicable, check_settings, settings_of
from .variants import convert, mix_name, split_mix, split_pairs, split_variant

# What each kind of output is for, in words.
_TASKS = {
    "forecast": "forecasting",
    "class": "classification",
    "value": "regression",
    "tags": "tagging",
    "next_token": "language models",
}

# Kinds of output for which a network may add to a baseline's score.
_WITH_OFFSET = ("class", "value", "tags")
# Kinds of output whose loss is the cross-entropy.
_CLASSES = ("class", "tags", "next_token")


@dataclass(frozen=True)
class Plan:
    """How a family predicts one kind of output.

    Attributes:
        build: the factory.
        grid: what ``configs`` draws from; the first value of each list is the default, always tried first.
        check: refuses settings that contradict one another.
    """

    build: Callable[..., keras.Model]
    grid: dict[str, list[Any]]
    check: Callable[[dict[str, Any]], None] = lambda _: None


@dataclass(frozen=True)
class Family:
    """A line of the registry.

    Attributes:
        plans: for each kind of output of :mod:`recurra.spec` its plan, or in words why the family cannot predict it.
        recurrent: whether its models carry a hidden state.
        default: whether it takes part in a comparison for which no families are named.
    """

    plans: dict[str, Plan | str]
    recurrent: bool = False
    default: bool = True


def _plans(
    forecaster: Plan | str, classifier: Plan | str, tagger: Plan | str, language_model: Plan | str
) -> dict[str, Plan | str]:
    """Plans by kind of output; a classifier predicts one value as it does one class."""
    return {
        "forecast": forecaster,
        "class": classifier,
        "value": classifier,
        "tags": tagger,
        "next_token": language_model,
    }


def _recurrent(name: str, cell: Callable[..., Any], *, default: bool = True) -> Family:
    """A recurrent family: the same builders around its own cell."""

    def plan(builder: Callable[..., keras.Model], grid: dict[str, list[Any]]) -> Plan:
        return Plan(cells.with_cell(builder, name, cell), grid, partial(cells.check_cell, cell))

    plans = _plans(
        plan(recurrent_forecaster.recurrent_forecaster, recurrent_forecaster.FORECASTER_GRID),
        plan(recurrent_classifier.recurrent_classifier, recurrent_classifier.CLASSIFIER_GRID),
        plan(recurrent_classifier.recurrent_tagger, recurrent_classifier.TAGGER_GRID),
        plan(recurrent_language_model.recurrent_language_model, recurrent_language_model.LANGUAGE_MODEL_GRID),
    )
    return Family(plans, recurrent=True, default=default)


# Sources: SimpleRNN, Elman (1990), Finding structure in time, Cognitive Science 14; GRU, Cho et al. (2014), Learning
# phrase representations using RNN encoder-decoder, EMNLP; LSTM, Hochreiter & Schmidhuber (1997), Long short-term
# memory, Neural Computation 9, with the forget gate ("keep") of Gers, Schmidhuber & Cummins (2000), ibidem 12; minGRU
# and minLSTM, Feng et al. (2024), Were RNNs all we needed?, arXiv:2410.01201.
FAMILIES: dict[str, Family] = {
    "linear": Family(
        _plans(
            Plan(linear.linear_forecaster, linear.FORECASTER_GRID),
            Plan(linear.linear_classifier, linear.CLASSIFIER_GRID),
            Plan(linear.linear_tagger, linear.TAGGER_GRID),
            Plan(linear.linear_language_model, linear.LANGUAGE_MODEL_GRID),
        )
    ),
    "dense": Family(
        _plans(
            Plan(dense.dense_forecaster, dense.FORECASTER_GRID),
            Plan(dense.dense_classifier, dense.CLASSIFIER_GRID),
            Plan(dense.dense_tagger, dense.TAGGER_GRID),
            Plan(dense.dense_language_model, dense.LANGUAGE_MODEL_GRID),
        )
    ),
    "tcn": Family(
        _plans(
            Plan(tcn.tcn_forecaster, tcn.FORECASTER_GRID),
            Plan(tcn.tcn_classifier, tcn.CLASSIFIER_GRID),
            Plan(tcn.tcn_tagger, tcn.TAGGER_GRID),
            Plan(tcn.tcn_language_model, tcn.LANGUAGE_MODEL_GRID),
        )
    ),
    "simple_rnn": _recurrent("simple_rnn", cells.simple_rnn),
    "gru": _recurrent("gru", cells.gru),
    "lstm": _recurrent("lstm", cells.lstm),
    "min_gru": _recurrent("min_gru", cells.min_gru, default=False),
    "min_lstm": _recurrent("min_lstm", cells.min_lstm, default=False),
}

__all__ = [
    "FAMILIES",
    "OFFSET",
    "OFFSET_SETTINGS",
    "TRAINING_SETTINGS",
    "CarriedState",
    "Family",
    "Plan",
    "build",
    "check_config",
    "default_families",
    "draw_configs",
    "has_recurrent_layers",
    "is_flat",
    "is_recurrent",
    "known_settings",
    "list_families",
    "macs",
    "mix_name",
    "parse_settings",
    "parse_variant",
    "seeded",
    "simpler_families",
    "split_mix",
    "window_scale",
    "window_size",
    "with_vectors",
]


def list_families(kind: str | None = None) -> list[str]:
    """Names of the families, the simplest first; with a kind of output, of those that can predict it."""
    return [name for name, family in FAMILIES.items() if kind is None or isinstance(family.plans[kind], Plan)]


def default_families(kind: str) -> list[str]:
    """Names of the families in a comparison for which none are named, the simplest first."""
    return [name for name in list_families(kind) if FAMILIES[name].default]


def simpler_families(family: str, kind: str) -> list[str]:
    """Families that a comparison sets a family against: those of :func:`default_families` that stand before it."""
    known = list_families(kind)
    return [name for name in known[: known.index(family)] if FAMILIES[name].default]


def build(family: str, spec: SequenceSpec, **config: Any) -> keras.Model:
    """Build an uncompiled model of a family.

    Args:
        family: one of :func:`list_families`.
        spec: what goes in and comes out.
        **config: the family's own settings, e.g. ``units=64``.

    Returns:
        A model with inputs by name:

        - forecast: ``values`` (batch, lookback, channels), and ``future`` where covariates are known ahead →
          (batch, horizon, targets);
        - class, value: ``tokens`` (batch, time), or ``values`` (batch, time, channels) and ``lengths`` (batch,) →
          logits (batch, classes), or (batch, 1);
        - tags: the same → logits (batch, time, classes);
        - these three with ``offset``, the name of a baseline: its score as a further input ``offset``, see
          :func:`recurra.models.offset.add_offset`;
        - next_token: ``tokens`` (batch, time), ``state_0``, ... and ``condition`` (batch,) where there is one →
          {"logits": (batch, time, vocabulary), "state_0": ...}.

    Raises:
        InputError: if there is no such family, it cannot predict this kind of output, or it refuses a setting.

    Example:
        >>> model = build("lstm", pipeline.spec, units=64)
    """
    plan = _plan(family, spec.kind)
    spec = with_vectors(spec, config.get("vectors"))
    known = applicable(settings_of(plan.build), spec) | _beside(spec.kind)
    check_settings(_named(family, spec.kind), known, config)
    network = plan.build(spec, **{name: value for name, value in config.items() if name != OFFSET})
    return network if config.get(OFFSET) is None else add_offset(network, spec)


def known_settings(family: str, kind: str = "forecast") -> set[str]:
    """Names that a family's factory takes for a kind of output, and those that its training takes."""
    return set(_settings(family, kind))


def check_config(family: str, kind: str, config: dict[str, Any]) -> None:
    """Refuse settings that a family does not have, and values they cannot have, before anything is built.

    Raises:
        InputError: naming the setting, its value and what is expected.
    """
    check_settings(_named(family, kind), _settings(family, kind), config)
    _plan(family, kind).check(config)


def draw_configs(
    family: str, spec: SequenceSpec, n: int, *, fixed: dict[str, Any] | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """Draw `n` different configurations from a family's grid, its defaults first.

    Args:
        family: one of :func:`list_families`.
        spec: what the models are built for; the rules for settings that are None look at it.
        n: how many; fewer if the grid holds fewer.
        fixed: settings that replace the grid's, where the family has them and they apply to what comes in.
        seed: of the draws.

    Returns:
        Settings for :func:`build`, and those of `TRAINING_SETTINGS`.

    Raises:
        InputError: if the family cannot predict this kind of output, or a fixed setting cannot have its value.
    """
    known = applicable(_settings(family, spec.kind), spec)
    fixed = {name: value for name, value in (fixed or {}).items() if name in known}
    check_config(family, spec.kind, fixed)
    spec = with_vectors(spec, fixed.get("vectors"))
    grid = _plan(family, spec.kind).grid | {name: [value] for name, value in fixed.items()}
    # A None gets its rule's value first: otherwise one configuration could be trained twice.
    ruled = {name: [_by_rule(known[name], value, spec) for value in grid[name]] for name in grid if name in known}
    choices = {name: _different(values) for name, values in ruled.items()}
    return draw(choices, n, seed=seed)


def parse_variant(name: str, kind: str | None = None) -> tuple[str, dict[str, Any]]:
    """Split a variant into its family and its own settings.

    Args:
        name: a family, or a family and settings: ``"gru"``, ``"dense:feedback=1+units=32"``.
        kind: of output; the values are then read by the types of the family's settings.

    Returns:
        The family and the settings, which replace its defaults.

    Raises:
        InputError: if a setting is not NAME=VALUE.

    Example:
        >>> parse_variant("dense:feedback=1+units=32")
        ('dense', {'feedback': 1, 'units': 32})
    """
    family, written = split_variant(name)
    known = _settings(family, kind) if kind is not None and family in list_families(kind) else {}
    return family, convert(written, known)


def parse_settings(pairs: Iterable[str], families: Sequence[str], kind: str) -> dict[str, Any]:
    """Read ["units=32", "dropout=0.1"] as {"units": 32, "dropout": 0.1}, by the types of the families' settings.

    Raises:
        InputError: if a pair is not NAME=VALUE.
    """
    known: dict[str, Setting] = {}
    for family in families:
        known = (_settings(family, kind) if family in list_families(kind) else {}) | known
    return convert(split_pairs(pairs), known)


def is_recurrent(name: str) -> bool:
    """Whether a model carries a state of its own: a recurrent family, a variant whose outputs are fed back, or a mix of
    such a network."""
    family, settings = parse_variant(split_mix(name)[0])
    return family in FAMILIES and (FAMILIES[family].recurrent or bool(settings.get("feedback")))


def has_recurrent_layers(model: keras.Model) -> bool:
    """Whether a step of the model has the many small operations for which compiling with XLA pays."""
    layers = model._flatten_layers()
    return any(isinstance(layer, keras.layers.RNN) for layer in layers)


def _plan(family: str, kind: str) -> Plan:
    if family not in FAMILIES:
        raise InputError(f"there is no family {family!r}; choose from {', '.join(FAMILIES)}")
    plan = FAMILIES[family].plans[kind]
    if isinstance(plan, str):
        raise InputError(f"the family {family} cannot predict {kind}: {plan}")
    return plan


def _settings(family: str, kind: str) -> dict[str, Setting]:
    of_training = {name: s for name, s in TRAINING_SETTINGS.items() if name != "label_smoothing" or kind in _CLASSES}
    return settings_of(_plan(family, kind).build) | _beside(kind) | of_training


def _beside(kind: str) -> dict[str, Setting]:
    """Settings that are no family's own."""
    return OFFSET_SETTINGS if kind in _WITH_OFFSET else {}


def _named(family: str, kind: str) -> str:
    return f"{family} for {_TASKS[kind]}"


def _different(values: list[Any]) -> list[Any]:
    """Each value once; a single one may be an array, which has no hash."""
    return list(dict.fromkeys(values)) if len(values) > 1 else values


def _by_rule(setting: Setting, value: Any, spec: SequenceSpec) -> Any:
    """The value of a setting, None replaced by what its rule says."""
    return setting.rule.value(spec) if value is None and setting.rule else value

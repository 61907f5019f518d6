"""What a comparison is asked to do; whatever is not given is derived from the data by a stated rule."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import InputError
from ..models import check_config, known_settings
from ..pipelines import SeriesPipeline
from ..training import LOSSES
from .variants import parse_variant


@dataclass(frozen=True)
class Settings:
    """What every task has.

    Attributes:
        families, baselines: names of the models; a family may come with settings of its own, as in
            ``"dense:feedback=1+units=32"``.
        folds, seeds, configs: folds, repetitions of each training, and settings tried of each family.
        budget: seconds for all trained models together, or None; each trial may use an equal share.
        max_epochs, patience, batch_size: see ``Trainer``.
        config: settings given to every family that has them, such as ``{"units": 32}``; they replace its defaults.
    """

    families: tuple[str, ...]
    baselines: tuple[str, ...]
    folds: int = 3
    seeds: int = 3
    configs: int = 1
    budget: float | None = None
    max_epochs: int | None = None
    patience: int | None = None
    batch_size: int | None = None
    config: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        at_least_one(self, "folds", "seeds", "configs", "max_epochs", "patience", "batch_size")

    def check_names(self, task: str, families: Collection[str], baselines: Collection[str]) -> None:
        """Refuse unknown models and settings before anything is trained.

        Args:
            task: what the models are for.
            families, baselines: names that the task has.
        """
        variants = [parse_variant(name) for name in self.families]
        _check_names("--families", [family for family, _ in variants], families)
        _check_names("--baselines", self.baselines, baselines)
        for option, names in (("--families", self.families), ("--baselines", self.baselines)):
            if len(set(names)) < len(names):
                raise InputError(f"{option} names one twice: {', '.join(names)}")
        if not self.families:
            raise InputError(f"--families names no family; choose from {', '.join(families)}")
        known = {name for family, _ in variants for name in known_settings(family, task)}
        if unknown := sorted(set(self.config or {}) - known):
            raise InputError(
                f"--set: no chosen family has a setting {unknown[0]!r}; there are {', '.join(sorted(known))}"
            )
        for family, own in variants:
            shared = {k: v for k, v in (self.config or {}).items() if k in known_settings(family, task)}
            check_config(family, task, shared | own)


@dataclass(frozen=True)
class SeriesSettings:
    """What a forecast has besides.

    Attributes:
        horizon, lookback: steps forecast at once, and steps read for it.
        season: steps after which the pattern repeats, or 1.
        test_size: rows scored after each cutoff.
        most_origins: forecast origins scored in each fold and series, evenly spaced where there are more.
        missing, calendar, transform: rule for missing inputs, calendar cycles, logarithms; see ``SeriesPipeline``.
        loss: what training minimises; see ``Trainer``.
    """

    horizon: int
    lookback: int
    season: int
    test_size: int | None = None
    most_origins: int = 200
    missing: str = "interpolate"
    calendar: tuple[str, ...] = ()
    transform: str = "none"
    loss: str = "mae"

    def __post_init__(self) -> None:
        at_least_one(self, "horizon", "lookback", "season", "most_origins", "test_size")
        check_loss(self.loss)
        # said before anything is trained; the pipeline knows what these may be
        SeriesPipeline(
            lookback=self.lookback,
            horizon=self.horizon,
            missing=self.missing,
            calendar=self.calendar,
            transform=self.transform,
        )


@dataclass(frozen=True)
class ExampleSettings:
    """What classification, regression and tagging have besides.

    Attributes:
        tokens, vocabulary_size, min_count: how texts are cut and which tokens are known; see ``TokenReader``.
        length, keep: how much of a long sequence is read, and from which end.
        missing: rule for missing values in sequences of numbers; see ``ValueReader``.
        balanced: whether rare classes count more in training.
        vectors: a file of word vectors in GloVe's format, with which the embeddings begin.
        validation_share: share of the examples not tested that stop the training.
        validation: which of them, "random" or the "last" of each class; see ``example_folds``.
        buckets: whether batches are padded to one of several lengths.
        loss: what training for values minimises; classes and tags go by cross-entropy.
    """

    tokens: str | None = None
    vocabulary_size: int = 20_000
    min_count: int = 2
    length: int | None = None
    keep: str = "first"
    missing: str = "interpolate"
    balanced: bool = False
    vectors: str | None = None
    validation_share: float = 0.1
    validation: str = "random"
    buckets: bool = True
    loss: str = "mae"

    def __post_init__(self) -> None:
        at_least_one(self, "vocabulary_size", "min_count", "length")
        check_loss(self.loss)
        if not 0 < self.validation_share < 1:
            raise InputError(f"--validation-share must lie between 0 and 1; received {self.validation_share}")
        if self.validation not in ("random", "last"):
            raise InputError(f"--validation must be random or last; received {self.validation}")


@dataclass(frozen=True)
class LanguageSettings:
    """What a language model has besides.

    Attributes:
        tokens, vocabulary_size, min_count: how the text is cut and which tokens are known.
        length: tokens through which the error is sent back.
        streams: places of a long text that are read side by side.
        validation_share: of independent lines, the share of those not tested that stops the training.
    """

    tokens: str | None = None
    vocabulary_size: int = 20_000
    min_count: int = 2
    length: int | None = None
    streams: int = 20
    validation_share: float = 0.1

    def __post_init__(self) -> None:
        at_least_one(self, "vocabulary_size", "min_count", "length", "streams")


def to_json(*settings: Any) -> dict[str, Any]:
    """All fields as plain JSON values."""
    return {k: list(v) if isinstance(v, tuple) else v for s in settings for k, v in asdict(s).items()}


def parse_budget(text: str | float | None) -> float | None:
    """Read "90s", "10m", "1.5h" or seconds as seconds."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(text))
    if not match or float(match[1]) <= 0:
        raise InputError(f"--budget takes a time such as 90s, 10m or 1h; received {text!r}")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def at_least_one(settings: Any, *names: str) -> None:
    """Refuse numbers below 1; None leaves a number to a rule."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and value < 1:
            raise InputError(f"--{name.replace('_', '-')} must be at least 1; received {value}")


def check_loss(loss: str) -> None:
    """Refuse a loss that no value can be trained by."""
    if loss not in LOSSES:
        raise InputError(f"--loss takes {', '.join(LOSSES)}; received {loss!r}")


def _check_names(option: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise InputError(f"{option}: there is no {name!r}; choose from {', '.join(known)}")

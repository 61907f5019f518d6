"""What a comparison is asked to do; whatever is not given is derived from the data by a stated rule."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from ..baselines import BASELINES
from ..errors import InputError
from ..models import FAMILIES, known_settings
from ..pipelines import SeriesPipeline
from ..training import LOSSES


@dataclass(frozen=True)
class Settings:
    """Everything that decides the outcome of a comparison.

    Attributes:
        horizon, lookback: steps forecast at once, and steps read for it.
        season: steps after which the pattern repeats, or 1.
        families, baselines: names of the models.
        folds, seeds, configs: cutoffs, repetitions of each, and settings tried of each family.
        budget: seconds for all trained models together, or None; each trial may use an equal share.
        test_size: rows scored after each cutoff.
        most_origins: forecast origins scored in each fold and series, evenly spaced where there are more.
        missing, calendar, transform: rule for missing inputs, calendar cycles, logarithms; see ``SeriesPipeline``.
        loss, max_epochs, patience, batch_size: see ``Trainer``.
        config: settings given to every family that has them, such as ``{"units": 32}``; they replace its defaults.
    """

    horizon: int
    lookback: int
    season: int
    families: tuple[str, ...]
    baselines: tuple[str, ...]
    folds: int = 3
    seeds: int = 3
    configs: int = 1
    budget: float | None = None
    test_size: int | None = None
    most_origins: int = 200
    missing: str = "interpolate"
    calendar: tuple[str, ...] = ()
    transform: str = "none"
    loss: str = "mae"
    max_epochs: int = 100
    patience: int = 9
    batch_size: int | None = None
    config: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in (
            "horizon",
            "lookback",
            "season",
            "folds",
            "seeds",
            "configs",
            "most_origins",
            "max_epochs",
        ):
            if getattr(self, name) < 1:
                raise InputError(f"--{name.replace('_', '-')} must be at least 1; received {getattr(self, name)}")
        _check_names("--families", self.families, FAMILIES)
        _check_names("--baselines", self.baselines, BASELINES)
        if self.loss not in LOSSES:
            raise InputError(f"--loss takes {', '.join(LOSSES)}; received {self.loss!r}")
        # said before anything is trained; the pipeline knows what these may be
        SeriesPipeline(
            lookback=self.lookback,
            horizon=self.horizon,
            missing=self.missing,
            calendar=self.calendar,
            transform=self.transform,
        )
        if not self.families:
            raise InputError(f"--families names no family; choose from {', '.join(FAMILIES)}")
        known = {name for family in self.families for name in known_settings(family)}
        if unknown := sorted(set(self.config or {}) - known):
            raise InputError(
                f"--set: no chosen family has a setting {unknown[0]!r}; there are {', '.join(sorted(known))}"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def parse_budget(text: str | float | None) -> float | None:
    """Read "90s", "10m", "1.5h" or seconds as seconds."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(text))
    if not match or float(match[1]) <= 0:
        raise InputError(f"--budget takes a time such as 90s, 10m or 1h; received {text!r}")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _check_names(option: str, names: tuple[str, ...], known: dict[str, Any]) -> None:
    for name in names:
        if name not in known:
            raise InputError(f"{option}: there is no {name!r}; choose from {', '.join(known)}")
    if len(set(names)) < len(names):
        raise InputError(f"{option} names one twice: {', '.join(names)}")

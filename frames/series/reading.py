"""What was settled when the rows of a series were read, so that newer rows are read in the same way."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self


@dataclass(frozen=True)
class Reading:
    """Choices that the rows themselves decided; a model keeps them, because its newest rows may leave them open.

    Attributes:
        form: how time is written, by the name of a form in ``time_forms``; empty where there was nothing to choose.
        month_start: whether stamps inside a month were moved to its first day.
        zone: time zone of the stamps, empty where they have none.
        numeric: covariates that hold numbers; the others hold categories. None: not settled.
        comma: what a comma in a number means: "decimal", "thousands", or empty where there was none.
    """

    form: str = ""
    month_start: bool = False
    zone: str = ""
    numeric: tuple[str, ...] | None = None
    comma: str = ""

    def to_config(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "numeric": None if self.numeric is None else list(self.numeric)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """What :meth:`to_config` described."""
        made = cls(**config)
        return made if made.numeric is None else replace(made, numeric=tuple(made.numeric))

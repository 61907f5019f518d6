"""Values that a pipeline does not accept, refused with the row they are in."""

from ..errors import InputError
from ..frames import SeriesFrame


def refuse_missing(frame: SeriesFrame) -> None:
    """Raise an InputError at the first missing value."""
    for name in (*frame.targets, *frame.past_covariates, *frame.future_covariates):
        if (gap := frame.table[name].isna()).any():
            row = frame.table[gap].iloc[0]
            raise InputError(
                f"{frame.source}: column {name!r} has no value at {row[frame.time]} (series {row[frame.id]!r}); "
                "fill it, or set `missing` to interpolate or ffill"
            )


def refuse_not_positive(frame: SeriesFrame) -> None:
    """Raise an InputError at the first target that has no logarithm."""
    for name in frame.targets:
        if (wrong := frame.table[name] <= 0).any():
            row = frame.table[wrong].iloc[0]
            raise InputError(
                f"{frame.source}: column {name!r} is {row[name]:g} at {row[frame.time]} (series {row[frame.id]!r}), "
                "but the logarithm needs positive values; set `transform` to none"
            )

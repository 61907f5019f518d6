"""What a pipeline was told not to accept, said with the row it stands in."""

from ..errors import InputError
from ..frames import SeriesFrame


def refuse_missing(frame: SeriesFrame) -> None:
    """Raise an InputError at the first missing value."""
    for name in (*frame.targets, *frame.past, *frame.future):
        if (gap := frame.table[name].isna()).any():
            row = frame.table[gap].iloc[0]
            raise InputError(
                f"{frame.source}: column `{name}` has no value at {row[frame.time]} (series {row[frame.id]}); "
                "fill it, or choose --missing interpolate or --missing ffill"
            )


def refuse_not_positive(frame: SeriesFrame) -> None:
    """Raise an InputError at the first target that has no logarithm."""
    for name in frame.targets:
        if (wrong := frame.table[name] <= 0).any():
            row = frame.table[wrong].iloc[0]
            raise InputError(
                f"{frame.source}: column `{name}` is {row[name]:g} at {row[frame.time]} (series {row[frame.id]}), but "
                "the logarithm needs positive values; leave --transform log out"
            )

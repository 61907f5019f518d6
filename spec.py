"""SequenceSpec: what a sequence model takes in and gives out; all that pipelines and models share."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ValuesInput:
    """A window of numbers: ``values`` (batch, length, channels), the targets' channels first.

    ``future_channels`` counts the covariates known ahead. They are the last channels of ``values`` and come once
    more, for the steps to be forecast, as ``future`` (batch, horizon, future_channels).
    """

    length: int
    channels: int
    future_channels: int = 0


@dataclass(frozen=True)
class ForecastOutput:
    """The next ``horizon`` steps of ``targets`` series: (batch, horizon, targets)."""

    horizon: int
    targets: int = 1


@dataclass(frozen=True)
class SequenceSpec:
    """All a model factory needs to know.

    Attributes:
        inputs: what goes in.
        outputs: what comes out.
        season: steps after which the pattern repeats, or 1.
        many_series: whether one model serves several series, of any scale.
    """

    inputs: ValuesInput
    outputs: ForecastOutput
    season: int = field(default=1, kw_only=True)
    many_series: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.inputs.length < 1 or self.outputs.horizon < 1:
            raise ValueError(
                "`length` and `horizon` must be at least 1. "
                f"Received: length={self.inputs.length}, horizon={self.outputs.horizon}"
            )
        wanted = self.outputs.targets + self.inputs.future_channels
        if self.inputs.channels < wanted:
            raise ValueError(
                f"`channels` must hold the targets and the future covariates ({wanted}). "
                f"Received: channels={self.inputs.channels}"
            )

"""SequenceSpec: the inputs and outputs of a sequence model, the one thing that pipelines and models have in common."""

from dataclasses import dataclass, field
from typing import ClassVar

# The first ids of every vocabulary.
PADDING, UNKNOWN, END = 0, 1, 2
FIRST_WORD = 3


@dataclass(frozen=True)
class ValuesInput:
    """Numbers: ``values`` (batch, time, channels).

    For a forecast a window of exactly ``length`` steps, the targets' channels first. ``future_channels`` counts the
    covariates known ahead. They are the last channels of ``values``, and their values at the steps to be forecast are
    ``future`` (batch, horizon, future_channels). Otherwise whole sequences of at most ``length`` steps, padded
    with 0 on the right, and their ``lengths`` (batch,).
    """

    length: int
    channels: int
    future_channels: int = 0


@dataclass(frozen=True)
class TokensInput:
    """Words or characters: ``tokens`` (batch, time), at most ``length`` of them, ids below ``vocabulary``.

    Id 0 is padding, on the right; 1 an unknown token; 2 the end of a text, which in a language model is also what
    comes before its first token. With ``conditions``, a language model also takes one of so many classes as
    ``condition`` (batch,). ``vectors`` counts the dimensions of the vectors that a file has for the tokens; 0: there is
    no file, and all that is known of a token is learnt.
    """

    vocabulary: int
    length: int
    conditions: int = 0
    vectors: int = 0


@dataclass(frozen=True)
class ForecastOutput:
    """The next ``horizon`` steps of ``targets`` series: (batch, horizon, targets)."""

    horizon: int
    targets: int = 1
    kind: ClassVar[str] = "forecast"


@dataclass(frozen=True)
class ClassOutput:
    """One of ``classes`` classes: logits (batch, classes)."""

    classes: int
    kind: ClassVar[str] = "class"


@dataclass(frozen=True)
class ValueOutput:
    """One number, or ``values`` numbers, in scaled units: (batch, values)."""

    values: int = 1
    kind: ClassVar[str] = "value"


@dataclass(frozen=True)
class TagOutput:
    """One of ``classes`` classes for every step: logits (batch, time, classes)."""

    classes: int
    kind: ClassVar[str] = "tags"


@dataclass(frozen=True)
class NextTokenOutput:
    """The token after every step: logits (batch, time, vocabulary)."""

    vocabulary: int
    kind: ClassVar[str] = "next_token"


Inputs = ValuesInput | TokensInput
Outputs = ForecastOutput | ClassOutput | ValueOutput | TagOutput | NextTokenOutput


@dataclass(frozen=True)
class SequenceSpec:
    """All a model factory needs to know.

    Attributes:
        inputs: what goes in.
        outputs: what comes out.
        season: steps after which the pattern repeats, or 1.
        many_series: whether one model serves several series, of any scale.
    """

    inputs: Inputs
    outputs: Outputs
    season: int = field(default=1, kw_only=True)
    many_series: bool = field(default=False, kw_only=True)

    @property
    def kind(self) -> str:
        """Kind of the outputs: "forecast", "class", "value", "tags" or "next_token"."""
        return self.outputs.kind

    def __post_init__(self) -> None:
        if self.inputs.length < 1:
            raise ValueError(f"`length` must be at least 1. Received: length={self.inputs.length}")
        if isinstance(self.outputs, ForecastOutput):
            self._check_forecast(self.outputs)
        elif isinstance(self.outputs, NextTokenOutput) and not isinstance(self.inputs, TokensInput):
            raise ValueError(f"`inputs` must be tokens for a next token. Received: inputs={self.inputs}")

    def _check_forecast(self, outputs: ForecastOutput) -> None:
        if not isinstance(self.inputs, ValuesInput):
            raise ValueError(f"`inputs` must be values for a forecast. Received: inputs={self.inputs}")
        if outputs.horizon < 1:
            raise ValueError(f"`horizon` must be at least 1. Received: horizon={outputs.horizon}")
        wanted = outputs.targets + self.inputs.future_channels
        if self.inputs.channels < wanted:
            raise ValueError(
                f"`channels` must hold the targets and the future covariates ({wanted}). "
                f"Received: channels={self.inputs.channels}"
            )

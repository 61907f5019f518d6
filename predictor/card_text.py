"""What a schema says of itself on a model card."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CardText:
    """Sentences for a model card.

    Attributes:
        purpose: what the model predicts from what.
        signature: a line for each input and output, with type, shape and unit.
        data: size of the training data.
        split: what became of it.
        limits: what the model does not know.
    """

    purpose: str
    signature: list[str]
    data: str
    split: str
    limits: str


def as_code(names: list[str]) -> str:
    """Names as code, with commas."""
    return ", ".join(f"`{name}`" for name in names)

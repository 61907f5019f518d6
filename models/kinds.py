"""Which kind of input or output a factory needs."""

from typing import TypeVar

Kind = TypeVar("Kind")


def of_kind(part: object, kind: type[Kind]) -> Kind:
    """The part of a specification, known to be of a kind.

    Raises:
        TypeError: if it is of another: the factory is not one for this task.
    """
    if not isinstance(part, kind):
        raise TypeError(f"this model needs {kind.__name__} in its specification. Received: {part!r}")
    return part

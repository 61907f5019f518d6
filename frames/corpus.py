"""CorpusFrame: one long text for a language model."""

from dataclasses import dataclass

import pandas as pd

from ..errors import InputError
from .notebook import frame_html
from .sequences.strings import clean

_SHORTEST = 20  # characters: below, a tenth of the text holds less than two of them


@dataclass(frozen=True, eq=False)
class CorpusFrame:
    """One long text, read from its beginning to its end.

    Attributes:
        text: the text.
        cuts: characters at which the validation and the test set begin, where they are official; None where they are
            not: then ``bounds`` cuts at 80 % and 90 %, moved to the next line or space.
        source: the file or data set, as error messages name it.
        notes: sentences about what was found and done.

    Example:
        >>> CorpusFrame.from_text("it was the best of times").splits
        ('it was the best of ', 'ti', 'mes')
    """

    text: str
    cuts: tuple[int, int] | None = None
    source: str = "text"
    notes: tuple[str, ...] = ()

    @classmethod
    def from_text(
        cls,
        text: str,
        cuts: tuple[int, int] | None = None,
        *,
        source: str = "text",
        notes: tuple[str, ...] = (),
        for_prediction: bool = False,
    ) -> "CorpusFrame":
        """Check a text.

        Args:
            text: all of it, the training set first.
            cuts: characters at which the validation and the test set begin, where they are official.
            source: file or data set, as messages name it.
            notes: what was noted when the file was read.
            for_prediction: whether it may be as short as it likes, since it is not cut.

        Returns:
            The frame.

        Raises:
            InputError: a text that is empty or too short to be cut.
        """
        if not text.strip() and not for_prediction:
            raise InputError(f"{source}: the text is empty where some was expected; check how the file was written")
        if len(text) < _SHORTEST and not for_prediction:
            raise InputError(
                f"{source}: the text has {len(text)} characters where at least {_SHORTEST} were expected, to train, "
                "validate and test; give a longer text"
            )
        if cuts is not None and not 0 < cuts[0] < cuts[1] < len(text):
            raise ValueError(f"`cuts` must rise between 0 and {len(text)}. Received: cuts={cuts!r}")
        found = list(notes)
        (text,) = clean([text], "texts", found)
        return cls(text, cuts, source, tuple(found))

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split):,}" for split in self.splits)
        return f"CorpusFrame({self.source!r}: {len(self):,} characters, split {sizes})"

    def _repr_html_(self) -> str:
        rows = pd.DataFrame({"line": self.text[:1000].splitlines()[:5]})
        return frame_html(repr(self), rows, len(self.text.splitlines()), "lines")

    def __len__(self) -> int:
        return len(self.text)

    @property
    def bounds(self) -> tuple[int, int]:
        """Characters at which the validation and the test set begin."""
        if self.cuts is not None:
            return self.cuts
        return self._after(len(self) * 8 // 10), self._after(len(self) * 9 // 10)

    @property
    def splits(self) -> tuple[str, str, str]:
        """The training, the validation and the test text."""
        first, second = self.bounds
        return self.text[:first], self.text[first:second], self.text[second:]

    def _after(self, place: int) -> int:
        """Move a cut behind the next line end, else behind the next space; both must be near."""
        near = len(self) // 100 + 20
        for mark in ("\n", " "):
            found = self.text.find(mark, place, place + near)
            if 0 <= found < len(self) - 1:
                return found + 1
        return place

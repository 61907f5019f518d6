"""CorpusFrame: one long text for a language model."""

from dataclasses import dataclass

from ..errors import InputError
from .strings import clean

_SHORTEST = 20  # characters: below, no part of a tenth holds two of them


@dataclass(frozen=True, eq=False)
class CorpusFrame:
    """One long text, read from its beginning to its end.

    Attributes:
        text: the text.
        cuts: characters at which the validation and the test part begin; None where nobody said: then ``bounds`` cuts
            at 80 % and 90 %, moved to the next line or space.
        source: the file or data set, as error messages name it.
        notes: sentences about what was found and done.

    Example:
        >>> CorpusFrame.from_text("it was the best of times").parts
        ('it was the best of ', 'times', '')
    """

    text: str
    cuts: tuple[int, int] | None = None
    source: str = "text"
    notes: tuple[str, ...] = ()

    @classmethod
    def from_text(
        cls, text: str, cuts: tuple[int, int] | None = None, *, source: str = "text", notes: tuple[str, ...] = ()
    ) -> "CorpusFrame":
        """Check a text.

        Args:
            text: all of it, the training part first.
            cuts: characters at which the validation and the test part begin, where they are official.
            source: file or data set, as messages name it.
            notes: what reading the file told.

        Returns:
            The frame.

        Raises:
            InputError: a text that is empty or too short to be cut.
        """
        if not text.strip():
            raise InputError(f"{source} is empty where a text was expected: check how the file was written.")
        if len(text) < _SHORTEST:
            raise InputError(
                f"{source} has {len(text)} characters where at least {_SHORTEST} were expected, to train, validate "
                "and test on: give a longer text."
            )
        if cuts is not None and not 0 < cuts[0] < cuts[1] < len(text):
            raise ValueError(f"`cuts` must rise between 0 and {len(text)}. Received: cuts={cuts!r}")
        told = list(notes)
        (text,) = clean([text], "the text", told)
        return cls(text, cuts, source, tuple(told))

    def __len__(self) -> int:
        return len(self.text)

    @property
    def bounds(self) -> tuple[int, int]:
        """Characters at which the validation and the test part begin."""
        if self.cuts is not None:
            return self.cuts
        return self._after(len(self) * 8 // 10), self._after(len(self) * 9 // 10)

    @property
    def parts(self) -> tuple[str, str, str]:
        """The training, the validation and the test part."""
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

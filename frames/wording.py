"""Words in sentences: "1 text", "3 texts"; capitals."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and what it counts.

    Example:
        >>> counted(1, "text"), counted(1200, "text"), counted(2, "class", "classes")
        ('1 text', '1,200 texts', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def verb(number: int, one: str, many: str) -> str:
    """The form of a verb that a number asks for.

    Example:
        >>> verb(1, "is", "are"), verb(2, "is", "are")
        ('is', 'are')
    """
    return one if number == 1 else many


def with_capital(words: str) -> str:
    """Words as a sentence begins: with a capital, unless the first of them is a name.

    Example:
        >>> with_capital("three words"), with_capital("kneser_ney of order 2")
        ('Three words', 'kneser_ney of order 2')
    """
    first, _, _ = words.partition(" ")
    return words if "_" in first else words[:1].upper() + words[1:]

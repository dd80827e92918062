"""Text in columns of a terminal, in which a Korean or Chinese character takes the room of two."""

import unicodedata

ELLIPSIS = "…"


def width_of(text: str) -> int:
    """How many columns a text takes: two for a wide character or emoji, none for a combining mark
    (Unicode's annex 11)."""
    return len(text) if text.isascii() else sum(map(_of, text))


def left(text: str, width: int) -> str:
    """The text with spaces behind it, as f"{text:<{width}}" is for narrow characters."""
    return text + " " * (width - width_of(text))


def right(text: str, width: int) -> str:
    """The text with spaces before it."""
    return " " * (width - width_of(text)) + text


def shortened(text: str, width: int) -> str:
    """The text, or both of its ends with an ellipsis between them, in at most `width` columns."""
    if width_of(text) <= width:
        return text
    head, tail = (width - 1) - (width - 1) // 2, (width - 1) // 2
    return _start(text, head) + ELLIPSIS + _start(text[::-1], tail)[::-1]


def _start(text: str, width: int) -> str:
    """As many of the first characters as fit."""
    taken = 0
    for i, character in enumerate(text):
        taken += _of(character)
        if taken > width:
            return text[:i]
    return text


def _of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

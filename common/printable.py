"""Text from files of others, for a terminal: what could steer it is written as an escape."""

import unicodedata

_UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, marks of direction, half characters, line ends


def printable(text: str, *, lines: bool = False) -> str:
    """The text with controls and the like as escapes, "\\x1b" for ESC; with `lines`, line ends stay
    what they are."""
    return "".join(
        c.encode("unicode_escape", "surrogatepass").decode()
        if unicodedata.category(c) in _UNSAFE and not (lines and c == "\n")
        else c
        for c in text
    )

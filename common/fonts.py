"""Fonts for text in any script: which of the installed ones have the characters.

matplotlib draws a character with the first font of a text's families that has it. What a text's
own family lacks is looked for in all fonts there are, once for the same characters, and only then.
"""

import contextlib
import functools
from collections.abc import Set
from typing import Any

from lamina.common.width import width_of

_NO_NEED = range(0xFE00, 0xFE10)  # they only choose between forms of the character before them
_BOXES = "Last Resort"  # matplotlib's own; it "has" every character, as a box with its number


def families(text: str, own: list[str]) -> tuple[list[str], str]:
    """(the families to draw a text with, its `own` first; the characters that none has)."""
    if text.isascii():
        return own, ""
    from matplotlib.font_manager import FontProperties, findfont

    lacking = {c for c in text if not c.isascii()}
    for family in own:
        lacking -= _had(findfont(FontProperties(family=[family])), lacking)
    more, none = _more_families(frozenset(lacking))
    return [*own, *more], none


@functools.lru_cache(maxsize=64)
def _more_families(wanted: frozenset) -> tuple[tuple[str, ...], str]:
    """As few families as together have these characters, and the characters that none has."""
    wanted = frozenset(c for c in wanted if ord(c) not in _NO_NEED and c.isprintable())
    chosen: list[str] = []
    for fonts in (_known_fonts, _new_fonts):
        has: dict[str, set] = {}
        for entry in fonts() if wanted else ():
            has[entry.name] = _had(entry.fname, wanted, getattr(entry, "index", 0)) | has.get(
                entry.name, set()
            )
            if wanted <= has[entry.name]:
                break
        while wanted and has and (best := max(has, key=lambda name: len(has[name] & wanted))):
            if not has[best] & wanted:
                break
            chosen.append(best)
            wanted -= has[best]
    return tuple(chosen), "".join(sorted(wanted))


def _known_fonts() -> list:
    """The fonts that matplotlib knows, plain ones without serifs first."""
    from matplotlib.font_manager import fontManager

    return _plain_first(fontManager.ttflist)


def _new_fonts() -> list:
    """Fonts that were installed after matplotlib had made its list; from now on it knows them."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    before = len(fontManager.ttflist)
    known = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - known):
        with contextlib.suppress(Exception):  # whatever is wrong with a file of somebody else's
            fontManager.addfont(path)
    return _plain_first(fontManager.ttflist[before:])


def _plain_first(entries) -> list:
    def strangeness(entry):
        sans = any(word in entry.name for word in ("Sans", "Gothic"))
        weight = entry.weight if isinstance(entry.weight, int) else 400
        return entry.style != "normal", abs(weight - 400), not sans, entry.name, entry.fname

    usual = (entry for entry in entries if _BOXES not in entry.name)
    return sorted(usual, key=strangeness)


def _had(path: str, characters: Set, index: int = 0) -> set:
    """Those of the characters that a font has, the index-th of its file; none if it cannot be
    read."""
    from matplotlib.ft2font import FT2Font

    try:
        which: dict[str, Any] = {"face_index": index} if index else {}  # new in 3.11
        font = FT2Font(path, **which)
    except (OSError, RuntimeError):
        return set()
    return {c for c in characters if font.get_char_index(ord(c))}


@functools.lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """How wide a line is in DejaVu Sans, which comes with matplotlib, in the unit of `size`. What
    that font lacks counts as a square if it is wide, as Korean is, and as 0.7 of one if not."""
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
    lacking = {c for c in text if not c.isascii()}
    lacking -= _had(findfont(font), lacking) if lacking else set()
    plain = "".join(c for c in text if c not in lacking)
    strange = sum((0.0, 0.7, 1.0)[width_of(c)] for c in text if c in lacking)
    return text_to_path.get_text_width_height_descent(plain, font, False)[0] + size * strange

"""matplotlib figures: names in them that are no formulas, in fonts that have their characters."""

import warnings
from pathlib import Path

from lamina.common.files import whole_file
from lamina.common.folder import File
from lamina.common.fonts import families
from lamina.common.notice import note
from lamina.common.printable import printable
from lamina.common.width import shortened

NAME = 40  # columns of a name beside others; one that is longer is shown by its ends


def label(name: str, width: int = NAME) -> str:
    """A name as text of a figure: "$" begins no formula, and a "_" in front, which keeps a line out
    of matplotlib's legends, does not."""
    plain = shortened(printable(name), width).replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain


def save_png(path: str | Path | File, figure, dpi: int = 120) -> None:
    """Write a figure as PNG; the file gets its name only when it is whole. Needs no display.

    Characters that no installed font has become boxes, which stderr says in one line. Raises
    OSError if the file cannot be written.
    """
    boxes = choose_fonts(figure)
    with warnings.catch_warnings(), whole_file(path) as file:
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(file, format="png", dpi=dpi)
    if boxes:
        note(
            f"{path}: no installed font has {_listed(boxes)}, so there are boxes; a font that has "
            "them, such as Noto Sans CJK for Korean, is found once installed"
        )


def choose_fonts(figure) -> str:
    """Give every text of a figure the fonts that its characters need; returns the characters that
    no installed font has."""
    from matplotlib.text import Text

    boxes = set()
    for text in figure.findobj(Text):
        own = text.get_fontfamily()
        chosen, none = families(text.get_text(), own)
        if chosen != own:
            text.set_fontfamily(chosen)
        boxes |= set(none)
    return "".join(sorted(boxes))


def _listed(characters: str, most: int = 10) -> str:
    return " ".join(characters[:most]) + (" ..." if len(characters) > most else "")

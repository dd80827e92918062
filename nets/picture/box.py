"""A box of a picture with its texts, and how wide it must be for them."""

import dataclasses
import enum

from lamina.common.fonts import text_width
from lamina.common.printable import printable
from lamina.nets.picture.pieces import Box
from lamina.nets.picture.shapes import GREY, INK, LARGE, SMALL, Rectangle, Text, fitted
from lamina.nets.picture.words import count, names, of_parameters, series

WIDEST = 340.0
LINE = 16.0  # from base line to base line
PADDING = 9.0
_BETWEEN = 14.0  # at least, from a text at the left to one at the right
_BESIDE = 8.0  # from a title to a name beside it
_SHORT = 230.0  # boxes are made as wide as this for one line in place of two


class Form(enum.Enum):
    """How the texts of a box are spread: over two lines; over one where they fit, which is lower;
    over three, which is narrower."""

    USUAL = 1
    LOW = 2
    NARROW = 3


@dataclasses.dataclass
class Style:
    """What all boxes of a picture share: a form, and a width, 0 while it is not known."""

    form: Form
    width: float = 0.0


@dataclasses.dataclass
class Labels:
    """The texts of a box, in lines of (left, beside it in grey, right); what stands below it, by
    output, a line for each size of a repeated block; and all of it in a sentence."""

    rows: list[tuple[str, str, str]]
    below: list[list[str]]
    said: str

    @property
    def height(self) -> float:
        return LINE * len(self.rows) + 8

    @property
    def room_below(self) -> float:
        return LINE * max((len(lines) for lines in self.below), default=0)

    def width(self) -> float:
        """That of a box in which all fits, what is below it in its right half."""
        rows = [_width(row, i == 0) for i, row in enumerate(self.rows)]
        share = max(2, len(self.below))
        below = [share * (text_width(t, SMALL) + 14) for lines in self.below for t in lines]
        return min(max(rows + below), WIDEST)


def labels(box: Box, style: Style) -> Labels:
    """The texts of a box. Where a block repeats they say what differs."""
    items, first = box.items, box.items[0]
    name = printable(names([item.name for item in items]))
    shapes = [series([item.shapes[k] for item in items]) for k in range(len(first.shapes))]
    shown = any(shapes) and not all(item.keeps_shape for item in items)
    below = [shape.split(" | ") if shape else [] for shape in shapes] if shown else []
    gives = f"gives {', '.join(shapes)}" if any(shapes) else ""
    if first.kind == "input":
        return Labels([(name, "", "")], below, _sentence(f"{name}: an input", gives))
    title = " ".join(filter(None, [first.type, series([item.sizes for item in items])]))
    more = printable(series([item.more for item in items]))
    counted = series([count(item.learned, item.frozen) for item in items])
    said = _sentence(f"{name}: {title}", more, of_parameters(counted), gives)
    return Labels(_rows(title, more, name, counted, style), below, said)


def _rows(title: str, more: str, name: str, counted: str, style: Style) -> list:
    if style.form is Form.NARROW:
        return [(title, "", ""), *([(more, "", "")] if more else []), (name, "", counted)]
    whole = " ".join(filter(None, [title, more]))
    short = (whole, name, counted) if counted else (whole, "", name)
    fits = _width(short, True) <= (style.width or _SHORT)
    if fits and (style.form is Form.LOW or not counted):
        return [short]
    return [(title, "", counted), (name, "", more)]


def drawn(box: Box, texts: Labels, x: float, y: float, width: float) -> list:
    """The box at (x, y), its middle at the top, with its texts and those below it."""
    kind, own, wide = box.items[0].kind, [], width
    if kind == "input":
        name = fitted(texts.rows[0][0], width - 2 * PADDING, LARGE)
        wide = text_width(name, LARGE) + 4 * PADDING
        own = [Text(x, y + LINE, name, LARGE, anchor="middle")]
    else:
        left, right = x - width / 2 + PADDING, x + width / 2 - PADDING
        for i, row in enumerate(texts.rows):
            own += _row(row, left, right, y + LINE * (i + 1) + 0.5, i == 0)
    shapes: list = [Rectangle(x - wide / 2, y, wide, texts.height, kind, texts.said), *own]
    room = width / max(2, len(texts.below)) - 12
    for port, lines in zip(ports(x, width, len(texts.below)), texts.below, strict=True):
        for i, text in enumerate(lines):
            place = y + texts.height + LINE * i + 13
            shapes.append(Text(port + 7, place, fitted(text, room, SMALL), SMALL, GREY))
    return shapes


def ports(x: float, width: float, n: int) -> list[float]:
    """Where n outputs leave a box whose middle is at x."""
    return [x + width * ((i + 0.5) / n - 0.5) for i in range(n)] if n > 1 else [x] * n


def _row(row: tuple, left: float, right: float, y: float, first: bool) -> list[Text]:
    """A line, the first in ink at its left. What is too wide is shortened, the text at the right
    first, down to a third of the line."""
    size, colour = (LARGE, INK) if first else (SMALL, GREY)
    room = right - left
    end = fitted(row[2], max(room / 3, room - text_width(row[0], size) - _BETWEEN), SMALL)
    taken = text_width(end, SMALL) + _BETWEEN if end else 0.0
    begin = Text(left, y, fitted(row[0], room - taken, size), size, colour)
    found = [begin]
    if row[1]:
        found.append(Text(left + begin.width + _BESIDE, y, row[1], SMALL, GREY))
    if end:
        found.append(Text(right, y, end, SMALL, GREY, "end"))
    return found


def _width(row: tuple[str, str, str], first: bool) -> float:
    """That of a box for this line."""
    left, beside, right = row
    between = _BESIDE * bool(beside) + _BETWEEN * bool(right)
    texts = text_width(left, LARGE if first else SMALL) + text_width(beside + right, SMALL)
    return texts + between + 2 * PADDING


def _sentence(*parts: str) -> str:
    return ", ".join(filter(None, parts))

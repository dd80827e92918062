"""A box of a picture with its texts, and how wide it must be for them."""

import dataclasses
import itertools

from lamina.common.fonts import text_width
from lamina.common.printable import printable
from lamina.nets.picture.pieces import Box
from lamina.nets.picture.shapes import GREY, LARGE, SMALL, Rectangle, Text, fitted
from lamina.nets.picture.words import count

WIDEST = 340.0
LINE = 16.0  # from base line to base line
PADDING = 9.0
_BETWEEN = 14.0  # at least, from a text at the left to one at the right


@dataclasses.dataclass
class Labels:
    """The texts of a box, in lines of (left, right); what stands below it, a line for each size of
    a repeated block; and all of it in a sentence."""

    rows: list[tuple[str, str]]
    below: list[list[str]]  # by output
    said: str

    @property
    def height(self) -> float:
        return LINE * len(self.rows) + 8

    @property
    def room_below(self) -> float:
        return LINE * max((len(lines) for lines in self.below), default=0)

    def width(self) -> float:
        """That of the box, so that all fits in it, and what is below in half of it."""
        rows = [
            _width(row, i == 0) + _BETWEEN * all(row) + 2 * PADDING
            for i, row in enumerate(self.rows)
        ]
        below = [2 * (text_width(t, SMALL) + 8) for lines in self.below for t in lines]
        return min(max(rows + below), WIDEST)


def labels(box: Box, narrow: bool = False) -> Labels:
    """`narrow` puts the arguments of a layer on a line of their own."""
    items = box.items
    first = items[0]
    name = _series([item.name for item in items], ", ", dashed=True)
    below = [
        _lines([item.shapes[k] for item in items])
        for k in range(len(first.shapes))
        if any(item.shapes[k] for item in items)
    ]
    if first.kind == "input":
        return Labels([(name, "")], below, _sentence([name, "input", " and ".join(map(str, *below[:1] or [[]]))]))
    title = " ".join(filter(None, [first.type, _series([item.sizes for item in items])]))
    more = _series([item.more for item in items])
    counted = _series([count(item.learned, item.frozen) for item in items])
    if narrow:
        rows = [(title, ""), *([(more, "")] if more else []), (name, counted)]
    elif counted:
        rows = [(title, counted), (name, more)]
    elif more and _width((f"{title} {more}", name), False) > 190:
        rows = [(title, ""), (name, more)]
    else:
        rows = [(f"{title} {more}".rstrip(), name)]
    parts = [f"{name}: {title}", more, f"{counted} parameters" if counted else ""]
    shapes = ", ".join(" | ".join(lines) for lines in below)
    return Labels(rows, below, _sentence([*parts, f"gives {shapes}" if shapes else ""]))


def drawn(box: Box, texts: Labels, x: float, y: float, width: float) -> list:
    """The box at (x, y), its middle at the top, with its texts and those below it."""
    kind = box.items[0].kind
    if kind == "input":
        name = fitted(texts.rows[0][0], width - 2 * PADDING, LARGE)
        width = text_width(name, LARGE) + 4 * PADDING
        own = [Text(x, y + LINE, name, LARGE, anchor="middle")]
    else:
        own = []
        left, right = x - width / 2 + PADDING, x + width / 2 - PADDING
        for i, row in enumerate(texts.rows):
            own += _row(row, left, right, y + LINE * (i + 1) + 0.5, i == 0)
    shapes: list = [Rectangle(x - width / 2, y, width, texts.height, kind, texts.said), *own]
    for port, lines in zip(ports(x, width, len(texts.below)), texts.below, strict=True):
        for i, text in enumerate(lines):
            place = y + texts.height + LINE * i + 13
            shapes.append(Text(port + 7, place, fitted(text, width / 2 - 8, SMALL), SMALL, GREY))
    return shapes


def ports(x: float, width: float, n: int) -> list[float]:
    """Where n outputs leave a box whose middle is at x."""
    return [x + width * ((i + 0.5) / n - 0.5) for i in range(n)] if n > 1 else [x] * n


def _row(row: tuple[str, str], left: float, right: float, y: float, first: bool) -> list[Text]:
    """A line: the first in ink, the names of the others in grey. What is too wide is shortened, the
    text at the right first, down to a third of the line."""
    size, colour = (LARGE, "#1b1d21") if first else (SMALL, GREY)
    room = right - left
    text = fitted(row[1], max(room / 3, room - text_width(row[0], size) - _BETWEEN), SMALL)
    taken = text_width(text, SMALL) + _BETWEEN if text else 0.0
    found = [Text(left, y, fitted(row[0], room - taken, size), size, colour)]
    if text:
        found.append(Text(right, y, text, SMALL, GREY, "end"))
    return found


def _width(row: tuple[str, str], first: bool) -> float:
    return text_width(printable(row[0]), LARGE if first else SMALL) + text_width(
        printable(row[1]), SMALL
    )


def _series(texts: list[str], between: str = " | ", dashed: bool = False) -> str:
    """Texts of the repeats of a block: once if they are alike, at most three, or from first to
    last."""
    different = [text for text, _ in itertools.groupby(texts)]
    if len(different) <= (2 if dashed else 3):
        return between.join(text or "–" for text in different) if any(different) else ""
    return f"{different[0]} … {different[-1]}"


def _lines(texts: list[str]) -> list[str]:
    """Shapes below a box, each on a line of its own."""
    joined = _series(texts)
    return joined.split(" | ") if joined else []


def _sentence(parts: list[str]) -> str:
    return printable(", ".join(filter(None, parts)))

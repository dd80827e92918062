"""The chain of pieces in columns, so that it fits a page and its letters stay large."""

import dataclasses
import itertools

from lamina.common.fonts import text_width
from lamina.nets.picture.box import Form
from lamina.nets.picture.items import Item
from lamina.nets.picture.panel import Panel
from lamina.nets.picture.pieces import pieces_of
from lamina.nets.picture.shapes import GREY, INK, LARGE, SMALL, Line, Text, fitted
from lamina.nets.picture.stack import panels_of, style_of

PAGES = {"a4": (794.0, 1123.0), "16:9": (1280.0, 720.0)}  # CSS pixels, 96 to an inch
ROOM = (720.0, 1020.0)  # without a page: what fits on A4 between its margins
MARGIN = 26.0
LARGEST = 1.5  # times the usual letters, where a page has room
_MOST_COLUMNS = 8
_GUTTER = 36.0  # between columns, with a line up from the end of one to the next
_TURN = 14.0  # for that line, below a column and above the next
_TITLE = 45.0  # for the name of the picture and a line on how to read it
_LEAST = 200.0  # the width of a picture without a page


@dataclasses.dataclass
class Layout:
    """Shapes on a canvas, to be drawn `scale` times as large around `offset`; `points` is the size
    of the smallest letters then."""

    shapes: list
    width: float
    height: float
    scale: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)

    @property
    def points(self) -> float:
        return SMALL * self.scale * 0.75


def lay_out(choices, title: str, total: str, page: str | None, room=ROOM) -> Layout:
    """The best of the `choices`, which are lists of Items for one net, most detailed first: the
    first in which the letters keep their size, or that with the largest. Without a `page` the
    picture is as large as its net, in as few columns as fit the `room`, (width, height)."""
    size = PAGES[page] if page else (room[0] + 2 * MARGIN, room[1] + 2 * MARGIN)
    free = size[0] - 2 * MARGIN, size[1] - 2 * MARGIN
    best: tuple[float, list, float, float] | None = None
    for items, frames in choices:
        found = _best(pieces_of(items, frames), free, LARGEST if page else 1.0)
        if best is None or found[0] > best[0] * 1.02:
            best = found
        if best[0] >= 1.0:
            break
    assert best is not None
    scale, shapes, width, height = best
    texts = _title(title, total, free[0] / scale if page else max(width, _LEAST))
    if not page:
        width = max(width, *(text.width for text in texts))
        whole = [*texts, *(shape.moved(0, _TITLE) for shape in shapes)]
        middle = MARGIN / 2
        whole = [shape.moved(middle, middle) for shape in whole]
        return Layout(whole, width + MARGIN, _TITLE + height + MARGIN)
    left, above = (free[0] / scale - width) / 2, (free[1] / scale - _TITLE - height) / 2
    placed = [shape.moved(left, _TITLE + min(above, 60.0)) for shape in shapes]
    return Layout([*texts, *placed], size[0], size[1], scale, (MARGIN, MARGIN))


def _title(title: str, total: str, room: float) -> list[Text]:
    """The name of the picture, and how to read it."""
    legend = f"{total}, at the right in the boxes; shapes below them"
    legend = legend if text_width(legend, SMALL) <= room else fitted(total, room, SMALL)
    name = fitted(title, room, LARGE + 3, True)
    return [
        Text(0, 14, name, LARGE + 3, INK, bold=True),
        Text(0, 33, legend, SMALL, GREY),
    ]


def _best(pieces: list, free: tuple[float, float], largest: float):
    """(scale, shapes, width, height) with the largest letters, in as few columns as will do."""
    best: tuple[float, list, float, float] | None = None
    for form in Form:
        panels = panels_of(pieces, style_of(pieces, form))
        for n in range(1, min(len(panels), _MOST_COLUMNS) + 1):
            shapes, width, height = _columns(panels, n)
            scale = min(free[0] / width, free[1] / (_TITLE + height), largest)
            enough = best is not None and best[0] >= 1.0
            if best is None or scale > best[0] * (1.1 if enough else 1.03):
                best = scale, shapes, width, height
    assert best is not None
    return best


def _columns(panels: list[Panel], n: int) -> tuple[list, float, float]:
    """The panels in n columns, each going on at the top of the next."""
    columns = _cut([panel.height for panel in panels], n)
    shapes: list = []
    x, height, way_in = 0.0, 0.0, None
    turn = _TURN if len(columns) > 1 else 0.0
    for column in columns:
        parts = [panels[i] for i in column]
        left, right = max(p.left for p in parts), max(p.right for p in parts)
        middle, y = x + left, turn
        if way_in is not None:
            (x0, y0), gutter = way_in, x - _GUTTER / 2
            end = (middle + (panels[column[0] - 1].gives or 0.0), turn)
            points = ((x0, y0), (x0, y0 + 8), (gutter, y0 + 8), (gutter, 4.0), (end[0], 4.0), end)
            shapes.append(Line(points))
        for part in parts:
            shapes += [shape.moved(middle, y) for shape in part.shapes]
            y += part.height
        way_in = (middle + (parts[-1].gives or 0.0), y)
        height, x = max(height, y + turn), x + left + right + _GUTTER
    return shapes, x - _GUTTER, height


def _cut(heights: list[float], n: int) -> list[range]:
    """The places cut into at most n runs, the highest as low as can be."""
    sums = [0.0, *itertools.accumulate(heights)]
    low, high = max(heights), sums[-1]
    for _ in range(40):
        limit = (low + high) / 2
        low, high = (low, limit) if len(_runs(heights, limit)) <= n else (limit, high)
    return _runs(heights, high)


def _runs(heights: list[float], limit: float) -> list[range]:
    runs, start, filled = [], 0, 0.0
    for i, height in enumerate(heights):
        if i > start and filled + height > limit:
            runs.append(range(start, i))
            start, filled = i, 0.0
        filled += height
    return [*runs, range(start, len(heights))]


def choices_of(nested: list[Item], closed: list[Item]) -> list[tuple[list[Item], bool]]:
    """From most detailed to least: nets inside the net framed, opened, or a box each."""
    return [(nested, True), (nested, False)] + ([(closed, False)] if closed != nested else [])

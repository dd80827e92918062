"""Pieces below each other, frames around those that belong together."""

from lamina.common.fonts import text_width
from lamina.common.printable import printable
from lamina.nets.picture.box import Form, Style, labels
from lamina.nets.picture.panel import ARROW, Panel, panel
from lamina.nets.picture.pieces import OUTSIDE, Frame, boxes_of
from lamina.nets.picture.shapes import INK, SMALL, Line, Rectangle, Text, fitted
from lamina.nets.picture.words import names

PADDING = 12.0  # of a frame, at its sides and its bottom
HEADER = 22.0  # of a frame, for its name
AIR = 4.0  # above and below a frame


def style_of(pieces: list, form: Form) -> Style:
    """As narrow as the texts allow."""
    widths = [labels(box, Style(form)).width() for box in boxes_of(pieces)]
    frames = [2 * (text_width(_name(f), SMALL, True) + 10 - PADDING) for f in _frames(pieces)]
    return Style(form, max(*widths, *(min(w, 300.0) for w in frames), 110.0))


def stacked(pieces: list, style: Style, entry: float = 0.0) -> Panel:
    """All of them in one panel; the line into the first comes in at x = `entry`."""
    shapes: list = []
    left = right = y = 0.0
    gives: float | None = entry
    for one in panels_of(pieces, style, entry):
        shapes += [shape.moved(0, y) for shape in one.shapes]
        left, right, y, gives = (
            max(left, one.left),
            max(right, one.right),
            y + one.height,
            one.gives,
        )
    return Panel(shapes, left, right, y, gives)


def panels_of(pieces: list, style: Style, entry: float = 0.0) -> list[Panel]:
    """A panel for each piece."""
    panels: list[Panel] = []
    for piece in pieces:
        if isinstance(piece, Frame):
            one = _framed(piece, style, entry)
        else:
            one = panel(piece, style, entry)
        panels.append(one)
        entry = one.gives or 0.0
    return panels


def _framed(frame: Frame, style: Style, entry: float) -> Panel:
    inner = stacked(frame.pieces, style, entry)
    left, right = inner.left + PADDING, inner.right + PADDING
    last = inner.height if inner.gives is None else inner.height - ARROW
    height = HEADER + last + PADDING + AIR
    around = Rectangle(-left, AIR, left + right, height - 2 * AIR, "frame", _name(frame))
    header = Text(
        8 - left, AIR + 14, fitted(_name(frame), left - 12, SMALL, True), SMALL, INK, bold=True
    )
    shapes = [around, header, *(shape.moved(0, HEADER) for shape in inner.shapes)]
    if not _begins(frame):
        shapes.append(Line(((entry, 0), (entry, HEADER))))
    if inner.gives is not None:
        shapes.append(Line(((inner.gives, HEADER + inner.height), (inner.gives, height))))
    return Panel(shapes, left, right, height, inner.gives)


def _begins(frame: Frame) -> bool:
    """Whether nothing comes into it."""
    first = frame.pieces[0]
    if isinstance(first, Frame):
        return _begins(first)
    return not any(source == OUTSIDE for box in first.boxes for source, _ in box.reads)


def _name(frame: Frame) -> str:
    """ "3 ×" of a block that repeats, with what its texts mean where they differ."""
    times = f"{frame.count} ×" if frame.count > 1 else ""
    order = {2: "(first | second)", 3: "(first | second | third)"}
    differs = order.get(frame.count, "(first … last)") if frame.differs else ""
    classes = ", ".join(dict.fromkeys(kind for _, kind in frame.nets))
    called = f"{names([name for name, _ in frame.nets])} ({classes})" if frame.nets else ""
    return printable(" ".join(filter(None, [times, called, differs])))


def _frames(pieces: list):
    for piece in pieces:
        if isinstance(piece, Frame):
            yield piece
            yield from _frames(piece.pieces)

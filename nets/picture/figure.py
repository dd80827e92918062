"""A picture of a net as a matplotlib figure, for PNG."""

from collections.abc import Callable

from lamina.nets.picture.page import Layout
from lamina.nets.picture.shapes import COLOURS, GREY, Dot, Line, Rectangle, Text

PIXELS_PER_INCH = 96  # of CSS, in which the layout measures
POINT = 72 / PIXELS_PER_INCH


def figure(layout: Layout):
    """A matplotlib.figure.Figure in the size of the layout."""
    from matplotlib.figure import Figure  # late: half a second that only pictures need

    size = (layout.width / PIXELS_PER_INCH, layout.height / PIXELS_PER_INCH)
    made = Figure(figsize=size, facecolor="white")
    axes = made.add_axes((0, 0, 1, 1))
    (x, y), scale = layout.offset, layout.scale
    axes.set(
        xlim=(-x / scale, (layout.width - x) / scale),
        ylim=((layout.height - y) / scale, -y / scale),
    )
    axes.axis("off")
    for shape in layout.shapes:
        _KINDS[type(shape)](axes, shape, scale)
    return made


def _rectangle(axes, shape: Rectangle, scale: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    fill, stroke = COLOURS[shape.kind]
    corner, style = (shape.x, shape.y), f"round,pad=0,rounding_size={shape.radius / 1.001}"
    axes.add_patch(
        FancyBboxPatch(
            corner,
            shape.width,
            shape.height,
            boxstyle=style,
            facecolor=fill,
            edgecolor=stroke,
            linewidth=1.2 * POINT * scale,
            linestyle=(0, (4, 2.5)) if shape.kind == "frame" else "-",
        )
    )


def _line(axes, shape: Line, scale: float) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    points: list[tuple[float, float]] = []
    codes: list = []
    for corner, point in shape.rounded():
        if corner is not None:
            points.append(corner)
            codes.append(Path.CURVE3)
        points.append(point)
        codes.append(Path.CURVE3 if corner else Path.LINETO if len(codes) else Path.MOVETO)
    path = Path(points, codes)
    axes.add_patch(PathPatch(path, fill=False, edgecolor=GREY, linewidth=1.3 * POINT * scale))
    if shape.tip:
        axes.add_patch(Polygon(shape.tip_points(), facecolor=GREY, edgecolor="none"))


def _dot(axes, shape: Dot, scale: float) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle((shape.x, shape.y), 2.6, facecolor=GREY, edgecolor="none"))


def _text(axes, shape: Text, scale: float) -> None:
    axes.text(
        shape.x,
        shape.y,
        shape.text,
        color=shape.colour,
        fontsize=shape.size * POINT * scale,
        fontweight="bold" if shape.bold else "normal",
        family="DejaVu Sans",  # comes with matplotlib
        ha={"start": "left", "middle": "center", "end": "right"}[shape.anchor],
        va="baseline",
        parse_math=False,
    )


_KINDS: dict[type, Callable[..., None]] = {
    Rectangle: _rectangle,
    Line: _line,
    Dot: _dot,
    Text: _text,
}

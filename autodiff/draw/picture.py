"""A laid-out graph as a matplotlib figure, for PNG."""

from lamina.autodiff.draw.graph import Graph
from lamina.autodiff.draw.layout import ARROW, FONT_SIZE, LINE, Layout
from lamina.autodiff.draw.svg import FILLS, GREEN, GREY, INK, RED, label_lines

PIXELS_PER_INCH = 96  # of CSS, in which the layout measures


def figure(graph: Graph, layout: Layout):
    """A matplotlib.figure.Figure of the graph, in the size of the layout."""
    from matplotlib.figure import Figure  # late: half a second that only pictures need

    size = (layout.width / PIXELS_PER_INCH, layout.height / PIXELS_PER_INCH)
    fig = Figure(figsize=size, facecolor="white")
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, layout.width), ylim=(layout.height, 0))
    axes.axis("off")
    for route in layout.edges:
        _draw_line(axes, route)
    for node, box in zip(graph.nodes, layout.nodes, strict=True):
        _draw_node(axes, node, box)
    for route in layout.edges:
        for texts, color in zip(label_lines(route), (GREEN, RED), strict=True):
            for y, text in texts:
                _write(axes, route.x, y, text, color)
    return fig


def _draw_line(axes, route) -> None:
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    points: list[tuple[float, float]] = []
    codes = []
    for (x0, x1), y in route.stretches:
        if points:
            last_x, last_y = points[-1]
            middle = (last_x + x0) / 2
            points += [(middle, last_y), (middle, y), (x0, y)]
            codes += [Path.CURVE4] * 3
        else:
            points, codes = [(x0, y)], [Path.MOVETO]
        points.append((x1, y))
        codes.append(Path.LINETO)
    axes.add_patch(PathPatch(Path(points, codes), fill=False, edgecolor=GREY, linewidth=1))
    x, y = points[-1]
    tip = [(x, y), (x - ARROW, y - 3.5), (x - ARROW, y + 3.5)]
    axes.add_patch(Polygon(tip, facecolor=GREY, edgecolor="none"))


def _draw_node(axes, node, box) -> None:
    from matplotlib.patches import FancyBboxPatch

    radius = box.height / 2.001 if node.kind in ("input", "constant") else 7
    axes.add_patch(
        FancyBboxPatch(
            (box.x - box.width / 2, box.y - box.height / 2),
            box.width,
            box.height,
            boxstyle=f"round,pad=0,rounding_size={radius}",
            facecolor=FILLS[node.kind],
            edgecolor=INK,
            linewidth=0.8,
            linestyle="--" if node.kind in ("constant", "copy") else "-",
        )
    )
    if node.caption:
        _write(axes, box.x, box.y - 3, node.label, INK)
        _write(axes, box.x, box.y + LINE - 3, node.caption, GREY)
    else:
        _write(axes, box.x, box.y + FONT_SIZE * 0.34, node.label, INK)


def _write(axes, x: float, y: float, text: str, color: str) -> None:
    axes.text(
        x,
        y,
        text,
        color=color,
        fontsize=FONT_SIZE * 72 / PIXELS_PER_INCH,
        family="DejaVu Sans Mono",  # comes with matplotlib
        ha="center",
        va="baseline",
        parse_math=False,
    )

"""A laid-out graph as SVG text: for a file, a notebook, or inside the stepping page."""

import math
from html import escape

from lamina.autodiff.draw.graph import Graph
from lamina.autodiff.draw.layout import ARROW, CLEAR, FONT_SIZE, LINE, Layout

GREEN, RED, GREY, INK = "#14733b", "#b3261e", "#6b6f76", "#1b1d21"
FILLS = {"input": "#e8eef9", "constant": "#f1f1f1", "operation": "#ffffff", "copy": "#fdf3dc"}
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"


def svg(
    graph: Graph,
    layout: Layout,
    extra=lambda kind, i: "",
    background: bool = True,
    widest: float = math.inf,
) -> str:
    """The picture. `extra(kind, i)` gives further attributes of a "node", "edge", "value" or
    "gradient", as text. Colours are attributes, so a style sheet may override them. A picture that
    is wider than `widest` pixels is shown that much smaller."""
    scale = min(1.0, widest / layout.width)
    width, height = (f"{size:.0f}" for size in (layout.width, layout.height))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{scale * layout.width:.0f}" '
        f'height="{scale * layout.height:.0f}" viewBox="0 0 {width} {height}" '
        f'font-family="{FONTS}" font-size="{FONT_SIZE}" text-anchor="middle" role="img" '
        f'aria-label="{escape(description(graph))}">'
    ]
    if background:
        parts.append('<rect width="100%" height="100%" fill="#ffffff"/>')
    for i, route in enumerate(layout.edges):
        parts.append(f'<g class="edge"{extra("edge", i)}>{_line(route)}</g>')
    for i, (node, box) in enumerate(zip(graph.nodes, layout.nodes, strict=True)):
        parts.append(f'<g class="node {node.kind}"{extra("node", i)}>{_box(node, box)}</g>')
    for i, route in enumerate(layout.edges):
        above, below = label_lines(route)
        for name, texts, color in (("value", above, GREEN), ("gradient", below, RED)):
            if texts:
                inside = "".join(_text(route.x, y, text) for y, text in texts)
                parts.append(f'<g class="{name}" fill="{color}"{extra(name, i)}>{inside}</g>')
    return "\n".join([*parts, "</svg>"])


def description(graph: Graph) -> str:
    """One sentence for those who cannot see the picture."""
    operations = sum(node.kind == "operation" for node in graph.nodes)
    return (
        f"Computational graph with {operations} operations; "
        "values above the edges, gradients below them"
    )


def label_lines(route):
    """([(baseline y, text)] above the edge, the same below it)."""
    n = len(route.above)
    above = [(route.y - CLEAR - 3 - (n - 1 - k) * LINE, t) for k, t in enumerate(route.above)]
    below = [(route.y + CLEAR + FONT_SIZE * 0.9 + k * LINE, t) for k, t in enumerate(route.below)]
    return above, below


def path(route) -> str:
    """The line of an edge: level stretches, joined by curves that begin and end level."""
    (x0, x), y = route.stretches[0]
    parts = [f"M{x0:.1f},{y:.1f} H{x:.1f}"]
    for (x0, x1), next_y in route.stretches[1:]:
        middle = (x + x0) / 2
        parts.append(f"C{middle:.1f},{y:.1f} {middle:.1f},{next_y:.1f} {x0:.1f},{next_y:.1f}")
        parts.append(f"H{x1:.1f}")
        x, y = x1, next_y
    return " ".join(parts)


def _line(route) -> str:
    (_, x), y = route.stretches[-1]
    tip = f"M{x:.1f},{y:.1f} l{-ARROW},-3.5 v7 z"
    return (
        f'<path class="line" d="{path(route)}" fill="none" stroke="{GREY}" stroke-width="1.3"/>'
        f'<path class="tip" d="{tip}" fill="{GREY}"/>'
    )


def _box(node, box) -> str:
    x, y = box.x - box.width / 2, box.y - box.height / 2
    radius = box.height / 2 if node.kind in ("input", "constant") else 7
    dashes = ' stroke-dasharray="3 2"' if node.kind in ("constant", "copy") else ""
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="{radius:.1f}" fill="{FILLS[node.kind]}" stroke="{INK}"{dashes}/>'
    )
    if not node.caption:
        return shape + _text(box.x, box.y + FONT_SIZE * 0.34, node.label, INK, "label")
    return (
        shape
        + _text(box.x, box.y - 3, node.label, INK, "label")
        + _text(box.x, box.y + LINE - 3, node.caption, GREY, "caption")
    )


def _text(x: float, y: float, text: str, fill: str = "", name: str = "") -> str:
    marks = f' class="{name}" fill="{fill}"' if name else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" xml:space="preserve"{marks}>{escape(text)}</text>'

"""A picture of a net as SVG: text that can be searched, named for those who cannot see it."""

from collections.abc import Callable
from html import escape

from lamina.common.printable import printable
from lamina.nets.picture.page import Layout
from lamina.nets.picture.shapes import COLOURS, GREY, Dot, Line, Rectangle, Text

# Text is measured in the first, the widest of them.
FONTS = "'DejaVu Sans', 'Helvetica Neue', Helvetica, Arial, sans-serif"
BORDER = 1.2


def svg(layout: Layout, title: str, said: str) -> str:
    """The picture; `said` is a sentence on what it shows."""
    size = f'width="{layout.width:.0f}" height="{layout.height:.0f}"'
    x, y = layout.offset
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {layout.width:.0f} {layout.height:.0f}" font-family="{FONTS}" role="img">',
        f"<title>{_plain(title)}</title>",
        f"<desc>{_plain(said)}</desc>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<g transform="translate({x:g} {y:g}) scale({layout.scale:.4f})">',
    ]
    return "\n".join([*head, *map(_drawn, layout.shapes), "</g>", "</svg>"])


def _drawn(shape) -> str:
    return _KINDS[type(shape)](shape)


def _rectangle(shape: Rectangle) -> str:
    fill, stroke = COLOURS[shape.kind]
    dashes = ' stroke-dasharray="5 3"' if shape.kind == "frame" else ""
    rect = (
        f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" '
        f'height="{shape.height:.1f}" rx="{shape.radius:.1f}" fill="{fill}" stroke="{stroke}" '
        f'stroke-width="{BORDER}"{dashes}'
    )
    return f"{rect}><title>{_plain(shape.said)}</title></rect>"


def _line(shape: Line) -> str:
    parts: list[str] = []
    for corner, (x, y) in shape.rounded():
        bend = f"Q{corner[0]:.1f},{corner[1]:.1f} " if corner else "L" if parts else "M"
        parts.append(f"{bend}{x:.1f},{y:.1f}")
    path = f'<path d="{" ".join(parts)}" fill="none" stroke="{GREY}" stroke-width="1.3"/>'
    if not shape.tip:
        return path
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.tip_points())
    return f'{path}<polygon points="{points}" fill="{GREY}"/>'


def _dot(shape: Dot) -> str:
    return f'<circle cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="2.6" fill="{GREY}"/>'


def _text(shape: Text) -> str:
    weight = ' font-weight="bold"' if shape.bold else ""
    return (
        f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size:g}" '
        f'fill="{shape.colour}" text-anchor="{shape.anchor}"{weight} xml:space="preserve">'
        f"{_plain(shape.text)}</text>"
    )


def _plain(text: str) -> str:
    return escape(printable(text))


_KINDS: dict[type, Callable[..., str]] = {
    Rectangle: _rectangle,
    Line: _line,
    Dot: _dot,
    Text: _text,
}

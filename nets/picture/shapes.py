"""What a picture is made of: rectangles, lines, dots and texts, in CSS pixels from its corner."""

import dataclasses
import itertools

from lamina.common.fonts import text_width
from lamina.common.printable import printable
from lamina.common.width import shortened, width_of

LARGE, SMALL = 13.0, 12.0  # 9.75 and 9 points
INK, GREY = "#1b1d21", "#565b63"
# A tint and a border by kind of box, from Okabe and Ito's palette, told apart without colours' help
# by their texts too.
COLOURS = {
    "input": ("#ececec", "#6b6f76"),
    "learns": ("#d9ecf8", "#0072b2"),
    "joins": ("#fdeccb", "#a86400"),
    "does": ("#ffffff", "#6b6f76"),
    "loss": ("#f5deea", "#a3446f"),
    "frame": ("none", "#6b6f76"),
}
TIP = 6.0  # the length of an arrow's tip


@dataclasses.dataclass(frozen=True)
class Rectangle:
    """A box or a frame; `said` is for those who cannot see it, and for a pointer that rests."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    said: str = ""

    @property
    def radius(self) -> float:
        return self.height / 2 if self.kind == "input" else 5.0

    def moved(self, dx: float, dy: float) -> "Rectangle":
        return dataclasses.replace(self, x=self.x + dx, y=self.y + dy)


@dataclasses.dataclass(frozen=True)
class Line:
    """Stretches along the axes from point to point, with an arrow's tip at the end if `tip`."""

    points: tuple[tuple[float, float], ...]
    tip: bool = False

    def moved(self, dx: float, dy: float) -> "Line":
        return dataclasses.replace(self, points=tuple((x + dx, y + dy) for x, y in self.points))

    def rounded(self, radius: float = 5.0):
        """[(corner or None, point)]: straight on to each point, or by a bend round the corner."""
        points = [p for i, p in enumerate(self.points) if i == 0 or p != self.points[i - 1]]
        steps: list[tuple] = [(None, points[0])]
        for before, corner, after in zip(points, points[1:], points[2:], strict=False):
            steps.append((None, _towards(corner, before, radius)))
            steps.append((corner, _towards(corner, after, radius)))
        return [*steps, (None, points[-1])]

    def tip_points(self) -> list[tuple[float, float]]:
        (x0, y0), (x, y) = self.points[-2:]
        length = abs(x - x0) + abs(y - y0)
        dx, dy = (x - x0) / length, (y - y0) / length
        back, half = (x - TIP * dx, y - TIP * dy), TIP / 2
        return [
            (x, y),
            (back[0] - half * dy, back[1] + half * dx),
            (back[0] + half * dy, back[1] - half * dx),
        ]


def length_of(points) -> float:
    return sum(abs(b[0] - a[0]) + abs(b[1] - a[1]) for a, b in itertools.pairwise(points))


def rest_of(points, other) -> tuple:
    """What is left of a way where it has parted from another that begins at the same place."""
    points, other, here = list(points[1:]), list(other[1:]), points[0]
    while points and other:
        steps = [(p[0] - here[0], p[1] - here[1]) for p in (points[0], other[0])]
        lengths = [abs(dx) + abs(dy) for dx, dy in steps]
        if 0.0 in lengths:
            (points if lengths[0] == 0 else other).pop(0)
            continue
        a, b = ((dx / n, dy / n) for (dx, dy), n in zip(steps, lengths, strict=True))
        if a != b:
            break
        here = points[0] if lengths[0] <= lengths[1] else other[0]
    return (here, *points)


def _towards(corner, other, radius: float):
    length = abs(other[0] - corner[0]) + abs(other[1] - corner[1])
    share = min(radius, length / 2) / length
    return tuple(c + share * (o - c) for c, o in zip(corner, other, strict=True))


@dataclasses.dataclass(frozen=True)
class Dot:
    """Where an array goes two ways."""

    x: float
    y: float

    def moved(self, dx: float, dy: float) -> "Dot":
        return Dot(self.x + dx, self.y + dy)


@dataclasses.dataclass(frozen=True)
class Text:
    """A line of text; y is that of its base line, x of its start, middle or end (`anchor`)."""

    x: float
    y: float
    text: str
    size: float = LARGE
    colour: str = INK
    anchor: str = "start"
    bold: bool = False

    @property
    def width(self) -> float:
        return text_width(self.text, self.size, self.bold)

    @property
    def left(self) -> float:
        return self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width

    def moved(self, dx: float, dy: float) -> "Text":
        return dataclasses.replace(self, x=self.x + dx, y=self.y + dy)


def fitted(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, or as much of both of its ends as fits."""
    text = printable(text)
    columns = min(width_of(text), int(4 * room / size) + 1)  # no letter is narrower than a quarter
    text = shortened(text, columns)
    while columns > 1 and text_width(text, size, bold) > room + 0.05:  # as sums are rounded
        columns -= 1
        text = shortened(text, columns)
    return text

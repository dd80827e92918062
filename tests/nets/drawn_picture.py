"""What a picture of a net shows, read from its shapes alone: boxes, lines, texts, and which box an
arrow leads from and to."""

import itertools

from lamina.nets.picture.shapes import Line, Rectangle, Text


def of(picture, kind):
    return [shape for shape in picture.layout.shapes if isinstance(shape, kind)]


def boxes(picture):
    return [r for r in of(picture, Rectangle) if r.kind != "frame"]


def frames(picture):
    return [r for r in of(picture, Rectangle) if r.kind == "frame"]


def stretches(picture):
    return [pair for line in of(picture, Line) for pair in itertools.pairwise(line.points)]


def room_of(shape):
    """(left, top, right, bottom) of a rectangle, a text, or a stretch of a line."""
    if isinstance(shape, Rectangle):
        return shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
    if isinstance(shape, Text):
        top, bottom = shape.y - 0.76 * shape.size, shape.y + 0.24 * shape.size
        return shape.left, top, shape.left + shape.width, bottom
    (x0, y0), (x1, y1) = shape
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def meet(a, b, apart=0.0):
    """Whether two things share more than a border, or come nearer than `apart`."""
    (a0, a1, a2, a3), (b0, b1, b2, b3) = room_of(a), room_of(b)
    eps = 0.01 - apart
    return a0 + eps < b2 and b0 + eps < a2 and a1 + eps < b3 and b1 + eps < a3


def is_in(inner, outer):
    (a0, a1, a2, a3), (b0, b1, b2, b3) = room_of(inner), room_of(outer)
    return b0 <= a0 + 0.01 and b1 <= a1 + 0.01 and a2 <= b2 + 0.01 and a3 <= b3 + 0.01


def overlap(a, b):
    """Whether two stretches run on top of each other."""
    (a0, a1, a2, a3), (b0, b1, b2, b3) = room_of(a), room_of(b)
    level = a1 == a3 == b1 == b3 and min(a2, b2) - max(a0, b0) > 0.5
    upright = a0 == a2 == b0 == b2 and min(a3, b3) - max(a1, b1) > 0.5
    return level or upright


def arrows(picture):
    """[(what the box says from which it comes, what the box says that it leads to)], sorted; None
    for an arrow into the open."""
    lines, found = of(picture, Line), []
    group = list(range(len(lines)))

    def root(i):
        while group[i] != i:
            i = group[i]
        return i

    for (i, a), (j, b) in itertools.permutations(enumerate(lines), 2):
        ends = (a.points[0], a.points[-1])
        if any(_is_on(end, pair) for end in ends for pair in itertools.pairwise(b.points)):
            group[root(i)] = root(j)
    for i in {root(i) for i in group}:
        of_one_array = [line for j, line in enumerate(lines) if root(j) == i]
        starts = [_box_above(picture, line.points[0]) for line in of_one_array]
        (source,) = [box for box in starts if box is not None]
        for line in of_one_array:
            if line.tip:
                found.append((source, _box_at(picture, line.points[-1])))
    return sorted(found, key=str)


def _is_on(point, stretch):
    left, top, right, bottom = room_of(stretch)
    return left - 0.02 <= point[0] <= right + 0.02 and top - 0.02 <= point[1] <= bottom + 0.02


def _box_above(picture, point):
    for box in boxes(picture):
        left, _, right, bottom = room_of(box)
        if left < point[0] < right and abs(bottom - point[1]) < 0.02:
            return box.said
    return None


def _box_at(picture, point):
    for box in boxes(picture):
        left, top, right, bottom = room_of(box)
        if left - 0.02 <= point[0] <= right + 0.02 and top - 0.02 <= point[1] < bottom - 0.02:
            return box.said
    return None

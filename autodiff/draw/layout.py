"""Where everything goes, from left to right, so that no label can lie on anything else.

The method is that of layered drawings (Sugiyama, Tagawa and Toda 1981): a column for each step of
the longest path, few crossings, straight edges. Labels are made part of it. Between two columns of
nodes lies a column of slots, and every edge runs level through a slot of its own, its value above
and its gradient below; edges bend only in the gaps between columns. Lengths are CSS pixels.
"""

import itertools
from dataclasses import dataclass, field

import numpy as np

from lamina.autodiff.draw.columns import Item, make_columns, ordered
from lamina.autodiff.draw.graph import Graph
from lamina.autodiff.draw.text import lines
from lamina.common.width import width_of

FONT_SIZE = 13
CHARACTER = 0.62 * FONT_SIZE  # the width of one in a monospaced font, a little more than needed
LINE = 1.3 * FONT_SIZE
CLEAR = 4  # between an edge and its label
MARGIN = 12
GAP = 14  # between things in one column
ARROW = 7
SWEEPS = 30
TOO_MANY = 400


@dataclass
class Box:
    """A node's place: its centre and size, and the two lines of text in it."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class Route:
    """An edge: level stretches ((x0, x1), y), with bends between them, ending in an arrow; and
    the lines of text above and below it, centred at `x`, `y` being the edge."""

    stretches: list = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)


@dataclass
class Layout:
    """`nodes` and `edges` as in the graph, and one edge more: the result, which leads out."""

    width: float
    height: float
    nodes: list[Box]
    edges: list[Route]


def lay_out(graph: Graph, digits: int = 4) -> Layout:
    """The places of a graph's nodes, edges and labels. The same graph gives the same layout.

    Raises ValueError if there are too many nodes for a picture that could be read.
    """
    if len(graph.nodes) > TOO_MANY:
        raise ValueError(
            f"draw: the graph has {len(graph.nodes)} nodes, and a picture of more than "
            f"{TOO_MANY} cannot be read; draw a part of it, or use arrays in place of numbers"
        )
    labels = [_label(value, g, digits) for value, g in _flows(graph)]
    nodes = [_node_item(i, node) for i, node in enumerate(graph.nodes)]
    slots = [_slot_size(above, below) for above, below in labels]
    columns = ordered(make_columns(graph, nodes, slots))
    _place_vertically(columns)
    _place_horizontally(columns)
    items = [item for column in columns for item in column]
    routes = [Route(above=above, below=below) for above, below in labels]
    for item in items:
        if item.node is None:
            routes[item.edge].stretches.append(((item.x0, item.x1), item.y))
            if item.labelled:
                routes[item.edge].x, routes[item.edge].y = item.x, item.y
    boxes = [Box(n.x, n.y, n.width, 2 * n.top) for n in nodes]
    _attach(graph, boxes, nodes, routes)
    width = max(item.x1 for item in items) + ARROW + MARGIN
    height = max(item.y + item.bottom for item in items) + MARGIN
    return Layout(width, height, boxes, routes)


def _flows(graph: Graph):
    """(value, gradient) of each edge, and of the result's way out."""
    for edge in graph.edges:
        yield graph.nodes[edge.source].value, edge.gradient
    yield graph.nodes[-1].value, graph.nodes[-1].gradient


def _label(value, gradient, digits: int):
    return lines(value, digits), [] if gradient is None else lines(gradient, digits)


def _node_item(i: int, node) -> Item:
    longest = max(width_of(node.label), width_of(node.caption))
    height = 2 * LINE + 8 if node.caption else LINE + 14
    return Item(max(longest * CHARACTER + 18, 36), height / 2, height / 2, node=i)


def _slot_size(above, below):
    """(width, room above the edge, room below it)."""
    width = max(map(len, [*above, *below])) * CHARACTER
    return width, len(above) * LINE + CLEAR, len(below) * LINE + CLEAR


def _place_vertically(columns) -> None:
    """Move everything towards its neighbours, keeping order and distance."""
    for column in columns:
        _settle(column, [0.0] * len(column))
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0 or sweep >= SWEEPS - 6  # at last forth: edges leave their node level
        for column in columns if forth else columns[::-1]:
            _settle(column, [_wanted(item, forth) for item in column])
    top = min(item.y - item.top for column in columns for item in column)
    for column in columns:
        for item in column:
            item.y += MARGIN - top


def _wanted(item: Item, forth: bool) -> float:
    """The middle of the neighbours. An operation follows what was computed before it; inputs that
    come in beside hang on, so that a chain of layers runs straight."""
    forth = forth and not item.beside
    near = (item.before or item.after) if forth else (item.after or item.before)
    near = [n for n in near if not n.beside] or near
    return sum(n.y for n in near) / len(near)


def _settle(column, wanted) -> None:
    """Put the items of a column nearest to the wanted places, keeping order and distance."""
    distances = [a.bottom + b.top + GAP for a, b in itertools.pairwise(column)]
    weights = [1e-4 if item.beside or not item.before else 1.0 for item in column]
    for item, y in zip(column, spread(wanted, distances, weights), strict=True):
        item.y = y


def spread(wanted, distances, weights) -> list[float]:
    """The places nearest to the wanted ones (weighted squares) that keep the least distances.

    With the distances taken off this is isotonic regression: pool adjacent violators.
    """
    offsets = [0.0, *itertools.accumulate(distances)]
    blocks: list[tuple[float, float, int]] = []  # (mean, weight, count)
    for place, offset, weight in zip(wanted, offsets, weights, strict=True):
        mean, count = place - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, more, n = blocks.pop()
            mean = (mean * weight + other * more) / (weight + more)
            weight, count = weight + more, count + n
        blocks.append((mean, weight, count))
    means = [mean for mean, _, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _place_horizontally(columns) -> None:
    """Columns side by side; the gap grows where edges have to climb."""
    x = float(MARGIN)
    for column, following in zip(columns, [*columns[1:], []], strict=True):
        width = max(item.width for item in column)
        for item in column:
            item.x, item.x0, item.x1 = x + width / 2, x, x + width
        climbs = [abs(a.y - b.y) for b in following for a in b.before]
        x += width + float(np.clip(0.3 * max(climbs, default=0), 26, 60))


def _attach(graph: Graph, boxes, nodes, routes) -> None:
    """Let the edges begin and end at their nodes."""
    for i, box in enumerate(boxes):
        left, right = box.x - box.width / 2, box.x + box.width / 2
        arriving = sorted(graph.into(i), key=lambda e: routes[e].stretches[-1][1])
        heights = [routes[e].stretches[-1][1] for e in arriving]
        for e, y in zip(arriving, _ports(box, heights) if arriving else [], strict=True):
            routes[e].stretches.append(((nodes[i].x0 - ARROW, left), y))  # level under the arrow
        for e in graph.out_of(i) + [len(graph.edges)] * (i == len(boxes) - 1):
            routes[e].stretches.insert(0, ((right, nodes[i].x1), box.y))


def _ports(box: Box, heights) -> list[float]:
    """Where edges from these heights arrive at a node: as level as they can, and apart."""
    reach = box.height / 2 - 6
    low, high = box.y - reach, box.y + reach
    step = min(10.0, 2 * reach / max(len(heights) - 1, 1))
    wanted = np.clip(heights, low, high).tolist()
    places = spread(wanted, [step] * (len(wanted) - 1), [1.0] * len(wanted))
    return np.clip(places, low, high).tolist()

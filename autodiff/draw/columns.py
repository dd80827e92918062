"""Columns of nodes and, between them, columns of slots for the edges; ordered to cross little."""

import bisect
import itertools
from dataclasses import dataclass, field

from lamina.autodiff.draw.graph import Graph

SWEEPS = 12


@dataclass(eq=False)
class Item:
    """Something that takes room in a column: a node, or the slot of an edge.

    It reaches `top` above and `bottom` below its y, and from x0 to x1 its column. `before` and
    `after` are the items of the neighbouring columns that it is linked to. `beside` marks the slots
    of edges that come from an input.
    """

    width: float
    top: float
    bottom: float
    node: int | None = None
    edge: int | None = None
    labelled: bool = False
    beside: bool = False
    x: float = 0.0
    y: float = 0.0
    x0: float = 0.0
    x1: float = 0.0
    before: list["Item"] = field(default_factory=list)
    after: list["Item"] = field(default_factory=list)


def make_columns(graph: Graph, nodes: list[Item], slot_sizes) -> list[list[Item]]:
    """Columns of items: nodes in the even ones, slots in the odd ones.

    An edge has a slot in each odd column that it passes; its label is in the last one, at the
    operation that uses the value. The one extra slot size is that of the result.
    """
    ranks = _ranks(graph)
    columns: list[list[Item]] = [[] for _ in range(2 * max(ranks) + 2)]
    # From the result back, inputs in the order of arguments: a tree then has no crossing at all.
    result = len(nodes) - 1
    seen, stack = {result}, [result]
    while stack:
        i = stack.pop()
        columns[2 * ranks[i]].append(nodes[i])
        arriving = graph.into(i)
        for e in arriving:
            beside = not graph.into(graph.edges[e].source)
            _add_slots(columns, graph.edges[e], e, ranks, nodes, slot_sizes[e], beside)
        for e in reversed(arriving):
            source = graph.edges[e].source
            if source not in seen:
                seen.add(source)
                stack.append(source)
    width, top, bottom = slot_sizes[-1]
    out = Item(width, top, bottom, edge=len(graph.edges), labelled=True)
    _link(nodes[result], out)
    columns[-1].append(out)
    return columns


def _ranks(graph: Graph) -> list[int]:
    """The longest path to each node; what has no inputs stands just before its first use."""
    ranks = [0] * len(graph.nodes)
    for edge in graph.edges:  # sorted by target, so every source is done
        ranks[edge.target] = max(ranks[edge.target], ranks[edge.source] + 1)
    targets = {edge.target for edge in graph.edges}
    uses: dict[int, int] = {}
    for edge in graph.edges:
        uses[edge.source] = min(uses.get(edge.source, len(ranks)), ranks[edge.target])
    # A copy gate moves along with the input before it.
    for i in reversed(range(len(ranks))):
        sources = [edge.source for edge in graph.edges if edge.target == i]
        if i in uses and (i not in targets or _only_copies(graph, i, sources, targets)):
            ranks[i] = uses[i] - 1
            for source in sources:
                uses[source] = ranks[i]
    return ranks


def _only_copies(graph: Graph, i: int, sources, targets) -> bool:
    return graph.nodes[i].kind == "copy" and sources[0] not in targets


def _add_slots(columns, edge, e: int, ranks, nodes, size, beside: bool) -> None:
    """The way of an edge from its source to its target, through the columns between."""
    previous = nodes[edge.source]
    for column in range(2 * ranks[edge.source] + 1, 2 * ranks[edge.target]):
        if column == 2 * ranks[edge.target] - 1:
            width, top, bottom = size
            item = Item(width, top, bottom, edge=e, labelled=True, beside=beside)
        else:
            item = Item(0, 4, 4, edge=e, beside=beside)
        _link(previous, item)
        columns[column].append(item)
        previous = item
    _link(previous, nodes[edge.target])


def _link(a: Item, b: Item) -> None:
    a.after.append(b)
    b.before.append(a)


def ordered(columns):
    """The columns, each in an order with few crossings: the best of some barycentre sweeps."""
    best, fewest = columns, _crossings(columns)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        columns = [list(column) for column in columns]
        forth = sweep % 2 == 0
        for k in range(1, len(columns)) if forth else range(len(columns) - 2, -1, -1):
            _sort_by_neighbours(columns[k], columns[k - 1 if forth else k + 1], forth)
        count = _crossings(columns)
        if count < fewest:
            best, fewest = columns, count
    return best


def _sort_by_neighbours(column, other, forth: bool) -> None:
    place = {id(item): i for i, item in enumerate(other)}
    keys = {}
    for i, item in enumerate(column):
        near = [place[id(n)] for n in (item.before if forth else item.after)]
        keys[id(item)] = sum(near) / len(near) if near else i * len(other) / len(column)
    column.sort(key=lambda item: keys[id(item)])


def _crossings(columns) -> int:
    total = 0
    for column, other in itertools.pairwise(columns):
        place = {id(item): i for i, item in enumerate(other)}
        ends: list[int] = []
        for item in column:
            mine = [place[id(n)] for n in item.after]
            total += sum(len(ends) - bisect.bisect_right(ends, end) for end in mine)
            for end in mine:
                bisect.insort(ends, end)
    return total

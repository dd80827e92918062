"""What is drawn: nodes, and edges that carry a value forward and a gradient back.

It is a plain description, so it can be made from a traced function (tracing.py) or from the layers
of a net.
"""

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass
class Node:
    """An input, a constant, an operation, or a copy gate.

    `name` is the value's name ("x", "q1"), `label` what the operation is called in the picture.
    `formula` is the operation in parts: texts, and numbers that stand for the node's inputs, as in
    (0, " + ", 1). `gradient` is that of the result by this value, all its uses added up; None for
    what has none.
    """

    name: str
    label: str
    kind: str  # "input", "constant", "operation" or "copy"
    value: np.ndarray
    gradient: np.ndarray | None = None
    formula: tuple = ()
    caption: str = ""


@dataclass
class Edge:
    """The value of `source` on its way into `target`, and what comes back along this edge.

    `gradient` is this edge's downstream gradient: the source's share that flows through `target`;
    None where no gradient flows. `local` are the partial derivatives entry by entry, of the shape
    of the target's value, where the operation works entry by entry; else `jacobian`
    (source.size, target.size), if it is small enough to be looked at. `rule` says how the gradient
    is computed without one.
    """

    source: int
    target: int
    gradient: np.ndarray | None = None
    local: np.ndarray | None = None
    jacobian: np.ndarray | None = None
    rule: str = ""


@dataclass
class Graph:
    """Nodes in topological order, the result last; edges by target, in the order of arguments."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def into(self, node: int) -> list[int]:
        """The numbers of the edges that go into a node."""
        return [i for i, edge in enumerate(self.edges) if edge.target == node]

    def out_of(self, node: int) -> list[int]:
        """The numbers of the edges that leave a node."""
        return [i for i, edge in enumerate(self.edges) if edge.source == node]


def with_copies(graph: Graph) -> Graph:
    """The same graph with a copy gate behind every value that is used more than once.

    The gate hands the value out and adds up the gradients that come back (note 000, "copy gate:
    gradient adder"), so that every other value goes along one edge only.
    """
    nodes: list[Node] = []
    place, copy_of = {}, {}
    for i, node in enumerate(graph.nodes):
        place[i] = len(nodes)
        nodes.append(node)
        if len(graph.out_of(i)) > 1 and node.kind != "constant":
            copy_of[i] = len(nodes)
            nodes.append(Node(node.name, "copy", "copy", node.value, node.gradient, (0,)))
    edges = [Edge(place[i], copy, nodes[copy].gradient) for i, copy in copy_of.items()]
    for edge in graph.edges:
        source = copy_of.get(edge.source, place[edge.source])
        edges.append(replace(edge, source=source, target=place[edge.target]))
    return Graph(nodes, sorted(edges, key=lambda edge: edge.target))

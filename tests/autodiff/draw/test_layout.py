"""The layout: nothing lies on anything else, whatever the graph."""

import numpy as np
import pytest

from lamina.autodiff.draw import Edge, Graph, Node, trace
from lamina.autodiff.draw.layout import ARROW, CHARACTER, CLEAR, LINE, lay_out, spread
from lamina.autodiff.draw.svg import label_lines


def scalar_net(**named):
    """The 3-4-2 net of note 002 with every weight a node of its own."""

    def neuron(name, inputs):
        total = sum(named[f"{name}{i}"] * x for i, x in enumerate(inputs))
        return 1 / (1 + np.exp(-total))

    hidden = [neuron(f"v{j}", [named[f"x{i}"] for i in range(3)]) for j in range(4)]
    y = [neuron(f"w{k}", hidden) for k in range(2)]
    return 0.5 * ((y[0] - 1) ** 2 + (y[1] - 0) ** 2)


def random_graph(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 40))
    nodes, edges = [], []
    for i in range(n):
        size = int(rng.integers(1, 4))
        value = rng.standard_normal((size, 2)) if rng.random() < 0.5 else rng.standard_normal()
        kind = "operation" if i > 2 else "input"
        caption = f"q{i}" if kind == "operation" else ""
        nodes.append(Node(f"q{i}", "op" * size, kind, value, value, (), caption))
        if kind == "operation":
            sources = rng.choice(i, min(i, int(rng.integers(1, 4))), replace=False)
            edges += [Edge(int(s), i, nodes[s].value) for s in sorted(sources)]
    unused = set(range(n - 1)) - {edge.source for edge in edges}
    edges += [Edge(i, n - 1, nodes[i].value) for i in sorted(unused)]
    return Graph(nodes, sorted(edges, key=lambda edge: edge.target))


def text_boxes(layout):
    """(left, top, right, bottom) of every line of every label, as wide as a font may make it."""
    for number, route in enumerate(layout.edges):
        for texts in label_lines(route):
            for y, text in texts:
                half = len(text) * CHARACTER / 2
                yield number, (route.x - half, y - 0.8 * LINE, route.x + half, y + 0.2 * LINE)


def overlap(a, b) -> bool:
    return min(a[2], b[2]) - max(a[0], b[0]) > 1e-6 and min(a[3], b[3]) - max(a[1], b[1]) > 1e-6


def points(route):
    """Points along an edge, its curves included."""
    previous = None
    for (x0, x1), y in route.stretches:
        if previous:
            (a, b), middle = previous, (previous[0] + x0) / 2
            for t in np.linspace(0, 1, 20):
                w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
                yield (
                    np.dot(w, (a, middle, middle, x0)),
                    np.dot(w, (b, b, y, y)),
                )
        for x in np.linspace(x0, x1, 10):
            yield x, y
        previous = (x1, y)


def check(graph: Graph) -> None:
    layout = lay_out(graph)
    nodes = [
        (b.x - b.width / 2, b.y - b.height / 2, b.x + b.width / 2, b.y + b.height / 2)
        for b in layout.nodes
    ]
    texts = list(text_boxes(layout))
    boxes = nodes + [box for _, box in texts]
    for i, a in enumerate(boxes):
        assert a[0] >= 0
        assert a[1] >= 0
        assert a[2] <= layout.width
        assert a[3] <= layout.height
        assert not any(overlap(a, b) for b in boxes[:i])
    for number, route in enumerate(layout.edges):
        ends = set()
        if number < len(graph.edges):
            ends = {graph.edges[number].source, graph.edges[number].target}
        for x, y in points(route):
            point = (x, y, x, y)
            assert not any(inside(point, box) for box in (b for _, b in texts)), "through a label"
            assert not any(inside(point, b) for i, b in enumerate(nodes) if i not in ends)


def inside(point, box) -> bool:
    x, y = point[:2]
    return box[0] + 1e-6 < x < box[2] - 1e-6 and box[1] + 1e-6 < y < box[3] - 1e-6


def test_nothing_overlaps_in_the_examples(example):
    check(trace(example.f, example.inputs))


@pytest.mark.often(3)
@pytest.mark.parametrize("seed", range(30))
def test_nothing_overlaps_in_random_graphs(seed):
    check(random_graph(seed))


def test_nothing_overlaps_in_a_net_of_single_numbers():
    names = [f"x{i}" for i in range(3)]
    names += [f"v{j}{i}" for j in range(4) for i in range(3)]
    names += [f"w{k}{j}" for k in range(2) for j in range(4)]
    rng = np.random.default_rng(0)
    graph = trace(scalar_net, {name: rng.standard_normal() for name in names})
    assert len(graph.nodes) > 80
    check(graph)


def test_the_same_graph_gives_the_same_layout(example):
    assert lay_out(trace(example.f, example.inputs)) == lay_out(trace(example.f, example.inputs))


def test_time_runs_from_left_to_right(example):
    graph = trace(example.f, example.inputs)
    layout = lay_out(graph)
    for edge, route in zip(graph.edges, layout.edges, strict=False):
        a, b = layout.nodes[edge.source], layout.nodes[edge.target]
        assert a.x + a.width / 2 < route.x < b.x - b.width / 2
        xs = [x for stretch, _ in route.stretches for x in stretch]
        assert np.diff(xs).min() > -1e-9
        assert route.stretches[-1][0][1] - route.stretches[-1][0][0] >= ARROW - 1e-6


def test_values_stand_above_and_gradients_below(example):
    for route in lay_out(trace(example.f, example.inputs)).edges:
        above, below = label_lines(route)
        assert all(y < route.y - CLEAR for y, _ in above)
        assert all(y > route.y + CLEAR for y, _ in below)


def test_a_chain_is_a_straight_line():
    layout = lay_out(trace(lambda x: np.exp(np.sin(x * 2)), {"x": 1.0}))
    assert len({round(box.y, 6) for box in layout.nodes}) == 1


def test_inputs_of_a_tree_keep_their_order_without_crossing():
    layout = lay_out(
        trace(lambda a, b, c, d: (a * b) / (c - d), {"a": 1.0, "b": 2.0, "c": 5.0, "d": 1.0})
    )
    ys = [box.y for box in layout.nodes[:4]]
    assert ys == sorted(ys)


def test_spread_gives_the_nearest_places():
    assert spread([0, 10], [5], [1, 1]) == [0, 10]
    assert spread([0, 0], [10], [1, 1]) == [-5, 5]
    assert spread([0, 0, 0], [10, 10], [1, 1, 1]) == [-10, 0, 10]
    assert np.allclose(spread([0, 0], [10], [1e9, 1]), [0, 10])


def test_a_graph_that_nobody_could_read_is_refused():
    def f(x):
        for _ in range(500):
            x = np.sin(x)
        return x

    with pytest.raises(ValueError, match=r"501 nodes.*use arrays"):
        lay_out(trace(f, {"x": 1.0}))

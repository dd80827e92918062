"""A picture of a net on one batch: its layers, what flows forward, and what flows back.

python -m training.draw configs/mnist_relu.yaml -o net.svg
python -m training.draw runs/mnist_relu-20260101-120000 -o net.html
"""

import argparse
import copy
import sys
from pathlib import Path

import numpy as np

from autodiff.draw import Drawing, Edge, Graph, Node
from autodiff.draw.graph import with_copies
from layers.base import Layer
from training.build import build_dataset, build_net, check_sections
from training.config import ConfigError, load_config
from training.evaluate import load_run
from training.values import check_value


def draw_net(net, X, t, title: str = "Net") -> Drawing:
    """The graph of a Sequential net with its loss on one batch of inputs X and targets t.

    Layers are nodes, and so are the parameters; values stand above the edges and gradients below,
    of big arrays the shape and norm. A copy of the net goes forward and backward once, in training
    mode.
    """
    net = copy.deepcopy(net)  # running statistics and generators move on in it
    net.set_training(True)
    graph = Graph([Node("X", "X", "input", X), Node("t", "t", "constant", np.asarray(t))])
    parameters = {id(p): (name, p) for name, p in net.parameters().items()}
    places: dict[int, int] = {}  # of the parameters among the nodes
    blob = 0
    for name, layer in net.layers.items():
        value = layer.forward(graph.nodes[blob].value)
        blob = _add_layer(graph, name, layer, [blob], value, parameters, places)
    value = net.loss_layer.forward(graph.nodes[blob].value, t)
    _add_layer(graph, "loss", net.loss_layer, [blob, 1], value, parameters, places)
    _go_back(graph, net, parameters, places)
    return Drawing(with_copies(graph), title)


def _add_layer(graph, name: str, layer: Layer, inputs, value, parameters, places) -> int:
    """A node for the layer, and one for each parameter that no layer before it has had."""
    sources = list(inputs)
    for inside, param in layer.parameters().items():
        if id(param) not in places:
            places[id(param)] = len(graph.nodes)
            known = parameters[id(param)][0]
            graph.nodes.append(Node(known, inside, "input", param.data))
        sources.append(places[id(param)])
    kind = type(layer).__name__
    parts = [part for i in range(len(sources)) for part in (", ", i)][1:]
    node = Node(name, kind, "operation", value, None, (f"{kind}(", *parts, ")"), name)
    graph.edges += [Edge(source, len(graph.nodes)) for source in sources]
    graph.nodes.append(node)
    return len(graph.nodes) - 1


def _go_back(graph: Graph, net, parameters, places) -> None:
    """Backward from the loss, layer by layer, noting what flows along each edge."""
    layers = [*net.layers.values(), net.loss_layer]
    nodes = [i for i, node in enumerate(graph.nodes) if node.kind == "operation"]
    dout = np.ones((), graph.nodes[-1].value.dtype)[()]
    for layer, i in zip(reversed(layers), reversed(nodes), strict=True):
        graph.nodes[i].gradient = dout
        for param in layer.parameters().values():
            param.grad = None
        dout = layer.backward(dout)
        edges = [graph.edges[e] for e in graph.into(i)]
        edges[0].gradient = dout
        shares = {places[key]: p.grad for key, (_, p) in parameters.items() if key in places}
        for edge in edges:
            share = shares.get(edge.source)
            if edge.source > 1 and share is not None and edge is not edges[0]:
                edge.gradient = share
                total = graph.nodes[edge.source].gradient
                graph.nodes[edge.source].gradient = share if total is None else total + share
        if dout is None:
            break
    graph.nodes[0].gradient = dout


def load(path: Path, rows: int):
    """(net, X, t): from a configuration with its initial weights, or a run with those it learned,
    and the first rows of the training samples. Raises ConfigError, OSError or ValueError."""
    if path.is_dir():
        net, dataset = load_run(path)
    else:
        config = load_config(path)
        check_sections(config)
        dataset = build_dataset(config)
        training = config.expect_mapping(("training",))
        seed = check_value(config, ("training", "seed"), training.get("seed", 0), int)
        weights, _ = np.random.default_rng(seed).spawn(2)  # as training does
        net = build_net(config, dataset, weights)
    if not hasattr(net, "layers"):
        raise ConfigError(f"{path}: the net is no Sequential, so it has no layers to draw")
    return net, *dataset.train[:rows]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.draw",
        description="Draw a net with the values and gradients of one batch.",
    )
    parser.add_argument("source", type=Path, metavar="CONFIG|RUN", help="a YAML file, or a run")
    parser.add_argument(
        *("-o", "--output"),
        type=Path,
        default=Path("net.svg"),
        help=".svg, .png, .dot, or .html, a page to step through (default: net.svg)",
    )
    parser.add_argument("--batch", type=int, default=100, help="samples (default: 100)")
    options = parser.parse_args(arguments)
    try:
        if options.batch < 1:
            raise ValueError(f"--batch: expects at least 1, got {options.batch}")
        net, X, t = load(options.source, options.batch)
        draw_net(net, X, t, options.source.stem).save(options.output)
    except (OSError, ValueError) as error:
        print(f"training.draw: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())

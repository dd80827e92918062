"""A picture of a net on one batch: its layers, what flows forward, and what flows back.

lamina draw configs/mnist_relu.yaml -o net.svg
lamina draw runs/mnist_relu-20260101-120000 -o net.html
"""

import copy
import dataclasses

import numpy as np

from lamina.autodiff.draw import Drawing, Edge, Graph, Node
from lamina.autodiff.draw.graph import with_copies
from lamina.layers.base import Layer
from lamina.layers.gates import Copy
from lamina.layers.loss import Loss
from lamina.layers.sparse_rows import dense
from lamina.nets.probes import Place, Probes


def draw_net(net, X, t, title: str = "Net") -> Drawing:
    """The graph of a net with its loss on one batch, X and t being what `net.loss` takes.

    Layers are nodes, and so are the parameters; values stand above the edges and gradients below,
    of big arrays the shape and norm. A net inside the net is one node. A copy of the net goes
    forward and backward once, in training mode, and its layers are watched on the way.
    """
    net = copy.deepcopy(net)  # running statistics and generators move on in it
    net.set_training(True)
    inputs = X if isinstance(X, tuple) else (X,)
    t = _apart(t, inputs)
    calls = _watched(net, X, t)
    graph = Graph()
    named = zip(net.inputs, inputs, strict=True)
    nodes = {id(x): _add(graph, n, n, "input", x) for n, x in named}
    for name, targets in (t if isinstance(t, dict) else {"t": t}).items():
        nodes[id(targets)] = _add(graph, name, name, "constant", np.asarray(targets))
    parameters = {id(p): name for name, p in net.parameters().items()}
    for call in calls:
        if not isinstance(call.layer, Copy):  # its outputs are its input; see with_copies
            _add_call(graph, call, nodes, parameters)
    losses = [nodes[id(call.outputs[0])] for call in calls if isinstance(call.layer, Loss)]
    weights = [head.weight for head in net.heads.values()]
    if weights != [1.0]:
        _add_sum(graph, losses, weights)
    for i, node in enumerate(graph.nodes):
        given = [graph.edges[e].gradient for e in graph.out_of(i)]
        shares = [share for share in given if share is not None]
        if node.kind == "input" and len(shares) == len(given):
            node.gradient = sum(shares[1:], shares[0])
    return Drawing(with_copies(graph), title)


def _apart(t, inputs: tuple):
    """The targets as arrays of their own: an autoencoder's are its inputs, and values are found by
    which array they are."""
    if isinstance(t, dict):
        return {name: _apart(one, inputs) for name, one in t.items()}
    return t.copy() if any(t is x for x in inputs) else t


@dataclasses.dataclass
class _Call:
    """What went into a layer and came out of it, forward and backward."""

    name: str
    layer: Layer
    inputs: tuple
    outputs: tuple
    douts: tuple = ()
    gradients: tuple = ()  # by the inputs
    shares: dict = dataclasses.field(default_factory=dict)  # {id(param): its gradient here}


def _watched(net, X, t) -> list[_Call]:
    """Loss and backward of a net, as the calls of its layers in the order of forward."""
    heads = {name: head.loss for name, head in net.heads.items()}
    places = [Place(name, layer) for name, layer in [*net.layers.items(), *heads.items()]]
    net.needs_dX = X.dtype.kind == "f" if hasattr(X, "dtype") else True
    with Probes(places, watcher := _Watcher()):
        net.loss(X, t)
        net.backward()
    return list(watcher.calls.values())


class _Watcher:
    """Keeps the call of every layer, in the order of forward."""

    def __init__(self):
        self.calls: dict[int, _Call] = {}  # by id(layer): a loss may have a layer's name

    def enter(self, place: Place, way: str) -> None:
        if way == "backward":  # so that a parameter shared with another layer has this share alone
            for param in place.layer.parameters().values():
                param.grad = None

    def leave(self, place: Place, way: str) -> None:
        pass

    def forward(self, place: Place, inputs: tuple, outputs: tuple) -> None:
        self.calls[id(place.layer)] = _Call(place.name, place.layer, inputs, outputs)

    def backward(self, place: Place, douts: tuple, dXs: tuple) -> None:
        call = self.calls[id(place.layer)]
        call.douts, call.gradients = douts, dXs
        call.shares = {id(param): dense(param.grad) for param in place.layer.parameters().values()}


def _add(graph: Graph, name: str, label: str, kind: str, value, **more) -> int:
    graph.nodes.append(Node(name, label, kind, value, **more))
    return len(graph.nodes) - 1


def _add_call(graph: Graph, call: _Call, nodes: dict, parameters: dict) -> None:
    """A node for each output of the layer, and one for each parameter that is new."""
    sources = [nodes[id(x)] for x in call.inputs]
    gradients = [*call.gradients, *[None] * (len(sources) - len(call.gradients))]
    for inside, param in call.layer.parameters().items():
        if id(param) not in nodes:
            nodes[id(param)] = _add(graph, parameters[id(param)], inside, "input", param.data)
        sources.append(nodes[id(param)])
        gradients.append(call.shares.get(id(param)))
    kind = type(call.layer).__name__
    parts = [part for i in range(len(sources)) for part in (", ", i)][1:]
    formula = (f"{kind}(", *parts, ")")
    several = len(call.outputs) > 1
    for i, value in enumerate(call.outputs):
        name = f"{call.name}.{i}" if several else call.name
        gradient = call.douts[i] if i < len(call.douts) else None
        if np.ndim(value) == 0:
            gradient = np.ones((), value.dtype)[()] if gradient is None else np.asarray(gradient)
        more = {"gradient": gradient, "formula": formula, "caption": name}
        nodes[id(value)] = target = _add(graph, name, kind, "operation", value, **more)
        for source, share in zip(sources, gradients, strict=True):
            # What comes back belongs to all outputs together: it is shown at the first.
            graph.edges.append(Edge(source, target, share if i == 0 else None))


def _add_sum(graph: Graph, losses: list[int], weights: list[float]) -> None:
    first, *others = (w * graph.nodes[i].value for w, i in zip(weights, losses, strict=True))
    total = sum(others, first)
    parts = [part for i, w in enumerate(weights) for part in (" + ", f"{w:g} ", i)][1:]
    one = np.ones((), total.dtype)[()]
    more = {"gradient": one, "formula": tuple(parts), "caption": "loss"}
    target = _add(graph, "loss", "weighted sum", "operation", total, **more)
    for weight, source in zip(weights, losses, strict=True):
        graph.edges.append(Edge(source, target, weight * one))

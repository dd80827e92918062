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


def draw_net(net, X, t, title: str = "Net") -> Drawing:
    """The graph of a net with its loss on one batch, X and t being what `net.loss` takes.

    Layers are nodes, and so are the parameters; values stand above the edges and gradients below,
    of big arrays the shape and norm. A net inside the net is one node. A copy of the net goes
    forward and backward once, in training mode, and its layers are watched on the way.
    """
    net = copy.deepcopy(net)  # running statistics and generators move on in it
    net.set_training(True)
    calls = _watched(net, X, t)
    graph = Graph()
    inputs = X if isinstance(X, tuple) else (X,)
    names = getattr(net, "inputs", ["X"])
    nodes = {id(x): _add(graph, n, n, "input", x) for n, x in zip(names, inputs, strict=True)}
    for name, targets in (t if isinstance(t, dict) else {"t": t}).items():
        nodes[id(targets)] = _add(graph, name, name, "constant", np.asarray(targets))
    parameters = {id(p): name for name, p in net.parameters().items()}
    for call in calls:
        if not isinstance(call.layer, Copy):  # its outputs are its input; see with_copies
            _add_call(graph, call, nodes, parameters)
    losses = [nodes[id(call.outputs[0])] for call in calls if isinstance(call.layer, Loss)]
    if len(losses) > 1:
        _add_sum(graph, losses, [head.weight for head in net.heads.values()])
    for i, node in enumerate(graph.nodes):
        shares = [graph.edges[e].gradient for e in graph.out_of(i)]
        if node.kind == "input" and all(share is not None for share in shares):
            node.gradient = sum(shares[1:], shares[0])
    return Drawing(with_copies(graph), title)


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
    calls: list[_Call] = []
    losses = {n: head.loss for n, head in getattr(net, "heads", {}).items()}
    losses = losses or {"loss": net.loss_layer}
    for name, layer in [*net.layers.items(), *losses.items()]:
        layer.forward = _watching_forward(name, layer, layer.forward, calls)
    net.loss(X, t)
    for call in calls:
        call.layer.backward = _watching_backward(call, call.layer.backward)
    net.needs_dX = X.dtype.kind == "f" if hasattr(X, "dtype") else True
    net.backward()
    return calls


def _watching_forward(name: str, layer: Layer, forward, calls: list):
    def watched(*inputs):
        outputs = forward(*inputs)
        calls.append(_Call(name, layer, inputs, _as_tuple(outputs)))
        return outputs

    return watched


def _watching_backward(call: _Call, backward):
    def watched(*douts):
        parameters = call.layer.parameters().values()
        for param in parameters:
            param.grad = None
        gradients = backward(*douts)
        call.douts, call.gradients = douts, _as_tuple(gradients)
        call.shares = {id(param): param.grad for param in parameters}
        return gradients

    return watched


def _as_tuple(value) -> tuple:
    return value if isinstance(value, tuple) else (value,)


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
    total = sum(w * graph.nodes[i].value for w, i in zip(weights, losses, strict=True))
    parts = [part for i, w in enumerate(weights) for part in (" + ", f"{w:g} ", i)][1:]
    one = np.ones((), total.dtype)[()]
    more = {"gradient": one, "formula": tuple(parts), "caption": "loss"}
    target = _add(graph, "loss", "weighted sum", "operation", total, **more)
    for weight, source in zip(weights, losses, strict=True):
        graph.edges.append(Edge(source, target, weight * one))

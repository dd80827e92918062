"""A net whose layers form a directed acyclic graph."""

import dataclasses
from collections import OrderedDict

import numpy as np

from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError
from lamina.layers.gates import Copy
from lamina.nets.head import Head
from lamina.nets.net import (
    Net,
    check_dtypes,
    check_gradient,
    check_member,
    located,
    own_twin,
    place_of,
)
from lamina.nets.wiring import Node, Step, wire


class Graph(Net):
    """Layers that read each other's outputs by name; with one or more losses, a net to train.

        net = Graph(
            {
                "conv1": Convolution(1, 8, 3, padding=1, rng=rng),      # reads the input, X
                "relu1": Relu(),                                        # reads the layer before it
                "conv2": Convolution(8, 8, 3, padding=1, rng=rng),
                "sum": Node(Addition(), ["relu1", "conv2"]),
                ...
            },
            losses=SoftmaxWithLoss(),
        )

    Blobs, the arrays between layers, have the name of the layer that gives them; a layer with
    several outputs, Node(Slice(...), outputs=2), gives name.0 and name.1. A Copy gate is put behind
    every blob that more than one layer reads, so gradients add up there. `inputs` names what
    forward takes, `outputs` what it returns (default: the last layer's). `losses` is a loss, which
    reads the first output, or a dict of name -> Head. The order of the layers is free; a layer
    object that stands at two places gets a twin at the second. Graphs and Sequentials nest.

    Raises WiringError for an unknown blob, a circle, a blob that nobody reads and a name given
    twice; TypeError and ValueError as Sequential does.
    """

    written_as = "Graph"

    def __init__(self, layers: dict, inputs=("X",), outputs=None, losses=None):
        nodes, taken = OrderedDict(), set()
        for name, node in layers.items():
            node = node if isinstance(node, Node) else Node(node)
            check_member(name, node.layer)
            nodes[name] = dataclasses.replace(node, layer=own_twin(node.layer, taken))
        if not nodes:
            raise ValueError("Graph: expects at least one layer")
        self.nodes = nodes  # as they were given; the Copy gates are in `layers` only
        name, last = next(reversed(nodes.items()))
        self.inputs = [inputs] if isinstance(inputs, str) else list(inputs)
        self.outputs = last.blobs(name) if outputs is None else list(outputs)
        self.heads = self._heads(losses)
        reads = {name: [head.input] for name, head in self.heads.items()}
        self._steps = wire(nodes, self.inputs, self.outputs, reads)
        self._read_by_heads = {name: blobs[0] for name, blobs in reads.items()}
        self.layers = OrderedDict((step.name, step.layer) for step in self._steps)
        self._params = [_params(step.layer) for step in self._steps]
        check_dtypes(self.parameters())

    def _heads(self, losses) -> dict[str, Head]:
        given = losses if isinstance(losses, dict) else {"loss": losses} if losses else {}
        heads = {}
        for name, head in given.items():
            head = head if isinstance(head, Head) else Head(head)
            check_member(f"loss {name}", head.loss)
            heads[name] = dataclasses.replace(head, input=head.input or self.outputs[0])
        return heads

    @property
    def loss_layer(self):
        """The first loss, or None."""
        return next((head.loss for head in self.heads.values()), None)

    def members(self):
        losses = {name: head.loss for name, head in self.heads.items()}
        if list(losses) != ["loss"]:
            losses = {f"loss_{name}": loss for name, loss in losses.items()}
        return {**self.layers, **losses}

    def forward(self, *inputs):
        """One array for each of `inputs`; returns the output, or a tuple of several."""
        blobs = self._run(inputs)
        self._last_pass = "forward"
        return _one_or_tuple([blobs[name] for name in self.outputs])

    def scores(self, X):
        outputs = self.forward(*X) if isinstance(X, tuple) else self.forward(X)
        return outputs[0] if len(self.outputs) > 1 else outputs

    def loss(self, X, t):
        """The weighted sum of the losses, as a 0-d array. `backward()` then starts from it.

        X is an array, or a tuple of one for each input; t likewise an array for all losses, or a
        dict of name -> array by the names that the heads call their targets.
        """
        if not self.heads:
            raise ValueError("Graph: the net has no loss; give one: Graph(..., losses=...)")
        blobs = self._run(X if isinstance(X, tuple) else (X,))
        total = 0.0
        for name, head in self.heads.items():
            if isinstance(t, dict) and head.target not in t:
                raise ValueError(f"loss {name}: no targets {head.target}, got {', '.join(t)}")
            targets = t[head.target] if isinstance(t, dict) else t
            value = head.loss.forward(blobs[self._read_by_heads[name]], targets)
            total = total + (value if head.weight == 1.0 else head.weight * value)
        self._last_pass = "loss"
        return total

    def backward(self, *douts):
        """Go back through the last `loss` or `forward`; returns dX unless needs_dX is False, a
        tuple for several inputs.

        After `loss`, dout is a factor of the loss (default 1); after `forward` there is one for
        each output. Layers that lead to nothing trainable are left out when no dX is wanted.
        """
        self._refuse_backward_alone()
        gradients = self._seeds(douts)
        learns = self._what_learns()
        for step, learned in zip(reversed(self._steps), reversed(learns), strict=True):
            if learned is None or not any(blob in gradients for blob in step.writes):
                continue
            step.layer.needs_dX = any(learned)
            try:
                dX = self._back_through(step, gradients)
            except Exception as error:
                error.add_note(f"in backward of {place_of(step.name, step.layer)}")
                raise
            step.layer.needs_dX = True  # a layer used by itself gives its dX
            if any(learned):
                self._hand_down(step, dX, learned, gradients)
        if not self.needs_dX:
            return None
        return _one_or_tuple([gradients.get(name) for name in self.inputs])

    def output_shape(self, *input_shapes):
        shapes = dict(zip(self.inputs, input_shapes, strict=True))
        for step, row in zip(self._steps, self.rows(*input_shapes), strict=True):
            shapes |= zip(step.writes, _as_list(row[-1]), strict=True)
        return _one_or_list([shapes[name] for name in self.outputs])

    def rows(self, *input_shapes):
        shapes = dict(zip(self.inputs, input_shapes, strict=True))
        for step in self._steps:
            try:
                shape = step.layer.output_shape(*(shapes[name] for name in step.reads))
            except ShapeError as error:
                raise located(error, step.name, f" from {', '.join(step.reads)}") from None
            shapes |= zip(step.writes, _as_list(shape), strict=True)
            yield step.name, step.layer, step.reads, shape

    # ------------------------------------------------------------------------------------------

    def _run(self, inputs) -> dict:
        """All blobs that are outputs or read by a loss."""
        if len(inputs) != len(self.inputs):
            raise TypeError(f"Graph: takes {', '.join(self.inputs)}; got {len(inputs)} inputs")
        self._last_pass = None
        blobs = dict(zip(self.inputs, inputs, strict=True))
        self._shapes = {name: np.shape(x) for name, x in blobs.items()}
        for step in self._steps:
            place = place_of(step.name, step.layer)
            arrays = [blobs[n] if n in self.outputs else blobs.pop(n) for n in step.reads]
            try:
                given = step.layer.forward(*arrays)
            except ShapeError as error:
                raise located(error, step.name, f" from {', '.join(step.reads)}") from None
            except Exception as error:
                error.add_note(f"in forward of {place}")
                raise
            given = given if isinstance(given, tuple) else (given,)
            if len(given) != len(step.writes) or given[0] is None:
                message = f"forward gave {len(given)} outputs, expects {len(step.writes)}"
                raise TypeError(f"{place}: {message}: Node(layer, outputs={len(given)})")
            for name, array in zip(step.writes, given, strict=True):
                blobs[name], self._shapes[name] = array, array.shape
        return blobs

    def _seeds(self, douts) -> dict:
        """The gradients from which backward starts, by blob."""
        if self._last_pass == "loss":
            dout = douts[0] if douts and douts[0] is not None else 1.0
            seeds = {}
            for name, head in self.heads.items():
                g = head.loss.backward(dout * head.weight)
                _add(seeds, self._read_by_heads[name], g)
            return seeds
        if len(douts) != len(self.outputs) or any(dout is None for dout in douts):
            raise TypeError(
                "Graph: after forward, backward needs the gradient of each output: "
                f"{', '.join(self.outputs)}"
            )
        return dict(zip(self.outputs, douts, strict=True))

    def _what_learns(self) -> list:
        """Per step, which of its inputs need a gradient; None if nothing at or below it does."""
        needed = dict.fromkeys(self.inputs, self.needs_dX)
        result = []
        for step, params in zip(self._steps, self._params, strict=True):
            wanted = [needed[name] for name in step.reads]
            learns = any(wanted) or any(p.trainable for p in params)
            needed |= dict.fromkeys(step.writes, learns)
            result.append(wanted if learns else None)
        return result

    def _back_through(self, step: Step, gradients: dict):
        douts = [gradients.pop(name, None) for name in step.writes]
        if isinstance(step.layer, Copy):  # a branch that leads to no loss has no gradient
            present = [dout for dout in douts if dout is not None]
            return sum(present[1:], present[0])
        like = next(dout for dout in douts if dout is not None)
        return step.layer.backward(
            *(
                np.zeros(self._shapes[name], like.dtype, like=like) if dout is None else dout
                for name, dout in zip(step.writes, douts, strict=True)
            )
        )

    def _hand_down(self, step: Step, dX, wanted, gradients: dict) -> None:
        dXs = dX if isinstance(dX, (tuple, list)) else (dX,)
        for name, g, want in zip(step.reads, dXs, wanted, strict=True):
            if want and not (g is None and name in self.inputs):
                place = place_of(step.name, step.layer)
                check_gradient(place, g, self._shapes[name], name)
                _add(gradients, name, g)


def _params(layer: Layer) -> list[Param]:
    return [held for _, held in layer.walk() if isinstance(held, Param)]


def _add(gradients: dict, name: str, g) -> None:
    gradients[name] = gradients[name] + g if name in gradients else g


def _one_or_tuple(values: list):
    return values[0] if len(values) == 1 else tuple(values)


def _one_or_list(values: list):
    return values[0] if len(values) == 1 else values


def _as_list(shapes) -> list:
    """Shapes of one output, a tuple, or of several, a list of tuples."""
    return shapes if isinstance(shapes, list) else [shapes]

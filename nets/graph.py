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
    check_of_scores,
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
        nodes: OrderedDict[str, Node] = OrderedDict()
        taken: set[int] = set()
        for name, node in layers.items():
            node = node if isinstance(node, Node) else Node(node)
            check_member(name, node.layer)
            nodes[name] = dataclasses.replace(node, layer=own_twin(node.layer, taken))
        if not nodes:
            raise ValueError("Graph: expects at least one layer")
        self.nodes = nodes  # as they were given; the Copy gates are in `layers` only
        name, last = next(reversed(nodes.items()))
        self.inputs = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        outputs = last.blobs(name) if outputs is None else outputs
        self.outputs = (outputs,) if isinstance(outputs, str) else tuple(outputs)
        self.heads = self._heads(losses)
        reads = {name: [head.input or self.outputs[0]] for name, head in self.heads.items()}
        self._steps = wire(nodes, list(self.inputs), list(self.outputs), reads)
        self._read_by_heads = {name: blobs[0] for name, blobs in reads.items()}
        self.layers = OrderedDict((step.name, step.layer) for step in self._steps)
        self._params = [_params(step.layer) for step in self._steps]
        check_dtypes(self.parameters())

    def _heads(self, losses) -> dict[str, Head]:
        given = losses if isinstance(losses, dict) else {"loss": losses} if losses else {}
        heads: dict[str, Head] = {}
        taken: set[int] = set()
        for name, head in given.items():
            head = head if isinstance(head, Head) else Head(head)
            check_member(f"loss {name}", head.loss)
            if name in self.nodes or name in self.inputs:
                kind = "a layer" if name in self.nodes else "an input"
                raise ValueError(
                    f"Graph: the loss {name} is called like {kind}, and names tell them apart; "
                    f"call the loss {name}_loss"
                )
            loss, blob = own_twin(head.loss, taken), head.input or self.outputs[0]
            heads[name] = dataclasses.replace(head, loss=loss, input=blob)
        return heads

    def forward(self, *inputs):
        """One array for each of `inputs`; returns the output, or a tuple of several."""
        blobs = self._run(self.arrays_of(inputs))
        self._end_pass("forward")
        return _one_or_tuple([blobs[name] for name in self.outputs])

    def run(self, X):
        blobs = self._run(self.arrays_of(X))
        self._end_pass("forward")
        read = {name: blobs[blob] for name, blob in self._read_by_heads.items()}
        return blobs[self.outputs[0]], read

    def backward(self, *douts):
        """Go back through the last `loss` or `forward`; returns dX unless needs_dX is False, a
        tuple for several inputs.

        After `loss`, dout is a factor of the loss (default 1); after `forward` there is one for
        each output. A pass goes back once. Layers that lead to nothing trainable are left out when
        no dX is wanted.
        """
        learns = self._what_learns()
        steps = zip(self._steps, learns, strict=True)
        visited = (step.name for step, learned in steps if learned is not None)
        self._refuse_wrong_backward(visited)
        gradients = self._seeds(douts)
        self._use_pass()
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
        shapes = self.shapes_by_input(input_shapes)
        for step, row in zip(self._steps, self.rows(*input_shapes), strict=True):
            shapes |= zip(step.writes, _as_list(row[-1]), strict=True)
        return _one_or_list([shapes[name] for name in self.outputs])

    def steps(self):
        return iter(self._steps)

    def rows(self, *input_shapes):
        shapes = self.shapes_by_input(input_shapes)
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
        self._begin_pass()
        blobs = dict(zip(self.inputs, inputs, strict=True))
        self._shapes = {name: np.shape(x) for name, x in blobs.items()}
        self._whole = {name for name, x in blobs.items() if _is_whole(x)}
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
            if any(not hasattr(array, "shape") for array in given if array is not None):
                raise TypeError(f"{place}: forward returned no array, but {given!r:.60}")
            if len(given) != len(step.writes) or given[0] is None:
                message = f"forward gave {len(given)} outputs, expects {len(step.writes)}"
                raise TypeError(f"{place}: {message}: Node(layer, outputs={len(given)})")
            for name, array in zip(step.writes, given, strict=True):
                blobs[name], self._shapes[name] = array, array.shape
                self._whole |= {name} if _is_whole(array) else set()
        return blobs

    def _seeds(self, douts) -> dict:
        """The gradients from which backward starts, by blob."""
        if self._last_pass == "loss":
            dout = douts[0] if douts and douts[0] is not None else 1.0
            seeds: dict[str, np.ndarray] = {}
            for name, head in self.heads.items():
                g = head.loss.backward(dout * head.weight)
                check_of_scores(head.loss, g)
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
            optional = name in self.inputs or name in self._whole  # indices, masks
            if want and not (g is None and optional):
                place = place_of(step.name, step.layer)
                check_gradient(place, g, self._shapes[name], name)
                _add(gradients, name, g)


def _params(layer: Layer) -> list[Param]:
    return [held for _, held in layer.walk() if isinstance(held, Param)]


def _is_whole(array) -> bool:
    """Of whole numbers or booleans, which one cannot change a little."""
    return getattr(array, "dtype", None) is not None and array.dtype.kind in "biu"


def _add(gradients: dict, name: str, g) -> None:
    gradients[name] = gradients[name] + g if name in gradients else g


def _one_or_tuple(values: list):
    return values[0] if len(values) == 1 else tuple(values)


def _one_or_list(values: list):
    return values[0] if len(values) == 1 else values


def _as_list(shapes) -> list:
    """Shapes of one output, a tuple, or of several, a list of tuples."""
    return shapes if isinstance(shapes, list) else [shapes]

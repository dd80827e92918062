"""A chain of layers."""

from collections import OrderedDict

from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError
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
from lamina.nets.wiring import Step


class Sequential(Net):
    """Layers one after another, over an OrderedDict of names; with a loss, a net to train.

    A net is a layer: nets nest. A layer object that stands at two places gets a twin at the second
    (parameters shared, caches apart).

        net = Sequential(OrderedDict(affine1=..., relu1=..., affine2=...), loss=SoftmaxWithLoss())
        gradients = net.gradient(X, t)          # {"affine1.W": array, ...}

    Raises TypeError or ValueError when something in it is no layer, or could never train.
    """

    written_as = "Sequential"

    def __init__(self, layers, loss: Layer | None = None):
        if not hasattr(layers, "items"):
            raise TypeError(
                f"Sequential: expects an OrderedDict of name -> layer, got {type(layers).__name__}"
            )
        self.layers: OrderedDict[str, Layer] = OrderedDict()
        taken: set[int] = set()
        for name, layer in layers.items():
            check_member(name, layer)
            self.layers[name] = own_twin(layer, taken)
        if loss is not None:
            check_member("loss_layer", loss)
        self.outputs = tuple(self.layers)[-1:] or self.inputs
        self.heads = {} if loss is None else {"loss": Head(loss, self.outputs[0])}
        check_dtypes(self.parameters())

    def forward(self, X):
        self._begin_pass()
        before, self._shapes = None, []
        for name, layer in self.layers.items():
            self._shapes.append(X.shape)
            try:
                X = layer.forward(X)
            except ShapeError as error:
                raise located(error, name, f" from {place_of(*before)}" if before else "") from None
            except Exception as error:
                error.add_note(f"in forward of {place_of(name, layer)}")
                raise
            if not hasattr(X, "shape"):
                what = f"{type(X).__name__}; return an array"
                what = "None; return the output" if X is None else what
                what = f"{len(X)} outputs; use a Graph" if isinstance(X, tuple) else what
                raise TypeError(f"{place_of(name, layer)}: forward returned {what}")
            before = name, layer
        self._end_pass("forward")
        return X

    def run(self, X):
        scores = self.forward(*self.arrays_of(X) if isinstance(X, tuple) else (X,))
        return scores, {"loss": scores}

    def backward(self, dout=None):
        """Go back through the last `loss` or `forward`; returns dX unless needs_dX is False.

        After `loss`, dout is a factor of the loss (default 1); after `forward` it is the gradient
        of the output, and has no default. A pass goes back once.
        Only layers from the lowest one that learns upward are visited when no dX is wanted.
        """
        lowest = 0 if self.needs_dX else self._lowest_that_learns()
        self._refuse_wrong_backward(list(self.layers)[lowest:])
        if self._last_pass == "loss":
            head = self.heads["loss"]
            dout = head.loss.backward((1.0 if dout is None else dout) * head.weight)
            check_of_scores(head.loss, dout)
        if dout is None:
            raise TypeError("Sequential: after forward, backward needs dout, the output's gradient")
        self._use_pass()
        layers = list(self.layers.items())
        for i in range(len(layers) - 1, lowest - 1, -1):
            name, layer = layers[i]
            layer.needs_dX = self.needs_dX or i > lowest
            try:
                dout = layer.backward(dout)
            except Exception as error:
                error.add_note(f"in backward of {place_of(name, layer)}")
                raise
            if layer.needs_dX and (i > lowest or dout is not None):
                below = layers[i - 1][0] if i else "the input"
                check_gradient(place_of(name, layer), dout, self._shapes[i], below)
        if lowest < len(layers):
            layers[lowest][1].needs_dX = True  # a layer used by itself gives its dX
        return dout if self.needs_dX else None

    def output_shape(self, input_shape):
        shapes = [shape for *_, shape in self.rows(input_shape)]
        return shapes[-1] if shapes else input_shape

    def steps(self):
        previous = self.inputs[0]
        for name, layer in self.layers.items():
            yield Step(name, layer, [previous], [name])
            previous = name

    def rows(self, *input_shapes):
        (shape,), source = self.shapes_by_input(input_shapes).values(), ""
        for step in self.steps():
            place = place_of(step.name, step.layer)
            try:
                shape = step.layer.output_shape(shape)
            except ShapeError as error:
                raise located(error, step.name, source) from None
            if isinstance(shape, list):
                raise ShapeError(place, "one output: use a Graph", str(shape))
            yield step.name, step.layer, step.reads, shape
            source = f" from {place}"

    def _lowest_that_learns(self) -> int:
        for i, layer in enumerate(self.layers.values()):
            for _, held in layer.walk():
                if isinstance(held, Param) and held.trainable:
                    return i
        return len(self.layers)

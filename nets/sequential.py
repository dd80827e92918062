"""A chain of layers."""

from collections import OrderedDict

from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError
from lamina.nets.net import (
    Net,
    check_dtypes,
    check_gradient,
    check_member,
    located,
    own_twin,
    place_of,
)


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
        self.layers, self.loss_layer = OrderedDict(), loss
        taken = set()
        for name, layer in layers.items():
            check_member(name, layer)
            self.layers[name] = own_twin(layer, taken)
        if loss is not None:
            check_member("loss_layer", loss)
        check_dtypes(self.parameters())

    def members(self):
        return self.layers if self.loss_layer is None else {**self.layers, "loss": self.loss_layer}

    def forward(self, X):
        previous, self._shapes, self._last_pass = "", [], None
        for name, layer in self.layers.items():
            self._shapes.append(X.shape)
            try:
                X = layer.forward(X)
            except ShapeError as error:
                raise located(error, name, previous) from None
            except Exception as error:
                error.add_note(f"in forward of {place_of(name, layer)}")
                raise
            if X is None or isinstance(X, tuple):
                what = "None; return the output" if X is None else f"{len(X)} outputs; use a Graph"
                raise TypeError(f"{place_of(name, layer)}: forward returned {what}")
            previous = f" from {place_of(name, layer)}"
        self._last_pass = "forward"
        return X

    def loss(self, X, t):
        """The loss of a batch, as a 0-d array. `backward()` then starts from it."""
        if self.loss_layer is None:
            raise ValueError("Sequential: the net has no loss; give one: Sequential(..., loss=...)")
        scores = self.forward(X)
        self._last_pass = None  # until the loss has succeeded too
        loss = self.loss_layer.forward(scores, t)
        self._last_pass = "loss"
        return loss

    def backward(self, dout=None):
        """Go back through the last `loss` or `forward`; returns dX unless needs_dX is False.

        After `loss`, dout is a factor of the loss (default 1); after `forward` it is the gradient
        of the output, and has no default.
        Only layers from the lowest one that learns upward are visited when no dX is wanted.
        """
        self._refuse_backward_alone()
        if self._last_pass == "loss":
            dout = self.loss_layer.backward(1.0 if dout is None else dout)
        if dout is None:
            raise TypeError("Sequential: after forward, backward needs dout, the output's gradient")
        layers = list(self.layers.items())
        lowest = 0 if self.needs_dX else self._lowest_that_learns()
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

    def rows(self, input_shape):
        previous, source = "input", ""
        for name, layer in self.layers.items():
            try:
                input_shape = layer.output_shape(input_shape)
            except ShapeError as error:
                raise located(error, name, source) from None
            if isinstance(input_shape, list):
                raise ShapeError(place_of(name, layer), "one output: use a Graph", input_shape)
            yield name, layer, [previous], input_shape
            previous, source = name, f" from {place_of(name, layer)}"

    def _lowest_that_learns(self) -> int:
        for i, layer in enumerate(self.layers.values()):
            held = (h for _, h in layer.walk())
            if any(isinstance(h, Param) and h.trainable for h in held):
                return i
        return len(self.layers)

"""A chain of layers."""

from collections import OrderedDict

import numpy as np

from layers.base import Layer, Param
from layers.errors import ShapeError, untrained_arrays
from nets.derivatives import Derivatives
from nets.summary import summary


class Sequential(Derivatives, Layer):
    """Layers one after another, over an OrderedDict of names; with a loss, a net to train.

    A net is a layer: nets nest. A layer object that stands at two places gets a twin at the second
    (parameters shared, caches apart).

        net = Sequential(OrderedDict(affine1=..., relu1=..., affine2=...), loss=SoftmaxWithLoss())
        gradients = net.gradient(X, t)          # {"affine1.W": array, ...}

    Raises TypeError or ValueError when something in it is no layer, or could never train.
    """

    def __init__(self, layers, loss: Layer | None = None):
        if not hasattr(layers, "items"):
            raise TypeError(
                f"Sequential: expects an OrderedDict of name -> layer, got {type(layers).__name__}"
            )
        self.layers, self.loss_layer = OrderedDict(), loss
        self._last_pass = None  # "forward" or "loss": what backward would go back through
        taken = set()
        for name, layer in layers.items():
            _check_member(name, layer)
            if taken & _identities(layer):
                layer = layer.twin()
            taken |= _identities(layer)
            self.layers[name] = layer
        if loss is not None:
            _check_member("loss_layer", loss)
        _check_dtypes(self.parameters())

    def members(self):
        return self.layers if self.loss_layer is None else {**self.layers, "loss": self.loss_layer}

    def forward(self, X):
        previous, self._shapes, self._last_pass = "", [], None
        for name, layer in self.layers.items():
            self._shapes.append(X.shape)
            try:
                X = layer.forward(X)
            except ShapeError as error:
                raise _located(error, name, previous) from None
            except Exception as error:
                error.add_note(f"in forward of {_place(name, layer)}")
                raise
            if X is None:
                raise TypeError(f"{_place(name, layer)}: forward returned None; return the output")
            previous = f" from {_place(name, layer)}"
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
        if self._last_pass is None:
            raise RuntimeError(
                "Sequential: backward needs a forward or loss call just before it "
                "(predict and accuracy do not count: they keep nothing)"
            )
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
                error.add_note(f"in backward of {_place(name, layer)}")
                raise
            if dout is None and i > lowest:
                raise TypeError(
                    f"{_place(name, layer)}: backward returned None, but {layers[i - 1][0]} below "
                    "it needs dX; return dX"
                )
            if layer.needs_dX and dout is not None and dout.shape != self._shapes[i]:
                raise ValueError(
                    f"{_place(name, layer)}: backward returned dX of shape {dout.shape}, but the "
                    f"input had {self._shapes[i]}"
                )
        if lowest < len(layers):
            layers[lowest][1].needs_dX = True  # a layer used by itself gives its dX
        return dout if self.needs_dX else None

    def gradient(self, X, t) -> dict:
        """Clear, go forward and backward: {"affine1.W": dL/dW, ...} for one batch.

        To add up gradients over several batches, call `loss` and `backward` yourself.
        """
        return self.gradient_of_batch(X, t)

    def gradient_of_batch(self, X, t) -> dict:
        """As `gradient`, which a subclass may rename the parameters of."""
        parameters = self.parameters()
        for param in parameters.values():
            param.grad = None
        self.loss(X, t)
        wanted, self.needs_dX = self.needs_dX, False
        try:
            self.backward()
        finally:
            self.needs_dX = wanted
        return {name: param.grad for name, param in parameters.items() if param.trainable}

    def forget(self) -> None:
        """A backward now would be an error: what the layers keep is not of a plain pass."""
        self._last_pass = None

    def predict(self, X, batch_size: int = 1000):
        """The scores in evaluation mode, computed in batches along the first axis."""
        mode = self.training
        self.set_training(False)
        try:
            if X.ndim == 1 or len(X) <= batch_size:
                return self.forward(X)
            batches = range(0, len(X), batch_size)
            return np.concatenate([self.forward(X[i : i + batch_size]) for i in batches])
        finally:
            self.set_training(mode)
            self.forget()

    def accuracy(self, X, t) -> float:
        """The share of samples whose highest score is that of the target class."""
        scores = self.predict(X)
        best = scores.argmax(axis=-1)
        t = t.argmax(axis=-1) if t.shape == scores.shape else t
        if t.shape != best.shape:
            expected = f"targets as class indices {best.shape} or one-hot {scores.shape}"
            raise ShapeError("accuracy", expected, str(t.shape))
        return float((best == t).mean())

    def summary(self, input_shape: tuple) -> str:
        """A table of the layers with their output shapes and parameter counts; print it."""
        return summary(self, input_shape)

    def output_shape(self, input_shape):
        previous = ""
        for name, layer in self.layers.items():
            try:
                input_shape = layer.output_shape(input_shape)
            except ShapeError as error:
                raise _located(error, name, previous) from None
            previous = f" from {_place(name, layer)}"
        return input_shape

    def _lowest_that_learns(self) -> int:
        for i, layer in enumerate(self.layers.values()):
            held = (h for _, h in layer.walk())
            if any(isinstance(h, Param) and h.trainable for h in held):
                return i
        return len(self.layers)


def _identities(layer: Layer) -> set:
    return {id(layer), *(id(held) for _, held in layer.walk() if isinstance(held, Layer))}


def _located(error: ShapeError, name: str, source: str) -> ShapeError:
    """The same error with the layer's place in the net: `affine2 (Affine): expects ...`."""
    if "(" in error.layer:  # from a nested net, which has named its own layer already
        layer, source = f"{name}.{error.layer}", error.source or source
    else:
        layer = f"{name} ({error.layer})"
    return ShapeError(layer, error.expected, error.got, source)


def _place(name: str, layer: Layer) -> str:
    return f"{name} ({type(layer).__name__})"


def _check_dtypes(parameters: dict[str, Param]) -> None:
    """One float64 parameter would make everything behind it float64, and its neighbours refuse."""
    dtypes = {name: param.data.dtype for name, param in parameters.items()}
    odd = [name for name, dtype in dtypes.items() if dtype != next(iter(dtypes.values()))]
    if odd:
        first = next(iter(dtypes))
        raise TypeError(
            f"{odd[0]} is {dtypes[odd[0]]}, but {first} is {dtypes[first]}: make all parameters of "
            f"a net with one dtype, as in Param(np.ones(n, np.{dtypes[first]}))"
        )


def _check_member(name: str, layer) -> None:
    if not isinstance(layer, Layer):
        kind = layer.__name__ if isinstance(layer, type) else type(layer).__name__
        hint = f"an instance: {kind}(...)" if isinstance(layer, type) else "a layers.Layer"
        raise TypeError(f"{name}: expects {hint}, got {layer!r:.60}")
    if not isinstance(name, str) or "." in name or name == "loss":
        raise ValueError(f'layer name {name!r}: names have no dots, and "loss" is the loss layer')
    for attribute in untrained_arrays(layer):
        raise TypeError(
            f"{name} ({type(layer).__name__}): {attribute} is an array, not a Param, so it would "
            f"never train; wrap it: self.{attribute} = Param({attribute}), and in backward "
            f"self.{attribute}.accumulate(...)"
        )

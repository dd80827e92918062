"""A layer whose backward comes from reverse mode."""

from collections.abc import Callable
from typing import Any

from lamina.autodiff import vjp
from lamina.layers.base import Layer
from lamina.layers.loss import Loss


class AutoLayer(Layer):
    """Write `function(self, X)` in pure NumPy; forward and backward follow from it.

        class Mish(AutoLayer):
            def function(self, X):
                return X * np.tanh(np.logaddexp(X, 0.0))

    Parameters are used as self.W.data, as in any layer. Pure means that nothing is written into:
    no X[i] = ..., no buffer to be filled. It is for exploring: it costs about twice a backward
    written by hand, and keeps the graph of one pass alive. docs/writing-a-layer.md goes on from
    here to a backward by hand. Raises NotDifferentiable, naming the NumPy function, where reverse
    mode cannot follow.
    """

    _pull_back: Callable[..., Any] | None = None  # set by forward

    def _no_function(self, *inputs):
        raise NotImplementedError(f"{type(self).__name__} has no function(self, X)")

    function: Callable[..., Any] = _no_function  # with any inputs, as Layer.forward

    def forward(self, *inputs):
        parameters = {name: p for name, p in self.parameters().items() if p.trainable}
        floating = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]
        if isinstance(self, Loss):
            floating = [i for i in floating if i == 0]  # targets are data

        def of(values: dict, arrays: list):
            full = list(inputs)
            for i, x in zip(floating, arrays, strict=True):
                full[i] = x
            plain = {name: param.data for name, param in parameters.items()}
            try:
                for name, param in parameters.items():
                    param.data = values[name]
                return self.function(*full)
            finally:
                for name, param in parameters.items():
                    param.data = plain[name]

        at = {name: param.data for name, param in parameters.items()}
        Y, self._pull_back = vjp(of, at, [inputs[i] for i in floating])
        return Y

    def backward(self, *douts):
        if self._pull_back is None:
            raise RuntimeError(f"{type(self).__name__}: backward needs a forward call before it")
        if not douts and isinstance(self, Loss):
            douts = (1.0,)
        gradients, dX = self._pull_back(douts[0] if len(douts) == 1 else douts)
        parameters = self.parameters()
        for name, gradient in gradients.items():
            parameters[name].accumulate(gradient)
        if not dX:
            return None  # all inputs are indices
        return dX[0] if len(dX) == 1 else tuple(dX)

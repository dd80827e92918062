"""What the page is told of each layer that has JavaScript in js/layers/: options and arrays.

A layer of this table has a class of its name in one of these files, and the tests compare the two.
"""

from collections.abc import Callable

import numpy as np

from lamina import layers
from lamina.layers import Layer


def _nothing(layer) -> tuple[dict, dict]:
    return {}, {}


def _options(*names: str) -> Callable:
    return lambda layer: ({name: getattr(layer, name) for name in names}, {})


def _affine(layer) -> tuple[dict, dict]:
    W = layer.W.data.T if layer.transposed else layer.W.data
    return {}, _with_biases(layer, W)


def _convolution(layer) -> tuple[dict, dict]:
    options, _ = _options("stride", "padding", "dilation", "groups")(layer)
    return options, _with_biases(layer, layer.W.data)


def _with_biases(layer, W) -> dict:
    return {"W": W} if layer.b is None else {"W": W, "b": layer.b.data}


def _pooling(layer) -> tuple[dict, dict]:
    return _options("kernel", "stride", "padding", "partial")(layer.windows)


def _batch_normalization(layer) -> tuple[dict, dict]:
    held = {"gamma": layer.gamma, "beta": layer.beta}
    held |= {"mean": layer.running_mean, "variance": layer.running_var}
    return {"eps": layer.eps}, {name: array.data for name, array in held.items()}


def _lstm(layer) -> tuple[dict, dict]:
    arrays = {name: getattr(layer, name).data for name in ("Wx", "Wh", "b")}
    return {"reverse": layer.reverse, "lastOnly": layer.last_only}, arrays


def _addition(layer) -> tuple[dict, dict]:
    return {"coefficients": layer.coefficients}, {}


_KNOWN: dict[type, Callable[..., tuple[dict, dict]]] = {
    layers.Addition: _addition,
    layers.Affine: _affine,
    layers.AveragePooling: _pooling,
    layers.BatchNormalization: _batch_normalization,
    layers.Convolution: _convolution,
    layers.Dropout: _nothing,
    layers.Elu: _options("alpha"),
    layers.Flatten: _nothing,
    layers.GlobalAveragePooling: _nothing,
    layers.LeakyRelu: _options("slope"),
    layers.Lstm: _lstm,
    layers.MaxPooling: _pooling,
    layers.Relu: _nothing,
    layers.Reshape: _options("shape"),
    layers.Sigmoid: _nothing,
    layers.Softmax: _nothing,
    layers.Tanh: _nothing,
}
KNOWN = sorted(kind.__name__ for kind in _KNOWN)


def described(name: str, layer: Layer) -> tuple[dict, dict[str, np.ndarray]]:
    """(options, arrays) of a layer. Raises ValueError, naming it, for one without JavaScript; a
    subclass may compute something else, so it is another layer."""
    kind = type(layer)
    if kind not in _KNOWN:
        raise ValueError(
            f"{name} ({kind.__name__}): a page cannot run this layer, there is JavaScript for "
            f"{', '.join(KNOWN)} only: train a net of these, or write it, see docs/play.md"
        )
    return _KNOWN[kind](layer)

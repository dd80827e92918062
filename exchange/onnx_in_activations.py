"""ONNX operators that are activations, or that change nothing here, as layers."""

import math

import numpy as np

from lamina.exchange.onnx_in_dense import scaled
from lamina.exchange.onnx_in_functions import (
    Blob,
    OnnxError,
    axis_of,
    finite,
    known,
    onnx_operator,
)
from lamina.layers import (
    Dropout,
    Elu,
    Gelu,
    LeakyRelu,
    LogSoftmax,
    PRelu,
    Relu,
    Reshape,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
    Transpose,
)


def _plain(cls: type):
    def function(node, graph, X):
        node.get("consumed_inputs", None)
        return graph.add(cls(), X)

    return function


for _name, _cls in {
    "Relu": Relu,
    "Sigmoid": Sigmoid,
    "Softplus": Softplus,
    "Tanh": Tanh,
}.items():
    onnx_operator(_name)(_plain(_cls))


@onnx_operator("Identity")
def identity(node, graph, X):
    return X


@onnx_operator("Elu")
def elu(node, graph, X):
    return graph.add(Elu(finite(node.get("alpha", 1.0), "alpha")), X)


@onnx_operator("Selu")
def selu(node, graph, X):
    """γ times an Elu; its two numbers are float32 in the file, and its defaults float32's."""
    alpha = finite(node.get("alpha", 1.67326319217681884765625), "alpha")
    gamma = finite(node.get("gamma", 1.05070102214813232421875), "gamma")
    return scaled(graph, graph.add(Elu(alpha), X), gamma)


@onnx_operator("LeakyRelu")
def leaky_relu(node, graph, X):
    return graph.add(LeakyRelu(finite(node.get("alpha", 0.01), "alpha")), X)


@onnx_operator("PRelu")
def prelu(node, graph, X, slope):
    """Slopes for the channels, axis 1, or one for all. Before opset 7 they are a list, broadcast by
    nobody."""
    slope = known(slope, "the slope")
    ones, n = (1,) * (X.ndim - 2), slope.array.size
    of_channels = [(n, *ones), (1, n, *ones)] + ([(n,)] if node.opset < 7 else [])
    if n != 1 and (slope.array.shape not in of_channels or n != X.shape[0]):
        raise OnnxError(f"has slopes {slope.array.shape}, and a layer one, or one for each channel")
    layer = PRelu(n, dtype=X.dtype)
    graph.learned(layer.a, slope, lambda a: a.reshape(-1), X)
    return graph.add(layer, X)


@onnx_operator("Clip")
def clip(node, graph, X, lowest=None, highest=None):
    """A ReLU, where it is one."""
    low = node.get("min", -math.inf) if lowest is None else known(lowest, "min").number()
    high = node.get("max", math.inf) if highest is None else known(highest, "max").number()
    if low != 0 or high < np.finfo(X.dtype).max:
        raise OnnxError(f"between {low:g} and {high:g} is no layer; use a ReLU")
    return graph.add(Relu(), X)


@onnx_operator("Gelu")
def gelu(node, graph, X):
    if node.get("approximate", "none") != "tanh":
        raise OnnxError("by erf is no layer; export it with approximate='tanh'")
    return graph.add(Gelu(), X)


@onnx_operator("Swish")
def swish(node, graph, X):
    if node.get("alpha", 1.0) != 1.0:
        raise OnnxError("with another alpha than 1 is no layer")
    return graph.add(Swish(), X)


@onnx_operator("Softmax")
def softmax(node, graph, X):
    return _over_an_axis(node, graph, X, Softmax)


@onnx_operator("LogSoftmax")
def log_softmax(node, graph, X):
    return _over_an_axis(node, graph, X, LogSoftmax)


def _over_an_axis(node, graph, X: Blob, cls: type) -> Blob:
    """Ours are over the last axis. Before opset 13 all axes from the one given were one."""
    axis = axis_of(node.get("axis", -1 if node.opset >= 13 else 1), X.ndim)
    last = X.ndim - 1
    if axis == last:
        return graph.add(cls(), X)
    if node.opset < 13:
        rows = (*X.shape[: axis - 1], math.prod(X.shape[axis - 1 :]))
        return graph.add(Reshape(X.shape), graph.add(cls(), graph.add(Reshape(rows), X)))
    swapped = list(range(1, X.ndim))
    swapped[axis - 1], swapped[-1] = last, axis
    axes = tuple(swapped)
    Y = graph.add(cls(), graph.add(Transpose(axes), X))
    return graph.add(Transpose(axes), Y)


@onnx_operator("Dropout")
def dropout(node, graph, X, ratio=None, training=None):
    """In evaluation X; in training what the file says. Files have it for evaluation."""
    p = node.get("ratio", 0.5) if ratio is None else known(ratio, "the ratio").number()
    node.get("seed", None)
    evaluated = node.opset >= 7 or node.get("is_test", 0)
    if not evaluated or (training is not None and known(training, "its mode").number()):
        raise OnnxError("drops out in evaluation too; export the net in evaluation (model.eval())")
    return X if p == 0 else graph.add(Dropout(p, rng=0), X)


@onnx_operator("Cast")
def cast(node, graph, X):
    """To the kind that it has; between kinds of whole numbers too, which are indices."""
    dtype = node.dtype(node.get("to", 0))
    node.get("saturate", 1)
    if dtype == X.dtype or ({dtype.kind, X.dtype.kind} <= {"i", "u"} and dtype.itemsize >= 4):
        return X
    raise OnnxError(f"of {X.dtype} to {dtype} is no layer; give the net inputs of that kind")

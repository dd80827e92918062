"""What each layer is in ONNX (opset 17): a function per class, which adds nodes to a graph.

    @onnx_function(Scale)
    def scale(layer, graph, X):
        return graph.add("Mul", X, layer.s)

A function gets the layer, the graph and a `Value` for each input, and returns what `graph.add`
gave, a tuple for several outputs. What goes into `add` is a Value, the result of another `add`, an
array, or a Param or State, which becomes an initializer under its name in the net. Layers are as
they are in evaluation. Source: https://onnx.ai/onnx/operators.
"""

import math

import numpy as np

from lamina.layers import (
    Addition,
    Affine,
    AutoLayer,
    AveragePooling,
    BatchNormalization,
    Concatenation,
    Convolution,
    Copy,
    Dropout,
    Elu,
    Embedding,
    Flatten,
    Gelu,
    GlobalAveragePooling,
    GroupNormalization,
    LayerNormalization,
    LeakyRelu,
    Maximum,
    MaxPooling,
    Multiplication,
    PRelu,
    Relu,
    Reshape,
    Sigmoid,
    Slice,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
)

FUNCTIONS: dict[type, object] = {}


def onnx_function(cls: type):
    """Makes a function the one for layers of this class. A subclass uses it too, unless it has a
    forward of its own."""

    def added(function):
        FUNCTIONS[cls] = function
        return function

    return added


def function_of(layer):
    """The function for a layer, or None: that of the class whose forward it has. One of a class
    above could describe another forward."""
    for cls in type(layer).__mro__:
        if cls in FUNCTIONS:
            return FUNCTIONS[cls]
        if "forward" in vars(cls) or (issubclass(cls, AutoLayer) and "function" in vars(cls)):
            return None
    return None


def _operator(operator: str, *attributes: str):
    """A layer that is one operator; `attributes` have one name here and there."""

    def function(layer, graph, *Xs):
        return graph.add(
            operator, *Xs, **{name: float(getattr(layer, name)) for name in attributes}
        )

    return function


for _cls, _name in {
    Relu: "Relu",
    Sigmoid: "Sigmoid",
    Tanh: "Tanh",
    Softplus: "Softplus",
    Addition: "Add",
    Multiplication: "Mul",
    Maximum: "Max",
}.items():
    onnx_function(_cls)(_operator(_name))
onnx_function(Elu)(_operator("Elu", "alpha"))


@onnx_function(Affine)
def affine(layer, graph, X):
    if X.ndim == 2:
        return graph.add("Gemm", X, layer.W, layer.b)
    return graph.add("Add", graph.add("MatMul", X, layer.W), layer.b)


@onnx_function(Convolution)
def convolution(layer, graph, X):
    arrays = [layer.W] if layer.b is None else [layer.W, layer.b]
    return graph.add(
        *("Conv", X, *arrays),
        kernel_shape=layer.kernel,
        strides=layer.stride,
        pads=layer.padding * 2,
        dilations=layer.dilation,
        group=layer.groups,
    )


@onnx_function(MaxPooling)
def max_pooling(layer, graph, X):
    """The far padding is as wide as the last windows reach: under `ceil_mode` onnx counts one
    window too many where the last one would start in the padding."""
    windows = layer.windows
    pads = windows.padding + _reach(windows, X.shape)
    kernel = {"kernel_shape": windows.kernel, "strides": windows.stride}
    return graph.add("MaxPool", X, **kernel, pads=pads)


@onnx_function(AveragePooling)
def average_pooling(layer, graph, X):
    """Padding counts, and is written out; what lies beyond it does not."""
    windows = layer.windows
    if any(windows.padding):
        pads = np.array([0, 0, *windows.padding] * 2, np.int64)
        padded = graph.add("Pad", X, pads)
    else:
        padded = X
    far = [max(r - p, 0) for r, p in zip(_reach(windows, X.shape), windows.padding, strict=True)]
    kernel = {"kernel_shape": windows.kernel, "strides": windows.stride}
    return graph.add("AveragePool", padded, **kernel, pads=(0, 0, *far), count_include_pad=0)


def _reach(windows, shape: tuple) -> tuple:
    """How far the last windows reach over the far edges of images (N, C, H, W)."""
    size = windows.output_shape(shape[1:])[1:]
    sides = zip(windows.kernel, windows.stride, windows.padding, shape[2:], size, strict=True)
    return tuple(max((out - 1) * s + k - n - p, 0) for k, s, p, n, out in sides)


@onnx_function(GlobalAveragePooling)
def global_average_pooling(layer, graph, X):
    return graph.add("ReduceMean", X, axes=(2, 3), keepdims=0)


@onnx_function(BatchNormalization)
def batch_normalization(layer, graph, X):
    arrays = (layer.gamma, layer.beta, layer.running_mean, layer.running_var)
    return graph.add("BatchNormalization", X, *arrays, epsilon=layer.eps)


@onnx_function(LayerNormalization)
def layer_normalization(layer, graph, X):
    axis = -layer.gamma.data.ndim
    arrays = (layer.gamma, layer.beta)
    return graph.add("LayerNormalization", X, *arrays, axis=axis, epsilon=layer.eps)


@onnx_function(GroupNormalization)
def group_normalization(layer, graph, X):
    """In single steps: the operator of that name has no settled meaning before opset 21."""
    groups = graph.add("Reshape", X, np.array([0, layer.n_groups, -1], np.int64))
    deviation = graph.add("Sub", groups, _mean(graph, groups))
    var = _mean(graph, graph.add("Mul", deviation, deviation))
    std = graph.add("Sqrt", graph.add("Add", var, np.array(layer.eps, X.dtype)))
    x_hat = graph.add("Reshape", graph.add("Div", deviation, std), graph.add("Shape", X))
    shape = (-1, *(1,) * (X.ndim - 2))
    scaled = graph.add("Mul", x_hat, graph.held(layer.gamma, shape))
    return graph.add("Add", scaled, graph.held(layer.beta, shape))


def _mean(graph, X):
    return graph.add("ReduceMean", X, axes=(2,), keepdims=1)


@onnx_function(Dropout)
def dropout(layer, graph, X):
    return X


@onnx_function(Copy)
def copy(layer, graph, X):
    return (X,) * layer.n


@onnx_function(Embedding)
def embedding(layer, graph, X):
    return graph.add("Gather", layer.W, X)


@onnx_function(LeakyRelu)
def leaky_relu(layer, graph, X):
    return graph.add("LeakyRelu", X, alpha=float(layer.slope))


@onnx_function(PRelu)
def prelu(layer, graph, X):
    return graph.add("PRelu", X, graph.held(layer.a, (-1, *(1,) * (X.ndim - 2))))


@onnx_function(Gelu)
def gelu(layer, graph, X):
    def number(value):
        return np.array(value, X.dtype)

    cube = graph.add("Mul", graph.add("Mul", X, X), X)
    inner = graph.add("Add", X, graph.add("Mul", cube, number(0.044715)))
    tanh = graph.add("Tanh", graph.add("Mul", inner, number(math.sqrt(2.0 / math.pi))))
    half = graph.add("Mul", X, number(0.5))
    return graph.add("Mul", half, graph.add("Add", tanh, number(1.0)))


@onnx_function(Swish)
def swish(layer, graph, X):
    return graph.add("Mul", X, graph.add("Sigmoid", X))


@onnx_function(Softmax)
def softmax(layer, graph, X):
    return graph.add("Softmax", X, axis=-1)


@onnx_function(Step)
def step(layer, graph, X):
    larger = graph.add("Greater", X, np.array(0, X.dtype))
    return graph.cast(larger, X.dtype)


@onnx_function(Flatten)
def flatten(layer, graph, X):
    return graph.add("Flatten", X)


@onnx_function(Reshape)
def reshape(layer, graph, X):
    return graph.add("Reshape", X, np.array([0, *layer.shape], np.int64))


@onnx_function(Concatenation)
def concatenation(layer, graph, *Xs):
    return graph.add("Concat", *Xs, axis=layer.axis)


@onnx_function(Slice)
def slices(layer, graph, X):
    sizes = np.array(layer.sizes, np.int64)
    return graph.add("Split", X, sizes, axis=layer.axis, outputs=len(sizes))

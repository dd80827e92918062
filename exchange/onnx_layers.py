"""Layers of numbers and images in ONNX."""

import functools
import math

import numpy as np

from lamina.exchange.onnx_functions import onnx_function
from lamina.layers import (
    Addition,
    Affine,
    AveragePooling,
    BatchNormalization,
    Bias,
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
    LocalResponseNormalization,
    LogSoftmax,
    Maximum,
    MaxPooling,
    Multiplication,
    Padding,
    Power,
    PRelu,
    RandomCrop,
    Relu,
    Reshape,
    RMSNormalization,
    Scale,
    Sigmoid,
    Slice,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
    Transpose,
    TransposedConvolution,
)


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
    Maximum: "Max",
}.items():
    onnx_function(_cls)(_operator(_name))
onnx_function(Elu)(_operator("Elu", "alpha"))


@onnx_function(Addition)
def addition(layer, graph, *Xs):
    factors = layer.coefficients or (1,) * len(Xs)
    parts = [
        X if a == 1 else graph.add("Mul", X, np.array(a, X.dtype))
        for a, X in zip(factors, Xs, strict=True)
    ]
    return functools.reduce(lambda A, B: graph.add("Add", A, B), parts)


@onnx_function(Multiplication)
def multiplication(layer, graph, *Xs):
    return functools.reduce(lambda A, B: graph.add("Mul", A, B), Xs)


@onnx_function(Affine)
def affine(layer, graph, X):
    """W is the initializer that it has here also where it is taken transposed: one for all that
    share it."""
    if X.ndim == 2:
        arrays = [layer.W] if layer.b is None else [layer.W, layer.b]
        return graph.add("Gemm", X, *arrays, transB=int(layer.transposed))
    W = graph.add("Transpose", layer.W, perm=(1, 0)) if layer.transposed else layer.W
    Y = graph.add("MatMul", X, W)
    return Y if layer.b is None else graph.add("Add", Y, layer.b)


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


@onnx_function(TransposedConvolution)
def transposed_convolution(layer, graph, X):
    """Output padding gives back what is cut off at the end, and zeros where that is not enough:
    onnxruntime refuses one that is not below the stride, where a dilation may allow it."""
    ends = list(zip(layer.padding, layer.output_padding, strict=True))
    beyond = [max(extra - cut, 0) for cut, extra in ends]
    alone = layer.b is None or any(beyond)
    Y = graph.add(
        *("ConvTranspose", X, layer.W, *([] if alone else [layer.b])),
        kernel_shape=layer.kernel,
        strides=layer.stride,
        pads=(*layer.padding, *(max(cut - extra, 0) for cut, extra in ends)),
        dilations=layer.dilation,
        group=layer.groups,
    )
    if any(beyond):
        Y = graph.add("Pad", Y, np.array([0] * 6 + beyond, np.int64))
    if alone and layer.b is not None:
        return graph.add("Add", Y, graph.held(layer.b, (-1, 1, 1)))
    return Y


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


@onnx_function(RMSNormalization)
def rms_normalization(layer, graph, X):
    """In single steps: the operator of that name came with opset 23."""
    axes = tuple(range(-layer.gamma.data.ndim, 0))
    mean_square = graph.add("ReduceMean", graph.add("Mul", X, X), axes=axes, keepdims=1)
    rms = graph.add("Sqrt", graph.add("Add", mean_square, np.array(layer.eps, X.dtype)))
    return graph.add("Mul", graph.add("Div", X, rms), layer.gamma)


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


@onnx_function(LocalResponseNormalization)
def local_response_normalization(layer, graph, X):
    """Within channels in single steps, for which there is no operator. That of channels takes
    images alone in onnxruntime: others become images of one column, and back."""
    if layer.within_channel:
        return _lrn_within_channels(layer, graph, X)
    settings = {name: float(getattr(layer, name)) for name in ("alpha", "beta")}
    settings |= {"bias": float(layer.k), "size": layer.size}
    if X.ndim == 4:
        return graph.add("LRN", X, **settings)
    images = graph.add("Reshape", X, np.array([0, X.shape[1], -1, 1], np.int64))
    Y = graph.add("LRN", images, **settings)
    return graph.add("Reshape", Y, np.array([0, *X.shape[1:]], np.int64))


def _lrn_within_channels(layer, graph, X):
    def number(value):
        return np.array(value, X.dtype)

    window = {"kernel_shape": (layer.size,) * 2, "pads": (layer.size // 2,) * 4}
    squares = graph.add("Mul", X, X)
    means = graph.add("AveragePool", squares, **window, count_include_pad=1)
    S = graph.add("Add", graph.add("Mul", means, number(layer.alpha)), number(layer.k))
    return graph.add("Mul", X, graph.add("Pow", S, number(-layer.beta)))


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
    if X.dtype not in (np.int32, np.int64):  # ONNX looks up by no others
        X = graph.cast(X, np.int64)
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


@onnx_function(LogSoftmax)
def log_softmax(layer, graph, X):
    return graph.add("LogSoftmax", X, axis=-1)


@onnx_function(Scale)
def scale(layer, graph, X):
    return graph.add("Mul", X, layer.s)


@onnx_function(Bias)
def bias(layer, graph, X):
    return graph.add("Add", X, layer.b)


@onnx_function(Power)
def power(layer, graph, X):
    """Steps that would change nothing are left out."""
    dtype, steps = X.dtype, {"Mul": (layer.scale, 1), "Add": (layer.shift, 0)}
    for operator, (value, idle) in (steps | {"Pow": (layer.power, 1)}).items():
        if value != idle:
            X = graph.add(operator, X, np.array(value, dtype))
    return X


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


@onnx_function(Transpose)
def transpose(layer, graph, X):
    return graph.add("Transpose", X, perm=(0, *layer.axes))


@onnx_function(Padding)
def padding(layer, graph, X):
    pads = np.array([0, *layer.before, 0, *layer.after], np.int64)
    return graph.add("Pad", X, pads, np.array(layer.value, X.dtype))


@onnx_function(RandomCrop)
def random_crop(layer, graph, X):
    """The middle, as in evaluation."""
    starts = [(n - size) // 2 for n, size in zip(X.shape[2:], layer.size, strict=True)]
    ends = [start + size for start, size in zip(starts, layer.size, strict=True)]
    bounds = (np.array(each, np.int64) for each in (starts, ends, [2, 3]))
    return graph.add("Slice", X, *bounds)


@onnx_function(Concatenation)
def concatenation(layer, graph, *Xs):
    return graph.add("Concat", *Xs, axis=layer.axis)


@onnx_function(Slice)
def slices(layer, graph, X):
    sizes = np.array(layer.sizes, np.int64)
    return graph.add("Split", X, sizes, axis=layer.axis, outputs=len(sizes))

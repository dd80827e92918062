"""Caffe's layers that move entries, or put blobs together. Source: Caffe, src/caffe/layers."""

import math

from lamina.exchange.caffe_functions import caffe_layer
from lamina.exchange.caffe_message import CaffeError
from lamina.exchange.caffe_net import Blob, CaffeLayer, CaffeNet
from lamina.layers import (
    Addition,
    Concatenation,
    Flatten,
    Maximum,
    Multiplication,
    Reshape,
    Slice,
)


@caffe_layer("Flatten")
def flatten(layer: CaffeLayer, net: CaffeNet, X: Blob):
    given = layer("flatten_param")
    first, last = X.axis(given["axis"]), X.axis(given["end_axis"])
    if not 1 <= first <= last:
        raise CaffeError(f"from axis {first} to {last} would mix samples, or is none")
    shape = (*X.shape[: first - 1], math.prod(X.shape[first - 1 : last]), *X.shape[last:])
    made = Flatten() if len(shape) == 1 else Reshape(shape)
    Y = net.add(layer, made, X)
    net.flat[Y.name] = net.flat.get(X.name, X.name)
    return Y


@caffe_layer("Reshape")
def reshape(layer: CaffeLayer, net: CaffeNet, X: Blob):
    given = layer("reshape_param")
    dims, n = given["shape"]["dim"], given["num_axes"]
    start = given["axis"] + (X.ndim + 1 if given["axis"] < 0 else 0)
    end = X.ndim if n == -1 else start + n
    if not 0 <= start <= end <= X.ndim or n < -1:
        raise CaffeError(f"has axis {given['axis']} and num_axes {n}, for samples {X.shape}")
    axes = [0, *X.shape]  # the batch, which stays, is 0
    new = [
        axes[start + i] if dim == 0 and start + i < X.ndim else dim for i, dim in enumerate(dims)
    ]
    shape = [*axes[:start], *new, *axes[end:]]
    if not shape or shape[0] != 0 or (start == 0 and (not dims or dims[0] != 0)):
        raise CaffeError("changes the batch axis; let its first dim be 0")
    Y = net.add(layer, Reshape(tuple(shape[1:])), X)
    net.flat[Y.name] = net.flat.get(X.name, X.name)
    return Y


@caffe_layer("Concat")
def concat(layer: CaffeLayer, net: CaffeNet, *Xs: Blob):
    given = layer("concat_param")
    axis = given["concat_dim"] if "concat_dim" in given else given["axis"]
    axis = Xs[0].axis(axis)
    if axis == 0:
        raise CaffeError("would put samples behind samples (axis 0)")
    return net.add(layer, Concatenation(axis), *Xs) if len(Xs) > 1 else Xs[0]


@caffe_layer("Slice")
def slice_(layer: CaffeLayer, net: CaffeNet, X: Blob):
    given, n = layer("slice_param"), len(layer.tops)
    axis = X.axis(given["slice_dim"] if "slice_dim" in given else given["axis"])
    if axis == 0:
        raise CaffeError("would cut the batch (axis 0)")
    size, points = X.shape[axis - 1], given["slice_point"]
    if not points and size % n:
        raise CaffeError(f"cuts {size} entries into {n} equal parts")
    ends = [*points, size] if points else [size // n * (i + 1) for i in range(n)]
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if len(sizes) != n or min(sizes) < 1:
        raise CaffeError(f"has {n} tops and slice_point {points}, for {size} entries")
    return net.add(layer, Slice(axis, tuple(sizes)), X, outputs=n) if n > 1 else X


@caffe_layer("Eltwise")
def eltwise(layer: CaffeLayer, net: CaffeNet, *Xs: Blob):
    given = layer("eltwise_param")
    operation, factors = given["operation"], given["coeff"]
    if factors and (operation != "SUM" or len(factors) != len(Xs)):
        raise CaffeError(f"has {len(factors)} coeff for {len(Xs)} bottoms, of a {operation}")
    if len(Xs) < 2 or len({X.shape for X in Xs}) > 1:
        raise CaffeError("expects two bottoms or more, of one shape")
    if operation != "SUM":
        return net.add(layer, {"PROD": Multiplication, "MAX": Maximum}[operation](), *Xs)
    plain = all(factor == 1 for factor in factors)
    return net.add(layer, Addition() if plain else Addition(coefficients=tuple(factors)), *Xs)


@caffe_layer("Split")
def split(layer: CaffeLayer, net: CaffeNet, X: Blob):
    return [X] * len(layer.tops)

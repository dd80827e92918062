"""Caffe's layers over features and single entries. Source: Caffe, src/caffe/layers."""

import math
from typing import Any

from lamina.exchange.caffe_fillers import constant, initializer
from lamina.exchange.caffe_functions import caffe_layer
from lamina.exchange.caffe_message import CaffeError
from lamina.exchange.caffe_net import Blob, CaffeLayer, CaffeNet
from lamina.layers import (
    Affine,
    BatchNormalization,
    Bias,
    Dropout,
    Elu,
    Flatten,
    LeakyRelu,
    Power,
    PRelu,
    Relu,
    Reshape,
    Scale,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
    Transpose,
)


@caffe_layer("InnerProduct")
def inner_product(layer: CaffeLayer, net: CaffeNet, X: Blob):
    given = layer("inner_product_param")
    axis, n_out = X.axis(given["axis"]), given["num_output"]
    if axis == 0 or not n_out:
        raise CaffeError("would mix samples (axis 0)" if n_out else "has no num_output")
    if axis < len(X.shape):  # the entries of a sample, or of a part of it, in a row
        row = math.prod(X.shape[axis - 1 :])
        in_row = Flatten() if axis == 1 else Reshape((*X.shape[: axis - 1], row))
        X = net.add(layer, in_row, X, suffix="_flat")
    n_in = X.shape[-1]
    net.room(n_in, n_out)
    options: dict[str, Any] = {} if given["bias_term"] else {"bias": False}
    value = constant(given["bias_filler"]) if given["bias_term"] else 0.0
    if value:
        options["bias_value"] = value
    made = Affine(n_in, n_out, **options, init=initializer(given["weight_filler"]), rng=0)
    turned = () if given["transpose"] else (made.W,)
    return net.add(layer, net.learned(layer, made, made.W, made.b, turned=turned), X)


@caffe_layer("Scale")
def scale(layer: CaffeLayer, net: CaffeNet, X: Blob, *others: Blob):
    given = layer("scale_param")
    if others:
        raise CaffeError("with two bottoms is no layer; one that learns its factors is")
    shape = _along(X, given)
    made = Scale(shape, value=constant(given["filler"], 1.0))
    Y = net.add(layer, net.learned(layer, made, made.s), X)
    if not given["bias_term"]:
        return Y
    bias = Bias(shape, value=constant(given["bias_filler"]))
    return net.add(layer, net.learned(layer, bias, bias.b, first=1), Y, suffix="_bias")


@caffe_layer("Bias")
def bias(layer: CaffeLayer, net: CaffeNet, X: Blob, *others: Blob):
    given = layer("bias_param")
    if others:
        raise CaffeError("with two bottoms is no layer; one that learns its bias is")
    made = Bias(_along(X, given), value=constant(given["filler"]))
    return net.add(layer, net.learned(layer, made, made.b), X)


def _along(X: Blob, given) -> tuple:
    """The shape of what is learned: the axes from `axis` on, `num_axes` of them, then ones."""
    axis, n = X.axis(given["axis"]), given["num_axes"]
    end = X.ndim if n == -1 else axis + n
    if axis == 0 or not axis < end + (n == 0) <= X.ndim:
        raise CaffeError(f"has axis {given['axis']} and num_axes {n}, for samples {X.shape}")
    return X.shape[axis - 1 : end - 1] + (1,) * (X.ndim - end)


@caffe_layer("BatchNorm")
def batch_norm(layer: CaffeLayer, net: CaffeNet, X: Blob):
    """Without γ and β: these stay 1 and 0. In the file, mean and variance are sums, and the third
    array is what they are to be divided by."""
    given = layer("batch_norm_param")
    made = BatchNormalization(
        X.shape[0], momentum=given["moving_average_fraction"], eps=given["eps"]
    )
    for param in (made.gamma, made.beta):
        param.lr_mult = param.decay_mult = 0.0
        if given["use_global_stats"]:
            param.trainable = False
    for i, state in enumerate((made.running_mean, made.running_var)):
        net.fill(layer, i, state)
    if net.weights is not None:
        blobs = net.weights[layer.name]
        if len(blobs) < 3 or blobs[2].size != 1:
            raise CaffeError("the weights have no scale of its averages")
        divisor = float(blobs[2].reshape(()))
        for state in (made.running_mean, made.running_var):
            state.data = state.data * state.data.dtype.type(1 / divisor if divisor else 0)
    return net.add(layer, made, X)


@caffe_layer("ReLU")
def relu(layer: CaffeLayer, net: CaffeNet, X: Blob):
    slope = layer("relu_param")["negative_slope"]
    return net.add(layer, LeakyRelu(slope) if slope else Relu(), X)


@caffe_layer("PReLU")
def prelu(layer: CaffeLayer, net: CaffeNet, X: Blob):
    given = layer("prelu_param")
    n = 1 if given["channel_shared"] else X.shape[0]
    made = PRelu(n, slope=constant(given["filler"], 0.25))
    return net.add(layer, net.learned(layer, made, made.a), X)


@caffe_layer("ELU")
def elu(layer: CaffeLayer, net: CaffeNet, X: Blob):
    return net.add(layer, Elu(layer("elu_param")["alpha"]), X)


@caffe_layer("Swish")
def swish(layer: CaffeLayer, net: CaffeNet, X: Blob):
    if layer("swish_param")["beta"] != 1:
        raise CaffeError("with a beta other than 1 is no layer")
    return net.add(layer, Swish(), X)


@caffe_layer("Power")
def power(layer: CaffeLayer, net: CaffeNet, X: Blob):
    given = layer("power_param")
    named = {name: given[name] for name in ("power", "scale", "shift")}
    return net.add(layer, Power(**named), X)


@caffe_layer("Dropout")
def dropout(layer: CaffeLayer, net: CaffeNet, X: Blob):
    return net.add(layer, Dropout(layer("dropout_param")["dropout_ratio"], rng=0), X)


@caffe_layer("Softmax")
def softmax(layer: CaffeLayer, net: CaffeNet, X: Blob):
    return along_last(layer, net, X, layer("softmax_param")["axis"], Softmax())


def along_last(layer: CaffeLayer, net: CaffeNet, X: Blob, axis: int, made) -> Blob:
    """A layer that works along the last axis, along another one."""
    axis, last = X.axis(axis), X.ndim - 1
    if axis == 0:
        raise CaffeError("would mix samples (axis 0)")
    if axis == last:
        return net.add(layer, made, X)
    X = classes_last(layer, net, X, axis)
    X = net.add(layer, made, X)
    back = (*range(1, axis), last, *range(axis, last))
    return net.add(layer, Transpose(back), X, suffix="_back")


def classes_last(layer: CaffeLayer, net: CaffeNet, X: Blob, axis: int) -> Blob:
    """The blob with this axis behind the others."""
    if axis == X.ndim - 1:
        return X
    axes = (*range(1, axis), *range(axis + 1, X.ndim), axis)
    return net.add(layer, Transpose(axes), X, suffix="_turned")


def _simple(name: str, cls: type):
    @caffe_layer(name)
    def function(layer: CaffeLayer, net: CaffeNet, X: Blob):
        return net.add(layer, cls(), X)

    return function


for _name, _cls in {"Sigmoid": Sigmoid, "TanH": Tanh, "BNLL": Softplus}.items():
    _simple(_name, _cls)

"""Caffe's layers over images. Source: Caffe, src/caffe/layers."""

import math

from lamina.exchange.caffe_fillers import constant, initializer
from lamina.exchange.caffe_functions import caffe_layer
from lamina.exchange.caffe_message import CaffeError, Message
from lamina.exchange.caffe_net import Blob, CaffeLayer, CaffeNet
from lamina.layers import (
    AveragePooling,
    Convolution,
    LocalResponseNormalization,
    MaxPooling,
    TransposedConvolution,
)


def _pair(given: Message, name: str, short: str, default: int | None) -> list[int]:
    """(height, width), from fields such as kernel_size, or kernel_h and kernel_w."""
    both = [f"{short}_h", f"{short}_w"]
    if any(field in given for field in both):
        if name in given:
            raise CaffeError(f"has both {name} and {short}_h or {short}_w")
        if default is None and not all(field in given for field in both):
            raise CaffeError(f"has one of {short}_h and {short}_w, and needs both")
        return [given.get(field, default) for field in both]
    values = given[name] if isinstance(given[name], list) else [given[name]]
    if name not in given or not values:
        if default is None:
            raise CaffeError(f"has no {name}")
        return [default, default]
    if len(values) > 2:
        raise CaffeError(f"{name} over {len(values)} axes; 2 are read")
    return values * 2 if len(values) == 1 else values


def _simple(both: list[int]):
    """(3, 3) as 3: what a configuration would say."""
    return both[0] if both[0] == both[1] else tuple(both)


@caffe_layer("Convolution")
def convolution(layer: CaffeLayer, net: CaffeNet, *Xs: Blob):
    return _convolution(layer, net, Xs, Convolution)


@caffe_layer("Deconvolution")
def deconvolution(layer: CaffeLayer, net: CaffeNet, *Xs: Blob):
    return _convolution(layer, net, Xs, TransposedConvolution)


def _convolution(layer: CaffeLayer, net: CaffeNet, Xs: tuple, cls: type):
    """The layer; at several bottoms it is the same one."""
    given = layer("convolution_param")
    for X in Xs:
        if X.ndim != 4 or given["axis"] not in (1, -3):
            raise CaffeError(f"is for images (C, H, W) here, and gets {X.shape}")
    if not given["num_output"]:
        raise CaffeError("has no num_output")
    c_in, c_out, groups = Xs[0].shape[0], given["num_output"], given["group"]
    kernel = _pair(given, "kernel_size", "kernel", None)
    net.room(c_in, c_out // max(groups, 1), *kernel)
    dilation = _pair(Message("ConvolutionParameter"), "dilation", "pad", 1)
    if given["dilation"]:
        dilation = (given["dilation"] * 2)[:2]
    turned = cls is TransposedConvolution
    sizes = {
        "stride": _simple(_pair(given, "stride", "stride", 1)),
        "padding": _simple(_pair(given, "pad", "pad", 0)),
        "dilation": _simple(dilation),
        "groups": groups,
        "bias": given["bias_term"],
    }
    value = constant(given["bias_filler"]) if given["bias_term"] else 0.0
    if value:
        sizes["bias_value"] = value
    init = initializer(given["weight_filler"], turned)
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
    sizes = {name: size for name, size in sizes.items() if usual.get(name) != size}
    made = cls(c_in, c_out, _simple(kernel), **sizes, init=init, rng=0)
    made = net.learned(layer, made, made.W, made.b)
    blobs = [net.add(layer, made, X) for X in Xs]
    return blobs[0] if len(blobs) == 1 else blobs


@caffe_layer("Pooling")
def pooling(layer: CaffeLayer, net: CaffeNet, X: Blob):
    given = layer("pooling_param")
    if X.ndim != 4:
        raise CaffeError(f"is for images (C, H, W), and gets {X.shape}")
    if len(layer.tops) > 1:
        raise CaffeError("has a second top, where the largest stood, which no layer gives")
    layers = {"MAX": MaxPooling, "AVE": AveragePooling}
    if given["pool"] not in layers:
        raise CaffeError(f"pool: {given['pool']} is no layer; MAX and AVE are")
    if given["global_pooling"]:
        return net.add(layer, layers[given["pool"]](_simple(list(X.shape[1:])), stride=1), X)
    kernel = _pair(given, "kernel_size", "kernel", None)
    stride, padding = _pair(given, "stride", "stride", 1), _pair(given, "pad", "pad", 0)
    if min(*kernel, *stride) < 1:
        raise CaffeError(f"has windows {kernel} at stride {stride}; both are at least 1")
    wanted = window_counts(X.shape[1:], kernel, stride, padding, given["round_mode"] == "CEIL")
    named = {"stride": _simple(stride), "padding": _simple(padding)}
    if not any(padding):
        del named["padding"]
    for partial in ({}, {"partial": True}):
        made = layers[given["pool"]](_simple(kernel), **named, **partial)
        # Windows over padding alone, which Caffe gives -3e38, are no windows here.
        if min(wanted) > 0 and made.output_shape(X.shape)[1:] == wanted:
            return net.add(layer, made, X)
    raise CaffeError(f"has {wanted} windows over samples of shape {X.shape}, as no layer here")


def window_counts(size, kernel, stride, padding, ceil: bool) -> tuple:
    """How many windows Caffe has along each axis."""
    found = []
    for n, k, s, p in zip(size, kernel, stride, padding, strict=True):
        count = (math.ceil if ceil else math.floor)((n + 2 * p - k) / s) + 1
        if any(padding) and (count - 1) * s >= n + p:
            count -= 1
        found.append(count)
    return tuple(found)


@caffe_layer("LRN")
def lrn(layer: CaffeLayer, net: CaffeNet, X: Blob):
    given = layer("lrn_param")
    within = given["norm_region"] == "WITHIN_CHANNEL"
    made = LocalResponseNormalization(
        size=given["local_size"],
        alpha=given["alpha"],
        beta=given["beta"],
        k=1.0 if within else given["k"],
        within_channel=within,
    )
    return net.add(layer, made, X)

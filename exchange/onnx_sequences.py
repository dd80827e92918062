"""Layers for sequences in ONNX; recurrent ones are in onnx_recurrent.py."""

import math

import numpy as np

from lamina.exchange.onnx_functions import onnx_function
from lamina.layers import (
    Convolution1d,
    DotProducts,
    LastStep,
    MeanStep,
    MultiHeadAttention,
    PositionalEncoding,
    Repeat,
)


@onnx_function(LastStep)
def last_step(layer, graph, X):
    return graph.add("Gather", X, np.array(-1, np.int64), axis=1)


@onnx_function(MeanStep)
def mean_step(layer, graph, X):
    return graph.add("ReduceMean", X, axes=(1,), keepdims=0)


@onnx_function(DotProducts)
def dot_products(layer, graph, x, others):
    axis = np.array([2], np.int64)
    column = graph.add("Unsqueeze", x, axis)
    return graph.add("Squeeze", graph.add("MatMul", others, column), axis)


@onnx_function(Repeat)
def repeat(layer, graph, X, *like):
    times = layer.n if layer.n is not None else like[0].shape[1]
    one = graph.add("Unsqueeze", X, np.array([1], np.int64))
    return graph.add("Expand", one, np.array([1, times, *(1,) * (X.ndim - 1)], np.int64))


@onnx_function(PositionalEncoding)
def positional_encoding(layer, graph, X):
    n = X.shape[-2]
    if layer.P is None:
        return graph.add("Add", X, layer.forward(np.zeros(X.shape[-2:], X.dtype)))
    P = layer.P
    if n < len(P.data):
        ends = (np.array([end], np.int64) for end in (0, n, 0))  # from, to, along the first axis
        P = graph.add("Slice", P, *ends)
    return graph.add("Add", X, P)


@onnx_function(Convolution1d)
def convolution1d(layer, graph, X):
    """Features come last here, and in the middle there."""
    c_out, c_in, _, kernel = layer.W.data.shape
    arrays = [graph.held(layer.W, (c_out, c_in, kernel))]
    arrays += [] if layer.b is None else [layer.b]
    Y = graph.add(
        *("Conv", graph.add("Transpose", X, perm=(0, 2, 1)), *arrays),
        kernel_shape=(kernel,),
        strides=(layer.stride,),
        pads=(layer.padding,) * 2,
        dilations=(layer.dilation,),
        group=layer.images.groups,
    )
    return graph.add("Transpose", Y, perm=(0, 2, 1))


@onnx_function(MultiHeadAttention)
def multi_head_attention(layer, graph, X, *others):
    """In single steps. A key that is hidden has the score -inf; a position that sees none has
    softmax(-inf, ...), which is put away behind it."""
    source = others[0] if layer.cross else X
    mask = others[-1] if len(others) > layer.cross else None
    Q, K, V = _projections(layer, graph, X, source)
    scale = np.array(1.0 / math.sqrt(layer.n_dims // layer.n_heads), X.dtype)
    scores = graph.add("MatMul", graph.add("Mul", Q, scale), graph.add("Transpose", K, perm=_LAST))
    seen = _seen(layer, graph, mask, X.shape[1])
    if seen is not None:
        scores = graph.add("Where", seen, scores, np.array(-np.inf, X.dtype))
    A = graph.add("Softmax", scores, axis=-1)
    if mask is not None:
        A = graph.add("Where", seen, A, np.array(0.0, X.dtype))
    C = graph.add("Transpose", graph.add("MatMul", A, V), perm=_HEADS)
    C = graph.add("Reshape", C, np.array([0, 0, layer.n_dims], np.int64))
    return _product(graph, C, layer.W_out, layer.b_out)


_HEADS = (0, 2, 1, 3)  # (N, T, n_heads, d) to (N, n_heads, T, d), and back
_LAST = (0, 1, 3, 2)


def _projections(layer, graph, X, source) -> list:
    """Q, K and V, (N, n_heads, T, d)."""
    D = layer.n_dims
    if layer.cross:
        parts = _split(graph, layer.W, (D, 2 * D), 1)
        biases = (None, None) if layer.b is None else _split(graph, layer.b, (D, 2 * D), 0)
        Q, KV = (_product(graph, *xWb) for xWb in zip((X, source), parts, biases, strict=True))
        QKV = Q, *_split(graph, KV, (D, D), 2)
    else:
        QKV = _split(graph, _product(graph, X, layer.W, layer.b), (D, D, D), 2)
    heads = np.array([0, 0, layer.n_heads, D // layer.n_heads], np.int64)
    return [graph.add("Transpose", graph.add("Reshape", P, heads), perm=_HEADS) for P in QKV]


def _seen(layer, graph, mask, n: int):
    """Which keys which positions see, to be broadcast to (N, n_heads, T, S); None for all."""
    causal = np.tri(n, dtype=bool) if layer.causal else None
    if mask is None:
        return causal
    seen = graph.add("Unsqueeze", graph.cast(mask, bool), np.array([1, 2], np.int64))
    return seen if causal is None else graph.add("And", seen, causal)


def _split(graph, x, sizes: tuple, axis: int) -> tuple:
    return graph.add("Split", x, np.array(sizes, np.int64), axis=axis, outputs=len(sizes))


def _product(graph, X, W, b):
    Y = graph.add("MatMul", X, W)
    return Y if b is None else graph.add("Add", Y, b)

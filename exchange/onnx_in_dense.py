"""ONNX operators that are products and sums, of weights, of constants and of each other."""

import functools

import numpy as np

from lamina.exchange.onnx_in_functions import (
    Blob,
    Constant,
    OnnxError,
    computed,
    finite,
    known,
    onnx_operator,
)
from lamina.exchange.onnx_in_sequences import last_step
from lamina.layers import (
    Addition,
    Affine,
    Bias,
    Convolution,
    Embedding,
    Maximum,
    Multiplication,
    Power,
    Scale,
)

# Products.


@onnx_operator("Gemm")
def gemm(node, graph, A, B, C=None):
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    trans_a, trans_b = node.get("transA", 0), node.get("transB", 0)
    node.legacy_broadcast()
    A, B = computed(A, "A"), known(B, "B")
    if trans_a or A.ndim != 2:
        raise OnnxError("takes rows (N, n); transA, or more axes, is no Affine")
    C = None if C is None or beta == 0 else known(C, "C")
    W = B.array.T if trans_b else B.array
    layer = Affine(*_sizes(W), bias=C is not None, rng=0, dtype=A.dtype)
    graph.learned(layer.W, B, lambda B: _times(alpha, B.T if trans_b else B), A)
    if C is not None:
        graph.learned(layer.b, C, lambda C: _times(beta, _row(C, layer.b.data.shape)), A)
    return graph.add(layer, A)


@onnx_operator("MatMul")
def matmul(node, graph, A, B):
    A, B = computed(A, "the left one"), known(B, "the right one")
    layer = Affine(*_sizes(B.array), bias=False, rng=0, dtype=A.dtype)
    graph.learned(layer.W, B, None, A)
    return graph.add(layer, A)


def _sizes(W: np.ndarray) -> tuple:
    if W.ndim != 2 or min(W.shape) < 1:
        raise OnnxError(f"has weights of shape {W.shape}, and an Affine (n_in, n_out)")
    return W.shape


def _times(factor: float, array: np.ndarray) -> np.ndarray:
    if factor == 1.0:
        return array
    return array * array.dtype.type(finite(factor, "alpha or beta"))


def _row(array: np.ndarray, shape: tuple) -> np.ndarray:
    """A summand of rows, such as (n,), (1, n) or (1,), as one row."""
    if array.ndim > 1 and array.shape[:-1] != (1,) * (array.ndim - 1):
        raise OnnxError(f"C is {array.shape}, another summand for each sample")
    return np.broadcast_to(array.reshape(array.shape[-1:]), shape)


@onnx_operator("Gather")
def gather(node, graph, data, indices):
    """Rows of a table, an Embedding, or the last step of sequences, LastStep."""
    axis = node.get("axis", 0)
    if not isinstance(data, Constant):
        index = known(indices, "which it takes")
        taken = last_step(graph, data, axis, int(index.number())) if not index.array.ndim else None
        if taken is None:
            raise OnnxError("of what is computed is no layer, but for the last step of sequences")
        return taken
    if axis != 0 or data.array.ndim != 2 or indices.dtype.kind not in "iu":
        raise OnnxError(
            f"is an Embedding for rows of a table (n_words, n_dims), not {data.array.shape}"
        )
    layer = Embedding(*_sizes(data.array), rng=0, dtype=data.array.dtype)
    graph.learned(layer.W, data)
    return graph.add(layer, indices)


# Sums and products of what is computed, or with a constant.


@onnx_operator("Add")
def add(node, graph, A, B):
    A, B = _with_axis(node, A, B)
    if isinstance(A, Constant):
        A, B = B, A
    if isinstance(B, Blob):
        return graph.add(Addition(), *_alike(A, B))
    return _plus(node, graph, A, B)


@onnx_operator("Sub")
def sub(node, graph, A, B):
    A, B = _with_axis(node, A, B)
    if isinstance(B, Constant):
        return _plus(None, graph, A, Constant(-B.array, B.name, B.batch))
    if isinstance(A, Constant):
        return _plus(None, graph, scaled(graph, B, -1.0), A)
    A, B = _alike(A, B)
    return graph.add(Addition(), A, scaled(graph, B, -1.0))


@onnx_operator("Mul")
def mul(node, graph, A, B):
    A, B = _with_axis(node, A, B)
    if isinstance(A, Constant):
        A, B = B, A
    if isinstance(B, Blob):
        return graph.add(Multiplication(), *_alike(A, B))
    return _with_constant(graph, Scale, A, B)


@onnx_operator("Div")
def div(node, graph, A, B):
    A, B = _with_axis(node, A, B)
    if isinstance(B, Blob):
        raise OnnxError("by what is computed is no layer")
    with np.errstate(all="ignore"):
        inverse = (1.0 / B.array).astype(B.array.dtype)
    if B.array.dtype.kind != "f" or not np.isfinite(inverse).all():
        raise OnnxError("is by 0, or by whole numbers")
    return _with_constant(graph, Scale, A, Constant(inverse, "", B.batch))


@onnx_operator("Neg")
def neg(node, graph, X):
    return scaled(graph, X, -1.0)


@onnx_operator("Pow")
def power(node, graph, X, exponent):
    p = known(exponent, "the exponent").array
    if p.size != 1 or not np.isfinite(p).all() or not p.any():
        raise OnnxError("is a Power here for one number other than 0")
    return graph.add(Power(float(p.reshape(-1)[0])), X)


@onnx_operator("Sum")
def several(node, graph, *Xs):
    return functools.reduce(lambda A, B: add(node, graph, A, B), Xs)


@onnx_operator("Max")
def largest(node, graph, *Xs):
    node.legacy_broadcast()
    Xs = [computed(X) for X in Xs]
    return functools.reduce(lambda A, B: graph.add(Maximum(), *_alike(A, B)), Xs)


def _alike(A: Blob, B: Blob) -> tuple:
    if (A.shape, A.dtype) != (B.shape, B.dtype):
        raise OnnxError(
            f"takes arrays of one shape and kind here, got samples {A.shape} {A.dtype} and "
            f"{B.shape} {B.dtype}; only constants are broadcast"
        )
    return A, B


def _with_axis(node, A, B) -> tuple:
    """Before opset 7 the second array could be put along an axis of the first."""
    axis = node.legacy_broadcast()
    if axis is None or not isinstance(B, Constant):
        if axis is not None:
            raise OnnxError("puts what is computed along an axis, which no layer does")
        return A, B
    behind = A.ndim - (axis + A.ndim if axis < 0 else axis) - B.array.ndim
    if behind < 0:
        raise OnnxError(f"the axis {axis} does not fit")
    return A, Constant(B.array.reshape(*B.array.shape, *(1,) * behind), B.name)


def scaled(graph, X, factor: float) -> Blob:
    layer = Scale(value=factor, dtype=computed(X).dtype)
    layer.s.trainable = False
    return graph.add(layer, X)


def _plus(node, graph, X: Blob, given: Constant) -> Blob:
    """A Bias; that of the Affine or Convolution before, if it has none and is read here alone."""
    before, array = graph.maker(X), given.array
    takes = node is not None and before is not None and not given.has_batch()
    takes = takes and isinstance(before.layer, (Affine, Convolution)) and before.layer.b is None
    if takes and array.ndim <= X.ndim and graph.is_read_once(X):
        layer = before.layer
        n, places = (X.shape[-1], 0) if isinstance(layer, Affine) else (X.shape[0], 2)
        ones = (1,) * max(array.ndim - 1 - places, 0)
        if array.ndim > places and array.shape == (*ones, n, *(1,) * places):
            new = type(layer)(**(layer.arguments() | {"bias": True, "rng": 0, "dtype": X.dtype}))
            new.W = layer.W
            graph.learned(new.b, given, lambda b: b.reshape(-1), X)
            return graph.remade(X, new)
    return _with_constant(graph, Bias, X, given)


def _with_constant(graph, cls: type, X: Blob, given: Constant) -> Blob:
    """A Scale or Bias by what is the same for all samples. One number for all is not learned."""
    array = given.array
    if array.ndim > X.ndim or (array.ndim == X.ndim and array.shape[0] != 1):
        raise OnnxError(f"the constant is {array.shape}, another one for each sample")
    shape = array.shape[1:] if array.ndim == X.ndim else array.shape
    while len(shape) > 1 and shape[0] == 1:
        shape = shape[1:]
    layer = cls(shape or (1,), dtype=X.dtype)
    (param,) = layer.parameters().values()
    graph.learned(param, given, lambda array: array.reshape(shape or (1,)), X)
    if array.size == 1:
        param.trainable = False
        graph.origins[id(param)] = ("", param)
    if cls is Scale and not array.size == 1 and not np.isfinite(array).all():
        raise OnnxError("the constant is not finite")
    return graph.add(layer, X)


@onnx_operator("ai.onnx.ml.Scaler")
def scaler(node, graph, X):
    """(X - offset) · scale, feature by feature: scikit-learn's StandardScaler, which is not learned
    on."""
    if X.dtype != np.float32:
        raise OnnxError(f"of {X.dtype}, and gives float32; give the net such inputs")
    offset, scale = (np.array(node.get(name, ()), np.float32) for name in ("offset", "scale"))
    for cls, array in ((Bias, -offset), (Scale, scale)):
        X = _with_constant(graph, cls, X, Constant(array))
        for param in graph.maker(X).layer.parameters().values():
            param.trainable = False
    return X

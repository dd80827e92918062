"""ONNX operators that are products, sums, activations and normalisations, as layers."""

import functools
import math

import numpy as np

from lamina.exchange.onnx_in_functions import (
    Blob,
    Constant,
    OnnxError,
    axis_of,
    computed,
    finite,
    known,
    onnx_operator,
)
from lamina.exchange.onnx_in_sequences import last_step
from lamina.layers import (
    Addition,
    Affine,
    BatchNormalization,
    Bias,
    Convolution,
    Dropout,
    Elu,
    Embedding,
    Gelu,
    GroupNormalization,
    LayerNormalization,
    LeakyRelu,
    LocalResponseNormalization,
    LogSoftmax,
    Maximum,
    Multiplication,
    Power,
    PRelu,
    Relu,
    Reshape,
    RMSNormalization,
    Scale,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
    Transpose,
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
        return _plus(None, graph, _scaled(graph, B, -1.0), A)
    A, B = _alike(A, B)
    return graph.add(Addition(), A, _scaled(graph, B, -1.0))


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
    return _scaled(graph, X, -1.0)


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


def _scaled(graph, X, factor: float) -> Blob:
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


# Activations.


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
    return _scaled(graph, graph.add(Elu(alpha), X), gamma)


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


# Normalisations.


@onnx_operator("BatchNormalization")
def batch_normalization(node, graph, X, gamma, beta, mean, var):
    eps, momentum = node.get("epsilon", 1e-5), node.get("momentum", 0.9)
    spatial, training = node.get("spatial", 1), node.get("training_mode", 0)
    node.get("consumed_inputs", None)
    evaluated = node.opset >= 7 or node.get("is_test", 0)
    if training or not evaluated:
        raise OnnxError("is in training; export the net in evaluation (model.eval())")
    if spatial != 1:
        raise OnnxError("has statistics for each place (spatial=0), and layers for each channel")
    layer = BatchNormalization(
        *X.shape[:1], momentum=float(momentum), eps=finite(eps, "epsilon"), dtype=X.dtype
    )
    held = (layer.gamma, layer.beta, layer.running_mean, layer.running_var)
    for one, array in zip(held, (gamma, beta, mean, var), strict=True):
        graph.learned(one, known(array, "what it holds"), None, X)
    if layer.running_var.data.min() < 0:
        raise OnnxError("has a variance below 0")
    return graph.add(layer, X)


@onnx_operator("LRN")
def local_response_normalization(node, graph, X):
    """Of an even size the middle lies to one side in ONNX, and to the other in PyTorch."""
    settings = {
        name: node.get(name, value) for name, value in {"alpha": 1e-4, "beta": 0.75}.items()
    }
    size, k = node.get("size", 0), node.get("bias", 1.0)
    try:
        layer = LocalResponseNormalization(size, k=k, **settings)
    except ValueError as error:
        raise OnnxError(f"is no layer here: {error}") from None
    return graph.add(layer, X)


@onnx_operator("LayerNormalization")
def layer_normalization(node, graph, X, gamma, beta=None):
    axis, eps = axis_of(node.get("axis", -1), X.ndim), node.get("epsilon", 1e-5)
    node.get("stash_type", 1)  # what it computes in, which is float32 or finer here too
    shape = X.shape[axis - 1 :]
    layer = LayerNormalization(shape, eps=finite(eps, "epsilon"), dtype=X.dtype)
    graph.learned(layer.gamma, known(gamma, "the scale"), None, X)
    if beta is not None:
        graph.learned(layer.beta, known(beta, "the bias"), None, X)
    return graph.add(layer, X)


@onnx_operator("RMSNormalization")
def rms_normalization(node, graph, X, gamma):
    axis, eps = axis_of(node.get("axis", -1), X.ndim), node.get("epsilon", 1e-5)
    node.get("stash_type", 1)
    layer = RMSNormalization(X.shape[axis - 1 :], eps=finite(eps, "epsilon"), dtype=X.dtype)
    graph.learned(layer.gamma, known(gamma, "the scale"), None, X)
    return graph.add(layer, X)


@onnx_operator("InstanceNormalization")
def instance_normalization(node, graph, X, gamma, beta):
    node.get("consumed_inputs", None)
    return _by_groups(node, graph, X, gamma, beta, X.shape[0])


@onnx_operator("GroupNormalization")
def group_normalization(node, graph, X, gamma, beta):
    if node.opset < 21:
        raise OnnxError("has no settled meaning before opset 21; export it with that")
    node.get("stash_type", 1)
    return _by_groups(node, graph, X, gamma, beta, node.get("num_groups", 0))


def _by_groups(node, graph, X: Blob, gamma, beta, n_groups: int) -> Blob:
    eps = finite(node.get("epsilon", 1e-5), "epsilon")
    layer = GroupNormalization(n_groups, X.shape[0], eps=eps, dtype=X.dtype)
    graph.learned(layer.gamma, known(gamma, "the scale"), None, X)
    graph.learned(layer.beta, known(beta, "the bias"), None, X)
    return graph.add(layer, X)

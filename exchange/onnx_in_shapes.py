"""ONNX operators that move numbers, as layers, where the batch stays the first axis."""

import math

from lamina.exchange.onnx_in_functions import (
    Blob,
    OnnxError,
    axis_of,
    computed,
    known,
    onnx_operator,
)
from lamina.exchange.onnx_in_sequences import in_front, turned
from lamina.layers import (
    Concatenation,
    Flatten,
    GlobalAveragePooling,
    MeanStep,
    Padding,
    Reshape,
    Slice,
    Transpose,
)


@onnx_operator("Flatten")
def flatten(node, graph, X):
    axis = node.get("axis", 1)
    axis_of(axis, X.ndim + 1)
    if axis + (X.ndim if axis < 0 else 0) != 1:
        raise OnnxError(f"with axis {axis} mixes samples, and layers keep them apart")
    return reshaped(graph, X, (math.prod(X.shape),))


@onnx_operator("Reshape")
def reshape(node, graph, X, shape):
    """The first axis must stay the batch: the number itself, or what is left for -1."""
    allow_zero, shape = node.get("allowzero", 0), known(shape, "the shape")
    numbers = [int(n) for n in shape.array.reshape(-1)]
    batch = [False] * len(numbers) if shape.batch is None else list(shape.batch.reshape(-1))
    if shape.array.dtype.kind not in "iu" or not numbers or any(batch[1:]):
        raise OnnxError(f"to {numbers}: the batch must stay the first axis")
    full = (None, *X.shape)
    sizes = []
    for i, n in enumerate(numbers):
        if n == 0 and not allow_zero and not batch[i] and i >= len(full):
            raise OnnxError(f"to {numbers}: there is no axis {i}")
        sizes.append(full[i] if n == 0 and not allow_zero and not batch[i] else n)
    first, *rest = sizes
    kept = batch[0] or first is None or (graph.batch is not None and first == graph.batch)
    entries = math.prod(X.shape)
    if None in rest or rest.count(-1) > 1 or any(n < -1 or n == 0 for n in rest):
        raise OnnxError(f"to {numbers} of samples {X.shape} is not known")
    if -1 in rest:
        known_part = math.prod(n for n in rest if n != -1)
        if not kept or entries % known_part:
            raise OnnxError(f"to {numbers} of samples {X.shape} mixes samples, or does not fit")
        rest[rest.index(-1)] = entries // known_part
    if not (kept or first == -1) or math.prod(rest) != entries:
        raise OnnxError(f"to {numbers} of samples {X.shape} mixes samples, or does not fit")
    return reshaped(graph, X, tuple(rest))


@onnx_operator("Squeeze")
def squeeze(node, graph, X, axes=None):
    axes = node.axes(axes)
    if axes is None:
        raise OnnxError(
            "without axes takes out the batch too where it has one sample; say the axes"
        )
    axes = {axis_of(axis, X.ndim) for axis in axes}
    if any(X.shape[axis - 1] != 1 for axis in axes):
        raise OnnxError(f"of axes {sorted(axes)} of samples {X.shape}, which are longer than 1")
    return reshaped(graph, X, tuple(n for i, n in enumerate(X.shape, 1) if i not in axes))


@onnx_operator("Unsqueeze")
def unsqueeze(node, graph, X, axes=None):
    axes = node.axes(axes)
    if not axes:
        raise OnnxError("has no axes")
    if (states := in_front(X, axes)) is not None:
        return states
    ndim, old = X.ndim + len(axes), list(X.shape)
    axes = [axis_of(axis, ndim) for axis in axes]
    if len(set(axes)) < len(axes):
        raise OnnxError(f"has an axis twice, {axes}")
    return reshaped(graph, X, tuple(1 if i in axes else old.pop(0) for i in range(1, ndim)))


def reshaped(graph, X: Blob, shape: tuple) -> Blob:
    """X in another shape; of an X that was given its shape here, from what it was before."""
    before = graph.maker(X)
    if before is not None and isinstance(before.layer, (Flatten, Reshape)):
        X = graph.blobs[before.inputs[0]]
    if X.shape == shape:
        return X
    if not shape:
        raise OnnxError("gives samples without axes")
    return graph.add(Flatten() if len(shape) == 1 else Reshape(shape), X)


@onnx_operator("Transpose")
def transpose(node, graph, X):
    perm = node.get("perm", list(range(X.ndim))[::-1])
    if sorted(perm) != list(range(X.ndim)):
        raise OnnxError(f"has the axes {perm} for an array of {X.ndim} axes")
    if (steps := turned(X, perm)) is not None:
        return steps
    if perm[0] != 0:
        raise OnnxError(f"to the axes {perm} moves the batch, which is the first axis in layers")
    return transposed(graph, X, tuple(perm[1:]))


def transposed(graph, X: Blob, axes: tuple) -> Blob:
    """X with other axes; two turns are one, and none if they undo each other."""
    before = graph.maker(X)
    if before is not None and isinstance(before.layer, Transpose):
        axes = tuple(before.layer.axes[axis - 1] for axis in axes)
        X = graph.blobs[before.inputs[0]]
    return X if axes == tuple(range(1, X.ndim)) else graph.add(Transpose(axes), X)


@onnx_operator("Concat")
def concat(node, graph, *Xs):
    axis = axis_of(node.get("axis", 1), computed(Xs[0], "the first one").ndim)
    if len({computed(X, "one of them").dtype for X in Xs}) > 1:
        raise OnnxError("is of arrays of several kinds")
    return graph.add(Concatenation(axis), *Xs) if len(Xs) > 1 else Xs[0]


@onnx_operator("Split")
def split(node, graph, X, sizes=None):
    axis = axis_of(node.get("axis", 0), X.ndim)
    sizes = node.get("split", None) if sizes is None else known(sizes, "the sizes").numbers()
    n, length = node.get("num_outputs", len(node.outputs)), X.shape[axis - 1]
    if sizes is None:
        if n != len(node.outputs) or length % n:
            raise OnnxError(f"{length} entries in {n} equal parts")
        sizes = [length // n] * n
    if len(sizes) != len(node.outputs):
        raise OnnxError(f"has {len(sizes)} sizes for {len(node.outputs)} parts")
    if len(sizes) == 1:
        return X
    return graph.add(Slice(axis, sizes), X, outputs=len(sizes))


@onnx_operator("Pad")
def pad(node, graph, X, pads=None, value=None, axes=None):
    mode = node.get("mode", "constant")
    pads = node.get("pads", None) if pads is None else known(pads, "the widths").numbers()
    number = node.get("value", 0.0) if value is None else known(value, "the value").number()
    axes = list(range(X.ndim)) if axes is None else known(axes, "the axes").numbers()
    if mode != "constant":
        raise OnnxError(f"with mode {mode} is no layer; only constant is")
    if pads is None or len(pads) != 2 * len(axes) or len(set(axes)) < len(axes):
        raise OnnxError(f"has widths {pads} for the axes {axes}")
    before, after = [0] * X.ndim, [0] * X.ndim
    for i, axis in enumerate(axes):
        if pads[i] or pads[i + len(axes)]:
            place = axis_of(axis, X.ndim)
            before[place], after[place] = pads[i], pads[i + len(axes)]
    return padded(graph, X, before[1:], after[1:], float(number))


def padded(graph, X: Blob, before, after, value: float = 0.0) -> Blob:
    if min(*before, *after) < 0:
        raise OnnxError(f"cuts off ({before} and {after}), which no layer does")
    if not any(before) and not any(after):
        return X
    return graph.add(Padding(before, after, value=value), X)


@onnx_operator("ReduceMean")
def reduce_mean(node, graph, X, axes=None):
    """Over the places of images, GlobalAveragePooling, or the steps of sequences, MeanStep."""
    axes, keep = node.axes(axes), node.get("keepdims", 1)
    node.get("noop_with_empty_axes", 0)
    found = sorted(axis_of(axis, X.ndim) for axis in axes or ())
    if X.ndim > 2 and found == [1]:
        Y = graph.add(MeanStep(), X)
        return reshaped(graph, Y, (1, *Y.shape)) if keep else Y
    if X.ndim != 4 or found != [2, 3]:
        raise OnnxError(
            f"over axes {axes} is no layer; only over the places of images, (2, 3), or the steps "
            "of sequences, (1,)"
        )
    return pooled(graph, X, keep)


@onnx_operator("GlobalAveragePool")
def global_average_pool(node, graph, X):
    return pooled(graph, X, True)


def pooled(graph, X: Blob, keep: bool) -> Blob:
    Y = graph.add(GlobalAveragePooling(), X)
    return reshaped(graph, Y, (*Y.shape, 1, 1)) if keep else Y

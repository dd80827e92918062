"""What an ONNX graph computes from constants alone, and from the shapes of arrays.

The length of the batch is such a number too, but one that only stands for itself: it may be moved,
not reckoned with.
"""

import math

import numpy as np

from lamina.exchange.onnx_in_functions import Constant, OnnxError, known


def shape_of(sizes: tuple, place: int, start: int, end: int | None) -> Constant:
    """The operator Shape of what is computed; at `place` is the length of the batch."""
    full = np.array(sizes, np.int64)
    return Constant(full[start:end], batch=(np.arange(len(full)) == place)[start:end])


def folded(node, inputs: list[Constant | None], largest: int) -> Constant:
    """What the node gives. Raises OnnxError for an operator that is not among these, and before
    there are more than `largest` numbers."""
    if node.operator not in MOVING and node.operator not in RECKONING:
        raise OnnxError("is not known for constants; fold them before: onnxsim, or onnxruntime's")
    moving, given = MOVING.get(node.operator), [x for x in inputs if x is not None]
    if len(given) < len(inputs) and node.operator not in ("Slice", "Squeeze"):  # with default axes
        raise OnnxError("lacks an input")
    try:
        with np.errstate(all="ignore"):
            if moving is None:
                if node.operator in ("Expand", "ConstantOfShape"):
                    given = _zeros_of_any_batch(node, given)
                if any(x.has_batch() for x in given):
                    raise OnnxError("reckons with the length of the batch, which may be any")
                arrays = [x.array for x in given]
                return Constant(_limited(RECKONING[node.operator](node, largest, *arrays), largest))
            move = moving(node, largest, inputs)
            batch = None
            if any(x.batch is not None for x in given):
                batch = move([_mask(x) for x in given])
            array = move([x.array for x in given])
            return Constant(_limited(array, largest), batch=batch)
    except OnnxError:
        raise
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise OnnxError(f"its constants do not fit: {' '.join(str(error).split())[:200]}") from None


def _zeros_of_any_batch(node, inputs: list[Constant]) -> list[Constant]:
    """Zeros for each sample of the batch, such as first states, are zeros for one: what they are
    added to, or begin with, is the same for all."""
    *values, shape = inputs
    filled = node.tensor("value") if node.operator == "ConstantOfShape" else values[0].array
    if not shape.has_batch() or (filled is not None and filled.any()):
        return inputs
    return [*values, Constant(np.where(_mask(shape), 1, shape.array))]


def _mask(x: Constant) -> np.ndarray:
    return np.zeros(x.array.shape, bool) if x.batch is None else x.batch


def _limited(array, largest: int) -> np.ndarray:
    check_size(np.shape(array), largest)
    return np.asarray(array)


def check_size(shape: tuple, largest: int) -> None:
    """Raises OnnxError for shapes of more numbers than there may be."""
    if min(shape, default=0) < 0 or math.prod(shape) > largest:
        raise OnnxError(f"an array of shape {tuple(shape)} is larger than what the file holds")


# Operators that move numbers: functions that give a function of the arrays, or of their masks.


def _identity(node, largest, inputs):
    return lambda arrays: arrays[0]


def _cast(node, largest, inputs):
    dtype = node.dtype(node.get("to", 0))
    node.get("saturate", 1)
    if inputs[0].has_batch() and dtype.kind not in "iu":
        raise OnnxError("reckons with the length of the batch, which may be any")
    return lambda arrays: arrays[0] if arrays[0].dtype == bool else arrays[0].astype(dtype)


def _gather(node, largest, inputs):
    axis, indices = node.get("axis", 0), known(inputs[1], "what it gathers").array
    if indices.dtype.kind not in "iu" or inputs[1].has_batch():
        raise OnnxError("expects whole numbers that are known as indices")
    shape = inputs[0].array.shape
    check_size((indices.size, math.prod(shape) // max(shape[axis], 1)), largest)
    return lambda arrays: np.take(arrays[0], indices, axis=axis)


def _concat(node, largest, inputs):
    axis = node.get("axis", 1)
    return lambda arrays: np.concatenate(arrays, axis=axis)


def _transpose(node, largest, inputs):
    perm = node.get("perm", None)
    return lambda arrays: np.transpose(arrays[0], perm)


def _reshape(node, largest, inputs):
    if node.get("allowzero", 0):
        raise OnnxError("allowzero is not known")
    old = inputs[0].array.shape
    shape = [old[i] if n == 0 else n for i, n in enumerate(inputs[1].numbers())]
    return lambda arrays: arrays[0].reshape(shape)


def _squeeze(node, largest, inputs):
    axes = node.axes(inputs[1] if len(inputs) > 1 else None)
    return lambda arrays: np.squeeze(arrays[0], None if axes is None else tuple(axes))


def _unsqueeze(node, largest, inputs):
    axes = node.axes(inputs[1] if len(inputs) > 1 else None)
    if axes is None:
        raise OnnxError("has no axes")
    return lambda arrays: np.expand_dims(arrays[0], tuple(axes))


def _slice(node, largest, inputs):
    window = slices_of(node, inputs[1:], inputs[0].array.shape)
    return lambda arrays: arrays[0][window]


def slices_of(node, others, shape: tuple) -> tuple:
    """What the operator Slice takes of an array of this shape, for each axis."""
    if node.opset < 10:
        starts, ends, axes, steps = (node.get(key, None) for key in ("starts", "ends", "axes", ""))
    else:
        given = [known(x, "a bound").numbers() if x is not None else None for x in others]
        starts, ends, axes, steps = (*given, None, None, None, None)[:4]
    if starts is None or ends is None or len(starts) != len(ends):
        raise OnnxError("has no starts or ends")
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    found = [slice(None)] * len(shape)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if not -len(shape) <= axis < len(shape) or step < 1:
            raise OnnxError(f"axis {axis} or step {step} is not known")
        found[axis] = slice(start, end, step)
    return tuple(found)


MOVING = {
    "Cast": _cast,
    "Concat": _concat,
    "Gather": _gather,
    "Identity": _identity,
    "Reshape": _reshape,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}

# Operators that reckon.


def _of_two(function):
    def found(node, largest, a, b):
        node.legacy_broadcast()
        if a.dtype.kind != "f" and function is np.divide:
            raise OnnxError("divides whole numbers, which is not known")
        check_size(np.broadcast_shapes(a.shape, b.shape), largest)
        return function(a, b).astype(a.dtype)

    return found


def _of_one(function):
    return lambda node, largest, a: function(a).astype(a.dtype)


def _constant_of_shape(node, largest, shape):
    value = node.tensor("value")
    check_size(tuple(shape), largest)
    return np.full(tuple(shape), 0 if value is None else value.item(), getattr(value, "dtype", "f"))


def _expand(node, largest, a, shape):
    shape = np.broadcast_shapes(a.shape, tuple(map(int, shape)))
    check_size(shape, largest)
    return np.broadcast_to(a, shape)


RECKONING = {
    "Add": _of_two(np.add),
    "ConstantOfShape": _constant_of_shape,
    "Div": _of_two(np.divide),
    "Expand": _expand,
    "Mul": _of_two(np.multiply),
    "Neg": _of_one(np.negative),
    "Reciprocal": _of_one(np.reciprocal),
    "Sqrt": _of_one(np.sqrt),
    "Sub": _of_two(np.subtract),
}

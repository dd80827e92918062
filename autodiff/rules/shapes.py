"""Rules of the functions that move, copy, join or leave out entries, but compute nothing.

All are linear. What copies an entry is a copy gate, so its gradients add up (note 000).
"""

import itertools
import operator

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple
from numpy.lib.stride_tricks import sliding_window_view

from lamina.autodiff.rules.rule import PerArgument, Rule, linear, primitive
from lamina.autodiff.traced import NotDifferentiable


def sum_to(g, shape: tuple):
    """g summed over the axes along which an array of that shape was broadcast.

    Along an axis where g has length 1 itself, all entries of the array get the same.
    """
    axes = tuple(range(g.ndim - len(shape)))
    axes += tuple(i for i, n in enumerate(shape, len(axes)) if n == 1 and g.shape[i] != 1)
    if axes:
        kept = [1 if i in axes else n for i, n in enumerate(g.shape)]
        g = np.reshape(np.sum(g, axis=axes), kept[g.ndim - len(shape) :])
    return g if g.shape == shape else np.broadcast_to(g, shape)


@primitive
def astype(x, dtype):
    return x.astype(dtype)


@primitive
def scatter(g, index, shape: tuple):
    """Zeros of a shape, with g added at x[index]: the transpose of indexing. Repeats add up."""
    total = np.zeros(shape, g.dtype)
    if _may_repeat(index):
        np.add.at(total, index, g)
    else:
        total[index] = g
    return total


def _may_repeat(index) -> bool:
    """Whether integers in arrays, lists or tuples pick the entries: they may do so twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(
        not isinstance(part, (int, slice, type(None), type(...)))
        and np.asarray(part).dtype.kind != "b"
        for part in parts
    )


@primitive
def add_windows(g, shape: tuple, axes: tuple):
    """The transpose of sliding_window_view: each entry collects from all windows it is in.

    g has the shape of the windows: (positions..., window...), the window along `axes` of x.
    """
    total = np.zeros(shape, g.dtype)
    for offset in np.ndindex(*g.shape[len(shape) :]):
        starts = dict(zip(axes, offset, strict=True))
        corner = (starts.get(i, 0) for i in range(len(shape)))
        total[tuple(slice(s, s + n) for s, n in zip(corner, g.shape, strict=False))] += g[
            (..., *offset)
        ]
    return total


def _sliding(g, y, x, window_shape, axis=None):
    axes = range(x.ndim) if axis is None else axis
    axes = normalize_axis_tuple(axes, x.ndim, allow_duplicate=True)
    if len(set(axes)) < len(axes):
        raise NotDifferentiable(f"sliding_window_view along an axis twice, {axis}, has no pull")
    return add_windows(g, x.shape, axes)


def _windows(g, y, x, shape, axes):
    return sliding_window_view(g, x.shape[len(shape) :], axes)


def _reshape_push(dx, y, x, shape, order="C"):
    _check_order(order)
    return np.reshape(dx, shape, order=order)


def _reshape_pull(g, y, x, shape, order="C"):
    _check_order(order)
    return np.reshape(g, x.shape, order=order)


def _check_order(order) -> None:
    if order not in ("C", "F"):
        raise NotDifferentiable(
            f"reshape or ravel with order={order!r} has no derivative rule: it goes by the order "
            "in memory, which may differ between an array and its derivative; use 'C' or 'F'"
        )


def _transpose(g, y, x, axes=None):
    return np.transpose(g, None if axes is None else np.argsort([a % x.ndim for a in axes]))


def _gathered(function):
    """The pull of any function that only picks entries: it is asked which, by index numbers."""

    def pull(g, y, x, *args, **kwargs):
        index = function(np.arange(x.size).reshape(x.shape), *args, **kwargs)
        return scatter(g, index, (x.size,)).reshape(x.shape)

    return pull


def _repeat(g, y, x, repeats, axis=None):
    return _gathered(np.repeat)(g, y, x, repeats, axis)


def _take(g, y, x, indices, axis=None):
    indices = np.asarray(indices, np.intp)  # True means 1 here, and no mask
    if axis is None:
        return scatter(g, indices, (x.size,)).reshape(x.shape)
    place = (slice(None),) * normalize_axis_index(axis, x.ndim)
    return scatter(g, (*place, indices), x.shape)


def _take_along_axis(g, y, x, indices, axis=-1):
    if axis is None:
        return scatter(g, indices, (x.size,)).reshape(x.shape)
    return _gathered(np.take_along_axis)(g, y, x, indices, axis)


def _diagonal(g, y, x, offset=0, axis1=0, axis2=1):
    return _gathered(np.diagonal)(g, y, x, offset, axis1, axis2)


def _diag(g, y, x, k=0):
    return np.diagonal(g, k) if x.ndim == 1 else _gathered(np.diag)(g, y, x, k)


def _tile(g, y, x, reps):
    return _gathered(np.tile)(g, y, x, reps)


def _roll(g, y, x, shift, axis=None):
    return np.roll(g, np.negative(shift), axis)


_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _pad_push(dx, y, x, pad_width, mode="constant", constant_values=0, reflect_type="even"):
    _check_pad(mode, reflect_type)
    return np.pad(dx, pad_width, mode)


def _pad_pull(g, y, x, pad_width, mode="constant", constant_values=0, reflect_type="even"):
    _check_pad(mode, reflect_type)
    if mode != "constant":
        return _gathered(np.pad)(g, y, x, pad_width, mode)
    inside = np.pad(np.ones(x.shape, bool), pad_width)
    return g[inside].reshape(x.shape)


def _check_pad(mode, reflect_type) -> None:
    if mode not in _MODES or reflect_type != "even":
        raise NotDifferentiable(
            f"numpy.pad with mode={mode!r}, reflect_type={reflect_type!r} has no derivative rule; "
            f"the modes that have one are {', '.join(_MODES)}"
        )


def _concatenate(i: int) -> Rule:
    def pull(g, y, arrays, axis=0):
        if axis is None:
            start = sum(np.size(a) for a in arrays[:i])
            return g[start : start + arrays[i].size].reshape(arrays[i].shape)
        axis = normalize_axis_index(axis, g.ndim)
        start = sum(np.shape(a)[axis] for a in arrays[:i])
        place = (slice(None),) * axis
        return g[(*place, slice(start, start + arrays[i].shape[axis]))]

    return Rule(None, pull)


def _stack(i: int) -> Rule:
    def pull(g, y, arrays, axis=0):
        return g[(*(slice(None),) * normalize_axis_index(axis, g.ndim), i)]

    return Rule(None, pull)


# These take a list of arrays; the rule of number i pulls to the i-th of the list.
JOINS = {np.concatenate: PerArgument(_concatenate), np.stack: PerArgument(_stack)}


RULES = {
    function: linear(function, pull)
    for function, pull in {
        operator.getitem: lambda g, y, x, index: scatter(g, index, x.shape),
        scatter: lambda g, y, x, index, shape: g[index],
        astype: lambda g, y, x, dtype: g,  # every gradient gets the dtype of what it belongs to
        np.squeeze: lambda g, y, x, axis=None: np.reshape(g, x.shape),
        np.expand_dims: lambda g, y, x, axis: np.reshape(g, x.shape),
        np.transpose: _transpose,
        np.swapaxes: lambda g, y, x, axis1, axis2: np.swapaxes(g, axis1, axis2),
        np.moveaxis: lambda g, y, x, source, destination: np.moveaxis(g, destination, source),
        np.broadcast_to: lambda g, y, x, shape: g,
        np.copy: lambda g, y, x, order="K": g,
        np.flip: lambda g, y, x, axis=None: np.flip(g, axis),
        np.roll: _roll,
        np.rot90: lambda g, y, x, k=1, axes=(0, 1): np.rot90(g, -k, axes),
        np.diagonal: _diagonal,
        np.diag: _diag,
        np.triu: lambda g, y, x, k=0: np.triu(g, k),
        np.tril: lambda g, y, x, k=0: np.tril(g, k),
        np.tile: _tile,
        np.repeat: _repeat,
        np.take: _take,
        np.take_along_axis: _take_along_axis,
        sliding_window_view: _sliding,
        add_windows: _windows,
    }.items()
}
RULES[np.reshape] = [Rule(_reshape_push, _reshape_pull)]
RULES[np.pad] = [Rule(_pad_push, _pad_pull)]


def _ravel(x, order="C"):
    _check_order(order)
    return np.reshape(x, -1, order=order)


def _split(x, indices_or_sections, axis=0):
    length = x.shape[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        if length % indices_or_sections:
            raise ValueError(f"split: {length} entries do not divide into {indices_or_sections}")
        size = length // indices_or_sections
        cuts = [size * i for i in range(1, indices_or_sections)]
    else:
        cuts = list(indices_or_sections)
    place = (slice(None),) * normalize_axis_index(axis, x.ndim)
    return [x[(*place, slice(*ends))] for ends in itertools.pairwise([0, *cuts, None])]


def _hstack(arrays):
    arrays = [np.reshape(a, (1,)) if np.ndim(a) == 0 else a for a in arrays]
    return np.concatenate(arrays, axis=0 if np.ndim(arrays[0]) == 1 else 1)


def _vstack(arrays):
    return np.concatenate([np.reshape(a, (1, -1)) if np.ndim(a) < 2 else a for a in arrays])


def _trace(x, offset=0, axis1=0, axis2=1):
    return np.sum(np.diagonal(x, offset, axis1, axis2), axis=-1)


def _diff(x, n=1, axis=-1):
    place = (slice(None),) * normalize_axis_index(axis, x.ndim)
    for _ in range(n):
        x = x[(*place, slice(1, None))] - x[(*place, slice(None, -1))]
    return +x


def _sort(x, axis=-1):
    if axis is None:
        x, axis = np.ravel(x), 0
    return np.take_along_axis(x, np.argsort(x, axis=axis), axis)


def _put_along_axis(arr, indices, values, axis):
    if axis is None:
        arr[np.unravel_index(indices, np.shape(arr))] = values
        return
    place = list(np.ogrid[tuple(slice(n) for n in np.shape(arr))])
    place[normalize_axis_index(axis, np.ndim(arr))] = indices
    arr[tuple(place)] = values


def _copyto(dst, src):
    dst[...] = src


def _half(x, axes, sign: int):
    """Rolled by half of each axis: zero comes into the middle, or back."""
    axes = normalize_axis_tuple(range(x.ndim) if axes is None else axes, x.ndim)
    return np.roll(x, [sign * (x.shape[i] // 2) for i in axes], axes)


# These write, which duals follow; the others say what to do instead.
WRITES = {np.put_along_axis: _put_along_axis, np.copyto: _copyto}

COMPOSITE = {
    np.fft.fftshift: lambda x, axes=None: _half(x, axes, 1),
    np.fft.ifftshift: lambda x, axes=None: _half(x, axes, -1),
    np.ravel: _ravel,
    np.split: _split,
    np.hstack: _hstack,
    np.vstack: _vstack,
    np.sort: _sort,
    np.trace: _trace,
    np.diff: _diff,
}

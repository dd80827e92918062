"""The functions that move, copy, join or leave out entries."""

import operator

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from lamina.autodiff import NotDifferentiable, grad, jvp
from lamina.autodiff.rules import shapes
from lamina.autodiff.rules.shapes import add_windows, astype, scatter

TWICE = np.array([2, 0, 2])
MASK = np.array([[True, False, True, True], [False] * 4, [True, True, False, False]])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
SEEDS = st.integers(0, 2**32)

INDICES = [
    *(1, -1, (1, 2), (slice(None), 1), slice(2), slice(None, None, -1), np.s_[::2, ::-2], ...),
    *(None, np.s_[..., 0], np.s_[:, None, 1:], np.s_[1, ..., None], (), slice(3, 3)),
    *(MASK, MASK[:, 0], np.s_[:, MASK[0]], np.s_[[True, False, True]], True, False),
    *(TWICE, [2, 0, 2], [-1], (TWICE, TWICE), (TWICE, 1), np.s_[:, TWICE], np.s_[TWICE, ::2]),
    *(TWICE[:, None] * [[0, 1]], np.ix_([0, 0, 2], [3, 1, 3]), np.s_[..., [0, 0]]),
    # Tuples and ranges inside the index pick entries as lists do.
    *(((0, 0),), ((0, 0), (1, 1)), ((0, 0), 1), (range(2), 1), [], np.zeros((2, 0), int)),
    *(np.int64(1), (np.int64(1), np.s_[:]), (MASK[:, 0], [0, 0]), (slice(1), None, [1, 1])),
]

CASES = {
    operator.getitem: [
        (lambda x: x[1:, ::2], (3, 4)),
        (lambda x: x[MASK] * x[TWICE].sum(), (3, 4)),
        (lambda x: sum(row * row for row in x), (3, 4)),
    ],
    scatter: [
        (lambda g: scatter(g, (slice(1), TWICE), (2, 5)), (1, 3)),
        (lambda g: scatter(g, MASK, MASK.shape), (5,)),
    ],
    astype: [
        (lambda x: x.astype(np.float64), (3,)),
        (lambda x: x.astype("float64", copy=False) * x, ()),
    ],
    np.reshape: [
        (lambda x: np.reshape(x, (4, -1)), (3, 4)),
        (lambda x: x.reshape(2, 6) * x.reshape((2, 6)) * x.reshape(12)[:6], (3, 4)),
        (lambda x: np.reshape(x, (4, 3), order="F"), (3, 4)),
        (lambda x: x.reshape(4, 3, order="F"), (3, 4)),
        (lambda x: np.reshape(x, (2, 0, 5)), (0, 4)),
        (lambda x: np.reshape(x, (1, 1)), ()),
    ],
    np.fft.fftshift: [
        (lambda x: np.fft.fftshift(x), (3, 4)),
        (lambda x: np.fft.fftshift(x, axes=-1), (3, 5)),
    ],
    np.fft.ifftshift: [
        (lambda x: np.fft.ifftshift(x), (3, 4)),
        (lambda x: np.fft.ifftshift(x, (1,)), (3, 5)),
    ],
    np.ravel: [
        (lambda x: np.ravel(x) * x.flatten(), (3, 4)),
        (lambda x: np.ravel(x, order="F") * x.flatten("F"), (3, 4)),
        (np.ravel, ()),
    ],
    np.squeeze: [
        (lambda x: np.squeeze(x), (1, 3, 1)),
        (lambda x: x.squeeze(axis=-1), (1, 3, 1)),
        (lambda x: np.squeeze(x, (0, -1)), (1, 3, 1)),
    ],
    np.expand_dims: [
        (lambda x: np.expand_dims(x, 1), (3, 4)),
        (lambda x: np.expand_dims(x, (0, -1)), (3, 4)),
        (lambda x: np.expand_dims(x, 0), ()),
    ],
    np.transpose: [
        (lambda x: x.T, (3, 4)),
        (lambda x: np.transpose(x, (2, 0, 1)), (2, 3, 4)),
        (lambda x: x.transpose(-1, 0, -2), (2, 3, 4)),
        (lambda x: np.transpose(x, axes=[1, -1, 0]), (2, 3, 4)),
        (np.transpose, ()),
        (lambda x: np.transpose(x, ()), ()),
    ],
    np.swapaxes: [
        (lambda x: np.swapaxes(x, 0, -1), (2, 3, 4)),
        (lambda x: x.swapaxes(1, 1), (2, 3)),
    ],
    np.moveaxis: [
        (lambda x: np.moveaxis(x, 0, -1), (2, 3, 4)),
        (lambda x: np.moveaxis(x, (0, 1), (-1, 0)), (2, 3, 4)),
    ],
    np.broadcast_to: [
        (lambda x: np.broadcast_to(x, (2, 3, 4)), (3, 1)),
        (lambda x: np.broadcast_to(x, (2, 3)), ()),
        (lambda x: np.broadcast_to(x, (0, 3)), (1, 3)),
        (lambda x: np.broadcast_to(x, 3), (1,)),
    ],
    np.copy: [(lambda x: np.copy(x) * x.copy(), (3, 4))],
    np.flip: [
        (lambda x: np.flip(x), (3, 4)),
        (lambda x: np.flip(x, -1), (3, 4)),
        (lambda x: np.flip(x, axis=(0, 2)), (2, 3, 2)),
    ],
    np.roll: [
        (lambda x: np.roll(x, 2), (3, 4)),
        (lambda x: np.roll(x, -1, axis=-1), (3, 4)),
        (lambda x: np.roll(x, (1, 2), axis=(0, 1)), (3, 4)),
        (lambda x: np.roll(x, [1, 2], axis=[0, 1]), (3, 4)),
        (lambda x: np.roll(x, 1, axis=(0, 1)), (3, 4)),
    ],
    np.rot90: [
        (lambda x: np.rot90(x), (3, 4)),
        (lambda x: np.rot90(x, -1), (3, 4)),
        (lambda x: np.rot90(x, 2, (1, 2)), (2, 3, 4)),
        (lambda x: np.rot90(x, k=3, axes=(2, 0)), (2, 3, 4)),
    ],
    np.diagonal: [
        (lambda x: np.diagonal(x), (3, 4)),
        (lambda x: np.diagonal(x, -1), (3, 4)),
        (lambda x: np.diagonal(x, 1, axis1=-1, axis2=0), (2, 3, 4)),
        (lambda x: np.diagonal(x, offset=9), (3, 4)),
    ],
    np.diag: [
        (lambda x: np.diag(x), (3, 4)),
        (lambda x: np.diag(x, -2), (3, 4)),
        (lambda x: np.diag(x), (3,)),
        (lambda x: np.diag(x, k=2), (3,)),
    ],
    np.triu: [
        (lambda x: np.triu(x), (3, 4)),
        (lambda x: np.triu(x, -1), (2, 3, 3)),
        (lambda x: np.triu(x, k=1), (3,)),
    ],
    np.tril: [
        (lambda x: np.tril(x), (3, 4)),
        (lambda x: np.tril(x, -1), (2, 3, 3)),
        (lambda x: np.tril(x, k=1), (3,)),
    ],
    np.tile: [
        (lambda x: np.tile(x, 2), (3, 4)),
        (lambda x: np.tile(x, (2, 1, 3)), (3, 4)),
        (lambda x: np.tile(x, reps=(2, 1)), (3,)),
        (lambda x: np.tile(x, 3), ()),
        (lambda x: np.tile(x, 0), (2,)),
    ],
    np.trace: [
        (lambda x: np.trace(x), (3, 4)),
        (lambda x: np.trace(x, -1), (3, 4)),
        (lambda x: np.trace(x, offset=1, axis1=1, axis2=-1), (2, 3, 4)),
    ],
    np.diff: [
        (lambda x: np.diff(x), (3, 4)),
        (lambda x: np.diff(x, 2, 0), (3, 4)),
        (lambda x: np.diff(x, n=3, axis=-2), (4, 2)),
        (lambda x: np.diff(x, 0), (3,)),
    ],
    np.repeat: [
        (lambda x: np.repeat(x, 2), (3, 4)),
        (lambda x: x.repeat(3, axis=-1), (3, 4)),
        (lambda x: np.repeat(x, [0, 2, 1], axis=0), (3, 4)),
        (lambda x: np.repeat(x, 0, axis=0), (3, 4)),
        (lambda x: np.repeat(x, 3), ()),
    ],
    np.take: [
        (lambda x: np.take(x, [0, 11, -1, 11]), (3, 4)),
        (lambda x: x.take([[0, 2], [0, -1]], axis=1), (3, 4, 2)),
        (lambda x: np.take(x, TWICE, -1), (2, 3)),
        (lambda x: np.take(x, 1, axis=0), (3, 4)),
        (lambda x: np.take(x, [True, True]), (3, 4)),
        (lambda x: np.take(x, np.zeros(0, int), axis=0), (3, 4)),
    ],
    np.take_along_axis: [
        (lambda x: np.take_along_axis(x, x.argsort(axis=1), axis=1), (3, 4)),
        (lambda x: np.take_along_axis(x, TWICE[:, None], axis=-1), (3, 4)),
        (lambda x: np.take_along_axis(x, TWICE, axis=None), (3, 4)),
        (lambda x: np.take_along_axis(x, np.array([[1, 1, 1]]), axis=0), (3, 1)),
    ],
    sliding_window_view: [
        (lambda x: sliding_window_view(x, 3), (5,)),
        (lambda x: sliding_window_view(x, (2, 2)), (3, 4)),
        (lambda x: sliding_window_view(x, 2, axis=-1), (3, 4)),
        (lambda x: sliding_window_view(x, (2, 3), axis=(-1, 0)), (3, 2, 4)),
        (lambda x: sliding_window_view(x, (2, 3), axis=[1, 0]), (3, 4)),
        (lambda x: sliding_window_view(x, (2, 2), axis=(0, 1))[:, ::2, ::2], (3, 5, 2)),
    ],
    add_windows: [(lambda g: add_windows(g, (2, 3), (1,)), (2, 2, 2))],
    np.pad: [
        (lambda x: np.pad(x, 1), (3, 4)),
        (lambda x: np.pad(x, ((0, 0), (2, 1)), constant_values=3.0), (3, 4)),
        (lambda x: np.pad(x, (1, 2), "edge"), (3, 4)),
        (lambda x: np.pad(x, 2, mode="reflect"), (3, 4)),
        (lambda x: np.pad(x, ((1, 2), (0, 3)), mode="symmetric"), (3, 4)),
        (lambda x: np.pad(x, 3, mode="wrap"), (2, 3)),
        (lambda x: np.pad(x, 7, mode="reflect"), (3,)),
        (lambda x: np.pad(x, 0), (3,)),
        (lambda x: np.pad(x, 1), (0, 2)),
    ],
    np.concatenate: [
        (lambda x, y: np.concatenate([x, y]), (3, 4), (1, 4)),
        (lambda x, y: np.concatenate((x, y, x), axis=-1), (3, 4), (3, 0)),
        (lambda x, y: np.concatenate([x, y * y], axis=None), (3, 4), (2,)),
        (lambda x: np.concatenate([[1.0, 2.0], x, [3]]), (3,)),
        (lambda x: np.concatenate(x), (2, 3)),
    ],
    np.stack: [
        (lambda x, y: np.stack([x, y]), (3, 4), (3, 4)),
        (lambda x, y: np.stack((x, y, x * y), axis=-1), (3, 4), (3, 4)),
        (lambda x: np.stack([x, 2.0, x * x]), ()),
        (lambda x: np.stack(x, axis=1), (3, 4)),
    ],
    np.split: [
        (lambda x: np.split(x, 2, axis=1)[1], (3, 4)),
        (lambda x: np.split(x, np.int64(2), axis=1)[1], (3, 4)),
        (lambda x: np.concatenate([a * a for a in np.split(x, [1, 3], axis=-1)][::-1], 1), (3, 4)),
        (lambda x: np.split(x, (2, 1, 9))[3] + sum(np.split(x, 3)), (3, 4)),
    ],
    np.hstack: [
        (lambda x, y: np.hstack([x, y]), (3, 4), (3, 1)),
        (lambda x, y: np.hstack((x, y)), (3,), (2,)),
        (lambda x, y: np.hstack([1.0, x, [2.0], y]), (), (2,)),
    ],
    np.vstack: [
        (lambda x, y: np.vstack([x, y]), (3, 4), (4,)),
        (lambda x, y: np.vstack((1.0, x, y)), (), (1,)),
        (lambda x, y: np.vstack([x, y]), (2, 3, 2), (1, 3, 2)),
    ],
    np.sort: [
        (lambda x: np.sort(x), (3, 4)),
        (lambda x: np.sort(x, axis=0), (3, 4)),
        (lambda x: np.sort(x, axis=None), (3, 4)),
    ],
}


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(shapes, CASES)


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_indices(index, check, arrays):
    """Basic, boolean and integer indices; where an entry is picked twice its gradients add up."""
    check(lambda x: x[index], *arrays(np.random.default_rng(0), (3, 4)))


@settings(max_examples=60, deadline=None)
@given(SHAPES, SEEDS, st.data())
def test_any_basic_index(check, arrays, shape, seed, data):
    index = data.draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    check(lambda x: x[index], *arrays(np.random.default_rng(seed), shape))


@settings(max_examples=60, deadline=None)
@given(hnp.array_shapes(max_dims=3, max_side=3), SEEDS, st.data())
def test_any_advanced_index(check, arrays, shape, seed, data):
    """Arrays of integers and masks, between slices, in any order."""
    rng = np.random.default_rng(seed)
    common = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=3))
    kinds = data.draw(st.lists(st.sampled_from("asi"), min_size=1, max_size=len(shape)))
    made = {
        "a": lambda n: rng.integers(-n, n, common),
        "s": lambda n: slice(None, None, rng.choice([-1, 1, 2])),
        "i": lambda n: int(rng.integers(n)),
    }
    index = tuple(made[kind](n) for kind, n in zip(kinds, shape, strict=False))
    check(lambda x: x[index], *arrays(rng, shape))
    mask = rng.random(shape) > 0.5
    check(lambda x: x[mask], *arrays(rng, shape))


@settings(max_examples=60, deadline=None)
@given(SHAPES, SEEDS)
def test_any_shape(check, arrays, shape, seed):
    """Each function with axes and shapes drawn at random, on sizes of 0 and no axes at all too."""
    rng = np.random.default_rng(seed)
    (x,) = arrays(rng, shape)
    n = len(shape)
    order = tuple(int(i) for i in rng.permutation(n))
    check(lambda x: np.transpose(x, order), x)
    check(lambda x: np.reshape(x, tuple(shape[i] for i in order), "CF"[seed % 2]), x)
    check(lambda x: np.broadcast_to(x, (2, *shape)), x)
    check(lambda x: np.expand_dims(x, seed % (n + 1) - n - 1), x)
    check(lambda x: np.stack([x, x * x], axis=seed % (n + 1) - n - 1), x)
    check(lambda x: np.flip(np.roll(x, seed % 5)), x)
    check(lambda x: np.repeat(x, seed % 3), x)
    check(lambda x: np.pad(x, seed % 2), x)
    if n:
        axis = int(rng.integers(-n, n))
        check(lambda x: np.concatenate([x, x * x], axis=axis), x)
        check(lambda x: np.moveaxis(x, axis, 0), x)
        check(lambda x: np.swapaxes(np.flip(x, axis), axis, 0), x)
        check(lambda x: np.roll(x, 1, axis) * np.sort(x, axis), x)
        repeats = rng.permutation(shape[axis]) if seed % 2 else 2
        check(lambda x: np.repeat(x, repeats, axis), x)
        check(lambda x: np.split(x, [1], axis)[seed % 2], x)
        if 0 not in shape:
            check(lambda x: sliding_window_view(x, 1 + seed % shape[axis], axis), x)
            check(lambda x: np.pad(x, 1, ["edge", "wrap", "symmetric"][seed % 3]), x)
            check(lambda x: x.take([0, -1, 0], axis), x)


@pytest.mark.parametrize("order", ["A", "K"])
def test_an_order_that_goes_by_memory_is_refused(order):
    """An array and its derivative may lie in memory differently: they would be read crosswise."""
    x = np.arange(12.0).reshape(3, 4).T
    with pytest.raises(NotDifferentiable, match=f"order='{order}' has no derivative rule"):
        grad(lambda x: x.ravel(order).sum())(x)
    with pytest.raises(NotDifferentiable, match="use 'C' or 'F'"):
        jvp(lambda x: np.ravel(x, order), x, x)
    with pytest.raises(NotDifferentiable, match="use 'C' or 'F'"):
        jvp(lambda x: np.reshape(x, 12, "A"), x, x)
    with pytest.raises(NotDifferentiable, match="use 'C' or 'F'"):
        grad(lambda x: np.reshape(x, 12, "A").sum())(x)


@pytest.mark.parametrize("mode", ["maximum", "mean", "linear_ramp", "empty", "median"])
def test_modes_of_pad_without_a_rule_are_refused(mode):
    with pytest.raises(NotDifferentiable, match=f"mode='{mode}'"):
        grad(lambda x: np.pad(x, 1, mode=mode).sum())(np.ones(3))


def test_windows_along_an_axis_twice_are_refused():
    with pytest.raises(NotDifferentiable, match="along an axis twice"):
        grad(lambda x: sliding_window_view(x, (2, 2), axis=(0, 0)).sum())(np.ones(4))


def test_split_into_unequal_parts_is_refused_as_by_numpy():
    with pytest.raises(ValueError, match="3 entries do not divide into 2"):
        grad(lambda x: np.split(x, 2)[0].sum())(np.ones(3))


def test_steps_have_no_derivative_and_complex_numbers_are_refused():
    x = np.array([1.5, 2.5])
    assert grad(lambda x: np.sum(x * x.astype(int)))(x).tolist() == [1.0, 2.0]
    assert jvp(lambda x: x * x.astype(int), x, np.ones(2))[1].tolist() == [1.0, 2.0]
    for f in (lambda x: np.abs(x.astype(complex)).sum(), lambda x: np.abs(x * 1j).sum()):
        with pytest.raises(TypeError, match="array of complex128; only plain"):
            grad(f)(x)
        with pytest.raises(TypeError, match="array of complex128; only plain"):
            jvp(f, x, x)


def test_single_precision_on_the_way():
    """A step through float32 costs precision, not the derivative."""
    x = np.array([1.0, 2.0])
    gradient = grad(lambda x: np.sum(x.astype(np.float32) ** 2))(x)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient, 2 * x)

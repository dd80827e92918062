"""Initial weights: mean, variance, limits and fans; and Affine.from_arrays, which needs none."""

import functools
import math

import numpy as np
import pytest

from lamina.layers import Affine, Convolution, ShapeError
from lamina.layers.initializers import (
    INITIALIZERS,
    bilinear,
    caffe_xavier,
    constant,
    he_normal,
    he_uniform,
    make_initializer,
    normal,
    uniform,
    xavier_normal,
    xavier_uniform,
    zeros,
)

MATRIX = (400, 200)  # fan-in 400, fan-out 200
KERNEL = (16, 3, 5, 40)  # c_in, KH, KW, c_out: fan-in 240, fan-out 600


@pytest.fixture
def rng():
    return np.random.default_rng(0)


NORMAL = [
    (normal, MATRIX, 1.0),
    (functools.partial(normal, std=0.01), MATRIX, 0.01**2),
    (xavier_normal, MATRIX, 2 / 600),
    (xavier_normal, KERNEL, 2 / 840),
    (he_normal, MATRIX, 2 / 400),
    (he_normal, KERNEL, 2 / 240),
    (functools.partial(he_normal, fan="out"), KERNEL, 2 / 600),
    (functools.partial(he_normal, fan="average"), KERNEL, 2 / 420),
]
UNIFORM = [
    (functools.partial(uniform, limit=0.3), MATRIX, 0.3),
    (xavier_uniform, MATRIX, math.sqrt(6 / 600)),
    (xavier_uniform, KERNEL, math.sqrt(6 / 840)),
    (he_uniform, MATRIX, math.sqrt(6 / 400)),
    (he_uniform, KERNEL, math.sqrt(6 / 240)),
    (caffe_xavier, MATRIX, math.sqrt(3 / 400)),
    (caffe_xavier, KERNEL, math.sqrt(3 / 240)),
    (functools.partial(caffe_xavier, fan="out"), KERNEL, math.sqrt(3 / 600)),
    (functools.partial(caffe_xavier, fan="average"), KERNEL, math.sqrt(6 / 840)),
]


@pytest.mark.parametrize(("initializer", "shape", "variance"), NORMAL)
def test_normal_ones_have_mean_0_and_their_variance(initializer, shape, variance, rng):
    W = initializer(shape, rng, np.float64)
    n = math.prod(shape)
    assert W.shape == shape
    assert abs(W.mean()) < 4 * math.sqrt(variance / n)
    assert W.var() == pytest.approx(variance, rel=4 * math.sqrt(2 / n))
    # 68.3 % of a normal distribution within a deviation, 0.27 % beyond three.
    size = np.abs(W) / math.sqrt(variance)
    assert (size < 1).mean() == pytest.approx(0.683, abs=0.02)
    assert 0.001 < (size > 3).mean() < 0.005


@pytest.mark.parametrize(("initializer", "shape", "limit"), UNIFORM)
def test_uniform_ones_fill_the_space_between_their_limits(initializer, shape, limit, rng):
    W = initializer(shape, rng, np.float64)
    n = math.prod(shape)
    assert W.shape == shape
    assert 0.998 * limit < W.max() <= limit
    assert -limit <= W.min() < -0.998 * limit
    assert abs(W.mean()) < 4 * limit / math.sqrt(3 * n)
    assert W.var() == pytest.approx(limit**2 / 3, rel=0.03)
    assert np.histogram(W, bins=4)[0] == pytest.approx(n / 4, rel=0.06)


def test_zeros_and_a_constant(rng):
    assert zeros((2, 3), rng).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert constant((2, 2), rng, value=-0.5).tolist() == [[-0.5, -0.5], [-0.5, -0.5]]


def complete(initializer):
    """With the settings that it needs."""
    needed = {"constant": {"value": 0.1}, "uniform": {"limit": 0.1}}
    return make_initializer(initializer, **needed.get(initializer, {}))


SQUARE = (3, 4, 4, 5)  # a shape that all of them take


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_one_gives_the_dtype_asked_for_and_float32_by_default(name, rng):
    initializer = complete(name)
    assert initializer(SQUARE, rng).dtype == np.float32
    assert initializer(SQUARE, rng, np.float32).dtype == np.float32
    assert initializer(SQUARE, rng, np.float64).dtype == np.float64
    assert initializer(SQUARE, rng, dtype=np.float64).shape == SQUARE


@pytest.mark.parametrize(
    "name", [name for name in INITIALIZERS if name not in ("zeros", "constant", "bilinear")]
)
def test_the_generator_decides(name):
    initializer = complete(name)
    first, again, other = (
        initializer((5, 4), np.random.default_rng(seed), np.float32) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_a_sparse_normal_leaves_each_input_so_many_weights_on_average(rng):
    W = normal((500, 100), rng, np.float64, std=2.0, sparse=15)
    kept = W != 0
    assert kept.sum(axis=1).mean() == pytest.approx(15, abs=4 * math.sqrt(15 / 500))
    assert W[kept].std() == pytest.approx(2.0, rel=0.04)
    assert (normal((20, 7), rng, sparse=7) != 0).all()
    for sparse in (0, 8):
        with pytest.raises(ValueError, match=f"so from 1 to 7; got {sparse}"):
            normal((20, 7), rng, sparse=sparse)


@pytest.mark.parametrize("size", [3, 4])
def test_a_bilinear_filter_is_caffes(size, rng):
    """Caffe's loop, entry by entry (filler.hpp)."""
    f = math.ceil(size / 2)
    c = (2 * f - 1 - f % 2) / (2.0 * f)
    expected = [
        [(1 - abs(x / f - c)) * (1 - abs(y / f - c)) for x in range(size)] for y in range(size)
    ]
    W = bilinear((2, size, size, 3), rng, np.float64)
    for i, o in np.ndindex(2, 3):
        np.testing.assert_allclose(W[i, :, :, o], expected, rtol=1e-15)


def test_what_has_no_such_fan_or_filter_is_refused(rng):
    with pytest.raises(ValueError, match="fan: expects in, out or average, got 'inn'"):
        caffe_xavier(MATRIX, rng, fan="inn")
    for shape in (MATRIX, KERNEL):
        with pytest.raises(ValueError, match=r"bilinear: expects the square filters of a conv"):
            bilinear(shape, rng)


def test_normal_and_uniform_he_have_one_variance(rng):
    ours, theirs = he_normal((500, 400), rng, np.float64), he_uniform((500, 400), rng, np.float64)
    assert ours.var() == pytest.approx(theirs.var(), rel=0.02)


def test_he_keeps_the_size_of_signals_through_relu_layers(rng):
    """Mean squares stay; with half the variance they would be 2⁻¹⁰ of it after ten layers."""
    X = rng.standard_normal((200, 500))
    for _ in range(10):
        X = np.maximum(X, 0) @ he_normal((500, 500), rng, np.float64)
    assert 0.5 < np.square(X).mean() < 2.0


def test_a_convolution_counts_its_kernel_among_the_inputs(rng):
    """fan-in 8 · 3 · 3, though W is (c_out, c_in, KH, KW)."""
    W = Convolution(8, 64, 3, init=he_uniform, rng=rng).W.data
    limit = math.sqrt(6 / 72)
    assert W.shape == (64, 8, 3, 3)
    assert 0.99 * limit < np.abs(W).max() <= limit * (1 + 1e-6)
    grouped = Convolution(8, 64, 3, groups=4, init=he_uniform, rng=rng).W.data
    limit = math.sqrt(6 / 18)
    assert 0.99 * limit < np.abs(grouped).max() <= limit * (1 + 1e-6)


def test_by_name_with_settings(rng):
    W = make_initializer("normal", std=0.01)((300, 200), rng, np.float64)
    assert W.std() == pytest.approx(0.01, rel=0.02)
    assert make_initializer("constant", value=2.0)((2,), rng).tolist() == [2.0, 2.0]
    same = [f((4, 3), np.random.default_rng(0)) for f in (make_initializer("he_normal"), he_normal)]
    np.testing.assert_array_equal(*same)
    layer = Affine(4, 3, init=make_initializer("zeros"), rng=rng)
    assert not layer.W.data.any()


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("he_norml", {}, r"^unknown initializer he_norml; did you mean he_normal\?$"),
        ("Zeros", {}, r"did you mean zeros\?"),
        ("qqq", {}, "known: bilinear, caffe_xavier, constant, he_normal, he_uniform, normal, uni"),
        ("_fans", {}, "unknown initializer _fans"),
        ("zeros", {"value": 1.0}, "^initializer zeros: takes no settings; unknown value$"),
        ("he_normal", {"std": 1.0}, "^initializer he_normal: takes fan; unknown std$"),
        ("constant", {}, "^initializer constant: takes value; missing value$"),
        ("uniform", {}, "^initializer uniform: takes limit; missing limit$"),
        (
            "uniform",
            {"limits": 1.0},
            "^initializer uniform: takes limit; missing limit; unknown limits$",
        ),
        (
            "normal",
            {"std": 1.0, "mean": 0.0},
            "^initializer normal: takes std, sparse; unknown mean$",
        ),
        ("normal", {"shape": (2, 2)}, "^initializer normal: takes std, sparse; unknown shape$"),
    ],
)
def test_what_makes_no_initializer_is_refused(name, settings, words):
    with pytest.raises(ValueError, match=words):
        make_initializer(name, **settings)


# Affine.from_arrays.


def test_the_arrays_themselves_become_the_parameters():
    W, b = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([10.0, 20.0, 30.0])
    layer = Affine.from_arrays(W, b)
    assert layer.W.data is W
    assert layer.b.data is b
    assert list(layer.parameters()) == ["W", "b"]
    assert layer.forward(np.array([[1.0, -1.0]])).tolist() == [[7.0, 17.0, 27.0]]
    W[0, 0] = 100.0
    assert layer.forward(np.array([[1.0, -1.0]])).tolist() == [[106.0, 17.0, 27.0]]
    dX = layer.backward(np.array([[1.0, 0.0, 0.0]]))
    assert dX.tolist() == [[100.0, 4.0]]
    assert layer.W.grad.tolist() == [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
    assert layer.b.grad.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("W", "b"),
    [
        ((2, 3), (2,)),
        ((2, 3), (4,)),
        ((2, 3), (1, 3)),
        ((2, 3), ()),
        ((3,), (3,)),
        ((3,), ()),
        ((2, 3, 4), (3, 4)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(W, b):
    with pytest.raises(ShapeError, match=r"Affine: expects W \(n_in, n_out\) and b") as raised:
        Affine.from_arrays(np.ones(W), np.ones(b))
    assert str(raised.value).endswith(f"got {W} and {b}")


def test_arrays_of_whole_numbers_are_no_parameters():
    with pytest.raises(TypeError, match="Param: expects a floating-point array"):
        Affine.from_arrays(np.ones((2, 3), int), np.ones(3))


# Of one's own.


def ones_in_rows(shape, rng, dtype, *, every: int = 1):
    W = np.zeros(shape, dtype)
    W[::every] = 1
    return W


class Repeated:
    def __init__(self, value, times=1):
        self.value = value * times

    def __call__(self, shape, rng, dtype=np.float32):
        return np.full(shape, self.value, dtype)


def test_a_function_or_a_class_of_ones_own(rng):
    layer = Affine(4, 3, init=make_initializer(ones_in_rows, every=2), rng=rng)
    assert layer.W.data.tolist() == [[1, 1, 1], [0, 0, 0], [1, 1, 1], [0, 0, 0]]
    layer = Affine(4, 3, init=make_initializer(Repeated, value=0.5, times=3), rng=rng)
    assert (layer.W.data == 1.5).all()
    assert make_initializer(ones_in_rows) is ones_in_rows


@pytest.mark.parametrize(
    ("initializer", "settings", "words"),
    [
        (ones_in_rows, {"ever": 2}, "initializer ones_in_rows: takes every; unknown ever$"),
        (Repeated, {}, "initializer Repeated: takes value, times; missing value"),
        (Repeated, {"value": None, "times": 2}, "initializer Repeated: unsupported operand"),
        (lambda shape: None, {}, r"initializer <lambda>: is called with \(shape, rng, dtype\)"),
        (None, {}, "initializer: expects a name, a function or a class, got None"),
        (object, {}, r"initializer object: has no __call__\(self, shape, rng, dtype\)"),
        (dict, {}, "initializer dict: no signature found"),
    ],
)
def test_what_cannot_be_one_is_refused(initializer, settings, words):
    with pytest.raises(ValueError, match=words):
        make_initializer(initializer, **settings)

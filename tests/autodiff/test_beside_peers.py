"""Gradients and Hessian-vector products of the rules beside those of JAX and of HIPS autograd.

Every function is written once, for a module `np` that may be NumPy, jax.numpy or autograd.numpy.
"""

import importlib
import warnings

import numpy
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from lamina.autodiff import grad, hvp

RNG = numpy.random.default_rng(0)
# Distinct values, so that none of the functions is at a kink.
X, Y, V, W = numpy.split(0.3 + 1.7 * RNG.permutation(numpy.arange(48) / 48), 4)
X, Y, V, W = (a.reshape(3, 4) for a in (X, Y, V, W))
X = X * RNG.choice([-1.0, 1.0], X.shape)
ROWS = numpy.array([2, 0, 2])
MASK = Y > 1.0
EYE = 3.0 * numpy.eye(4)
STEPS = numpy.diag([0.0, 3.0, 6.0, 9.0])  # far from equal eigenvalues
HOLE = numpy.array([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]])
GAP = numpy.where(HOLE == 0, numpy.nan, 0.0)
QS = numpy.array([0.2, 0.5, 0.9])

FUNCTIONS = {
    "arithmetic": lambda np, x, y: (x + y[0]) * (x - y) / (y[:, :1] - 3.0) - 2.0 / y,
    "comparisons": lambda np, x, y: x * (x > y) + y * (x <= 0.5),
    "exp, log": lambda np, x, y: np.exp(x) + np.expm1(x) + np.log(y) + np.log1p(y) + np.sqrt(y),
    "power": lambda np, x, y: x**2 + y**x + np.power(y, -1.5) + 2.0**x + x**3 + np.square(x),
    "reciprocal": lambda np, x, y: np.reciprocal(x) * np.sign(y),
    "abs": lambda np, x, y: np.abs(x) * y,
    "sin": lambda np, x, y: np.sin(x) + np.cos(y) + np.tan(0.5 * x) + np.arctan(x),
    "sinh": lambda np, x, y: np.sinh(x) + np.cosh(y) + np.tanh(x),
    "logaddexp": lambda np, x, y: np.logaddexp(x, y),
    "arcsin": lambda np, x, y: np.arcsin(0.4 * x) + np.arccos(0.4 * y) + np.arctanh(0.4 * x),
    "arcsinh": lambda np, x, y: np.arcsinh(x) + np.arccosh(1.2 + y),
    "arctan2": lambda np, x, y: np.arctan2(x, y),
    "hypot": lambda np, x, y: np.hypot(x, y) + np.fabs(x) + np.cbrt(x) * np.deg2rad(y),
    "log2": lambda np, x, y: np.log2(y) + np.log10(y) + np.exp2(x) + np.rad2deg(x),
    "fmax": lambda np, x, y: np.fmax(x, y) + np.fmin(x, 0.9 * y),
    "maximum": lambda np, x, y: np.maximum(x, y) + np.minimum(x, 0.9 * y),
    "clip": lambda np, x, y: np.clip(x, -0.77, 0.81) * y,
    "where": lambda np, x, y: np.where(MASK, x * y, y) + np.where(x > 0.0, x * x, 0.0),
    "sum": lambda np, x, y: np.sum(x * y, axis=-1) * np.sum(x) * np.sum(y, axis=1),
    "mean": lambda np, x, y: np.mean(x, axis=(0, 1)) * np.mean(y, axis=0, keepdims=True) * x,
    "var": lambda np, x, y: np.var(x, axis=1) + np.var(y) + np.var(x, axis=-1, ddof=1),
    "std": lambda np, x, y: np.std(x, axis=0, ddof=1) * np.std(y),
    "max": lambda np, x, y: np.max(x, axis=0) * np.min(y) + np.min(x, axis=1, keepdims=True) * y,
    "prod": lambda np, x, y: np.prod(x, axis=1) * np.prod(y),
    "cumsum": lambda np, x, y: np.cumsum(x, axis=1) * y + np.sum(np.cumsum(x) ** 2),
    "norm": lambda np, x, y: np.linalg.norm(x) * np.linalg.norm(y, axis=1),
    "norms": lambda np, x, y: np.linalg.norm(x, 3, axis=1) + np.linalg.norm(y, 1, axis=1),
    "matmul": lambda np, x, y: (x @ y.T) @ x @ y[0],
    "dot": lambda np, x, y: np.dot(x, np.dot(y.T, x)) * np.dot(x[0], y[1]),
    "tensordot": lambda np, x, y: np.tensordot(x, y, axes=([1], [1])) * np.tensordot(x, y, 2),
    "outer": lambda np, x, y: np.outer(x[:, 0], y[0]) * np.outer(x[0], y[0])[1],
    "einsum": lambda np, x, y: np.einsum("ij,kj,kl->il", x, y, x) + np.einsum("ij,ij->", x, y),
    "einsum alone": lambda np, x, y: np.einsum("ij,kl->ik", x, y) + np.einsum("ij->i", x),
    "einsum ...": lambda np, x, y: np.einsum("...j,kj->...k", x, y),
    "reshape": lambda np, x, y: np.reshape(x, (4, 3)) * np.ravel(y)[:3] * x.reshape(2, -1)[0, 0],
    "transpose": lambda np, x, y: np.transpose(x) * y.T * np.swapaxes(x, 0, -1),
    "moveaxis": lambda np, x, y: np.moveaxis(x[None], 0, -1)[..., 0] * np.squeeze(y[None], 0),
    "expand_dims": lambda np, x, y: np.expand_dims(x, 1) * y,
    "broadcast_to": lambda np, x, y: np.broadcast_to(x[:, :1], (3, 4)) * y,
    "concatenate": lambda np, x, y: np.concatenate([x, y * x, x], axis=1) * np.hstack([y, x, x]),
    "stack": lambda np, x, y: np.stack([x, y], axis=-1) * np.stack([y, x * x], axis=2),
    "vstack": lambda np, x, y: np.vstack([x, y]) * np.vstack([y, x]),
    "split": lambda np, x, y: np.split(x, 2, axis=1)[0] * np.split(y, [1, 3], axis=1)[1],
    "repeat": lambda np, x, y: np.repeat(x, 2, axis=0) * np.repeat(y, 2, axis=0) ** 2,
    "pad": lambda np, x, y: np.pad(x * y, ((1, 1), (0, 2)), "constant"),
    "pad edge": lambda np, x, y: np.pad(x * y, 1, mode="edge") + np.pad(x, 1, mode="reflect"),
    "pad wrap": lambda np, x, y: np.pad(x * y, 2, mode="wrap") + np.pad(x, 2, mode="symmetric"),
    "flip": lambda np, x, y: np.flip(x, 1) * np.flip(y),
    "roll": lambda np, x, y: np.roll(x, 1, axis=0) * np.roll(y, -2),
    "rot90": lambda np, x, y: np.rot90(x) * np.rot90(y, 3) + np.tile(x[:, :1], (2, 1))[:4] ** 2,
    "diagonal": lambda np, x, y: np.diag(x) * np.diagonal(y, 1) + np.trace(x) * np.diag(y[0])[0, 0],
    "triangles": lambda np, x, y: np.triu(x, 1) * y + np.tril(y) * x + np.ptp(x),
    "diff": lambda np, x, y: np.diff(x) * np.diff(y, n=1) + np.inner(x[0], y[0]) * np.vdot(x, y),
    "slices": lambda np, x, y: x[1:, ::-2] * y[:2, :2] + x[None, 0, 1] * y[:2, 2, None],
    "masks": lambda np, x, y: (x * y)[MASK] ** 2,
    "integers": lambda np, x, y: x[ROWS] * y[ROWS[:, None], [0, 0, 3, 3]] + x[ROWS, 1][:, None],
    "take": lambda np, x, y: np.take(x * y, ROWS, axis=1),
    "take_along_axis": lambda np, x, y: np.take_along_axis(x * y, ROWS[:, None] % 3, axis=1),
    "sort": lambda np, x, y: np.sort(x[0]) * np.sort(y[1]),
    "sort, axis": lambda np, x, y: np.sort(x, axis=1) * np.sort(y, axis=0),
    "inv": lambda np, x, y: np.linalg.inv(x.T @ y + EYE),
    "solve": lambda np, x, y: np.linalg.solve(y.T @ y + EYE, x.T) + np.sum(x @ y.T),
    "det": lambda np, x, y: np.linalg.det(x.T @ y + EYE) * np.linalg.det(x @ y.T),
    "eigh": lambda np, x, y: np.linalg.eigh(x.T @ x + y.T @ y + STEPS)[1] ** 2,
    "eigvalsh": lambda np, x, y: np.linalg.eigvalsh(x.T @ x + y.T @ y + STEPS),
    "svd": lambda np, x, y: np.linalg.svd(x * y, full_matrices=False)[0] ** 2,
    "svdvals": lambda np, x, y: np.linalg.svd(x * y, compute_uv=False),
    "nuclear": lambda np, x, y: np.linalg.norm(x * y, "nuc") * np.linalg.norm(x, 2) * y,
    "qr": lambda np, x, y: np.linalg.qr((x * y).T)[0] @ np.linalg.qr(y.T)[1],
    "cholesky": lambda np, x, y: np.linalg.cholesky(x.T @ x + y.T @ y + EYE),
    "lstsq": lambda np, x, y: np.linalg.lstsq(x.T, y.T)[0] + np.linalg.lstsq(y, x)[0][:3, :3],
    "pinv": lambda np, x, y: np.linalg.pinv(x) @ y,
    "matrix_power": lambda np, x, y: np.linalg.matrix_power(x @ y.T, 3),
    "kron": lambda np, x, y: np.kron(x, y)[:3] * np.cross(x[:, :3], y[:, 1:])[0, 0],
    "sinc": lambda np, x, y: np.sinc(x) * y,
    "cumprod": lambda np, x, y: np.cumprod(x, axis=1) * np.cumprod(y * HOLE, axis=0),
    "average": lambda np, x, y: np.average(x, axis=1, weights=y) * np.average(x, axis=None),
    "linspace": lambda np, x, y: np.linspace(x, y, 5),
    "median": lambda np, x, y: np.median(x, axis=1) * np.median(y, axis=0)[:3] * np.median(x),
    "quantile": lambda np, x, y: np.quantile(x, QS, axis=1) * np.percentile(y, 40.0),
    "quantile, methods": lambda np, x, y: (
        np.quantile(x, 0.4, method="midpoint") + np.quantile(y, 0.6, axis=1, method="nearest")
    ),
    "nansum": lambda np, x, y: np.nansum(x + GAP, axis=1) * np.nanmean(y + GAP, axis=1) * x[:, 0],
    "nanmax": lambda np, x, y: np.nanmax(x + GAP, axis=0) * np.nanmin(y * x + GAP) * y,
    "nanstd": lambda np, x, y: np.nanstd(x + GAP, axis=1) * np.nanvar(y + GAP, ddof=1) * x[:, 0],
    "nanprod": lambda np, x, y: np.nanprod(x + GAP, axis=1) * np.nancumsum(y + GAP, axis=0)[-1, 0],
    "nanmedian": lambda np, x, y: np.nanmedian(x + GAP, axis=1) * np.nanquantile(y + GAP, 0.3),
    "ix_": lambda np, x, y: x[np.ix_(ROWS, ROWS)] * y[:, :3],
    "slogdet": lambda np, x, y: np.linalg.slogdet(x.T @ y + EYE)[1],
}
# autograd has no rules for these, or only for constants around, one axis, other orders.
NOT_IN_AUTOGRAD = {
    "flip",
    "take",
    "take_along_axis",
    "pad edge",
    "pad wrap",
    "sort, axis",
    "norms",
    "hypot",
    "triangles",
    "diagonal",
    "diff",
    *("average", "cumprod", "linspace", "median", "quantile", "quantile, methods", "nansum"),
    *("nanmax", "nanmedian", "nanprod", "nanstd"),
    *("eigvalsh", "lstsq", "matrix_power", "nuclear", "qr"),
}


def scalar(f, np):
    """A number, so that there is a gradient; the square gives linear functions a Hessian."""

    def number(xy):
        z = f(np, *xy)
        return np.sum(z * z) + np.sum(np.sin(z))

    return number


def ours(name):
    number = scalar(FUNCTIONS[name], numpy)
    return grad(number)((X, Y)), hvp(number, (X, Y), (V, W))


def assert_equal(mine, theirs):
    for a, b in zip(mine, theirs, strict=True):
        for one, other in zip(a, b, strict=True):
            numpy.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9 * numpy.max(abs(one)))


OFTEN = list(FUNCTIONS)[::6]  # JAX takes half a second for each function


@pytest.fixture(scope="module")
def from_jax(request):
    """Gradients and products by JAX, compiled at once, which is the quicker way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jax = importlib.import_module("jax")
        before = jax.config.jax_enable_x64
        jax.config.update("jax_enable_x64", True)

        def of(f):
            gradient = jax.grad(scalar(f, jax.numpy))
            return lambda x, v: jax.jvp(gradient, (x,), (v,))

        def everything(x, v):
            return {name: of(FUNCTIONS[name])(x, v) for name in request.param}

        quickly = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
        lowered = jax.jit(everything).lower((X, Y), (V, W))
        results = lowered.compile(compiler_options=quickly)((X, Y), (V, W))
        results = jax.tree_util.tree_map(numpy.asarray, results)
        jax.config.update("jax_enable_x64", before)
    return results


@pytest.mark.needs_jax
@pytest.mark.parametrize("from_jax", [OFTEN], indirect=True, ids=["often"])
@pytest.mark.parametrize("name", OFTEN)
def test_jax_agrees(name, from_jax):
    assert_equal(ours(name), from_jax[name])


@pytest.mark.slow
@pytest.mark.needs_jax
@pytest.mark.parametrize("from_jax", [list(FUNCTIONS)], indirect=True, ids=["all"])
def test_jax_agrees_of_all(from_jax):
    for name in FUNCTIONS:
        assert_equal(ours(name), from_jax[name])


@pytest.mark.needs_autograd
@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - NOT_IN_AUTOGRAD))
def test_autograd_agrees(name):
    autograd = importlib.import_module("autograd")
    number = scalar(FUNCTIONS[name], importlib.import_module("autograd.numpy"))
    gradient = autograd.grad(number)

    def slope(xy):
        return sum(autograd.numpy.sum(g * v) for g, v in zip(gradient(xy), (V, W), strict=True))

    assert_equal(ours(name), (gradient((X, Y)), autograd.grad(slope)((X, Y))))


def windows(np, x):
    return np.stack([np.stack([x[i : i + 2, j : j + 2] for j in range(3)]) for i in range(2)])


@pytest.mark.needs_autograd
def test_windows_agree_with_slices_in_autograd():
    """The peers have no sliding_window_view; slices say the same."""
    autograd = importlib.import_module("autograd")
    theirs = autograd.grad(lambda x: autograd.numpy.sum(windows(autograd.numpy, x) ** 3))(X)
    numpy.testing.assert_allclose(
        grad(lambda x: numpy.sum(sliding_window_view(x, (2, 2)) ** 3))(X), theirs
    )

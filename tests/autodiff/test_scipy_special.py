"""SciPy's special functions: their rules, which come with a file of their own."""

import importlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable, grad, hvp, jvp

special = pytest.importorskip("scipy.special", reason="no SciPy: pip install scipy")
ours = importlib.import_module("lamina.autodiff.scipy_special")

ONE, TWO = ((3, 4),), ((3, 4), (3, 4))
# Function, and shapes; numbers are 0.3 to 2, and brought to where the function is defined.
CASES = {
    special.erf: [(special.erf, *ONE), (lambda x: special.erf(x - 1.0), ())],
    special.erfc: [(lambda x: special.erfc(x - 1.0), *ONE)],
    special.erfcx: [(lambda x: special.erfcx(x - 1.0), *ONE)],
    special.erfinv: [(lambda x: special.erfinv(0.9 * x - 1.0), *ONE)],
    special.expit: [(lambda x: special.expit(3.0 * x - 3.0), *ONE)],
    special.log_expit: [(lambda x: special.log_expit(3.0 * x - 3.0), *ONE)],
    special.logit: [(lambda x: special.logit(0.45 * x), *ONE)],
    special.ndtr: [(lambda x: special.ndtr(x - 1.0), *ONE)],
    special.log_ndtr: [(lambda x: special.log_ndtr(3.0 * x - 4.0), *ONE)],
    special.ndtri: [(lambda x: special.ndtri(0.45 * x), *ONE)],
    special.gamma: [(special.gamma, *ONE)],
    special.gammaln: [(special.gammaln, *ONE)],
    special.digamma: [(special.digamma, *ONE)],
    ours.polygamma: [(lambda x: ours.polygamma(2, x + 1.0), *ONE)],
    special.entr: [(special.entr, *ONE)],
    special.xlogy: [(special.xlogy, *TWO), (lambda b: special.xlogy(0.0, b), *ONE)],
    special.xlog1py: [(special.xlog1py, *TWO)],
    ours.logsumexp: [
        (lambda x: ours.logsumexp(x), *ONE),
        (lambda x: ours.logsumexp(x, axis=1, keepdims=True), *ONE),
        (lambda x: ours.logsumexp(x, (0, 1)), *ONE),
        (lambda x: ours.softmax(x, axis=0) * ours.log_softmax(x, -1), *ONE),
    ],
}


@pytest.mark.parametrize(
    "case", [c for cases in CASES.values() for c in cases], ids=lambda c: str(c[1:])
)
def test_case(case, check, arrays):
    f, *shapes = case
    check(f, *arrays(np.random.default_rng(1), *shapes))


def test_every_rule_has_a_case(followed, arrays):
    assert set(CASES) == set(ours.RULES_OF)
    for function, rules in ours.RULES_OF.items():
        followed.clear()
        for f, *shapes in CASES[function]:
            jvp(lambda x, f=f: f(*x), x := arrays(np.random.default_rng(1), *shapes), x)
        assert all((function, i) in followed for i, rule in enumerate(rules) if rule)


@pytest.mark.slow
@pytest.mark.needs_jax
def test_jax_agrees():
    jax = importlib.import_module("jax")
    before = jax.config.jax_enable_x64
    x, v = np.random.default_rng(0).uniform(0.1, 0.9, (2, 5))

    def everything(s, np, x):
        names = ["erf", "erfc", "erfinv", "expit", "logit", "ndtr", "log_ndtr", "ndtri", "entr"]
        names += ["gammaln", "digamma"]
        total = sum(np.sum(getattr(s, name)(x)) ** 2 for name in names)
        total = total + np.sum(s.xlogy(x, x) ** 2) + s.logsumexp(x) ** 2
        return total + np.sum(s.softmax(x) ** 2) + np.sum(s.log_softmax(x) ** 2)

    class Joined:
        def __getattr__(self, name):
            return getattr(ours if hasattr(ours, name) else special, name)

    def mine(x):
        return everything(Joined(), np, x)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        jax.config.update("jax_enable_x64", True)
        theirs = importlib.import_module("jax.scipy.special")
        theirs_too = importlib.import_module("jax.nn")

        class Theirs:
            def __getattr__(self, name):
                return getattr(theirs if hasattr(theirs, name) else theirs_too, name)

        gradient = jax.grad(lambda x: everything(Theirs(), jax.numpy, x))
        first, second = jax.jvp(gradient, (x,), (v,))
        jax.config.update("jax_enable_x64", before)
    np.testing.assert_allclose(grad(mine)(x), first, rtol=1e-9)
    np.testing.assert_allclose(hvp(mine, x, v), second, rtol=1e-8)


def test_far_away_nothing_is_lost():
    x = np.array([-1e12, -40.0, 40.0])
    np.testing.assert_allclose(
        grad(lambda x: np.sum(special.log_ndtr(x)))(x), [1e12, 40.0249688472, 0.0], rtol=1e-11
    )
    np.testing.assert_allclose(grad(lambda x: np.sum(special.expit(x)))(x[1:]), np.exp(-40.0))
    big = np.array([1e4, 1e4, -np.inf])
    assert grad(ours.logsumexp)(big).tolist() == [0.5, 0.5, 0.0]
    assert grad(ours.logsumexp)(np.full(2, -np.inf)).tolist() == [0.0, 0.0]


def test_nothing_else_imports_scipy():
    """It is optional, and a second to import; the error of a function of its says what to do."""
    code = """
import sys
import lamina.autodiff, lamina.layers, lamina.nets
assert "scipy" not in sys.modules
import numpy as np, scipy.special
try:
    lamina.autodiff.grad(scipy.special.erf)(1.0)
except lamina.autodiff.NotDifferentiable as error:
    print(error)
import lamina.autodiff.scipy_special
print(lamina.autodiff.grad(scipy.special.erf)(0.0))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("scipy.special.erf has no derivative rule (arguments of shape ())")
    assert "Import lamina.autodiff.scipy_special" in first
    assert second == "1.1283791670955126"


def test_what_has_no_rule():
    for f, words in (
        (special.j0, r"scipy\.special\.j0 has no derivative rule"),
        (lambda x: special.xlogy(x, x[0] * 2, out=np.zeros(3)), r"out="),
        (lambda x: ours.logsumexp(x, b=2.0), "logsumexp with b="),
        (special.logsumexp, "was about to lose its derivative"),
    ):
        with pytest.raises(NotDifferentiable, match=words):
            jvp(f, np.ones(3), np.ones(3))

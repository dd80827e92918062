"""What is refused, and what the error says then: no derivative is lost in silence."""

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable, grad, jvp, vjp

X = np.random.default_rng(0).uniform(0.5, 1.5, (3, 4))


def test_a_variable_is_not_written_into():
    def item(x):
        x[0] = 1.0

    def times(x):
        x *= 2.0

    def out(x):
        np.exp(x, out=x)

    def add_at(x):
        np.add.at(np.zeros(3), [0, 0], x[0, :2])

    for f in (item, times, out, add_at):
        with pytest.raises(NotDifferentiable, match=r"np.stack, np.concatenate, np.where or x = x"):
            grad(f)(X)


def test_a_variable_is_not_written_into_a_plain_array():
    def item(x):
        np.zeros((3, 4))[0] = x[0]

    def plus(x):
        plain = np.zeros((3, 4))
        plain += x

    def number(x):
        total = np.array(0.0)
        total += x[0, 0]

    def out(x):
        np.exp(x, out=np.zeros((3, 4)))

    def put(x):
        np.zeros(12).put([0], x[0])

    for f in (item, plus, number, out, put, np.asarray, np.array, lambda x: np.array([x[0], x[1]])):
        with pytest.raises(NotDifferentiable, match=r"np.stack, np.concatenate, np.where or x = x"):
            grad(f)(X)


def test_a_number_is_not_written_into_a_plain_array():
    """NumPy puts an error of its own, a ValueError, before ours."""

    def f(x):
        y = np.zeros(3)
        y[0] = x[0, 0]
        return y.sum()

    words = r"a Python number would lose.* \(in f, test_refusals.py, line \d+\)$"
    for run in (lambda: grad(f)(X), lambda: jvp(f, X, X), lambda: grad(grad(f))(X)):
        with pytest.raises(NotDifferentiable, match=words):
            run()

    def own(x):
        raise ValueError("of the user's own")

    with pytest.raises(ValueError, match="of the user's own"):
        grad(own)(X)


def test_numbers_are_rebound():
    def f(x):
        total = 0.0
        for row in x:
            total += row[0] * row[1]
        total *= 2.0
        return total

    np.testing.assert_array_equal(grad(f)(X)[:, 0], 2 * X[:, 1])


def test_python_numbers_are_refused():
    for f in (float, int, complex, lambda x: x.item(), lambda x: x.tolist()):
        with pytest.raises(NotDifferentiable, match="which a Python number would lose"):
            grad(lambda x, f=f: f(x[0, 0]))(X)


def test_a_function_without_a_rule_is_named():
    with pytest.raises(NotDifferentiable, match="differential") as error:
        grad(lambda x: np.linalg.cond(x @ x.T))(X)
    assert "numpy.linalg.cond has no derivative rule (arguments of shape (3, 3))" in str(
        error.value
    )
    with pytest.raises(NotDifferentiable, match=r"argument 0 of numpy.where"):
        grad(lambda x: np.sum(np.where(x, 1.0, 2.0)))(X)
    with pytest.raises(NotDifferentiable, match=r"numpy.modf has no derivative rule"):
        grad(lambda x: np.modf(x)[0].sum())(X)
    with pytest.raises(NotDifferentiable, match=r"numpy.exp with where="):
        grad(lambda x: np.sum(np.exp(x, where=X > 1)))(X)


def test_a_transform_of_fourier_is_refused_and_what_is_advised_works():
    k = np.array([1.0, 2.0 - 1.0j, 0.5])

    def spectrum(x):
        C, S = np.fft.rfft(np.eye(4)).real, np.fft.rfft(np.eye(4)).imag
        return np.hypot(x @ C, x @ S)

    def filtered(x):
        return x @ np.fft.irfft(np.fft.rfft(np.eye(4)) * k, 4)

    for f in (lambda x: abs(np.fft.rfft(x)), lambda x: np.fft.irfft(np.fft.rfft(x) * k)):
        for run in (lambda f=f: jvp(f, X, X), lambda f=f: grad(lambda x: np.sum(f(x)))(X)):
            with pytest.raises(NotDifferentiable, match=r"fft has no .* complex, .* np.hypot\(x @"):
                run()
    np.testing.assert_allclose(jvp(spectrum, X, X)[0], abs(np.fft.rfft(X)))
    np.testing.assert_allclose(jvp(filtered, X, X)[0], np.fft.irfft(np.fft.rfft(X) * k))


def test_new_arrays_are_constants():
    def f(x):
        zeros = np.zeros((3, 4), like=x)
        full = np.full((3, 4), 2.0, like=x)
        full[0] = 1.0
        filled = np.full_like(x, x[0, 0])
        return np.sum((np.ones_like(x) + zeros + full) * x) + np.sum(filled)

    expected = np.full((3, 4), 3.0)
    expected[0] = 2.0
    expected[0, 0] += 12.0
    np.testing.assert_array_equal(grad(f)(X), expected)
    assert grad(lambda x: np.full(2, x[0], like=x).sum())(np.ones(3, np.float32)).dtype == "f4"


@pytest.mark.parametrize("differentiated", [grad, lambda f: lambda x: jvp(f, x, x)])
def test_a_result_of_an_inner_differentiation_is_refused(differentiated):
    """It is of a graph that is gone: its gradient would be zero."""
    kept = []

    def inner(y):
        kept.append(np.sum(y * y))
        return kept[-1]

    def f(x):
        grad(inner)(x)
        return kept[-1] * 2.0

    with pytest.raises(NotDifferentiable, match=r"a differentiation (inside f )?that has ended"):
        differentiated(f)(X)


def test_results_are_arrays():
    for f in (lambda x: None, lambda x: (row for row in x), lambda x: [x, {"a": "b"}]):
        with pytest.raises(TypeError, match=r"the result.* f returns a number or an array"):
            jvp(f, X, X)
        with pytest.raises(TypeError, match=r"the result.* f returns a number or an array"):
            vjp(f, X)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.sum(x, 1, None, np.zeros(3, like=x)), "numpy.sum with 4 arguments by"),
        (lambda x: np.mean(x, 1, None, np.zeros(3)), "numpy.mean with 4 arguments by"),
        (lambda x: np.dot(x, X.T, np.zeros((3, 3))), "numpy.dot with 3 arguments by"),
        (lambda x: np.arange(x[0, 0], 5.0, like=x), "numpy.arange from or to a traced number"),
        (lambda x: x * np.ma.array(X, mask=X > 1), "numpy.multiply .* MaskedArray"),
        (lambda x: x * 1j, "numpy.multiply .* complex128"),
        (lambda x: x * np.ones(4, object), "numpy.multiply .* array of object"),
    ],
)
def test_both_modes_name_what_they_refuse(f, words):
    for run in (lambda: jvp(f, X, X), lambda: grad(lambda x: np.sum(f(x)))(X)):
        with pytest.raises(NotDifferentiable, match=words):
            run()


def test_a_method_without_a_derivative_says_what_to_do():
    with pytest.raises(
        AttributeError, match=r"a Variable has no partition, which arrays have.*rules/"
    ):
        grad(lambda x: x.partition(1))(X)
    with pytest.raises(AttributeError, match=r"a Dual has no softmax$"):
        jvp(lambda x: x.softmax(), X, X)

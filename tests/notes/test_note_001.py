"""Note 001 (backpropagation: what a gradient tells, the chain rule, local gradients)."""

import numpy as np
import pytest

from lamina.autodiff import jvp, numeric_gradient
from lamina.layers import Addition, Maximum, Multiplication, Sigmoid

X_AXIS, Y_AXIS = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def by_duals(gate, x, y):
    """[∂f/∂x, ∂f/∂y] of a gate of two inputs, in forward mode."""
    at = np.array([x, y], float)

    def f(v):
        return gate.forward(v[0], v[1])

    return [jvp(f, at, X_AXIS)[1], jvp(f, at, Y_AXIS)[1]]


# II. Simple expressions and interpretation of the gradient -----------------------------------


def test_gradient_is_the_vector_of_partial_derivatives():
    """Note 001, II: ∇f = [∂f/∂x, ∂f/∂y] = [y, x] for f = xy, by every means there is."""
    gate = Multiplication()
    gate.forward(6.0, 7.0)
    assert gate.backward(1.0) == (7.0, 6.0)
    assert by_duals(gate, 6.0, 7.0) == [7.0, 6.0]
    differences = numeric_gradient(lambda v: v[0] * v[1], np.array([6.0, 7.0]))
    np.testing.assert_allclose(differences, [7.0, 6.0], rtol=1e-8)


def test_example_1_multiplication():
    """Note 001, II, example (1): f = xy = -12 at x = 4, y = -3; the gradient is [-3, 4]."""
    gate = Multiplication()
    assert gate.forward(4, -3) == -12
    assert gate.backward(1) == (-3, 4)
    assert by_duals(gate, 4, -3) == [-3, 4]


@pytest.mark.parametrize("h", [1, 0.5, -2])
def test_example_1_what_the_gradient_of_a_product_tells(h):
    """Note 001, II: x + h moves f by -3h, y + h by 4h; exactly so, for xy is linear in each."""
    gate = Multiplication()
    f = gate.forward(4, -3)
    dx, dy = gate.backward(1)
    assert gate.forward(4 + h, -3) - f == h * dx == -3 * h
    assert gate.forward(4, -3 + h) - f == h * dy == 4 * h


def test_example_2_addition():
    """Note 001, II, example (2): both derivatives of x + y are 1, and f moves one to one."""
    gate = Addition()
    f = gate.forward(4, -3)
    assert gate.backward(1) == (1, 1)
    assert by_duals(gate, 4, -3) == [1, 1]
    assert gate.forward(4 + 0.25, -3) - f == gate.forward(4, -3 + 0.25) - f == 0.25


@pytest.mark.parametrize(
    ("x", "y", "gradient"),
    [(4, -3, (1, 0)), (-3, 4, (0, 1)), (2, 2, (1, 1))],
    ids=["x larger", "y larger", "tie"],
)
def test_example_3_max(x, y, gradient):
    """Note 001, II, example (3): 1 for the larger input, 0 for the smaller, 1 for both at a tie."""
    gate = Maximum()
    assert gate.forward(x, y) == max(x, y)
    assert gate.backward(1) == gradient


def test_example_3_max_what_the_gradients_tell():
    """Note 001, II, example (3): f follows the larger input one to one, and not the smaller."""
    gate = Maximum()
    f = gate.forward(4, -3)
    assert (gate.forward(4 + 0.5, -3) - f, gate.forward(4, -3 + 0.5) - f) == (0.5, 0.0)
    assert by_duals(gate, 4, -3) == [1, 0]


def test_example_3_max_at_a_tie_the_rules_of_forward_mode_share():
    """Note 001, II, example (3): where x = y no derivative exists, so conventions may differ.

    The gate follows the note, and both inputs get 1; np.maximum in forward mode gives each half,
    so that moving both inputs at once moves the maximum once.
    """
    assert by_duals(Maximum(), 2, 2) == [0.5, 0.5]
    both = jvp(lambda v: np.maximum(v[0], v[1]), np.array([2.0, 2.0]), np.ones(2))[1]
    assert both == 1.0


def test_interpretation_f_of_x_plus_h_is_f_plus_h_times_its_derivative():
    """Note 001, II: f(x + h) = f(x) + h f'(x), up to a remainder of h² f''(x) / 2."""

    def f(x):
        return np.sin(x) * np.exp(x) + x**3

    def derivative(x):
        return jvp(f, x, np.ones_like(x))[1]

    x = np.array([0.3, 1.0, -1.2])
    value, slope = jvp(f, x, np.ones_like(x))
    curvature = jvp(derivative, x, np.ones_like(x))[1]
    np.testing.assert_allclose(slope, np.exp(x) * (np.sin(x) + np.cos(x)) + 3 * x**2, rtol=1e-13)
    for h in (1e-2, 1e-3, 1e-4):
        remainder = f(x + h) - (value + h * slope)
        np.testing.assert_allclose(remainder / h**2, curvature / 2, rtol=2 * h, atol=2 * h)


# III. Compound expressions with the chain rule ------------------------------------------------


def test_compound_expression_the_example_code():
    """Note 001, III, example code, with its names: x = -2, y = 5, z = -4.

    The note's comments say that dfdx and dfdy are 1.0; that is dqdx and dqdy. They are -4.
    """
    x, y, z = -2, 5, -4
    plus, times = Addition(), Multiplication()
    q = plus.forward(x, y)
    f = times.forward(q, z)
    dfdq, dfdz = times.backward(1)
    dqdx, dqdy = plus.backward(1)
    dfdx, dfdy = plus.backward(dfdq)
    assert (q, f) == (3, -12)
    assert (dfdz, dfdq) == (3, -4)
    assert (dqdx, dqdy) == (1, 1)
    assert (dfdx, dfdy) == (dfdq * dqdx, dfdq * dqdy) == (-4, -4)


def test_compound_expression_in_forward_mode():
    """Note 001, III: df/dx, df/dy, df/dz of (x + y) z, q being the link of the chain."""
    at = np.array([-2.0, 5.0, -4.0])
    dq, df = [], []
    for unit in np.eye(3):
        dq.append(jvp(lambda v: v[0] + v[1], at, unit)[1])
        df.append(jvp(lambda v: (v[0] + v[1]) * v[2], at, unit)[1])
    assert dq == [1, 1, 0]
    assert df == [-4, -4, 3]


# IV. Intuitive understanding of backpropagation -----------------------------------------------


@pytest.mark.parametrize("gate", [Addition, Multiplication, Maximum])
@pytest.mark.parametrize("upstream", [1, 7, -2])
def test_gradient_of_the_final_output_is_upstream_times_local(gate, upstream):
    """Note 001, IV: [∂L/∂z · ∂z/∂x, ∂L/∂z · ∂z/∂y]; the local part knows nothing of the graph."""
    node = gate()
    local = by_duals(gate(), 4, -3)
    node.forward(4, -3)
    assert list(node.backward(upstream)) == [upstream * partial for partial in local]


def test_one_forward_pass_and_one_backward_pass():
    """Note 001, IV: in L = (x y) max(x, y) each node is visited once each way, x and y used twice.

    Where the paths of x meet again, their gradients add up: L = x² y for x > y.
    """
    product, largest, last = Multiplication(), Maximum(), Multiplication()
    x, y = 4, -3
    assert last.forward(product.forward(x, y), largest.forward(x, y)) == x * x * y
    dproduct, dlargest = last.backward(1)
    (dx1, dy1), (dx2, dy2) = product.backward(dproduct), largest.backward(dlargest)
    assert (dx1 + dx2, dy1 + dy2) == (2 * x * y, x * x)


# V. Modularity: sigmoid example ----------------------------------------------------------------


def test_modularity_the_sigmoid_gate_stands_for_four_simple_gates():
    """Note 001, V (which breaks off at its title): 1 / (1 + exp(-x)) as negate, exp, + 1, 1/x.

    By the chain rule from the back, at x = 1: -0.53, -0.53, -0.20, 0.20 (the course's numbers).
    """
    x = np.array(1.0)
    negated = -x
    exponential = np.exp(negated)
    denominator = exponential + 1.0
    f = 1.0 / denominator
    d_denominator = -1.0 / denominator**2
    d_exponential = d_denominator * 1.0
    d_negated = d_exponential * exponential
    dx = d_negated * -1.0
    steps = [d_denominator, d_exponential, d_negated, dx]
    assert [round(float(step), 2) for step in steps] == [-0.53, -0.53, -0.20, 0.20]

    gate = Sigmoid()
    assert gate.forward(x) == pytest.approx(f)
    assert gate.backward(1.0) == pytest.approx(dx)
    assert jvp(gate.forward, x, np.array(1.0))[1] == pytest.approx(dx)

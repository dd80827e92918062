"""Param, State and what Layer does for all layers."""

import numpy as np
import pytest

from lamina.autodiff import Dual, new_level
from lamina.layers import Affine, Layer, Param, State
from lamina.layers.errors import GradientError


def test_the_first_gradient_is_taken_over_and_the_next_are_added():
    param = Param(np.zeros(3))
    first = np.ones(3)
    param.accumulate(first)
    assert param.grad is first
    param.accumulate(np.array([1.0, 2.0, 3.0]))
    assert param.grad.tolist() == [2.0, 3.0, 4.0]
    assert first.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("gradient", "words"),
    [
        (np.zeros((2, 3), np.float32), r"\(3,\) float32; got \(2, 3\) float32"),
        (np.zeros(3), r"\(3,\) float32; got \(3,\) float64"),
    ],
)
def test_a_gradient_of_another_shape_or_dtype_is_refused(gradient, words):
    param = Param(np.zeros(3, np.float32))
    with pytest.raises(GradientError, match=words):
        param.accumulate(gradient)
    assert param.grad is None


@pytest.mark.parametrize("data", [np.arange(3), [1.0, 2.0], 1.0])
def test_a_param_is_a_floating_array(data):
    with pytest.raises(TypeError, match="Param: expects a floating-point array"):
        Param(data)


def test_a_state_strips_derivatives_and_keeps_its_shape():
    state = State(np.zeros(2))
    state.update(Dual(np.ones(2), np.ones(2), new_level()))
    assert type(state.data) is np.ndarray
    with pytest.raises(ValueError, match=r"keeps its shape and dtype, \(2,\) float64"):
        state.update(np.ones(3))
    with pytest.raises(ValueError, match=r"got .* float32"):
        state.update(np.ones(2, np.float32))


class Pair(Layer):
    def __init__(self):
        self.left = Affine(2, 2, rng=0)
        self.others = [Affine(2, 2, rng=1), {"deep": Affine(2, 2, rng=2)}]
        self.scale = Param(np.ones(1))
        self.mean = State(np.zeros(1))
        self.again = self.left


def test_parameters_are_found_in_attributes_lists_and_dicts_in_order_and_once():
    assert list(Pair().parameters()) == [
        *("left.W", "left.b", "others.0.W", "others.0.b"),
        *("others.1.deep.W", "others.1.deep.b", "scale"),
    ]


def test_state_holds_parameters_and_states_as_copies():
    pair = Pair()
    state = pair.state()
    assert "mean" in state
    state["scale"][0] = 5.0
    assert pair.scale.data[0] == 1.0


def test_the_mode_reaches_every_layer_held():
    pair = Pair()
    pair.set_training(False)
    assert not pair.others[1]["deep"].training
    pair.set_training(True)
    assert pair.others[1]["deep"].training


def test_a_twin_shares_what_is_learned_and_nothing_else():
    pair = Pair()
    twin = pair.twin()
    assert twin.left is not pair.left
    assert twin.left.W is pair.left.W
    assert twin.mean is pair.mean
    pair.left.forward(np.ones((1, 2), np.float32))
    assert not hasattr(twin.left, "X")


def test_what_a_layer_has_not_written_says_so():
    with pytest.raises(NotImplementedError, match="Layer has no forward"):
        Layer().forward(np.ones(1))
    with pytest.raises(NotImplementedError, match="Layer has no backward"):
        Layer().backward(np.ones(1))

"""Where no derivative exists, and where a gradient is zero, the check claims nothing."""

import numpy as np
import pytest

from lamina.layers import Affine, Layer, Relu, SVMLoss
from lamina.layers.check import check_layer


def test_at_a_kink_it_says_undecidable_and_moves_off():
    X = np.array([[0.0, 1.0, -1.0], [2.0, 0.0, -3.0]])
    report = check_layer(Relu(), X)
    assert report.passed
    assert "undecidable here" in str(report)


def test_a_wrong_gradient_is_no_kink():
    class Wrong(Relu):
        def backward(self, dout):
            return 2.0 * dout * self.mask

    report = check_layer(Wrong(), np.array([[0.0, 1.0, -1.0]]))
    assert not report.passed
    assert "2 times" in str(report)


def test_a_tie_in_a_margin_is_undecidable():
    scores = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 5.0]])  # differences of exactly the margin 1
    report = check_layer(SVMLoss(), scores, np.array([0, 1]))
    assert report.passed
    assert "undecidable here" in str(report)


def test_a_jump_everywhere_is_a_failure():
    class Noise(Layer):
        """Jumps between any two points, however near."""

        def forward(self, X):
            return np.sign(np.sin(X * 1e12)) + X

        def backward(self, dout):
            return dout

    report = check_layer(Noise(), np.random.default_rng(3).standard_normal((4, 5)))
    assert not report.passed
    assert "kink or a jump" in str(report)


def test_zero_gradients_are_no_proof():
    report = check_layer(Relu(), -np.ones((3, 4)))
    assert not report.passed
    assert not report.failures
    assert str(report).startswith("Relu: PROVED NOTHING about dX")


def test_a_layer_without_anything_to_differentiate_is_no_proof():
    class Count(Layer):
        def forward(self, X):
            return X + 1

        def backward(self, dout):
            return dout

    report = check_layer(Count(), np.arange(3))
    assert not report.passed
    assert "PROVED NOTHING" in str(report)


def test_float32_layers_and_inputs_are_checked_in_float64():
    X = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    report = check_layer(Affine(5, 3, rng=0), X)
    assert report.passed, report


@pytest.mark.parametrize("seed", range(3))
def test_many_entries_near_kinks_are_no_failure(seed):
    X = np.random.default_rng(seed).standard_normal((300, 300))
    report = check_layer(Relu(), X, seed=seed)
    assert report.passed, report


def test_what_is_no_layer_is_told_so():
    class Plain:
        def forward(self, X):
            return X

    report = check_layer(Plain(), np.ones((2, 2)))
    assert not report.passed
    assert "class Name(Layer)" in str(report)

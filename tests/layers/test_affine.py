"""Affine: note 000's self-check 1 and note 004's section 1.2.1."""

import numpy as np
import pytest

from lamina.layers import Affine, ShapeError
from lamina.layers.initializers import he_normal


def test_the_gradients_of_the_notes_by_hand():
    """dX = dout Wᵀ, dW = Xᵀ dout, db = the column sums of dout, in whole numbers."""
    layer = Affine(3, 2, rng=0, dtype=np.float64)
    layer.W.data = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    layer.b.data = np.array([10.0, 20.0])
    X = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
    assert layer.forward(X).tolist() == [[21.0, 34.0], [18.0, 30.0]]
    dX = layer.backward(np.array([[1.0, 0.0], [1.0, -1.0]]))
    assert dX.tolist() == [[1.0, 3.0, 5.0], [-1.0, -1.0, -1.0]]
    assert layer.W.grad.tolist() == [[1.0, 0.0], [1.0, -1.0], [3.0, -1.0]]
    assert layer.b.grad.tolist() == [2.0, -1.0]


def test_a_single_sample_and_a_sequence_are_rows_of_a_batch():
    layer = Affine(4, 3, rng=0)
    X = np.random.default_rng(0).standard_normal((2, 5, 4)).astype(np.float32)
    rows = layer.forward(X.reshape(10, 4))
    np.testing.assert_allclose(layer.forward(X), rows.reshape(2, 5, 3), rtol=1e-6)
    np.testing.assert_allclose(layer.forward(X[0, 0]), rows[0], rtol=1e-6)
    assert layer.backward(np.ones(3, np.float32)).shape == (4,)
    assert layer.W.grad.shape == (4, 3)


def test_without_a_bias_there_is_the_product_alone():
    layer = Affine(3, 2, bias=False, rng=0, dtype=np.float64)
    X = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_array_equal(layer.forward(X), X @ layer.W.data)
    layer.backward(np.ones((4, 2)))
    assert list(layer.parameters()) == ["W"]
    with_bias = Affine(3, 2, rng=0, dtype=np.float64)
    np.testing.assert_array_equal(with_bias.W.data, layer.W.data)
    np.testing.assert_array_equal(with_bias.forward(X), layer.forward(X))


def test_shapes_are_inferred_and_checked():
    layer = Affine(4, 3, rng=0)
    assert Affine.infer((4,)) == {"n_in": 4}
    assert layer.output_shape((4,)) == (3,)
    with pytest.raises(ShapeError, match=r"Affine: expects \(..., 4\), got \(2, 5\)"):
        layer.forward(np.ones((2, 5), np.float32))
    with pytest.raises(ValueError, match="at least 1, got 0 and 3"):
        Affine(0, 3, rng=0)


def test_he_initialisation_has_its_variance():
    W = he_normal((500, 400), np.random.default_rng(0))
    assert W.dtype == np.float32
    assert abs(W.var() * 500 / 2 - 1) < 0.02
    kernel = he_normal((16, 3, 3, 200), np.random.default_rng(0))
    assert abs(kernel.var() * 144 / 2 - 1) < 0.05

"""LayerNormalization and GroupNormalization: what they make of numbers, and their errors."""

import numpy as np
import pytest

from lamina.layers import GroupNormalization, LayerNormalization, RMSNormalization, ShapeError


def test_a_sample_known_by_hand():
    """Mean 3 and variance 4: (X - 3) / 2."""
    layer = LayerNormalization(2, eps=1e-12, dtype=np.float64)
    np.testing.assert_allclose(layer.forward(np.array([[1.0, 5.0]])), [[-1.0, 1.0]])
    layer.gamma.data, layer.beta.data = np.array([2.0, 3.0]), np.array([10.0, 20.0])
    np.testing.assert_allclose(layer.forward(np.array([[1.0, 5.0]])), [[8.0, 23.0]])
    # Two values are always -1 and 1 afterwards, so no change of X reaches Y.
    dX = layer.backward(np.array([[1.0, -4.0]]))
    np.testing.assert_allclose(dX, [[0.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(layer.gamma.grad, [-1.0, -4.0])
    np.testing.assert_allclose(layer.beta.grad, [1.0, -4.0])


@pytest.mark.parametrize(("shape", "axes"), [(4, -1), ((3, 4), (-2, -1)), ((2, 3, 4), (1, 2, 3))])
def test_layer_normalisation_gives_mean_0_and_deviation_1(shape, axes):
    layer = LayerNormalization(shape)
    X = np.random.default_rng(0).normal(7.0, 3.0, (5, 2, 3, 4)).astype(np.float32)
    Y = layer.forward(X)
    assert Y.dtype == np.float32
    np.testing.assert_allclose(Y.mean(axis=axes), 0.0, atol=1e-5)
    np.testing.assert_allclose(Y.std(axis=axes), 1.0, rtol=1e-4)


def test_samples_do_not_mix():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 6, 3))
    for layer in (LayerNormalization((6, 3)), GroupNormalization(2, 6)):
        Y = layer.forward(X)
        np.testing.assert_allclose(layer.forward(X[2:3]), Y[2:3])
        layer.set_training(False)
        np.testing.assert_array_equal(layer.forward(X), Y)


def test_groups_of_channels():
    layer = GroupNormalization(2, 4, dtype=np.float64)
    layer.gamma.data, layer.beta.data = np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 5.0)
    X = np.random.default_rng(0).normal(-2.0, 3.0, (3, 4, 5, 6))
    groups = X.reshape(3, 2, -1)
    x_hat = (groups - groups.mean(axis=2, keepdims=True)) / np.sqrt(
        groups.var(axis=2, keepdims=True) + 1e-5
    )
    expected = x_hat.reshape(X.shape) * np.array([1.0, 2.0, 3.0, 4.0])[:, None, None] + 5.0
    np.testing.assert_allclose(layer.forward(X), expected)


def test_one_group_is_layer_normalisation():
    X = np.random.default_rng(0).standard_normal((3, 4, 5, 6))
    of_group, of_layer = GroupNormalization(1, 4), LayerNormalization((4, 5, 6))
    np.testing.assert_allclose(of_group.forward(X), of_layer.forward(X), rtol=1e-6)


def test_images_that_lie_channels_last_stay_so():
    X = np.random.default_rng(0).standard_normal((2, 5, 6, 4)).transpose(0, 3, 1, 2)
    layer = GroupNormalization(2, 4, dtype=np.float64)
    Y = layer.forward(X)
    assert Y.transpose(0, 2, 3, 1).flags["C_CONTIGUOUS"]
    assert layer.backward(Y).transpose(0, 2, 3, 1).flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (LayerNormalization(4), (2, 3), r"LayerNormalization: expects \(..., 4\), got \(2, 3\)"),
        (LayerNormalization((3, 4)), (2, 4), r"expects \(..., 3, 4\), got \(2, 4\)"),
        (GroupNormalization(2, 4), (2, 3, 5), r"expects \(N, 4, ...\), got \(N, 3, 5\)"),
    ],
)
def test_inputs_that_do_not_fit(layer, shape, words):
    with pytest.raises(ShapeError, match=words):
        layer.forward(np.ones(shape, np.float32))


def test_settings_that_do_not_work():
    for wrong in (0, (), (3, 0)):
        with pytest.raises(ValueError, match="n_features >= 1, or a shape of such numbers"):
            LayerNormalization(wrong)
    with pytest.raises(ValueError, match=r"eps > 0; got 4, 0\.0"):
        LayerNormalization(4, eps=0.0)
    for wrong in ((3, 4), (0, 4), (2, 0)):
        with pytest.raises(ValueError, match="n_groups must divide n_channels"):
            GroupNormalization(*wrong)
    with pytest.raises(ValueError, match="eps be > 0"):
        GroupNormalization(2, 4, eps=-1.0)


def test_inference():
    assert LayerNormalization.infer((7, 5)) == {"n_features": 5}
    assert LayerNormalization(5).output_shape((7, 5)) == (7, 5)
    assert GroupNormalization.infer((6, 8, 8)) == {"n_channels": 6}
    assert GroupNormalization(3, 6).output_shape((6, 8, 8)) == (6, 8, 8)


def test_rms_normalisation_divides_by_the_root_of_the_mean_square():
    """Of 1 and 7 it is 5."""
    layer = RMSNormalization(2, eps=1e-12, dtype=np.float64)
    np.testing.assert_allclose(layer.forward(np.array([[1.0, 7.0]])), [[0.2, 1.4]])
    layer.gamma.data = np.array([5.0, 10.0])
    np.testing.assert_allclose(layer.forward(np.array([[1.0, 7.0]])), [[1.0, 14.0]])
    assert layer.forward(np.zeros((3, 2))).tolist() == [[0, 0]] * 3
    assert RMSNormalization((3, 4)).output_shape((2, 3, 4)) == (2, 3, 4)
    assert RMSNormalization.infer((7, 5)) == {"n_features": 5}
    with pytest.raises(ShapeError, match=r"RMSNormalization: expects \(..., 2\), got \(3, 4\)"):
        layer.forward(np.ones((3, 4)))
    for arguments in ((0,), ((3, 0),), ((),)):
        with pytest.raises(ValueError, match=r"RMSNormalization: expects n_features >= 1"):
            RMSNormalization(*arguments)
    with pytest.raises(ValueError, match="eps > 0"):
        RMSNormalization(2, eps=0.0)

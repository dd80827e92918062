"""The two-layer net of note 004: its params, its gradients, its training loop."""

import numpy as np
import pytest

from lamina.layers import Affine, Relu, ShapeError, SoftmaxWithLoss
from lamina.layers.check import check_layer
from lamina.nets import TwoLayerNet
from lamina.optimizers import SGD


@pytest.fixture
def net():
    return TwoLayerNet(5, 4, 3, rng=0)


def in_float64(net):
    for param in net.parameters().values():
        param.data = param.data.astype(np.float64)
    return net


def batch(dtype=np.float32, n=6):
    rng = np.random.default_rng(1)
    return rng.standard_normal((n, 5)).astype(dtype), rng.integers(0, 3, n)


def test_its_layers_are_those_of_the_note(net):
    assert list(net.layers) == ["Affine1", "Relu", "Affine2"]
    assert [type(layer) for layer in net.layers.values()] == [Affine, Relu, Affine]
    assert net.last_layer is net.loss_layer
    assert isinstance(net.last_layer, SoftmaxWithLoss)
    assert list(net.parameters()) == ["Affine1.W", "Affine1.b", "Affine2.W", "Affine2.b"]


def test_params_are_the_arrays_of_the_layers_in_the_order_of_the_note(net):
    assert list(net.params) == ["W1", "b1", "W2", "b2"]
    assert len(net.params) == 4
    assert [array.shape for array in net.params.values()] == [(5, 4), (4,), (4, 3), (3,)]
    assert net.params["W1"] is net.layers["Affine1"].W.data
    assert net.params["b1"] is net.layers["Affine1"].b.data
    assert net.params["W2"] is net.layers["Affine2"].W.data
    assert net.params["b2"] is net.layers["Affine2"].b.data
    assert "W1" in net.params
    assert "W3" not in net.params


def test_setting_an_array_sets_the_net(net):
    X, _ = batch()
    net.params["W2"] = np.zeros((4, 3))
    net.params["b2"] = np.array([1.0, 2.0, 3.0])
    assert net.layers["Affine2"].W.data is net.params["W2"]
    assert net.params["W2"].dtype == net.params["b2"].dtype == np.float32
    assert net.predict(X).tolist() == [[1.0, 2.0, 3.0]] * 6


def test_changes_in_place_change_the_net(net):
    array, W = net.params["W1"], net.layers["Affine1"].W
    before = array.copy()
    net.params["W1"] -= np.float32(0.5)
    assert net.params["W1"] is array is W.data
    np.testing.assert_array_equal(array, before - np.float32(0.5))
    net.params["b1"][2] = 7.0
    assert net.layers["Affine1"].b.data.tolist() == [0.0, 0.0, 7.0, 0.0]


def test_params_follow_a_state_that_is_loaded(net):
    other = TwoLayerNet(5, 4, 3, rng=1)
    assert (net.params["W1"] != other.params["W1"]).all()
    net.load_state(other.state())
    for name in net.params:
        np.testing.assert_array_equal(net.params[name], other.params[name])


@pytest.mark.parametrize("name", ["W3", "w1", "Affine1.W", 1])
def test_other_names_are_no_params(net, name):
    with pytest.raises(KeyError, match=str(name)):
        _ = net.params[name]
    with pytest.raises(KeyError, match=f"{name}: the parameters are W1, b1, W2, b2"):
        net.params[name] = np.zeros((5, 4))
    assert list(net.params) == ["W1", "b1", "W2", "b2"]


@pytest.mark.parametrize("shape", [(4, 5), (5, 1), (4,), (), (1, 5, 4)])
def test_an_array_of_another_shape_is_refused(net, shape):
    before = net.params["W1"]
    with pytest.raises(ValueError, match=r"W1: expects shape \(5, 4\), got \(") as raised:
        net.params["W1"] = np.zeros(shape)
    assert str(raised.value).endswith(str(shape))
    assert net.params["W1"] is before


def test_params_cannot_be_deleted(net):
    with pytest.raises(TypeError, match="the parameters of a net cannot be deleted"):
        del net.params["W1"]
    with pytest.raises(TypeError, match="cannot be deleted"):
        net.params.clear()
    assert len(net.params) == 4


def test_gradients_have_the_names_of_params(net):
    gradients = net.gradient(*batch())
    assert list(gradients) == ["W1", "b1", "W2", "b2"]
    for name, gradient in gradients.items():
        assert gradient.shape == net.params[name].shape
        assert gradient.dtype == np.float32
    assert gradients["W1"] is net.layers["Affine1"].W.grad
    assert gradients["b2"] is net.layers["Affine2"].b.grad


def test_gradients_are_the_central_differences_of_the_loss():
    net = in_float64(TwoLayerNet(5, 4, 3, weight_init_std=1.0, rng=0))
    X, t = batch(np.float64)
    gradients = {name: array.copy() for name, array in net.gradient(X, t).items()}
    for name, gradient in gradients.items():
        for place in np.ndindex(gradient.shape):
            net.params[name][place] += 1e-6
            ahead = net.loss(X, t)
            net.params[name][place] -= 2e-6
            behind = net.loss(X, t)
            net.params[name][place] += 1e-6
            assert abs((ahead - behind) / 2e-6 - gradient[place]) < 1e-8


def test_a_frozen_parameter_has_no_gradient(net):
    net.layers["Affine1"].b.trainable = False
    assert list(net.gradient(*batch())) == ["W1", "W2", "b2"]


def test_it_keeps_the_contract_of_a_layer():
    net = in_float64(TwoLayerNet(5, 4, 3, weight_init_std=0.5, rng=0))
    report = check_layer(net, np.random.default_rng(2).standard_normal((6, 5)))
    assert report.passed, report
    assert report.proved == {
        *("dX", "Affine1.W.grad", "Affine1.b.grad", "Affine2.W.grad", "Affine2.b.grad")
    }


@pytest.mark.parametrize("std", [0.01, 0.5])
def test_weights_start_with_the_deviation_asked_for_and_biases_at_0(std):
    net = TwoLayerNet(300, 200, 100, weight_init_std=std, rng=0)
    for name in ("W1", "W2"):
        assert net.params[name].dtype == np.float32
        assert net.params[name].std() == pytest.approx(std, rel=0.02)
        assert abs(net.params[name].mean()) < 0.02 * std
    assert not net.params["b1"].any()
    assert not net.params["b2"].any()
    assert (net.params["W1"].ravel()[:100] != net.params["W2"].ravel()[:100]).all()


def test_the_deviation_is_0_01_unless_given():
    assert TwoLayerNet(300, 200, 10, rng=0).params["W1"].std() == pytest.approx(0.01, rel=0.02)


def test_the_seed_decides_the_weights():
    first, again, other = (TwoLayerNet(5, 4, 3, rng=seed).params["W1"] for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_the_training_loop_of_the_note_is_sgd_to_the_bit():
    X, t = batch(n=30)
    ours, theirs = (TwoLayerNet(5, 4, 3, weight_init_std=0.5, rng=0) for _ in range(2))
    optimizer = SGD(theirs.parameters(), lr=0.1)
    before = float(ours.loss(X, t))
    for _ in range(50):
        gradients = ours.gradient(X, t)
        for key in ("W1", "b1", "W2", "b2"):
            ours.params[key] -= 0.1 * gradients[key]
        theirs.gradient(X, t)
        optimizer.step()
    for name in ours.params:
        np.testing.assert_array_equal(ours.params[name], theirs.params[name])
    assert ours.loss(X, t) < before - 0.1


def test_an_input_of_another_size_names_the_layer(net):
    with pytest.raises(ShapeError, match=r"Affine1 \(Affine\): expects \(..., 5\), got \(6, 7\)"):
        net.predict(np.ones((6, 7), np.float32))

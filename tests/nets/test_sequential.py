"""The chain of layers: names, modes, twins, gradients, errors."""

from collections import OrderedDict

import numpy as np
import pytest

from lamina.layers import (
    Affine,
    BatchNormalization,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    Relu,
    ShapeError,
    Slice,
    SoftmaxWithLoss,
)
from lamina.layers.check import check_layer
from lamina.nets import Sequential


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def small_net(rng, **settings):
    return Sequential(
        OrderedDict(
            affine1=Affine(5, 4, rng=rng, dtype=np.float64),
            relu1=Relu(),
            affine2=Affine(4, 3, rng=rng, dtype=np.float64),
        ),
        **settings,
    )


def test_a_chain_is_a_layer_and_keeps_the_contract(rng):
    report = check_layer(small_net(rng), rng.standard_normal((6, 5)))
    assert report.passed, report
    assert report.proved == {
        *("dX", "affine1.W.grad", "affine1.b.grad", "affine2.W.grad", "affine2.b.grad")
    }


def test_nets_nest(rng):
    inner = Sequential({"affine": Affine(4, 4, rng=rng, dtype=np.float64), "relu": Relu()})
    net = Sequential(
        {
            "first": Affine(5, 4, rng=rng, dtype=np.float64),
            "block": inner,
            "last": Affine(4, 2, rng=rng, dtype=np.float64),
        }
    )
    assert list(net.parameters())[2:4] == ["block.affine.W", "block.affine.b"]
    assert check_layer(net, rng.standard_normal((6, 5))).passed
    assert net.output_shape((5,)) == (2,)


def test_gradient_gives_every_parameters_gradient_by_name(rng):
    net = small_net(rng, loss=SoftmaxWithLoss())
    X, t = rng.standard_normal((6, 5)), rng.integers(0, 3, 6)
    gradients = net.gradient(X, t)
    assert list(gradients) == ["affine1.W", "affine1.b", "affine2.W", "affine2.b"]
    W = net.layers["affine1"].W
    assert gradients["affine1.W"] is W.grad
    W.data[1, 2] += 1e-6
    ahead = net.loss(X, t)
    W.data[1, 2] -= 2e-6
    behind = net.loss(X, t)
    assert abs((ahead - behind) / 2e-6 - gradients["affine1.W"][1, 2]) < 1e-7


def test_gradient_starts_afresh_and_backward_adds_up(rng):
    net = small_net(rng, loss=SoftmaxWithLoss())
    X, t = rng.standard_normal((6, 5)), rng.integers(0, 3, 6)
    once = net.gradient(X, t)["affine1.W"].copy()
    np.testing.assert_array_equal(net.gradient(X, t)["affine1.W"], once)
    net.loss(X, t)
    net.backward()
    np.testing.assert_allclose(net.layers["affine1"].W.grad, 2 * once)


def test_backward_returns_the_gradient_of_the_input_unless_it_is_not_wanted(rng):
    net = small_net(rng, loss=SoftmaxWithLoss())
    X, t = rng.standard_normal((6, 5)), rng.integers(0, 3, 6)
    net.loss(X, t)
    assert net.backward().shape == X.shape
    net.needs_dX = False
    net.loss(X, t)
    assert net.backward() is None


def test_backward_stops_at_the_lowest_layer_that_learns(rng):
    class Watched(Relu):
        visits = 0

        def backward(self, dout):
            type(self).visits += 1
            return super().backward(dout)

    net = Sequential(
        {"relu0": Watched(), "affine": Affine(5, 3, rng=rng), "relu1": Watched()},
        loss=SoftmaxWithLoss(),
    )
    net.gradient(rng.standard_normal((4, 5)).astype(np.float32), np.array([0, 1, 2, 0]))
    assert Watched.visits == 1
    assert net.layers["affine"].needs_dX  # put back: a layer used by itself gives its dX
    net.layers["affine"].W.trainable = net.layers["affine"].b.trainable = False
    gradients = net.gradient(rng.standard_normal((4, 5)).astype(np.float32), np.array([0, 1, 2, 0]))
    assert gradients == {}
    assert Watched.visits == 1


def test_a_frozen_parameter_gets_no_gradient(rng):
    net = small_net(rng, loss=SoftmaxWithLoss())
    net.layers["affine1"].W.trainable = False
    gradients = net.gradient(rng.standard_normal((6, 5)), rng.integers(0, 3, 6))
    assert "affine1.W" not in gradients
    assert net.layers["affine1"].W.grad is None
    assert gradients["affine1.b"].any()


def test_an_integer_input_goes_through_an_embedding(rng):
    net = Sequential(
        {
            "embedding": Embedding(7, 3, rng=rng),
            "flatten": Flatten(),
            "affine": Affine(6, 2, rng=rng),
        },
        loss=SoftmaxWithLoss(),
    )
    gradients = net.gradient(np.array([[1, 2], [2, 6]]), np.array([0, 1]))
    assert gradients["embedding.W"][2].any()
    assert not gradients["embedding.W"][0].any()


def test_one_layer_object_at_two_places_gets_a_twin(rng):
    shared = Affine(4, 4, rng=rng, dtype=np.float64)
    net = Sequential({"first": shared, "relu": Relu(), "second": shared}, loss=SoftmaxWithLoss())
    first, second = net.layers["first"], net.layers["second"]
    assert first is not second
    assert first.W is second.W
    assert list(net.parameters()) == ["first.W", "first.b"]
    assert list(net.state()) == ["first.W", "first.b"]
    report = check_layer(net, rng.standard_normal((5, 4)))
    assert report.passed, report
    X, t = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    apart = Sequential(
        {
            "first": Affine(4, 4, rng=0, dtype=np.float64),
            "relu": Relu(),
            "second": Affine(4, 4, rng=0, dtype=np.float64),
        },
        loss=SoftmaxWithLoss(),
    )
    for name in ("first", "second"):
        apart.layers[name].W.data = shared.W.data.copy()
    g = apart.gradient(X, t)
    np.testing.assert_allclose(net.gradient(X, t)["first.W"], g["first.W"] + g["second.W"])


def test_twins_inside_nested_nets_and_with_states(rng):
    norm = BatchNormalization(4, dtype=np.float64)
    block = Sequential({"norm": norm, "drop": Dropout(0.5, rng=rng)})
    net = Sequential({"a": block, "b": block, "c": norm})
    assert net.layers["b"].layers["norm"].running_mean is norm.running_mean
    assert net.layers["b"].layers["drop"].rng is block.layers["drop"].rng
    assert net.layers["c"] is not norm
    assert net.layers["c"].gamma is norm.gamma
    net.forward(rng.standard_normal((6, 4)))
    assert net.layers["a"].layers["norm"].x_hat is not net.layers["b"].layers["norm"].x_hat


def test_predict_is_in_evaluation_mode_and_in_batches(rng):
    net = Sequential({"norm": BatchNormalization(3), "drop": Dropout(0.5, rng=rng)})
    X = rng.standard_normal((25, 3)).astype(np.float32)
    whole = net.predict(X)
    np.testing.assert_array_equal(net.predict(X, batch_size=7), whole)
    assert net.training
    assert net.layers["drop"].training
    assert not np.array_equal(net.forward(X), whole)


def test_predict_puts_the_mode_back_after_an_error(rng):
    net = small_net(rng)
    with pytest.raises(ShapeError):
        net.predict(np.ones((2, 7)))
    assert net.layers["relu1"].training


def test_a_single_sample(rng):
    net = small_net(rng, loss=SoftmaxWithLoss())
    x = rng.standard_normal(5)
    assert net.predict(x).shape == (3,)
    assert net.gradient(x, np.array(1))["affine1.W"].shape == (5, 4)


def test_accuracy_with_indices_and_one_hot_rows(rng):
    net = small_net(rng)
    X = rng.standard_normal((8, 5))
    best = net.predict(X).argmax(axis=1)
    t = best.copy()
    t[:2] = (t[:2] + 1) % 3
    assert net.accuracy(X, t) == 0.75
    assert net.accuracy(X, np.eye(3)[t]) == 0.75


def test_backward_without_a_forward_is_an_error(rng):
    net = small_net(rng, loss=SoftmaxWithLoss())
    with pytest.raises(RuntimeError, match="backward needs a forward or loss call just before"):
        net.backward(np.ones((2, 3)))
    net.loss(rng.standard_normal((4, 5)), np.array([0, 1, 2, 0]))
    net.accuracy(rng.standard_normal((4, 5)), np.array([0, 1, 2, 0]))
    with pytest.raises(RuntimeError, match="predict and accuracy do not count"):
        net.backward()


def test_backward_after_a_forward_or_loss_that_failed_is_an_error(rng):
    net = small_net(rng, loss=SoftmaxWithLoss())
    X, t = rng.standard_normal((4, 5)), np.array([0, 1, 2, 0])
    net.loss(X, t)
    with pytest.raises(ValueError, match="class indices"):
        net.loss(X, t + 7)
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        net.backward()
    net.loss(X, t)
    with pytest.raises(ShapeError):
        net.loss(X[:, :2], t)
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        net.backward()


def test_backward_after_a_plain_forward_needs_dout(rng):
    net = small_net(rng)
    net.forward(rng.standard_normal((4, 5)))
    with pytest.raises(TypeError, match="backward needs dout"):
        net.backward()


def test_the_place_of_an_error_is_noted(rng):
    class Breaks(Relu):
        def forward(self, X):
            return X @ X

    net = Sequential({"affine": Affine(5, 3, rng=rng), "oops": Breaks()})
    with pytest.raises(ValueError, match="matmul") as raised:
        net.forward(np.ones((2, 5), np.float32))
    assert raised.value.__notes__ == ["in forward of oops (Breaks)"]


def test_float64_data_in_a_float32_net_say_what_to_do(rng):
    net = Sequential({"affine": Affine(5, 3, rng=rng)}, loss=SoftmaxWithLoss())
    with pytest.raises(ValueError, match=r"X\.astype\(np\.float32\)") as raised:
        net.gradient(np.ones((2, 5)), np.array([0, 1]))
    assert raised.value.__notes__ == ["in backward of affine (Affine)"]


def test_accuracy_leaves_out_what_the_loss_ignores(rng):
    layers = {"a": Affine(5, 3, rng=rng)}
    net = Sequential(layers, loss=SoftmaxWithLoss(ignore_index=-1))
    X = rng.standard_normal((4, 5))
    t = net.predict(X).argmax(axis=1)
    t[1], t[2] = -1, (t[2] + 1) % 3
    assert net.accuracy(X, t) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="class indices are 0 to 2, got -1"):
        Sequential(layers, loss=SoftmaxWithLoss()).accuracy(X, t)


def test_accuracy_refuses_targets_of_another_shape(rng):
    net = small_net(rng)
    for t in (np.zeros((4, 1), int), np.zeros(1, int)):
        with pytest.raises(ValueError, match=r"class indices \(4,\) or one-hot \(4, 3\)"):
            net.accuracy(rng.standard_normal((4, 5)), t)


def test_accuracy_refuses_targets_that_are_no_classes(rng):
    net = small_net(rng)
    X = rng.standard_normal((4, 5))
    with pytest.raises(ValueError, match="class indices are 0 to 2, got 3"):
        net.accuracy(X, np.array([1, 2, 3, 1]))
    with pytest.raises(TypeError, match="integers from 0 to 2, got float64"):
        net.accuracy(X, np.array([1.0, 2.0, 0.0, 1.0]))


def test_a_net_that_gives_nan_is_never_right(rng):
    net = small_net(rng)
    X = rng.standard_normal((4, 5))
    X[:2] = np.nan
    t = net.predict(X).argmax(axis=1)  # of NaN: 0
    assert net.accuracy(X, t) == 0.5


def test_a_generator_of_another_kind_is_refused_before_anything_changes():
    layer = Dropout(0.5, rng=np.random.default_rng(0))
    other = Dropout(0.5, rng=np.random.Generator(np.random.MT19937(0)))
    before = layer.state()
    with pytest.raises(ValueError, match="rng: expects the state of a PCG64"):
        layer.load_state(other.state())
    assert layer.state() == before


def test_state_goes_out_and_comes_back(rng):
    X, t = rng.standard_normal((6, 5)), rng.integers(0, 3, 6)
    net, other = small_net(rng, loss=SoftmaxWithLoss()), small_net(rng, loss=SoftmaxWithLoss())
    other.load_state(net.state())
    assert other.loss(X, t) == net.loss(X, t)
    assert not np.shares_memory(other.layers["affine1"].W.data, net.layers["affine1"].W.data)


def test_load_state_lists_all_that_differs_and_changes_nothing(rng):
    net = small_net(rng)
    before = net.state()
    state = net.state()
    state["affine9.W"] = state.pop("affine1.W")
    state["affine2.b"] = np.zeros(7)
    state["affine1.b"] = np.ones(4)
    with pytest.raises(ValueError, match=r"affine2\.b: expects shape") as raised:
        net.load_state(state)
    assert "missing: affine1.W" in str(raised.value)
    assert "unknown: affine9.W" in str(raised.value)
    assert "affine2.b: expects shape (3,), got (7,)" in str(raised.value)
    for name, array in net.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_dropout_generator_is_part_of_the_state():
    layer = Dropout(0.5, rng=np.random.default_rng(7))
    X = np.ones((4, 6))
    saved = layer.state()
    first = layer.forward(X)
    assert not np.array_equal(layer.forward(X), first)
    layer.load_state(saved)
    np.testing.assert_array_equal(layer.forward(X), first)


@pytest.mark.parametrize("generator", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_generators_of_every_kind_are_saved(generator):
    layer = Dropout(0.5, rng=np.random.Generator(generator(3)))
    saved = layer.state()
    first = layer.forward(np.ones(9))
    layer.load_state(saved)
    np.testing.assert_array_equal(layer.forward(np.ones(9)), first)


def test_a_wrong_shape_names_both_layers(rng):
    net = Sequential(
        OrderedDict(affine1=Affine(5, 4, rng=rng), relu1=Relu(), affine2=Affine(50, 3, rng=rng))
    )
    words = r"affine2 \(Affine\): expects \(..., 50\), got \(6, 4\) from relu1 \(Relu\)"
    with pytest.raises(ShapeError, match=words):
        net.forward(np.ones((6, 5), np.float32))
    with pytest.raises(ShapeError, match=r"affine2 \(Affine\): expects \(..., 50\), got \(4,\)"):
        net.output_shape((5,))
    with pytest.raises(ShapeError, match=r"block.affine2 \(Affine\): .* from relu1 \(Relu\)"):
        Sequential({"block": net}).forward(np.ones((6, 5), np.float32))


class BookLayer(Layer):
    def __init__(self):
        self.W, self.dW = np.ones((2, 2)), None


@pytest.mark.parametrize(
    ("layers", "error", "words"),
    [
        ([Relu()], TypeError, "expects an OrderedDict of name -> layer, got list"),
        ({"relu": Relu}, TypeError, "relu: expects an instance: Relu"),
        ({"relu": np.tanh}, TypeError, "relu: expects a layers.Layer"),
        ({"a.b": Relu()}, ValueError, "names have no dots"),
        ({"loss": Relu()}, ValueError, '"loss" is the loss layer'),
        ({"book": BookLayer()}, TypeError, r"W is an array, not a Param.*self.W = Param\(W\)"),
    ],
)
def test_what_is_no_chain_of_layers_is_refused(layers, error, words):
    with pytest.raises(error, match=words):
        Sequential(layers)


def test_a_backward_that_returns_nothing_is_named(rng):
    class Forgetful(Relu):
        def backward(self, dout):
            super().backward(dout)

    net = Sequential({"affine": Affine(5, 3, rng=rng), "oops": Forgetful()}, loss=SoftmaxWithLoss())
    with pytest.raises(TypeError, match=r"oops \(Forgetful\): backward returned None.*return dX"):
        net.gradient(np.ones((2, 5), np.float32), np.array([0, 1]))


def test_loss_without_a_loss_layer(rng):
    with pytest.raises(ValueError, match="the net has no loss"):
        small_net(rng).loss(np.ones((2, 5)), np.array([0, 1]))


def test_a_layer_with_several_outputs_has_no_place_in_a_chain():
    net = Sequential({"cut": Slice(1, [2, 3]), "relu": Relu()})
    with pytest.raises(TypeError, match=r"cut \(Slice\): forward returned 2 outputs; use a Graph"):
        net.forward(np.ones((4, 5)))
    with pytest.raises(ShapeError, match=r"cut \(Slice\): expects one output: use a Graph"):
        net.output_shape((5,))

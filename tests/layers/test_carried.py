"""Layers that go on from batch to batch: what they carry, where it is kept, and when it ends."""

import copy

import numpy as np
import pytest

from lamina.layers import Affine, Carried, Gru, Lstm, Rnn, SoftmaxWithLoss
from lamina.nets import Graph, Sequential, load_net
from lamina.nets.weights import load_weights, save_weights
from lamina.training.parallel import Sharded

LAYERS = (Rnn, Lstm, Gru)
by_name = pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
X = np.random.default_rng(0).standard_normal((4, 6, 3))


def made(cls, **settings):
    return cls(3, 5, rng=0, dtype=np.float64, **{"stateful": True} | settings)


def net(cls=Lstm, stateful=True):
    layers = {
        "first": made(cls, stateful=stateful),
        "second": cls(5, 5, stateful=stateful, rng=1, dtype=np.float64),
        "scores": Affine(5, 4, rng=2, dtype=np.float64),
    }
    return Sequential(layers, SoftmaxWithLoss())


@by_name
def test_halves_one_after_the_other_are_the_whole(cls):
    whole = made(cls, stateful=False).forward(X)
    layer = made(cls)
    halves = [layer.forward(X[:, :2]), layer.forward(X[:, 2:])]
    np.testing.assert_allclose(np.concatenate(halves, axis=1), whole, rtol=0, atol=1e-14)


@by_name
def test_no_gradient_goes_into_the_batch_before(cls):
    """Truncated backpropagation: what is carried is a first state that nobody asks for."""
    layer, plain = made(cls), made(cls, stateful=False)
    layer.forward(X[:, :2])
    carried = [one.data for one in layer.carried.values()]
    layer.forward(X[:, 2:])
    plain.forward(X[:, 2:], *carried)
    dout = np.ones((4, 4, 5))
    dX, with_states = layer.backward(dout), plain.backward(dout)
    np.testing.assert_array_equal(dX, with_states[0])
    for name, param in layer.parameters().items():
        np.testing.assert_array_equal(param.grad, plain.parameters()[name].grad)


@by_name
def test_reset_begins_anew(cls):
    one = net(cls)
    first = one.forward(X)
    assert not np.array_equal(one.forward(X), first)
    one.reset()
    np.testing.assert_array_equal(one.forward(X), first)


@by_name
def test_another_number_of_rows_begins_anew(cls):
    layer = made(cls)
    anew = layer.forward(X[:3])
    layer.forward(X)
    np.testing.assert_array_equal(layer.forward(X[:3]), anew)
    assert not np.array_equal(layer.forward(X[:3]), anew)  # and it goes on from there


@by_name
def test_evaluation_carries_its_own_and_leaves_training_alone(cls):
    one, other = net(cls), net(cls)
    for each in (one, other):
        each.forward(X)
    one.set_training(False)
    first = one.forward(X)
    assert not np.array_equal(one.forward(X), first)  # it goes on in evaluation too
    one.set_training(False)
    np.testing.assert_array_equal(one.forward(X), first)  # each evaluation begins anew
    one.reset()
    np.testing.assert_array_equal(one.forward(X), first)
    one.set_training(True)
    np.testing.assert_array_equal(one.forward(X), other.forward(X))


def test_predictions_are_the_same_however_they_are_cut():
    one = net()
    np.testing.assert_array_equal(one.predict(X), one.predict(X))
    np.testing.assert_allclose(one.predict(X, batch_size=2), one.predict(X), rtol=0, atol=1e-14)


def test_a_given_state_takes_the_place_of_what_is_carried():
    layer = made(Lstm)
    layer.forward(X)
    h0 = np.ones((4, 5))
    np.testing.assert_array_equal(layer.forward(X, h0), made(Lstm).forward(X, h0))


def test_a_state_puts_a_net_where_another_one_was():
    one, other = net(), net()
    one.forward(X)
    other.forward(X[:2])
    state = one.state()
    assert {"first.carried.h0", "second.carried.c0"} <= state.keys()
    other.load_state(state)
    np.testing.assert_array_equal(other.forward(X), one.forward(X))
    new = net()
    other.load_state(new.state())  # and that of a net that has carried nothing yet
    np.testing.assert_array_equal(other.forward(X), new.forward(X))


def test_a_state_of_other_rows_is_refused():
    state = net().state() | {"first.carried.h0": np.zeros((4, 6))}
    with pytest.raises(
        ValueError, match=r"first.carried.h0: expects rows of shape \(5,\), got \(4, 6\)"
    ):
        net().load_state(state)


def test_weights_and_whole_nets_have_none_of_it(tmp_path):
    one = net()
    one.forward(X)
    save_weights(tmp_path / "weights.npz", one)
    with np.load(tmp_path / "weights.npz") as file:
        assert file.files == list(one.parameters())
    other = net()
    load_weights(tmp_path / "weights.npz", other)
    assert not len(other.layers["first"].carried["h0"].data)
    one.save(tmp_path / "net.npz")
    loaded = load_net(tmp_path / "net.npz")
    one.reset()
    np.testing.assert_array_equal(loaded.forward(X), one.forward(X))


def test_a_layer_at_two_places_carries_at_each():
    layer = Rnn(3, 3, stateful=True, rng=0, dtype=np.float64)
    chain = Sequential({"one": layer, "two": layer})
    chain.forward(X)
    one, two = (place.carried["h0"].data for place in chain.layers.values())
    assert not np.array_equal(one, two)
    assert {"one.carried.h0", "two.carried.h0"} <= chain.state().keys()


def test_what_is_carried_holds_on_to_no_step_before():
    """Memory of all steps must not live on with the last."""
    layer = made(Lstm)
    layer.forward(X)
    assert all(one.data.base is None for one in layer.carried.values())


def test_a_copy_carries_its_own():
    layer = made(Rnn)
    layer.forward(X)
    kept = layer.carried["h0"].data
    copy.deepcopy(layer).forward(X)
    assert layer.carried["h0"].data is kept


def test_shards_carry_each_of_its_rows():
    whole, cut = net(), Sharded(net(), 2)
    t = np.random.default_rng(1).integers(0, 4, (4, 6))
    for _ in range(2):
        np.testing.assert_allclose(cut.loss(X, t), whole.loss(X, t), rtol=0, atol=1e-12)
    state, first = cut.state(), float(cut.loss(X, t))
    assert "shard1.first.carried.h0" in state
    cut.load_state(state)
    assert float(cut.loss(X, t)) == first
    cut.reset()
    assert float(cut.loss(X, t)) == float(Sharded(net(), 2).loss(X, t))


def test_a_penalty_on_the_gradient_moves_it_once():
    from lamina.training.gradient_penalty import add_penalised_gradient

    one, other = net(), net()
    t = np.zeros((4, 6), int)
    add_penalised_gradient(one, X, t, penalty=0.1)
    other.loss(X, t)
    np.testing.assert_array_equal(
        one.layers["first"].carried["c0"].data, other.layers["first"].carried["c0"].data
    )


def test_a_graph_resets_too():
    graph = Graph({"rnn": made(Rnn)})
    first = graph.forward(X)
    graph.forward(X)
    graph.reset()
    np.testing.assert_array_equal(graph.forward(X), first)


def test_reverse_has_nothing_to_go_on_with():
    with pytest.raises(ValueError, match=r"Rnn: stateful goes on where .* take one of the two"):
        made(Rnn, reverse=True)


def test_rows_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"Carried: expects rows of shape \(5,\), got \(4,\)"):
        Carried(5).update(np.zeros((2, 4)), training=True)

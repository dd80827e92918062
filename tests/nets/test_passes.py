"""A backward belongs to the last forward of its net: right, or an error; never another number."""

import copy

import numpy as np
import pytest

from lamina.layers import Affine, Layer, Relu, SoftmaxWithLoss, SquaredErrorLoss
from lamina.nets import Graph, Head, Node, Sequential


def layers(seed=0):
    rng = np.random.default_rng(seed)
    made = [Affine(4, 5, rng=rng, dtype=np.float64), Relu()]
    return dict(zip("abc", [*made, Affine(5, 3, rng=rng, dtype=np.float64)], strict=True))


def batch(seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((6, 4)), rng.integers(0, 3, 6)


def chain(held):
    return Sequential(held, loss=SoftmaxWithLoss())


def graph(held):
    return Graph(held, losses=SoftmaxWithLoss())


def outer(held):
    return Sequential({"inner": Sequential(held)}, loss=SoftmaxWithLoss())


class Around(Layer):
    """A layer of one's own that holds another."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, X):
        return self.inner.forward(X)

    def backward(self, dout):
        return self.inner.backward(dout)


def around(held):
    return chain({name: Around(layer) for name, layer in held.items()})


NETS = pytest.mark.parametrize("made", [chain, graph, outer, around])


def grads(net):
    return {name: param.grad for name, param in net.parameters().items()}


def clear(net):
    for param in net.parameters().values():
        param.grad = None


@NETS
def test_two_losses_and_two_backwards_are_not_twice_the_second_gradient(made):
    net = made(layers())
    only = made(layers()).gradient(*batch(2))
    net.loss(*batch(1))
    net.loss(*batch(2))
    net.backward()
    with pytest.raises(RuntimeError, match="called already since the last forward or loss"):
        net.backward()
    for name, g in grads(net).items():
        np.testing.assert_array_equal(g, only[name])


@NETS
def test_a_forward_goes_back_once(made):
    net, dout = made(layers()), np.ones((6, 3))
    net.forward(batch(1)[0])
    net.backward(dout)
    with pytest.raises(RuntimeError, match="a pass goes back once"):
        net.backward(dout)
    net.forward(batch(1)[0])
    net.backward(dout)


@NETS
def test_gradients_of_batches_add_up(made):
    net = made(layers())
    one, two = (dict(net.gradient(*batch(i))) for i in (1, 2))
    clear(net)
    for i in (1, 2):
        net.loss(*batch(i))
        net.backward()
    for name, g in grads(net).items():
        np.testing.assert_allclose(g, one[name] + two[name], rtol=1e-14)


@NETS
@pytest.mark.parametrize("other", [chain, graph, outer, around])
@pytest.mark.parametrize("way", ["loss", "forward", "predict", "failed"])
def test_a_backward_after_another_net_ran_the_same_layers_is_an_error(made, other, way):
    held = layers()
    net, second = made(held), other(held)
    X, t = batch(2)
    net.loss(*batch(1))
    if way == "failed":
        with pytest.raises(ValueError, match="class indices"):
            second.loss(X, t + 7)
    else:
        getattr(second, way)(*((X, t) if way == "loss" else (X,)))
    with pytest.raises(RuntimeError, match="has been run by another net"):
        net.backward()
    assert not any(g is not None for g in grads(net).values())  # nothing was added
    if way == "loss":
        second.backward()  # its own is still there
        np.testing.assert_array_equal(held["c"].W.grad, other(layers()).gradient(X, t)[last(other)])


def last(made):
    return {chain: "c.W", graph: "c.W", outer: "inner.c.W", around: "c.inner.W"}[made]


@NETS
def test_nets_of_the_same_layers_take_turns(made):
    held = layers()
    net, second = made(held), chain(held)
    for _ in range(2):
        expected = made(layers()).gradient(*batch(1))
        for name, g in net.gradient(*batch(1)).items():
            np.testing.assert_array_equal(g, expected[name])
        second.gradient(*batch(2))


@NETS
def test_twins_keep_their_own_pass(made):
    held = layers()
    net, second = made(held), chain({name: layer.twin() for name, layer in held.items()})
    one = dict(net.gradient(*batch(1)))
    two = dict(second.gradient(*batch(2)))
    clear(net)
    net.loss(*batch(1))
    second.loss(*batch(2))
    net.backward()
    second.backward()
    np.testing.assert_allclose(held["c"].W.grad, one[last(made)] + two["c.W"], rtol=1e-14)


def test_an_inner_net_run_by_itself_is_noticed():
    net = outer(layers())
    net.loss(*batch(1))
    net.layers["inner"].forward(batch(2)[0])
    with pytest.raises(RuntimeError, match=r"inner \(Sequential\) has been run by another net"):
        net.backward()


def test_a_shared_loss_is_noticed_and_two_heads_have_one_each():
    loss = SquaredErrorLoss()
    net, second = (Sequential(layers(seed), loss=loss) for seed in (0, 1))
    net.loss(batch(1)[0], np.zeros((6, 3)))
    second.scores_and_losses(batch(2)[0], np.zeros((6, 3)))
    with pytest.raises(RuntimeError, match=r"loss loss \(SquaredErrorLoss\) has been run"):
        net.backward()

    def two(first, then):
        heads = {"one": Head(first, "b", "u"), "two": Head(then, "c", "v")}
        return Graph(layers(), losses=heads, outputs="c")

    X = batch(1)[0]
    t = {"u": np.zeros((6, 5)), "v": np.ones((6, 3))}
    expected = two(SquaredErrorLoss(), SquaredErrorLoss()).gradient(X, t)
    for name, g in two(loss, loss).gradient(X, t).items():
        np.testing.assert_array_equal(g, expected[name])


def test_a_frozen_body_serves_two_heads_at_once():
    held = layers()
    for param in held["a"].parameters().values():
        param.trainable = False
    body = {"a": held["a"]}
    nets = [chain({**body, "c": Affine(4 + 1, 3, rng=i, dtype=np.float64)}) for i in (1, 2)]
    wanted = [dict(net.gradient(*batch(i))) for i, net in enumerate(nets)]
    for i, net in enumerate(nets):
        clear(net)
        net.needs_dX = False
        net.loss(*batch(i))
    for net, gradient in zip(nets, wanted, strict=True):
        net.backward()
        np.testing.assert_array_equal(net.layers["c"].W.grad, gradient["c.W"])


@NETS
def test_a_copy_of_a_net_goes_back_by_itself(made):
    net = made(layers())
    net.loss(*batch(1))
    copied = copy.deepcopy(net)
    net.loss(*batch(2))
    copied.backward()
    for name, g in made(layers()).gradient(*batch(1)).items():
        np.testing.assert_array_equal(grads(copied)[name], g)


def test_a_node_of_a_graph_too():
    held = layers()
    net = Graph({name: Node(layer) for name, layer in held.items()}, losses=SoftmaxWithLoss())
    net.loss(*batch(1))
    chain(held).loss(*batch(2))
    with pytest.raises(RuntimeError, match=r"Graph: a \(Affine\) has been run by another net"):
        net.backward()

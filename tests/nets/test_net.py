"""What all nets have in common: names of inputs and outputs, heads, steps, losses of a batch."""

import numpy as np
import pytest

from lamina.layers import Addition, Affine, Dropout, Relu, SoftmaxWithLoss, SquaredErrorLoss
from lamina.nets import Graph, Head, LeNet, Node, ResidualNet, Sequential, TwoLayerNet
from lamina.nets.wiring import Step


def chain(loss=None):
    layers = {"affine1": Affine(4, 5, rng=0), "relu1": Relu(), "affine2": Affine(5, 3, rng=1)}
    return Sequential(layers, loss=loss)


def pair(**losses):
    """Two inputs, two outputs."""
    return Graph(
        {
            "a": Node(Affine(4, 3, rng=0), "left"),
            "b": Node(Affine(4, 3, rng=1), "right"),
            "sum": Node(Addition(), ["a", "b"]),
        },
        inputs=["left", "right"],
        outputs=["sum", "a"],
        losses=losses or None,
    )


def batch(n=6, size=4):
    rng = np.random.default_rng(2)
    return rng.standard_normal((n, size)).astype(np.float32), rng.integers(0, 3, n)


@pytest.mark.parametrize(
    ("net", "inputs", "outputs", "heads"),
    [
        (chain(), ("X",), ("affine2",), {}),
        (chain(SoftmaxWithLoss()), ("X",), ("affine2",), {"loss": ("affine2", "t", 1.0)}),
        (Sequential({}), ("X",), ("X",), {}),
        (TwoLayerNet(4, 5, 3, rng=0), ("X",), ("Affine2",), {"loss": ("Affine2", "t", 1.0)}),
        (LeNet(rng=0), ("X",), ("affine2",), {"loss": ("affine2", "t", 1.0)}),
        (ResidualNet(widths=(2,), rng=0), ("X",), ("affine",), {"loss": ("affine", "t", 1.0)}),
        (pair(), ("left", "right"), ("sum", "a"), {}),
        (
            pair(main=SoftmaxWithLoss(), extra=Head(SoftmaxWithLoss(), "a", "u", 0.5)),
            *(("left", "right"), ("sum", "a")),
            {"main": ("sum", "t", 1.0), "extra": ("a", "u", 0.5)},
        ),
    ],
)
def test_every_net_names_its_inputs_outputs_and_heads(net, inputs, outputs, heads):
    assert (net.inputs, net.outputs) == (inputs, outputs)
    assert {n: (h.input, h.target, h.weight) for n, h in net.heads.items()} == heads
    first = next(iter(net.heads.values())).loss if heads else None
    assert net.loss_layer is first


def test_the_names_of_a_graph_may_be_one_word():
    net = Graph({"first": Relu(), "second": Relu()}, inputs="image", outputs="second")
    assert (net.inputs, net.outputs) == (("image",), ("second",))


@pytest.mark.parametrize("net", [chain(), pair(), ResidualNet(widths=(2, 3), rng=0)])
def test_steps_are_the_layers_with_what_they_read_and_write(net):
    steps = list(net.steps())
    assert all(isinstance(step, Step) for step in steps)
    assert [(s.name, s.layer) for s in steps] == list(net.layers.items())
    known = set(net.inputs)
    for step in steps:
        assert set(step.reads) <= known
        known |= set(step.writes)
    assert set(net.outputs) <= known
    shapes = {"X": (1, 8, 8)} if "stem_conv" in net.layers else dict.fromkeys(net.inputs, (4,))
    rows = list(net.rows(*shapes.values()))
    assert [(name, reads) for name, _, reads, _ in rows] == [(s.name, s.reads) for s in steps]


def test_scores_and_losses_of_a_chain_add_up_to_those_of_the_whole():
    (X, t), net = batch(7), chain(SoftmaxWithLoss())
    total = weight = 0.0
    for part in (slice(0, 5), slice(5, 7)):
        scores, losses = net.scores_and_losses(X[part], t[part])
        np.testing.assert_array_equal(scores, net.forward(X[part]))
        (summed, counted) = losses["loss"]
        assert type(summed) is float
        total, weight = total + summed, weight + counted
    assert weight == 7.0
    assert total / weight == pytest.approx(float(net.loss(X, t)), rel=1e-6)


def test_a_loss_that_is_a_sum_is_not_multiplied_again():
    (X, t), net = batch(), chain(SoftmaxWithLoss("sum"))
    assert net.scores_and_losses(X, t)[1] == {"loss": (float(net.loss(X, t)), 6.0)}


def test_scores_and_losses_of_two_heads_leave_their_weights_out():
    net = pair(main=SoftmaxWithLoss(), extra=Head(SquaredErrorLoss(), "a", "u", 0.5))
    (left, t), (right, _) = batch(), batch()
    u = np.ones((6, 3), np.float32)
    scores, losses = net.scores_and_losses((left, right), {"t": t, "u": u})
    np.testing.assert_array_equal(scores, net.forward(left, right)[0])
    main = SoftmaxWithLoss().forward(scores, t)
    extra = SquaredErrorLoss().forward(net.layers["a"].forward(left), u)
    assert losses == {
        "main": (pytest.approx(6 * float(main)), 6.0),
        "extra": (pytest.approx(6 * float(extra)), 6.0),
    }
    both = float(net.loss((left, right), {"t": t, "u": u}))
    assert both == pytest.approx(float(main) + 0.5 * float(extra))


def test_scores_and_losses_keep_the_mode():
    drop = Dropout(0.5, rng=0)
    net = Sequential({"drop": drop, "affine": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss())
    X, t = batch()
    plain = net.layers["affine"].forward(X)
    net.set_training(False)
    np.testing.assert_array_equal(net.scores_and_losses(X, t)[0], plain)
    assert not net.training
    net.set_training(True)
    assert not np.array_equal(net.scores_and_losses(X, t)[0], plain)
    assert net.training


@pytest.mark.parametrize("net", [chain(SoftmaxWithLoss()), pair(loss=SoftmaxWithLoss())])
def test_no_backward_after_scores_and_losses_or_a_failed_loss(net):
    X, t = batch()
    X = X if len(net.inputs) == 1 else (X, X)
    net.scores_and_losses(X, t)
    with pytest.raises(RuntimeError, match="backward needs a forward or loss call just before"):
        net.backward()
    with pytest.raises(ValueError, match="targets as class indices"):
        net.loss(X, t[:2])
    with pytest.raises(RuntimeError, match="backward needs a forward or loss call just before"):
        net.backward()


@pytest.mark.parametrize("net", [chain(), pair()])
def test_a_net_without_a_loss_says_how_to_give_it_one(net):
    for call in (net.loss, net.scores_and_losses):
        with pytest.raises(ValueError, match=r"the net has no loss; give one: Sequential\(\.\.\."):
            call(*batch())


def test_targets_of_a_chain_may_be_given_by_name():
    (X, t), net = batch(), chain(SoftmaxWithLoss())
    assert net.loss(X, {"t": t}) == net.loss(X, t)
    with pytest.raises(ValueError, match="loss loss: no targets t, got y"):
        net.loss(X, {"y": t})


def test_a_wrong_number_of_inputs_is_refused_in_words():
    X, t = batch()
    for call in (lambda: chain(SoftmaxWithLoss()).loss((X, X), t), lambda: chain().predict((X, X))):
        with pytest.raises(TypeError, match="Sequential: takes X; got 2 inputs"):
            call()
    with pytest.raises(TypeError, match="Graph: takes left, right; got 1 inputs"):
        pair(loss=SoftmaxWithLoss()).loss(X, t)
    np.testing.assert_array_equal(chain().predict((X,)), chain().predict(X))


def test_shapes_are_one_for_each_input():
    with pytest.raises(TypeError, match="expects the shape of a sample of left, right; got none"):
        pair().output_shape()
    with pytest.raises(TypeError, match=r"of a sample of X; got \(4,\), \(4,\)"):
        chain().flops((4,), (4,))
    assert pair().flops((4,), (4,)) == 2 * chain_flops() == 48


def chain_flops():
    return 2 * 4 * 3

"""ContrastiveLoss: by hand, at its edges, what it refuses, and two branches that learn by it."""

import numpy as np
import pytest

from lamina.layers import (
    Addition,
    Affine,
    Concatenation,
    ContrastiveLoss,
    DotProducts,
    Power,
    Relu,
    Reshape,
    ShapeError,
)
from lamina.nets import Graph, Head, Node, Sequential
from lamina.optimizers import Momentum

PAIRS = np.array([[0.0, 0.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.5], [0.0, 0.0, 9.0, 0.0]])


def test_by_hand():
    """Distances 5, ½ and 9; alike, apart and apart already."""
    loss = ContrastiveLoss(margin=2.0)
    assert loss.forward(PAIRS, [1, 0, 0]) == pytest.approx((25 + 1.5**2) / 6)
    gradient = loss.backward()
    np.testing.assert_allclose(gradient[0], np.array([-3, -4, 3, 4]) / 3)
    np.testing.assert_allclose(gradient[1], [0, 1.5 / 3, 0, -1.5 / 3])  # (2 - d) away from b
    assert not gradient[2].any()
    old = ContrastiveLoss(margin=2.0, legacy=True)
    assert old.forward(PAIRS, [1, 0, 0]) == pytest.approx((25 + 2 - 0.25) / 6)
    np.testing.assert_allclose(old.backward()[1], [0, 0.5 / 3, 0, -0.5 / 3])


@pytest.mark.parametrize("legacy", [False, True])
def test_two_vectors_that_are_one_pass_nothing_on(legacy):
    loss = ContrastiveLoss("sum", legacy=legacy)
    pair = np.ones((2, 6), np.float32)
    assert loss.forward(pair, np.array([0, 1])) == 0.5
    gradient = loss.backward()
    assert gradient.dtype == np.float32
    assert not gradient.any()


def test_nan_is_passed_on():
    loss = ContrastiveLoss()
    assert np.isnan(loss.forward(np.array([[np.nan, 1.0]]), [0]))
    assert np.isnan(loss.backward()).all()


@pytest.mark.parametrize(
    ("scores", "targets", "error", "words"),
    [
        (np.ones((2, 3)), [0, 1], ShapeError, r"scores \(N, 2 D\), .* got \(2, 3\)"),
        (np.ones((2, 2, 2)), [0, 1], ShapeError, "side by side"),
        (np.ones((0, 2)), [], ShapeError, "at least one pair"),
        (np.ones((2, 4)), [0, 1, 1], ShapeError, r"targets \(2,\), got \(3,\)"),
        (np.ones((2, 4)), [0, 2], ValueError, "targets are 1 for a pair that is alike, else 0"),
        (np.ones((2, 4)), [0, np.nan], ValueError, "else 0"),
        (np.ones((2, 4), int), [0, 1], TypeError, "expects floats"),
    ],
)
def test_what_does_not_fit(scores, targets, error, words):
    with pytest.raises(error, match=words):
        ContrastiveLoss().forward(scores, targets)


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan")])
def test_a_margin_that_is_none(margin):
    with pytest.raises(ValueError, match=f"margin is positive, got {margin}"):
        ContrastiveLoss(margin=margin)


def test_two_branches_that_share_their_weights_learn_to_tell_pairs_apart():
    """Its output is ¼ - d² of margin 1: above 0 for pairs that count as alike."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, (2, 120))
    points = (np.eye(3)[kinds] + 0.1 * rng.standard_normal((2, 120, 3))).astype(np.float32)
    t = (kinds[0] == kinds[1]).astype(int)
    branch = Sequential({"a": Affine(3, 8, rng=1), "relu": Relu(), "b": Affine(8, 2, rng=2)})
    net = Graph(
        {
            "left": Node(branch, "A"),
            "right": Node(branch, "B"),
            "pair": Node(Concatenation(), ["left", "right"]),
            "difference": Node(Addition((1, -1)), ["left", "right"]),
            "row": Node(Reshape((1, 2)), "difference"),
            "square": Node(DotProducts(), ["difference", "row"]),
            "score": Power(scale=-1.0, shift=0.25),
        },
        inputs=["A", "B"],
        losses={"loss": Head(ContrastiveLoss(), input="pair")},
    )
    assert len(net.parameters()) == 4
    optimizer = Momentum(net.parameters(), lr=0.1)
    X, right = tuple(points), []
    for _ in range(61):
        right.append(((net.predict(X)[:, 0] > 0) == t).mean())
        net.gradient(X, t)
        optimizer.step()
    assert right[0] < 0.8
    assert right[-1] > 0.99

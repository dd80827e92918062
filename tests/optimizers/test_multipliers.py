"""lr_mult and decay_mult: what a parameter has of its own, under every kind of decay."""

import numpy as np
import pytest

from lamina.layers import Param
from lamina.optimizers import SGD


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        # w = 2, g = 1, lr = 0.5: at twice the rate w - 1 · (1 + λ w) with λ = 3 · 0.1, by hand.
        ("l2", 2 - 1.0 * (1 + 0.3 * 2)),
        ("l1", 2 - 1.0 * (1 + 0.3)),
        ("decoupled", 2 * (1 - 1.0 * 0.3) - 1.0),
    ],
)
def test_rate_and_decay_are_multiplied_for_that_parameter_alone(decay, expected):
    own, plain = Param(np.array([2.0])), Param(np.array([2.0]))
    own.lr_mult, own.decay_mult = 2.0, 3.0
    for param in (own, plain):
        param.grad = np.array([1.0])
    optimizer = SGD({"own": own, "plain": plain}, lr=0.5, weight_decay=0.1, decay=decay)
    optimizer.step()
    assert own.data == pytest.approx([expected])
    alone = {"l2": 2 - 0.5 * 1.2, "l1": 2 - 0.5 * 1.1, "decoupled": 2 * 0.95 - 0.5}
    assert plain.data == pytest.approx([alone[decay]])
    assert optimizer.lr == 0.5


def test_a_multiplier_of_0_leaves_a_parameter_as_it_is():
    still, shrinking = Param(np.array([2.0])), Param(np.array([2.0]))
    still.decay_mult = 0.0
    for param in (still, shrinking):
        param.grad = np.zeros(1)
    SGD({"still": still, "shrinking": shrinking}, lr=0.5, weight_decay=0.1).step()
    assert still.data.tolist() == [2.0]
    assert shrinking.data == pytest.approx([1.9])

"""SGD, and what all optimizers share."""

import numpy as np
import pytest

from lamina.layers import Param
from lamina.optimizers import SGD, Optimizer


def test_three_steps_by_hand():
    """w = 1, L = w²: w ← w - 0.1 · 2 w, so 0.8, 0.64, 0.512."""
    param = Param(np.array([1.0]))
    optimizer = SGD({"w": param}, lr=0.1)
    for expected in (0.8, 0.64, 0.512):
        optimizer.zero_grad()
        param.accumulate(2 * param.data)
        optimizer.step()
        assert param.data[0] == pytest.approx(expected)


def test_float32_stays_float32_and_the_gradient_as_it_is():
    param = Param(np.ones(2, np.float32))
    gradient = np.ones(2, np.float32)
    param.accumulate(gradient)
    SGD({"w": param}, lr=0.1).step()
    assert param.data.dtype == np.float32
    assert gradient.tolist() == [1.0, 1.0]


def test_what_has_no_gradient_or_is_frozen_stays():
    without, frozen = Param(np.ones(1)), Param(np.ones(1))
    frozen.accumulate(np.ones(1))
    frozen.trainable = False
    SGD({"a": without, "b": frozen}, lr=1.0).step()
    assert without.data[0] == frozen.data[0] == 1.0


@pytest.mark.parametrize("lr", [0.0, -0.1, float("nan"), float("inf"), "0.1", None])
def test_a_rate_that_is_no_positive_number(lr):
    with pytest.raises(ValueError, match="lr: expects a positive number, got"):
        SGD({}, lr=lr)


def test_a_rule_without_update_says_so():
    param = Param(np.ones(1))
    param.accumulate(np.ones(1))
    with pytest.raises(NotImplementedError, match="Optimizer has no update"):
        Optimizer({"w": param}, lr=1.0).step()

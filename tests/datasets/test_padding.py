"""Sequences of unequal lengths as one array."""

import numpy as np
import pytest

from lamina.datasets import LanguageModel, padded
from lamina.layers import SoftmaxWithLoss
from lamina.metrics import Perplexity


def test_shorter_rows_are_filled_up():
    rows = [[1, 2, 3], [], np.array([4])]
    assert padded(rows).tolist() == [[1, 2, 3], [0, 0, 0], [4, 0, 0]]
    made = padded(rows, 4, -1, np.int8)
    assert made.dtype == np.int8
    assert made.tolist() == [[1, 2, 3, -1], [-1] * 4, [4, -1, -1, -1]]
    assert padded([]).shape == (0, 0)


def test_a_row_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="sequence 1 has 3 tokens, and the length is 2; a larger"):
        padded([[1], [1, 2, 3], [3, 2, 1]], 2)


def test_padding_counts_neither_in_the_loss_nor_in_the_metric():
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, 5, n) for n in (3, 1, 4)]
    t, scores = padded(rows, 6, -1), rng.standard_normal((3, 6, 5))
    flat, right = np.concatenate([s[: len(r)] for s, r in zip(scores, rows, strict=True)]), rows
    right = np.concatenate(right)
    LanguageModel(range(5), ignore_index=-1).check_targets(t)
    expected = SoftmaxWithLoss().forward(flat, right)
    loss = SoftmaxWithLoss(ignore_index=-1)
    np.testing.assert_allclose(loss.forward(scores, t), expected, rtol=1e-12)
    assert not loss.backward()[t == -1].any()
    metric = Perplexity(ignore_index=-1)
    metric.update(scores, t)
    np.testing.assert_allclose(metric.value(), np.exp(expected), rtol=1e-12)


def test_a_batch_of_padding_alone_costs_nothing():
    loss = SoftmaxWithLoss(ignore_index=-1)
    assert loss.forward(np.ones((2, 3, 4)), padded([[], []], 3, -1)) == 0
    assert not loss.backward().any()

"""The memory of a step of recurrent layers grows with the number of steps, not with its square."""

import gc
import tracemalloc

import numpy as np
import pytest

from lamina.layers import Gru, Lstm, MultiHeadAttention, Rnn

LENGTHS = (100, 200, 400)


def peak(layer, n_steps: int) -> int:
    """Bytes at most during forward and backward of one sequence, beyond its own arrays."""
    X = np.ones((1, n_steps, 8), np.float32)
    dout = np.ones((1, *layer.output_shape(X.shape[1:])), np.float32)
    gc.collect()  # not in between, of what others have left
    tracemalloc.start()
    try:
        layer.forward(X)
        layer.backward(dout)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def growth(make) -> float:
    """How much more the second doubling adds than the first: 2 if linear, 4 if quadratic."""
    one, two, four = (peak(make(), n) for n in LENGTHS)
    return (four - two) / (two - one)


@pytest.mark.often(3)
@pytest.mark.parametrize("kind", [Rnn, Lstm, Gru])
@pytest.mark.parametrize("settings", [{}, {"reverse": True}, {"stateful": True}])
def test_it_is_linear_for_recurrent_layers(kind, settings):
    assert growth(lambda: kind(8, 16, rng=0, **settings)) == pytest.approx(2.0, rel=0.05)


def test_it_is_quadratic_for_attention():
    """By nature: a weight for each pair of positions. So the measure can tell."""
    assert growth(lambda: MultiHeadAttention(8, 2, rng=0)) == pytest.approx(4.0, rel=0.2)

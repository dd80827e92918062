"""A batch of no samples gives no outputs and gradients of zero, in layers that know no batch."""

import numpy as np
import pytest

from lamina.layers import Convolution, GroupNormalization

RNG = np.random.default_rng(0)
LAYERS = {
    "by window": lambda: Convolution(4, 4, 3, rng=RNG),
    "by pixel": lambda: Convolution(4, 4, 3, padding=1, rng=RNG),
    "grouped": lambda: Convolution(4, 4, 3, groups=2, rng=RNG),
    "grouped and padded": lambda: Convolution(4, 8, 3, padding=1, groups=4, rng=RNG),
    "with a stride": lambda: Convolution(4, 64, 3, stride=2, groups=2, rng=RNG),
    "of groups": lambda: GroupNormalization(2, 4),
    "of one group": lambda: GroupNormalization(1, 4),
}


@pytest.mark.parametrize("name", LAYERS)
def test_no_samples_give_nothing(name):
    layer = LAYERS[name]()
    X = np.zeros((0, 4, 7, 7), np.float32)
    Y = layer.forward(X)
    assert Y.shape == (0, *layer.output_shape(X.shape[1:]))
    assert layer.backward(Y).shape == X.shape
    for param in layer.parameters().values():
        assert param.grad.shape == param.data.shape
        assert not param.grad.any()

"""The nets of the experiments, as the book and the notes write them."""

import functools
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from lamina.layers import Affine, BatchNormalization, Dropout, Layer, Relu, SoftmaxWithLoss
from lamina.layers.initializers import he_normal, normal
from lamina.nets import Sequential


def note_net(n_hidden: int = 50, *, rng, dtype=np.float32) -> Sequential:
    """784-n_hidden-10 with ReLU and weights of deviation 0.01. Source: note 004; book 1, 5.7."""
    rng, init = np.random.default_rng(rng), functools.partial(normal, std=0.01)
    layers = OrderedDict(
        affine1=Affine(784, n_hidden, init=init, rng=rng, dtype=dtype),
        relu1=Relu(),
        affine2=Affine(n_hidden, 10, init=init, rng=rng, dtype=dtype),
    )
    return Sequential(layers, loss=SoftmaxWithLoss())


def deep_net(
    n_hidden: int,
    *,
    init: Callable = he_normal,
    normalised: bool = False,
    dropout: float = 0.0,
    rng,
) -> Sequential:
    """784, `n_hidden` layers of 100 units with ReLU, 10 scores. `normalised`: batch normalisation
    before each ReLU; `dropout`: of this share behind it. Biases do not decay. Source: book 1,
    MultiLayerNet and MultiLayerNetExtend, with the ε of the latter."""
    layers: OrderedDict[str, Layer] = OrderedDict()
    rng, n_in = np.random.default_rng(rng), 784
    for i in range(1, n_hidden + 1):
        layers[f"affine{i}"] = Affine(n_in, 100, init=init, rng=rng)
        if normalised:
            layers[f"norm{i}"] = BatchNormalization(100, eps=1e-6)
        layers[f"relu{i}"] = Relu()
        if dropout:
            layers[f"drop{i}"] = Dropout(dropout, rng=rng.spawn(1)[0])
        n_in = 100
    layers[f"affine{n_hidden + 1}"] = Affine(n_in, 10, init=init, rng=rng)
    net = Sequential(layers, loss=SoftmaxWithLoss())
    for name, param in net.parameters().items():
        if name.endswith(".b"):
            param.decay_mult = 0.0
    return net

"""A small residual net."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers import (
    Addition,
    Affine,
    BatchNormalization,
    Convolution,
    GlobalAveragePooling,
    Relu,
    SoftmaxWithLoss,
)
from lamina.nets.graph import Graph
from lamina.nets.wiring import Node


class ResidualNet(Graph):
    """Stages of residual blocks: Y = ReLU(F(X) + X), F being two convolutions 3 x 3 with batch
    normalisation.

    The first block of each stage after the first halves the image and widens it; its X goes
    through a convolution 1 x 1 of stride 2. Global average pooling and an Affine end it. X is read
    twice, so a Copy gate stands before every block.
    Source: He et al. 2016, "Deep residual learning for image recognition", the net for CIFAR-10.
    """

    def __init__(
        self,
        input_shape=(1, 28, 28),
        n_classes: int = 10,
        *,
        widths: tuple = (16, 32, 64),
        blocks: int = 1,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        rng = np.random.default_rng(rng)
        layers = {}

        def convolution(name, c_in, c_out, kernel, reads, stride=1):
            settings = {"stride": stride, "padding": kernel // 2, "bias": False}
            conv = Convolution(c_in, c_out, kernel, **settings, rng=rng, dtype=dtype)
            layers[f"{name}_conv"] = Node(conv, reads)
            layers[f"{name}_norm"] = Node(BatchNormalization(c_out, dtype=dtype))
            return f"{name}_norm"

        convolution("stem", input_shape[0], widths[0], 3, "X")
        layers["stem_relu"] = Node(Relu())
        X, c_in = "stem_relu", widths[0]
        for stage, c_out in enumerate(widths, 1):
            for block in range(1, blocks + 1):
                name, stride = f"block{stage}_{block}", 2 if stage > 1 and block == 1 else 1
                convolution(f"{name}a", c_in, c_out, 3, X, stride)
                layers[f"{name}a_relu"] = Node(Relu())
                F = convolution(f"{name}b", c_out, c_out, 3, f"{name}a_relu")
                shortcut = X
                if stride > 1 or c_in != c_out:
                    shortcut = convolution(f"{name}s", c_in, c_out, 1, X, stride)
                layers[f"{name}_sum"] = Node(Addition(), [F, shortcut])
                layers[f"{name}_relu"] = Node(Relu())
                X, c_in = f"{name}_relu", c_out
        layers["pool"] = Node(GlobalAveragePooling())
        layers["affine"] = Node(Affine(c_in, n_classes, rng=rng, dtype=dtype))
        super().__init__(layers, losses=SoftmaxWithLoss())

    @classmethod
    def infer(cls, input_shape):
        return {"input_shape": input_shape}

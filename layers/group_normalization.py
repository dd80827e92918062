"""Group normalisation."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param
from lamina.layers.kernels.channels import check_channels


class GroupNormalization(Layer):
    """Y = γ x̂ + β with x̂ = (X - μ) / √(σ² + ε), μ and σ² over a group of channels of a sample.

    The channels (axis 1) are cut into n_groups equal parts; γ and β are per channel. One group is
    the statistics of layer normalisation, as many groups as channels is instance normalisation. No
    other sample takes part: batches may be small, and evaluation is the same as training.

        dγ = Σ dout x̂        dβ = Σ dout                           over samples and places
        dX = (g - mean(g) - x̂ mean(g x̂)) / √(σ² + ε)               with g = γ dout

    Shapes: X (N, C) or (N, C, ...), such as images (N, C, H, W); γ and β (C,), Y as X. Raises
    ShapeError for another C, ValueError unless n_groups divides n_channels.
    Source: Wu and He 2018, equations 1 to 3 and 7.
    """

    def __init__(
        self, n_groups: int, n_channels: int, *, eps: float = 1e-5, dtype: DTypeLike = np.float32
    ):
        if min(n_groups, n_channels) < 1 or n_channels % n_groups or eps <= 0:
            raise ValueError(
                "GroupNormalization: n_groups must divide n_channels, both at least 1, and eps be "
                f"> 0; got {n_groups}, {n_channels}, {eps}"
            )
        self.gamma = Param(np.ones(n_channels, dtype))
        self.beta = Param(np.zeros(n_channels, dtype))
        self.n_groups, self.eps = n_groups, eps

    def forward(self, X):
        self.output_shape(X.shape[1:])
        deviation = X - self._mean(X)
        self.inv_std = 1.0 / np.sqrt(self._mean(np.square(deviation)) + self.eps)
        self.x_hat = deviation * self.inv_std
        gamma, beta = (self._per_channel(p.data, X.ndim) for p in (self.gamma, self.beta))
        return gamma * self.x_hat + beta

    def backward(self, dout):
        axes = (0, *range(2, dout.ndim))
        self.gamma.accumulate((dout * self.x_hat).sum(axis=axes))
        self.beta.accumulate(dout.sum(axis=axes))
        if not self.needs_dX:
            return None
        g = self._per_channel(self.gamma.data, dout.ndim) * dout
        stretch = self._mean(g * self.x_hat)
        return self.inv_std * (g - self._mean(g) - self.x_hat * stretch)

    def _mean(self, X):
        """The mean of the group that a channel is in, (N, C, 1, ...), to broadcast with X."""
        n, c, *places = X.shape
        # Places first: a group of channels that lie apart in memory is then never copied.
        of_channel = X.mean(axis=tuple(range(2, X.ndim))) if places else X
        of_group = of_channel.reshape(n, self.n_groups, c // self.n_groups).mean(axis=2)
        return np.repeat(of_group, c // self.n_groups, axis=1).reshape(n, c, *(1,) * len(places))

    @staticmethod
    def _per_channel(a, ndim: int):
        """(C,) -> (1, C, 1, ...), to broadcast along axis 1."""
        return a.reshape(1, -1, *(1,) * (ndim - 2))

    def output_shape(self, input_shape):
        check_channels("GroupNormalization", self.gamma.data.shape[0], input_shape)
        return input_shape

    @classmethod
    def infer(cls, input_shape):
        return {"n_channels": input_shape[0]}

    @classmethod
    def examples(cls, rng):
        yield cls(2, 6, dtype=np.float64), rng.standard_normal((3, 6))
        yield cls(2, 4, eps=0.2, dtype=np.float64), rng.standard_normal((2, 4, 3, 2))
        yield cls(3, 3, dtype=np.float64), rng.standard_normal((2, 3, 4))

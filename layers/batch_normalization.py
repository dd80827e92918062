"""Batch normalisation."""

import copy

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param, State
from lamina.layers.group import ALONE
from lamina.layers.kernels.channels import Channels, check_channels


class BatchNormalization(Layer):
    """Y = γ x̂ + β with x̂ = (X - μ) / √(σ² + ε), per channel (axis 1).

    In training μ and σ² are those of the batch; in evaluation the running averages of training,
    `running ← momentum · running + (1 - momentum) · batch`, the variance counted with 1 / (m - 1).
    A frozen layer, neither γ nor β being trainable, is in evaluation always, as in Keras: its
    running averages stay. With m values per channel,

        dγ = Σ dout x̂        dβ = Σ dout
        dX = γ / √(σ² + ε) · (dout - dβ / m - x̂ dγ / m)        in training
        dX = γ / √(σ² + ε) · dout                              in evaluation

    Where a batch is cut into parts (training.shards), all sums over it are those of all parts, so
    that nothing depends on the cut; with `sync` false each part is normalised by its own.

    Shapes: X (N, C) or (N, C, ...), such as images (N, C, H, W); Y has the shape of X.
    Raises ShapeError for another C; ValueError for a training batch of one value per channel,
    whose variance is zero. Source: Ioffe and Szegedy 2015, algorithms 1 and 2.
    """

    def __init__(
        self,
        n_channels: int,
        *,
        momentum: float = 0.9,
        eps: float = 1e-5,
        sync: bool = True,
        dtype: DTypeLike = np.float32,
    ):
        if n_channels < 1 or not 0 <= momentum < 1 or eps <= 0:
            raise ValueError(
                "BatchNormalization: expects n_channels >= 1, 0 <= momentum < 1 and eps > 0; got "
                f"{n_channels}, {momentum}, {eps}"
            )
        self.gamma = Param(np.ones(n_channels, dtype))
        self.beta = Param(np.zeros(n_channels, dtype))
        self.running_mean = State(np.zeros(n_channels, dtype))
        self.running_var = State(np.ones(n_channels, dtype))
        self.momentum, self.eps, self.sync = momentum, eps, sync

    def forward(self, X):
        self.output_shape(X.shape[1:])
        self.of_batch = self.training and not self.is_frozen()
        self.channels = channels = Channels(X)
        rows = channels.rows(X)
        if self.of_batch:
            whole = self._whole_batch()
            self.m = whole.sum(X.size // X.shape[1])
            if self.m < 2:
                raise ValueError(
                    "BatchNormalization: a training batch needs at least 2 values per channel, got "
                    f"{self.m}"
                )
            mean = whole.sum(channels.sum(rows)) / self.m
            deviation = rows - channels.spread(mean)
            var = whole.sum(channels.sum(np.square(deviation))) / self.m
            self._track(mean, var, self.m)
        else:
            deviation = rows - channels.spread(self.running_mean.data)
            var = self.running_var.data
        self.inv_std = 1.0 / np.sqrt(var + self.eps)
        self.x_hat = deviation * channels.spread(self.inv_std)
        gamma, beta = (channels.spread(p.data) for p in (self.gamma, self.beta))
        return channels.back(gamma * self.x_hat + beta)

    def backward(self, dout):
        channels = self.channels
        dout = channels.rows(dout)
        dgamma, dbeta = channels.sum(dout * self.x_hat), channels.sum(dout)
        self.gamma.accumulate(dgamma)
        self.beta.accumulate(dbeta)
        if not self.needs_dX:
            return None
        scale = channels.spread(self.gamma.data * self.inv_std)
        if self.of_batch:
            whole = self._whole_batch()
            dmean, dvar = (channels.spread(whole.sum(g) / self.m) for g in (dbeta, dgamma))
            dout = dout - dmean - self.x_hat * dvar
        return channels.back(scale * dout)

    def _whole_batch(self):
        """What adds up over all parts of a batch that is cut."""
        return self.group if self.sync else ALONE

    def _track(self, mean, var, m: int) -> None:
        for state, batch in ((self.running_mean, mean), (self.running_var, var * (m / (m - 1)))):
            state.update(self.momentum * state.data + (1.0 - self.momentum) * batch)

    def output_shape(self, input_shape):
        check_channels("BatchNormalization", self.gamma.data.shape[0], input_shape)
        return input_shape

    @classmethod
    def infer(cls, input_shape):
        return {"n_channels": input_shape[0]}

    @classmethod
    def examples(cls, rng):
        for shape, momentum, eps in (((6, 3), 0.9, 1e-5), ((3, 2, 4, 3), 0.6, 0.2)):
            layer = cls(shape[1], momentum=momentum, eps=eps, dtype=np.float64)
            # Away from the initial 0 and 1, at which a forgotten γ or running mean would not show.
            for held in (layer.gamma, layer.beta, layer.running_mean):
                held.data = rng.standard_normal(shape[1])
            layer.running_var.data = rng.uniform(0.5, 2.0, shape[1])
            yield layer, rng.standard_normal(shape)
        frozen = copy.deepcopy(layer)
        frozen.gamma.trainable = frozen.beta.trainable = False
        yield frozen, rng.standard_normal(shape)

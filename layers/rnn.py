"""A simple recurrent layer."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.autodiff import outermost
from lamina.layers.initializers import xavier_uniform
from lamina.layers.recurrent import Recurrent, with_ones


class Rnn(Recurrent):
    """hₜ = f(xₜ Wx + hₜ₋₁ Wh + b) with f = tanh or ReLU, step by step (Elman network).

    Backward goes from the last step to the first (backpropagation through time), aₜ being what f
    is applied to:

        daₜ = (doutₜ + daₜ₊₁ Whᵀ) · f'(aₜ)      dh₀ = da₁ Whᵀ
        dX = dA Wxᵀ    dWx = Xᵀ dA    dWh = Σₜ hₜ₋₁ᵀ daₜ    db = Σ daₜ

    Shapes: X (N, T, D), h0 (N, H), zeros unless it is given, Y (N, T, H), or (N, H) with
    `last_only`; Wx (D, H), Wh (H, H), b (H,). `activation` is "tanh" or "relu". With `reverse` the
    steps go from the end of X to its start. Raises ShapeError for other inputs and for T = 0.
    Source: Elman 1990; Werbos 1990; Le et al. 2015 (ReLU).
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        activation: str = "tanh",
        reverse: bool = False,
        last_only: bool = False,
        stateful: bool = False,
        init=xavier_uniform,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        if activation not in ("tanh", "relu"):
            raise ValueError(f'Rnn: activation is "tanh" or "relu", got {activation!r:.60}')
        options = {"reverse": reverse, "last_only": last_only, "stateful": stateful}
        super().__init__(n_in, n_hidden, **options, init=init, rng=rng, dtype=dtype)
        self.activation = activation

    def forward(self, X, h0=None):
        n_given = int(h0 is not None)
        (h0,) = self.begin(X, h0)
        Wx, Wh, b = self.Wx.data, self.Wh.data, self.b.data
        self.X, self.n_given = with_ones(self.in_time(X)), n_given
        rows = self.X.reshape(-1, len(Wx) + 1)
        A = (rows @ np.concatenate([Wx, b[np.newaxis]])).reshape(*self.X.shape[:2], len(Wh))
        like = outermost(A, Wh, A if h0 is None else h0)
        self.h = np.zeros((len(A) + 1, *A.shape[1:]), A.dtype, like=like)
        if h0 is not None:
            self.h[0] = h0
        for a, before, h in zip(A, self.h, self.h[1:], strict=False):
            np.matmul(before, Wh, out=h)
            h += a
            self._activate(h)
        self.carry(self.h[-1])
        return self.output(self.h[1:])

    def _activate(self, a):
        if self.activation == "tanh":
            np.tanh(a, out=a)
        else:
            np.maximum(a, 0.0, out=a)

    def step(self, x, *given_and_state):
        """(h, (h,)): see Layer.step. What is carried from batch to batch takes no part."""
        x, (h,) = self.positions(x, *given_and_state)
        outputs = []
        for a in x @ self.Wx.data + self.b.data:
            a = a + h @ self.Wh.data
            h = np.tanh(a) if self.activation == "tanh" else np.maximum(a, 0.0)
            outputs.append(h)
        return self.stepped(outputs, h), (h,)

    def backward(self, dout):
        Wh, h, n_steps = self.Wh.data, self.h, len(self.h) - 1
        dA = np.empty(h[1:].shape, h.dtype, like=outermost(dout, h, Wh))
        dh = np.zeros(h[0].shape, h.dtype, like=dA)
        if self.last_only:
            dh += dout
        else:
            dout = self.in_time(dout)
        for t in range(n_steps - 1, -1, -1):
            da = dA[t]
            if not self.last_only:
                dh += dout[t]
            self.note_step(t, dh)
            if self.activation == "tanh":
                np.multiply(h[t + 1], h[t + 1], out=da)
                np.subtract(1.0, da, out=da)
                da *= dh
            else:
                np.multiply(dh, h[t + 1] > 0, out=da)
            np.matmul(da, Wh.T, out=dh)
        return self.finish(dA, dA, dh)

    @classmethod
    def examples(cls, rng):
        def layer(**settings):
            return cls(3, 4, rng=rng, dtype=np.float64, **settings)

        X, h0 = rng.standard_normal((2, 3, 3)), rng.standard_normal((2, 4))
        goes_on = layer(stateful=True)
        for carried in goes_on.carried.values():
            carried.update(rng.standard_normal((2, 4)), training=True)
        yield goes_on, X
        yield layer(), X
        yield layer(reverse=True), X, h0
        yield layer(activation="relu", last_only=True), X
        yield layer(activation="relu", last_only=True, reverse=True), X, h0

"""Gated recurrent unit."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.autodiff import outermost
from lamina.layers.base import Param
from lamina.layers.initializers import xavier_uniform
from lamina.layers.recurrent import Recurrent, sigmoid, with_ones


class Gru(Recurrent):
    """A recurrent layer whose gates say how much of h stays (z), and what it does to the rest (r).

        (r, z) = σ(xₜ Wx + hₜ₋₁ Wh + b)            the first two thirds of the columns
        n = tanh(xₜ Wx + b + r · q)                 the last third
        q = hₜ₋₁ Wh + bh                            the last third
        hₜ = (1 - z) · n + z · hₜ₋₁

    Backward goes from the last step to the first, dhₜ being doutₜ and what the step behind hands
    down:

        dn = dhₜ (1 - z) (1 - n²)    dq = dn r    dr = dn q r (1 - r)
        dz = dhₜ (hₜ₋₁ - n) z (1 - z)
        dhₜ₋₁ = dhₜ z + (dr, dz, dq) Whᵀ
        dX = dA Wxᵀ    dWx = Xᵀ dA    db = Σ dA    with dA = (dr, dz, dn)
        dWh = Σₜ hₜ₋₁ᵀ (dr, dz, dq)    dbh = Σ dq

    r is applied behind the product with Wh, as in PyTorch and cuDNN, so that one product serves all
    gates; the source applies it to hₜ₋₁ before. σ is computed by tanh, as in Sigmoid.

    Shapes: X (N, T, D), h0 (N, H), zeros unless it is given, Y (N, T, H), or (N, H) with
    `last_only`; Wx (D, 3 H), Wh (H, 3 H), b (3 H,), bh (H,), the gates in the order r, z, n. With
    `reverse` the steps go from the end of X to its start. Raises ShapeError for other inputs and
    for T = 0. Source: Cho et al. 2014, equations 5 to 8; PyTorch (nn.GRU).
    """

    n_gates = 3

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        reverse: bool = False,
        last_only: bool = False,
        stateful: bool = False,
        init=xavier_uniform,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        options = {"reverse": reverse, "last_only": last_only, "stateful": stateful}
        super().__init__(n_in, n_hidden, **options, init=init, rng=rng, dtype=dtype)
        self.bh = Param(np.zeros(n_hidden, dtype))

    def forward(self, X, h0=None):
        n_given = int(h0 is not None)
        (h0,) = self.begin(X, h0)
        Wx, Wh, b = (self._halved(p.data) for p in (self.Wx, self.Wh, self.b))
        (n, n_steps), n_hidden = X.shape[:2], self.n_hidden
        self.X, self.n_given = with_ones(self.in_time(X)), n_given
        rows = self.X.reshape(-1, len(Wx) + 1)
        A = rows @ np.concatenate([Wx, b[np.newaxis]])
        A = A.reshape(n_steps, n, 3 * n_hidden)
        like = outermost(A, Wh, self.bh.data, A if h0 is None else h0)
        self.h = np.zeros((n_steps + 1, n, n_hidden), A.dtype, like=like)
        self.q = np.empty((n_steps, n, n_hidden), A.dtype, like=like)
        self.gates = np.empty((n_steps, 3, n, n_hidden), A.dtype, like=like)
        if h0 is not None:
            self.h[0] = h0
        a = np.empty((n, 3 * n_hidden), A.dtype, like=like)
        by_gate = self.by_gate(a)
        for t in range(n_steps):
            before, h = self.h[t], self.h[t + 1]
            r, z, new = self.gates[t]
            np.matmul(before, Wh, out=a)
            np.add(by_gate[2], self.bh.data, out=self.q[t])
            a += A[t]
            squashed = self.gates[t, :2]
            np.tanh(by_gate[:2], out=squashed)
            squashed *= 0.5
            squashed += 0.5
            np.multiply(r, self.q[t], out=new)
            new += A[t, :, 2 * n_hidden :]
            np.tanh(new, out=new)
            np.subtract(before, new, out=h)
            h *= z
            h += new
        self.carry(self.h[-1])
        return self.output(self.h[1:])

    def _halved(self, W):
        """With half the columns of r and z: σ(a) = ½ tanh(½ a) + ½."""
        scale = np.ones(W.shape[-1], W.dtype, like=W)
        scale[: 2 * self.n_hidden] = 0.5
        return W * scale

    def step(self, x, *given_and_state):
        """(h, (h,)): see Layer.step. What is carried from batch to batch takes no part."""
        x, (h,) = self.positions(x, *given_and_state)
        outputs = []
        for a in x @ self.Wx.data + self.b.data:
            ar, az, an = np.split(a, 3, axis=1)
            qr, qz, q = np.split(h @ self.Wh.data, 3, axis=1)
            r, z = sigmoid(ar + qr), sigmoid(az + qz)
            h = z * h + (1.0 - z) * np.tanh(an + r * (q + self.bh.data))
            outputs.append(h)
        return self.stepped(outputs, h), (h,)

    def backward(self, dout):
        Wh, h = self.Wh.data, self.h
        back = Wh.T.copy()
        n_steps, n, n_hidden = self.q.shape
        like = outermost(dout, h, Wh)
        dA = np.empty((n_steps, n, 3 * n_hidden), h.dtype, like=like)
        dQ = np.empty(dA.shape, h.dtype, like=like)  # as dA, but with dq in the place of dn
        dh, dn, share = (np.zeros((n, n_hidden), h.dtype, like=like) for _ in range(3))
        slopes = np.empty((3, n, n_hidden), h.dtype, like=like)
        if self.last_only:
            dh += dout
        else:
            dout = self.in_time(dout)
        for t in range(n_steps - 1, -1, -1):
            r, z, new = gates = self.gates[t]
            da = self.by_gate(dA[t])
            if not self.last_only:
                dh += dout[t]
            self.note_step(t, dh)
            np.multiply(gates, gates, out=slopes)
            np.subtract(gates[:2], slopes[:2], out=slopes[:2])
            np.subtract(1.0, slopes[2], out=slopes[2])
            np.subtract(h[t], new, out=share)
            share *= dh
            np.multiply(share, slopes[1], out=da[1])
            np.multiply(dh, slopes[2], out=dn)
            dh *= z
            np.subtract(1.0, z, out=share)
            dn *= share
            da[2] = dn
            np.multiply(dn, self.q[t], out=share)
            np.multiply(share, slopes[0], out=da[0])
            dQ[t] = dA[t]
            np.multiply(dn, r, out=self.by_gate(dQ[t])[2])
            dh += dQ[t] @ back
        self.bh.accumulate(dQ.reshape(-1, 3 * n_hidden)[:, 2 * n_hidden :].sum(axis=0))
        return self.finish(dA, dQ, dh)

    @classmethod
    def examples(cls, rng):
        def layer(**settings):
            return cls(3, 2, rng=rng, dtype=np.float64, **settings)

        X, h0 = rng.standard_normal((2, 3, 3)), rng.standard_normal((2, 2))
        goes_on = layer(stateful=True)
        for carried in goes_on.carried.values():
            carried.update(rng.standard_normal((2, 2)), training=True)
        yield goes_on, X
        yield layer(), X
        yield layer(reverse=True), X, h0
        yield layer(last_only=True), X, h0
        yield layer(last_only=True, reverse=True), X

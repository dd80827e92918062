"""Long short-term memory."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.autodiff import outermost
from lamina.layers.initializers import xavier_uniform
from lamina.layers.recurrent import Recurrent, sigmoid, with_ones

FAR = 80.0  # exp goes no further: from there on σ is 0 to rounding, and float32 ends at 88


class Lstm(Recurrent):
    """A recurrent layer with a cell c beside the hidden state h, and gates that guard it.

        (i, f, o, g) = (σ, σ, σ, tanh)(xₜ Wx + hₜ₋₁ Wh + b)
        cₜ = f · cₜ₋₁ + i · g        hₜ = o · tanh(cₜ)

    Backward goes from the last step to the first, with dhₜ = doutₜ + daₜ₊₁ Whᵀ, aₜ being the four
    columns that σ and tanh are applied to:

        dcₜ = dhₜ · o · (1 - tanh² cₜ) + dcₜ₊₁ · fₜ₊₁
        daₜ = (dcₜ g i (1 - i), dcₜ cₜ₋₁ f (1 - f), dhₜ tanh(cₜ) o (1 - o), dcₜ i (1 - g²))
        dX = dA Wxᵀ    dWx = Xᵀ dA    dWh = Σₜ hₜ₋₁ᵀ daₜ    db = Σ daₜ

    σ and tanh of the gates are both taken from one exp of all columns, which is faster than tanh.
    The bias of f begins at `forget_bias`, so that a cell keeps what it has until it learns to
    forget.

    Shapes: X (N, T, D), h0 and c0 (N, H), zeros unless they are given, Y (N, T, H), or (N, H) with
    `last_only`; Wx (D, 4 H), Wh (H, 4 H), b (4 H,), the gates in the order i, f, o, g (PyTorch has
    i, f, g, o). With `reverse` the steps go from the end of X to its start. Raises ShapeError for
    other inputs and for T = 0.
    Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000 (forget gate); Jozefowicz et al. 2015
    (its bias).
    """

    n_gates = 4
    states = ("h0", "c0")

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        forget_bias: float = 1.0,
        reverse: bool = False,
        last_only: bool = False,
        stateful: bool = False,
        init=xavier_uniform,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        options = {"reverse": reverse, "last_only": last_only, "stateful": stateful}
        super().__init__(n_in, n_hidden, **options, init=init, rng=rng, dtype=dtype)
        self.b.data[n_hidden : 2 * n_hidden] = forget_bias

    def forward(self, X, h0=None, c0=None):
        n_given = sum(state is not None for state in (h0, c0))
        h0, c0 = self.begin(X, h0, c0)
        Wx, Wh, b = (self._scaled(p.data) for p in (self.Wx, self.Wh, self.b))
        (n, n_steps), n_hidden = X.shape[:2], self.n_hidden
        self.X, self.n_given = with_ones(self.in_time(X)), n_given
        rows = self.X.reshape(-1, len(Wx) + 1)
        W = np.concatenate([Wx, b[np.newaxis]])
        like = outermost(rows, W, Wh, *(s for s in (h0, c0) if s is not None))
        dtype = np.result_type(rows.dtype, W.dtype)
        A = np.empty((n_steps, n, 4 * n_hidden), dtype, like=like)
        np.matmul(rows, W, out=A.reshape(-1, 4 * n_hidden))
        self.h, self.c = (
            np.empty((n_steps + 1, n, n_hidden), A.dtype, like=like) for _ in range(2)
        )
        self.tanh_c = np.empty((n_steps, n, n_hidden), A.dtype, like=like)
        self.gates = A.reshape(n_steps, 4, n, n_hidden)  # each step's take the place of its columns
        far = np.full((n, 4 * n_hidden), FAR, A.dtype, like=like)  # faster than a number
        for kept, state in ((self.h, h0), (self.c, c0)):
            kept[0] = 0.0 if state is None else state
        a = np.empty((n, 4 * n_hidden), A.dtype, like=like)
        by_gate, product = self.by_gate(a), np.empty((n, n_hidden), A.dtype, like=like)
        for t in range(n_steps):
            np.matmul(self.h[t], Wh, out=a)
            a += A[t]
            np.minimum(a, far, out=a)
            np.exp(a, out=a)
            a += 1.0
            i, f, o, g = gates = self.gates[t]
            np.reciprocal(by_gate, out=gates)
            g *= 2.0
            g -= 1.0
            c, tanh_c = self.c[t + 1], self.tanh_c[t]
            np.multiply(f, self.c[t], out=c)
            np.multiply(i, g, out=product)
            c += product
            np.tanh(c, out=tanh_c)
            np.multiply(o, tanh_c, out=self.h[t + 1])
        self.carry(self.h[-1], self.c[-1])
        return self.output(self.h[1:])

    def _scaled(self, W):
        """With columns for σ(a) = 1 / (1 + exp(-a)) and tanh(a) = 2 / (1 + exp(-2 a)) - 1."""
        scale = np.full(W.shape[-1], -1.0, W.dtype, like=W)
        scale[3 * self.n_hidden :] = -2.0
        return W * scale

    def step(self, x, *given_and_state):
        """(h, (h, c)): see Layer.step. What is carried from batch to batch takes no part."""
        x, (h, c) = self.positions(x, *given_and_state)
        outputs = []
        for a in x @ self.Wx.data + self.b.data:
            i, f, o, g = np.split(a + h @ self.Wh.data, 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        return self.stepped(outputs, h), (h, c)

    def backward(self, dout):
        Wh, h, c = self.Wh.data, self.h, self.c
        back = Wh.T.copy()
        n_steps, n, n_hidden = self.tanh_c.shape
        like = outermost(dout, h, Wh)
        dA = np.empty((n_steps, n, 4 * n_hidden), h.dtype, like=like)
        dh, dc = (np.zeros((n, n_hidden), h.dtype, like=like) for _ in range(2))
        slopes, shares = (np.empty((4, n, n_hidden), h.dtype, like=like) for _ in range(2))
        through = np.empty((n, n_hidden), h.dtype, like=like)
        (of_sigmas, of_tanh), by_gate = (slopes[:3], slopes[3]), self.by_gate(dA)
        if self.last_only:
            dh += dout
        else:
            dout = self.in_time(dout)
        for t in range(n_steps - 1, -1, -1):
            i, f, o, g = gates = self.gates[t]
            tanh_c = self.tanh_c[t]
            if not self.last_only:
                dh += dout[t]
            self.note_step(t, dh, dc)
            np.multiply(h[t + 1], tanh_c, out=through)
            np.subtract(o, through, out=through)  # o (1 - tanh² c), since h = o tanh c
            through *= dh
            dc += through
            others = g, c[t], tanh_c, i
            for share, d, other in zip(shares, (dc, dc, dh, dc), others, strict=True):
                np.multiply(d, other, out=share)
            np.multiply(gates, gates, out=slopes)
            np.subtract(gates[:3], of_sigmas, out=of_sigmas)
            np.subtract(1.0, of_tanh, out=of_tanh)
            np.multiply(slopes, shares, out=by_gate[t])
            dc *= f
            np.matmul(dA[t], back, out=dh)
        return self.finish(dA, dA, dh, dc)

    @classmethod
    def examples(cls, rng):
        def layer(**settings):
            return cls(3, 2, rng=rng, dtype=np.float64, **settings)

        X = rng.standard_normal((2, 3, 3))
        h0, c0 = rng.standard_normal((2, 2)), rng.standard_normal((2, 2))
        goes_on = layer(stateful=True)
        for carried in goes_on.carried.values():
            carried.update(rng.standard_normal((2, 2)), training=True)
        yield goes_on, X
        yield layer(), X
        yield layer(reverse=True), X, h0, c0
        yield layer(last_only=True), X, h0
        yield layer(last_only=True, reverse=True), X

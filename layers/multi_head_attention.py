"""Multi-head attention: each position takes a mean of others, weighted by how well they answer."""

import math

import numpy as np
from numpy.typing import DTypeLike

from lamina.autodiff import outermost
from lamina.layers.base import Layer, Param
from lamina.layers.beside import beside
from lamina.layers.dropout import Dropout
from lamina.layers.errors import ShapeError, StepError, batch_of
from lamina.layers.initializers import xavier_uniform


class MultiHeadAttention(Layer):
    """Y = C W_out + b_out, where C has, side by side, what each head found:

        Q | K | V = X W + b        A = softmax(Q Kᵀ / √d)        C = A V        d = n_dims / n_heads

    Each head works with its own d columns of Q, K and V. With `cross`, queries come from X, and
    keys and values from a second input S (a decoder that looks at what an encoder gave); else S is
    X. `causal` hides from each position those after it. The last input may be a mask of booleans or
    whole numbers: 0 hides a key, for padding. A position that sees no key at all gets C = 0.
    `dropout` is the probability for an entry of A in training. With g = dout W_outᵀ,

        dV = Aᵀ g        dA = g Vᵀ        dS = A (dA - Σₖ A dA)        dQ = dS K / √d
        dK = dSᵀ Q / √d        dW = Xᵀ (dQ | dK | dV)        dX = (dQ | dK | dV) Wᵀ

    where Σₖ A dA, over the keys, is g · C: a shorter sum.

    Shapes: X (N, T, n_dims), S (N, S, n_dims), mask (N, S), W (n_dims, 3 n_dims), b (3 n_dims,),
    W_out (n_dims, n_dims), b_out (n_dims,), Y (N, T, n_dims). A (N, n_heads, T, S) is kept, to be
    looked at. `bias=False` leaves out b and b_out. `step` keeps keys and values: those of all
    positions so far, which needs `causal`, or with `cross` those of S. It drops nothing.
    Raises ValueError unless n_heads divides n_dims, ShapeError for other inputs, TypeError for a
    mask of other numbers. Source: Vaswani et al. 2017, section 3.2; Dao et al. 2022, appendix B.4
    (the shorter sum). W begins as in PyTorch.
    """

    def __init__(
        self,
        n_dims: int,
        n_heads: int,
        *,
        cross: bool = False,
        causal: bool = False,
        dropout: float = 0.0,
        bias: bool = True,
        init=xavier_uniform,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        if n_dims < 1 or n_heads < 1 or n_dims % n_heads:
            raise ValueError(
                "MultiHeadAttention: n_heads must divide n_dims, both at least 1; got n_dims "
                f"{n_dims} and n_heads {n_heads}"
            )
        if cross and causal:
            raise ValueError(
                "MultiHeadAttention: causal is for positions of one sequence, cross for two; "
                "choose one"
            )
        rng = np.random.default_rng(rng)
        self.n_dims, self.n_heads, self.cross, self.causal = n_dims, n_heads, cross, causal
        self.W = Param(init((n_dims, 3 * n_dims), rng, dtype))
        self.b = Param(np.zeros(3 * n_dims, dtype)) if bias else None
        self.W_out = Param(init((n_dims, n_dims), rng, dtype))
        self.b_out = Param(np.zeros(n_dims, dtype)) if bias else None
        self.dropout = Dropout(dropout, rng=rng) if dropout else None

    def forward(self, X, *others):
        self.output_shape(X.shape[1:], *(other.shape[1:] for other in others))
        mask = self._mask(X, others)
        self.masked = mask is not None
        self.X, self.S = X, others[0] if self.cross else X
        uses = self._uses()
        self.Q, self.K, self.V = (part for use in uses for part in self._project(*use))
        self.A = _weights(self.Q, self.K, self._seen(self.Q, self.K, mask))
        self.dropped = self.A if self.dropout is None else self.dropout.forward(self.A)
        self.C = self._means(self.dropped, self.V)
        return self._out(self.C).reshape(X.shape)

    def backward(self, dout):
        d = dout.reshape(-1, self.n_dims)
        self.W_out.accumulate(self.C.T @ d)
        if self.b_out is not None:
            self.b_out.accumulate(d.sum(axis=0))
        (g,) = self._heads(d @ self.W_out.data.T, dout)
        (C,) = self._heads(self.C, dout)
        uses = self._uses()
        like = outermost(g, self.A, self.V)
        size = [(Z.shape[0] * Z.shape[1], self.W.data[:, part].shape[1]) for Z, part in uses]
        dPs = [np.empty(shape, dout.dtype, like=like) for shape in size]
        pairs = zip(dPs, uses, strict=True)
        dQ, dK, dV = (part for dP, (Z, _) in pairs for part in self._heads(dP, Z))
        np.matmul(self.dropped.swapaxes(2, 3), g, out=dV)
        g = g * _scale(self.Q)  # a smaller array than dS
        dS = g @ self.V.swapaxes(2, 3)  # dA so far
        dS = dS if self.dropout is None else self.dropout.backward(dS)
        dS -= np.einsum("nhtd,nhtd->nht", g, C)[..., np.newaxis]
        dS *= self.A
        np.matmul(dS, self.K, out=dQ)
        np.matmul(dS.swapaxes(2, 3), self.Q, out=dK)
        return self._through_projections(uses, dPs)

    def _through_projections(self, uses, dPs):
        dW = [Z.reshape(-1, self.n_dims).T @ dP for (Z, _), dP in zip(uses, dPs, strict=True)]
        self.W.accumulate(_joined(dW))
        if self.b is not None:
            self.b.accumulate(_joined([dP.sum(axis=0) for dP in dPs]))
        if not self.needs_dX:
            return None
        W = self.W.data
        dZs = [
            (dP @ W[:, part].T).reshape(Z.shape) for (Z, part), dP in zip(uses, dPs, strict=True)
        ]
        dZs += [None] * self.masked
        return dZs[0] if len(dZs) == 1 else tuple(dZs)

    def step(self, x, *others_and_state):
        """(Y, state) for the positions of x, which follow those in `state` (None at first): keys,
        values, and the mask so far; with `cross` the keys and values of S, made once."""
        *others, state = others_and_state or (None,)
        if not self.can_step:
            raise StepError(
                "MultiHeadAttention: goes step by step only with causal=True; without it each "
                "position sees those after it"
            )
        self.output_shape(x.shape[1:], *(other.shape[1:] for other in others))
        D, mask = self.n_dims, self._mask(x, others)
        (Q,) = self._project(x, slice(D))
        if self.cross:
            state = tuple(self._project(others[0], slice(D, None))) if state is None else state
        else:
            new = (*self._project(x, slice(D, None)), *others)
            if state is not None:
                axes = (2, 2, 1)  # of the positions
                new = tuple(map(np.concatenate, zip(state, new, strict=True), axes))
            state, mask = new, None if mask is None else new[2]
        K, V = state[:2]
        A = _weights(Q, K, self._seen(Q, K, mask))
        return self._out(self._means(A, V)).reshape(x.shape), state

    @property
    def can_step(self):
        return self.cross or self.causal

    def _uses(self) -> list:
        """(an input, the columns of W that it is multiplied with): all of them if it is alone."""
        if not self.cross:
            return [(self.X, slice(None))]
        return [(self.X, slice(self.n_dims)), (self.S, slice(self.n_dims, None))]

    def _project(self, Z, part: slice):
        """Of Q, K and V those in this part of W, (..., N, n_heads, T, d)."""
        P = Z.reshape(-1, self.n_dims) @ self.W.data[:, part]
        if self.b is not None:
            P = P + self.b.data[part]
        return self._heads(P, Z)

    def _heads(self, P, Z):
        """Rows for the positions of Z, as k arrays (N, n_heads, T, d): views."""
        (n, t), k = Z.shape[:2], P.shape[1] // self.n_dims
        heads = P.reshape(n, t, k, self.n_heads, self.n_dims // self.n_heads)
        return heads.transpose(2, 0, 3, 1, 4)

    def _means(self, A, V):
        """A V of all heads side by side, a row for each position."""
        n, _, t, _ = A.shape
        C = np.empty((n, t, self.n_dims), V.dtype, like=outermost(A, V))
        rows = C.reshape(-1, self.n_dims)
        np.matmul(A, V, out=self._heads(rows, C)[0])
        return rows

    def _out(self, C):
        Y = C @ self.W_out.data
        return Y if self.b_out is None else Y + self.b_out.data

    def _mask(self, X, others):
        """The mask among the inputs, or None."""
        if any(len(other) != len(X) for other in others):
            sizes = ", ".join(str(len(Z)) for Z in (X, *others))
            raise ShapeError("MultiHeadAttention", "inputs of one batch size", sizes)
        if len(others) == self.cross:
            return None
        if others[-1].dtype.kind not in "biu":
            raise TypeError(
                "MultiHeadAttention: a mask is of booleans or whole numbers, 0 where a key is "
                f"hidden; got {others[-1].dtype}"
            )
        return others[-1]

    def _seen(self, Q, K, mask):
        """Which keys which positions see, to be broadcast to (N, n_heads, T, S); None for all."""
        t, s = Q.shape[2], K.shape[2]
        seen = beside(Q, np.tri(t, s, s - t, dtype=bool)) if self.causal else None
        if mask is None:
            return seen
        mask = (mask != 0)[:, np.newaxis, np.newaxis]
        return mask if seen is None else mask & seen

    def output_shape(self, input_shape, *others):
        D = self.n_dims
        if len(input_shape) != 2 or input_shape[-1] != D:
            raise ShapeError("MultiHeadAttention", f"(N, T, {D})", batch_of(input_shape))
        if not self.cross <= len(others) <= self.cross + 1:
            wanted = f"X{' and a source S' if self.cross else ''}, and perhaps a mask"
            raise ShapeError("MultiHeadAttention", wanted, f"inputs, {1 + len(others)} of them")
        if self.cross and (len(others[0]) != 2 or others[0][-1] != D):
            raise ShapeError("MultiHeadAttention", f"a source (N, S, {D})", batch_of(others[0]))
        n_keys = (others[0] if self.cross else input_shape)[0]
        if len(others) > self.cross and others[-1] != (n_keys,):
            wanted = f"a mask (N, {n_keys}), a number for each key"
            raise ShapeError("MultiHeadAttention", wanted, batch_of(others[-1]))
        return input_shape

    def flops(self, input_shape, *others):
        t, s, D = input_shape[0], (others[0] if self.cross else input_shape)[0], self.n_dims
        return 4 * D * (t * D + s * D + t * s)

    def backward_flops(self, input_shape, *others):
        """Of its products a part alone is with X: without dX the others still go both ways."""
        t, s, D = input_shape[0], (others[0] if self.cross else input_shape)[0], self.n_dims
        of_dX = 0 if self.needs_dX else 2 * D * (t * D + 2 * s * D)
        return 2 * self.flops(input_shape, *others) - of_dX

    @classmethod
    def infer(cls, input_shape):
        return {"n_dims": input_shape[-1]}

    @classmethod
    def examples(cls, rng):
        def layer(n_dims, n_heads, **settings):
            attention = cls(n_dims, n_heads, rng=rng, dtype=np.float64, **settings)
            if attention.b is not None:
                attention.b.data = rng.standard_normal(3 * n_dims)
            return attention

        X, S = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 5, 4))
        yield layer(4, 2), X
        yield layer(4, 1, causal=True, bias=False), X
        yield (
            layer(6, 3, causal=True),
            rng.standard_normal((2, 3, 6)),
            np.array([[0, 1, 1], [1, 1, 0]]),
        )
        yield layer(4, 2, cross=True), X, S
        yield layer(4, 2, cross=True, dropout=0.4), X, S, rng.random((2, 5)) < 0.6


def _weights(Q, K, seen):
    """softmax(Q Kᵀ / √d) over the keys that are seen; 0 where none is. Shifted by the largest
    score, so that no exponential overflows."""
    if K.shape[2] == 0:
        raise ShapeError("MultiHeadAttention", "at least one key to look at", "none")
    A = (Q * _scale(Q)) @ K.swapaxes(2, 3)
    blind = None
    if seen is not None:
        blind = ~seen.any(axis=-1, keepdims=True)  # these see all for now, instead of 0 / 0
        A += np.where(seen | blind, 0.0, -np.inf).astype(A.dtype)
    A -= A.max(axis=-1, keepdims=True)
    np.exp(A, out=A)
    ones = np.ones(A.shape[-1], A.dtype, like=A)
    A /= (A @ ones)[..., np.newaxis]  # a product adds up rows fastest
    if blind is not None and blind.any():
        A *= ~blind
    return A


def _scale(Q) -> float:
    return 1.0 / math.sqrt(Q.shape[-1])


def _joined(parts: list):
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)

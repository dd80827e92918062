"""What recurrent layers share: how they are made, their shapes, and time-major memory."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param
from lamina.layers.carried import Carried
from lamina.layers.errors import ShapeError, StepError
from lamina.layers.floats import check_floats
from lamina.layers.initializers import xavier_uniform


class Recurrent(Layer):
    """Base of Rnn, Lstm and Gru: sequences (N, T, D) to the hidden states (N, T, H), one per step.

    `Wx` (D, G H), `Wh` (H, G H) and `b` (G H,) have the columns of the G gates side by side; `init`
    draws each gate by itself. With `reverse` the last step is the first, and its output stays at
    its place; with `last_only` the output is that of the step taken last, (N, H). With `stateful`
    a batch goes on where the one before it ended, row by row: see layers/carried.py. First states
    that are given take the place of what is carried.

    Inside, the first axis is time: what a step needs lies in one piece.
    """

    n_gates = 1
    # Made by name, below.
    Wx: Param  # (D, G H)
    Wh: Param  # (H, G H)
    X: Any  # (T, N, D + 1), inputs and ones: kept by the subclass's forward, for finish
    h: Any  # (T + 1, N, H), the states: kept by it too
    n_given: int  # how many first states it was given: kept by it too
    states: tuple[str, ...] = ("h0",)  # the inputs beside X, which may be left out
    watched = False  # is backward to note its `step_norms`?
    step_norms: np.ndarray | None = None

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
        if n_in < 1 or n_hidden < 1:
            kind = type(self).__name__
            raise ValueError(f"{kind}: n_in and n_hidden are at least 1, got {n_in} and {n_hidden}")
        if stateful and reverse:
            raise ValueError(
                f"{type(self).__name__}: stateful goes on where the batch before ended, and "
                "reverse ends where a batch begins: take one of the two"
            )
        rng, gates = np.random.default_rng(rng), range(self.n_gates)
        for name, n in (("Wx", n_in), ("Wh", n_hidden)):
            drawn = [init((n, n_hidden), rng, dtype) for _ in gates]
            setattr(self, name, Param(np.concatenate(drawn, axis=1)))
        self.b = Param(np.zeros(self.n_gates * n_hidden, dtype))
        self.reverse, self.last_only, self.stateful = reverse, last_only, stateful
        self.carried = {name: Carried(n_hidden) for name in self.states} if stateful else {}

    def begin(self, X, *states) -> tuple:
        """The states that the steps begin with: those given, else those carried; None is zero.

        Raises ShapeError for inputs that do not fit together; states may be None, but not one
        before another that is given. TypeError for whole numbers."""
        check_floats(self, X, *(state for state in states if state is not None))
        self.output_shape(X.shape[1:], *(np.shape(s)[1:] for s in states if s is not None))
        for name, state in zip(self.states, states, strict=True):
            if state is None and states[-1] is not None:
                raise TypeError(f"{type(self).__name__}: {self.states[-1]} needs {name} beside it")
            if state is not None and len(state) != len(X):
                expected = f"{name} ({len(X)}, {self.n_hidden}), a row for each sequence"
                raise ShapeError(type(self).__name__, expected, str(state.shape))
        if self.stateful and states[0] is None:
            return tuple(one.of(len(X), self.training) for one in self.carried.values())
        return states

    def positions(self, x, *given_and_state) -> tuple:
        """(x (T, N, D), the states to begin with) of a step: at first those that are given, later
        those of the step before; then there may be no position, too. Raises StepError if the layer
        goes from the end, ShapeError for states of other sequences."""
        *given, state = given_and_state or (None,)
        kind = type(self).__name__
        if not self.can_step:
            raise StepError(f"{kind} cannot go step by step: with reverse it begins at the end")
        zeros = np.zeros((len(x), self.n_hidden), self.Wh.data.dtype)
        if state is None:
            state = *given, *(zeros,) * (len(self.states) - len(given))
        if x.shape[1] or given_and_state[-1:] == (None,):
            self.begin(x, *state)
        return self.in_time(x), state

    @property
    def can_step(self):
        return not self.reverse

    def stepped(self, outputs: list, h):
        """The output of a step from the hidden states after each of its positions, h the last."""
        if self.last_only:
            return h
        return np.stack(outputs, axis=1) if outputs else h[:, np.newaxis][:, :0]

    def finish(self, dA, dQ, *first):
        """What every backward ends with. dA (T, N, G H) are the gradients of what the gates are
        applied to, dQ those of its products with h, the same unless a gate stands between; `first`
        are those of the first states. The parameters' are added, and dX is returned, with those of
        the first states that were given."""
        d, dq = (a.reshape(-1, a.shape[-1]) for a in (dA, dQ))
        dW = self.X.reshape(len(d), self.X.shape[2]).T @ d
        self.Wx.accumulate(dW[:-1])
        self.Wh.accumulate(self.h[:-1].reshape(len(d), self.n_hidden).T @ dq)
        self.b.accumulate(dW[-1])
        if not self.needs_dX:
            return None
        back = self.Wx.data.T.copy()  # a tenth faster than the view
        dX = (d @ back).reshape(*dA.shape[:2], self.Wx.data.shape[0])
        dX = self.out_of_time(dX)
        return (dX, *first[: self.n_given]) if self.n_given else dX

    def carry(self, *states) -> None:
        """Keep the last states for the next batch, if the layer is stateful."""
        for one, rows in zip(self.carried.values(), states, strict=False):
            one.update(rows, self.training)

    def note_step(self, t: int, *gradients) -> None:
        """Keep in `step_norms` (T, N) the norms of the gradient by the states after step t, in the
        order in which the steps are taken: of h, with what is asked of it there, and of c as the
        next step reads it. Of what the gates are applied to, it would have the slopes of the step
        itself, which say nothing of the way between two steps. Only if `watched`."""
        if not self.watched or not isinstance(gradients[0], np.ndarray):
            return
        n_steps = len(self.h) - 1
        if self.step_norms is None or t == n_steps - 1:
            self.step_norms = np.zeros((n_steps, len(gradients[0])))
        # In float32 a square ends at 1e-45.
        squares = sum(np.einsum("nh,nh->n", d, d, dtype=np.float64) for d in gradients)
        self.step_norms[t] = np.sqrt(squares)

    def by_gate(self, a):
        """(..., N, G H) as (..., G, N, H): a view."""
        return a.reshape(*a.shape[:-1], self.n_gates, self.n_hidden).swapaxes(-3, -2)

    @property
    def n_hidden(self) -> int:
        """H."""
        return self.Wh.data.shape[0]

    def in_time(self, X):
        """(N, T, ...) as (T, N, ...), in the order in which the steps are taken: a view."""
        X = X.transpose(1, 0, 2)
        return X[::-1] if self.reverse else X

    def out_of_time(self, X):
        """(T, N, ...) as (N, T, ...) again: a view."""
        return (X[::-1] if self.reverse else X).transpose(1, 0, 2)

    def output(self, H):
        """The output, from the hidden states (T, N, H): a view."""
        return H[-1] if self.last_only else self.out_of_time(H)

    def output_shape(self, input_shape, *states):
        kind, n_in = type(self).__name__, self.Wx.data.shape[0]
        if len(input_shape) != 2 or input_shape[1] != n_in or input_shape[0] == 0:
            got = f"(N, {', '.join(map(str, input_shape))})"
            raise ShapeError(kind, f"sequences (N, T, {n_in}) of at least one step", got)
        for name, shape in zip(self.states, states, strict=False):
            if tuple(shape) != (self.n_hidden,):
                got = f"(N, {', '.join(map(str, shape))})"
                raise ShapeError(kind, f"{name} (N, {self.n_hidden})", got)
        return (self.n_hidden,) if self.last_only else (input_shape[0], self.n_hidden)

    def flops(self, input_shape, *states):
        return 2 * input_shape[0] * (self.Wx.data.size + self.Wh.data.size)

    def backward_flops(self, input_shape, *states):
        """Through Wh it goes back in time without dX too."""
        back = self.Wh.data.size + self.needs_dX * self.Wx.data.size
        return self.flops(input_shape) + 2 * input_shape[0] * back

    @classmethod
    def infer(cls, input_shape):
        return {"n_in": input_shape[-1]}


def with_ones(X):
    """(T, N, D + 1): X and a last column of ones, whose weights are the bias (X' = [X 1] of note
    004), in one piece of memory."""
    *places, n = X.shape
    wide = np.ones((*places, n + 1), X.dtype, like=X)
    wide[..., :n] = X
    return wide


def sigmoid(a):
    """σ, computed as in Sigmoid."""
    return 0.5 * np.tanh(0.5 * a) + 0.5

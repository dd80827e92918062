"""ONNX operators of sequences, as layers: RNN, LSTM and GRU, and the order of axes about them.

There the steps come first, (T, N, D), and the directions have an axis of their own; here the batch
does, and a direction is a layer. So what lies between is not moved: `Steps` says in which order its
axes are, and is a Blob again when they are in ours.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from lamina.exchange.onnx_in_functions import (
    OPERATORS,
    Blob,
    Constant,
    OnnxError,
    known,
    onnx_operator,
)
from lamina.layers import Concatenation, Gru, LastStep, Lstm, Rnn


@dataclasses.dataclass(frozen=True)
class Steps:
    """What layers give, (N, T, H) or (N, H), a blob for each direction, as an array whose axes are
    in the order of `axes`: T steps, D directions, N samples, H features."""

    blobs: tuple[Blob, ...]
    axes: str

    @property
    def dtype(self) -> np.dtype:
        return self.blobs[0].dtype

    def sizes(self, batch: int) -> tuple[tuple, int]:
        """(its shape, which of its axes is the batch)."""
        of = {"N": batch, "T": self.blobs[0].shape[0], "H": self.blobs[0].shape[-1]}
        of["D"] = len(self.blobs)
        return tuple(of[name] for name in self.axes), self.axes.index("N")

    def ordered(self):
        """Itself, or the Blob that it is if its axes are in our order."""
        if self.axes in ("NTH", "NH") and len(self.blobs) == 1:
            return self.blobs[0]
        return self


def turned(X: Blob, perm: list[int]) -> Steps | None:
    """Sequences (N, T, H) whose steps are put first; None for another turn."""
    return Steps((X,), "TNH") if X.ndim == 3 and perm == [1, 0, 2] else None


def in_front(X: Blob, axes: list[int]) -> Steps | None:
    """States (N, H) with an axis in front for the direction; None for other axes."""
    return Steps((X,), "DNH") if X.ndim == 2 and axes == [0] else None


# What may be done with axes in another order; anything else is refused, by name.


def of_steps(node, graph, inputs: list):
    """What an operator makes of Steps."""
    function = _OF_STEPS.get(node.operator)
    if function is None:
        raise OnnxError(
            "of sequences whose steps come before their samples, (T, N, ...), which layers do not "
            "have; export the net with batch_first"
        )
    return function(node, graph, *inputs)


def _transpose(node, graph, X):
    perm = node.get("perm", list(range(len(X.axes)))[::-1])
    if sorted(perm) != list(range(len(X.axes))):
        raise OnnxError(f"has the axes {perm} for an array of {len(X.axes)} axes")
    return Steps(X.blobs, "".join(X.axes[i] for i in perm)).ordered()


def _squeeze(node, graph, X, axes=None):
    axes = node.axes(axes)
    found = {axis + len(X.axes) if axis < 0 else axis for axis in axes or ()}
    if len(X.blobs) > 1 or "D" not in X.axes or found != {X.axes.index("D")}:
        raise OnnxError(f"of axes {axes} of {', '.join(X.axes)}: only one direction is taken away")
    return Steps(X.blobs, X.axes.replace("D", "")).ordered()


def _reshape(node, graph, X, shape):
    """Directions and features put together, as PyTorch does it."""
    allow_zero, shape = node.get("allowzero", 0), known(shape, "the shape")
    numbers, batch = shape.array.reshape(-1), shape.batch
    of = {"T": X.blobs[0].shape[0], "N": graph.batch, "H": sum(b.shape[-1] for b in X.blobs)}
    axes = X.axes.replace("D", "")
    is_batch = [False] * len(numbers) if batch is None else list(batch.reshape(-1))
    fits = X.axes.endswith("DH") and len(numbers) == len(axes) and list(numbers).count(-1) <= 1
    for i, (n, name) in enumerate(zip(numbers, axes, strict=False)):
        kept = n == 0 and not allow_zero and X.axes[i] == name
        fits = fits and (n == -1 or kept or n == of[name] or is_batch[i])
        fits = fits and (name == "N" or not is_batch[i])
    if not fits:
        raise OnnxError(f"of {', '.join(X.axes)} to {list(map(int, numbers))} is not known")
    return Steps((_joined(graph, X.blobs),), axes).ordered()


def _joined(graph, blobs: tuple) -> Blob:
    if len(blobs) == 1:
        return blobs[0]
    return graph.add(Concatenation(blobs[0].ndim - 1), *blobs)


def _gather(node, graph, X, indices):
    """One direction of the last states."""
    index = known(indices, "which it takes")
    if node.get("axis", 0) != 0 or not X.axes.startswith("D") or index.array.ndim:
        raise OnnxError(f"of {', '.join(X.axes)}: only one direction of the last states is taken")
    n, which = len(X.blobs), int(index.number())
    if not -n <= which < n:
        raise OnnxError(f"has no direction {which}")
    return Steps((X.blobs[which],), X.axes[1:]).ordered()


def _same(node, graph, X, *others):
    """Dropout between layers: in training it drops, as here."""
    if len(X.blobs) > 1:
        raise OnnxError("of several directions at once")
    return Steps((OPERATORS[node.operator](node, graph, X.blobs[0], *others),), X.axes)


_OF_STEPS: dict[str, Callable] = {
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Gather": _gather,
    "Dropout": _same,
    "Identity": _same,
}


RECURRENT = ("RNN", "LSTM", "GRU")

# Recurrent layers. `order` says which of our gates stands at each place there.


@onnx_operator("RNN")
def rnn(node, graph, X, W, R, B=None, lengths=None, h0=None):
    names = {name.lower() for name in node.get("activations", ["Tanh"])}
    if names not in ({"tanh"}, {"relu"}):
        raise OnnxError(f"with the activations {', '.join(sorted(names))}; Rnn has tanh or relu")
    made = {"activation": names.pop()}
    return _recurrent(node, graph, Rnn, made, (0,), X, W, R, B, lengths, h0)


@onnx_operator("LSTM")
def lstm(node, graph, X, W, R, B=None, lengths=None, h0=None, c0=None, P=None):
    _check_activations(node, ["sigmoid", "tanh", "tanh"])
    if P is not None and (not isinstance(P, Constant) or P.array.any()):
        raise OnnxError("with peepholes is no Lstm")
    if node.get("input_forget", 0):
        raise OnnxError("with the gates of input and forgetting coupled is no Lstm")
    return _recurrent(node, graph, Lstm, {}, (0, 2, 1, 3), X, W, R, B, lengths, h0, c0)  # i o f g


@onnx_operator("GRU")
def gru(node, graph, X, W, R, B=None, lengths=None, h0=None):
    _check_activations(node, ["sigmoid", "tanh"])
    if not node.get("linear_before_reset", 0):
        raise OnnxError(
            "with r before the product with Wh (linear_before_reset 0); Gru has it behind, as "
            "PyTorch and cuDNN do"
        )
    return _recurrent(node, graph, Gru, {}, (1, 0, 2), X, W, R, B, lengths, h0)  # z r n


def _check_activations(node, usual: list[str]) -> None:
    given = [name.lower() for name in node.get("activations", usual)]
    if given != usual * (len(given) // len(usual)) or not given:
        raise OnnxError(f"with the activations {', '.join(given)}, where {', '.join(usual)} are")


def _recurrent(node, graph, cls, made, order, X, W, R, B, lengths, *states):
    """A layer for each direction; (all hidden states, the last ones)."""
    first = bool(node.get("layout", 0))
    X = X if isinstance(X, Steps) else Steps((X,), "NTH")
    if X.axes != ("NTH" if first else "TNH") or X.blobs[0].ndim != 3 or len(X.blobs) > 1:
        raise OnnxError(f"of an array ({', '.join(X.axes)}), where sequences are read")
    if lengths is not None:
        _check_lengths(lengths, X.blobs[0].shape[0])
    W, R, B = known(W, "W"), known(R, "R"), None if B is None else known(B, "B")
    n_directions, n_hidden = R.array.shape[0], R.array.shape[2]
    directions = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
    reverse = directions.get(node.get("direction", "forward"), [])
    if len(reverse) != n_directions or node.get("hidden_size", n_hidden) != n_hidden:
        raise OnnxError(f"has weights {R.array.shape}, which do not fit its attributes")
    of_states = [_states(state, n_directions, n_hidden, first) for state in states]
    read = [name in graph.readers for name in (*node.outputs, "", "")][:2]
    sequences, last = [], []
    for d, backwards in enumerate(reverse):
        options = {"reverse": backwards, "last_only": not read[0]}
        layer = cls(*(W.array.shape[2], n_hidden), **made, **options, rng=0, dtype=X.blobs[0].dtype)
        _learn(graph, layer, order, d, W, R, B, X.blobs[0])
        given = [one[d] for one in of_states if one is not None]
        if any(one is None for one in of_states[: len(given)]):
            raise OnnxError("has a first cell, and no first hidden state")
        Y = graph.add(layer, X.blobs[0], *given)
        sequences.append(Y)
        if read[1] and read[0]:
            if backwards:
                raise OnnxError("backwards gives all its states and the last: take one of the two")
            Y = graph.add(LastStep(), Y)
        last.append(Y)
    axes = ("NTDH", "NDH") if first else ("TDNH", "DNH")
    return Steps(tuple(sequences), axes[0]), Steps(tuple(last), axes[1])


def _check_lengths(lengths, n: int) -> None:
    if not isinstance(lengths, Constant) or (lengths.array != n).any():
        raise OnnxError("has lengths of its sequences; only sequences that are as long are read")


def _states(given, n_directions: int, n_hidden: int, first: bool) -> tuple[Blob, ...] | None:
    """The first states of each direction; None where they are zeros. Raises OnnxError for others
    than the weights are for, as an exporter writes them that leaves a projection out."""
    if isinstance(given, Constant) and given.array.shape[-1:] != (n_hidden,):
        raise OnnxError(
            f"has first states {given.array.shape}, and weights for states of {n_hidden} numbers"
        )
    if given is None or (isinstance(given, Constant) and not given.array.any()):
        return None
    axes = "NDH" if first else "DNH"
    if not isinstance(given, Steps) or given.axes != axes or len(given.blobs) != n_directions:
        raise OnnxError("has first states that are no states (N, H) of a layer")
    return given.blobs


def _learn(graph, layer, order: tuple, d: int, W, R, B, X: Blob) -> None:
    """The weights of direction d: rows of gates there, columns here."""
    n_gates, n_hidden = len(order), layer.n_hidden
    ours = np.argsort(order)

    def columns(array):
        gates = array[d].reshape(n_gates, n_hidden, -1)[ours]
        return gates.reshape(n_gates * n_hidden, -1).T

    def biases(array):
        of_X, of_h = array[d].reshape(2, n_gates, n_hidden)[:, ours]
        return of_X, of_h

    graph.learned(layer.Wx, W, columns, X)
    graph.learned(layer.Wh, R, columns, X)
    if B is None:
        layer.b.data[:] = 0.0
    elif isinstance(layer, Gru):
        # The second bias of n is inside of what r is applied to.
        graph.learned(layer.b, B, lambda B: _summed(biases(B), but_last=True), X)
        graph.learned(layer.bh, B, lambda B: biases(B)[1][-1], X)
    else:
        graph.learned(layer.b, B, lambda B: _summed(biases(B)), X)


def _summed(both, but_last: bool = False):
    of_X, of_h = both
    total = of_X + of_h
    if but_last:
        total[-1] = of_X[-1]
    return total.reshape(-1)


# One number of each sequence.


def last_step(graph, X: Blob, axis: int, index: int) -> Blob | None:
    """What Gather takes of sequences (N, T, ...), if it is their last step."""
    if X.ndim < 3 or axis not in (1, 1 - X.ndim) or index not in (-1, X.shape[0] - 1):
        return None
    return graph.add(LastStep(), X)

"""Recurrent layers in ONNX: its operators RNN, LSTM and GRU, with the gates in their order.

They have sequences as (T, N, D), weights as (1, G H, D) and (1, G H, H), and two biases side by
side, (1, 2 G H), of which the second is added to the product with h.
"""

import numpy as np

from lamina.exchange.onnx_functions import onnx_function
from lamina.layers import Gru, Lstm, Rnn


def _in_order(*order: int):
    """The function that puts columns (..., G H) into rows (1, G H, ...), the gates in ONNX's order:
    `order` says which of ours comes at each place."""

    def rows(array):
        gates = array.reshape(*array.shape[:-1], len(order), -1)[..., order, :]
        return gates.reshape(array.shape).T[np.newaxis]

    return rows


_RNN, _LSTM, _GRU = _in_order(0), _in_order(0, 2, 1, 3), _in_order(1, 0, 2)  # i o f g, z r n


@onnx_function(Rnn)
def rnn(layer, graph, X, *states):
    activation = {"tanh": "Tanh", "relu": "Relu"}[layer.activation]
    return _recurrent("RNN", _RNN, layer, graph, X, states, activations=(activation,))


@onnx_function(Lstm)
def lstm(layer, graph, X, *states):
    return _recurrent("LSTM", _LSTM, layer, graph, X, states)


@onnx_function(Gru)
def gru(layer, graph, X, *states):
    """`linear_before_reset`: r is applied behind the product with Wh."""
    return _recurrent("GRU", _GRU, layer, graph, X, states, linear_before_reset=1)


def _recurrent(operator: str, form, layer, graph, X, states: tuple, **attributes):
    """What is carried from batch to batch takes no part: each begins anew, at zeros."""
    first = [graph.add("Unsqueeze", state, np.array([0], np.int64)) for state in states]
    Y, Y_h, *_ = graph.add(
        operator,
        graph.add("Transpose", X, perm=(1, 0, 2)),
        graph.held(layer.Wx, form),
        graph.held(layer.Wh, form),
        _biases(layer, graph, form),
        "",  # no lengths: all sequences are as long
        *first,
        hidden_size=layer.n_hidden,
        direction="reverse" if layer.reverse else "forward",
        outputs=3 if operator == "LSTM" else 2,
        **attributes,
    )
    if layer.last_only:
        return graph.add("Squeeze", Y_h, np.array([0], np.int64))
    steps = graph.add("Squeeze", Y, np.array([1], np.int64))
    return graph.add("Transpose", steps, perm=(1, 0, 2))


def _biases(layer, graph, form) -> str:
    b = graph.held(layer.b, form)
    if not isinstance(layer, Gru):
        return graph.add(
            "Concat", b, np.zeros((1, *layer.b.data.shape), layer.b.data.dtype), axis=1
        )
    none = np.zeros((1, 2 * layer.n_hidden), layer.b.data.dtype)  # of z and r
    return graph.add("Concat", b, none, graph.held(layer.bh, (1, layer.n_hidden)), axis=1)

"""Weights of PyTorch modules: the names and axes that a state_dict has."""

import numpy as np

from lamina.exchange.matching import Convention, Given, matched
from lamina.exchange.pytorch_modules import is_of_module, put_together
from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Convolution1d,
    Embedding,
    Flatten,
    GroupNormalization,
    Gru,
    LastStep,
    Layer,
    LayerNormalization,
    Lstm,
    MeanStep,
    MultiHeadAttention,
    PositionalEncoding,
    PRelu,
    Reshape,
    RMSNormalization,
    Rnn,
    TransposedConvolution,
)
from lamina.layers.recurrent import Recurrent
from lamina.nets import Net

_RECURRENT = {"Wx": "weight_ih", "Wh": "weight_hh", "b": "bias"}  # as put_together gives them
_SCALED = {"gamma": "weight", "beta": "bias"}
# What a layer holds, as PyTorch calls it. A layer of one's own adds a line: NAMES[Scale] = {...}.
NAMES: dict[type, dict[str, str]] = {
    Affine: {"W": "weight", "b": "bias"},
    Convolution: {"W": "weight", "b": "bias"},
    Convolution1d: {"W": "weight", "b": "bias"},
    TransposedConvolution: {"W": "weight", "b": "bias"},
    Embedding: {"W": "weight"},
    PositionalEncoding: {"P": "weight"},  # an Embedding of places
    Rnn: _RECURRENT,
    Lstm: _RECURRENT,
    Gru: {**_RECURRENT, "bh": "bias_hn"},
    MultiHeadAttention: {
        **{"W": "in_proj_weight", "b": "in_proj_bias"},
        **{"W_out": "out_proj_weight", "b_out": "out_proj_bias"},
    },
    RMSNormalization: {"gamma": "weight"},
    PRelu: {"a": "weight"},
    LayerNormalization: _SCALED,
    GroupNormalization: _SCALED,
    BatchNormalization: {
        **_SCALED,
        **{"running_mean": "running_mean", "running_var": "running_var"},
    },
}
_PYTORCH = Convention(
    whose="PyTorch",
    separator=".",
    names=NAMES,
    axes={
        (Affine, "W"): (1, 0),
        (Convolution1d, "W"): (0, 1, None, 2),
        **{(cls, name): (1, 0) for cls in (Rnn, Lstm, Gru) for name in ("Wx", "Wh")},
        **{(MultiHeadAttention, name): (1, 0) for name in ("W", "W_out")},
    },
    left=frozenset({"num_batches_tracked"}),
)


def is_pytorch(names) -> bool:
    """Are these names those of a state_dict? Ours end otherwise: in W, b, gamma, beta."""
    return any(
        name.rpartition(".")[2] in ("weight", "bias") or is_of_module(name) for name in names
    )


def from_pytorch(
    state_dict: dict,
    net: Layer,
    *,
    names: dict | None = None,
    in_order: bool = True,
    partial: bool = False,
) -> tuple[dict, str]:
    """({our name: array with shape, dtype and read()}, a line saying what belongs to what).

    `state_dict` has arrays by name: those of `open_safetensors`, or NumPy's,
    {name: tensor.numpy() for name, tensor in model.state_dict().items()}. Modules and layers are
    matched

    - as `names` says, {"fc1": "affine1"}, and by name where it says nothing;
    - without it by name, if each layer that holds weights has a module of its name;
    - else by what they hold, names and shapes. Several that hold the same are taken in their
      order, which a state_dict has; a file has lost it (`in_order` false), so there their names
      must differ by numbers alone, as conv1 and conv2, or 0 and 3.

    An Affine's W is transposed. Each layer and direction of an nn.LSTM (RNN, GRU) is a module:
    lstm.l0, lstm.l0_reverse, or lstm if it is alone. Settings are not in a state_dict and stay
    those of the net: eps is 1e-5 in both, but in PyTorch's RMSNorm, unless told, the smallest of
    its dtype, so the line says where the net has another; the `momentum` of a
    BatchNormalization 0.9, which is what PyTorch calls 0.1.
    Raises ValueError, in one line, if a module or layer has no counterpart, or no certain one; with
    `partial` those without one are left.
    """
    arrays = {
        name: array if hasattr(array, "read") else Given(name, array)
        for name, array in state_dict.items()
    }
    renamed, report = matched(
        _PYTORCH, put_together(arrays), net, names=names, in_order=in_order, partial=partial
    )
    if isinstance(net, Net) and (found := _flattened_sequences(net)):
        raise ValueError(
            f"{found[0]}: a {found[1]} of what a Convolution1d gives has (T, C) here and (C, T) in "
            "PyTorch, so what is behind it has its rows in another order: put them in order "
            "yourself, W.reshape(C, T, -1).swapaxes(0, 1).reshape(T * C, -1)"
        )
    for name, layer in [("", net), *net.walk()]:
        bias = renamed.get(f"{name}.b".removeprefix("."))
        turned = isinstance(layer, Recurrent) and getattr(bias, "backwards", False)
        if turned and not layer.reverse and names is None:
            raise ValueError(
                f"{name or 'the layer'} has no `reverse`, and would get the weights of a direction "
                "that has; say what belongs to what: names={'lstm.l0_reverse': 'lstm2'}"
            )
    kinds = [(n, h) for n, h in net.walk() if isinstance(h, RMSNormalization)]
    if odd := [n for n, h in kinds if not np.isclose(h.eps, np.finfo(h.gamma.data.dtype).eps)]:
        report += f"; eps of {', '.join(odd)} is not the default of PyTorch's RMSNorm: see that "
        report += "they agree"
    return renamed, report


def _flattened_sequences(net: Net) -> tuple[str, str] | None:
    """(name, type) of the first Flatten or Reshape of sequences that a Convolution1d gave, in nets
    inside the net too."""
    return _follow(net, set())[0]


def _follow(net: Net, sequences: set[str]) -> tuple[tuple[str, str] | None, set[str]]:
    """That, and which blobs of the net are such sequences; `sequences` are those of its inputs."""
    for step in net.steps():
        layer, read = step.layer, [blob in sequences for blob in step.reads]
        if isinstance(layer, Net):
            inputs = {name for name, is_one in zip(layer.inputs, read, strict=True) if is_one}
            found, inner = _follow(layer, inputs)
            if found:
                return (f"{step.name}.{found[0]}", found[1]), set()
            pairs = zip(step.writes, layer.outputs, strict=True)
            sequences |= {name for name, output in pairs if output in inner}
        elif isinstance(layer, Convolution1d) or any(read):
            if isinstance(layer, (Flatten, Reshape)):
                return (step.name, type(layer).__name__), set()
            ends = isinstance(layer, (LastStep, MeanStep, Recurrent))
            if not ends and getattr(layer, "axes", None) != (2, 1):  # a Transpose to (C, T)
                sequences |= set(step.writes)
    return None, sequences

"""Weights of PyTorch modules: the names and axes that a state_dict has."""

from lamina.exchange.matching import Convention, matched
from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Embedding,
    GroupNormalization,
    Layer,
    LayerNormalization,
    PRelu,
)

_SCALED = {"gamma": "weight", "beta": "bias"}
# What a layer holds, as PyTorch calls it. A layer of one's own adds a line: NAMES[Scale] = {...}.
NAMES: dict[type, dict[str, str]] = {
    Affine: {"W": "weight", "b": "bias"},
    Convolution: {"W": "weight", "b": "bias"},
    Embedding: {"W": "weight"},
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
    axes={(Affine, "W"): (1, 0)},
    left=frozenset({"num_batches_tracked"}),
)


def is_pytorch(names) -> bool:
    """Are these names those of a state_dict? Ours end otherwise: in W, b, gamma, beta."""
    return any(name.rpartition(".")[2] in ("weight", "bias") for name in names)


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

    An Affine's W is transposed. Settings are not in a state_dict and stay those of the net: eps is
    1e-5 in both, the `momentum` of a BatchNormalization 0.9, which is what PyTorch calls 0.1.
    Raises ValueError, in one line, if a module or layer has no counterpart, or no certain one; with
    `partial` those without one are left.
    """
    given = {"names": names, "in_order": in_order, "partial": partial}
    return matched(_PYTORCH, state_dict, net, **given)

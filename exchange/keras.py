"""Weights of Keras models: names and axes, and the rows of an Affine behind a Flatten.

Images are (H, W, C) there and (C, H, W) here, so a Flatten puts their entries into another order.
"""

import numpy as np

from lamina.exchange.matching import Convention, matched
from lamina.layers import (
    Addition,
    Affine,
    AveragePooling,
    BatchNormalization,
    Concatenation,
    Convolution,
    Copy,
    Dropout,
    Elu,
    Embedding,
    Flatten,
    Gelu,
    GlobalAveragePooling,
    GroupNormalization,
    Gru,
    Layer,
    LayerNormalization,
    LeakyRelu,
    Lstm,
    Maximum,
    MaxPooling,
    Multiplication,
    Param,
    Relu,
    Reshape,
    Sigmoid,
    Softmax,
    Softplus,
    State,
    Step,
    Swish,
    Tanh,
)
from lamina.nets import Net

_SCALED = {"gamma": "gamma", "beta": "beta"}
# What a layer holds, as Keras calls it. A layer of one's own adds a line: NAMES[Scale] = {...}.
NAMES: dict[type, dict[str, str]] = {
    Affine: {"W": "kernel", "b": "bias"},
    Convolution: {"W": "kernel", "b": "bias"},
    Embedding: {"W": "embeddings"},
    LayerNormalization: _SCALED,
    GroupNormalization: _SCALED,
    BatchNormalization: {
        **_SCALED,
        **{"running_mean": "moving_mean", "running_var": "moving_variance"},
    },
}
_KERAS = Convention(
    whose="Keras",
    separator="/",
    names=NAMES,
    axes={(Convolution, "W"): (3, 2, 0, 1)},
    left=frozenset({"seed_generator_state"}),
    refused={
        Lstm: "Keras has its gates in another order (i, f, g, o; here i, f, o, g): put the columns "
        "of Wx, Wh and b in order yourself",
        Gru: "Keras has its gates in another order (z, r, n; here r, z, n), and z the other way "
        "round: put the columns of Wx, Wh, b and bh in order yourself",
    },
)
_EPS = 1e-3  # of Keras's normalisations, unless one says another
_KEEPS = (  # entry by entry, or channel by channel
    *(Relu, LeakyRelu, Elu, Gelu, Swish, Softplus, Sigmoid, Tanh, Step, Dropout, Copy),
    *(BatchNormalization, GroupNormalization, MaxPooling, AveragePooling),
    *(Addition, Multiplication, Maximum, Flatten, LayerNormalization, Softmax),
)
_PLAIN, _MIXED = "plain", "mixed"  # an order that is the same in both; one that is not known


def is_keras(names) -> bool:
    """Are these the paths of Keras's variables? Ours have dots: affine1.W."""
    return any(name.endswith(("/kernel", "/embeddings", "/gamma")) for name in names)


def from_keras(
    variables: dict,
    net: Layer,
    *,
    names: dict | None = None,
    in_order: bool = True,
    partial: bool = False,
    channels: int | None = None,
    channels_first: bool = False,
) -> tuple[dict, str]:
    """({our name: array with shape, dtype and read()}, a line saying what belongs to what).

    `variables` has arrays by path: {v.path: v.numpy() for v in model.weights}. They are matched
    as by `from_pytorch`. Kernels of convolutions are (KH, KW, c_in, c_out) there. Behind a Flatten
    of images the rows of what holds weights are put into our order, for which the channels of the
    images must be known: from the convolution before, or as `channels`, those of the net's inputs.
    The line says of which. They are in our order already where images with their channels first
    reach a Flatten that does not know it (data_format="channels_last", its default, behind a
    Conv2D with "channels_first"), which no file of weights says: `channels_first` leaves them so.

    Keras's normalisations have an eps of 1e-3 unless told, ours 1e-5: it is in no file of weights,
    so the line says where the net has another. Raises ValueError as `from_pytorch`, and where the
    order of what a layer reads is not known.
    """
    renamed, report = matched(
        _KERAS, variables, net, names=names, in_order=in_order, partial=partial
    )
    rows: dict[int, int] = {}
    if isinstance(net, Net) and not channels_first:
        outputs = _trace(net, [("images", channels)] * len(net.inputs), "", rows)
        if any(one == _MIXED or (one[0] == "rows" and one[1] != 1) for one in outputs):
            report += "; the entries of its output may be in another order than Keras's"
    own, turned = {id(held): name for name, held in net.walk()}, []
    for held, n in rows.items():
        name = own[held]
        if name in renamed and n > 1:
            renamed[name] = _Reordered(renamed[name], n)
            turned.append(name)
    if turned:
        report += (
            f"; the rows of {', '.join(turned)} are put from the order (height, width, channel) "
            "into (channel, height, width); wrong if images with their channels first reach a "
            "Flatten with data_format channels_last"
        )
    if odd := _other_eps(net):
        report += f"; eps of {', '.join(odd)} is not Keras's default, {_EPS:g}: see that they agree"
    return renamed, report


class _Reordered:
    """An array whose rows are the entries of (H, W, C), in the order of (C, H, W)."""

    def __init__(self, array, channels: int):
        self.shape, self.dtype, self.where = array.shape, array.dtype, array.where
        self._array, self._channels = array, channels

    def read(self) -> np.ndarray:
        array = self._array.read()
        places = array.reshape(-1, self._channels, *array.shape[1:])
        return places.swapaxes(0, 1).reshape(array.shape)


def _trace(net: Net, inputs: list, prefix: str, rows: dict[int, int]) -> list:
    """Follow what each blob is through the net: ("images", C), ("rows", C) of flattened images, or
    one of the words above, C None if it is unknown. Notes in `rows` {id of what is held: C}."""
    blobs = dict(zip(net.inputs, inputs, strict=True))
    for step in net.steps():
        read = [blobs[blob] for blob in step.reads]
        place = f"{prefix}{step.name}"
        if isinstance(step.layer, Net):
            writes = _trace(step.layer, read, f"{place}.", rows)
        else:
            _note_rows(step.layer, read[0], place, rows)
            writes = [_after(step.layer, read)] * len(step.writes)
        blobs |= zip(step.writes, writes, strict=True)
    return [blobs[blob] for blob in net.outputs]


def _note_rows(layer: Layer, read, place: str, rows: dict[int, int]) -> None:
    """Note in which order the rows of what a layer holds are, from what it reads. Raises ValueError
    if that is not known."""
    held = [h for _, h in layer.walk() if isinstance(h, (Param, State))]
    if not held or isinstance(layer, Embedding):
        return
    kind, n = (read, None) if isinstance(read, str) else read
    along_places = isinstance(layer, Affine) and kind == "images" and (n or 1) > 1
    turned = isinstance(layer, Affine) and layer.transposed and kind == "rows" and n != 1
    if kind == _MIXED or along_places or turned or read == ("rows", None):
        advice = (
            "; say how many channels the images have: channels=3, or 1 if they are no images, but "
            "vectors or sequences"
            if read == ("rows", None)
            else ""
        )
        raise ValueError(
            f"{place} ({type(layer).__name__}): in which order Keras has what it reads is not known"
            f"{advice}"
        )
    if isinstance(layer, LayerNormalization) and kind == "images" and (n or 1) > 1:
        raise ValueError(
            f"{place} (LayerNormalization): runs along the last axis, which are the channels in "
            "Keras and places here; no order of the weights makes them alike"
        )
    grouped = isinstance(layer, GroupNormalization) and 1 < layer.n_groups < len(layer.gamma.data)
    if grouped and kind == "rows" and n != 1:
        raise ValueError(
            f"{place} (GroupNormalization): its groups are of other numbers in Keras: behind a "
            "Flatten neighbours are channels of one place there, places of one channel here; no "
            "order of the weights makes them alike"
        )
    for one in held:
        by_row = not (isinstance(layer, Affine) and one is layer.b)
        channels = n if n and kind == "rows" and by_row else 1
        if len(one.data) % channels:
            raise ValueError(f"{place}: {len(one.data)} rows are not of images of {n} channels")
        if rows.setdefault(id(one), channels) != channels:
            raise ValueError(
                f"{place}: shares its weights with a layer that reads images of other channels"
            )


def _after(layer: Layer, read: list):
    """What a layer gives that reads these."""
    first, *others = read
    images = all(one[0] == "images" for one in read)
    if isinstance(layer, Convolution):
        return ("images", len(layer.W.data))
    if isinstance(layer, GlobalAveragePooling):  # what is not known stays so in a mean
        return _PLAIN if _MIXED not in read else _MIXED
    if isinstance(layer, (Affine, Embedding)):
        return _PLAIN
    if isinstance(layer, Flatten) and images:
        return ("rows", first[1])
    if isinstance(layer, Reshape) and first in (_PLAIN, ("rows", 1), ("images", 1)):
        if len(layer.shape) < 3:
            return _PLAIN
        return ("images", 1) if layer.shape[0] == 1 and len(layer.shape) == 3 else _MIXED
    if isinstance(layer, Concatenation) and layer.axis == 1 and images:
        known = all(n for _, n in read)
        return ("images", sum(n for _, n in read) if known else None)
    if isinstance(layer, (LayerNormalization, Softmax)) and images:
        return _MIXED  # along the last axis: places here, channels there
    if all(one in (_PLAIN, ("images", None)) for one in read) and _PLAIN in read:
        return _PLAIN
    alike = isinstance(layer, _KEEPS) and all(one == first for one in others)
    return first if alike else _MIXED


def _other_eps(net: Layer) -> list[str]:
    kinds = (BatchNormalization, LayerNormalization, GroupNormalization)
    return [n for n, h in net.walk() if isinstance(h, kinds) and h.eps != _EPS]

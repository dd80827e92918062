"""Caffe's data layers: what they give a net, and what they say of batches."""

from lamina.exchange.caffe_message import CaffeError, Message
from lamina.exchange.caffe_net import CaffeLayer

# {type: the message of its settings}
DATA = {
    "Data": "data_param",
    "DummyData": "dummy_data_param",
    "HDF5Data": "hdf5_data_param",
    "ImageData": "image_data_param",
    "Input": "input_param",
    "MemoryData": "memory_data_param",
    "Python": "python_param",
    "WindowData": "window_data_param",
}


def is_data(layer: CaffeLayer) -> bool:
    """It reads nothing: a Python layer may be anything else."""
    return layer.type in DATA and not layer.bottoms


def shapes_of(layer: CaffeLayer) -> dict[str, tuple | None]:
    """The shape of a sample of each top, None where the file does not say it."""
    tops, given = layer.tops, layer(DATA[layer.type])
    if layer.type == "MemoryData":
        shape = tuple(given[name] for name in ("channels", "height", "width"))
        return {top: () if i else shape for i, top in enumerate(tops)}
    if layer.type == "DummyData" and not given["shape"]:
        sizes = [given[name] for name in ("num", "channels", "height", "width")]
        shapes = [list(dims) for dims in zip(*sizes, strict=False)]
    else:
        has = layer.type in ("Input", "DummyData")
        shapes = [shape["dim"] for shape in given["shape"]] if has else []
    if len(shapes) == 1:
        shapes *= len(tops)
    if shapes and len(shapes) != len(tops):
        raise CaffeError(f"has {len(tops)} tops and {len(shapes)} shapes")
    return {top: tuple(shapes[i][1:]) if shapes else None for i, top in enumerate(tops)}


def batch_size(layer: CaffeLayer) -> int | None:
    """How many samples a batch has, None where the file does not say it."""
    given: Message = layer(DATA[layer.type])
    if "batch_size" in given.fields:
        return given["batch_size"] or None
    shapes = given["shape"] if "shape" in given.fields else []
    return shapes[0]["dim"][0] if shapes and shapes[0]["dim"] else None

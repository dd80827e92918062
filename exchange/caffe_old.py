"""Caffe's older form of a net, `layers` with types in capitals, as the one of today."""

from lamina.exchange.caffe_message import CaffeError, Message

_TYPES = {
    "ABSVAL": "AbsVal",
    "ACCURACY": "Accuracy",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
    "CONVOLUTION": "Convolution",
    "DATA": "Data",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData",
    "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "HINGE_LOSS": "HingeLoss",
    "IM2COL": "Im2col",
    "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "MVN": "MVN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "SILENCE": "Silence",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
    "THRESHOLD": "Threshold",
    "WINDOW_DATA": "WindowData",
}
_TRANSFORMED = {"Data": "data", "ImageData": "image_data", "WindowData": "window_data"}


def layers_of(net: Message) -> list[Message]:
    """The layers of a net, all in today's form. Raises CaffeError for a net of both forms."""
    if "layer" in net and "layers" in net:
        raise CaffeError("has both layer and layers; let all be of one form")
    layers = net["layer"] or [_today(layer) for layer in net["layers"]]
    for layer in layers:
        _move_transformation(layer)
    inputs = net["input"]
    if not inputs:
        return layers
    shapes, dims = net["input_shape"], net["input_dim"]
    if dims and len(dims) != 4 * len(inputs):
        raise CaffeError(f"has {len(inputs)} inputs and {len(dims)} input_dim; four for each")
    shapes = shapes or [Message("BlobShape", dim=dims[i : i + 4]) for i in range(0, len(dims), 4)]
    given = Message("InputParameter", shape=shapes) if shapes else Message("InputParameter")
    made = Message("LayerParameter", name="input", type="Input", top=inputs, input_param=given)
    return [made, *layers]


def _today(old: Message) -> Message:
    kind = _TYPES.get(old["type"])
    name = f"line {old.line}: {old['name']}" if old.line else old["name"]
    if kind is None:
        raise CaffeError(f"{name}: its type {old['type']} is not known")
    new = Message("LayerParameter", old.line, type=kind)
    specs = [
        {"lr_mult": rates, "decay_mult": decays, "name": names}
        for rates, decays, names in _together(old["blobs_lr"], old["weight_decay"], old["param"])
    ]
    for field in old.values:
        if field in ("type", "blobs_lr", "weight_decay", "param", "blob_share_mode"):
            continue
        new[field] = old[field]
    if specs:
        new["param"] = [
            Message("ParamSpec", old.line, **{k: v for k, v in spec.items() if v is not None})
            for spec in specs
        ]
    return new


def _together(*lists: list):
    for i in range(max(map(len, lists))):
        yield tuple(items[i] if i < len(items) else None for items in lists)


def _move_transformation(layer: Message) -> None:
    """Scale, mean, crop and mirror stood among the parameters of the data."""
    prefix = _TRANSFORMED.get(layer["type"])
    if prefix is None or f"{prefix}_param" not in layer:
        return
    given = layer[f"{prefix}_param"]
    transform = layer["transform_param"]
    for field in ("scale", "mean_file", "crop_size", "mirror"):
        if field in given and field not in transform:
            transform[field] = given[field]
            layer["transform_param"] = transform

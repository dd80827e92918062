"""A net as Caffe's: a .prototxt for its deployment, and a .caffemodel with the weights."""

from pathlib import Path

import numpy as np

from lamina.common.files import whole_file
from lamina.common.printable import printable
from lamina.exchange.caffe import blob_of
from lamina.exchange.caffe_images import window_counts
from lamina.exchange.caffe_message import CaffeError, Message
from lamina.exchange.caffe_text import format_text
from lamina.exchange.caffe_wire import format_wire
from lamina.exchange.onnx_functions import function_of
from lamina.layers import (
    Addition,
    Affine,
    AveragePooling,
    BatchNormalization,
    Bias,
    Concatenation,
    Convolution,
    Copy,
    Dropout,
    Elu,
    Flatten,
    GlobalAveragePooling,
    Layer,
    LeakyRelu,
    LocalResponseNormalization,
    Maximum,
    MaxPooling,
    Multiplication,
    Power,
    PRelu,
    Relu,
    Reshape,
    Scale,
    Sigmoid,
    Slice,
    Softmax,
    Softplus,
    Swish,
    Tanh,
    TransposedConvolution,
)
from lamina.nets import Net


def export_caffe(path, net: Net, *shapes: tuple) -> list[Path]:
    """Write a net as it is in evaluation, for samples of these shapes, one for each input.

    `path` ends in .prototxt, the net alone, or in .caffemodel: then the weights, and the net beside
    them. Returns the files written. As in ONNX, outputs are those of `forward`, and losses are not
    in it. Raises CaffeError for a layer that Caffe does not have, naming it.
    """
    path = Path(path)
    message = net_message(net, *shapes)
    text = path.with_suffix(".prototxt")
    plain = Message("NetParameter", name=message["name"], layer=[])
    for layer in message["layer"]:
        given = {name: value for name, value in layer.values.items() if name != "blobs"}
        plain["layer"].append(Message("LayerParameter", **given))
    with whole_file(text) as file:
        file.write(format_text(plain).encode())
    if path.suffix != ".caffemodel":
        return [text]
    with whole_file(path) as file:
        file.write(format_wire(message))
    return [path, text]


def net_message(net: Net, *shapes: tuple) -> Message:
    """The net with its weights, as a message. Raises CaffeError."""
    out = _Out(net, shapes)
    for name, layer, reads, shape in net.rows(*shapes):
        if isinstance(layer, Net):
            raise CaffeError(f"{name} is a net in the net; Caffe has none: write its layers out")
        try:
            out.layer(name, layer, reads, shape)
        except CaffeError as error:
            raise CaffeError(printable(f"{name} ({type(layer).__name__}): {error}")) from None
    return Message("NetParameter", name=type(net).__name__, layer=out.layers)


class _Out:
    """The layers while they are written."""

    def __init__(self, net: Net, shapes):
        self.writes = {step.name: step.writes for step in net.steps()}
        self.tops: dict[str, str] = {}  # blobs here, tops there
        self.shapes: dict[str, tuple] = {}
        self.layers: list[Message] = []
        self._taken: set[str] = set()  # tops; two layers of one top would be one after the other
        for name, shape in zip(net.inputs, shapes, strict=True):
            given = Message("BlobShape", dim=[1, *shape])
            self.put(
                "Input", name, [], [name], input_param=Message("InputParameter", shape=[given])
            )
            self.tops[name], self.shapes[name] = name, tuple(shape)

    def layer(self, name: str, layer: Layer, reads: list, shape) -> None:
        writes = self.writes[name]
        several = shape if isinstance(shape, list) else [shape]
        self.shapes |= zip(writes, map(tuple, several), strict=True)
        bottoms = [self.tops[blob] for blob in reads]
        if isinstance(layer, Copy):  # Caffe copies by itself
            self.tops |= dict.fromkeys(writes, bottoms[0])
            return
        function = function_of(layer, _TYPES)
        if function is None:
            raise CaffeError("Caffe has no layer of this kind; ONNX may have: -o net.onnx")
        self.tops |= {blob: blob.replace(".", "_") for blob in writes}
        tops = [self.tops[blob] for blob in writes]
        function(self, name, layer, bottoms, tops, [self.shapes[blob] for blob in reads])

    def put(self, kind: str, name: str, bottoms: list, tops: list, blobs=(), **given) -> None:
        message = Message("LayerParameter", name=name, type=kind)
        for field, value in (("bottom", bottoms), ("top", tops)):
            if value:
                message[field] = list(value)
        if blobs:
            message["blobs"] = [blob_of(np.asarray(array, np.float32), name) for array in blobs]
        for field, value in given.items():
            message[field] = value
        for top in tops:
            if top in self._taken:
                raise CaffeError(f"would write {top}, as another layer does; rename one of them")
            self._taken.add(top)
        self.layers.append(message)


def _plain(kind: str, field: str = "", message: str = "", **names):
    """A layer without weights; `names` are {setting there: attribute here}."""

    def function(out, name, layer, bottoms, tops, shapes):
        given = {there: getattr(layer, here) for there, here in names.items()}
        extra = {field: Message(message, **given)} if field else {}
        out.put(kind, name, bottoms, tops, **extra)

    return function


def _two(layer, there: str, here: str, usual: int) -> dict:
    height, width = getattr(layer, here)
    if height == width:
        return {} if height == usual else {there: height}
    short = {"kernel_size": "kernel"}.get(there, there)
    return {f"{short}_h": height, f"{short}_w": width}


def _convolution(kind: str):
    def function(out, name, layer, bottoms, tops, shapes):
        if any(getattr(layer, "output_padding", (0, 0))):
            raise CaffeError("Caffe has no output padding")
        groups = getattr(layer, "groups", 1)
        W, b = layer.W.data, layer.b
        c_out = W.shape[1] * groups if kind == "Deconvolution" else W.shape[0]
        given = {"num_output": c_out}
        if b is None:
            given["bias_term"] = False
        sizes = [("kernel_size", "kernel", 0), ("stride", "stride", 1), ("pad", "padding", 0)]
        for there, here, usual in sizes:
            given |= _two(layer, there, here, usual)
        for there in ("kernel_size", "stride", "pad"):
            if there in given:
                given[there] = [given[there]]
        if any(n != 1 for n in layer.dilation):
            given["dilation"] = list(layer.dilation)
        given |= {"group": groups} if groups != 1 else {}
        param = Message("ConvolutionParameter", **given)
        blobs = [W] if b is None else [W, b.data]
        out.put(kind, name, bottoms, tops, blobs, convolution_param=param)

    return function


def _affine(out, name, layer, bottoms, tops, shapes):
    W, b = layer.W.data, layer.b
    W = W if layer.transposed else W.T  # (n_out, n_in)
    given = {"num_output": len(W)} | ({} if b is not None else {"bias_term": False})
    given |= {"axis": len(shapes[0])} if len(shapes[0]) > 1 else {}
    blobs = [W] if b is None else [W, b.data]
    param = Message("InnerProductParameter", **given)
    out.put("InnerProduct", name, bottoms, tops, blobs, inner_product_param=param)


def _pooling(pool: str):
    def function(out, name, layer, bottoms, tops, shapes):
        windows = layer.windows
        given = {"pool": pool}
        given |= _two(windows, "kernel_size", "kernel", 0)
        given |= _two(windows, "stride", "stride", 1) | _two(windows, "pad", "padding", 0)
        how = (shapes[0][1:], windows.kernel, windows.stride, windows.padding)
        ours = windows.output_shape(shapes[0])[1:]
        # Caffe before round_mode, and its readers, round up: where that is the same, unsaid.
        if window_counts(*how, ceil=True) != ours:
            given["round_mode"] = "FLOOR"
            if window_counts(*how, ceil=False) != ours:
                raise CaffeError(f"has {ours} windows over {shapes[0]}, as Caffe counts in no way")
        out.put("Pooling", name, bottoms, tops, pooling_param=Message("PoolingParameter", **given))

    return function


def _global_pooling(out, name, layer, bottoms, tops, shapes):
    given = Message("PoolingParameter", pool="AVE", global_pooling=True)
    out.put("Pooling", f"{name}_pool", bottoms, [f"{name}_pool"], pooling_param=given)
    out.put("Flatten", name, [f"{name}_pool"], tops)


def _batch_normalization(out, name, layer, bottoms, tops, shapes):
    given = Message("BatchNormParameter", moving_average_fraction=layer.momentum, eps=layer.eps)
    blobs = [layer.running_mean.data, layer.running_var.data, np.ones(1)]
    gamma, beta = layer.gamma.data, layer.beta.data
    if (gamma == 1).all() and (beta == 0).all():
        out.put("BatchNorm", name, bottoms, tops, blobs, batch_norm_param=given)
        return
    inner = f"{name}_norm"
    out.put("BatchNorm", inner, bottoms, [inner], blobs, batch_norm_param=given)
    factors = Message("ScaleParameter", bias_term=True)
    out.put("Scale", name, [inner], tops, [gamma, beta], scale_param=factors)


def _along(kind: str, field: str, message: str, held: str):
    def function(out, name, layer, bottoms, tops, shapes):
        array, shape = getattr(layer, held).data, shapes[0]
        if array.ndim > len(shape):
            raise CaffeError(f"its array {array.shape} has more axes than a sample {shape}")
        first = len(shape) - array.ndim  # as NumPy has it, the last axes are meant
        n = array.ndim
        while n and array.shape[n - 1] == 1:
            n -= 1
        if array.shape[:n] != shape[first : first + n]:
            raise CaffeError(f"its array {array.shape} is along several axes; Caffe's are whole")
        param = Message(message, axis=first + 1, num_axes=n)
        out.put(kind, name, bottoms, tops, [array.reshape(array.shape[:n])], **{field: param})

    return function


def _lrn(out, name, layer, bottoms, tops, shapes):
    given = {"local_size": layer.size, "alpha": layer.alpha, "beta": layer.beta, "k": layer.k}
    if layer.within_channel:
        if layer.k != 1:
            raise CaffeError(f"within a channel Caffe's k is always 1, and this is {layer.k:g}")
        given["norm_region"] = "WITHIN_CHANNEL"
    out.put("LRN", name, bottoms, tops, lrn_param=Message("LRNParameter", **given))


def _prelu(out, name, layer, bottoms, tops, shapes):
    a = layer.a.data
    given = Message("PReLUParameter", channel_shared=a.size == 1 and shapes[0][0] != 1)
    out.put("PReLU", name, bottoms, tops, [a], prelu_param=given)


def _eltwise(operation: str):
    def function(out, name, layer, bottoms, tops, shapes):
        if len(set(shapes)) > 1:
            raise CaffeError(f"Caffe adds arrays of one shape, and these are {shapes}")
        given = {"operation": operation}
        if factors := getattr(layer, "coefficients", None):
            given["coeff"] = list(factors)
        param = Message("EltwiseParameter", **given)
        out.put("Eltwise", name, bottoms, tops, eltwise_param=param)

    return function


def _concatenation(out, name, layer, bottoms, tops, shapes):
    given = Message("ConcatParameter", axis=layer.axis)
    out.put("Concat", name, bottoms, tops, concat_param=given)


def _slice(out, name, layer, bottoms, tops, shapes):
    points = np.cumsum(layer.sizes)[:-1].tolist()
    given = Message("SliceParameter", axis=layer.axis, slice_point=points)
    out.put("Slice", name, bottoms, tops, slice_param=given)


def _reshape(out, name, layer, bottoms, tops, shapes):
    given = Message("ReshapeParameter", shape=Message("BlobShape", dim=[0, *layer.shape]))
    out.put("Reshape", name, bottoms, tops, reshape_param=given)


def _softmax(out, name, layer, bottoms, tops, shapes):
    given = {"axis": len(shapes[0])} if len(shapes[0]) > 1 else {}
    extra = {"softmax_param": Message("SoftmaxParameter", **given)} if given else {}
    out.put("Softmax", name, bottoms, tops, **extra)


_TYPES = {
    Addition: _eltwise("SUM"),
    Affine: _affine,
    AveragePooling: _pooling("AVE"),
    BatchNormalization: _batch_normalization,
    Bias: _along("Bias", "bias_param", "BiasParameter", "b"),
    Concatenation: _concatenation,
    Convolution: _convolution("Convolution"),
    Dropout: _plain("Dropout", "dropout_param", "DropoutParameter", dropout_ratio="p"),
    Elu: _plain("ELU", "elu_param", "ELUParameter", alpha="alpha"),
    Flatten: _plain("Flatten"),
    GlobalAveragePooling: _global_pooling,
    LeakyRelu: _plain("ReLU", "relu_param", "ReLUParameter", negative_slope="slope"),
    LocalResponseNormalization: _lrn,
    MaxPooling: _pooling("MAX"),
    Maximum: _eltwise("MAX"),
    Multiplication: _eltwise("PROD"),
    PRelu: _prelu,
    Power: _plain(
        *("Power", "power_param", "PowerParameter"), power="power", scale="scale", shift="shift"
    ),
    Relu: _plain("ReLU"),
    Reshape: _reshape,
    Scale: _along("Scale", "scale_param", "ScaleParameter", "s"),
    Sigmoid: _plain("Sigmoid"),
    Slice: _slice,
    Softmax: _softmax,
    Softplus: _plain("BNLL"),
    Swish: _plain("Swish"),
    Tanh: _plain("TanH"),
    TransposedConvolution: _convolution("Deconvolution"),
}

"""ONNX operators with windows, over images and sequences, as layers.

Ours pad both sides alike; other widths are a Padding before. Sequences (N, C, T) are turned for a
Convolution1d, which has the features last, and for poolings are images of one row.
"""

from lamina.exchange.onnx_in_functions import Blob, OnnxError, known, onnx_operator
from lamina.exchange.onnx_in_shapes import padded, reshaped, transposed
from lamina.layers import (
    AveragePooling,
    Convolution,
    Convolution1d,
    MaxPooling,
    TransposedConvolution,
)


class _Windows:
    """Kernel, stride, dilation and padding along each axis of places, from the attributes."""

    def __init__(self, node, X: Blob, kernel: tuple | None = None, dilated: bool = True):
        places = len(X.shape) - 1
        if places not in (1, 2):
            raise OnnxError(f"over {places} axes is no layer; 1 and 2 are read")
        said = node.get("kernel_shape", None)
        if kernel is None and said is None:
            raise OnnxError("has no kernel_shape")
        self.kernel = list(said if kernel is None else kernel)
        if said is not None and list(said) != self.kernel:
            raise OnnxError(f"has the kernel {said}, and weights for {self.kernel}")
        self.stride = node.get("strides", [1] * places)
        self.dilation = node.get("dilations", [1] * places) if dilated else [1] * places
        pads = node.get("pads", [0] * 2 * places)
        auto = node.get("auto_pad", "NOTSET")
        lengths = [len(self.kernel), len(self.stride), len(self.dilation), len(pads) / 2]
        if any(n != places for n in lengths) or min(*self.kernel, *self.stride, *self.dilation) < 1:
            raise OnnxError(f"has windows that do not fit {places} axes")
        self.size = X.shape[1:]
        self.extent = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        self.before, self.after = pads[:places], pads[places:]
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            if any(pads):
                raise OnnxError(f"has pads beside auto_pad {auto}")
            self._same(upper=auto == "SAME_UPPER")
        elif auto == "VALID":
            self.before = self.after = [0] * places
        elif auto != "NOTSET":
            raise OnnxError(f"auto_pad {auto} is not known")
        if min(*self.before, *self.after) < 0:
            raise OnnxError(f"has pads below 0, {pads}")

    def _same(self, upper: bool) -> None:
        """As much padding as gives ⌈n / stride⌉ windows; the odd one behind (upper) or before."""
        self.before, self.after = [], []
        for n, s, extent in zip(self.size, self.stride, self.extent, strict=True):
            total = max((-(-n // s) - 1) * s + extent - n, 0)
            small, large = total // 2, total - total // 2
            self.before.append(small if upper else large)
            self.after.append(large if upper else small)

    def counts(self, ceil: bool = False) -> list[int]:
        """How many windows there are."""
        axes = zip(self.size, self.before, self.after, self.extent, self.stride, strict=True)
        return [(n + b + a - e + (s - 1) * ceil) // s + 1 for n, b, a, e, s in axes]

    def are_even(self) -> bool:
        return self.before == self.after

    def as_rows(self) -> "_Windows":
        """Of sequences: as windows of images of one row."""
        for name, one in {"kernel": 1, "stride": 1, "dilation": 1, "before": 0, "after": 0}.items():
            setattr(self, name, [one, *getattr(self, name)])
        self.extent, self.size = [1, *self.extent], (1, *self.size)
        return self


@onnx_operator("Conv")
def conv(node, graph, X, W, b=None):
    W, b = known(W, "the kernel"), None if b is None else known(b, "the bias")
    windows, groups = _Windows(node, X, W.array.shape[2:]), node.get("group", 1)
    if groups < 1 or W.array.ndim != X.ndim or W.array.shape[1] * groups != X.shape[0]:
        raise OnnxError(f"has weights {W.array.shape} and {groups} groups for samples {X.shape}")
    if not windows.are_even():
        X = padded(graph, X, [0, *windows.before], [0, *windows.after])
        windows.before = windows.after = [0] * len(windows.before)
    one = len(windows.kernel) == 1
    given = zip(
        ("kernel", "stride", "padding", "dilation"),
        (windows.kernel, windows.stride, windows.before, windows.dilation),
        strict=True,
    )
    sizes = {name: value[0] if one else _simple(value) for name, value in given}
    layer = (Convolution1d if one else Convolution)(
        *(X.shape[0], len(W.array)),
        **sizes,
        groups=groups,
        bias=b is not None,
        rng=0,
        dtype=X.dtype,
    )
    graph.learned(layer.W, W, (lambda W: W[:, :, None]) if one else None, X)
    if b is not None:
        graph.learned(layer.b, b, None, X)
    if not one:
        return graph.add(layer, X)
    name, graph.hint = graph.hint, ""
    turned = transposed(graph, X, (2, 1))
    graph.hint = name
    return transposed(graph, graph.add(layer, turned), (2, 1))


@onnx_operator("ConvTranspose")
def conv_transpose(node, graph, X, W, b=None):
    """What is cut off at the end may be less than at the start: that is our output padding."""
    W, b = known(W, "the kernel"), None if b is None else known(b, "the bias")
    windows = _Windows(node, X, W.array.shape[2:])
    extra = node.get("output_padding", [0] * len(windows.kernel))
    groups = node.get("group", 1)
    if node.get("output_shape", None) is not None or node.get("auto_pad", "") in (
        "SAME_UPPER",
        "SAME_LOWER",
    ):
        raise OnnxError("with output_shape or auto_pad SAME is not read; export it with pads")
    if len(windows.kernel) != 2 or len(extra) != 2 or W.array.shape[0] != X.shape[0]:
        raise OnnxError(f"has weights {W.array.shape} for samples {X.shape}; images are read")
    if groups < 1 or X.shape[0] % groups:
        raise OnnxError(f"has {groups} groups for samples {X.shape}")
    ends = zip(windows.before, windows.after, extra, strict=True)
    layer = TransposedConvolution(
        *(X.shape[0], W.array.shape[1] * groups, _simple(windows.kernel)),
        groups=groups,
        stride=_simple(windows.stride),
        padding=_simple(windows.before),
        output_padding=_simple([before - after + more for before, after, more in ends]),
        dilation=_simple(windows.dilation),
        bias=b is not None,
        rng=0,
        dtype=X.dtype,
    )
    graph.learned(layer.W, W, None, X)
    if b is not None:
        graph.learned(layer.b, b, None, X)
    return graph.add(layer, X)


@onnx_operator("MaxPool")
def max_pool(node, graph, X):
    ceil = node.get("ceil_mode", 0)
    node.get("storage_order", 0)  # of the indices, its second output
    windows, X, shape = _pooling(node, X, graph)
    if any(d != 1 for d in windows.dilation):
        raise OnnxError("with dilations is no layer")
    wanted = _settled(windows, ceil)
    for partial in (False, True):  # which windows there are is all that the far padding says
        layer = MaxPooling(**_sizes(windows), partial=partial)
        if layer.output_shape(X.shape)[1:] == wanted:
            return reshaped(graph, graph.add(layer, X), shape(wanted))
    raise OnnxError(f"pads {windows.before} before and {windows.after} behind, which no layer does")


@onnx_operator("AveragePool")
def average_pool(node, graph, X):
    """Padding counts in ours, what a partial window has beyond it does not."""
    ceil, counts = node.get("ceil_mode", 0), node.get("count_include_pad", 0)
    windows, X, shape = _pooling(node, X, graph)
    if any(d != 1 for d in windows.dilation):
        raise OnnxError("with dilations is no layer")
    wanted = _settled(windows, ceil)
    axes = zip(wanted, windows.stride, windows.extent, windows.before, windows.size, strict=True)
    beyond = [max((n - 1) * s + e - b - size, 0) for n, s, e, b, size in axes]
    partial = False
    if counts and any(windows.before) | any(windows.after):
        if any(b > a for b, a in zip(beyond, windows.after, strict=True)):
            raise OnnxError("with ceil_mode and padding that counts is no layer")
        if not windows.are_even():
            X = padded(graph, X, [0, *windows.before], [0, *windows.after])
            windows.before = windows.after = [0, 0]
    elif any(windows.before):
        raise OnnxError(
            "with padding that does not count is no layer; export it with count_include_pad"
        )
    else:
        if counts and any(beyond):
            raise OnnxError("with ceil_mode and count_include_pad has windows of no settled mean")
        partial = any(beyond)
    layer = AveragePooling(**_sizes(windows), partial=partial)
    if layer.output_shape(X.shape)[1:] != wanted:
        raise OnnxError(
            f"pads {windows.before} before and {windows.after} behind, as no layer does"
        )
    return reshaped(graph, graph.add(layer, X), shape(wanted))


def _pooling(node, X: Blob, graph) -> tuple:
    """The windows, X as images, and what makes the shape of a sample from the number of windows."""
    windows = _Windows(node, X)
    if len(windows.kernel) == 2:
        return windows, X, lambda wanted: (X.shape[0], *wanted)
    channels, length = X.shape
    return (
        windows.as_rows(),
        reshaped(graph, X, (channels, 1, length)),
        lambda wanted: (channels, wanted[1]),
    )


def _settled(windows: _Windows, ceil: int) -> tuple:
    """The number of windows. With ceil_mode programs differ on one that would start behind the
    images."""
    wanted = windows.counts(bool(ceil))
    axes = zip(wanted, windows.stride, windows.size, windows.before, strict=True)
    if ceil and any((n - 1) * s >= size + b for n, s, size, b in axes):
        raise OnnxError("with ceil_mode has a window that starts in the padding; export it without")
    return tuple(wanted)


def _sizes(windows: _Windows) -> dict:
    return {
        "kernel": _simple(windows.kernel),
        "stride": _simple(windows.stride),
        "padding": _simple(windows.before),
    }


def _simple(both: list):
    """(3, 3) as 3: what a configuration would say."""
    return both[0] if len(set(both)) == 1 else tuple(both)

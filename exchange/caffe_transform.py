"""What Caffe's data layers do to samples, as layers in front of the net: mean, crop and scale."""

from pathlib import Path

import numpy as np

from lamina.exchange.caffe import read_binaryproto
from lamina.exchange.caffe_message import CaffeError, Message
from lamina.exchange.caffe_net import Blob, CaffeLayer, CaffeNet
from lamina.layers import Bias, Power, RandomCrop

_READ = ("Data", "ImageData")  # a WindowData warps, the others have no transform_param
_CLOSE = 0.005  # 1/256 beside 1/255: no reason for a layer


class Transform:
    """Puts layers behind the first top of a data layer: (x - mean) · scale of a part of the image.

    Caffe's mean and scale are those of bytes. `pixels()` gives (scale, offset), what the data set
    makes of its bytes, and None if it holds none; the layers take that back: what the net gets is
    what Caffe's gets. A mean file is looked for where it is said to be, and in `folder`.

    `means` are the layers with a mean image, `left` says by layer what is left to the data set.
    Source: Caffe, src/caffe/data_transformer.cpp.
    """

    def __init__(self, pixels, folder: Path):
        self.pixels, self.folder = pixels, folder
        self.means: list[Bias] = []
        self.left: list[str] = []

    def __call__(self, layer: CaffeLayer, net: CaffeNet, top: str) -> None:
        """Raises CaffeError for a mean that does not fit the samples, or whose file is missing."""
        given = layer("transform_param")
        words = _words(given)
        blob = net.tops[top]
        if layer.type not in _READ:
            if words:
                self._leave(layer, ", ".join(words), "which may do otherwise")
            return
        if len(blob.shape) != 3 and words not in ([], [f"scale {given['scale']:g}"]):
            raise CaffeError(f"{words[0]} is for images (C, H, W); the samples are {blob.shape}")
        net.tops[top] = self._layers(layer, net, blob, given)

    def _leave(self, layer: CaffeLayer, what: str, why: str) -> None:
        self.left.append(f"{layer.place}: {what}: left to the dataset, {why}")

    def _layers(self, layer: CaffeLayer, net: CaffeNet, X: Blob, given: Message) -> Blob:
        mean, factor = self._mean(given, X.shape), given["scale"]
        own, bias = 1.0, np.zeros(1)
        if mean is not None or factor != 1:
            pixels = self.pixels()
            if pixels is None:
                of_bytes = [word for word in _words(given) if word.startswith(("mean", "scale"))]
                self._leave(layer, ", ".join(of_bytes), "which does not hold bytes")
                mean, factor = None, 1.0
            else:
                own, offset = pixels
                bias = -(offset + own * (bias if mean is None else mean))
        elif self.pixels() not in (None, (1.0, 0.0)):
            self._leave(layer, "no mean and no scale", "which does not give bytes as they are")
        if not bias.any() and own != 1 and abs(factor / own - 1) < _CLOSE:
            self._leave(layer, f"scale {factor:g}", f"which multiplies its bytes by {own:.6g}")
            factor = own
        if bias.any():
            X = net.add(layer, self._bias(bias), X, suffix="_mean")
        if given["crop_size"]:
            X = net.add(layer, RandomCrop(given["crop_size"], rng=0), X, suffix="_crop")
        if factor != own:
            X = net.add(layer, Power(scale=factor / own), X, suffix="_scale")
        if given["mirror"] and given["mean_file"]:
            said = "which mirrors images before the mean is taken off, and Caffe after it"
            self._leave(layer, "mirror", said)
        return X

    def _bias(self, bias: np.ndarray) -> Bias:
        """One that does not learn; a whole image goes into its weights, not into its arguments."""
        if bias.ndim == 3 and bias.shape[1:] != (1, 1):
            made = Bias(bias.shape)
            made.b.data = bias.astype(made.b.data.dtype)
            self.means.append(made)
        else:
            made = Bias(bias.shape, value=tuple(bias.ravel().tolist()))
        made.b.trainable = False
        return made

    def _mean(self, given: Message, shape: tuple) -> np.ndarray | None:
        """(C, 1, 1), (1,) or (C, H, W), None without one."""
        values, name = given["mean_value"], given["mean_file"]
        if values and name:
            raise CaffeError("has both mean_value and mean_file; Caffe takes one of them")
        if values:
            if len(values) not in (1, shape[0]):
                raise CaffeError(
                    f"has {len(values)} mean_value, for images of {shape[0]} channels; "
                    "give one, or one for each"
                )
            return np.reshape(values, (-1, 1, 1)) if len(values) > 1 else np.array(values)
        if not name:
            return None
        beside = self.folder / Path(name).name
        path = next((path for path in (Path(name), beside) if path.is_file()), None)
        if path is None:
            raise CaffeError(f"its mean_file {name} is not there; put it at {beside}")
        mean = read_binaryproto(path)
        if mean.shape != tuple(shape):
            raise CaffeError(f"{path}: is a mean of images {mean.shape}; the samples are {shape}")
        return mean.astype(np.float64)


def mirrors(layer: CaffeLayer) -> bool:
    """Does it flip every second image? Here an augmentation of the training does."""
    return layer.type in _READ and layer("transform_param")["mirror"]


def _words(given: Message) -> list[str]:
    names = ("mean_file", "mean_value", "crop_size", "mirror")
    said = [f"{name} {given[name]}" for name in names if given[name]]
    return [*said, f"scale {given['scale']:g}"] if given["scale"] != 1 else said

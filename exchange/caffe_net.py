"""The net while it is read from Caffe's layers: their tops, and the layers that give them here."""

import dataclasses
import math
from typing import Any

import numpy as np

from lamina.exchange.caffe_message import CaffeError, Message
from lamina.exchange.net_of_nodes import can_be_given, free_name, net_of
from lamina.layers import Layer, Param, State
from lamina.nets import Graph, Head, Node, Sequential

_LARGEST_WEIGHTS = 1 << 30  # numbers


@dataclasses.dataclass(frozen=True)
class Blob:
    """What a layer gives: its name here, and the shape of a sample."""

    name: str
    shape: tuple

    @property
    def ndim(self) -> int:
        """With the batch axis."""
        return 1 + len(self.shape)

    def axis(self, axis: int) -> int:
        """An axis from the front, the batch being 0. Raises CaffeError if there is none."""
        found = axis + self.ndim if axis < 0 else axis
        if not 0 <= found < self.ndim:
            raise CaffeError(f"has axis {axis}, for samples of shape {self.shape}")
        return found


class CaffeLayer:
    """One layer of the file: `layer("pooling_param")` is a message of it."""

    def __init__(self, message: Message):
        self.message, self.name, self.type = message, message["name"], message["type"]
        if self.type == "Python" and message["bottom"]:  # what it is says its class
            given = message["python_param"]
            self.type = f"{given['module']}.{given['layer']}"
        line = f"line {message.line}: " if message.line else ""
        self.place = f"{line}{self.name or 'a layer'} ({self.type or 'no type'})"

    def __call__(self, name: str) -> Any:
        return self.message[name]

    @property
    def tops(self) -> list[str]:
        return self.message["top"]

    @property
    def bottoms(self) -> list[str]:
        return self.message["bottom"]

    def spec(self, i: int) -> Message:
        """What is said of the i-th array that the layer learns."""
        specs = self.message["param"]
        return specs[i] if i < len(specs) else Message("ParamSpec")


class CaffeNet:
    """Layers while they are added. `weights` are the arrays of a caffemodel by layer, or None."""

    def __init__(self, weights: dict[str, list] | None = None):
        self.weights = weights
        self.nodes: dict[str, Node] = {}
        self.inputs: list[str] = []
        self.tops: dict[str, Blob] = {}  # of the file, what they are now
        self.unsized: set[str] = set()  # those of inputs whose shape nobody says
        self.given: list[Blob] = []  # what layers gave, in their order
        self.targets: list[str] = []  # what losses compare with
        self.read: set[str] = set()  # blobs that layers read
        self.flat: dict[str, str] = {}  # blobs with the entries of another, in their order
        self.heads: dict[str, tuple] = {}  # name: (Head, weight)
        self._shared: dict[tuple, Layer] = {}
        self._owners: dict[str, tuple] = {}
        self._numbers = 0

    def input(self, top: str, shape: tuple | None) -> None:
        if top in self.tops:
            raise CaffeError(f"two layers give {top}")
        name = self.unique(top)
        self.inputs.append(name)
        self.tops[top] = Blob(name, shape or ())
        if shape is None:
            self.unsized.add(top)

    def top(self, name: str) -> Blob:
        """What layers before gave under this name, to be read. Raises CaffeError."""
        if name not in self.tops:
            raise CaffeError(f"its bottom {name} is the top of no layer before it")
        if name in self.unsized:
            raise CaffeError(
                f"the file does not say how large a sample of {name} is; say it: "
                f"--shape {name}=1x28x28"
            )
        return self.tops[name]

    def add(self, source: CaffeLayer, layer: Layer, *inputs: Blob, suffix="", outputs: int = 0):
        """Put a layer behind these blobs; gives a Blob, or with `outputs` a list of them."""
        shapes = layer.output_shape(*(x.shape for x in inputs))
        shapes = shapes if isinstance(shapes, list) else [shapes]
        for shape in shapes:
            if not can_be_given(shape):
                raise CaffeError(f"gives samples of shape {shape}")
        name = self.unique(f"{source.name or source.type}{suffix}")
        node = Node(layer, [x.name for x in inputs], outputs or 1)
        self.nodes[name] = node
        self.read.update(node.reads)
        made = zip(node.blobs(name), map(tuple, shapes), strict=True)
        blobs = [Blob(blob, shape) for blob, shape in made]
        return blobs if outputs else blobs[0]

    def room(self, *sizes: int) -> None:
        """Before a layer is made: is there room for so many weights?"""
        self._numbers += math.prod(sizes)
        if self._numbers > _LARGEST_WEIGHTS:
            raise CaffeError(f"would have weights of {' x '.join(map(str, sizes))}")

    def learned(
        self, source: CaffeLayer, layer: Layer, *held: Param | None, first: int = 0, turned=()
    ):
        """The layer with what the file says of its arrays: rates, weights, and whether another
        layer has them too. `held` are they in Caffe's order, from number `first` on; the axes of
        those in `turned` are the other way round here. Gives the layer, or the one it is."""
        params = [param for param in held if param is not None]
        specs = [source.spec(first + i) for i in range(len(params))]
        for param, spec in zip(params, specs, strict=True):
            param.lr_mult, param.decay_mult = spec["lr_mult"], spec["decay_mult"]
            if not param.lr_mult:
                param.trainable, param.lr_mult = False, 1.0
        names = tuple(spec["name"] for spec in specs)
        key = (type(layer), repr(sorted(layer.arguments().items(), key=str)), names)
        for name in filter(None, names):
            if self._owners.setdefault(name, key) != key:
                raise CaffeError(
                    f"shares {name} with another layer, but not all that it learns, or in another "
                    "shape; here layers share all"
                )
        if all(names) and key in self._shared:
            return self._shared[key]
        if all(names):
            self._shared[key] = layer
        for i, param in enumerate(params):
            self.fill(source, first + i, param, param in turned)
        return layer

    def fill(self, source: CaffeLayer, i: int, held: Param | State, turned: bool = False) -> None:
        """Put the i-th array of the file's layer into this one. Raises CaffeError if it does not
        fit, or if there is none."""
        if self.weights is None:
            return
        blobs = self.weights.get(source.name, [])
        if i >= len(blobs):
            raise CaffeError(f"the weights have {len(blobs)} arrays for it, and it needs {i + 1}")
        blob, own = blobs[i], held.data
        wanted = own.shape[::-1] if turned else own.shape
        if _without_ones(blob.shape) != _without_ones(wanted):
            raise CaffeError(f"its array {i} has the shape {blob.shape}, and expects {wanted}")
        blob = blob.reshape(wanted)
        held.data = np.array(blob.T if turned else blob, own.dtype, order="C")

    def unique(self, name: str) -> str:
        return free_name(name, {*self.nodes, *self.inputs})

    def net(self, outputs: list[Blob]) -> Graph | Sequential:
        """What leads to the outputs, with the losses."""
        heads = {name: head for name, (head, _) in self.heads.items()}
        if len(heads) == 1:
            heads = {"loss": next(iter(heads.values()))}
        ends = [blob.name for blob in outputs]
        try:
            return net_of(self.nodes, list(self.inputs), ends, heads, loose=True)
        except ValueError as error:
            raise CaffeError(str(error)) from None


def head(loss, blob: Blob, weight: float, target: str) -> Head:
    return Head(loss, blob.name, target, weight)


def _without_ones(shape: tuple) -> tuple:
    """(1, 1, 1, 10) was how Caffe wrote (10,)."""
    return tuple(n for n in shape if n != 1)

"""What can be wrong with a layer or with what it is given."""

import random

import numpy as np


class ShapeError(ValueError):
    """A layer got an array of the wrong shape. Nets add which layer, and whose output it was."""

    def __init__(self, layer: str, expected: str, got: str, source: str = ""):
        self.layer, self.expected, self.got, self.source = layer, expected, got, source
        super().__init__(layer, expected, got, source)

    def __str__(self):
        return f"{self.layer}: expects {self.expected}, got {self.got}{self.source}"


class StepError(ValueError):
    """A layer cannot go step by step. Nets add which layer of theirs it is."""


def batch_of(shape: tuple) -> str:
    """The shape of a batch, in words, from that of a sample: (N, 3, 4)."""
    return f"({', '.join(['N', *map(str, shape)])})"


class GradientError(ValueError):
    """A Param was given a gradient of another shape or dtype than its own."""

    def __init__(self, param, gradient):
        self.param, self.shape, self.dtype = param, gradient.shape, gradient.dtype
        hint = ""
        if self.dtype != param.data.dtype:
            hint = f". Is an input or a constant {self.dtype}? X.astype(np.{param.data.dtype})"
        super().__init__(
            "a gradient must have the shape and dtype of its Param, "
            f"{param.data.shape} {param.data.dtype}; got {self.shape} {self.dtype}{hint}"
        )


def arrays_of(layer) -> dict[str, np.ndarray]:
    """The plain arrays among the attributes of a layer and of the layers that it holds, by dotted
    name; those in lists and dicts count too."""
    return dict(_plain(layer, "", set()))


def untrained_arrays(layer) -> list[str]:
    """Arrays held in the style `self.W = array; self.dW = ...`, or `self.params = [array]` beside
    `self.grads`, which no optimizer would see.

    Inputs and outputs that a forward has cached are not meant: x, X, y, Y, out.
    """
    arrays = arrays_of(layer)
    beside = {name for name, _ in _attributes(layer, "", set())}

    def is_untrained(name: str) -> bool:
        path, _, last = name.rpartition(".")
        prefix = f"{path}." if path else ""
        in_list = path.rpartition(".")[2] == "params" and f"{path[:-6]}grads" in beside
        return in_list or (f"{prefix}d{last}" in beside and last.lower() not in ("x", "y", "out"))

    return [name for name in arrays if is_untrained(name)]


def foreign_layers(layer) -> dict[str, object]:
    """What the layer holds that looks like a layer, with forward and backward, but is none."""
    return {
        name: value
        for name, value in _attributes(layer, "", set())
        if callable(getattr(value, "forward", None))
        and callable(getattr(value, "backward", None))
        and not hasattr(value, "walk")
    }


def other_generators(layer) -> dict[str, object]:
    """Random numbers that the layer holds in another form than numpy.random.Generator: they are not
    saved with it, and a twin would draw the same ones."""
    kinds = (np.random.RandomState, random.Random)
    return {n: v for n, v in _attributes(layer, "", set()) if isinstance(v, kinds)}


def _attributes(held, prefix: str, seen: set):
    """(dotted name, value) of the attributes of a layer, lists, dicts and inner layers opened."""
    if id(held) in seen:
        return
    seen.add(id(held))
    for name, value in (held if isinstance(held, dict) else vars(held)).items():
        yield f"{prefix}{name}", value
        if isinstance(value, (list, tuple)):
            value = {str(i): v for i, v in enumerate(value)}
        if isinstance(value, dict) or hasattr(value, "walk"):
            yield from _attributes(value, f"{prefix}{name}.", seen)


def _plain(held, prefix: str, seen: set):
    return ((n, v) for n, v in _attributes(held, prefix, seen) if isinstance(v, np.ndarray))

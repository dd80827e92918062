"""Which function says what an ONNX operator is here: a function per operator, which adds layers.

    @onnx_operator("Softsign")
    def softsign(node, graph, X):
        return graph.add(Softsign(), X)

A function gets the node, the graph and its inputs: a `Blob`, what a layer gives (its `shape` is
that of a sample), a `Constant`, whose `array` is known, or None where one is left out. It returns
what `graph.add` gave, a tuple for several outputs. `node.get(name, default)` is an attribute: one
that the function has not asked for is refused, and so is an input that it has no parameter for, so
that nothing is passed over. What cannot be exact raises `OnnxError`, with what to do. The
operators are in the files that onnx_in.py imports for them; those of another domain are called by
its name too, "com.microsoft.FusedGemm".
Source: https://onnx.ai/onnx/operators.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np


class OnnxError(ValueError):
    """A net cannot be written as ONNX, or a file not be read; says which layer or operator it is,
    and what to do."""


@dataclasses.dataclass(frozen=True)
class Blob:
    """What a layer gives, or an input: its name in the net, the shape of a sample, its kind."""

    name: str
    shape: tuple
    dtype: np.dtype

    @property
    def ndim(self) -> int:
        """With the batch axis."""
        return len(self.shape) + 1


@dataclasses.dataclass(frozen=True)
class Constant:
    """An array that is known. `name` is that of the file, "" if it was computed; `batch` says which
    of its numbers are the length of the batch, and only stand for it."""

    array: np.ndarray
    name: str = ""
    batch: np.ndarray | None = None

    def has_batch(self) -> bool:
        return self.batch is not None and bool(self.batch.any())

    def number(self):
        """The only entry, as a Python number."""
        if self.array.size != 1 or self.has_batch():
            raise OnnxError(f"expects one number that is known, got the shape {self.array.shape}")
        return self.array.item()

    def numbers(self) -> list[int]:
        """Whole numbers, none of which is the length of the batch."""
        if self.array.dtype.kind not in "iu" or self.array.ndim > 1 or self.has_batch():
            raise OnnxError("expects a list of whole numbers that are known")
        return [int(n) for n in self.array.reshape(-1)]


OPERATORS: dict[str, Callable] = {}


def onnx_operator(name: str):
    """Makes a function the one for this operator."""

    def added(function):
        OPERATORS[name] = function
        return function

    return added


def axis_of(axis: int, ndim: int, what: str = "axis") -> int:
    """An axis of an array of so many, counted from the start. Raises OnnxError for one that is not
    there, and for 0, the batch, whose samples a layer keeps apart."""
    found = axis + ndim if axis < 0 else axis
    if not 0 <= found < ndim:
        raise OnnxError(f"{what} {axis} is none of an array of {ndim} axes")
    if found == 0:
        raise OnnxError(f"{what} 0 is the batch, and layers keep its samples apart")
    return found


def known(value, what: str) -> Constant:
    """An input that must be a constant."""
    if not isinstance(value, Constant):
        raise OnnxError(f"{what} is computed from the inputs; only one that is known can be read")
    return value


def computed(value, what: str = "its input") -> Blob:
    """An input that must be no constant."""
    if not isinstance(value, Blob):
        raise OnnxError(f"{what} is a constant, or left out; only what is computed can be read")
    return value


def finite(number, what: str) -> float:
    if not math.isfinite(number):
        raise OnnxError(f"{what} is {number}")
    return float(number)

"""Does a layer work on arrays of another library, which refuse plain ones?"""

import traceback
from pathlib import Path

import numpy as np

from lamina.layers.auto_layer import AutoLayer
from lamina.layers.base import Carried, Layer, State
from lamina.layers.check.case import Case, as_tuple, random_douts
from lamina.layers.check.report import NOTE, Report
from lamina.layers.check.strict_array import StrictArray
from lamina.layers.loss import Loss

_CURE = "make buffers like= the data, and constants beside(X, constant), of lamina.layers.beside"


def takes_other_arrays(case: Case, report: Report, rng) -> None:
    """Forward and backward on strict arrays give strict arrays. Only said: with NumPy's own arrays
    the layer is right. A layer that cannot says why, in `numpy_only`."""
    layer, inputs = case.fresh()
    if isinstance(layer, AutoLayer) or any(isinstance(held, AutoLayer) for _, held in layer.walk()):
        return  # reverse mode follows NumPy's arrays
    if layer.numpy_only:
        report.add(NOTE, "Y", case.where, f"works on NumPy's own arrays alone: {layer.numpy_only}")
        return
    _make_strict(layer)
    try:
        outputs = as_tuple(layer.forward(*map(StrictArray, inputs)))
        _check(outputs, "forward returns")
        douts = random_douts(tuple(y.array for y in outputs), rng)
        back = () if isinstance(layer, Loss) else map(StrictArray, douts)
        _check(as_tuple(layer.backward(*back)), "backward returns")
        for name, param in layer.parameters().items():
            _check((param.grad,), f"{name}.grad is")
    except Exception as error:
        message = f"is not there for arrays of other libraries, such as CuPy's: {error}"
        report.add(NOTE, "Y", case.where, f"{message}{_place(error)}\n{_CURE}")


def _make_strict(layer: Layer) -> None:
    for param in layer.parameters().values():
        param.data = StrictArray(param.data)
    for _, held in layer.walk():
        if isinstance(held, State):
            held.data = StrictArray(held.data)
        elif isinstance(held, Carried):
            held.data, held.evaluated = StrictArray(held.data), StrictArray(held.evaluated)


def _check(arrays: tuple, what: str) -> None:
    for array in arrays:
        if isinstance(array, np.ndarray):
            raise TypeError(f"{what} a plain array {array.shape} {array.dtype}")


def _place(error: Exception) -> str:
    """The line, outside the check, where it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    ours, numpys = str(Path(__file__).parent), str(Path(np.__file__).parent)
    own = [f for f in frames if not f.filename.startswith((ours, numpys))]
    return f" (line {own[-1].lineno}: {own[-1].line})" if own else ""

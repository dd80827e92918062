"""The form of a layer: what it holds, returns and says of its shapes, and its dtype.

Each rule is a function (case, report, rng) that adds findings and says nothing when all is well.
"""

import contextlib
import numbers
import warnings

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.check.case import Case, as_tuple, random_douts
from lamina.layers.check.diagnosis import explain_error
from lamina.layers.check.differences import apart
from lamina.layers.check.report import FAILED, NOTE, Report
from lamina.layers.errors import GradientError, arrays_of, foreign_layers, untrained_arrays
from lamina.layers.loss import Loss

ROUNDING = 1e-2  # of a float32 layer, as a share of its largest number


def trains_what_it_holds(case: Case, report: Report, rng) -> None:
    """A layer in the book's style keeps self.W = array and self.dW: no optimizer sees it."""
    before = set(arrays_of(case.layer))
    used, inputs = case.fresh()
    with contextlib.suppress(Exception):  # what it raises is explained later
        outputs = as_tuple(used.forward(*inputs))
        used.backward(*random_douts(outputs, rng))
    untrained = [name for name in untrained_arrays(used) if name in before]
    for name in untrained:
        report.seen.add(f"{name}.grad")
        report.add(
            FAILED,
            name,
            case.where,
            f"is an array, not a Param: no optimizer sees it, so it will never train\n"
            f"wrap it: self.{name} = Param({name}) in __init__, self.{name}.data in forward, and "
            f"self.{name}.accumulate(d{name}) in backward instead of self.d{name} = d{name}",
        )
    for name, value in foreign_layers(case.layer).items():
        report.add(
            FAILED,
            name,
            case.where,
            f"is a {type(value).__name__}, which has forward and backward but is no Layer: its "
            f"parameters are not found. Write class {type(value).__name__}(Layer)",
        )
    for name, value in arrays_of(case.layer).items():
        if value.dtype.kind == "f" and name not in untrained:
            report.add(
                NOTE,
                name,
                case.where,
                "is an array that the layer was made with: a constant. If it should be learned, "
                f"write self.{name} = Param({name}); if it is a running statistic, State({name}). "
                "A constant needs the dtype of the data, or float32 nets break on it",
            )


def returns_what_it_should(case: Case, report: Report, rng) -> None:
    """One gradient for each floating input; a loss is a single number and starts backward alone."""
    layer, inputs = case.fresh()
    outputs = as_tuple(layer.forward(*inputs))
    if isinstance(layer, Loss):
        if len(outputs) != 1 or np.ndim(outputs[0]) != 0:
            message = f"a loss is a 0-d array, got shape {np.shape(outputs[0])}: sum over it all"
            report.add(FAILED, "forward", case.where, message)
        weight = layer.weight
        if not (isinstance(weight, numbers.Real) and weight > 0):
            message = (
                f"self.weight is {weight!r:.60} after it, but says how much counted: multiply the "
                "sum by self.scale(n), n being the number of samples"
            )
            report.add(FAILED, "forward", case.where, message)
        try:
            layer.backward()
        except Exception as error:
            message = f"backward() without dout raises {type(error).__name__}: {error}"
            report.add(FAILED, "backward", case.where, message)
        return
    returned = as_tuple(layer.backward(*random_douts(outputs, rng)))
    n_wanted = len(case.input_names)
    extra = [g for g in returned[n_wanted:] if g is not None]
    if extra and len(returned) != len(case.inputs):
        message = f"returns {len(returned)} gradients for {n_wanted} floating inputs"
        report.add(FAILED, "backward", case.where, message)


def keeps_its_shapes(case: Case, report: Report, rng) -> None:
    """output_shape says what forward does: the layers behind infer their sizes from it."""
    outputs = case.forward()
    if len(outputs) != 1 or len(case.inputs) != 1 or case.inputs[0].ndim < 2:
        return
    if case.inputs[0].ndim == outputs[0].ndim and len(outputs[0]) != len(case.inputs[0]):
        return  # no batch axis in front: nothing to compare
    real = np.shape(outputs[0])[1:]
    told = tuple(case.layer.output_shape(case.inputs[0].shape[1:]))
    if told == real:
        return
    sample = case.inputs[0].shape[1:]
    if type(case.layer).output_shape is Layer.output_shape:
        message = f"forward changes the shape of a sample, {sample} to {real}: write output_shape"
        report.add(NOTE, "output_shape", case.where, f"{message}, for nets built from YAML")
    else:
        message = f"says {told} for an input sample {sample}, but forward gives {real}"
        report.add(FAILED, "output_shape", case.where, message)


def keeps_float32(case: Case, report: Report, rng) -> None:
    """float32 in, float32 out, in values and gradients, since float64 costs twice the time and
    memory; and the same numbers, to the rounding of float32."""
    small = Case(case.layer, [_as32(x) for x in case.inputs], case.training, case.where)
    for _, held in small.layer.walk():
        if hasattr(held, "data"):
            held.data = _as32(held.data)
    _constants_as_32(small.layer)
    layer, inputs = small.fresh()
    try:
        outputs = as_tuple(layer.forward(*inputs))
        douts = tuple(_as32(d) for d in random_douts(outputs, rng))
        gradients = small.collect(layer, layer.backward(*douts))
    except GradientError as error:
        array, where, _ = explain_error(small, error)
        report.add(FAILED, array, where, _creep(error.dtype))
        return
    except (ValueError, TypeError) as error:
        report.add(FAILED, *explain_error(small, error))
        return
    layer, inputs = case.fresh()
    expected = as_tuple(layer.forward(*inputs))
    right = case.collect(layer, layer.backward(*(np.asarray(d, np.float64) for d in douts)))
    named = [("Y", y, e) for y, e in zip(outputs, expected, strict=True)]
    named += [(small.label(n), g, right[n]) for n, g in gradients.items() if g is not None]
    for name, array, wide in named:
        if np.asarray(array).dtype == np.float64:
            report.add(FAILED, name, case.where, _creep(np.asarray(array).dtype))
        elif not np.allclose(array, wide, rtol=0, atol=ROUNDING * np.max(np.abs(wide), initial=0)):
            report.add(
                FAILED,
                name,
                case.where,
                "is another one in float32: it differs from that in float64 by more than a "
                f"hundredth, {_worst(array, wide)}",
            )


def minds_whole_numbers(case: Case, report: Report, rng) -> None:
    """uint8 in, such as the bytes of a picture: an error or the right numbers, for 3 - 5 is 254
    there. Only said, since nets mostly pass floats on."""
    names = case.input_names
    if not names or any(case.inputs[i].size == 0 for i in names.values()):
        return
    whole = {n: rng.integers(0, 12, case.inputs[i].shape) for n, i in names.items()}
    results = []
    for dtype in (np.float64, np.uint8):
        layer, inputs = case.fresh({n: x.astype(dtype) for n, x in whole.items()})
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            try:
                results.append(as_tuple(layer.forward(*inputs)))
            except Exception:  # refused, or no numbers for this layer
                return
    for right, array in zip(*results, strict=True):
        array = np.asarray(array, np.float64)
        if not np.allclose(array, right, rtol=ROUNDING, atol=1e-9, equal_nan=True):
            report.add(
                NOTE,
                "Y",
                case.where,
                f"is wrong where X is uint8 and says nothing: {_worst(array, right)}\n"
                "refuse whole numbers: check_floats(self, X), of lamina.layers.floats",
            )
            return


def takes_any_layout(case: Case, report: Report, rng) -> None:
    """Arrays that lie otherwise in memory, as views and transposed arrays do, give the same."""
    outputs, douts, expected = case.sample(rng)
    layer, inputs = case.fresh(case.variables, _spread)
    named = [("Y", y, e) for y, e in zip(as_tuple(layer.forward(*inputs)), outputs, strict=True)]
    gradients = case.collect(layer, case.back(layer, *map(_spread, douts)))
    named += [(case.label(n), g, expected[n]) for n, g in gradients.items() if g is not None]
    for name, array, right in named:
        scale = np.max(np.abs(right), initial=0, where=np.isfinite(right))
        if not np.allclose(array, right, rtol=0, atol=1e-9 * scale, equal_nan=True):
            report.add(
                FAILED,
                name,
                case.where,
                "is another one where arrays do not lie row by row in memory, as views and "
                f"transposed ones do not: {_worst(array, right)}",
            )


def _spread(x):
    """The same numbers, with others between them in memory and the last axis first."""
    if not x.ndim:
        return x
    wide = np.repeat(np.moveaxis(x, -1, 0), 2, axis=0)
    return np.moveaxis(wide[::2], 0, -1)


def _worst(array, right) -> str:
    at = np.unravel_index(np.argmax(np.abs(np.asarray(array) - right)), np.shape(right))
    return " for ".join(apart(np.asarray(array)[at], right[at]))


def _constants_as_32(layer: Layer) -> None:
    """Constant arrays as a float32 layer would hold them, in inner layers and in lists too."""
    for part in (layer, *(held for _, held in layer.walk() if isinstance(held, Layer))):
        for name, value in vars(part).items():
            if isinstance(value, np.ndarray):
                setattr(part, name, _as32(value))
            elif isinstance(value, (list, tuple)) and any(isinstance(v, np.ndarray) for v in value):
                held = [_as32(v) if isinstance(v, np.ndarray) else v for v in value]
                setattr(part, name, type(value)(held))


def _as32(x):
    x = np.asarray(x)
    return x.astype(np.float32) if x.dtype == np.float64 else x


def _creep(dtype) -> str:
    return (
        f"is {dtype} where all that went in is float32\nlikely: a NumPy float64 scalar or array "
        "among the operands; use Python floats, math.sqrt, dtype=X.dtype for new arrays, and "
        "np.where(...).astype(X.dtype), since np.where of two numbers is float64"
    )

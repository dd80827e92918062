"""The rest of the contract: what a right gradient alone does not show.

Each rule is a function (case, report, rng) that adds findings and says nothing when all is well.
"""

import contextlib
import copy

import numpy as np

from layers.base import Layer, Param
from layers.check.case import Case, as_tuple, random_douts
from layers.check.diagnosis import explain_error
from layers.check.report import FAILED, NOTE, Report
from layers.errors import GradientError, arrays_of, foreign_layers, untrained_arrays
from layers.loss import Loss


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


def leaves_arguments_alone(case: Case, report: Report, rng) -> bool:
    """Neither X nor dout nor the output, which others hold too, may be written into."""
    layer, inputs = case.fresh()
    outputs = as_tuple(layer.forward(*inputs))
    if any(y is None for y in outputs):
        raise TypeError("forward returns None: return the output")
    kept = [np.copy(y) for y in outputs]
    douts = random_douts(outputs, rng)
    given = [d.copy() for d in douts]
    try:
        layer.backward(*given)
    except Exception:  # explained when the gradients are compared
        return True
    watched = [*zip(case.argument_names, inputs, case.inputs, strict=True)]
    watched += [("dout", g, d) for g, d in zip(given, douts, strict=True)]
    watched += [("Y", y, k) for y, k in zip(outputs, kept, strict=True)]
    clean = True
    for name, now, before in watched:
        changed = np.asarray(now != before)
        if changed.any():
            clean = False
            at = np.unravel_index(np.argmax(changed), changed.shape)
            report.add(
                FAILED,
                name,
                case.where,
                f"is written into: entry {tuple(map(int, at))} was {np.asarray(before)[at]:.6g}, "
                f"is {np.asarray(now)[at]:.6g}\nothers hold this array too: compute a new one",
            )
    return clean


def gradients_add_up(case: Case, report: Report, rng) -> None:
    """A second backward adds to the gradients, and writes into none that was handed over."""
    outputs = case.forward()
    first, second = random_douts(outputs, rng), random_douts(outputs, rng)
    expected = [case.gradients(first), case.gradients(second)]
    layer, inputs = case.fresh()
    layer.forward(*inputs)
    layer.backward(*first)
    parameters = layer.parameters()
    handed = {n: (parameters[n].grad, np.copy(parameters[n].grad)) for n in case.parameter_names}
    after = case.collect(layer, layer.backward(*second))
    for name in case.variables:
        right = expected[1][name]
        if name in case.parameter_names:
            right = right + expected[0][name]
            array, before = handed[name]
            if not np.array_equal(array, before, equal_nan=True):
                report.add(
                    FAILED, case.label(name), case.where, "an earlier gradient is written into"
                )
        if not _close(after[name], right):
            report.add(
                FAILED,
                case.label(name),
                case.where,
                "is wrong when backward is called a second time: the sum of both gradients is "
                "expected, use accumulate; and backward must not use up what forward kept",
            )


def keeps_no_stale_cache(case: Case, report: Report, rng) -> None:
    """After a forward on other inputs, forward and backward on these must be as if alone."""
    outputs = case.forward()
    douts = random_douts(outputs, rng)
    expected = case.gradients(douts)
    layer, inputs = case.fresh()
    before = layer.state()
    layer.backward(*random_douts(as_tuple(layer.forward(*_others(case))), rng))
    layer.load_state(before)
    for param in layer.parameters().values():
        param.grad = None
    again = as_tuple(layer.forward(*inputs))
    for y, first in zip(again, outputs, strict=True):
        if not np.array_equal(y, first):
            report.add(FAILED, "Y", case.where, f"depends on the call before{_stale(case)}")
    after = case.collect(layer, layer.backward(*douts))
    for name in case.variables:
        if not _close(after[name], expected[name]):
            report.add(
                FAILED,
                case.label(name),
                case.where,
                f"a stale cache: it depends on the call before{_stale(case)}",
            )


def takes_a_batch_of_one(case: Case, report: Report, rng, check) -> None:
    """The last batch of an epoch, or a single picture. `check` is the check of gradients."""
    sizes = {len(x) for x in case.inputs if x.ndim}
    batched = all(x.ndim >= (2 if x.dtype.kind == "f" else 1) for x in case.inputs)
    if not batched or len(sizes) != 1 or sizes == {1}:
        return
    where = f"{case.where}, batch of one"
    one = Case(case.layer, [x[:1] for x in case.inputs], case.training, where)
    try:
        one.forward()
    except ValueError as error:
        # Batch statistics of one value do not exist: refusing is right, if the words are clear.
        if case.training:
            report.add(NOTE, "X", where, f"refused in training: {error}")
            return
        report.add(FAILED, "X", where, f"raises ValueError: {error}")
        return
    check(one, report, rng)


def keeps_float32(case: Case, report: Report, rng) -> None:
    """float32 in, float32 out, in values and gradients: float64 costs twice the time and memory."""
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
    named = [("Y", y) for y in outputs]
    named += [(small.label(n), g) for n, g in gradients.items() if g is not None]
    for name, array in named:
        if np.asarray(array).dtype == np.float64:
            report.add(FAILED, name, case.where, _creep(np.asarray(array).dtype))


def changes_nothing_but_states(case: Case, report: Report, rng) -> None:
    """Forward and backward leave the parameters as they are, and evaluation leaves everything:
    neither running statistics nor random numbers move."""
    layer, inputs = case.fresh()
    before = layer.state()
    outputs = as_tuple(layer.forward(*inputs))
    layer.backward(*random_douts(outputs, rng))
    for name, value in layer.state().items():
        if name not in layer.parameters() and case.training:
            continue
        if not np.array_equal(value, before[name], equal_nan=value.dtype.kind == "f"):
            what = "training moves it" if case.training else "evaluation changes it"
            report.add(
                FAILED,
                name,
                case.where,
                f"{what}: only an optimizer changes parameters, and in evaluation "
                "(self.training is False) running statistics and random generators stay",
            )


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


def returns_what_it_should(case: Case, report: Report, rng) -> None:
    """One gradient for each floating input; a loss is a single number and starts backward alone."""
    layer, inputs = case.fresh()
    outputs = as_tuple(layer.forward(*inputs))
    if isinstance(layer, Loss):
        if len(outputs) != 1 or np.ndim(outputs[0]) != 0:
            message = f"a loss is a 0-d array, got shape {np.shape(outputs[0])}: sum over it all"
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


def saves_all_its_state(case: Case, report: Report, rng) -> None:
    """What a training forward changes must come back from state(): else a saved net is another."""
    if not case.training:
        return
    used, inputs = case.fresh()
    used.forward(*inputs)
    loaded, _ = case.fresh()
    for held in (h for _, h in loaded.walk() if isinstance(h, Param)):
        held.data = held.data + 1.0
    loaded.load_state(used.state())
    for training in (True, False):
        results = []
        for layer in (copy.deepcopy(used), copy.deepcopy(loaded)):
            layer.set_training(training)
            results.append(as_tuple(layer.forward(*(x.copy() for x in case.inputs))))
        if not all(np.array_equal(a, b) for a, b in zip(*results, strict=True)):
            report.add(
                FAILED,
                "state",
                case.where,
                "forward changes something that state() does not save: keep it in a State, "
                "through self.name.update(value)",
            )
            return


def lets_nan_through(case: Case, report: Report, rng) -> None:
    """NaN in must be NaN out: hiding it hides that a run has gone wrong."""
    with np.errstate(all="ignore"):
        douts = random_douts(case.forward(), rng)
        gradients = case.gradients(douts)
        for name, value in case.variables.items():
            if not np.any(gradients[name]):
                continue  # an entry that the output does not depend on may vanish
            spoilt = value.copy()
            spoilt[np.unravel_index(np.argmax(np.abs(gradients[name])), value.shape)] = np.nan
            if not any(np.isnan(y).any() for y in case.forward({name: spoilt})):
                report.add(
                    FAILED,
                    "Y",
                    case.where,
                    f"a NaN in {name} disappears: use np.maximum(X, 0), not np.where(X > 0, X, 0)",
                )
        spoilt = tuple(np.full_like(d, np.nan) for d in douts)
        for name, gradient in case.gradients(spoilt).items():
            if not np.isnan(gradient).any() and np.any(gradients[name]):
                report.add(FAILED, case.label(name), case.where, "NaNs in dout disappear")


def may_leave_out_dX(case: Case, report: Report, rng) -> None:
    """With needs_dX off, the gradients of the parameters stay as they are."""
    douts = random_douts(case.forward(), rng)
    expected = case.gradients(douts)
    layer, inputs = case.fresh()
    layer.needs_dX = False
    layer.forward(*inputs)
    layer.backward(*douts)
    for name in case.parameter_names:
        grad = layer.parameters()[name].grad
        if grad is None or not _close(grad, expected[name]):
            report.add(FAILED, case.label(name), case.where, "is wrong when needs_dX is False")


RULES = (
    returns_what_it_should,
    changes_nothing_but_states,
    keeps_its_shapes,
    gradients_add_up,
    keeps_no_stale_cache,
    keeps_float32,
    saves_all_its_state,
    lets_nan_through,
    may_leave_out_dX,
)


def _close(a, b) -> bool:
    if a is None or b is None:
        return a is b
    scale = float(np.max(np.abs(b), initial=0.0))
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-12 * scale + 1e-300)


def _others(case: Case) -> list:
    """Other inputs of the same kind: floats mixed with their neighbours, so that they stay where
    the layer is defined; integers and targets in another order."""
    others = [np.roll(x, 1, axis=0) if x.ndim else x for x in case.inputs]
    for i in case.input_names.values():
        x = case.inputs[i]
        others[i] = 0.5 * (x + np.roll(x.reshape(-1), 1).reshape(x.shape))
    return others


def _stale(case: Case) -> str:
    """Which attributes forward leaves as they were the first time."""
    layer, inputs = case.fresh()
    layer.forward(*inputs)
    before = {n: v for n, v in vars(layer).items() if isinstance(v, np.ndarray)}
    layer.forward(*_others(case))
    stale = [n for n, v in before.items() if vars(layer)[n] is v and n not in vars(case.layer)]
    return f": forward must set self.{', self.'.join(stale)} anew each time" if stale else ""


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

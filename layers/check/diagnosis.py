"""When a gradient is wrong: which entry, by how much, and the likely cause in plain words."""

import inspect
import traceback
from pathlib import Path

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.check.case import Case, as_tuple, inner
from lamina.layers.check.differences import apart, explains, is_plain, times
from lamina.layers.errors import GradientError
from lamina.layers.loss import Loss

MAX_ENTRIES = 400
TOLERANCE = 1e-6
NEARLY = 1e-5  # of the largest entry: what float32 leaves
OF_ROUNDING = (
    "right to some seven digits: something is computed in float32 (astype, np.float32, an array of "
    "that dtype) where what comes in is float64, or a small eps of forward is missing"
)
# How causes begin that say little: who knows more may say it.
VAGUE = ("no known pattern", "entries are left at 0")


def diagnose(case: Case, name: str, gradient, douts: tuple) -> str:
    """The worst entry and what the pattern of errors looks like, as text."""
    gradient = np.asarray(gradient)
    if gradient.size > MAX_ENTRIES:
        return _diagnose_some(case, name, gradient, douts)
    entries = list(np.ndindex(gradient.shape))
    true = true_gradient(case, name, douts, entries).reshape(gradient.shape)
    text = _worst(case.label(name), gradient, true, entries)
    try:
        cause = likely_cause(case, name, gradient, true, douts)
    except Exception:  # a layer that is wrong may break the search for the cause
        cause = ""
    return f"{text}\nlikely: {cause}" if cause else text


def _diagnose_some(case: Case, name: str, gradient, douts: tuple) -> str:
    """As `diagnose`, on a sample: each entry costs a whole forward."""
    places = np.random.default_rng(0).permutation(gradient.size)[:MAX_ENTRIES]
    entries = [tuple(map(int, np.unravel_index(p, gradient.shape))) for p in places]
    true = true_gradient(case, name, douts, entries)
    found = np.array([gradient[e] for e in entries])
    if not _wrong(found, true):
        return (
            f"wrong in a few of its {gradient.size} entries, along a direction in all of them; "
            f"none of the {len(entries)} that were probed is"
        )
    text = _worst(case.label(name), found, true, entries, gradient.size)
    for cause, other in (("a sign", -true), ("twice too much", 2 * true)):
        if explains(other, found, true):
            return f"{text}\nlikely: {cause}"
    return text


def _worst(label: str, gradient, true, entries: list, of: int = 0) -> str:
    """`of` is the size of the whole gradient, if these are some of its entries."""
    error = _error(gradient, true)
    place = int(np.argmax(error))
    at = f"[{', '.join(map(str, entries[place]))}]" if entries[place] else ""
    is_now, should = apart(gradient.reshape(-1)[place], true.reshape(-1)[place])
    wrong = _wrong(gradient, true)
    if not wrong:
        if not error[place]:
            return "wrong along a direction in all of its entries, and right in each by itself"
        return (
            "wrong along a direction in all of its entries, each of them nearly right; worst: "
            f"{label}{at} is {is_now}, should be {should}"
        )
    return (
        f"{wrong} of {error.size} entries{f' probed, of {of},' if of else ''} are wrong; "
        f"worst: {label}{at} is {is_now}, should be {should}"
    )


def _error(gradient, true) -> np.ndarray:
    error = np.abs(gradient - true).reshape(-1)
    return np.where(np.isnan(error), np.inf, error)


def _wrong(gradient, true) -> int:
    """How many entries are wrong."""
    flat = np.abs(true).reshape(-1)
    return int(np.sum(_error(gradient, true) > TOLERANCE * (flat + flat.max())))


def true_gradient(case: Case, name: str, douts: tuple, entries: list) -> np.ndarray:
    """The gradient at these entries, one by one: by duals, or by differences where duals do not
    run."""
    value = case.variables[name]
    true = np.zeros(len(entries))
    for place, index in enumerate(entries):
        unit = np.zeros(value.shape)
        unit[index] = 1.0
        try:
            true[place] = inner(case.jvp(name, unit), douts)
        except Exception:  # duals do not run on this layer, which is a finding of its own
            true[place] = inner(case.differences(name, unit), douts)
    return true


def likely_cause(case: Case, name: str, gradient, true, douts: tuple) -> str:
    """The first known mistake that turns the true gradient into this one; "" if none does."""
    n = len(case.inputs[0]) if case.inputs[0].ndim else 1
    if not np.isfinite(gradient).all():
        bad = int(np.count_nonzero(~np.isfinite(gradient)))
        return f"{bad} of its {gradient.size} numbers are NaN or infinite: no rule explains these"
    if not gradient.any():
        return "it is never computed: zero everywhere"
    if not true.any():
        return "the output does not depend on it: does your forward use it?"
    if explains(-true, gradient, true):
        return "a sign: it is the negative of the right gradient"
    factor = float(np.sum(gradient * true) / max(np.sum(true * true), 1e-300))
    if explains(factor * true, gradient, true) and is_plain(factor, gradient.size):
        return _factor(factor, _divisor(case, n))
    if (
        gradient.ndim == 2
        and gradient.shape == gradient.T.shape
        and explains(true.T, gradient, true)
    ):
        return "a transposed matrix: it is the transpose of the right gradient"
    where_wrong = ~np.isclose(gradient, true, rtol=TOLERANCE, atol=TOLERANCE * np.abs(true).max())
    if _only_at_targets(case, where_wrong):
        return (
            "only the entry of the right class is wrong in each row: subtract there "
            "(p[rows, t] -= 1), do not set (= 1)"
        )
    if where_wrong.any() and not true[where_wrong].any():
        return (
            "a forgotten mask: wrong only where the gradient should be 0, since these entries do "
            "not reach the output"
        )
    if name in case.input_names and np.shape(douts[0]) == gradient.shape:
        if explains(douts[0] * case.variables[name], gradient, true):
            return f"it is dout times {name}: the local derivative is missing"
        if explains(np.asarray(douts[0]), gradient, true):
            return "it is dout itself: the local derivative is missing"
    if where_wrong.any() and _same(gradient[where_wrong], -true[where_wrong]):
        return "a sign in one branch: the wrong entries are the negative of the right ones"
    if said := _of_adding(case, name, gradient, true, douts):
        return said
    if where_wrong.any() and not gradient[where_wrong].any():
        return "entries are left at 0 that should get a gradient"
    if _error(gradient, true).max(initial=0.0) <= NEARLY * np.abs(true).max():
        return OF_ROUNDING
    return (
        _mended_by(case, name, true, douts)
        or _no_longer_zero(gradient, true)
        or (
            "no known pattern. Is a term missing, or does forward keep another array than backward "
            "takes it for?"
        )
    )


def _of_adding(case: Case, name: str, gradient, true, douts: tuple) -> str:
    """Where a gradient is to be added up: it is set, rounded, or added up once too often."""
    wrong = ~np.isclose(gradient, true, rtol=TOLERANCE, atol=TOLERANCE * np.abs(true).max())
    if gradient.size > 1 and np.ptp(gradient) == 0.0 < np.ptp(true):
        return "all its entries are one number: a sum over too many axes"
    if np.array_equal(gradient, np.rint(gradient)) and not np.array_equal(true, np.rint(true)):
        return "whole numbers alone: is it // for /, or an array of integers?"
    single = np.append(np.ravel(douts[0]), 0.0)
    one_each, more = np.isin(gradient[wrong], single), ~np.isin(true[wrong], single)
    if gradient[wrong].any() and one_each.all() and more.any():
        return (
            "set where it is to be added to: an entry that counts several times, as in windows "
            "that overlap or an index that occurs twice, gets one of its gradients alone. "
            "d[i] += adds once for each different i: np.add.at(d, i, dout)"
        )
    return ""


def _no_longer_zero(gradient, true) -> str:
    """Softmax and normalising layers: a shift of all inputs alike changes nothing."""
    for axis in range(true.ndim):
        none = TOLERANCE * np.abs(true).max()
        right, own = (np.abs(g.sum(axis=axis)).max() for g in (true, gradient))
        if true.shape[axis] > 1 and right <= none < own:
            return (
                f"a missing term: over axis {axis} the right gradient adds up to 0, and this one "
                "does not. Each input moves the others through their sum or mean"
            )
    return ""


def _same(a, b) -> bool:
    return np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE * float(np.max(np.abs(b), initial=0)))


def _divisor(case: Case, n: int) -> int:
    """What a mean divides by: of a loss what counted, which may be positions."""
    layer, inputs = case.fresh()
    if not isinstance(layer, Loss):
        return n
    layer.forward(*inputs)
    weight = layer.weight
    return int(weight) if weight and float(weight).is_integer() else 0


def _factor(factor: float, n: int) -> str:
    text = f"a factor: it is {times(factor)} times the right gradient"
    whats = {1: "N too much: the mean divides by N", -1: "divided by N once too often"}
    for power, what in whats.items():
        if n > 2 and np.isclose(factor, float(n) ** power, rtol=1e-6):  # 2 may be any factor
            return f"{text}, N being {n}: {what}"
    return text


def _only_at_targets(case: Case, where_wrong) -> bool:
    if not isinstance(case.layer, Loss) or len(case.inputs) < 2:
        return False
    expected = np.zeros_like(where_wrong).reshape(-1, where_wrong.shape[-1])
    try:
        t = case.layer.class_indices(*case.inputs)
    except (TypeError, ValueError):
        return False  # a loss of numbers
    rows = np.flatnonzero(t != getattr(case.layer, "ignore_index", None))
    expected[rows, t[rows]] = True
    return bool((where_wrong.reshape(expected.shape) == expected).all())


def _mended_by(case: Case, name: str, true, douts: tuple) -> str:
    """Which one change of what backward uses would make it right? The change is the cause."""
    layer, inputs = case.fresh()
    outputs = as_tuple(layer.forward(*inputs))
    known = {f"the input {n}": inputs[i] for n, i in case.input_names.items()}
    known |= {"the output": outputs[0]}

    def right_after(change) -> bool:
        trial, inputs = case.fresh()
        trial.forward(*inputs)
        change(trial)
        try:
            gradient = case.collect(trial, trial.backward(*douts))[name]
        except Exception:  # a guess that does not even run is no explanation
            return False
        return np.shape(gradient) == true.shape and _same(gradient, true)

    for attribute, kept in vars(layer).items():
        for what, array in known.items():
            fits = isinstance(kept, np.ndarray) and kept.shape == np.shape(array)
            if fits and right_after(lambda trial, a=attribute, x=array: setattr(trial, a, x)):
                return f"forward keeps the wrong array in self.{attribute}: keep {what} there"
    for parameter in case.parameter_names:
        data = case.variables[parameter]
        if data.ndim == 2 and data.shape == data.T.shape:

            def transpose(trial, parameter=parameter):
                held = trial.parameters()[parameter]
                held.data = held.data.T

            if right_after(transpose):
                return f"a transposed matrix: {parameter}.data.T for {parameter}.data, or back"
    return ""


def explain_error(case: Case, error: Exception) -> tuple[str, str, str]:
    """(array, where, message) for an error that forward or backward raised."""
    layer, inputs = case.fresh()
    try:
        outputs = as_tuple(layer.forward(*inputs))
        douts = [np.ones(np.shape(y), np.asarray(y).dtype) for y in outputs]
    except Exception as raised:
        return "forward", case.where, f"raises {_described(raised, case)}"
    if any(y is None for y in outputs):
        return "forward", case.where, "returns None: return the output"
    try:
        layer.backward(*douts)
    except GradientError as refused:
        names = [n for n, p in layer.parameters().items() if p is refused.param]
        text = f"backward raises {_described(refused, case)}{_refusal(refused, case)}"
        return f"{names[0]}.grad" if names else "backward", case.where, text
    except Exception as raised:
        return "backward", case.where, f"backward raises {_described(raised, case)}{_hint(raised)}"
    return "contract", case.where, f"raises {_described(error, case)}"


def _described(error: Exception, case: Case) -> str:
    """The error with the line of the layer's code that it came from, if it came from there."""
    text = f"{type(error).__name__}: {error}"
    files = files_of(type(case.layer))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in files]
    if not frames:
        return text
    # The first line of the layer, not the depths of the library that it called.
    return f"{text}\nin {Path(frames[0].filename).name}, line {frames[0].lineno}: {frames[0].line}"


def files_of(cls: type) -> set[str]:
    """Where the code of a layer lies: its class, and the bases that are layers of their own."""
    classes = [c for c in cls.__mro__ if issubclass(c, Layer) and c is not Layer]
    return {str(inspect.getsourcefile(c)) for c in classes if _has_file(c)}


def _has_file(cls: type) -> bool:
    try:
        return inspect.getsourcefile(cls) is not None
    except TypeError:  # typed in at a prompt
        return False


def _refusal(refused: GradientError, case: Case) -> str:
    given, expected = refused.shape, refused.param.data.shape
    if given != expected and [n for n in given if n != 1] == [n for n in expected if n != 1]:
        return "\nlikely: keepdims=True leaves axes of length 1: leave it out, or reshape"
    if given[-len(expected) :] == expected and len(given) > len(expected):
        return "\nlikely: a missing sum over the batch"
    if given == expected[::-1] and given != expected:
        return "\nlikely: a transposed matrix"
    if given == expected:
        return "\nlikely: a float64 array or NumPy scalar among the operands"
    batch = case.inputs[0].shape[:1]
    if given in ((), batch) or len(given) < len(expected):
        return "\nlikely: a sum over too many axes, or another one: over the batch it is axis=0"
    return ""


def _hint(raised: Exception) -> str:
    if "matmul" in str(raised):
        return "\nlikely: a transposed matrix, or the operands of @ swapped"
    if "NoneType" in str(raised):
        return "\nlikely: grad is None until the first accumulate; use self.W.accumulate(dW)"
    return ""

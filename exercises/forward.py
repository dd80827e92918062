"""Is the forward of a solution that of the project? Compared on the examples and elsewhere, in both
modes; with what the layer keeps for the next batch, such as running statistics."""

import numpy as np

from lamina.exercises.causes import likely_cause
from lamina.exercises.chance import unlike_by_chance
from lamina.layers.check.case import Case
from lamina.layers.check.diagnosis import explain_error
from lamina.layers.check.differences import apart
from lamina.layers.check.reach import places
from lamina.layers.check.report import FAILED, Finding

RELATIVE = 1e-7  # what may differ: another order of the same operations, where numbers cancel


def compare_forward(own: Case, right: Case, rng) -> tuple[int, int, list[Finding]]:
    """(cases in which it is right, cases, findings) of one example in one mode. Elsewhere only
    those places count where the project's own forward has a finite result."""
    findings = _at(own, right)
    total, correct = 1, int(not findings)
    if _is_random(right):
        return correct, total, findings
    wrong = bool(findings)  # said already: elsewhere it only counts
    for name, values in places(right, rng):
        there = right.elsewhere(values, name)
        with np.errstate(all="ignore"):
            try:
                expected = there.forward()
            except Exception:  # outside of the domain of the layer
                continue
            if not all(np.isfinite(y).all() for y in expected):
                continue
            here = own.elsewhere(values, name)
            found = [] if wrong else _at(here, there)
            correct += _agrees(here, there) if wrong else not found
        total, findings = total + 1, findings + found
    return correct, total, findings


def _at(own: Case, right: Case) -> list[Finding]:
    """What differs here; nothing, if all is the same."""
    expected, state = _run(right)
    try:
        outputs, kept = _run(own)
    except Exception as error:
        return [Finding(FAILED, *_explained(own, error))]
    if problem := _form_problem(outputs, expected):
        return [Finding(FAILED, "Y", own.where, problem)]
    findings = []
    for i, (y, e) in enumerate(zip(outputs, expected, strict=True)):
        if close(y, e):
            continue
        name, message = "Y" if len(outputs) == 1 else f"Y{i}", worst(y, e)
        cause = likely_cause(own, right, i, y, e)
        if _is_random(right):
            if not (unlike := unlike_by_chance(own, right)):
                continue
            message, cause = f"does not draw as the project's own: {unlike}", ""
        message = f"{message}\nlikely: {cause}" if cause else message
        findings.append(Finding(FAILED, name, own.where, message))
    if not findings:
        findings = _of_state(own, right, kept, state)
    return findings


def _agrees(own: Case, right: Case) -> bool:
    expected, state = _run(right)
    try:
        outputs, kept = _run(own)
    except Exception:
        return False
    if _form_problem(outputs, expected) or _of_state(own, right, kept, state):
        return False
    return all(close(y, e) for y, e in zip(outputs, expected, strict=True))


def _run(case: Case) -> tuple[tuple, dict]:
    """The outputs, and the states after them, random generators left aside."""
    layer, inputs = case.fresh()
    outputs = layer.forward(*inputs)
    outputs = tuple(outputs) if isinstance(outputs, (tuple, list)) else (outputs,)
    return outputs, {n: a for n, a in layer.state().items() if a.dtype.kind == "f"}


def _of_state(own: Case, right: Case, kept: dict, state: dict) -> list[Finding]:
    findings = []
    for name, expected in state.items():
        value = kept.get(name)
        if value is None:
            message = "is no State or Param of it any more after this forward"
            if name in own.layer.state():
                message += f"\nlikely: self.{name} is set to an array: self.{name}.update(value)"
        elif np.shape(value) != expected.shape or not close(value, expected):
            shapes = np.shape(value) == expected.shape
            message = f"after this forward: {worst(value, expected)}" if shapes else "another shape"
            if name not in right.parameter_names and shapes:
                message += _cause_of_state(right, name, value, expected)
        else:
            continue
        findings.append(Finding(FAILED, name, own.where, message))
    return findings


def _cause_of_state(right: Case, name: str, value, expected) -> str:
    """Running averages: never moved, the momentum taken the other way round, another variance."""
    before = right.layer.state()[name]
    if close(value, before):
        return f"\nlikely: it is never moved: self.{name}.update(...)"
    momentum = getattr(right.layer, "momentum", None)
    if momentum is None:
        return ""
    batch = (expected - momentum * before) / (1.0 - momentum)
    if close(value, (1.0 - momentum) * before + momentum * batch):
        return "\nlikely: momentum and 1 - momentum are exchanged: momentum is the share of the old"
    seen = (value - momentum * before) / (1.0 - momentum)
    if batch.any() and np.ptp(seen / batch) < 1e-6:
        times = float(np.mean(seen / batch))
        said = f"\nlikely: what is new in it is {times:.4g} times what it should be"
        return said + _of_variances(times)
    return ""


def _of_variances(times: float) -> str:
    """The two ways of dividing a variance, if one explains the other."""
    for share, what in ((times, "m - 1, and here by m"), (1.0 / times, "m, and here by m - 1")):
        m = 1.0 / (1.0 - share) if 0.0 < share < 1.0 else 0.0
        if m > 1.5 and abs(m - round(m)) < 1e-4 * m:
            return f": a variance of m = {round(m)} values is divided by {what}"
    return ""


def _explained(case: Case, error: Exception) -> tuple[str, str, str]:
    array, where, message = explain_error(case, error)
    if isinstance(error, NotImplementedError):
        message = "is still a gap: nothing is written in forward"
    return array, where, message


def _form_problem(outputs: tuple, expected: tuple) -> str:
    if len(outputs) != len(expected):
        return f"forward gives {len(outputs)} arrays, should give {len(expected)}"
    for y, e in zip(outputs, expected, strict=True):
        if y is None:
            return "forward returns None: return the output"
        if not _is_of_numbers(y):
            return f"is {y!r:.60}, which is no array of numbers"
        shape = np.shape(y)
        if shape == np.shape(e):
            continue
        text = f"has shape {shape}, should have {np.shape(e)}"
        if np.size(y) == np.size(e) and [n for n in shape if n > 1] == [
            n for n in np.shape(e) if n > 1
        ]:
            return (
                f"{text}\nlikely: axes of length 1 too many, or too few: keepdims=True keeps them"
            )
        if np.size(y) == np.size(e) and shape[::-1] == np.shape(e):
            return f"{text}\nlikely: a transposed matrix"
        if np.shape(e) == ():
            return f"{text}\nlikely: a loss is a single number: sum over the samples too"
        if len(shape) < np.ndim(e):
            return f"{text}\nlikely: summed over an axis that should stay; keepdims=True keeps each"
        return text
    return ""


def _is_of_numbers(y) -> bool:
    try:
        return np.asarray(y).dtype.kind in "fiub"
    except (TypeError, ValueError):  # such as rows of unequal lengths
        return False


def _is_random(case: Case) -> bool:
    """Does forward draw random numbers in this mode?"""
    layer, inputs = case.fresh()
    before = {n: a for n, a in layer.state().items() if a.dtype.kind not in "fiub"}
    layer.forward(*inputs)
    return any(not np.array_equal(a, layer.state()[n]) for n, a in before.items())


def close(a, b) -> bool:
    b = np.asarray(b)
    room = RELATIVE * float(np.max(np.abs(b), initial=0.0)) + 1e-300
    return np.shape(a) == b.shape and np.allclose(a, b, rtol=RELATIVE, atol=room)


def worst(a, b) -> str:
    """The entry that is furthest off, in words."""
    error = np.abs(np.asarray(a, float) - b)
    error = np.where(np.isnan(error), np.inf, error)
    at = np.unravel_index(int(np.argmax(error)), error.shape)
    wrong = int(np.sum(~(error <= RELATIVE * (np.abs(b) + np.max(np.abs(b), initial=0.0)))))
    place = f"[{', '.join(map(str, map(int, at)))}]" if at else ""
    is_now, should = apart(np.asarray(a)[at], np.asarray(b)[at])
    many = f"{max(wrong, 1)} of {error.size} entries are wrong; worst: " if error.size > 1 else ""
    return f"{many}{place or 'it'} is {is_now}, should be {should}"

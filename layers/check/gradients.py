"""Does `backward` agree with the witnesses? Duals, reverse mode and central differences."""

import itertools

import numpy as np

from lamina.autodiff import Dual, NotDifferentiable, Traced, new_level, tangent
from lamina.layers.base import Carried, State
from lamina.layers.check.case import SMALLER_STEPS, STEP, Case, inner, random_douts
from lamina.layers.check.diagnosis import diagnose, explain_error
from lamina.layers.check.differences import same_numbers
from lamina.layers.check.report import FAILED, NOTE, NOTHING, Report

EXACT = 1e-9  # duals and reverse mode differ from a right backward by rounding only
ROUGH = 1e-5  # central differences with h = 1e-5: h² plus rounding / h
DIRECTIONS = 2
NO_DUALS = "does not run on duals, arrays that carry a derivative along"
TRIES = 4


class _Kink(Exception):
    """No derivative exists here."""


def check_gradients(case: Case, report: Report, rng, explain: bool = True) -> Case | None:
    """Compare every gradient of a case with the witnesses. At a kink or a tie, where there is no
    right answer, say so and try again a little off. Returns the case that could be decided, or
    None if there was none."""
    for _ in range(TRIES):
        try:
            outputs, douts, gradients = case.sample(rng)
        except Exception as error:
            report.add(FAILED, *explain_error(case, error))
            return None
        if not all(same_numbers(a, b) for a, b in zip(outputs, case.forward(), strict=True)):
            report.add(
                FAILED,
                "forward",
                case.where,
                "is not repeatable: the same layer on the same input gave two results. Random "
                "numbers come from a Generator that the layer holds: self.rng = rng",
            )
            return None
        if nan := sum(int(np.isnan(y).sum()) for y in outputs):
            n = sum(np.size(y) for y in outputs)
            message = (
                f"{nan} of {n} numbers are NaN at these inputs: nothing can be said of gradients"
            )
            report.add(FAILED, "Y", case.where, message)
            return None
        try:
            exact = _by_reverse_mode(case, douts, report)
            for name, value in case.variables.items():
                _compare(case, name, value, gradients[name], exact, douts, report, rng, explain)
            return case
        except _Kink as kink:
            report.add(NOTE, kink.args[0], case.where, "undecidable here; moved off by 0.01")
            case = case.moved(rng)
    report.add(FAILED, "forward", case.where, f"a kink or a jump at each of {TRIES} places tried")
    return None


def _by_reverse_mode(case: Case, douts, report: Report) -> dict:
    """All gradients by reverse mode; none if forward is not pure, and the report says why."""
    try:
        return case.reverse(douts)
    except NotDifferentiable as reason:
        report.impure = report.impure or str(reason)
    except Exception as error:
        named = f"{type(error).__name__}: {error}"
        message = f"does not run in reverse mode: {named}"
        report.add(FAILED, "forward", case.where, message)
    return {}


def _compare(case: Case, name, value, gradient, exact, douts, report, rng, explain) -> None:
    label = case.label(name)
    report.seen.add(label)
    problem = _shape_problem(case, name, value, gradient)
    if problem:
        report.add(FAILED, label, case.where, problem)
        return
    dual_works, nonzero = True, False
    for _ in range(1 if name in exact else DIRECTIONS):  # reverse mode shows every entry
        v = rng.standard_normal(value.shape)
        claimed = float(np.sum(v * gradient))
        first = case.differences(name, v)
        scale = _scale(first, douts, v, gradient)
        smaller = (case.differences(name, v, h) for h in SMALLER_STEPS)
        wrong = not any(
            abs(inner(rough, douts) - claimed) <= ROUGH * scale
            for rough in itertools.chain([first], smaller)
        )
        if dual_works:
            try:
                wrong = abs(inner(case.jvp(name, v), douts) - claimed) > EXACT * scale or wrong
            except Exception as error:
                dual_works = False
                report.add(FAILED, "forward", case.where, f"{NO_DUALS}: {error}")
        if name in exact:
            off = np.max(np.abs(exact[name] - gradient), initial=0.0)
            wrong = off > EXACT * (scale + np.max(np.abs(gradient), initial=0.0)) or wrong
        if wrong or not np.isfinite(claimed):
            if _is_kink(case, name, v, douts, scale):
                raise _Kink(label)
            message = diagnose(case, name, gradient, douts) if explain else "wrong"
            report.add(FAILED, label, case.where, message)
            return
        nonzero = nonzero or bool(np.any(gradient))
    if nonzero or case.layer.zero_gradient:
        report.proved.add(label)
    else:
        report.add(
            NOTHING,
            label,
            case.where,
            "zero everywhere, which is right here, but shows nothing: give other inputs",
        )


def _shape_problem(case: Case, name, value, gradient) -> str:
    if gradient is None and name in case.input_names:
        return "backward returns no gradient for it; return dX"
    if gradient is None:
        return f"the gradient stays None: backward never calls self.{name}.accumulate(...)"
    if np.shape(gradient) == value.shape:
        return ""
    text = f"has shape {np.shape(gradient)}, and {name} has {value.shape}"
    if np.shape(gradient)[1:] == value.shape:
        text += "\nlikely: a missing sum over the batch (axis 0)"
    elif np.shape(gradient)[::-1] == value.shape:
        text += "\nlikely: transposed"
    elif name in case.input_names and _is_around(np.shape(gradient), value.shape):
        text += "\nlikely: what was put around it, as a padding, is to be cut off again"
    return text


def _is_around(shape: tuple, inner_shape: tuple) -> bool:
    return len(shape) == len(inner_shape) and all(map(int.__ge__, shape, inner_shape))


def _scale(jv, douts, v, gradient) -> float:
    """The size of the terms that the compared sums add up: what rounding errors are relative to."""
    terms = sum(np.sum(np.abs(a * b)) for a, b in zip(jv, douts, strict=True))
    return float(terms + np.sum(np.abs(v * gradient)) + 1e-12)


def _is_kink(case: Case, name, v, douts, scale: float) -> bool:
    """Do the slopes ahead and behind differ, and stay different when the step shrinks?

    For a smooth function their difference is about h f'', so it falls with h; at a kink it stays,
    and at a jump it grows.
    """
    here = case.forward()

    def jump(h: float) -> float:
        ahead, behind = (case.shifted(name, v, sign * h) for sign in (1, -1))
        bend = tuple(a - 2 * x + b for a, x, b in zip(ahead, here, behind, strict=True))
        return abs(inner(bend, douts)) / h

    return jump(STEP) > 1e-7 * scale and jump(STEP / 10) > 0.5 * jump(STEP)


def check_second_order(case: Case, report: Report, rng) -> None:
    """Run duals through forward *and* backward, which gives Hessian-vector products, and compare
    with differences of gradients: backward too must be made of what duals can follow. dout is a
    dual here as well, as it is inside a net."""
    douts = random_douts(case.forward(), rng)
    steps = {name: rng.standard_normal(x.shape) for name, x in case.variables.items()}
    dout_steps = tuple(rng.standard_normal(d.shape) for d in douts)

    def gradients_at(move) -> tuple:
        layer, inputs = case.fresh({n: move(x, steps[n]) for n, x in case.variables.items()})
        layer.forward(*inputs)
        moved = (move(d, s) for d, s in zip(douts, dout_steps, strict=True))
        return layer, case.collect(layer, layer.backward(*moved))

    level = new_level()
    try:
        layer, duals = gradients_at(lambda x, step: Dual(x, step, level))
    except Exception as error:
        report.add(FAILED, "backward", case.where, f"{NO_DUALS}: {error}")
        return
    finally:
        level.ended = True  # what a layer shares with the next one is an error from here on
    for name, held in layer.walk():
        if isinstance(held, (State, Carried)) and isinstance(held.data, Traced):
            message = f"keeps a derivative: change it by self.{name}.update(value), not by .data ="
            report.add(FAILED, name, case.where, message)
    undecided = list(case.variables)
    for h in (STEP, *SMALLER_STEPS):
        if undecided:
            ahead, behind = (gradients_at(lambda x, step, h=h: x + h * step)[1] for h in (h, -h))
            undecided = [
                name
                for name in undecided
                if not _agree(tangent(duals[name], level), ahead[name], behind[name], h)
            ]
    for name in undecided:
        report.add(
            FAILED,
            case.label(name),
            case.where,
            "right, but its own derivative is not: duals (arrays that carry a derivative along) "
            "through backward disagree with differences of gradients. Is something in backward "
            "or in what forward keeps stripped of its derivative?",
        )


def _agree(exact, ahead, behind, h: float) -> bool:
    """Is this the derivative of a gradient that is `ahead` after a step h, `behind` before it?"""
    rough = (ahead - behind) / (2 * h)
    scale = np.max(np.abs(rough), initial=0.0) + np.max(np.abs(ahead), initial=1e-12)
    return bool(np.max(np.abs(exact - rough), initial=0.0) <= 10 * ROUGH * scale)

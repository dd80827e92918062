"""Is `backward` right elsewhere too? Where functions saturate, far out, at zeros and at ties.

An example's inputs are numbers about 1, and a mistake for |x| >= 4 does not show there. So each
example is looked at in other places as well, by the exact witnesses: reverse mode, or duals where
forward is not pure. Differences are no help there, since they round where numbers are large.
"""

import numpy as np

from lamina.layers.check.case import Case, as_tuple, inner, random_douts
from lamina.layers.check.diagnosis import diagnose, explain_error
from lamina.layers.check.report import FAILED, NOTE, Report

SIZES = (0.01, 5.0, 40.0, 1000.0)  # of the inputs, on average
# What a right backward may be off, as a share of an entry, of the largest one, and of dout: where a
# function saturates, 1 - tanh² has rounded to 0 before the derivative has.
EXACT, SMALL, ROUNDING = 1e-9, 1e-12, 1e-13
SLOPES = 1e-4  # one-sided differences: rounding / h, and h f''
MOST_ENTRIES = 16  # that are looked at one by one


def check_elsewhere(case: Case, report: Report, rng, explain: bool = True) -> None:
    """Check the gradients of a case in all places where its layer takes the inputs, and add to the
    report from where to where that was."""
    reached = [case]
    for place in _places(case, rng):
        if holds(place, report, rng, explain):
            reached.append(place)
        if report.failures:
            return
    inputs = [one.inputs[i] for one in reached for i in case.input_names.values()]
    if inputs := [x for x in inputs if x.size]:
        report.reached(min(map(np.min, inputs)), max(map(np.max, inputs)))


def _places(case: Case, rng):
    inputs = {name: case.inputs[i] for name, i in case.input_names.items()}
    sizes = {name: float(np.mean(np.abs(x))) for name, x in inputs.items() if x.any()}
    if sizes:
        unit = {name: inputs[name] / size for name, size in sizes.items()}
        one_sided = all(x.min() >= 0 for x in unit.values())
        for size in (*SIZES, *((-SIZES[-2],) if one_sided else ())):
            scaled = {name: x * size for name, x in unit.items()}
            yield case.elsewhere(scaled, f"inputs about {size:g}")
        yield case.elsewhere(_of_all_sizes(unit, -2, rng), "inputs of all sizes")
        # Whole numbers from -3 to 3: zeros, ties, and differences of 1.
        whole = {name: np.rint(np.clip(1.2 * x, -3, 3)) for name, x in unit.items()}
        yield case.elsewhere(whole, "zeros and ties")
    if parameters := {name: case.variables[name] for name in case.parameter_names}:
        yield case.elsewhere(_of_all_sizes(parameters, -1, rng), "parameters of all sizes")


def _of_all_sizes(values: dict, lowest: int, rng) -> dict:
    return {n: x * 10.0 ** rng.uniform(lowest, 2, x.shape) for n, x in values.items()}


def holds(case: Case, report: Report, rng, explain: bool = True) -> bool:
    """Do the exact witnesses agree here? False also where the layer does not take these inputs, or
    forward or the witness has no finite result, which proves nothing."""
    with np.errstate(all="ignore"):
        layer, inputs = case.fresh()
        try:
            outputs = as_tuple(layer.forward(*inputs))
        except Exception:  # outside the domain of the layer
            return False
        if not _finite(outputs):
            report.add(NOTE, "Y", case.where, "forward has no finite result, so nothing is proved")
            return False
        douts = random_douts(outputs, rng)
        try:
            gradients = case.collect(layer, case.back(layer, *(np.copy(d) for d in douts)))
        except Exception as error:
            report.add(FAILED, *explain_error(case, error))
            return False
        exact = {} if report.impure else case.reverse(douts)
        for name in case.variables:
            if not _agrees(case, name, gradients[name], exact, douts, rng):
                message = diagnose(case, name, gradients[name], douts) if explain else "wrong"
                report.add(FAILED, case.label(name), case.where, message)
                return False
        return True


def _agrees(case: Case, name: str, gradient, exact: dict, douts, rng) -> bool:
    """Is it the gradient, or at a kink one that may be taken for it?"""
    value = case.variables[name]
    if np.shape(gradient) != value.shape:
        return False
    floor = ROUNDING * max(float(np.max(np.abs(d), initial=0.0)) for d in douts)
    if name in exact:
        true = exact[name]
        size = np.abs(true)
        wrong = ~(np.abs(gradient - true) <= EXACT * size + SMALL * np.max(size, initial=0) + floor)
        wrong &= np.isfinite(true)
    else:
        v = rng.standard_normal(value.shape)
        there = case.jvp(name, v)
        terms = sum(np.sum(np.abs(a * b)) for a, b in zip(there, douts, strict=True))
        scale = EXACT * (terms + np.sum(np.abs(v * gradient))) + floor * value.size
        off = abs(inner(there, douts) - float(np.sum(v * gradient)))
        wrong = np.full(value.shape, np.isfinite(terms) and not off <= scale)
    return not wrong.any() or _is_subgradient(case, name, gradient, wrong, douts)


def _is_subgradient(case: Case, name: str, gradient, wrong, douts) -> bool:
    """Is each of these entries between what the slopes on its two sides allow? These differ at a
    kink, for each output by itself."""
    value, here = case.variables[name], case.forward()
    entries = np.argwhere(wrong)
    for entry in map(tuple, entries[:: max(1, len(entries) // MOST_ENTRIES)]):
        h = 1e-6 * max(1.0, abs(value[entry]))
        unit = np.zeros(value.shape)
        unit[entry] = h
        low = high = room = 0.0
        for y, ahead, behind, dout in zip(
            here, case.shifted(name, unit, 1), case.shifted(name, unit, -1), douts, strict=True
        ):
            sides = dout * (ahead - y) / h, dout * (y - behind) / h
            low += np.sum(np.minimum(*sides))
            high += np.sum(np.maximum(*sides))
            room += SLOPES * np.sum(np.abs(sides)) + 1e-15 / h * np.sum(np.abs(dout * y))
        if not low - room <= gradient[entry] <= high + room:
            return False
    return True


def _finite(arrays: tuple) -> bool:
    return all(np.isfinite(np.sum(a)) or np.isfinite(a).all() for a in arrays)

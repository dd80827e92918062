"""Is `backward` right elsewhere too? Where functions saturate, far out, at zeros and at ties.

An example's inputs are numbers about 1, and a mistake for |x| >= 4 does not show there. So each
example is looked at in other places as well, by the exact witnesses: reverse mode, or duals where
forward is not pure. Differences are no help there, since they round where numbers are large.
"""

import numpy as np

from lamina.autodiff import NotDifferentiable
from lamina.layers.check.case import Case, inner
from lamina.layers.check.diagnosis import diagnose, explain_error
from lamina.layers.check.report import FAILED, NOTE, Report

SIZES = (0.01, 5.0, 40.0, 1000.0)  # of the inputs, on average
# What a right backward may be off, as a share of an entry, of the largest one, and of dout: where a
# function saturates, 1 - tanh² has rounded to 0 before the derivative has.
EXACT, SMALL, ROUNDING = 1e-9, 1e-12, 1e-13
SLOPES = 1e-4  # one-sided differences: rounding / h, and h f''
MOST_ENTRIES = 6  # that are looked at one by one


def check_elsewhere(cases: list[Case], report: Report, rng, explain: bool = True) -> None:
    """Check the gradients of a layer in all places where it takes the inputs, and add to the report
    from where to where that was. `cases` are one example in each mode."""
    first, *others = reached = list(cases)
    for name, values in places(first, rng):
        place = first.elsewhere(values, name)
        if holds(place, report, rng, explain):
            reached.append(place)
        for other in others:
            there = other.elsewhere(values, name)
            if not there.does_as(place):  # else the witnesses have seen it
                holds(there, report, rng, explain)
        if report.failures:
            return
    inputs = [one.inputs[i] for one in reached for i in first.input_names.values()]
    if inputs := [x for x in inputs if x.size]:
        report.reached(min(map(np.min, inputs)), max(map(np.max, inputs)))


def places(case: Case, rng):
    """(name, the variables that are other ones there)."""
    inputs = {name: case.inputs[i] for name, i in case.input_names.items()}
    sizes = {name: float(np.mean(np.abs(x))) for name, x in inputs.items() if x.any()}
    if sizes:
        unit = {name: inputs[name] / size for name, size in sizes.items()}
        one_sided = all(x.min() >= 0 for x in unit.values())
        for size in (*SIZES, *((-SIZES[-2],) if one_sided else ())):
            yield f"inputs about {size:g}", {name: x * size for name, x in unit.items()}
        yield "inputs of all sizes", _of_all_sizes(unit, -2, rng)
        # Whole numbers from -3 to 3: zeros, ties, and differences of 1.
        whole = {name: np.rint(np.clip(1.2 * x, -3, 3)) for name, x in unit.items()}
        yield "zeros and ties", whole
    if parameters := {name: case.variables[name] for name in case.parameter_names}:
        yield "parameters of all sizes", _of_all_sizes(parameters, -1, rng)


def _of_all_sizes(values: dict, lowest: int, rng) -> dict:
    return {n: x * 10.0 ** rng.uniform(lowest, 2, x.shape) for n, x in values.items()}


def holds(case: Case, report: Report, rng, explain: bool = True) -> bool:
    """Do the exact witnesses agree here? False also where the layer does not take these inputs, or
    forward has no finite result, which proves nothing."""
    with np.errstate(all="ignore"):
        try:
            outputs, douts, gradients = case.sample(rng)
        except Exception as error:
            array, where, message = explain_error(case, error)
            if array != "forward" and _finite(case.forward()):
                report.add(FAILED, array, where, message)
            return False  # where forward raises the place is outside the domain of the layer
        if not _finite(outputs):
            report.add(NOTE, "Y", case.where, "forward has no finite result, so nothing is proved")
            return False
        off = _off(case, gradients, douts, report, rng)
        for name, wrong in off.items():
            gradient = gradients[name]
            if not _is_subgradient(case, name, gradient, wrong, outputs, douts):
                message = diagnose(case, name, gradient, douts) if explain else "wrong"
                report.add(FAILED, case.label(name), case.where, message)
        return not report.failures


def _off(case: Case, gradients: dict, douts, report: Report, rng) -> dict:
    """{variable: which entries are not the exact ones}, of those that have such entries."""
    variables = case.variables
    wrong = {n: np.full(x.shape, np.shape(gradients[n]) != x.shape) for n, x in variables.items()}
    floor = ROUNDING * max(float(np.max(np.abs(d), initial=0.0)) for d in douts)
    exact = _by_reverse_mode(case, douts, report)
    if exact:
        for name, true in exact.items():
            if not wrong[name].any():
                size = np.abs(true)
                room = EXACT * size + SMALL * np.max(size, initial=0) + floor
                wrong[name] = ~(np.abs(gradients[name] - true) <= room) & np.isfinite(true)
        return {name: entries for name, entries in wrong.items() if entries.any()}
    steps = {name: rng.standard_normal(x.shape) for name, x in variables.items()}
    if any(entries.any() for entries in wrong.values()) or not _add_up(
        case, steps, gradients, douts, floor
    ):
        for name, step in steps.items():  # which of them is it?
            if not _add_up(case, {name: step}, gradients, douts, floor):
                wrong[name][...] = True
    return {name: entries for name, entries in wrong.items() if entries.any()}


def _by_reverse_mode(case: Case, douts, report: Report) -> dict:
    """{variable: gradient}; {} if forward is not pure, here or at all."""
    try:
        return {} if report.impure else case.reverse(douts)
    except NotDifferentiable:
        return {}


def _add_up(case: Case, steps: dict, gradients: dict, douts, floor: float) -> bool:
    """Is a step in some variables what duals say? An infinite or NaN one says nothing."""
    there = case.jvp_of(steps)
    terms = sum(np.sum(np.abs(a * b)) for a, b in zip(there, douts, strict=True))
    claimed = [step * gradients[name] for name, step in steps.items()]
    room = sum(EXACT * np.sum(np.abs(c)) + floor * c.size for c in claimed) + EXACT * terms
    off = abs(inner(there, douts) - float(sum(np.sum(c) for c in claimed)))
    return bool(off <= room or not np.isfinite(terms))


def _is_subgradient(case: Case, name: str, gradient, wrong, outputs, douts) -> bool:
    """Is each of these entries between what the slopes on its two sides allow? These differ at a
    kink, for each output by itself."""
    value, entries = case.variables[name], np.argwhere(wrong)
    for entry in map(tuple, entries[:: -(-len(entries) // MOST_ENTRIES)]):
        h = 1e-6 * max(1.0, abs(value[entry]))
        unit = np.zeros(value.shape)
        unit[entry] = h
        low = high = room = 0.0
        for y, ahead, behind, dout in zip(
            outputs, case.shifted(name, unit, 1), case.shifted(name, unit, -1), douts, strict=True
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

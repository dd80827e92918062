"""The check as a whole: every mode, every witness, every rule."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.check import behaviour, carrying, form, stepping
from lamina.layers.check.case import Case, as64, in_float64
from lamina.layers.check.diagnosis import explain_error
from lamina.layers.check.gradients import check_gradients, check_second_order
from lamina.layers.check.lines import Lines
from lamina.layers.check.other_arrays import takes_other_arrays
from lamina.layers.check.reach import check_elsewhere, holds
from lamina.layers.check.report import FAILED, NOTE, NOTHING, Report

RULES = (
    form.returns_what_it_should,
    form.keeps_its_shapes,
    form.keeps_float32,
    form.takes_any_layout,
    form.minds_whole_numbers,
    behaviour.changes_nothing_but_states,
    behaviour.gradients_add_up,
    behaviour.goes_back_in_proportion,
    behaviour.keeps_no_stale_cache,
    behaviour.minds_no_earlier_size,
    behaviour.keeps_to_itself,
    behaviour.keeps_its_states_when_frozen,
    behaviour.saves_all_its_state,
    carrying.goes_on_with_what_it_carries,
    carrying.begins_anew,
    carrying.keeps_the_modes_apart,
    stepping.steps_are_the_whole,
    behaviour.lets_nan_through,
    behaviour.may_leave_out_dX,
    takes_other_arrays,
)


def check_layer(
    layer: Layer,
    *inputs,
    seed: int = 0,
    where: str = "",
    stop_early: bool = False,
    lines: Lines | None = None,
) -> Report:
    """Check a layer on these inputs, in float64, in training and in evaluation.

    Integer inputs (indices, class labels) are held fixed; for a loss the targets are. Everything
    runs on deep copies. `stop_early` ends at the first failure, without an explanation. `lines`
    notes which statements of backward are run.
    """
    report = Report(type(layer).__name__)
    # Not default_rng(seed): inputs drawn from that would equal dout, and Xᵀ dout be symmetric.
    rng = np.random.default_rng([seed, *b"dout"])
    if not isinstance(layer, Layer):
        report.add(FAILED, "class", where, "is no layers.Layer: write class Name(Layer)")
        return report
    inputs = tuple(as64(x) for x in inputs)
    form.trains_what_it_holds(Case(layer, inputs, True, where or "as made"), report, rng)
    layer = in_float64(layer, rng)
    cases = []
    for training in (True, False):
        mode = "training" if training else "evaluation"
        case = Case(layer, inputs, training, f"{where}, {mode}" if where else mode, lines)
        if (decided := _check_case(case, report, rng, stop_early)) is not None:
            cases.append(decided)
        if stop_early and report.failures:
            break
    if cases and not report.failures:
        check_elsewhere(cases, report, rng, explain=not stop_early)
    if not report.seen and not report.failures:
        report.add(NOTHING, "forward", where, "there is no floating input and no parameter")
    return report


def _check_case(case: Case, report: Report, rng, stop_early: bool) -> Case | None:
    """The case that could be decided: a little off, if there is a kink."""
    before = len(report.failures)
    try:
        if not behaviour.leaves_arguments_alone(case, report, rng) and stop_early:
            return None
        decided = check_gradients(case, report, rng, explain=not stop_early)
        if decided is None or (stop_early and report.failures):
            return None
        case = decided
        for rule in RULES:
            rule(case, report, rng)
            if stop_early and report.failures:
                return None
        if len(report.failures) > before:
            return None  # what follows would only say the same again
        behaviour.takes_a_batch_of_one(case, report, rng, holds)
        check_second_order(case, report, rng)
    except Exception as error:
        # A layer that is wrong already may well trip over the further rules.
        if len(report.failures) == before:
            report.add(FAILED, *explain_error(case, error))
    return case


def check_class(cls: type[Layer], seed: int = 0, stop_early: bool = False) -> Report:
    """Check a layer class on the examples in its own file."""
    report = Report(cls.__name__)
    try:
        examples = list(cls.examples(np.random.default_rng(seed)) or ())
    except Exception as error:
        report.add(FAILED, "examples", "examples(rng)", f"raises {type(error).__name__}: {error}")
        return report
    lines = None if stop_early else Lines(cls)
    if not examples:
        report.add(NOTHING, "examples", "examples(rng)", "yields nothing")
    for i, example in enumerate(examples, 1):
        where = f"example {i}"
        if not (isinstance(example, tuple) and len(example) > 1 and isinstance(example[0], Layer)):
            message = f"yields {example!r:.60}; write: yield cls(...), X"
            report.add(FAILED, "examples", where, message)
            continue
        layer, *inputs = example
        report.merge(
            check_layer(layer, *inputs, seed=seed, where=where, stop_early=stop_early, lines=lines)
        )
        if stop_early and report.failures:
            break
    if report.agrees and cls.step is not Layer.step and not report.stepped:
        message = "is not compared with forward: no example has sequences (N, T, n) to go through"
        report.add(NOTE, "step", "examples(rng)", message)
    if lines and report.agrees:
        report.unreached = set(lines.missing)
    return report

"""How a layer behaves from call to call: what a right gradient alone does not show.

Each rule is a function (case, report, rng) that adds findings and says nothing when all is well.
"""

import copy

import numpy as np

from lamina.layers.base import Layer, Param, State
from lamina.layers.check.case import Case, as_tuple, random_douts
from lamina.layers.check.differences import apart, same_numbers
from lamina.layers.check.report import FAILED, NOTE, Report
from lamina.layers.sparse_rows import dense, entries


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
        changed = np.asarray((now != before) & ~((now != now) & (before != before)))  # not NaN
        if changed.any():
            clean = False
            at = np.unravel_index(np.argmax(changed), changed.shape)
            was, is_now = apart(np.asarray(before)[at], np.asarray(now)[at])
            report.add(
                FAILED,
                name,
                case.where,
                f"is written into: entry {tuple(map(int, at))} was {was}, is {is_now}"
                "\nothers hold this array too: compute a new one",
            )
    return clean


def gradients_add_up(case: Case, report: Report, rng) -> None:
    """A second backward adds to the gradients, and writes into none that was handed over."""
    outputs, first, gradients = case.sample(rng)
    second = random_douts(outputs, rng)
    expected = [gradients, case.gradients(second)]
    layer, inputs = case.fresh()
    layer.forward(*inputs)
    held = (layer, *(inner for _, inner in layer.walk() if isinstance(inner, Layer)))
    again = copy.deepcopy(layer) if any(one.goes_back_once for one in held) else layer
    layer.backward(*(np.copy(d) for d in first))
    parameters = layer.parameters()
    for name, param in again.parameters().items():  # it adds to the same ones
        param.grad = parameters[name].grad
    left = {n: entries(parameters[n].grad) for n in case.parameter_names}
    handed = {n: (array, np.copy(array)) for n, array in left.items()}
    after = case.collect(again, again.backward(*second))
    for name in case.variables:
        right = expected[1][name]
        if name in case.parameter_names:
            right = right + expected[0][name]
            array, before = handed[name]
            if not same_numbers(array, before):
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


def goes_back_in_proportion(case: Case, report: Report, rng) -> None:
    """Backward is linear in dout: clipped, or scaled by their size, gradients are others. By a
    power of two, which rounds nothing."""
    if not case.training:
        return  # once is enough
    _, douts, gradients = case.sample(rng)
    for times in (2.0**-10, 2.0**10):
        scaled = case.gradients(tuple(times * d for d in douts))
        for name in case.variables:
            if not _close(scaled[name] / times, gradients[name]):
                report.add(
                    FAILED,
                    case.label(name),
                    case.where,
                    f"is not {times:g} times as large for {times:g} dout: backward is linear in it",
                )


def keeps_no_stale_cache(case: Case, report: Report, rng) -> None:
    """After a forward on other inputs, forward and backward on these must be as if alone."""
    layer, inputs = case.fresh()
    _passes(layer, _others(case), case.training, rng)
    _as_if_alone(case, report, rng, layer, inputs)


def minds_no_earlier_size(case: Case, report: Report, rng) -> None:
    """The same after a batch of fewer rows, as the last one of an epoch is."""
    if not case.training or not _has_rows(case) or report.failures:
        return  # once is enough, and what is wrong anyway is told already
    layer, inputs = case.fresh()
    try:
        _passes(layer, [x[1:] for x in _others(case)], case.training, rng)
    except ValueError:
        return  # too few rows for this layer
    try:
        _as_if_alone(case, report, rng, layer, inputs)
    except ValueError as error:
        said = f"fails after a batch of fewer rows, {error}{_stale(case)}"
        report.add(FAILED, "X", case.where, said)


def _passes(layer: Layer, inputs: list, training: bool, rng) -> None:
    """Forward and backward on these inputs, and the layer's state as before."""
    before = layer.state()
    layer.backward(*random_douts(as_tuple(layer.forward(*inputs)), rng))
    layer.load_state(before)
    layer.set_training(training)  # what evaluation carries is not saved, and begins anew
    for param in layer.parameters().values():
        param.grad = None


def _as_if_alone(case: Case, report: Report, rng, layer: Layer, inputs: list) -> None:
    outputs, douts, expected = case.sample(rng)
    again = as_tuple(layer.forward(*inputs))
    for y, first in zip(again, outputs, strict=True):
        if not same_numbers(y, first):
            report.add(FAILED, "Y", case.where, f"depends on the call before{_stale(case)}")
    for name in _changed(case, layer, douts, expected):
        said = f"a stale cache: it depends on the call before{_stale(case)}"
        report.add(FAILED, case.label(name), case.where, said)


def _changed(case: Case, layer: Layer, douts: tuple, expected: dict) -> list[str]:
    """The variables whose gradient is another one than expected, after this backward."""
    after = case.collect(layer, layer.backward(*(np.copy(d) for d in douts)))
    return [name for name in case.variables if not _close(after[name], expected[name])]


def keeps_to_itself(case: Case, report: Report, rng) -> None:
    """What another layer of the class does between forward and backward changes nothing."""
    if not case.training:
        return
    _, douts, expected = case.sample(rng)
    layer, inputs = case.fresh()
    other, _ = case.fresh()
    layer.forward(*inputs)
    other.backward(*random_douts(as_tuple(other.forward(*_others(case))), rng))
    for name in _changed(case, layer, douts, expected):
        report.add(
            FAILED,
            case.label(name),
            case.where,
            "changes with what another layer of this class does: keep caches in self, not in "
            "the class or the module",
        )


def _has_rows(case: Case) -> bool:
    """Are the inputs a batch of two or more samples?"""
    sizes = {len(x) for x in case.inputs if x.ndim}
    batched = all(x.ndim >= (2 if x.dtype.kind == "f" else 1) for x in case.inputs)
    return batched and len(sizes) == 1 and sizes != {1}


def takes_a_batch_of_one(case: Case, report: Report, rng, check) -> None:
    """The last batch of an epoch, or a single picture. `check` is the check of gradients."""
    if not _has_rows(case):
        return
    where = f"{case.where}, batch of one"
    one = Case(case.layer, [x[:1] for x in case.inputs], case.training, where, case.lines)
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
        if not same_numbers(value, before[name]):
            what = "training moves it" if case.training else "evaluation changes it"
            report.add(
                FAILED,
                name,
                case.where,
                f"{what}: only an optimizer changes parameters, and in evaluation "
                "(self.training is False) running statistics and random generators stay",
            )


def keeps_its_states_when_frozen(case: Case, report: Report, rng) -> None:
    """A layer none of whose parameters is trainable moves no State in training either."""
    layer, inputs = case.fresh()
    states = {name: held for name, held in layer.walk() if isinstance(held, State)}
    parameters = layer.parameters().values()
    if not (case.training and states and parameters):
        return
    for param in parameters:
        param.trainable = False
    before = {name: held.data for name, held in states.items()}
    layer.forward(*inputs)
    for name, held in states.items():
        if not same_numbers(held.data, before[name]):
            report.add(
                FAILED,
                name,
                case.where,
                "moves although the layer is frozen: no Param of it is trainable, so it works as "
                "in evaluation: if self.training and not self.is_frozen()",
            )


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
        if not all(same_numbers(a, b) for a, b in zip(*results, strict=True)):
            report.add(
                FAILED,
                "state",
                case.where,
                "forward changes something that state() does not save: keep it in a State, "
                "through self.name.update(value); if the next batch goes on with it, in a Carried",
            )
            return


def lets_nan_through(case: Case, report: Report, rng) -> None:
    """NaN in must be NaN out: hiding it hides that a run has gone wrong."""
    case = copy.copy(case)
    case.lines = None  # where a NaN leads no number is compared, so what it runs is not proved
    with np.errstate(all="ignore"):
        _, douts, gradients = case.sample(rng)
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
    _, douts, expected = case.sample(rng)
    layer, inputs = case.fresh()
    layer.needs_dX = False
    layer.forward(*inputs)
    case.back(layer, *(np.copy(d) for d in douts))
    for name in case.parameter_names:
        grad = dense(layer.parameters()[name].grad)
        if grad is None or not _close(grad, expected[name]):
            report.add(FAILED, case.label(name), case.where, "is wrong when needs_dX is False")


def _close(a, b) -> bool:
    if a is None or b is None:
        return a is b
    if same_numbers(a, b):
        return True  # most are the same bits, which is seen sooner
    scale = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
    atol = 1e-12 * scale + 1e-300
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=atol, equal_nan=True)


def _others(case: Case) -> list:
    """Other inputs of the same kind: samples mixed with their neighbours, so that they stay where
    the layer is defined, probabilities too; integers and targets in another order."""
    others = [np.roll(x, 1, axis=0) if x.ndim else x for x in case.inputs]
    for i in case.input_names.values():
        x = case.inputs[i]
        alone = len(x) == 1 if x.ndim else True
        rolled = np.roll(x.reshape(-1), 1).reshape(x.shape) if alone else np.roll(x, 1, axis=0)
        others[i] = 0.75 * x + 0.25 * rolled
    return others


def _stale(case: Case) -> str:
    """Which attributes forward leaves as they were the first time."""
    layer, inputs = case.fresh()
    layer.forward(*inputs)
    before = {n: v for n, v in vars(layer).items() if isinstance(v, np.ndarray)}
    layer.forward(*_others(case))
    stale = [n for n, v in before.items() if vars(layer)[n] is v and n not in vars(case.layer)]
    return f": forward must set self.{', self.'.join(stale)} anew each time" if stale else ""

"""What a layer carries from batch to batch: does it go on, begin anew where it must, and keep
training apart from evaluation?

Each rule is a function (case, report, rng) that adds findings and says nothing when all is well.
"""

import numpy as np

from lamina.layers.base import Carried, Layer
from lamina.layers.check.case import Case, as_tuple
from lamina.layers.check.differences import same_numbers
from lamina.layers.check.report import FAILED, Report


def goes_on_with_what_it_carries(case: Case, report: Report, rng) -> None:
    """Each Carried moves with a batch, and the next batch sees it."""
    layer, inputs = case.fresh()
    layer.reset()
    anew = _outputs(layer, inputs)
    for name, held in _carried(layer):
        rows, others = _by_mode(held, case.training)
        if not len(rows):
            message = f"is carried, but never moves: self.{name}.update(rows, self.training)"
            report.add(FAILED, name, case.where, message)
        if not same_numbers(others, _by_mode(_named(case.layer, name), case.training)[1]):
            _not_apart(report, name, case)
    if _carried(layer) and _same(_outputs(layer, inputs), anew):
        names = ", ".join(name for name, _ in _carried(layer))
        message = "is carried, but the next batch does not see it: of(len(X), self.training)"
        report.add(FAILED, names, case.where, message)


def begins_anew(case: Case, report: Report, rng) -> None:
    """After `reset`, and for a batch of another size, a layer does as one that carries nothing."""
    used, inputs = case.fresh()
    new, _ = case.fresh()
    names = ", ".join(name for name, _ in _carried(used))
    if not names:
        return
    new.reset()
    anew = _outputs(new, inputs)
    _outputs(used, inputs)
    used.reset()
    if not _same(_outputs(used, inputs), anew):
        message = "is not all that is carried: after reset() a batch still sees the one before"
        report.add(FAILED, names, case.where, message)
    if len({len(x) for x in inputs}) == 1 and len(inputs[0]) > 1:
        fewer = [x[:-1] for x in inputs]
        new.reset()
        if not _same(_outputs(used, fewer), _outputs(new, fewer)):
            message = "goes on in a batch of another size, whose rows are other ones"
            report.add(FAILED, names, case.where, message)


def keeps_the_modes_apart(case: Case, report: Report, rng) -> None:
    """What training carries does not show in evaluation, nor the other way round."""
    plain, inputs = case.fresh()
    other, _ = case.fresh()
    for _, held in _carried(other):
        rows = rng.standard_normal((len(inputs[0]), *held.shape))
        held.update(rows, not case.training)
    if not _same(_outputs(plain, inputs), _outputs(other, inputs)):
        for name, _ in _carried(other):
            _not_apart(report, name, case)


def _not_apart(report: Report, name: str, case: Case) -> None:
    message = (
        "training and evaluation share it: each carries its own, which of() and update() tell "
        "apart by self.training"
    )
    report.add(FAILED, name, case.where, message)


def _carried(layer: Layer) -> list[tuple[str, Carried]]:
    return [(name, held) for name, held in layer.walk() if isinstance(held, Carried)]


def _named(layer: Layer, name: str) -> Carried:
    return dict(layer.walk())[name]


def _by_mode(held: Carried, training: bool) -> tuple:
    """(the rows of this mode, those of the other one)."""
    return (held.data, held.evaluated)[:: 1 if training else -1]


def _outputs(layer: Layer, inputs) -> tuple:
    return tuple(map(np.copy, as_tuple(layer.forward(*(x.copy() for x in inputs)))))


def _same(some: tuple, others: tuple) -> bool:
    return all(same_numbers(a, b) for a, b in zip(some, others, strict=True))

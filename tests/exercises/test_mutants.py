"""Whatever is broken in the project's own file costs points, and the wrong array is named."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from filled import own_file

from lamina.exercises.catalogue import exercise, exercises
from lamina.exercises.layer_marks import mark_layer
from lamina.layers.check.case import Case, in_float64
from lamina.layers.check.mutants import fingerprint, mutants_of
from lamina.layers.check.mutations import changes_in, replaced

LAYERS = [one for one in exercises().values() if one.mark is mark_layer]
OTHERS = [one.name for one in exercises().values() if one.mark is not mark_layer]
QUICK = ("Affine", "Relu", "Sigmoid", "Softmax", "Multiplication", "Bias")
QUICK_OTHERS = ("SGD", "Momentum", "cosine", "numeric_gradient")


def counted(name: str, every: int = 1) -> tuple[int, int, list]:
    """(mutants that are caught, those of them of which a wrong array is named, those that get 100
    although they are not the same to the bit)."""
    cls = exercise(name).target
    caught, right, survived = 0, 0, []
    original = fingerprint(cls, 0)
    for mutant in list(mutants_of(cls))[::every]:
        mark = mark_layer(mutant.cls, cls)
        if mark.total == 100:
            if fingerprint(mutant.cls, 0) != original:
                survived.append(f"{mutant.line}: {mutant.source}")
            continue
        caught += 1
        wrong = truly_wrong(mutant.cls, cls)
        # Nothing wrong in one pass: it writes into what is not its own, or depends on the past.
        right += bool(set(mark.named) & wrong) or not wrong
    return caught, right, survived


def truly_wrong(own: type, right: type) -> set[str]:
    """The gradients that differ from the project's own on the examples of two seeds."""
    wrong = set()
    for seed in (0, 1):
        pairs = zip(
            right.examples.__func__(own, np.random.default_rng(seed)),
            right.examples(np.random.default_rng(seed)),
            strict=True,
        )
        for (mine, *inputs), (theirs, *_) in pairs:
            inputs = [
                x.astype(float) if x.dtype.kind == "f" else x for x in map(np.asarray, inputs)
            ]
            mine, theirs = (in_float64(one, np.random.default_rng(5)) for one in (mine, theirs))
            for training in (True, False):
                where = "forward"
                a, b = (Case(one, inputs, training, "") for one in (mine, theirs))
                with np.errstate(all="ignore"):
                    _, douts, gradients = b.sample(np.random.default_rng(6))
                    try:
                        a.forward()
                        where = "backward"
                        found = a.gradients(douts)
                    except Exception:
                        wrong |= {where, *(b.label(n) for n in gradients)}
                        continue
                wrong |= {
                    b.label(n)
                    for n, g in gradients.items()
                    if np.shape(found[n]) != g.shape or not np.allclose(found[n], g, 1e-9, 1e-12)
                }
    return wrong


@pytest.mark.parametrize("name", QUICK)
def test_a_part_of_the_mutants_of_layers_costs_points(name):
    caught, right, survived = counted(name, every=4)
    assert not survived
    assert caught == right > 0


@pytest.mark.slow
def test_every_mutant_of_every_layer_costs_points_and_the_array_is_named():
    caught = right = 0
    for one in LAYERS:
        of_one, named, survived = counted(one.name)
        assert not survived, one.name
        caught, right = caught + of_one, right + named
    assert caught > 1000
    assert right >= 0.95 * caught


def broken(one) -> list:
    """The classes, or functions, with one thing changed in what would be a gap."""
    tree = ast.parse(Path(inspect.getsourcefile(one.target)).read_text(encoding="utf-8"))
    top = next(n for n in tree.body if getattr(n, "name", "") == one.name)
    parts = [n for n in top.body if getattr(n, "name", "") in one.gaps] if one.gaps else [top]
    return [
        (f"{line}: {change}", own_file(one, lambda _, b=(node, new): replaced(tree, *b)))
        for function in parts
        for node, new, line, change in changes_in(function)
    ]


@pytest.mark.parametrize(
    "name",
    [n if n in QUICK_OTHERS else pytest.param(n, marks=pytest.mark.slow) for n in OTHERS],
)
def test_every_mutant_of_what_is_no_layer_costs_points(name):
    one = exercise(name)
    mutants = broken(one)
    assert mutants
    for change, mutant in mutants:
        assert one.mark(mutant, one.target, 0).total < 100, change

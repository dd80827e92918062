"""Is the check sharp? Break `backward` in every way that the syntax tree offers, and see.

A mutant is the layer with one thing changed in its `backward` (or in a helper that only backward
uses), or in what its `forward` keeps for backward, forward's own results left as they are. The
check must fail on each, except on mutants whose results are the same to the bit.
"""

import ast
import dataclasses
import inspect
import itertools
import sys
import types

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.check.case import Case, as_tuple, in_float64, random_douts
from lamina.layers.check.check import check_class
from lamina.layers.check.executed import Executed, Place, place_of
from lamina.layers.check.mutations import changes, replaced

SEEDS = 3  # sets of random inputs on which a mutant must equal the layer to count as equivalent
CAUGHT, EQUIVALENT = "caught", "equivalent"
SURVIVED, UNREACHED = "SURVIVED", "NOT REACHED"  # the two that are bad


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A mutated class, and what was changed where."""

    cls: type
    place: Place  # that has to be run for it to tell
    change: str
    source: str  # the changed piece of code, before and after

    @property
    def line(self) -> int:
        return self.place[0][0]


def mutation_table(cls: type, seed: int = 0, every: int = 1) -> list[tuple[Mutant, str]]:
    """Every mutant of a layer class with its verdict: caught, equivalent, SURVIVED, or NOT REACHED
    if no example runs that piece at all. `every` 3 tries one in three.

    Raises ValueError if the class as it is does not pass: a check that always fails catches all.
    """
    if not (report := check_class(cls, seed)).agrees:
        raise ValueError(f"mutants need a layer that passes the check itself\n{report}")
    path = _file_of(cls)
    executed = Executed(lambda code: code.co_filename == path)
    with executed.watched():
        original = fingerprint(cls, seed)
    rows = []
    for mutant in itertools.islice(mutants_of(cls), 0, None, every):
        with np.errstate(all="ignore"):
            passed = check_class(mutant.cls, seed, stop_early=True).agrees
        if not passed:
            verdict = CAUGHT
        elif not executed.has_run(mutant.place):
            verdict = UNREACHED
        else:
            verdict = EQUIVALENT if fingerprint(mutant.cls, seed) == original else SURVIVED
        rows.append((mutant, verdict))
    return rows


def fingerprint(cls: type[Layer], seed: int) -> list:
    """All outputs and gradients to the bit, on the examples and on inputs ten times as large, for
    several seeds; errors count by their text."""
    results = []
    with np.errstate(all="ignore"):
        for number in range(seed, seed + SEEDS):
            rng = np.random.default_rng([number, *b"mutants"])
            for layer, *inputs in cls.examples(np.random.default_rng(number)):
                layer = in_float64(layer, rng)
                for training in (True, False):
                    for factor in (1.0, 10.0):
                        scaled = [x * factor if _is_float(x) else x for x in inputs]
                        results += _results(Case(layer, scaled, training, ""), rng)
    return results


def _results(case: Case, rng) -> list:
    layer, inputs = case.fresh()
    try:
        outputs = as_tuple(layer.forward(*inputs))
        gradients = case.collect(layer, layer.backward(*random_douts(outputs, rng)))
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    results = []
    for array in (*outputs, *gradients.values()):
        a = np.asarray(array)
        a = a + 0.0 if a.dtype.kind == "f" else a  # -0.0 and 0.0 are the same number
        results.append((a.shape, a.dtype.str, a.tobytes()))
    return results


def _is_float(x) -> bool:
    return np.asarray(x).dtype.kind == "f"


def mutants_of(cls: type):
    """Yield every Mutant of a class, made from the file that defines it."""
    path = _file_of(cls)
    with open(path, encoding="utf-8") as file:
        source = file.read()
    tree = ast.parse(source)
    for target, replacement, place, change in changes(tree, cls.__name__):
        mutated = replaced(tree, target, replacement)
        module = types.ModuleType(cls.__module__)
        module.__file__ = path
        exec(compile(ast.fix_missing_locations(mutated), path, "exec"), module.__dict__)
        yield Mutant(getattr(module, cls.__name__), place_of(place), *change)


def _file_of(cls: type) -> str:
    return inspect.getsourcefile(cls) or sys.modules[cls.__module__].__file__ or ""

"""Layers by name, and their checks and mutants as text."""

import collections
from pathlib import Path

from lamina import layers
from lamina.common.names import suggest
from lamina.common.own_code import load_class
from lamina.layers.base import Layer
from lamina.layers.check.check import check_class
from lamina.layers.check.mutants import EQUIVALENT, SURVIVED, UNREACHED, mutation_table


def all_layers() -> list[type]:
    """The layers of the project: what layers.__all__ lists, without the base classes."""
    listed = (getattr(layers, name) for name in layers.__all__)
    bases = (layers.Layer, layers.Loss, layers.AutoLayer)
    return [c for c in listed if isinstance(c, type) and issubclass(c, Layer) and c not in bases]


def find(name: str) -> type:
    """A layer class by its name, or by path.py:Class. Raises ImportError if there is none."""
    if ".py:" in name:
        path, _, class_name = name.rpartition(":")
        found = load_class(Path(path), class_name)
        if not (isinstance(found, type) and issubclass(found, Layer)):
            raise ImportError(
                f"{name}: {class_name} is no layer: a class that inherits from lamina.layers.Layer "
                f"is, and this is a {_kind(found)}"
            )
        return found
    if name.endswith(".py"):
        raise ImportError(f"{name} is a file; add the class: {name}:ClassName")
    known = {cls.__name__: cls for cls in all_layers()}
    if name not in known:
        raise ImportError(f"no layer {name}{suggest(name, known)}; your own: path.py:Class")
    return known[name]


def _kind(found) -> str:
    if isinstance(found, type):
        bases = ", ".join(base.__name__ for base in found.__bases__)
        return f"class of {bases}"
    return type(found).__name__


def show_check(cls: type, seed: int) -> bool:
    report = check_class(cls, seed)
    print(report)
    return report.passed


def show_mutants(cls: type, seed: int) -> bool:
    """A table of all mutants, and whether every one that matters was caught."""
    rows = mutation_table(cls, seed)
    print(f"{cls.__name__}: {len(rows)} mutants")
    for mutant, verdict in rows:
        print(f"  {verdict:<11} line {mutant.line:>3}: {mutant.change:<28} {mutant.source}")
    counts = collections.Counter(verdict for _, verdict in rows)
    print("  " + ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())))
    if counts[EQUIVALENT]:
        print("  (equivalent: the same results to the bit on all random inputs tried)")
    if not rows:
        print("  nothing to break: the class has no backward of its own")
    return bool(rows) and not counts[SURVIVED] and not counts[UNREACHED]

"""python -m layers.check: check layers from the command line."""

import argparse
import collections
import sys
import time
from pathlib import Path

import layers
from layers.base import Layer
from layers.check.check import check_class
from layers.check.mutants import EQUIVALENT, SURVIVED, UNREACHED, mutation_table
from layers.loading import load_class, suggest


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m layers.check", description="Check that the gradients of layers are right."
    )
    parser.add_argument("layer", nargs="*", help="Affine, or my_layers.py:Swish")
    parser.add_argument("--all", action="store_true", help="every layer of the project")
    parser.add_argument("--mutants", action="store_true", help="break the layer; is it noticed?")
    parser.add_argument("--seed", type=int, default=0, help="of examples and directions")
    options = parser.parse_args(arguments)
    try:
        classes = [find(name) for name in options.layer]
    except (ImportError, OSError) as error:
        print(f"layers.check: {error}", file=sys.stderr)
        return 2
    if options.all:
        classes += all_layers()
    if not classes:
        parser.error("name a layer, or --all")
    started = time.perf_counter()
    action = show_mutants if options.mutants else show_check
    try:
        results = [action(cls, options.seed) for cls in classes]
    except ValueError as error:
        print(error)
        return 1
    if len(results) > 1:
        seconds = time.perf_counter() - started
        print(f"{sum(results)} of {len(results)} layers passed, in {seconds:.1f} s")
    return 0 if all(results) else 1


def all_layers() -> list[type]:
    """The layers of the project: what layers.__all__ lists, without the base classes."""
    listed = (getattr(layers, name) for name in layers.__all__)
    bases = (layers.Layer, layers.Loss, layers.AutoLayer)
    return [c for c in listed if isinstance(c, type) and issubclass(c, Layer) and c not in bases]


def find(name: str) -> type:
    """A layer class by its name, or by path.py:Class. Raises ImportError if there is none."""
    if ".py:" in name:
        path, _, class_name = name.rpartition(":")
        return load_class(Path(path), class_name)
    if name.endswith(".py"):
        raise ImportError(f"{name} is a file; add the class: {name}:ClassName")
    known = {cls.__name__: cls for cls in all_layers()}
    if name not in known:
        raise ImportError(f"no layer {name}{suggest(name, known)}; your own: path.py:Class")
    return known[name]


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


if __name__ == "__main__":
    sys.exit(main())

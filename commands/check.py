"""Check that the gradients of layers are right, or mark a solution of an exercise."""

import contextlib
import io
import json
import sys
import time

from lamina.common.printable import printable
from lamina.layers.check.listing import all_layers, find, show_check, show_mutants


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("layer", nargs="*", help="Affine, or my_layers.py:Swish")
    add("--all", action="store_true", help="every layer of the project")
    add("--mutants", action="store_true", help="break the layer; is it noticed?")
    add("--as-exercise", action="store_true", help="mark your affine.py:Affine, of lamina exercise")
    add("--json", action="store_true", help="the marks as JSON, for a list of a class")
    add("--seed", type=int, default=0, help="seed of the drawn examples and directions")


def user_errors() -> tuple:
    return (ImportError, OSError, ValueError)


def run(options) -> int:
    if options.as_exercise:
        return _marks(options)
    if options.json:
        options.error("--json is of marks: with --as-exercise")
    classes = [find(name) for name in options.layer]
    if options.all:
        classes += all_layers()
    if not classes:
        options.error("name a layer, or --all")
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
    sys.stdout.flush()
    return 0 if all(results) else 1


def _marks(options) -> int:
    if not options.layer or options.all or options.mutants:
        options.error("--as-exercise marks files: affine.py:Affine")
    from lamina.exercises.solution import mark_file  # and with it nets, optimizers, training

    # With --json what a solution prints would stand between the braces: it is left out.
    aside = contextlib.redirect_stdout(io.StringIO()) if options.json else contextlib.nullcontext()
    with aside:
        marks = {named: mark_file(named, options.seed) for named in options.layer}
    if options.json:
        print(json.dumps([{"solution": n, **mark.as_data()} for n, mark in marks.items()]))
    else:
        print(printable("\n\n".join(map(str, marks.values())), lines=True))
    return 0 if all(mark.total == 100 for mark in marks.values()) else 1

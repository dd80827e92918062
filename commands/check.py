"""Check that the gradients of layers are right."""

import sys
import time

from lamina.layers.check.listing import all_layers, find, show_check, show_mutants


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("layer", nargs="*", help="Affine, or my_layers.py:Swish")
    add("--all", action="store_true", help="every layer of the project")
    add("--mutants", action="store_true", help="break the layer; is it noticed?")
    add("--seed", type=int, default=0, help="of examples and directions")


def user_errors() -> tuple:
    return (ImportError, OSError)


def run(options) -> int:
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

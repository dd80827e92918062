"""A class or a function from a file of the user's own: path.py:Class, path.py:function."""

import importlib.util
import os
import sys
import traceback
import types
from pathlib import Path

from lamina.common.names import suggest

_loaded: dict[str, str] = {}  # the files that were run, by the names that a traceback has


def own_place(error: BaseException) -> str:
    """Where in a file of the user's own an error comes from, innermost: "my.py, line 12, in f"; ""
    if none of them has to do with it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename in _loaded]
    return f"{_loaded[own[-1].filename]}, line {own[-1].lineno}, in {own[-1].name}" if own else ""


def load_class(path: str | Path, name: str, *, functions: bool = False):
    """The class of that name in a Python file, which is run; with `functions` also a function.

    Raises ImportError if the file is missing, fails to run, or has nothing of that name.
    """
    path = Path(path)
    if not path.is_file():
        raise ImportError(f"no such file: {path}")
    # Known to Python under a name of its own, so that tools find the source of its classes and two
    # files called my_layers.py do not get into each other's way.
    spec = importlib.util.spec_from_file_location(f"{path.resolve()}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: expects a file of Python, whose name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    _loaded[os.path.abspath(path)] = str(path)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ImportError(f"{path} failed: {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        kinds = (type, types.FunctionType) if functions else (type,)
        found = [n for n, v in vars(module).items() if isinstance(v, kinds)]
        kind = "function or class" if functions else "class"
        raise ImportError(f"{path} has no {kind} {name}{suggest(name, found)}")
    return getattr(module, name)

"""What a user names: a class in a file, path.py:Class, or a function of a table, with settings."""

import difflib
import functools
import importlib.util
import inspect
import sys
from pathlib import Path


def load_class(path: Path, class_name: str) -> type:
    """The class of that name in a Python file, which is run.

    Raises ImportError if the file is missing, fails to run, or has no such class.
    """
    if not path.is_file():
        raise ImportError(f"no such file: {path}")
    # Known to Python under a name of its own, so that tools find the source of its classes and two
    # files called my_layers.py do not get into each other's way.
    spec = importlib.util.spec_from_file_location(f"{path.resolve()}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ImportError(f"{path} failed: {type(error).__name__}: {error}") from error
    if not hasattr(module, class_name):
        found = [n for n, v in vars(module).items() if isinstance(v, type)]
        raise ImportError(f"{path} has no class {class_name}{suggest(class_name, found)}")
    return getattr(module, class_name)


def suggest(name, known) -> str:
    """ "; did you mean ...?" for a misspelt name, else the list of valid ones."""
    known = sorted(str(k) for k in known)
    near = difflib.get_close_matches(str(name), known, n=1)
    if not near:  # a capital off, as in relu for Relu
        near = [k for k in known if k.lower() == str(name).lower()]
    return f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"


def chosen(kind: str, table: dict, name: str, settings: dict) -> functools.partial:
    """The function of that name with its keyword-only settings filled in.

    Raises ValueError for an unknown name, and for settings that are unknown or missing.
    """
    if name not in table:
        raise ValueError(f"unknown {kind} {name}{suggest(name, table)}")
    parameters = inspect.signature(table[name]).parameters.values()
    known = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    wrong = [n for n in settings if n not in known]
    missing = [n for n, p in known.items() if n not in settings and p.default is p.empty]
    if wrong or missing:
        raise ValueError(
            f"{kind} {name}: takes {', '.join(known) or 'no settings'}"
            + (f"; missing {', '.join(missing)}" if missing else "")
            + (f"; unknown {', '.join(wrong)}" if wrong else "")
        )
    return functools.partial(table[name], **settings)

"""A class from a file of the user's own: path.py:Class."""

import importlib.util
import sys
from pathlib import Path

from lamina.common.names import suggest


def load_class(path: str | Path, class_name: str) -> type:
    """The class of that name in a Python file, which is run.

    Raises ImportError if the file is missing, fails to run, or has no such class.
    """
    path = Path(path)
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

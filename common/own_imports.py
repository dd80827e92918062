"""Which files of the user's own a Python file imports, found by reading it: nothing is run."""

import ast
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# Where Python and what is installed into it live: these have versions, and are nobody's own.
_INSTALLED = [
    Path(sysconfig.get_path(name)).resolve()
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
]


def with_imports(path: Path) -> list[Path]:
    """The file, and all files of the user's own that it imports, and those in turn, each once.

    Modules are looked for where Python would, and beside the file that imports them. A file that is
    no Python imports nothing, and neither does a name that is put together while it runs.
    """
    found: dict[Path, None] = {}
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop(0)
        if file not in found:
            found[file] = None
            waiting += _imported(file)
    return [path, *list(found)[1:]]


def _imported(file: Path) -> list[Path]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return []
    files: list[Path] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                files += _of_module(alias.name.split("."), file.parent)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                files += _of_module([*(node.module or "").split("."), alias.name], file.parent)
        elif isinstance(node, ast.ImportFrom):  # from . import: of the package that it lies in
            folder = file.parents[min(node.level, len(file.parents)) - 1]
            for alias in node.names:
                parts = [*(node.module or "").split("."), alias.name]
                files += _in_folder(folder, [part for part in parts if part])
    return files


def _of_module(parts: list[str], beside: Path) -> list[Path]:
    """The files of a module or, if the last part is a name in it, of what has it."""
    first = parts[0]
    if first == "lamina" or first in sys.stdlib_module_names:
        return []
    folder = _place(first) or beside
    return [] if _is_installed(folder) else list(_in_folder(folder, parts))


def _place(name: str) -> Path | None:
    """The folder in which Python finds a module, None if it does not."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve().parent
    return Path(spec.origin).resolve().parent if spec.has_location and spec.origin else None


def _is_installed(folder: Path) -> bool:
    return any(folder.is_relative_to(place) for place in _INSTALLED)


def _in_folder(folder: Path, parts: list[str]) -> Iterator[Path]:
    """The files on the way from a folder to a module in it, those of packages included."""
    for part in parts:
        if (package := folder / part).is_dir():
            folder, file = package, package / "__init__.py"
        else:
            file = folder / f"{part}.py"
        if file.is_file():
            yield file.resolve()

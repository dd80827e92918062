"""mypy over the house, and pyright over the rooms that a user's own parts are made of, laid under
their one name as they are when installed: a checker of types cannot follow a package whose folders
lie elsewhere.

python .ci/check_types.py [FILE ...]     with files: these alone, as those of a user of Lamina
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FACE = ("layers", "metrics", "nets", "optimizers", "estimators")
PYRIGHT = {
    "include": [f"lamina/{room}" for room in FACE],
    # The syntax trees of mutants are typed by hand; a generator that only counts is none of
    # NumPy's in all it takes.
    "exclude": ["lamina/layers/check", "lamina/nets/room.py"],
    "reportMissingImports": False,  # of the extras
    "reportIncompatibleVariableOverride": False,  # a property in the place of an attribute
}


def laid_out(folder: Path) -> Path:
    """A copy of all rooms in folder/lamina, with the times of the files, by which mypy's cache
    knows them."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lamina", folder / "lamina", ignore=ignored)
    for room in sorted(path.parent for path in ROOT.glob("[a-z]*/__init__.py")):
        if room.name != "lamina":
            shutil.copytree(room, folder / "lamina" / room.name, ignore=ignored)
    return folder


def check(files: list[Path]) -> list[subprocess.CompletedProcess]:
    """What mypy says, and pyright if it is there (the extra `peers` has it)."""
    with tempfile.TemporaryDirectory() as folder:
        laid_out(Path(folder))
        for file in files:
            shutil.copy2(file, folder)
        names = [file.name for file in files]
        commands = [_mypy(names), *_pyright(names, folder)]
        with ThreadPoolExecutor() as pool:  # each has work for one core
            return list(pool.map(lambda command: _run(command, folder), commands))


def _mypy(names: list[str]) -> list[str]:
    # What is done in the bodies of a user's functions is looked at, Lamina's are not.
    of_files = ["--follow-imports=silent", "--check-untyped-defs"]
    what = [*of_files, *names] if names else ["-p", "lamina"]
    options = [f"--config-file={ROOT / 'pyproject.toml'}", f"--cache-dir={ROOT / '.mypy_cache'}"]
    return ["mypy", *options, *what]


def _pyright(names: list[str], folder: str) -> list[list[str]]:
    if importlib.util.find_spec("pyright") is None:
        print("pyright is not installed, and has not looked: pip install -e '.[peers]'")
        return []
    settings = PYRIGHT | ({"include": names} if names else {})
    (Path(folder) / "pyrightconfig.json").write_text(json.dumps(settings))
    return [["pyright"]]


def _run(command: list[str], folder: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True
    )


if __name__ == "__main__":
    all_done = check([Path(name) for name in sys.argv[1:]])
    for done in all_done:
        print(done.stdout + done.stderr, end="")
    sys.exit(any(done.returncode for done in all_done))

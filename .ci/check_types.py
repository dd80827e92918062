"""mypy over the house, laid under its one name as it is when installed: a checker of types cannot
follow a package whose folders lie elsewhere.

python .ci/check_types.py [FILE ...]     with files: these alone, as those of a user of Lamina
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def laid_out(folder: Path) -> Path:
    """A copy of all rooms in folder/lamina, with the times of the files, by which mypy's cache
    knows them."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "lamina", folder / "lamina", ignore=ignored)
    for room in sorted(path.parent for path in ROOT.glob("[a-z]*/__init__.py")):
        if room.name != "lamina":
            shutil.copytree(room, folder / "lamina" / room.name, ignore=ignored)
    return folder


def check(files: list[Path]) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as folder:
        laid_out(Path(folder))
        for file in files:
            shutil.copy2(file, folder)
        # What is done in the bodies of a user's functions is looked at, Lamina's are not.
        of_files = ["--follow-imports=silent", "--check-untyped-defs"]
        what = [*of_files, *(file.name for file in files)] if files else ["-p", "lamina"]
        command = [sys.executable, "-m", "mypy", f"--config-file={ROOT / 'pyproject.toml'}"]
        command += [f"--cache-dir={ROOT / '.mypy_cache'}", *what]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)


if __name__ == "__main__":
    done = check([Path(name) for name in sys.argv[1:]])
    print(done.stdout + done.stderr, end="")
    sys.exit(done.returncode)

"""What the files of a run may raise."""

import os
from pathlib import Path


class RunError(ValueError):
    """A run directory, or a file in it, cannot be used; says which one, why, and what to do."""


def no_run(path: str | os.PathLike[str], name: str) -> str:
    """In words, why a path is no run directory, which would have a file of that name."""
    path = Path(path)
    why = f"it has no {name}" if path.is_dir() else "it is a file"
    why = why if path.exists() else "there is no such folder"
    return f"{path}: is no run directory: {why}"

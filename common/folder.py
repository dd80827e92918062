"""A folder that is held on to: its files are found in it, whatever becomes of its name."""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import overload

# Where the system opens files relative to an open folder (POSIX). Windows lets nobody rename a
# folder in which a file is open, as the lock of a run is, so there the name will do.
HOLDS = {os.open, os.stat, os.unlink, os.rename} <= os.supports_dir_fd and hasattr(
    os, "O_DIRECTORY"
)


class Folder:
    """A folder that is there. `folder / name` is a `File` in it, also after the folder has been
    renamed and another one has taken its name. Raises OSError if it cannot be opened."""

    def __init__(self, path: "str | Path | Folder"):
        self.handle, self.path = None, Path(path)
        if HOLDS:
            self.handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)

    def __truediv__(self, name: str) -> "File":
        return File(self, name)

    def __str__(self) -> str:
        return str(self.path)

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return self.path.name

    def is_dir(self) -> bool:
        return True

    def iterdir(self) -> Iterator["File"]:
        """What is in it."""
        names = os.listdir(self.path if self.handle is None else self.handle)
        return (self / name for name in names)

    def now(self) -> Path:
        """Where it lies now, as far as the system says it: the path that it was given if that has
        not been moved."""
        if self.handle is None or _same(self.path, self.handle):
            return self.path
        with contextlib.suppress(OSError):
            path = Path(os.readlink(f"/proc/self/fd/{self.handle}"))  # Linux
            if _same(path, self.handle):
                return path
        return self.path

    def close(self) -> None:
        """Let go; from here on its name counts."""
        if self.handle is not None:
            handle, self.handle = self.handle, None
            os.close(handle)

    __del__ = close  # of a run that did not come to its end


class File:
    """A file in a held folder, there or not; shown by its path."""

    def __init__(self, folder: Folder, name: str):
        self.parent, self.name = folder, name

    def __str__(self) -> str:
        return str(self.parent.path / self.name)

    def __fspath__(self) -> str:
        return str(self)

    def is_file(self) -> bool:
        return stat.S_ISREG(self._mode())

    def is_dir(self) -> bool:
        return stat.S_ISDIR(self._mode())

    def exists(self) -> bool:
        return bool(self._mode())

    def _mode(self) -> int:
        name, folder = located(self)
        try:
            return os.stat(name, dir_fd=folder).st_mode
        except (OSError, ValueError):
            return 0


def located(path) -> tuple[str, int | None]:
    """A path as the functions of `os` take it: a name, and `dir_fd`."""
    if isinstance(path, File) and path.parent.handle is not None:
        return path.name, path.parent.handle
    return os.fspath(path), None


@overload
def placed(path: str | Path) -> Path: ...
@overload
def placed(path: Folder) -> Folder: ...
@overload
def placed(path: File) -> File: ...
def placed(path):
    """A `Folder` or `File` as it is, anything else as a Path."""
    return path if isinstance(path, (Folder, File)) else Path(path)


def _same(path: Path, handle: int) -> bool:
    """Does the path lead to the open folder?"""
    try:
        there, held = os.stat(path), os.fstat(handle)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

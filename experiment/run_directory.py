"""The directory of a run: taken by one process at a time, and never written over."""

import contextlib
import errno
import itertools
import os
import shlex
import sys
import time
from pathlib import Path

from lamina.common.errors import RunError, no_run
from lamina.common.files import is_part, no_link, remove_parts, unwritable
from lamina.common.folder import Folder, located, placed
from lamina.common.notice import note


def refuse_used(run_dir: str | Path | Folder) -> None:
    """A run directory is new, or empty: a run that is there already is never written over."""
    run_dir = placed(run_dir)
    if Path(run_dir).is_file():
        raise FileExistsError(f"{run_dir} is a file; choose another --run-dir")
    if run_dir.is_dir() and any(map(_counts, run_dir.iterdir())):
        raise FileExistsError(
            f"{run_dir} is not empty; choose another --run-dir, move that one away, or go on with "
            f"it: --resume {shlex.quote(str(run_dir))}"
        )


def require_run(run_dir: str | Path) -> None:
    """Raises RunError unless there is a run in the directory."""
    if not (Path(run_dir) / "config.yaml").is_file():
        raise RunError(no_run(run_dir, "config.yaml"))


def _counts(path) -> bool:
    """Not a lock, nor what a crash left of a file that did not get whole."""
    return path.name != _LOCK and not is_part(path.name)


def new_directory(name: str) -> Path:
    """A directory of our own, runs/<name>-<time>, numbered if another run took that just now."""
    base = Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    path, numbers = base, itertools.count(2)
    try:
        base.parent.mkdir(exist_ok=True)
        while True:
            try:
                path.mkdir()
                return path
            except FileExistsError:
                path = base.with_name(f"{base.name}-{next(numbers)}")
    except OSError as error:
        raise unwritable(path, error) from error


@contextlib.contextmanager
def claimed(run_dir: str | Path):
    """Make a new run directory, or take an empty one, and keep others out of it meanwhile: the
    `Folder`, as `locked` gives it."""
    run_dir = Path(run_dir)
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(run_dir, error) from error
    with locked(run_dir) as folder:
        refuse_used(folder)
        yield folder


@contextlib.contextmanager
def locked(run_dir: str | Path):
    """Keep other processes out of a run directory, and hold on to it: the `Folder`, to be found
    whatever its name becomes. What a crash left half-written is removed.

    The lock is the operating system's and goes with the process, however that ends. Raises OSError
    if another process has it, or if nothing can be written there.
    """
    run_dir = Path(run_dir)
    try:
        with contextlib.ExitStack() as stack:
            folder = Folder(run_dir)
            stack.callback(folder.close)
            handle = _lock(folder)
            stack.pop_all()
    except BlockingIOError:
        raise BlockingIOError(f"{run_dir} is in use by another process; wait for it") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"{run_dir}: there is no such run directory") from None
    except OSError as error:
        raise unwritable(run_dir, error) from error
    try:
        name, held = located(folder / ".")
        if not os.access(name, os.W_OK, dir_fd=held):
            raise PermissionError(f"{run_dir} cannot be written: Permission denied")
        remove_parts(folder)
        yield folder
    finally:
        os.close(handle)
        folder.close()


_LOCK = ".lock"  # where a folder itself cannot be locked
_UNKNOWN = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)

if sys.platform == "win32":
    import msvcrt

    def _lock(run_dir: Folder) -> int:
        handle = no_link(run_dir / _LOCK, os.O_RDWR | os.O_CREAT)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            os.close(handle)
            raise BlockingIOError from None
        return handle

else:
    import fcntl

    def _lock(run_dir: Folder) -> int:
        """The folder itself; or a file in it, since network file systems lock what is writable."""
        try:
            name, held = located(run_dir / ".")
            return _flocked(os.open(name, os.O_RDONLY, dir_fd=held))
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
        handle = no_link(run_dir / _LOCK, os.O_RDWR | os.O_CREAT)
        try:
            return _flocked(os.dup(handle))
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
            said = "the file system has no locks: take care that no other process uses it"
            note(f"{run_dir}: {said}")
            return os.dup(handle)
        finally:
            os.close(handle)

    def _flocked(handle: int) -> int:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise
        return handle

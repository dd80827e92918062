"""Files that get their final name only when they are whole."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

PART = ".unfinished"  # what a file is called until it is whole; a crash may leave one behind


@contextlib.contextmanager
def whole_file(path: str | Path):
    """A binary file to write, that becomes `path` at the end of the block, or never.

    Temporary file in the same folder, flush, fsync, rename, fsync of the folder: a crash or a power
    cut leaves the old file or the new one. Raises OSError naming `path` if it cannot be written.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; give the name of a file")
    try:
        with _temporary(path) as (file, temporary):
            yield file
        try:
            temporary.chmod(0o666 & ~_umask())
            os.replace(temporary, path)
        except OSError:
            temporary.unlink()
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error


def no_link(path: str | Path, flags: int) -> int:
    """An opener for `open`: the regular file of that name itself, never what a link leads to. A
    folder that came from elsewhere could lead out of itself. Raises OSError naming it."""
    said = f"{path}: is a link, and nothing is written through one; move it away"
    if not _NOFOLLOW and os.path.islink(path):
        raise OSError(said)
    try:
        handle = os.open(path, flags | _NOFOLLOW | _NONBLOCK, 0o666)
    except OSError as error:
        if os.path.islink(path):
            raise OSError(said) from None
        raise unwritable(path, error) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path}: is no regular file; move it away")
    return handle


# Windows has neither; there a link is looked for, and a pipe has no place in a folder.
_NOFOLLOW, _NONBLOCK = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)


def unwritable(path: str | Path, error: OSError) -> OSError:
    """The error in words, if it says that there is no room or no right to write; else itself."""
    if error.errno not in _UNWRITABLE or isinstance(error, _WriteError):
        return error
    return _WriteError(error.errno, error.strerror, str(path))


def sync_folder(folder: str | Path) -> None:
    """Have the names in a folder on the disk too. Windows has no call for it, and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot
            raise
    finally:
        os.close(handle)


def remove(path: str | Path) -> None:
    """Remove a file, if it is there. Raises OSError naming it if that is not allowed."""
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def remove_parts(folder: str | Path) -> None:
    """Remove what a crash left of files that did not get whole. Only for a folder of our own."""
    for part in Path(folder).glob(f".*{PART}"):
        remove(part)


def _umask() -> int:
    """The bits that the user wants off; they can be read only by setting them."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


_UNWRITABLE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS),
    *(errno.EACCES, errno.EPERM),
)


class _WriteError(OSError):
    def __str__(self):
        return f"{self.filename} cannot be written: {self.strerror}"


@contextlib.contextmanager
def _temporary(path: Path):
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", suffix=PART, delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            yield file, temporary
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            with contextlib.suppress(OSError):  # what could not be flushed cannot be now
                file.close()
            temporary.unlink()
            raise

"""Files that get their final name only when they are whole, in folders by name or held on to."""

import contextlib
import errno
import json
import os
import secrets
import stat
from pathlib import Path
from typing import NewType

from lamina.common.folder import File, Folder, located, placed
from lamina.common.printable import printable

FolderPath = NewType("FolderPath", Path)  # what a configuration names is a folder, no file
PART = ".unfinished"  # what a file is called until it is whole; a crash may leave one behind


@contextlib.contextmanager
def whole_file(path: str | Path | File):
    """A binary file to write, that becomes `path` at the end of the block, or never.

    Temporary file in the same folder, flush, fsync, rename, fsync of the folder: a crash or a power
    cut leaves the old file or the new one. Raises OSError naming `path` if it cannot be written.
    """
    final = placed(path)
    folder = final.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {folder}")
    if final.is_dir():
        raise IsADirectoryError(f"{path}: is a folder; give the name of a file")
    temporary = folder / f".{final.name}.{secrets.token_hex(4)}{PART}"
    try:
        with _new(temporary) as file:
            yield file
        try:
            (name, handle), (its_name, _) = located(temporary), located(final)
            os.replace(name, its_name, src_dir_fd=handle, dst_dir_fd=handle)
        except OSError:
            _unlink(temporary)
            raise
        sync_folder(folder)
    except OSError as error:
        raise unwritable(path, error) from error


def write_json(path: str | Path | File, data) -> None:
    """Write plain data as a whole file of JSON. Raises as `whole_file`."""
    text = json.dumps(data, indent=1)
    with whole_file(path) as file:
        file.write(f"{text}\n".encode())


def beside(path: str | Path, suffix: str) -> Path:
    """The file of this name with another ending, which is written though only `path` was named.
    Raises FileExistsError if one is there: it may be somebody's work."""
    other = Path(path).with_suffix(suffix)
    if os.path.lexists(other):
        raise FileExistsError(
            printable(f"{other}: is there, and is written beside {path}; take another name for -o")
        )
    return other


def opened(path: str | Path | File, mode: str = "rb", **options):
    """As `open`, of a regular file; a pipe or a device would wait for ever, or never end. Raises
    what `open` does, and OSError for what is none."""
    name, folder = located(path)
    return open(
        path,
        mode,
        opener=lambda _, flags: _regular(path, os.open(name, flags | _NONBLOCK, dir_fd=folder)),
        **options,
    )


def no_link(path: str | Path | File, flags: int) -> int:
    """Open the regular file of that name itself, never what a link leads to: a folder that came
    from elsewhere could lead out of itself. Raises OSError naming it."""
    name, folder = located(path)
    said = f"{path}: is a link, and nothing is written through one; move it away"
    if not _NOFOLLOW and _is_link(path):
        raise OSError(said)
    try:
        handle = os.open(name, flags | _NOFOLLOW | _NONBLOCK, 0o666, dir_fd=folder)
    except OSError as error:
        if _is_link(path):
            raise OSError(said) from None
        raise unwritable(path, error) from error
    return _regular(path, handle)


def _regular(path, handle: int) -> int:
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path}: is no regular file; move it away")
    return handle


def _is_link(path) -> bool:
    name, folder = located(path)
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


# Windows has neither; there a link is looked for, and a pipe has no place in a folder.
_NOFOLLOW, _NONBLOCK = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)


def unwritable(path: str | Path | File | Folder, error: OSError) -> OSError:
    """The error in words, if it says that there is no room or no right to write; else itself."""
    if error.errno not in _UNWRITABLE or isinstance(error, _WriteError):
        return error
    return _WriteError(error.errno, error.strerror, str(path))


def sync_folder(folder: str | Path | Folder) -> None:
    """Have the names in a folder on the disk too. Windows has no call for it, and needs none."""
    if os.name == "nt":
        return
    held = folder.handle if isinstance(folder, Folder) else None
    handle = os.open(folder, os.O_RDONLY) if held is None else held
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot
            raise
    finally:
        if held is None:
            os.close(handle)


def remove(path: str | Path | File) -> None:
    """Remove a file, if it is there. Raises OSError naming it if that is not allowed."""
    try:
        with contextlib.suppress(FileNotFoundError):
            _unlink(path)
    except OSError as error:
        raise unwritable(path, error) from error


def remove_parts(folder: str | Path | Folder) -> None:
    """Remove what a crash left of files that did not get whole. Only for a folder of our own."""
    for part in placed(folder).iterdir():
        if is_part(part.name):
            remove(part)


def is_part(name: str) -> bool:
    """Is this what a crash left of a file that did not get whole?"""
    return name.startswith(".") and name.endswith(PART)


def _unlink(path) -> None:
    name, folder = located(path)
    os.unlink(name, dir_fd=folder)


_UNWRITABLE = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS),
    *(errno.EACCES, errno.EPERM),
)


class _WriteError(OSError):
    def __str__(self):
        return f"{self.filename} cannot be written: {self.strerror}"


@contextlib.contextmanager
def _new(path):
    """A file that was not there, on the disk at the end; removed if anything fails."""
    with open(path, "x+b", opener=lambda _, flags: no_link(path, flags)) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            with contextlib.suppress(OSError):  # what could not be flushed cannot be now
                file.close()
            _unlink(path)
            raise

"""The directory of a run: taken, locked, and left alone."""

import errno
import os
import sys

import pytest

from lamina.common.errors import RunError
from lamina.common.files import PART
from lamina.experiment.run_directory import claimed, locked, new_directory, refuse_used, require_run

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="flock: POSIX only")


def test_what_is_there_is_not_written_over(tmp_path):
    refuse_used(tmp_path / "new")
    refuse_used(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="is not empty; choose another --run-dir"):
        refuse_used(tmp_path)
    with pytest.raises(FileExistsError, match="is a file; choose another"):
        refuse_used(tmp_path / "notes.txt")
    with pytest.raises(FileExistsError, match="is not empty"), claimed(tmp_path):
        pass
    with pytest.raises(RunError, match=r"it has no config\.yaml"):
        require_run(tmp_path)


def test_what_a_crash_left_half_written_is_in_nobodys_way(tmp_path):
    (tmp_path / f".config.yaml.x1y2{PART}").touch()
    (tmp_path / ".lock").touch()
    refuse_used(tmp_path)
    with claimed(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_directories_of_the_same_second_get_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lamina.experiment.run_directory.time.strftime", lambda form: "now")
    assert [new_directory("a").name for _ in range(3)] == ["a-now", "a-now-2", "a-now-3"]


def test_a_lock_keeps_others_out_and_goes_with_its_block(tmp_path):
    refused = pytest.raises(BlockingIOError, match="is in use by another process")
    with locked(tmp_path), refused, locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
    with pytest.raises(FileNotFoundError, match="there is no such run directory"):
        locked(tmp_path / "none").__enter__()


@POSIX
def test_where_folders_cannot_be_locked_a_file_in_them_is(tmp_path, monkeypatch):
    """As on NFS."""
    import fcntl

    flock = fcntl.flock

    def not_folders(handle, how):
        if os.path.isdir(f"/proc/self/fd/{handle}") or os.fstat(handle).st_mode & 0o040000:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", not_folders)
    with locked(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
        with pytest.raises(BlockingIOError, match="is in use"), locked(tmp_path):
            pass
    with locked(tmp_path):
        pass


@POSIX
def test_without_any_locks_a_run_goes_on_and_says_so(tmp_path, monkeypatch, capsys):
    import fcntl

    def never(handle, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", never)
    with locked(tmp_path):
        pass
    assert "has no locks: take care that no other process uses it" in capsys.readouterr().err

"""Files are whole or not there."""

import os

import pytest

from lamina.common.files import opened, remove, remove_parts, whole_file
from lamina.common.folder import Folder


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "a"
    with whole_file(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def write_half():
        with whole_file(path) as file:
            file.write(b"new, but")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "nowhere" / "a"
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"), whole_file(path):
        pass


@pytest.mark.skipif(os.name == "nt", reason="an open folder cannot be renamed there")
def test_a_folder_is_held_on_to_and_let_go(tmp_path):
    (tmp_path / "a").mkdir()
    folder = Folder(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    (tmp_path / "a").mkdir()
    with whole_file(folder / "f") as file:
        file.write(b"x")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["f"]
    assert [path.name for path in folder.iterdir()] == ["f"]
    assert (folder / "f").is_file()
    assert str(folder / "f") == str(tmp_path / "a" / "f")
    with opened(folder / "f") as file:
        assert file.read() == b"x"
    (tmp_path / "a" / ".g.1.unfinished").touch()
    remove_parts(folder)
    assert (tmp_path / "a" / ".g.1.unfinished").exists()
    remove(folder / "f")
    assert not list((tmp_path / "b").iterdir())
    handle = folder.handle
    del folder, file
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handle)

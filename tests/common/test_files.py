"""Files are whole or not there."""

import pytest

from lamina.common.files import whole_file


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

"""What a file of the user's own imports, found without running it."""

import sys

import pytest

from lamina.common.own_imports import with_imports


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Writes files by their names; their folder is where Python looks for modules."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(**texts):
        for name, text in texts.items():
            path = tmp_path / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def _names(folder, name="own.py"):
    found = with_imports(folder / name)
    return [path.resolve().relative_to(folder.resolve()).as_posix() for path in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import first_helper", ["first_helper.py", "second_helper.py"]),
        ("from first_helper import f as g", ["first_helper.py", "second_helper.py"]),
        ("import numpy, json, lamina.layers\nfrom torch import nn", []),
        ("def f():\n    import second_helper", ["second_helper.py"]),
        ("import nowhere_to_be_found", []),
        ("this is no Python", []),
        ("import own", []),
    ],
)
def test_files_of_ones_own_are_found_and_no_others(files, text, expected):
    folder = files(own=text, first_helper="import second_helper", second_helper="import own")
    assert _names(folder) == ["own.py", *expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import pkg_of_mine", ["__init__"]),
        ("import pkg_of_mine.inner", ["__init__", "inner", "other"]),
        ("from pkg_of_mine import inner", ["__init__", "inner", "other"]),
        ("from pkg_of_mine.inner import f", ["__init__", "inner", "other"]),
    ],
)
def test_of_a_package_what_is_imported(files, text, expected):
    folder = files(
        own=text,
        pkg_of_mine__in____init__="",
        pkg_of_mine__in__inner="from . import other\nfrom .other import f",
        pkg_of_mine__in__other="def f(): pass",
        pkg_of_mine__in__unused="",
    )
    assert _names(folder) == ["own.py", *(f"pkg_of_mine/{name}.py" for name in expected)]


def test_modules_beside_the_file_are_found_where_it_puts_its_folder_on_the_path(tmp_path):
    (tmp_path / "own.py").write_text("import lies_beside_it")
    (tmp_path / "lies_beside_it.py").write_text("")
    assert str(tmp_path) not in sys.path
    assert _names(tmp_path) == ["own.py", "lies_beside_it.py"]


def test_nothing_is_run(files):
    folder = files(own="import ends_all", ends_all="raise SystemExit")
    assert _names(folder) == ["own.py", "ends_all.py"]
    assert "ends_all" not in sys.modules

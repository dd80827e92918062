"""Tables that grow, are cut off, and are continued."""

import numpy as np
import pytest

from lamina.common.errors import RunError
from lamina.common.table import Table, read_rows, read_table

HEADER = ("iteration", "loss")


def table(path, upto=0, rows=()):
    made = Table(path, HEADER, upto)
    for row in rows:
        made.write(row)
    made.flush()
    return made


def test_rows_wait_for_the_flush(tmp_path):
    path = tmp_path / "t.csv"
    growing = table(path)
    growing.write((1, "0.5"))
    assert path.read_text() == "iteration,loss\n"
    growing.flush(sync=True)
    growing.write((2, ""))
    growing.flush()
    assert path.read_text() == "iteration,loss\n1,0.5\n2,\n"
    np.testing.assert_array_equal(read_table(path)["loss"], [0.5, np.nan])


@pytest.mark.parametrize(
    ("there", "upto", "kept"),
    [
        ("iteration,loss\n1,5\n2,5\n3,5\n", 2, "iteration,loss\n1,5\n2,5\n"),
        ("iteration,loss\n1,5\n2,5\n3,5\n", 0, "iteration,loss\n"),
        ("iteration,loss\n1,5\n2,5\n3,5\n", 9, "iteration,loss\n1,5\n2,5\n3,5\n"),
        ("iteration,loss\n1,5\n2,5\n3,", 9, "iteration,loss\n1,5\n2,5\n"),
        ("iteration,loss\n1,5\n2", 9, "iteration,loss\n1,5\n"),
        ("iteration,lo", 9, "iteration,loss\n"),
        ("", 9, "iteration,loss\n"),
        ("iteration,loss\n1,5\n\0\0\0\0", 9, "iteration,loss\n1,5\n"),
    ],
)
def test_a_table_is_continued_where_it_counts(tmp_path, there, upto, kept):
    path = tmp_path / "t.csv"
    path.write_text(there)
    table(path, upto, [(7, 1)])
    assert path.read_text() == kept + "7,1\n"


def test_a_table_of_something_else_is_not_written_over(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,age\nAda,36\n")
    with pytest.raises(ValueError, match="expects the header iteration,loss, got 'name,age'"):
        table(path)
    assert path.read_text() == "name,age\nAda,36\n"


def test_reading_passes_over_a_last_line_that_was_cut_off(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("iteration,loss\n1,0.5\n2,0.2")
    assert read_table(path)["loss"].tolist() == [0.5]
    path.write_text("iteration,loss\n")
    assert read_table(path)["loss"].shape == (0,)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,2,3", "expects 2 cells, got 3"),
        ("1", "expects 2 cells, got 1"),
        ("", "expects 2 cells, got 0"),
        ("one,2", "expects a number, got 'one'"),
    ],
)
def test_what_is_no_table_of_numbers_is_one_clear_error(tmp_path, row, words):
    path = tmp_path / "t.csv"
    path.write_text(f"iteration,loss\n1,0.5\n{row}\n2,0.5\n")
    with pytest.raises(ValueError, match=rf"t\.csv, line 3: {words}"):
        read_table(path)


@pytest.mark.parametrize("content", [b"", b"iteration,loss", b"\xff\xfe\n1,2\n"])
def test_a_file_without_a_header_is_one_clear_error(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"t\.csv"):
        read_table(path)


def test_names_with_any_line_ends_are_read_and_continued(tmp_path):
    """U+2028 and others end a line for Python, but not in a CSV file."""
    path, header = tmp_path / "t.csv", ("iteration", "layer")
    names = ["a\u2028b", "a\u2029b", "a\x85b", "a\x0bb", "a\x0cb", "a\x1cb"]
    made = Table(path, header)
    for i, name in enumerate(names, start=1):
        made.write((i, name))
    made.flush()
    assert [row[1] for row in read_rows(path)[1]] == names
    Table(path, header, 4)
    assert [row[1] for row in read_rows(path)[1]] == names[:4]


def test_a_cell_that_is_too_long_is_one_error(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"iteration,loss\n1,{'1' * 200_000}\n")
    with pytest.raises(RunError, match=r"t\.csv, line 2: is damaged"):
        read_table(path)

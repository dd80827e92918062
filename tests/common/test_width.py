"""Names in any script stand below each other in a terminal, and fit."""

import pytest

from lamina.common.width import left, right, shortened, width_of


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("고양이", 6), ("é", 1), ("e\u0301", 1), ("日本 x", 6), ("😀", 2)],
)
def test_wide_characters_take_two_columns_and_marks_none(text, width):
    assert width_of(text) == width
    assert width_of(left(text, 9)) == width_of(right(text, 9)) == 9
    assert left(text, 9).strip() == right(text, 9).strip() == text


@pytest.mark.parametrize("text", ["class number 77 of 100", "가나다라마바사 77", "x" * 500])
@pytest.mark.parametrize("width", [1, 2, 7, 10, 11])
def test_what_is_too_long_is_shown_by_both_ends(text, width):
    short = shortened(text, width)
    assert width_of(short) <= width
    head, tail = short.split("…")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert shortened("short", 5) == "short"

"""One table in four forms, whatever stands in its cells."""

import csv
import io

from lamina.common.text_table import as_csv, as_latex, as_markdown, as_text

HEADER = ["optimizer", "accuracy (%)"]
ROWS = [["학습률 0.1", "97.26 ± 0.12"], ["a_b|c & $x$\x1b[2J", "-"]]


def test_text_stands_in_columns_also_beside_wide_characters():
    first, second, third = as_text(HEADER, ROWS, 1).splitlines()
    assert first == "optimizer           accuracy (%)"
    assert second == "학습률 0.1          97.26 ± 0.12"  # three of its letters take two columns
    assert third.startswith("a_b|c & $x$\\x1b[2J")


def test_csv_is_read_back():
    assert list(csv.reader(io.StringIO(as_csv(HEADER, ROWS)))) == [HEADER, *ROWS]


def test_markdown_has_a_cell_for_each():
    lines = as_markdown(HEADER, ROWS, 1).splitlines()
    assert lines[1] == "| --- | ---: |"
    assert lines[2] == "| 학습률 0.1 | 97.26 ± 0.12 |"
    assert lines[3] == r"| a\_b\|c & $x$\\x1b\[2J | - |"


def test_latex_takes_no_character_for_a_command():
    text = as_latex(HEADER, ROWS, 1)
    assert text.startswith("\\begin{tabular}{lr}\n\\toprule\noptimizer & accuracy (\\%) \\\\\n")
    assert "97.26 $\\pm$ 0.12 \\\\" in text
    assert "a\\_b|c \\& \\$x\\$\\textbackslash{}x1b[2J & -" in text

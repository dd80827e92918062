"""A table of texts as plain text, CSV, Markdown or LaTeX."""

import csv
import io
import re

from lamina.common.printable import printable
from lamina.common.width import left, right, width_of


def as_text(header: list[str], rows: list[list[str]], numbers: int = 0) -> str:
    """In columns for a terminal; the last `numbers` of them stand at their right."""
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(width_of, column)) for column in zip(*lines, strict=True)]
    first = len(header) - numbers
    return "\n".join(
        "  ".join(
            (left if i < first else right)(cell, width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_csv(header: list[str], rows: list[list[str]]) -> str:
    """Comma-separated values, quoted where need be."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue().rstrip("\n")


def as_markdown(header: list[str], rows: list[list[str]], numbers: int = 0) -> str:
    """A table of GitHub's Markdown."""
    first = len(header) - numbers
    rule = ["---" if i < first else "---:" for i in range(len(header))]
    lines = [[_markdown(cell) for cell in row] for row in (header, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def as_latex(header: list[str], rows: list[list[str]], numbers: int = 0) -> str:
    """A tabular with the rules of the package booktabs."""
    lines = [[_latex(cell) for cell in row] for row in (header, *rows)]
    head, *body = [" & ".join(line) + r" \\" for line in lines]
    columns = "l" * (len(header) - numbers) + "r" * numbers
    inside = [r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
    return "\n".join([rf"\begin{{tabular}}{{{columns}}}", *inside, r"\end{tabular}"])


_MARKDOWN = re.compile(r"[\\|`*_<>\[\]]")
_LATEX = {character: rf"\{character}" for character in "&%$#_{}"}
_LATEX |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {"±": r"$\pm$", "<": r"\textless{}", ">": r"\textgreater{}"}


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\g<0>", printable(text))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in printable(text))

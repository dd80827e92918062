"""Docstrings, which are plain text with formulas in indented blocks, as reStructuredText.

Shapes:, Raises ... and Source: begin a paragraph of their own, `code` is code, and what is indented
by four columns keeps its lines: it becomes a formula (typeset.py), or stays as it is. Signs that
mean something in reStructuredText are shown as they are.
"""

import re
from itertools import groupby

from generator.typeset import formulas_and_text

_LEADS = r"(?:Shapes|Source|Sources|Errors|Raises|Units)\b"
_BEGINS = re.compile(rf"(?<=[.)\]])\s+(?={_LEADS})")


def inline(text: str) -> str:
    """One line of reStructuredText that shows what the text says."""
    pieces = re.split(r"`([^`]+)`", text)
    for i, piece in enumerate(pieces):
        pieces[i] = (
            f"\\ ``{piece}``\\ " if i % 2 else "".join(map(_shown, formulas_and_text(piece)))
        )
    return "".join(pieces).strip()


def _shown(piece: tuple[bool, str]) -> str:
    is_formula, text = piece
    if is_formula:
        before, formula, after = re.fullmatch(r"(\s*)(.*?)(\s*)", text).groups()
        return f"{before}\\ :formula:`{formula}`\\ {after}"
    return re.sub(r"([\\*|_`])", r"\\\1", text)


def _paragraphs(lines: list[str]) -> list[str]:
    text = " ".join(line.strip() for line in lines)
    shown = []
    for piece in _BEGINS.split(text):
        lead = re.match(rf"{_LEADS}:?", piece)
        rest = piece[lead.end() :] if lead else piece
        text = (f"**{lead[0]}** " if lead else "") + inline(rest)
        shown += [re.sub(r"^(?=\w{1,3}[.)](\s|$))", r"\\", text), ""]  # "1." is no list
    return shown


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if line.startswith("- "):
            items.append(line[2:])
        else:
            items[-1] += " " + line.strip()
    return [*(f"- {inline(item)}" for item in items), ""]


def _kind(numbered: tuple[int, str], memory: dict) -> str:
    """Of a line: "blank", "kept" as it is, "item" of a list, or "text"."""
    line = numbered[1]
    if not line.strip():
        memory["item"] = False
        return "blank"
    if line.startswith("- ") or (memory["item"] and line.startswith("  ")):
        memory["item"] = True
        return "item"
    memory["item"] = False
    return "kept" if line.startswith("    ") else "text"


def restructured(lines: list[str]) -> list[str]:
    """The docstring's lines as reStructuredText."""
    memory = {"item": False}
    kinds = [(_kind(numbered, memory), numbered[1]) for numbered in enumerate(lines)]
    # Two blocks of formulas with an empty line between them are one block.
    for i in range(1, len(kinds) - 1):
        if kinds[i][0] == "blank" and kinds[i - 1][0] == kinds[i + 1][0] == "kept":
            kinds[i] = ("kept", "")
    shown: list[str] = []
    for kind, group in groupby(kinds, key=lambda pair: pair[0]):
        block = [line for _, line in group]
        if kind == "text":
            shown += _paragraphs(block)
        elif kind == "item":
            shown += _items(block)
        elif kind == "kept":
            shown += ["", ".. formula::", "", *(f"   {line}" for line in block), ""]
    return shown


def setup(app):
    def process(app, what, name, obj, options, lines):
        own = what != "data" or obj.__doc__ != type(obj).__doc__  # no words about dict itself
        lines[:] = restructured(lines) if own else []

    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}

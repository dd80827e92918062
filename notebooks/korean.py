"""Gives Korean notebooks the code and pictures of the English ones, and compares their texts.

A Korean notebook, `ko/NAME.ipynb`, owns its texts; all else is that of the English `NAME.ipynb`.
Each text keeps a fingerprint of the English one, so that a later change there is found.

    python notebooks/korean.py                     after a change of code or outputs
    python notebooks/korean.py NAME                this one; begun with the English texts if new
    python notebooks/korean.py NAME --translated   its texts say now what the English ones say

What is left to do is printed, a line each, and the exit status is then 1.
"""

import argparse
import hashlib
import itertools
import json
import re
import sys
from pathlib import Path

ENGLISH = Path(__file__).parent
KOREAN = ENGLISH / "ko"
KEY = "translation_of"  # in the metadata of a Korean text
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$]+\$", re.DOTALL)
CODE = re.compile(r"`[^`]+`")
SIGN = re.compile(r"[^\w\s]\*+\w")
TARGET = re.compile(r"\]\(([^)\s]+)\)")


def read(path):
    return json.loads(path.read_text("utf-8"))


def source(cell):
    return "".join(cell["source"])


def texts(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] != "code"]


def codes(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def kinds(notebook):
    return [(cell["id"], cell["cell_type"]) for cell in notebook["cells"]]


def fingerprint(cell):
    return hashlib.sha256(source(cell).encode()).hexdigest()[:16]


def where(cell):
    """The cell in words: its id and how its text begins."""
    return f"{cell['id']} ({source(cell).strip().partition(chr(10))[0][:40]!r})"


def joined(english, korean):
    """The English notebook with the Korean texts in the places of its own.

    ValueError if they are not as many: it names the first that has no partner.
    """
    theirs, ours = texts(english), texts(korean)
    if len(theirs) != len(ours):
        known = (cell["metadata"].get(KEY, "unknown") for cell in ours)
        pairs = itertools.zip_longest(map(fingerprint, theirs), known)
        place = next(i for i, (one, other) in enumerate(pairs) if one != other)
        longer, other = (theirs, "Korean") if len(theirs) > len(ours) else (ours, "English")
        cell = longer[min(place, len(longer) - 1)]
        raise ValueError(
            f"{len(theirs)} texts in English, {len(ours)} in Korean; "
            f"there seems to be no {other} one for {where(cell)}"
        )
    own = iter(ours)
    return english | {"cells": [with_text(cell, own) for cell in english["cells"]]}


def with_text(cell, own):
    if cell["cell_type"] == "code":
        return cell
    text = next(own)
    known = {key: value for key, value in text["metadata"].items() if key == KEY}
    return cell | {"source": text["source"], "metadata": cell["metadata"] | known}


def formulas(cell):
    """Without what may differ between languages: words in them, breaks, punctuation."""
    found = (re.sub(r"\\text\{[^}]*\}", "", f) for f in FORMULA.findall(source(cell)))
    return {re.sub(r"[\s,.:;]+(?=\$+$|\\\\|\\end|\\qquad)|\s+", "", formula) for formula in found}


def names(cell):
    return {" ".join(name.split()) for name in CODE.findall(FORMULA.sub("", source(cell)))}


def english_links(cell):
    """As they must read one folder further down, where there may be a Korean page or notebook."""
    found = set()
    for target in TARGET.findall(source(cell)):
        korean = re.sub(r"\.md$", ".ko.md", target)
        target = korean if (ENGLISH / korean).exists() else target
        found.add(f"../{target}" if target.startswith("../") else target)
    return found


def korean_links(cell):
    return set(TARGET.findall(source(cell)))


def marks(cell):
    """Headings by their depth and rows of tables, counted."""
    found = re.findall(r"^(#+|\|)(?= )", source(cell), re.MULTILINE)
    return {f"{mark} no. {found[: i + 1].count(mark)}" for i, mark in enumerate(found)}


def open_emphasis(cell):
    """Emphasis that Markdown leaves open: it ends with a sign, and a letter stands right behind."""
    plain = CODE.sub("``", FORMULA.sub("$$", source(cell)))
    ends = list(re.finditer(r"\*+", plain))[1::2]
    return [plain[m.start() - 9 : m.end() + 2] for m in ends if SIGN.match(plain, m.start() - 1)]


PARTS = {
    "formula": (formulas, formulas),
    "code": (names, names),
    "link": (english_links, korean_links),
    "heading or row": (marks, marks),
}


def differences(english, korean):
    """What the reader of the Korean notebook would miss, a line each."""
    found = []
    if codes(english) != codes(korean):
        found.append("code or outputs are not those of the English notebook")
    if kinds(english) != kinds(korean):
        return [*found, "its cells do not follow each other as those of the English notebook do"]
    for theirs, ours in zip(texts(english), texts(korean)):
        if not re.search("[가-힣]", source(ours)):
            found.append(f"{where(ours)} is not in Korean")
        elif ours["metadata"].get(KEY) != fingerprint(theirs):
            found.append(f"{where(theirs)} has changed, or is not marked as translated")
        for end in open_emphasis(ours):
            found.append(f"{where(ours)} does not end its emphasis at {end!r}: no letter behind it")
        for what, (of_theirs, of_ours) in PARTS.items():
            expected, there = of_theirs(theirs), of_ours(ours)
            found += [f"{where(ours)} lacks the {what} {p}" for p in sorted(expected - there)]
            found += [f"{where(theirs)} has no {what} {p}" for p in sorted(there - expected)]
    return found


def renew(name, translated):
    """Write the Korean notebook anew and return its differences."""
    english, path = read(ENGLISH / f"{name}.ipynb"), KOREAN / f"{name}.ipynb"
    korean = joined(english, read(path) if path.exists() else english)
    if translated:
        for theirs, ours in zip(texts(english), texts(korean)):
            ours["metadata"] = theirs["metadata"] | {KEY: fingerprint(theirs)}
    KOREAN.mkdir(exist_ok=True)
    path.write_text(json.dumps(korean, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return differences(english, korean)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="02_backpropagation, ...; all of ko/ if left out")
    parser.add_argument("--translated", action="store_true", help="the texts agree: mark them so")
    args = parser.parse_args()
    left = 0
    for name in args.names or sorted(path.stem for path in KOREAN.glob("*.ipynb")):
        try:
            lines = renew(name, args.translated)
        except (OSError, ValueError) as error:
            lines = [str(error)]
        print(*(f"{name}: {line}" for line in lines), sep="\n", end="\n" if lines else "")
        left += len(lines)
    return min(left, 1)


if __name__ == "__main__":
    sys.exit(main())

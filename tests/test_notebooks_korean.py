"""The Korean notebooks have code and pictures of the English ones, and texts that say the same."""

import copy
import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
spec = importlib.util.spec_from_file_location("korean", FOLDER / "korean.py")
korean = importlib.util.module_from_spec(spec)
spec.loader.exec_module(korean)
NAMES = sorted(path.stem for path in (FOLDER / "ko").glob("*.ipynb"))


@pytest.mark.parametrize("name", NAMES)
def test_the_reader_of_the_korean_notebook_misses_nothing(name):
    english = korean.read(FOLDER / f"{name}.ipynb")
    assert korean.differences(english, korean.read(FOLDER / "ko" / f"{name}.ipynb")) == []


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.ipynb")))
def test_every_notebook_is_there_in_korean_and_listed(name):
    assert name in NAMES
    assert f"]({name}.ipynb)" in (FOLDER / "ko" / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "path", sorted(FOLDER.rglob("*.ipynb")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_links_lead_somewhere(path):
    for cell in korean.texts(korean.read(path)):
        for target in korean.TARGET.findall(korean.source(cell)):
            assert target.startswith("http") or (path.parent / target).exists(), target


def notebook(*cells):
    return {
        "cells": [
            {"cell_type": kind, "id": f"cell-{i:02}", "metadata": {}, "source": [text]}
            for i, (kind, text) in enumerate(cells)
        ]
    }


ENGLISH = notebook(
    ("markdown", "# Slopes\n\nThe slope of `f` at $x = 3$ is 6 ([layers](../layers/relu.py))."),
    ("code", "print(6)"),
    ("markdown", "See [notebook 01](01_train_mnist.ipynb).\n\n$$f' = 2x.$$"),
)
KOREAN = notebook(
    ("markdown", "# 기울기\n\n`f`의 기울기는 $x=3$에서 6입니다 ([레이어](../../layers/relu.py))."),
    ("code", "print(6)"),
    ("markdown", "[노트북 01](01_train_mnist.ipynb)을 보세요.\n\n$$f' = 2x$$"),
)
for theirs, ours in zip(korean.texts(ENGLISH), korean.texts(KOREAN), strict=True):
    ours["metadata"] = {korean.KEY: korean.fingerprint(theirs)}


def test_a_translation_that_is_whole_has_no_differences():
    assert korean.differences(ENGLISH, KOREAN) == []


def with_text(notebook, place, text):
    cells = copy.deepcopy(notebook["cells"])
    cells[place]["source"] = [text]
    return {"cells": cells}


@pytest.mark.parametrize(
    ("cell", "old", "new", "said"),
    [
        (0, "[가-힣]+", "slope", "cell-00 ('# slope') is not in Korean"),
        (0, "`f`", "f", "lacks the code `f`"),
        (0, "x=3", "x=4", "lacks the formula $x=3$"),
        (0, r"\.\./\.\./", "../", "lacks the link ../../layers/relu.py"),
        (0, "# ", "", "lacks the heading or row # no. 1"),
        (0, "의 기울기는", "의 **기울기(slope)**는", "does not end its emphasis"),
        (0, "`f`의", "*`f`*의", "does not end its emphasis"),
        (1, "6", "7", "code or outputs are not those of the English notebook"),
        (2, "01_train", "../01_train", "has no link ../01_train_mnist.ipynb"),
    ],
)
def test_what_is_missing_in_a_translation_is_said(cell, old, new, said):
    broken = with_text(KOREAN, cell, re.sub(old, new, KOREAN["cells"][cell]["source"][0]))
    assert any(said in line for line in korean.differences(ENGLISH, broken))


def test_an_english_text_that_changes_asks_for_a_new_look():
    english = with_text(ENGLISH, 2, "Look at [notebook 01](01_train_mnist.ipynb).\n\n$$f' = 2x$$")
    [line] = korean.differences(english, KOREAN)
    assert line.startswith("cell-02 ('Look at [notebook 01]")
    assert line.endswith("has changed, or is not marked as translated")


def test_code_and_outputs_come_from_the_english_notebook():
    english = with_text(ENGLISH, 1, "print(6.0)")
    english["cells"][1]["outputs"] = ["6.0"]
    renewed = korean.joined(english, KOREAN)
    assert renewed["cells"][1] == english["cells"][1]
    assert korean.texts(renewed) == korean.texts(KOREAN)
    english["cells"].insert(1, {"cell_type": "code", "id": "new", "metadata": {}, "source": []})
    assert korean.differences(english, korean.joined(english, KOREAN)) == []


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_text_without_a_partner_is_named(place):
    new = {"cell_type": "markdown", "id": "new", "metadata": {}, "source": ["A new text"]}
    more = {"cells": [*ENGLISH["cells"][:place], new, *ENGLISH["cells"][place:]]}
    with pytest.raises(ValueError, match=r"3 .*English, 2 .*Korean; .* no Korean one.*new"):
        korean.joined(more, KOREAN)
    more = {"cells": [*KOREAN["cells"][:place], new, *KOREAN["cells"][place:]]}
    with pytest.raises(ValueError, match=r"2 .*English, 3 .*Korean; .* no English one.*new"):
        korean.joined(ENGLISH, more)
    less = {"cells": KOREAN["cells"][:-1]}
    assert korean.differences(ENGLISH, less) == [
        "its cells do not follow each other as those of the English notebook do"
    ]


def test_the_command_renews_a_notebook_and_says_what_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(korean, "ENGLISH", tmp_path)
    monkeypatch.setattr(korean, "KOREAN", tmp_path / "ko")
    (tmp_path / "slopes.ipynb").write_text(json.dumps(ENGLISH), "utf-8")

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["korean.py", *args])
        return korean.main(), capsys.readouterr().out.splitlines()

    status, lines = run("slopes")  # begun with the English texts
    assert status == 1
    assert "slopes: cell-00 ('# Slopes') is not in Korean" in lines
    path = tmp_path / "ko" / "slopes.ipynb"
    unmarked = copy.deepcopy(KOREAN)
    for cell in korean.texts(unmarked):
        cell["metadata"] = {}
    path.write_text(json.dumps(unmarked), "utf-8")
    status, lines = run()
    assert status == 1
    assert len(lines) == 2  # none of the two texts is marked
    assert run("slopes", "--translated") == (0, [])
    assert korean.read(path) == KOREAN
    assert run("nothing")[0] == 1

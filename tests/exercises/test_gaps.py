"""Files with gaps: what stays, what goes, and that they fail with the right words."""

import ast
import re
from pathlib import Path

import pytest

from lamina.commands.frame import main
from lamina.exercises.catalogue import exercise, exercises
from lamina.exercises.gaps import GapError, with_gaps
from lamina.exercises.sets import SETS

SOURCE = '''"""Two layers."""

import numpy as np

from lamina.layers import Layer

SLOPE = 0.1  # of both
UNUSED = 3


class First(Layer):
    """Y = 2 X.

        dX = 2 dout
    """

    # stays where it is
    by_position = True  # and so does this

    def forward(self, X):
        """Twice."""
        # goes
        self.X = X
        return self._twice(X)

    # goes with it
    def _twice(self, X):
        return 2 * X

    def backward(self, dout):
        return self._shared(dout)

    def _shared(self, x):
        return SLOPE * x

    def output_shape(self, input_shape):
        return self._shared(input_shape)


class Second(First):
    def forward(self, X):
        return _helper(X)


def _helper(X):
    return X
'''


def test_what_stays_is_as_it_was_and_what_only_the_gaps_used_goes():
    text = with_gaps(SOURCE, "First", ("forward", "backward"))
    assert (
        text
        == '''import numpy as np

from lamina.layers import Layer

SLOPE = 0.1  # of both


class First(Layer):
    """Y = 2 X.

        dX = 2 dout
    """

    # stays where it is
    by_position = True  # and so does this

    def forward(self, X):
        """Twice."""
        raise NotImplementedError(
            "First.forward: give back the output, keep on self what backward needs"
        )

    def backward(self, dout):
        raise NotImplementedError("First.backward: give back the gradient of each input")

    def _shared(self, x):
        return SLOPE * x

    def output_shape(self, input_shape):
        return self._shared(input_shape)
'''
    )


def test_a_gap_in_backward_alone_leaves_forward_whole():
    text = with_gaps(SOURCE, "First", ("backward",))
    assert "return self._twice(X)" in text
    assert "def _twice" in text
    assert "# goes\n" in text
    assert text.count("NotImplementedError") == 1


def test_another_class_of_the_file_comes_by_import_if_it_is_an_exercise_itself():
    text = with_gaps(SOURCE, "Second", ("forward",), imports={"First": "my.module"})
    assert "from my.module import First" in text
    assert "class First" not in text
    assert "class First" in with_gaps(SOURCE, "Second", ("forward",))


def test_hints_have_the_formula_and_what_the_solution_uses():
    text = with_gaps(SOURCE, "First", ("forward", "backward"), hints=True)
    forward, backward = text.split("def backward")
    assert "# Hint: formula: Y = 2 X." in forward
    assert "# Hint: the project's own keeps self.X" in forward
    assert "# Hint: formula: dX = 2 dout" in backward
    assert "Hint" not in with_gaps(SOURCE, "First", ("forward",))


def test_what_cannot_be_left_out_is_named():
    with pytest.raises(GapError, match="First has no step of its own; it has forward, _twice"):
        with_gaps(SOURCE, "First", ("forward", "step"))


@pytest.mark.parametrize("name", exercises())
@pytest.mark.parametrize("hints", [False, True])
def test_every_exercise_is_python_without_its_solution(name, hints):
    one = exercise(name)
    text = one.text(one.file_name, hints=hints)
    tree = ast.parse(text)
    assert ast.get_docstring(tree).startswith(f"Exercise {name}: write what")
    assert f"lamina check {one.file_name}:{name} --as-exercise" in text
    assert text.count("raise NotImplementedError(") == max(len(one.gaps), 1)
    assert max(map(len, text.splitlines())) <= 100
    found = [n for n in ast.walk(tree) if getattr(n, "name", "") == name]
    assert ast.get_docstring(found[0]).split("\n")[0] == one.about
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in (one.gaps or (name,)):
            rest = [n for n in function.body if not isinstance(n, ast.Expr)]
            assert [type(n) for n in rest] == [ast.Raise]


@pytest.mark.parametrize("name", SETS)
def test_sets_are_of_exercises_that_there_are(name, tmp_path, capsys):
    assert set(SETS[name]) <= exercises().keys()
    assert len(set(SETS[name])) == len(SETS[name])
    assert main(["exercise", "--set", name, "-o", str(tmp_path / "a")]) == 0
    written = {path.name for path in (tmp_path / "a").iterdir()}
    assert written == {exercise(n).file_name for n in SETS[name]}
    assert main(["exercise", "--set", name + "x"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_what_the_notes_have_as_classes_is_in_their_set():
    """docs/notes.md: the section on note 004, "2. ..." classes."""
    page = (Path(__file__).parents[2] / "docs/notes.md").read_text(encoding="utf-8")
    section = page.split("## Note 004")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+)", section)) & exercises().keys()
    assert named - set(SETS["note-004"]) <= {"Sequential"}


def test_files_of_exercises_do_not_collide_where_capitals_do_not_count():
    names = [one.file_name.lower() for one in exercises().values()]
    assert len(set(names)) == len(names)


def test_infer_and_output_shape_are_left_out_where_asked():
    text = exercise("Affine").text("a.py", ("forward", "backward", "infer", "output_shape"))
    assert text.count("raise NotImplementedError(") == 4
    assert "def _matrix" not in text.split("def flops")[0] or "self._matrix" in text

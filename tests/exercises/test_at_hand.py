"""What a gap form says of names that it does not show: all that the project's own body needs."""

import ast
import dis
import inspect
import itertools
import types

import pytest

from lamina.commands.frame import main
from lamina.exercises.catalogue import exercise, exercises

HEAD = "What is to be written may use, beside what the file shows:"


def said(name: str, *gaps: str) -> str:
    """The part of the head that says it, in one line."""
    head = exercise(name).text("own.py", gaps).split('"""')[1]
    return " ".join(head.partition(HEAD)[2].split())


def test_inherited_names_and_what_is_held(tmp_path):
    words = said("BatchNormalization")
    for part in (
        "self.is_frozen(): Are there Params, and none of them trainable?",
        "self.training: False in evaluation",
        "self.beta.accumulate(gradient), self.gamma.accumulate(gradient): Add to `grad`",
        "self.running_mean.update(value), self.running_var.update(value): Replace the array",
    ):
        assert part in words
    assert "momentum" not in words  # which the file shows
    for part in ("kernel", "stride", "padding", "partial"):
        assert f"self.windows.{part}" in said("MaxPooling")


def test_options_of_a_loss_and_what_it_is_divided_by():
    words = said("SoftmaxWithLoss")
    for part in ("ignore_index", "class_weights", "label_smoothing", "reduction", "weight"):
        assert f"self.{part}" in words
    assert "self.counted(scores, targets): (t, w, shares): a class index for each" in words
    assert "zero; None: all 1), and 0 where" in words  # brackets are left whole


def test_what_an_optimizer_remembers():
    assert 'kept["velocity"]: `kept` are the arrays that the rule remembers' in said("Momentum")
    words = said("Adam")
    assert 'kept["mean"], kept["squares"]: ' in words
    assert "`self.steps` how many there were, the one under way included" in words
    assert said("SGD") == ""


def test_what_other_gaps_show_is_not_told():
    assert "self.counted" not in said("SoftmaxWithLoss", "backward")
    assert "self.scale(weight)" in said("SoftmaxWithLoss", "backward")
    assert "self.n_given" in said("Lstm")
    assert "self.n_given" not in said("Lstm", "backward")
    assert "self.positions" not in said("Gru")  # of its step, which is no gap
    assert "self.positions(x, *given_and_state)" in said("Gru", "step")


@pytest.mark.parametrize("name", [n for n, one in exercises().items() if one.gaps])
def test_every_inherited_name_of_the_projects_own_body_is_in_the_form(name):
    """The witness is the compiled code: whatever it takes of self, and a base has."""
    one = exercise(name)
    text = one.text("own.py")
    own = set(vars(one.target)) if not one.inherits else set(one.gaps)
    for gap in one.gaps:
        for taken in of_self(vars(one.target)[gap].__code__):
            inherited = taken not in own and any(taken in vars(c) for c in one.target.__mro__)
            assert not inherited or f"self.{taken}" in text, taken


def of_self(code: types.CodeType) -> set[str]:
    """The attributes that compiled code takes of self."""
    steps, found = list(dis.get_instructions(code)), set()
    for before, step in itertools.pairwise(steps):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and before.argval == "self":
            found.add(step.argval)
    return found


def test_the_witness_sees_what_code_takes_of_self():
    assert of_self((lambda self: self.training and self.walk()).__code__) == {"training", "walk"}


@pytest.mark.parametrize("name", exercises())
def test_every_form_of_every_exercise_has_a_head_that_is_python(name):
    one = exercise(name)
    own = [n for n, f in vars(one.target).items() if inspect.isfunction(f) and n[:1] != "_"]
    for gaps in [one.gaps[:1], one.gaps[1:], ("infer",), ("output_shape",), ("step",)]:
        if set(gaps) <= set(own) and gaps:
            text = one.text("own.py", gaps)
            assert ast.get_docstring(ast.parse(text)).startswith(f"Exercise {name}")
            assert max(map(len, text.splitlines())) <= 100


def test_a_layers_step_is_not_asked_for_as_that_of_a_trainer(tmp_path, capsys):
    path = tmp_path / "gru.py"
    assert main(["exercise", "Gru", "-o", str(path), "--gap", "step"]) == 0
    assert "give back the output at these positions" in path.read_text(encoding="utf-8")
    assert "clear the gradients" in exercise("Trainer").text("own.py")
    assert "step: is yours to write" in exercise("step").text("own.py")  # a schedule
    hints = exercise("Affine").text("own.py", ("infer",), hints=True)
    assert "Hint: it has one line" in hints
    assert "formula" not in hints  # that of the layer says nothing of shapes

"""Every exercise: the gap form gets 0 and says so, the project's own gets 100."""

import numpy as np
import pytest
from filled import marked, own_file

from lamina.exercises.catalogue import exercise, exercises
from lamina.exercises.solution import mark_file


@pytest.mark.often(3)
@pytest.mark.parametrize("name", exercises())
def test_gaps_get_nothing_and_the_project_s_own_a_hundred(name, tmp_path):
    one = exercise(name)
    path = tmp_path / one.file_name
    path.write_text(one.text(path.name), encoding="utf-8")
    mark = mark_file(f"{path}:{name}")
    assert mark.total == 0, str(mark)
    assert "is still a gap" in str(mark)
    own = own_file(one)
    mark = one.mark(own, one.target, 0)
    assert mark.total == 100, str(mark)
    assert not mark.named


def test_of_another_seed_too():
    one = exercise("Affine")
    assert one.mark(own_file(one), one.target, 7).total == 100


def test_what_inherits_from_the_solution_is_refused(tmp_path):
    path = tmp_path / "own.py"
    path.write_text("import lamina.layers as l\nclass Relu(l.Relu): pass\nclass Affine: pass\n")
    assert "inherits from the project's own Relu" in str(mark_file(f"{path}:Relu"))
    assert "is no layer: write class Affine(Layer)" in str(mark_file(f"{path}:Affine"))
    with pytest.raises(ImportError, match="expects your file"):
        mark_file("Relu")
    with pytest.raises(ValueError, match="no exercise Foo"):
        mark_file(f"{path}:Foo")


def test_what_infer_and_output_shape_say_counts(tmp_path):
    path = tmp_path / "own.py"
    text = exercise("Affine").text("own.py", ("infer", "output_shape"))
    path.write_text(text, encoding="utf-8")
    assert mark_file(f"{path}:Affine").total == 0  # forward asks output_shape
    text = exercise("Affine").text("own.py", ("infer",))
    path.write_text(text, encoding="utf-8")
    mark = mark_file(f"{path}:Affine")
    assert (mark.total, mark.named) == (96, ["infer"])


def test_the_project_s_own_by_import_is_no_solution(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "from lamina.optimizers.schedules.functions import cosine\n"
        "from lamina.nets import Sequential\nfrom lamina.optimizers import Adam\n"
    )
    for name in ("cosine", "Sequential", "Adam"):
        mark = mark_file(f"{path}:{name}")
        assert mark.total == 0
        assert "the solution" in mark.trouble


def test_a_solution_that_raises_anywhere_gets_a_mark_all_the_same(tmp_path):
    mark = marked(tmp_path, "Relu", {"forward": "raise RuntimeError('no')", "backward": "return 1"})
    assert mark.total == 0
    assert "RuntimeError: no" in str(mark)
    mark = marked(
        tmp_path,
        "Relu",
        {"forward": "self.mask = X > 0\nreturn X * self.mask", "backward": "return self.gone"},
    )
    assert 30 <= mark.parts[0].points <= 40
    assert "AttributeError" in str(mark)


@pytest.mark.parametrize("result", ["'x'", "self", "1j", "{1: 2}", "[[1.0], [2.0, 3.0]]", "None"])
def test_a_result_that_is_no_number_gets_a_mark_all_the_same(result, tmp_path):
    mark = marked(tmp_path, "SquaredErrorLoss", {"forward": f"return {result}"})
    assert mark.parts[0].points == 0
    words = ("which is no array of numbers", "returns None", "gives 2 arrays")
    assert any(said in str(mark) for said in words)
    path = tmp_path / "own.py"
    value = result.replace("self", "object()")
    path.write_text(f"def cosine(*a, **k): return {value}\nnumeric_gradient = cosine\n")
    for name in ("cosine", "numeric_gradient"):
        assert mark_file(f"{path}:{name}").total == 0


def test_a_dropout_may_draw_in_any_order_but_not_otherwise(tmp_path):
    """Independent draws of its own, float64; then a shared mask, another p, no scaling."""
    back = "return dout if self.mask is None else dout * self.mask"
    head = "self.mask = None\nif not self.training:\n    return X\n"
    draws = {
        "self.mask = (self.rng.random(X.shape) > self.p) / (1 - self.p)": 100,
        "self.mask = (self.rng.random(X.shape[-1]) > self.p) / (1 - self.p)": 0,
        "self.mask = (self.rng.random(X.shape) < self.p) / (1 - self.p)": 0,
        "self.mask = 1.0 * (self.rng.random(X.shape) > self.p)": 0,
    }
    for draw, wanted in draws.items():
        as_X = "\nself.mask = self.mask.astype(X.dtype)\nreturn X * self.mask"
        mark = marked(tmp_path, "Dropout", {"forward": head + draw + as_X, "backward": back})
        if wanted:
            assert not mark.parts[0].failures, str(mark)
        else:
            assert mark.parts[0].failures, draw
            assert "Y" in mark.named


def test_points_are_by_the_rule_that_is_shown(tmp_path):
    bodies = {
        "forward": "self.mask = X > 0\nreturn X.clip(0)",
        "backward": "dout *= self.mask\nreturn dout",
    }
    mark = marked(tmp_path, "Relu", bodies)
    forward, backward, contract = mark.parts
    assert (forward.points, backward.points) == (40, 40)
    assert contract.points < 20
    assert "dout" in mark.named
    assert mark.total == np.floor(80 + contract.points)
    assert "The rule of marking:" in str(mark)
    assert mark.as_data()["parts"]["contract"]["of"] == 20


def test_another_way_to_write_a_formula_may_round_its_zeros(tmp_path):
    """½ (1 + cos x) is cos² (x / 2), which is 3.7e-33 and not 0 at its end."""
    path = tmp_path / "own.py"
    half = "math.cos(math.pi * min(step / max_steps, 1.0) / 2) ** 2"
    for factor, right in ((half, True), (f"max({half}, 1e-6)", False)):
        path.write_text(
            "import math\n\n\ndef cosine(step, *, max_steps, lowest=0.0):\n"
            f"    return lowest + (1 - lowest) * {factor}\n"
        )
        assert (mark_file(f"{path}:cosine").total == 100) == right

"""lamina check"""

import re
import textwrap

import pytest

from lamina.commands.frame import main
from lamina.layers.check.listing import all_layers

SWISH = """
import numpy as np
from lamina.layers import Layer

class Swish(Layer):
    def forward(self, X):
        self.X, self.gate = X, 0.5 * np.tanh(0.5 * X) + 0.5
        return X * self.gate

    def backward(self, dout):
        return dout * (self.gate + self.X * self.gate * (1 - self.gate))

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))

class Wrong(Swish):
    def backward(self, dout):
        return dout * self.gate
"""


@pytest.fixture
def own_layer(tmp_path):
    path = tmp_path / "my_layers.py"
    path.write_text(textwrap.dedent(SWISH))
    return path


def test_one_layer(capsys):
    assert main(["check", "Affine"]) == 0
    assert re.fullmatch(
        "Affine: ok, proved W.grad, b.grad, dX by duals, reverse mode, differences; "
        r"inputs from -\d+ to \d+\n",
        capsys.readouterr().out,
    )


@pytest.mark.slow  # test_contract.py has each by itself
def test_all_layers(capsys):
    assert main(["check", "--all"]) == 0
    out = capsys.readouterr().out
    assert "Convolution: ok" in out
    n = len(all_layers())
    assert f"{n} of {n} layers passed" in out


def test_a_layer_of_ones_own(own_layer, capsys):
    assert main(["check", f"{own_layer}:Swish"]) == 0
    assert main(["check", f"{own_layer}:Wrong"]) == 1
    assert "Wrong: FAILED\n  dX (example 1, training): failed" in capsys.readouterr().out


def test_mutants_of_a_layer_of_ones_own(own_layer, capsys):
    assert main(["check", "--mutants", f"{own_layer}:Swish"]) == 0
    out = capsys.readouterr().out
    assert "caught" in out
    assert "SURVIVED" not in out


def test_mutants_of_a_wrong_layer(own_layer, capsys):
    assert main(["check", "--mutants", f"{own_layer}:Wrong"]) == 1
    assert "mutants need a layer that passes the check itself" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Afine", "no layer Afine; did you mean Affine?"),
        ("nowhere.py:Swish", "no such file: nowhere.py"),
        ("my_layers.py", "my_layers.py is a file; add the class: my_layers.py:ClassName"),
    ],
)
def test_a_name_that_is_not_there(name, words, capsys):
    assert main(["check", name]) == 2
    assert words in capsys.readouterr().err


def test_a_class_that_the_file_has_not(own_layer, capsys):
    assert main(["check", f"{own_layer}:Swich"]) == 2
    assert "has no class Swich; did you mean Swish?" in capsys.readouterr().err


def test_a_file_that_does_not_run(tmp_path, capsys):
    (tmp_path / "bad.py").write_text("1 / 0")
    assert main(["check", f"{tmp_path / 'bad.py'}:Swish"]) == 2
    assert "failed: ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Optimizer", "Optimizer is no layer: a class that inherits from lamina.layers.Layer is"),
        ("function", "function is no layer"),
        ("number", "number is no layer"),
        ("Mean", "Mean is no layer"),
    ],
)
def test_what_is_no_layer_is_one_clear_line(name, words, tmp_path, capsys):
    (tmp_path / "own.py").write_text(
        "from lamina.optimizers import SGD\nfrom lamina.metrics import Accuracy\n"
        "class Optimizer(SGD):\n    pass\nclass Mean(Accuracy):\n    pass\n"
        "def function(X):\n    return X\nnumber = 3\n"
    )
    for options in ([], ["--mutants"]):
        assert main(["check", *options, f"{tmp_path / 'own.py'}:{name}"]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert "Traceback" not in said


def test_a_file_with_a_syntax_error(tmp_path, capsys):
    (tmp_path / "bad.py").write_text("class Swish(:")
    assert main(["check", f"{tmp_path / 'bad.py'}:Swish"]) == 2
    assert "failed: SyntaxError" in capsys.readouterr().err


def test_without_a_layer_it_says_what_to_give(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["check"])
    assert stopped.value.code == 2
    assert "name a layer, or --all" in capsys.readouterr().err

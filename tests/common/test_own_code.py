"""A user's own file: errors in it say where it is, and sys.exit in it is no silent end."""

import pytest

from lamina.commands.frame import main
from lamina.common.own_code import load_class, own_place

_LAYER = """
import sys
from lamina.layers import Layer


class Mine(Layer):
    def forward(self, X):
        {forward}

    def backward(self, dout):
        return dout

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((2, 3))
"""


@pytest.mark.parametrize("absolute", [False, True])
def test_the_place_of_an_error_is_that_of_the_file_as_it_was_named(tmp_path, monkeypatch, absolute):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(_LAYER.format(forward="return X.nothing"))
    name = str(tmp_path / "mine.py") if absolute else "mine.py"
    with pytest.raises(AttributeError) as raised:
        load_class(name, "Mine")().forward(1.0)
    assert own_place(raised.value) == f"{name}, line 8, in forward"
    assert own_place(ValueError("of others")) == ""


@pytest.mark.parametrize(("given", "status"), [("", 1), ("0", 1), ("3", 3), ("'over'", 1)])
def test_an_own_file_that_ends_the_program_is_said(tmp_path, monkeypatch, capsys, given, status):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(_LAYER.format(forward=f"sys.exit({given})"))
    assert main(["check", "mine.py:Mine"]) == status
    said = capsys.readouterr().err
    assert said == (
        f"lamina check: mine.py, line 8, in forward: was ended by sys.exit({given or None})\n"
    )

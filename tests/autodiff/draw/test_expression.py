"""Expressions from the shell: what they mean, what is refused, and how."""

import math

import numpy as np
import pytest

from lamina.autodiff.draw import trace
from lamina.autodiff.draw.expression import FUNCTIONS, read_expression
from lamina.autodiff.draw.given import ExpressionError, read_inputs
from lamina.commands.frame import main


def value(text: str, **inputs):
    with np.errstate(all="ignore"):
        return read_expression(text, inputs)(**inputs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(x + y) * z", -12),
        ("x - y - z", -3),
        ("y - x**2 - z", 5),
        ("x + 2 ** 3 ** 2 / y * z", -2 + 512 / 5 * -4),
        ("z + -y ** 2 - +x", -27),
        ("1 / (1 + exp(-(x + y + z)))", 1 / (1 + math.exp(1))),
        ("np.exp(x) + math.sqrt(y + 4) + z", math.exp(-2) - 1),
        ("max(x, y) + min(y, z)", 1),
        ("(ln(y) * (y + 3) + x**2) / sin(z)", (math.log(5) * 8 + 4) / math.sin(-4)),
        ("pi + e + x * (y + z)", math.pi + math.e - 2),
    ],
)
def test_numbers(text, expected):
    assert np.allclose(value(text, x=-2.0, y=5.0, z=-4.0), expected, rtol=1e-14)


def test_arrays():
    W, x = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    assert value("sum(W @ x)", W=W, x=x) == -2
    assert value("sum(W.T @ x)", W=W, x=x) == -4
    assert value("sum(T(W) @ x)", W=W, x=x) == -4
    assert value("sum(max(W, axis=0))", W=W) == 7
    assert value("mean(sum(W, axis=-1))", W=W) == 5
    assert np.allclose(value("softmax(W)", W=W).sum(axis=1), 1)
    assert np.allclose(
        value("softmax(x)", x=np.array([1000.0, 1001.0])), [1 / (1 + np.e), 1 / (1 + 1 / np.e)]
    )
    assert value("sum(relu(x))", x=x) == 1
    assert np.allclose(value("sigmoid(x)", x=x), 1 / (1 + np.exp(-x)))
    assert np.allclose(value("softplus(x)", x=x), np.log1p(np.exp(x)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_gradient(name):
    arguments = "x, y" if name in ("maximum", "minimum", "logaddexp") else "x"
    inputs = dict.fromkeys(arguments.split(", "), np.array([[0.3, 0.6]]))
    graph = trace(read_expression(f"sum({name}({arguments}))", inputs), inputs)
    assert all(np.isfinite(node.gradient).all() for node in graph.nodes)


def test_powers_of_powers_are_floats_and_take_no_time():
    assert value("9**9**9**9 + 0*x", x=1.0) == np.inf
    assert value("x * 1" + "0" * 400, x=1.0) == np.inf


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x + __import__('os').system('true')", "unknown function"),
        ("x.__class__", "not allowed here"),
        ("x.real", "not allowed here"),
        ("(lambda: x)()", "unknown function"),
        ("[x, x]", "not allowed here"),
        ("x if x else x", "not allowed here"),
        ("x < 2", "not allowed here"),
        ("x and x", "not allowed here"),
        ("x // 2", "not allowed here"),
        ("'a' * x", "not allowed here"),
        ("True + x", "not allowed here"),
        ("1j * x", "not allowed here"),
        ("exp(*x)", "not allowed here"),
        ("exp(x=x)", "the only option is axis"),
        ("sum(x, axis=5)", "the only option is axis"),
        ("sum(x, axis=True)", "the only option is axis"),
        ("exp(x, axis=0)", r"exp\(x, axis=0\): "),
        ("(y := x)", "y has no value|not allowed"),
        ("f'{x}'", "not allowed here"),
        ("exq(x)", "did you mean exp"),
        ("exp(x, x)", "expects 1 in brackets, got 2"),
        ("exp() + x", "expects 1 in brackets, got 0"),
        ("x + xx", "xx has no value; did you mean x?"),
        ("x + width", r"width has no value; add width=NUMBER"),
        ("1 + 2", "x is given a value, but does not occur"),
        ("x +", "is no expression"),
        ("x = 3", "is no expression"),
        ("import os", "is no expression"),
        ("", "is no expression"),
        ("x\0", "is no expression"),
        ("(" * 220 + "x" + ")" * 220, "is no expression|nested too deeply"),
        ("-" * 450 + "x", "nested too deeply"),
        ("x" + "+x" * 240, "nested too deeply"),
        ("x" + "**x" * 150, "nested too deeply"),
        ("(" * 10_000, "has 10000 characters, expects at most 500"),
        ("9" * 5000 + "*x", "has 5002 characters"),
    ],
)
def test_what_is_refused(text, says):
    with pytest.raises(ExpressionError, match=says) as info:
        value(text, x=1.0)
    assert "\n" not in str(info.value)
    assert len(str(info.value)) < 400


def test_shapes_that_do_not_fit_are_named_with_their_place():
    message = r"x @ y: does not work for the shapes \(2,\) and \(3,\)"
    with pytest.raises(ExpressionError, match=message):
        value("1 + sum(x @ y)", x=np.ones(2), y=np.ones(3))


def test_inputs_are_numbers_and_nested_lists():
    found = read_inputs(["x=-2", "y=1e3", "v=[1, 2.5]", "W=[[1, 2], [3, 4]]", "큰=.5"])
    assert found["x"] == -2
    assert found["y"] == 1000
    assert found["큰"] == 0.5
    assert found["v"].tolist() == [1, 2.5]
    assert found["W"].dtype == float
    assert found["W"].shape == (2, 2)


@pytest.mark.parametrize(
    "text",
    [
        *("x=abc", "x=", "x=[1, [2]]", "x=[[1], [2, 3]]", "x=[]", "x=[true]", 'x=["1"]', "x={}"),
        *("x=[[[1]]]", "x=" + "[" * 100_000, "x=[" + "1," * 300 + "1]", "x=null", "x=__import__"),
    ],
)
def test_other_values_are_refused(text):
    with pytest.raises(ExpressionError, match=r"x=.*: expects a number, or a list of numbers"):
        read_inputs([text])


@pytest.mark.parametrize("text", ["x", "=3", "1x=3", "x y=3", "x.y=3"])
def test_an_input_has_a_name(text):
    with pytest.raises(ExpressionError, match="expects NAME=VALUE"):
        read_inputs([text])


def test_names_are_as_python_reads_them():
    assert list(read_inputs(["ℌ=2"])) == ["H"]
    assert value("ℌ * 3", **read_inputs(["ℌ=2"])) == 6


def test_an_input_is_given_once():
    with pytest.raises(ExpressionError, match="x is given twice"):
        read_inputs(["x=1", "x=2"])


def test_the_command_writes_the_file(tmp_path, capsys):
    path = tmp_path / "graph.html"
    assert main(["draw", "(x + y) * z", "x=-2", "y=5", "z=-4", "-o", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert "<h1>(x + y) * z</h1>" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", ["svg", "png", "dot"])
def test_the_command_writes_pictures(tmp_path, suffix):
    assert main(["draw", "-x", "x=2", "-o", str(tmp_path / f"g.{suffix}")]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["x + y", "x=1"],
        ["x", "x=[1, 2]"],
        ["x", "x=a"],
        ["x", "x=1", "-o", "graph.pdf"],
        ["x", "x=1", "-o", "no_such_folder/graph.svg"],
        ["2"],
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("lamina draw: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []

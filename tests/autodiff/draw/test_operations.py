"""How operations and values are written."""

import numpy as np
import pytest

from lamina.autodiff.draw import trace
from lamina.autodiff.draw.text import lines, number, one_line

M = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("f", "label", "formula"),
    [
        (lambda x: x + 1.0, "+ 1", (0, " + ", "1")),
        (lambda x: 1 / x, "1 /", ("1", " / ", 0)),
        (lambda x: -2 * x, "-2 ×", ("(-2)", " × ", 0)),
        (lambda x: x**2, "** 2", (0, " ** ", "2")),
        (lambda x: -x, "neg", ("-", 0)),
        (lambda x: np.exp(x), "exp", ("exp(", 0, ")")),
        (lambda x: np.abs(x), "abs", ("abs(", 0, ")")),
        (lambda x: np.maximum(0, x), "max(0, ·)", ("max(", "0", ", ", 0, ")")),
    ],
)
def test_operations_of_a_number(f, label, formula):
    node = trace(f, {"x": 3.0}).nodes[-1]
    assert (node.label, node.formula) == (label, formula)


@pytest.mark.parametrize(
    ("f", "label"),
    [
        (lambda x: x[0], "[0]"),
        (lambda x: x[1:, ::-1], "[1:, ::-1]"),
        (lambda x: x[..., None], "[..., None]"),
        (lambda x: x[x > 2], "[mask]"),
        (lambda x: x.T, "T"),
        (lambda x: np.sum(x, axis=0), "sum(·, axis=0)"),
        (lambda x: x.reshape(4), "reshape(·, 4)"),
        (lambda x: np.reshape(x, (4, 1)), "reshape(·, (4, 1))"),
        (lambda x: np.concatenate([x, x]), "concatenate"),
        (lambda x: x @ M, "@"),
        (lambda x: np.where(M > 2, x, 0.0), "where(·, ·, 0)"),
    ],
)
def test_operations_of_arrays(f, label):
    graph = trace(lambda x: np.sum(f(x)), {"x": M})
    (edge,) = (edge for edge in graph.edges if edge.target == len(graph.nodes) - 1)
    assert graph.nodes[edge.source].label == label


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (-0.0, "0"),
        (1e-9, "1e-9"),
        (1234567.0, "1.235e6"),
        (0.5, "0.5"),
        (-12.0, "-12"),
        (np.float32(0.1), "0.1"),
        (np.nan, "nan"),
        (-np.inf, "-inf"),
    ],
)
def test_numbers_have_four_digits(x, text):
    assert number(x) == text


def test_small_arrays_are_written_out_and_big_ones_as_shape_and_norm():
    assert lines(3.0) == ["3"]
    assert lines(np.array([1.0, -2.5])) == ["[1 -2.5]"]
    assert lines(M * 10) == ["[10 20]", "[30 40]"]
    assert lines(np.array([[1.0], [-10.0]])) == ["[  1]", "[-10]"]
    assert lines(np.ones((3, 4))) == ["(3, 4) norm 3.464"]
    assert lines(np.ones((1, 1, 1))) == ["(1, 1, 1) norm 1"]
    assert lines(np.ones((0, 4))) == ["(0, 4) empty"]
    assert lines(np.arange(9)) == ["(9,) int64"]
    assert one_line(M) == "[[1, 2], [3, 4]]"

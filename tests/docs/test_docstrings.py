"""Docstrings as the reference shows them: paragraphs, lists, code, and formulas as MathML."""

import importlib
import inspect
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("docutils", reason="pip install -e '.[docs]'")

from generator.docstrings import restructured
from generator.typeset import cells_of, has_formula, html, is_formula, mathml

DOCSTRING = """Y = s · X, feature by feature_.

dX is *not* what

    dX = dout Wᵀ        db = Σₙ doutₙ

says. Shapes: X (N, n). Raises ShapeError
if `n|m` differ. Source: note 004.

- one
  more
- two
""".splitlines()


def test_a_docstring_in_paragraphs():
    assert [line for line in restructured(DOCSTRING) if line] == [
        r"\ :formula:`Y = s · X`\ , feature by feature\_.",
        r"dX is \*not\* what",
        ".. formula::",
        "       dX = dout Wᵀ        db = Σₙ doutₙ",
        "says.",
        "**Shapes:** X (N, n).",
        r"**Raises** ShapeError if \ ``n|m``\  differ.",
        "**Source:** note 004.",
        "- one more",
        "- two",
    ]


def test_a_number_with_a_full_stop_is_no_list():
    assert restructured(["1."]) == [r"\1.", ""]


def text_of(formula: str) -> str:
    """What the MathML of it shows, with its structure in brackets; it must be well-formed."""

    def shown(node) -> str:
        inside = "".join(map(shown, node)) or (node.text or "")
        kind = node.tag.removeprefix("m")
        plain = kind in ("ath", "row", "i", "o", "n", "space")
        return inside if plain else f"{kind}<{' '.join(map(shown, node))}>"

    return shown(ET.fromstring(mathml(formula)))


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        ("dX = dout Wᵀ", "dX=doutsup<W T>"),
        ("hₜ₋₁ᵀ", "subsup<h t−1 T>"),
        ("√(v / (1 - β₂ᵗ)) + ε", "sqrt<v/(1−subsup<β 2 t>)>+ε"),
        ("x̂ / √d", "over<x ^>/sqrt<d>"),
        ("S^-β · 10000^(2i / n_dims)", "sup<S −β>·sup<10000 2i/n_dims>"),
        ("Σ_{c, k} W[o, c]", "sub<∑ c,k>W[o,c]"),
        ("a < b & c", "a<b&c"),
        ("f((x", "f((x"),
    ],
)
def test_a_formula(formula, shown):
    assert text_of(formula) == shown


def test_columns_of_several_lines_stay_columns():
    lines = ["dγ = x̂    in training", "dX = γ    in evaluation"]  # x̂ is two characters, one wide
    assert [[begin for begin, _ in cells_of(line)] for line in lines] == [[0, 10], [0, 10]]
    assert html(lines).count("<td") == 4
    assert html(["dh = e    for e < 1", "          else"]).count("<td") == 4
    assert html(["a = b        c = d"]).count("<span>") == 2


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("p = softmax(scores)", True),
        ("the rate is lr = 0.1", False),
        ("(a = b", False),
        ("no sign at all", False),
        ("Then p = 1", False),
    ],
)
def test_only_what_says_nothing_but_a_formula_is_one(text, is_one):
    assert is_formula(text) is is_one


def test_code_and_lists_are_no_formulas():
    assert not has_formula("net = Graph(padding=1)")
    assert not has_formula("inputs, outputs     names of the blobs")
    assert has_formula("    w ← w - lr · g")


def test_every_formula_of_the_layers_is_well_formed():
    layers = importlib.import_module("lamina.layers")
    seen = 0
    for name in layers.__all__:
        lines = inspect.getdoc(getattr(layers, name)).splitlines()
        blocks = "\n".join(restructured(lines)).split(".. formula::\n\n")[1:]
        for block in blocks:
            inside = [x for x in block.splitlines() if x.startswith("   ") or not x]
            if has_formula("\n".join(inside)):
                ET.fromstring(html(inside))
                seen += 1
    assert seen > 40

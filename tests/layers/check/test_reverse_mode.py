"""Reverse mode as a witness: which layers it can follow, and that it is heard."""

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable, Traced
from lamina.layers import Affine, Layer
from lamina.layers.check import check_class, check_layer
from lamina.layers.check.case import Case
from lamina.layers.check.listing import all_layers

# Layers whose forward is not pure, and what it does instead.
IMPURE = {
    **dict.fromkeys(("Rnn", "Lstm", "Gru"), "fills the states of all steps one by one, in blocks"),
    "Convolution": "fills a buffer chunk by chunk, so that its windows stay in cache",
    "Convolution1d": "is a Convolution inside",
    "TransposedConvolution": "adds up its windows in a buffer",
    "Padding": "writes X into a border",
    "MultiHeadAttention": "makes a softmax of its scores in place, which are its largest array",
    "SVMLoss": "writes the entries of the right classes, which is cheaper than a mask",
}


@pytest.mark.often(2)
@pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)
def test_every_pure_layer_has_it_as_a_witness(cls):
    report = check_class(cls)
    assert report.passed
    assert bool(report.impure) == (cls.__name__ in IMPURE), report.impure
    said = "by duals, differences" if report.impure else "by duals, reverse mode, differences"
    assert said in str(report)


def test_the_reason_is_told():
    report = check_class(next(cls for cls in all_layers() if cls.__name__ == "SVMLoss"))
    assert "reverse mode cannot follow forward: a Variable of shape" in str(report)
    assert "written into" in str(report)


def test_its_word_counts_even_if_the_other_witnesses_are_content(monkeypatch):
    """One entry that is off is seen by reverse mode exactly, in whatever direction it lies."""
    exact = Case.reverse

    def off_by_little(case, douts):
        gradients = exact(case, douts)
        gradients["W"][1, 2] += 1e-6
        return gradients

    affine = Affine(4, 3, rng=0, dtype=np.float64)
    X = np.random.default_rng(0).standard_normal((2, 4))
    assert check_layer(affine, X).passed
    monkeypatch.setattr(Case, "reverse", off_by_little)
    report = check_layer(affine, X)
    assert not report.passed
    assert {finding.array for finding in report.failures} == {"W.grad"}


def test_a_forward_that_breaks_on_variables_is_reported():
    class Fussy(Layer):
        def forward(self, X):
            if type(X).__name__ == "Variable":
                raise ValueError("no variables here")
            return X * 2.0

        def backward(self, dout):
            return dout * 2.0

    report = check_layer(Fussy(), np.ones((2, 3)))
    assert not report.passed
    assert "does not run in reverse mode: ValueError: no variables here" in str(report)


def test_every_level_of_the_check_ends():
    """What a layer keeps where the next pass finds it would lose its derivative in silence."""
    kept = []

    class Keeping(Affine):
        def backward(self, dout):
            kept.extend(a for a in (self.X, dout, self.W.data) if isinstance(a, Traced))
            return super().backward(dout)

    affine = Keeping(4, 3, rng=0, dtype=np.float64)
    assert check_layer(affine, np.random.default_rng(0).standard_normal((2, 4))).passed
    assert kept
    for old in kept:
        with pytest.raises(NotDifferentiable, match="of a differentiation that has ended"):
            old * 1.0

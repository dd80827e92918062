"""A backward that is wrong somewhere only: it is found, or not called proved."""

import re
import textwrap

import numpy as np
import pytest

from lamina.common.own_code import load_class
from lamina.layers import Layer, Maximum, MaxPooling, Param, Relu
from lamina.layers.check import check_class, check_layer
from lamina.layers.check.mutants import UNREACHED, mutation_table


class Tanh(Layer):
    """tanh(X), with a backward that is `factor` times too large where `wrong` says so."""

    factor = 2.0

    def wrong(self, X, dout):
        return False

    def forward(self, X):
        self.X, self.Y = X, np.tanh(X)
        return self.Y

    def backward(self, dout):
        dX = dout * (1.0 - self.Y * self.Y)
        return dX * np.where(self.wrong(self.X, dout), self.factor, 1.0).astype(dX.dtype)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
        yield cls(), rng.standard_normal((2, 3, 4))


MISTAKES = {
    "x >= 4": lambda self, X, dout: X >= 4,
    "|x| >= 4": lambda self, X, dout: np.abs(X) >= 4,
    "x <= -4": lambda self, X, dout: X <= -4,
    "4 <= x < 6": lambda self, X, dout: (X >= 4) & (X < 6),
    "|x| < 0.005": lambda self, X, dout: np.abs(X) < 0.005,
    "exactly 0": lambda self, X, dout: X == 0,
    "equal numbers in a row": lambda self, X, dout: np.roll(X, 1, axis=-1) == X,
    "a batch of one": lambda self, X, dout: len(X) == 1,
    "X not row by row": lambda self, X, dout: (
        not getattr(X, "flags", np.ones(1).flags).c_contiguous
    ),
    "dout not row by row": lambda self, X, dout: (
        not getattr(dout, "flags", np.ones(1).flags).c_contiguous
    ),
    "float32": lambda self, X, dout: X.dtype == np.float32,
    "training": lambda self, X, dout: self.training,
    "evaluation": lambda self, X, dout: not self.training,
    "evaluation and x >= 4": lambda self, X, dout: not self.training and X >= 4,
}


def test_the_right_one_passes_and_says_how_far():
    report = check_class(Tanh)
    assert report.passed
    low, high = map(float, re.search(r"inputs from (\S+) to (\S+)$", str(report)).groups())
    assert low < -500
    assert high > 500


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("seed", range(3))
def test_a_mistake_somewhere_is_found(mistake, seed):
    wrong = type("Wrong", (Tanh,), {"wrong": MISTAKES[mistake]})
    assert not check_class(wrong, seed).passed


@pytest.mark.parametrize("limit", [4, 7, 30, 300])
@pytest.mark.parametrize("sign", [1, -1])
def test_far_out_too(limit, sign):
    """Where tanh is flat, a gradient that is not 0 is wrong, and one that is 0 is right."""

    class Leaks(Tanh):
        def backward(self, dout):
            return super().backward(dout) + 0.1 * dout * (sign * self.X >= limit)

    class Clips(Tanh):
        def backward(self, dout):
            return super().backward(dout) * (sign * self.X < limit)

    report = check_class(Leaks)
    assert not report.passed
    assert {f.array for f in report.failures} == {"dX"}
    assert "inputs about" in report.failures[0].where
    assert check_class(Clips).passed == (limit >= 30)  # tanh'(7) is 3e-6, tanh'(30) 3e-26


def test_parameters_that_are_large_are_looked_at():
    class Scale(Layer):
        def __init__(self):
            self.s = Param(np.ones(5))

        def forward(self, X):
            self.X = X
            return self.s.data * X

        def backward(self, dout):
            ds = (dout * self.X).sum(axis=0)
            self.s.accumulate(ds + ds * (np.abs(self.s.data) > 4))
            return self.s.data * dout

        @classmethod
        def examples(cls, rng):
            yield cls(), rng.standard_normal((4, 5))

    report = check_class(Scale)
    assert {f.array for f in report.failures} == {"s.grad"}
    assert "parameters of all sizes" in report.failures[0].where


class Shares(Relu):
    def backward(self, dout):
        return dout * np.where(self.kept == 0, 0.5, self.kept > 0).astype(dout.dtype)

    def forward(self, X):
        self.kept = X
        return np.maximum(X, 0)


class OutsideOfAKink(Shares):
    def backward(self, dout):
        return dout * np.where(self.kept == 0, 1.5, self.kept > 0).astype(dout.dtype)


def test_at_a_kink_whatever_lies_between_its_slopes_is_right():
    for cls in (Relu, Shares, Maximum, MaxPooling):
        assert check_class(cls).passed
    report = check_class(OutsideOfAKink)
    assert not report.passed
    assert "zeros and ties" in report.failures[0].where


def test_what_overflows_is_not_called_proved():
    class Naive(Layer):
        def forward(self, X):
            exp = np.exp(X)
            self.Y = exp / exp.sum(axis=-1, keepdims=True)
            return self.Y

        def backward(self, dout):
            return self.Y * (dout - (dout * self.Y).sum(axis=-1, keepdims=True))

        @classmethod
        def examples(cls, rng):
            yield cls(), rng.standard_normal((4, 5))

    report = check_class(Naive)
    assert report.passed
    assert report.high < 710  # where exp overflows
    assert "inputs about 1000): note\n      forward has no finite result" in str(report)


def test_a_backward_that_overflows_alone_is_wrong():
    class Softplus(Layer):
        def forward(self, X):
            self.X = X
            return np.logaddexp(X, 0.0)

        def backward(self, dout):
            return dout * np.exp(self.X) / (1.0 + np.exp(self.X))

    report = check_layer(Softplus(), np.random.default_rng(0).standard_normal((4, 5)))
    assert not report.passed
    assert {f.where.rpartition(", ")[2] for f in report.failures} == {"inputs about 1000"}


def test_a_limited_domain_is_said():
    class Log(Layer):
        def forward(self, X):
            if (X <= 0).any():
                raise ValueError("X must be positive")
            self.X = X
            return np.log(X)

        def backward(self, dout):
            return dout / self.X

    report = check_layer(Log(), np.random.default_rng(5).uniform(0.5, 2.0, (4, 5)))
    assert report.passed
    assert 0 < report.low < 0.01
    assert report.high > 500


BRANCHES = """
import numpy as np
from lamina.layers import Relu

class Branches(Relu):
    def backward(self, dout):
        if dout.ndim == 3:
            return self._of_three(dout)
        if dout.ndim == 7:
            raise ValueError("7")
        return [d for d in [dout * self.mask]][0]

    def _of_three(self, dout):
        factor = 7.0
        return dout * factor

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))

class All(Branches):
    def _of_three(self, dout):
        return dout * self.mask

    @classmethod
    def examples(cls, rng):
        yield from super().examples(rng)
        yield cls(), rng.standard_normal((2, 3, 4))
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "branches.py"
    path.write_text(textwrap.dedent(BRANCHES))
    return path


def test_lines_that_no_example_runs_are_named(file):
    report = check_class(load_class(file, "Branches"))
    assert not report.passed
    assert str(report).splitlines() == [
        "Branches: PROVED NOTHING about 3 lines of backward, which no example runs",
        "  line 8: not reached: return self._of_three(dout)",
        "  line 14: not reached: factor = 7.0",
        "  line 15: not reached: return dout * factor",
        "  add an example that comes there",
    ]
    assert check_class(load_class(file, "All")).passed


def test_the_mutants_say_the_same(file):
    rows = mutation_table(load_class(file, "Branches"))
    assert {m.line for m, verdict in rows if verdict == UNREACHED} == {8, 14, 15}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: np.clip(d, -5.0, 5.0),
        lambda d: d * min(1.0, 50.0 / np.linalg.norm(d)),
        lambda d: np.where(np.abs(d) < 0.003, 0.0, d),
    ],
    ids=["clipped", "by_its_norm", "cut"],
)
def test_a_backward_in_proportion_to_what_comes_back(spoil):
    class Spoilt(Tanh):
        def backward(self, dout):
            return super().backward(spoil(dout))

    report = check_layer(Spoilt(), np.random.default_rng(5).standard_normal((4, 5)))
    (failure,) = {finding.array for finding in report.failures}
    assert failure == "dX"
    assert "backward is linear in it" in str(report)


WHERE_A_NAN_LEADS = """
import numpy as np
from lamina.layers import Tanh

class OfSigns(Tanh):
    def backward(self, dout):
        dX = super().backward(dout)
        return dX if (dout < 0).any() else 2 * dX

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
"""


def test_where_only_a_nan_leads_nothing_is_proved(tmp_path):
    """No number is compared there."""
    path = tmp_path / "signs.py"
    path.write_text(WHERE_A_NAN_LEADS)
    assert "not reached: 2 * dX" in str(check_class(load_class(path, "OfSigns")))


ON_A_LINE = """
import numpy as np
from lamina.layers import Relu

class OnALine(Relu):
    def backward(self, dout):
        if len(dout) > 8: dout = np.zeros_like(dout)
        return dout * self.mask if len(dout) < 9 else 0 * dout

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
"""


def test_branches_on_one_line_are_parts_of_it(tmp_path):
    path = tmp_path / "line.py"
    path.write_text(ON_A_LINE)
    cls = load_class(path, "OnALine")
    assert str(check_class(cls)).splitlines() == [
        "OnALine: PROVED NOTHING about 2 lines of backward, which no example runs",
        "  line 7: not reached: dout = np.zeros_like(dout)",
        "  line 8: not reached: 0 * dout",
        "  add an example that comes there",
    ]
    unreached = [m.source for m, verdict in mutation_table(cls) if verdict == UNREACHED]
    assert any(source.startswith("0 * dout") for source in unreached)
    assert not any("self.mask" in source for source in unreached)

"""The check of the check: whatever is broken in a backward must be noticed."""

import pytest

from lamina.layers import Affine, Relu
from lamina.layers.check.listing import all_layers
from lamina.layers.check.mutants import CAUGHT, EQUIVALENT, SURVIVED, UNREACHED, mutation_table

# One mutant in so many of the layers that have hundreds; the slow test has all of them.
SAMPLED = {
    **{"MultiHeadAttention": 80, "Lstm": 48, "Gru": 36, "Rnn": 16, "TransposedConvolution": 24},
    **{"Convolution": 12, "MaxPooling": 12, "SoftmaxWithLoss": 6, "BatchNormalization": 6},
    **{"CrossEntropyError": 6, "PRelu": 6, "Affine": 4},
}


@pytest.mark.often(2)  # test_contract has all layers; all mutants of all of them are slow
@pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)
def test_mutants_are_caught_or_equivalent(cls):
    no_mutant_survives(cls, every=SAMPLED.get(cls.__name__, 2))


@pytest.mark.slow
@pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)
def test_every_mutant_is_caught_or_equivalent(cls):
    no_mutant_survives(cls)


def no_mutant_survives(cls, every: int = 1) -> None:
    rows = mutation_table(cls, every=every)
    survivors = [f"{m.line}: {m.source}" for m, v in rows if v in (SURVIVED, UNREACHED)]
    assert not survivors
    caught = sum(verdict == CAUGHT for _, verdict in rows)
    # More equivalents than this would mean that the examples do not reach the code; of a few that
    # are drawn more may happen to be equivalent.
    assert caught >= 1
    assert caught >= (0.75 if len(rows) > 20 else 0.5) * len(rows)


def test_the_mutations_that_matter_are_made():
    changes = {m.change for m, _ in mutation_table(Affine)}
    assert {".T dropped", "operands swapped", "sum() dropped", "statement dropped"} <= changes
    assert {"sign of the gradient flipped", "sum() over axis -1", "self.X for dout"} <= changes
    in_forward = [m for m, _ in mutation_table(Relu) if m.source.startswith("kept: ")]
    assert {m.change for m in in_forward} == {"comparison turned round", "1 for 0"}


def test_a_mutant_of_the_cache_leaves_forward_as_it_is():
    import numpy as np

    X = np.array([[-1.0, 0.5, 2.0]])
    for mutant, verdict in mutation_table(Relu):
        np.testing.assert_array_equal(mutant.cls().forward(X), Relu().forward(X))
        assert verdict in (CAUGHT, EQUIVALENT)


def test_a_blunt_check_lets_mutants_survive(monkeypatch):
    """If the comparison were left out, the table would say so."""
    from lamina.layers.check import gradients, reach

    def agrees_with_everything(case, name, value, gradient, exact, douts, report, *_):
        report.seen.add(case.label(name))
        report.proved.add(case.label(name))

    monkeypatch.setattr(gradients, "_compare", agrees_with_everything)
    monkeypatch.setattr(reach, "_off", lambda *_: {})
    assert SURVIVED in {verdict for _, verdict in mutation_table(Affine)}


def test_a_line_that_no_example_reaches_is_not_called_equivalent():
    import importlib.util
    import sys
    import tempfile
    from pathlib import Path

    source = (
        "import numpy as np\nfrom lamina.layers import Relu\n"
        "class Branches(Relu):\n"
        "    def backward(self, dout):\n"
        "        if dout.ndim == 3:\n"
        "            return dout * 7.0\n"
        "        return dout * self.mask\n"
        "    @classmethod\n"
        "    def examples(cls, rng):\n"
        "        yield cls(), rng.standard_normal((4, 5))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "branches.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location("branches_for_mutants", path)
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        rows = mutation_table(module.Branches)
    assert UNREACHED in {v for m, v in rows if m.line == 6}
    assert {v for m, v in rows if m.line == 7} == {CAUGHT}


def test_a_layer_that_fails_is_no_base_for_mutants():
    class Wrong(Relu):
        def backward(self, dout):
            return dout

    with pytest.raises(ValueError, match="passes the check itself"):
        mutation_table(Wrong)

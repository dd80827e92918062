"""The experiments themselves: the fast ones, quick, and what docs/ keeps of the full ones."""

import re
import signal
from pathlib import Path

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.experiments.entries import ENTRIES, cost_of_differences, gradient_check
from lamina.experiments.entries.filters import mosaic, neighbours
from lamina.experiments.entries.gradient_check import GradientCheck, differences
from lamina.experiments.entries.hyperparameters import rank_correlation
from lamina.experiments.entries.readme import Claim, figure, share
from lamina.experiments.nets import note_net
from lamina.experiments.page import page
from lamina.experiments.record import read_record, run_entry
from lamina.experiments.training import learn, trained
from lamina.layers import Affine, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.optimizers import SGD
from lamina.training.callbacks import Callback
from lamina.training.trainer import Trainer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Their data were not at hand, or no figure is claimed of them.
WITHOUT = {"fashion_mlp", "fashion_convnet", "ptb_lstm"}
FAST = (  # seconds of all of them together
    *("valley", "initial_weights_sigmoid", "initial_weights_tanh", "initial_weights_relu"),
    "optimizers",
)


def by_name(name):
    return next(entry for entry in ENTRIES if entry.name == name)


@pytest.mark.parametrize("name", FAST)
def test_a_fast_experiment_is_in_its_bands(name, tmp_path):
    entry = by_name(name)
    record = run_entry(entry, False, tmp_path)
    assert [f"{b.what}: {record.values[b.what]}" for b in record.missed(entry)] == []


@pytest.mark.slow
def test_the_quick_form_of_all_of_them(tmp_path, capsys):
    """Two minutes; .ci/run has it too, as the command that it is."""
    status = main(["experiments", "-o", str(tmp_path / "experiments")])
    assert status == 0, capsys.readouterr().out


def test_every_entry_has_a_name_of_its_own_a_text_and_bands_that_can_be_missed():
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    for entry in ENTRIES:
        assert len(entry.text) > 80
        assert entry.full
        for full in (False, True):
            bands = entry.bands(full)
            assert len({band.what for band in bands}) == len(bands)
            for band in bands:
                assert band.low <= band.high
                assert not (band.holds(float("inf")) and band.holds(float("-inf")))


def test_the_page_in_docs_is_what_the_records_there_give():
    """Also after bands or texts have been changed: `lamina experiments --missing --full valley -o
    docs/experiments` writes it anew."""
    rows = [(entry, read_record(entry, DOCS / "experiments")) for entry in ENTRIES]
    assert (DOCS / "experiments.md").read_text(encoding="utf-8") == page(rows, "experiments")


def test_the_pictures_in_docs_are_small_and_those_of_the_records():
    there = {path.stem: path for path in (DOCS / "experiments").iterdir() if path.suffix == ".png"}
    recorded = {path.stem for path in (DOCS / "experiments").glob("*.json")}
    assert there.keys() == recorded
    assert recorded <= {entry.name for entry in ENTRIES}
    assert max(path.stat().st_size for path in there.values()) < 60_000


def claimed_in_the_table() -> dict[str, str]:
    """{configuration: figure}, as docs/configs.md has them."""
    found = {}
    for line in (DOCS / "configs.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `") and len(cells := line.split("|")) == 6:
            names, figures = re.findall(r"`(\w+)`", cells[1]), re.findall(r"[\d.]+", cells[3])
            if figures:
                found |= dict(zip(names, figures, strict=False))
    return found


def test_every_figure_that_the_table_claims_is_an_experiment():
    claims = {e.config: str(e.claimed) for e in ENTRIES if isinstance(e, Claim)}
    said = claimed_in_the_table()
    assert said.pop("mnist_deep_convnet") == "99.4"
    assert "docs/configs.md: 99.4" in by_name("deep_convnet").full[0].why
    assert len(said) > 20
    assert claims == said


def test_the_bands_of_claims():
    band = share(90, 100)  # a deviation of 3 points, and half a point for the digit
    assert (band.low, band.high) == pytest.approx((80.5, 99.5))
    assert share(99.9, 100).high == 100
    band = figure(5.0, "perplexity")
    assert (band.low, band.high) == pytest.approx((4.7, 5.3))


def test_a_backward_that_is_off_by_a_thousandth_is_out_of_the_band(tmp_path, monkeypatch):
    monkeypatch.setattr(gradient_check, "note_net", lambda n, **options: note_net(1, **options))
    assert run_entry(GradientCheck(), False, tmp_path).missed(GradientCheck()) == []
    right = Affine.backward
    monkeypatch.setattr(Affine, "backward", lambda self, dout: right(self, 1.001 * dout))
    missed = run_entry(GradientCheck(), False, tmp_path).missed(GradientCheck())
    assert [band.what.rpartition(" ")[2] for band in missed] == [
        *("affine1.W", "affine1.b", "affine2.W", "affine2.b")
    ]


def test_differences_leave_the_net_as_it_was():
    net, rng = note_net(2, rng=0, dtype=np.float64), np.random.default_rng(0)
    X, t = rng.standard_normal((3, 784)), np.array([1, 2, 3])
    before, param = net.predict(X), net.parameters()["affine2.W"]
    assert differences(net, param, X, t).shape == (2, 10)
    assert (net.predict(X) == before).all()


def test_what_is_timed_is_the_gradient_and_leaves_the_net_as_it_was():
    net, rng = note_net(2, rng=0, dtype=np.float64), np.random.default_rng(0)
    X, t = rng.standard_normal((3, 784)), np.array([1, 2, 3])
    numbers = net.parameters()["affine1.W"].data.reshape(-1)[:5]
    before, gradient = numbers.copy(), net.gradient(X, t)["affine1.W"].reshape(-1)[:5]
    found = cost_of_differences.differences(net, X, t, numbers)
    assert found == pytest.approx(gradient, rel=1e-5)
    assert (numbers == before).all()


@pytest.mark.needs_sklearn
def test_rank_correlation_beside_scipy():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(40), rng.integers(0, 5, 40)  # with ties
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert rank_correlation(a, np.exp(a)) == pytest.approx(1)


def test_neighbours_go_together_in_a_ramp_and_against_each_other_on_a_chessboard():
    ramp = np.add.outer(np.arange(5.0), np.arange(5.0))[None, None]
    assert neighbours(ramp) > 0.7
    assert neighbours(ramp % 2) == pytest.approx(-1, abs=0.01)


def test_the_mosaic_has_the_filters_in_rows():
    image = mosaic(np.arange(30 * 25.0).reshape(30, 1, 5, 5))
    assert image.shape == (5 * 6, 6 * 6)
    assert np.isnan(image[5]).all()
    tile = np.arange(25).reshape(5, 5) / 24
    assert image[6:11, 12:17] == pytest.approx(tile)  # that of the second row, third column


@pytest.fixture
def net():
    """For the three classes of `tiny`."""
    return Sequential({"affine1": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss())


def test_a_run_that_is_lost_has_what_there_was_up_to_there(tiny, net):
    optimizer = SGD(net.parameters(), lr=1e38)
    lost = learn(net, optimizer, tiny(), iterations=50, batch_size=10)
    assert 0 < len(lost.losses) < 50


def test_a_run_that_was_interrupted_is_none(tiny, net):
    class Stop(Callback):
        def stepped(self, trainer, loss):
            signal.raise_signal(signal.SIGINT)

    optimizer, options = SGD(net.parameters(), lr=0.1), {"rng": 0, "iterations": 5, "quiet": True}
    with pytest.raises(KeyboardInterrupt):
        trained(Trainer(net, optimizer, tiny(), callbacks=[Stop()], batch_size=10, **options))

"""The range test: what it trains, where it ends, and the rate that it suggests."""

from pathlib import Path

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.rate_finder import find_rate, in_words
from lamina.training.rate_range import RateRange, rate_range

TEXT = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers:
    affine: {type: Affine, n_out: 3}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1, schedule: {type: step, gamma: 0.5, step_size: 3}}
training: {iterations: 10, batch_size: 30}
"""


DIGITS = (
    *("dataset.n_train=1000", "dataset.n_validation=300", "dataset.n_test=100"),
    *("training.iterations=150", "training.evaluate_every=150"),
)


def digits(config_of, rule, lr=0.1):
    """digits_relu, smaller and shorter."""
    config = config_of(Path("configs/digits_relu.yaml").read_text(encoding="utf-8"))
    for setting in (*DIGITS, f"optimizer={{type: {rule}, lr: {lr}}}"):
        config.set(setting)
    return config


def test_the_losses_are_those_of_softmax_regression_by_hand(tiny, build):
    """All 30 samples are in each batch, so that the order of the data says nothing."""
    trainer = build(TEXT)
    X, t = (array.astype(float) for array in trainer.dataset.train[:])
    T = np.eye(3)[t.astype(int)]
    W, b = (p.data.astype(float) for p in trainer.net.parameters().values())
    by_hand = []
    for rate in np.geomspace(1e-3, 1.0, 40):
        scores = X @ W + b
        P = np.exp(scores - scores.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        by_hand.append(-np.log((P * T).sum(axis=1)).mean())
        W, b = W - rate * X.T @ (P - T) / 30, b - rate * (P - T).sum(axis=0) / 30
    found = rate_range(trainer, 1e-3, 1.0, 40)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-3, 1.0, 40))
    np.testing.assert_allclose(found.losses, by_hand, rtol=1e-4)
    means = [np.average(by_hand[: n + 1], weights=0.9 ** np.arange(n, -1, -1)) for n in range(40)]
    np.testing.assert_allclose(found.means, means, rtol=1e-4)
    assert not found.diverged


def test_it_ends_where_the_loss_is_lost(tiny, build, config_of):
    found = rate_range(build_trainer(digits(config_of, "Adam"), quiet=True), 1e-4, 1e4, 100)
    assert found.diverged
    assert 20 < len(found.rates) < 100
    assert len(found.rates) == len(found.losses) == len(found.means)
    overflow = rate_range(build(TEXT), 1e36, 1e38, 20)  # the second loss is no number
    assert overflow.diverged
    assert np.isfinite(overflow.losses).all()
    assert overflow.suggested is None


def curve(means):
    means = np.array(means, float)
    return RateRange(np.geomspace(1e-6, 100, len(means)), means, means, False)


def test_the_suggestion_is_between_halfway_down_and_the_lowest():
    means = np.full(81, 2.0)  # ten points a decade: rates[i] is 10 ** (i / 10 - 6)
    means[50:61] = np.linspace(2.0, 1.0, 11)  # from 1e-1 to 1: halfway at 10 ** -0.5
    means[61:] = 5.0
    found = curve(means)
    assert found.lowest == pytest.approx(1.0)
    assert found.halfway == pytest.approx(10**-0.5)
    assert found.suggested == pytest.approx(10**-0.25, rel=0.02)
    means[10:20:2] = 1.3  # a few lucky batches at rates that do nothing
    assert curve(means).suggested == found.suggested


def test_a_loss_that_does_not_fall_suggests_nothing():
    rng = np.random.default_rng(0)
    assert curve(2.3 + 0.02 * rng.standard_normal(100)).suggested is None
    assert curve(np.linspace(1.0, 3.0, 100)).suggested is None
    assert curve([2.0, 1.0]).suggested is None  # lost at once


def test_what_cannot_be_a_range_is_refused(tiny, build):
    for low, high, steps in ((0.0, 1.0, 50), (1.0, 0.1, 50), (0.1, np.inf, 50), (0.1, 1.0, 5)):
        with pytest.raises(ValueError, match="expects"):
            rate_range(build(TEXT), low, high, steps)


@pytest.mark.parametrize("rule", ["SGD", "Momentum", "Adam", "AdaDelta"])
def test_the_suggested_rate_trains_better_than_far_lower_and_far_higher_ones(config_of, rule):
    suggested = find_rate(digits(config_of, rule), 1e-6, 100.0, 200).suggested

    def reached(lr):
        trainer = build_trainer(digits(config_of, rule, lr), quiet=True)
        trainer.run()
        return trainer.history.evaluations[-1]["validation_accuracy"]

    own = reached(suggested)
    assert own > 0.85
    assert own > reached(suggested / 200) + 0.05
    assert own > reached(suggested * 100) + 0.05


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0015, 0.0025, "rates from 0.0015 to 0.0025 in"),
        (1e-6, 100.0, "rates from 1e-06 to 100 in"),
        (0.25, 1234.0, "rates from 0.25 to 1234 in"),
    ],
)
def test_rates_are_said_as_they_were_given(low, high, words):
    means = np.linspace(2.0, 1.0, 30)
    found = RateRange(np.geomspace(low, high, 30), means, means, True)
    said = in_words(found, "SGD")
    assert words in said
    assert "e+" not in said


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A configuration in the current directory."""
    monkeypatch.chdir(tmp_path)
    text = TEXT.replace("Tiny", "DrawnDigits, n_train: 200, n_test: 50").replace("3}", "10}", 1)
    (tmp_path / "c.yaml").write_text(text)
    return tmp_path


def test_the_command_says_a_rate_and_draws_it(small, capsys, drawn):
    assert main(["lr", "c.yaml", "--set", "optimizer={type: Adam}", "--steps", "100"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Adam on c: rates from 1e-06 to ")
    rate = float(out.partition("suggested: lr: ")[2].split()[0])
    assert 1e-4 < rate < 1.0
    assert sorted(path.name for path in small.iterdir()) == ["c.yaml", "lr.png"]
    [axes] = drawn[0].axes
    assert axes.get_xscale() == "log"
    assert axes.lines[2].get_xdata() == [rate, rate]
    assert [t.get_text() for t in axes.get_legend().get_texts()][1] == f"suggested: {rate:g}"


def test_where_nothing_falls_the_command_says_so(small, capsys):
    assert main(["lr", "c.yaml", "--low", "1e-9", "--high", "1e-8", "--steps", "30"]) == 1
    assert "the running mean of the losses has not fallen" in capsys.readouterr().out


def test_rates_that_begin_too_high_are_told_so(small, capsys):
    assert main(["lr", "c.yaml", "--low", "1", "--high", "1e6", "--steps", "30"]) == 1
    out = capsys.readouterr().out
    assert "in the first steps already" in out
    assert "begin with a lower one (--low)" in out


def test_losses_that_never_fell_did_not_begin_too_high():
    """Flat ones, of which the least is among the first by chance, that are lost far up."""
    rates = np.geomspace(1e-6, 1.0, 200)
    for seed in range(50):
        losses = 2.303 + 0.05 * np.random.default_rng(seed).standard_normal(200)
        weights = 0.9 ** np.arange(200)
        means = np.convolve(losses, weights)[:200] / np.cumsum(weights)
        assert not RateRange(rates, losses, means, True).began_too_high


def test_mistakes_are_one_line(small, capsys):
    far = "net.layers.affine.init={type: constant, value: 1.0e+38}"
    assert main(["lr", "c.yaml", "--set", far]) == 2
    assert "the first step has no finite loss" in capsys.readouterr().err
    assert main(["lr", "none.yaml"]) == 2
    assert "none.yaml: no such file or configuration" in capsys.readouterr().err
    for wrong in (["--low", "1", "--high", "0.1"], ["--steps", "3"]):
        with pytest.raises(SystemExit):
            main(["lr", "c.yaml", *wrong])

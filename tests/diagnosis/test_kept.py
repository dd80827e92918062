"""What is reported of a run with keep_best is of the weights in weights.npz."""

import inspect
import re
import textwrap
from collections import OrderedDict

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.common.table import read_table
from lamina.datasets import Classification, Dataset, Samples
from lamina.diagnosis.kept import kept_row
from lamina.diagnosis.record import read_record
from lamina.experiment.config import load_config
from lamina.experiment.curves import kept_of
from lamina.experiment.load_run import Run
from lamina.experiment.outcome import read_outcome
from lamina.experiment.run import run
from lamina.layers import Affine, Relu, SoftmaxWithLoss
from lamina.metrics import Metric
from lamina.nets import Sequential
from lamina.optimizers import Adam
from lamina.training.trainer import Trainer

CONFIG = """
    dataset: {type: CSV, path: d.csv, validation_share: 0.3, test_share: 0.3}
    net:
      type: Sequential
      layers: {a: {type: Affine, n_out: 20}, r: {type: Relu}, b: {type: Affine, n_out: 2}}
      loss: {type: SoftmaxWithLoss}
    optimizer: {type: Adam, lr: 0.05}
    training: {iterations: 120, batch_size: 20, evaluate_every: 5, keep_best: true}
"""


@pytest.fixture
def noise(tmp_path, monkeypatch):
    """A run on labels that say nothing: the best evaluation is not the last."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    rows = [f"{','.join(map(str, x))},{rng.integers(2)}" for x in rng.standard_normal((200, 6))]
    (tmp_path / "d.csv").write_text("\n".join(["a,b,c,d,e,f,t", *rows]) + "\n")
    (tmp_path / "c.yaml").write_text(textwrap.dedent(CONFIG))

    def made(*changes):
        config = load_config("c.yaml")
        for change in changes:
            config.set(change)
        return run(config, "n", tmp_path / "run", quiet=True)[0]

    return made


@pytest.mark.parametrize("metric", ["training.metrics=[accuracy]", "training.metrics=[]"])
@pytest.mark.parametrize("every", [200, 0])
def test_the_row_is_that_of_the_weights_in_the_file(noise, tmp_path, metric, every):
    summary = noise(metric, f"training.record_every={every}")
    at = int(re.search(r"best by the validation set, iteration (\d+)", summary)[1])
    history = read_table(tmp_path / "run" / "history.csv")
    row = kept_of(tmp_path / "run")
    assert history["iteration"][row] == at < 120
    net, dataset = Run(tmp_path / "run").load()
    X, t = dataset.test[:]
    assert float(net.loss(X, t)) == pytest.approx(history["test_loss"][row], rel=1e-5)


IMPORT = "from lamina.metrics import Metric"


class Wrong(Metric):
    name, higher_is_better = "wrong", False

    def reset(self):
        self.wrong = self.n = 0

    def update(self, scores, t):
        self.wrong += int((scores.argmax(axis=1) != t).sum())
        self.n += len(t)

    def value(self):
        return self.wrong / self.n


@pytest.mark.parametrize("every", [200, 0])
def test_an_error_of_ones_own_is_the_lower_the_better(noise, tmp_path, every):
    (tmp_path / "own.py").write_text(f"{IMPORT}\n{inspect.getsource(Wrong)}")
    summary = noise(f"training.record_every={every}", "training.metrics=[{type: 'own.py:Wrong'}]")
    at = int(re.search(r"best by the validation set, iteration (\d+)", summary)[1])
    outcome = read_outcome(tmp_path / "run")
    assert (outcome.iteration, outcome.counts) == (at, "wrong")
    assert not outcome.higher_is_better
    assert f"wrong {outcome.figures['test_wrong']:.4g}" in summary
    record = read_record(tmp_path / "run")
    assert record.history["iteration"][record.kept] == at


def test_the_doctor_says_both_and_the_plot_the_kept_one(noise, tmp_path, capsys, curves, drawn):
    noise()
    row = kept_of(tmp_path / "run")
    record = read_record(tmp_path / "run")
    main(["doctor", str(tmp_path / "run")])
    out = capsys.readouterr().out
    assert f"{record.said('test', row=row)[len('test accuracy ') :]}: the weights kept" in out
    assert f"of iteration {record.history['iteration'][row]:.0f}" in out
    assert f"test {100 * record.values('test')[-1]:.1f} % at the last evaluation" in out
    for at_end in range(2):
        if at_end:
            main(["plots", str(tmp_path / "run")])
        legend = drawn[-1].axes[1].get_legend()
        kept = f"test: {100 * record.values('test')[row]:.2f} %"
        assert kept in [t.get_text() for t in legend.get_texts()]
        assert legend.get_title().get_text().startswith("weights kept, epoch ")


def test_without_keep_best_the_last_row_counts(noise, tmp_path):
    noise("training.keep_best=false")
    assert kept_of(tmp_path / "run") is None


@pytest.mark.parametrize("own", [False, True])
def test_of_a_run_made_in_python_too(tmp_path, own):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 4), dtype=np.float32)
    t = (X[:, 0] > 0).astype(int)
    t[::7] ^= 1
    parts = [Samples(X[rows], t[rows]) for rows in np.split(np.arange(90), [40, 60])]
    layers = {"a": Affine(4, 32, rng=rng), "r": Relu(), "b": Affine(32, 2, rng=rng)}
    net = Sequential(OrderedDict(layers), loss=SoftmaxWithLoss())
    dataset = Dataset(parts[0], parts[2], Classification(("no", "yes")), parts[1])
    history = Trainer(
        *(net, Adam(net.parameters(), lr=0.05), dataset),
        **{"rng": 0, "iterations": 60, "batch_size": 20, "evaluate_every": 5, "quiet": True},
        **{"keep_best": True, "patience": 20, "run_dir": tmp_path / "run"},
        metrics=[Wrong(), "accuracy"] if own else None,
    ).run()
    best = max(history.evaluations, key=lambda row: row["validation_accuracy"])
    assert best["iteration"] < 60
    outcome = read_outcome(tmp_path / "run")
    assert outcome.iteration == best["iteration"]
    assert outcome.figures["test_accuracy"] == pytest.approx(net.accuracy(X[60:], t[60:]))
    assert load_config(tmp_path / "run" / "config.yaml").data["training"]["patience"] == 20


def test_without_facts_the_first_metric_has_chosen():
    config = {"training": {"keep_best": True}}
    history = {"validation_loss": [3.0, 2.0, 1.0]}
    for name, row in {"rmse": 1, "r2": 0, "of_ones_own": 0}.items():
        more = {f"validation_{name}": [0.3, 0.1, 0.2], "validation_accuracy": [0.1, 0.2, 0.3]}
        assert kept_row(config, {}, history | more) == row


def test_the_first_of_the_best_counts_and_nan_never():
    config, facts = {"training": {"keep_best": True}}, {}
    history = {"validation_loss": np.array([np.nan, 2.0, 1.0, 1.0, 3.0])}
    assert kept_row(config, facts, history) == 2
    facts = {"figure": {"name": "accuracy", "higher_is_better": True}}
    assert kept_row(config, facts, history) is None
    history["validation_accuracy"] = np.array([0.1, np.nan, 0.5, 0.5])
    assert kept_row(config, facts, history) == 2
    history["validation_accuracy"] = np.full(4, np.nan)
    assert kept_row(config, facts, history) is None

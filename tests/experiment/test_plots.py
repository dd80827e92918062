"""The learning curves are a picture that a display is not needed for."""

import sys

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.experiment.plots import plot_curves


def run(losses, evaluations):
    """The columns of a run that gets better."""
    iterations = np.arange(1, losses + 1.0)
    epoch = np.arange(1, evaluations + 1.0)
    history = {"epoch": epoch, "iteration": epoch * losses / evaluations}
    history |= {"train_accuracy": 0.9 + 0.01 * epoch, "test_accuracy": 0.9 + 0.008 * epoch}
    return {"iteration": iterations, "loss": np.exp(-3 * iterations / losses) + 0.1}, history


@pytest.mark.parametrize(("losses", "evaluations"), [(3, 1), (1000, 5)])
@pytest.mark.parametrize("names", [["a run"], ["one", "two", "$x_$y"]])
def test_a_png_of_the_promised_size(tmp_path, monkeypatch, losses, evaluations, names):
    monkeypatch.delenv("DISPLAY", raising=False)
    path = tmp_path / "curves.png"
    plot_curves(path, {n: run(losses, evaluations) for n in names}, names[-1])
    from matplotlib.image import imread

    image = imread(path)
    assert image.shape[:2] == (480, 1200)
    assert image.std() > 0.05
    assert "matplotlib.pyplot" not in sys.modules
    assert [p.name for p in tmp_path.iterdir()] == ["curves.png"]


def test_a_failure_leaves_nothing_half_written(tmp_path):
    losses, history = run(10, 2)
    del history["epoch"]
    with pytest.raises(KeyError):
        plot_curves(tmp_path / "curves.png", {"run": (losses, history)})
    assert list(tmp_path.iterdir()) == []


def write(folder, losses, evaluations):
    folder.mkdir()
    for name, columns in zip(("loss", "history"), run(losses, evaluations), strict=True):
        rows = [
            ",".join(columns),
            *(",".join(map(str, r)) for r in zip(*columns.values(), strict=True)),
        ]
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n")


def test_runs_from_the_command_line(tmp_path, capsys):
    write(tmp_path / "a", 100, 3)
    write(tmp_path / "b", 200, 4)
    assert main(["plots", str(tmp_path / "a")]) == 0
    assert (tmp_path / "a" / "curves.png").exists()
    output = tmp_path / "both.png"
    assert main(["plots", str(tmp_path / "a"), str(tmp_path / "b"), "-o", str(output)]) == 0
    assert output.exists()
    assert str(output) in capsys.readouterr().out


def test_what_is_no_run_is_one_line(tmp_path, capsys):
    assert main(["plots", str(tmp_path)]) == 2
    assert "is no run directory: it has no loss.csv" in capsys.readouterr().err
    write(tmp_path / "empty", 3, 1)
    (tmp_path / "empty" / "history.csv").write_text("iteration,epoch\n")
    assert main(["plots", str(tmp_path / "empty")]) == 2
    assert "has no evaluation yet" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["loss.csv", "history.csv"])
def test_a_table_without_its_columns_is_one_line(tmp_path, name, capsys):
    (tmp_path / "loss.csv").write_text("iteration,loss\n1,0.5\n")
    (tmp_path / "history.csv").write_text("iteration,epoch,loss,train_accuracy\n1,1,0.5,1\n")
    assert main(["plots", str(tmp_path)]) == 0
    (tmp_path / name).write_text("a,b\n1,2\n")
    assert main(["plots", str(tmp_path)]) == 2
    assert f"{name}: has no column iteration" in capsys.readouterr().err


@pytest.mark.parametrize(("first", "last"), [(-1.0, -5.0), (2.0, -3.0), (2.0, 0.5)])
def test_negative_losses_are_neither_upside_down_nor_cut_off(tmp_path, monkeypatch, first, last):
    limits = []

    def drawn(figure, *arguments, **options):
        limits.append(figure.axes[0].get_ylim())

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", drawn)
    loss = np.linspace(first, last, 200)
    losses = {"iteration": np.arange(1, 201.0), "loss": loss}
    history = {"iteration": np.array([200.0]), "epoch": np.array([1.0])}
    history["train_accuracy"] = np.array([1.0])
    plot_curves(tmp_path / "c.png", {"run": (losses, history)})
    [(low, high)] = limits
    assert low < high
    assert low <= loss.min()
    assert loss.max() <= high
    assert (low == 0.0) == (last > 0)

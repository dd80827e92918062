"""The learning curves are a picture that a display is not needed for."""

import sys
from pathlib import Path

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
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)  # of other tests
    path = tmp_path / "curves.png"
    plot_curves(path, {n: run(losses, evaluations) for n in names}, names[-1])
    from matplotlib.image import imread

    image = imread(path)
    height, width = image.shape[:2]
    assert height == 480
    assert width == 1200 if len(names) == 1 else 1500 < width < 1700  # with a legend beside it
    assert image.std() > 0.05
    assert "matplotlib.pyplot" not in sys.modules
    assert [p.name for p in tmp_path.iterdir()] == ["curves.png"]


def texts(axes):
    """The labels of a legend, in its order; of a figure, of the one outside of its axes."""
    legend = axes.get_legend() if hasattr(axes, "get_legend") else axes.legends[0]
    return [text.get_text() for text in legend.get_texts()]


def test_the_lines_of_one_run_are_its_columns(tmp_path, drawn):
    losses, history = run(1000, 5)
    history["validation_accuracy"] = 0.9 + 0.009 * history["epoch"]
    plot_curves(tmp_path / "c.png", {"one": (losses, history)}, "one")
    loss, accuracy = drawn[0].axes
    raw, mean = (line.get_data() for line in loss.lines)
    np.testing.assert_array_equal(raw, (losses["iteration"], losses["loss"]))
    assert texts(loss) == ["mean of 10 iterations"]
    assert mean[0].tolist() == list(range(10, 1001))  # at the last batch of each mean
    assert mean[1][0] == pytest.approx(losses["loss"][:10].mean())
    assert mean[1][-1] == pytest.approx(losses["loss"][-10:].mean())
    assert texts(accuracy) == ["train: 95.00 %", "validation: 94.50 %", "test: 94.00 %"]
    assert [line.get_linestyle() for line in accuracy.lines] == [":", "--", "-"]
    for line, part in zip(accuracy.lines, ("train", "validation", "test"), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), history["epoch"])
        np.testing.assert_allclose(line.get_ydata(), 100 * history[f"{part}_accuracy"])
    assert (accuracy.get_xlabel(), accuracy.get_ylabel()) == ("epoch", "accuracy (%)")
    assert drawn[0].get_suptitle() == "one"


def test_of_several_runs_the_test_sets_are_named(tmp_path, drawn):
    plot_curves(tmp_path / "c.png", {"one": run(100, 3), "two": run(200, 4)})
    loss, accuracy = drawn[0].axes
    assert texts(drawn[0]) == ["one: 92.40 %", "two: 93.20 %"]
    assert drawn[0].legends[0].get_title().get_text() == "accuracy on the test set"
    assert loss.get_legend() is None
    assert accuracy.get_legend() is None
    assert accuracy.get_title() == "solid: test, dotted: train"
    colours = [line.get_color() for line in accuracy.lines]
    assert colours[0] == colours[1] != colours[2] == colours[3]
    assert [line.get_color() for line in loss.lines] == colours[::2]


def test_each_metric_has_a_panel_the_first_three(tmp_path, drawn):
    losses, history = run(100, 3)
    del history["train_accuracy"], history["test_accuracy"]
    for i, name in enumerate(("rmse", "mae", "r2", "accuracy")):
        history |= {f"{part}_{name}": 1.5 + i + history["epoch"] for part in ("train", "test")}
    plot_curves(tmp_path / "c.png", {"one": (losses, history)})
    _, *panels = drawn[0].axes
    assert [axes.get_ylabel() for axes in panels] == ["rmse", "mae", "r2"]
    assert texts(panels[0]) == ["train: 4.5", "test: 4.5"]  # no per cent
    assert panels[1].lines[0].get_ydata().tolist() == [3.5, 4.5, 5.5]


def test_a_wild_batch_does_not_flatten_the_loss_and_one_below_zero_is_not_cut_off(tmp_path, drawn):
    losses, history = run(1000, 5)
    losses["loss"][3] = 1e6
    plot_curves(tmp_path / "c.png", {"one": (losses, history)})
    below = run(1000, 5)
    below[0]["loss"] -= 5.0
    plot_curves(tmp_path / "c.png", {"one": below})
    (low, high), (low_below, high_below) = (figure.axes[0].get_ylim() for figure in drawn)
    assert low == 0.0
    assert losses["loss"].min() < high < 3e5  # not a third of the wild one
    assert low_below < below[0]["loss"].min() < high_below < 0.0


def test_beside_a_run_that_was_lost_the_others_are_still_seen(tmp_path, drawn):
    lost = run(1000, 5)
    lost[0]["loss"][100:] *= 1e6
    plot_curves(tmp_path / "c.png", {"one": run(1000, 5), "lost": lost})
    plot_curves(tmp_path / "c.png", {"one": run(1000, 5), "two": run(900, 5)})
    below = run(1000, 5)
    below[0]["loss"] -= 5.0
    plot_curves(tmp_path / "c.png", {"below": below, "lost": lost})
    scales = [figure.axes[0].get_yscale() for figure in drawn]
    assert scales == ["log", "linear", "linear"]
    low, high = drawn[0].axes[0].get_ylim()
    assert low < 0.2
    assert high > 1e5


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path, drawn):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "run", 100, 3)
    runs = [str(tmp_path / folder / "run") for folder in ("a", "b")]
    assert main(["plots", *runs, "-o", str(tmp_path / "c.png")]) == 0
    assert texts(drawn[0]) == [f"{Path(folder, 'run')}: 92.40 %" for folder in ("a", "b")]


def test_a_failure_leaves_nothing_half_written(tmp_path):
    losses, history = run(10, 2)
    del history["epoch"]
    with pytest.raises(KeyError):
        plot_curves(tmp_path / "curves.png", {"run": (losses, history)})
    assert list(tmp_path.iterdir()) == []


def write(folder, losses, evaluations, config=""):
    folder.mkdir()
    if config:
        (folder / "config.yaml").write_text(config)
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


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (slice(50, 51), np.nan, "mean of 2 iterations"),
        (slice(50, 52), np.inf, "mean of 2 iterations"),
        (slice(50, 300), -np.inf, "loss of an iteration"),
        (slice(0, 300), np.nan, "no loss is finite"),
    ],
)
def test_losses_that_are_not_finite_are_left_out(tmp_path, drawn, recwarn, where, value, words):
    losses, history = run(300, 3)
    losses["loss"][where] = value
    plot_curves(tmp_path / "c.png", {"run": (losses, history)})
    axes = drawn[0].axes[0]
    assert np.isfinite(axes.get_ylim()).all()
    assert np.isfinite(axes.lines[1].get_ydata()).all()
    assert texts(axes) == [words]
    assert not recwarn.list


def test_long_names_leave_room_for_the_curves_and_stay_apart(tmp_path, drawn, recwarn):
    names = ["L" * 200 + "1", "L" * 200 + "2", "_hidden", "$x$", "é" * 100]
    plot_curves(tmp_path / "c.png", {name: run(100, 3) for name in names}, "T" * 500)
    said = texts(drawn[0])
    assert len(set(said)) == 5
    assert max(map(len, said)) < 60
    similar = [f"{'a' * 40}{i}{'b' * 40}" for i in range(2)]
    plot_curves(tmp_path / "c.png", {name: run(100, 3) for name in similar})
    assert len(set(texts(drawn[1]))) == 2
    assert not recwarn.list  # matplotlib warns where nothing is left for the axes


def test_one_batch_is_a_point_that_is_seen(tmp_path, drawn):
    plot_curves(tmp_path / "c.png", {"run": run(1, 1)})
    assert drawn[0].axes[0].lines[1].get_marker() == "o"


def seeds(folder, lr, n, losses=100):
    """n runs of a rate, that differ by their seed."""
    for seed in range(n):
        text = f"optimizer: {{lr: {lr}}}\ntraining: {{seed: {seed}, threads: {1 + seed % 2}}}\n"
        path = folder / f"{lr}-{seed}"
        write(path, losses, 4, text)
        history = path / "history.csv"
        header, *rows = history.read_text().splitlines()
        rows = [row.rpartition(",")[0] + f",{0.9 + 0.001 * seed * i}" for i, row in enumerate(rows)]
        history.write_text("\n".join([header, *rows]) + "\n")
        yield str(path)


def test_runs_that_differ_by_their_seed_are_a_mean_and_a_band(tmp_path, drawn):
    runs = [*seeds(tmp_path, 0.1, 4), *seeds(tmp_path, 0.02, 3)]
    assert main(["plots", *runs, "-o", str(tmp_path / "c.png")]) == 0
    loss, accuracy = drawn[0].axes
    # By hand, at the last evaluation: seeds 0 to 3 have 0.9, 0.903, 0.906, 0.909.
    values = 100 * (0.9 + 0.003 * np.arange(4))
    mean, spread = values.sum() / 4, np.sqrt(((values - values.mean()) ** 2).sum() / 3)
    assert texts(drawn[0])[1] == f"lr 0.1: {mean:.2f} ± {spread:.2f} %"
    assert texts(drawn[0])[0].startswith("lr 0.02: ")
    assert "means of 3 to 4 runs" in drawn[0].legends[0].get_title().get_text()
    test = [line for line in accuracy.lines if line.get_linestyle() == "-"]
    assert test[1].get_ydata()[-1] == pytest.approx(mean)
    # The corners of the band; the sets that are trained on have none.
    assert len(accuracy.collections) == 2
    [path] = accuracy.collections[1].get_paths()
    end = path.vertices[path.vertices[:, 0] == path.vertices[:, 0].max(), 1]
    assert (end.min(), end.max()) == (
        pytest.approx(mean - spread),
        pytest.approx(mean + spread),
    )
    assert len(loss.lines) == 2


def test_each_draws_them_one_by_one_in_their_natural_order(tmp_path, drawn):
    runs = list(seeds(tmp_path, 0.1, 12))
    assert main(["plots", *runs[::-1], "--each", "-o", str(tmp_path / "c.png")]) == 0
    names = [text.partition(": ")[0] for text in texts(drawn[0])]
    assert names == [f"0.1-{seed}" for seed in range(12)]
    looks = {(line.get_color(), line.get_marker()) for line in drawn[0].axes[0].lines}
    assert len({colour for colour, _ in looks}) == 12


def test_all_in_one_group_and_narrow_enough_for_a_phone(tmp_path, drawn):
    runs = list(seeds(tmp_path, 0.1, 12))
    assert main(["plots", *runs, "--width", "360", "-o", str(tmp_path / "c.png")]) == 0
    from matplotlib.image import imread

    assert imread(tmp_path / "c.png").shape[1] == 360
    [text] = texts(drawn[0])
    assert text.startswith("12 seeds: ")
    upper, lower = (axes.get_position() for axes in drawn[0].axes)
    assert upper.y0 > lower.y1
    width, height = drawn[0].bbox.size
    box = drawn[0].legends[0].get_window_extent()  # nothing is cut off, and no curve covered
    assert min(box.x0, box.y0) > 0
    assert box.x1 < width
    assert box.y1 / height < lower.y0


def test_a_mean_goes_as_far_as_the_shortest_run_which_is_said(tmp_path, drawn, capsys):
    [first] = seeds(tmp_path, 0.1, 1)
    write(tmp_path / "b", 60, 2, "optimizer: {lr: 0.1}\ntraining: {seed: 5}\n")
    assert main(["plots", first, str(tmp_path / "b"), "-o", str(tmp_path / "c.png")]) == 0
    assert "as far as its shortest run, b (60 of 100 iterations)" in capsys.readouterr().err
    assert drawn[0].axes[0].lines[0].get_xdata()[-1] == 60


def test_a_run_without_an_evaluation_is_left_out_beside_others(tmp_path, capsys):
    runs = list(seeds(tmp_path, 0.1, 2))
    write(tmp_path / "none", 60, 2)
    (tmp_path / "none" / "history.csv").write_text("iteration,epoch,loss\n")
    picture = str(tmp_path / "c.png")
    assert main(["plots", *runs, str(tmp_path / "none"), "-o", picture]) == 0
    assert "none: has no evaluation yet: left out" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["plots", *runs, "--width", "20", "-o", picture])


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("width", [1200, 900])
def test_on_a_page_each_panel_has_room_for_its_legend(tmp_path, drawn, n, width):
    losses, history = run(100, 6)
    metrics = {"f1": 0.1, "recall": 0.2, "top5": 0.3}
    for name in list(metrics)[:n]:
        parts = ("train", "validation", "test")
        history |= {f"{part}_{name}": 0.0 * history["epoch"] + metrics[name] for part in parts}
    plot_curves(tmp_path / "c.png", {"one": (losses, history)}, width=width, kept={"one": 2})
    figure = drawn[0]
    assert figure.get_size_inches()[0] * 120 == width
    for axes in (a for a in figure.axes if a.axison):
        assert axes.get_window_extent().width > 200
        legend = axes.get_legend().get_window_extent()
        assert legend.width < axes.get_window_extent().width
        assert legend.x0 >= axes.get_window_extent().x0

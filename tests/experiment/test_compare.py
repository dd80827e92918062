"""Runs in a table: grouped by what they differ in, figures as NumPy says, best first."""

import csv
import io
import json

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.common.natural import natural
from lamina.experiment import plots
from lamina.experiment.compare import Comparison
from lamina.experiment.differing import differing, in_words, settings_of, short_names
from lamina.experiment.groups import Settings, grouped
from lamina.experiment.outcome import read_outcome
from lamina.experiment.report import report_on_run
from lamina.experiment.run_names import run_names
from lamina.experiment.spread import deviation, together

VALIDATION = {0.1: (0.91, 0.93, 0.92), 0.02: (0.81, 0.85, 0.86), 0.5: (0.95, 0.9, 0.97)}


def write(folder, config, validation, *, metric="accuracy", higher=True, percent=True):
    """A run with these values on the validation set at its evaluations; on the test set they are
    0.1 less, on the training set 0.01 more."""
    folder.mkdir(parents=True)
    text = json.dumps(config)  # which is YAML
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    columns = [f"{part}_{metric}" for part in ("train", "validation", "test")]
    lines = [",".join(["iteration", "epoch", "loss", *columns, "lr"])]
    for i, value in enumerate(validation, 1):
        lines.append(f"{100 * i},{i},0.5,{value + 0.01},{value},{value - 0.1},0.1")
    (folder / "history.csv").write_text("\n".join(lines) + "\n")
    rows = "".join(f"{i},0.5\n" for i in range(1, 100 * len(validation) + 1))
    (folder / "loss.csv").write_text(f"iteration,loss\n{rows}")
    figure = {"name": metric, "higher_is_better": higher, "percent": percent}
    facts = {"figure": {**figure, "limits": [0, None], "guess": None}}
    (folder / "facts.json").write_text(json.dumps(facts))
    (folder / "weights.npz").touch()
    return folder


def config(lr=0.1, seed=0, **training):
    return {
        "dataset": {"type": "DrawnDigits"},
        "optimizer": {"type": "SGD", "lr": lr},
        "training": {"seed": seed, "threads": 1, **training},
    }


@pytest.fixture
def runs(tmp_path):
    """Three rates with three seeds each."""
    found = {}
    for lr, values in VALIDATION.items():
        for seed, value in enumerate(values):
            name = f"lr{lr}-{seed}"
            found[name] = write(tmp_path / name, config(lr, seed), [0.5, value])
    return found


def test_mean_and_deviation_are_those_of_numpy_and_the_best_is_first(runs):
    table = list(csv.DictReader(io.StringIO(Comparison(runs).csv())))
    assert [row["lr"] for row in table] == ["0.5", "0.1", "0.02"]
    for row in table:
        values = np.array(VALIDATION[float(row["lr"])])
        by_hand = np.sqrt(((values - values.sum() / 3) ** 2).sum() / 2)
        for part, shift in (("validation", 0.0), ("test", -0.1), ("train", 0.01)):
            found = float(row[f"{part}_accuracy_mean"])
            assert found == pytest.approx(values.sum() / 3 + shift, rel=1e-8)
            assert float(row[f"{part}_accuracy_std"]) == pytest.approx(by_hand, rel=1e-8)
        assert row["runs"].split() == [f"lr{row['lr']}-{seed}" for seed in range(3)]


def test_the_table_has_the_settings_that_differ_and_nothing_else(runs, capsys):
    assert main(["compare", *map(str, runs.values())]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "lr"
    assert "type" not in lines[0]
    assert "threads" not in lines[0]
    values = 100 * np.array(VALIDATION[0.5])
    words = f"{values.mean():.2f} ± {values.std(ddof=1):.2f}"
    assert lines[1].split() == ["0.5", "3", *f"{words} 84.00 ± 3.61 95.00 ± 3.61".split()]
    assert "best first by validation accuracy" in lines
    assert lines[-1] == f"the best: {' '.join(str(runs[f'lr0.5-{i}']) for i in range(3))}"


@pytest.mark.parametrize("form", ["csv", "markdown", "latex"])
def test_other_forms_are_the_table_alone(runs, capsys, form):
    assert main(["compare", *map(str, runs.values()), f"--{form}"]) == 0
    out = capsys.readouterr().out
    assert "best" not in out
    assert out.count("0.02") >= 1
    assert ("±" in out, "\\pm" in out) == (form == "markdown", form == "latex")


def test_of_an_error_less_is_better(tmp_path):
    runs = {
        name: write(
            tmp_path / name, config(lr), [value], metric="rmse", higher=False, percent=False
        )
        for name, lr, value in (("a", 0.1, 3.25), ("b", 0.2, 1.5))
    }
    table = Comparison(runs)
    assert [row.good for row in table.rows] == [["b"], ["a"]]
    assert "1.500" in table.text()  # no per cent, and no deviation of a single run
    assert "±" not in table.text()


def test_with_keep_best_the_figures_are_of_the_weights_that_are_kept(tmp_path):
    values = [0.5, 0.9, np.nan, 0.9, 0.7]
    kept = write(tmp_path / "kept", config(keep_best=True), values)
    last = write(tmp_path / "last", config(), values)
    assert read_outcome(kept).iteration == 200  # the first of two that are equal
    assert read_outcome(kept).figures["test_accuracy"] == pytest.approx(0.8)
    assert read_outcome(last).iteration == 500
    assert read_outcome(last).figures["test_accuracy"] == pytest.approx(0.6)
    errors = write(tmp_path / "e", config(keep_best=True), [3.0, 2.0, 2.5], higher=False)
    assert read_outcome(errors).iteration == 200


def test_runs_that_are_judged_by_unlike_figures_are_said_to_be(tmp_path, capsys):
    write(tmp_path / "a", config(0.1), [0.5])
    write(tmp_path / "b", config(0.2), [0.9], metric="f1", percent=False)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    out = capsys.readouterr().out
    assert "there is no validation set" not in out
    assert "the first metrics: accuracy, f1" in out


def test_the_test_set_sorts_nothing_unless_it_is_asked_to(tmp_path, capsys):
    for name, lr, value in (("a", 0.1, 0.5), ("b", 0.2, 0.9)):
        folder = write(tmp_path / name, config(lr), [value])
        history = (folder / "history.csv").read_text().replace("validation_", "other_")
        (folder / "history.csv").write_text(history)
    runs = [str(tmp_path / name) for name in "ab"]
    assert main(["compare", *runs]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["0.1", "0.2"]
    assert "there is no validation set to say which is the best" in out
    assert main(["compare", *runs, "--by", "test_accuracy"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["0.2", "0.1"]
    assert main(["compare", *runs, "--by", "test_acuracy"]) == 2
    assert "no column test_acuracy; did you mean test_accuracy?" in capsys.readouterr().err


def test_a_run_that_has_failed_does_not_count_and_is_named(runs, tmp_path):
    (runs["lr0.5-1"] / "culprit.json").write_text('{"when": "forward", "said": ["x"]}')
    row = Comparison(runs).rows[0]
    assert row.good == ["lr0.5-0", "lr0.5-2"]
    assert row.figures["validation_accuracy"][0] == pytest.approx(0.96)
    nothing = write(tmp_path / "nothing", config(7.0), [])
    table = Comparison({**runs, "nothing": nothing})
    assert not table.rows[-1].good  # it is the last, without figures
    text = table.text()
    assert "0.5   2 of 3" in text
    assert "lr0.5-1 has failed: " in text
    assert "nothing has come to no evaluation" in text
    assert "7.0   0 of 1" in text


def test_different_lengths_in_a_row_are_said_unless_patience_ends_runs(tmp_path, capsys):
    runs = {f"a{i}": write(tmp_path / f"a{i}", config(seed=i), [0.5] * (1 + i)) for i in range(2)}
    Comparison(runs)
    assert "its runs stand at 100 to 200 iterations" in capsys.readouterr().err
    for i in range(2):
        write(tmp_path / f"b{i}", config(seed=i, patience=3), [0.5] * (1 + i))
    Comparison({f"b{i}": tmp_path / f"b{i}" for i in range(2)})
    assert not capsys.readouterr().err


def test_what_is_no_run_is_one_line(tmp_path, capsys):
    assert main(["compare", str(tmp_path)]) == 2
    assert "is no run directory: it has no config.yaml" in capsys.readouterr().err


def test_groups_are_told_apart_by_their_settings():
    def settings(seed, **others):
        return Settings(settings_of({"training": {"seed": seed}, **others}), seed)

    adam = {"optimizer": {"type": "Adam", "lr": 0.01}}
    runs = {
        "r10": settings(10, **adam),
        "r2": settings(2, **adam),
        "other": settings(2, optimizer={"type": "SGD", "lr": 1, "momentum": 0.9}),
        "same": settings(3, optimizer={"type": "SGD", "lr": 1.0, "momentum": 0.9}),
        "unknown": None,
    }
    groups = grouped(runs)
    assert [(group.name, group.runs) for group in groups] == [
        ("Adam, lr 0.01", ["r2", "r10"]),
        ("SGD, lr 1, momentum 0.9", ["other", "same"]),
        ("unknown", ["unknown"]),
    ]


def test_one_run_twice_is_said(capsys):
    one = Settings({("optimizer", "lr"): 0.1}, 3)
    [group] = grouped({"a": one, "b": one})
    assert group.name == "2 runs"
    assert "a and b have the same settings and seed 3" in capsys.readouterr().err


def test_settings_and_their_names():
    a = settings_of(
        {"net": {"layers": {"f": {"n_out": 50}, "g": {"n_out": 10}}}, "training": {"seed": 1}}
    )
    b = {**a, ("net", "layers", "f", "n_out"): 60, ("net", "layers", "g", "n_out"): 20}
    places = differing([a, b])
    assert short_names(places) == ["f.n_out", "g.n_out"]
    assert short_names([("optimizer", "type"), ("optimizer", "lr")]) == ["optimizer", "lr"]
    ways = [("optimizer", "schedule"), ("optimizer", "schedule", "type")]  # a name, or a mapping
    assert short_names(ways) == ["optimizer.schedule", "optimizer.schedule.type"]
    assert in_words(a, places) == "f.n_out 50, g.n_out 10"
    assert in_words({}, places) == "without f.n_out, g.n_out"
    assert differing([{("x",): 1}, {("x",): True}]) == [("x",)]
    assert differing([{("x",): 1}, {("x",): 1.0}]) == []


def test_natural_order():
    names = ["run10", "run2", "lr 0.1", "lr 0.02", "lr 1e-3", "x"]
    assert sorted(names, key=natural) == ["lr 1e-3", "lr 0.02", "lr 0.1", "run2", "run10", "x"]


def test_names_of_runs(tmp_path):
    for path in ("a/run", "b/run", "c"):
        (tmp_path / path).mkdir(parents=True)
    paths = [tmp_path / "b/run", tmp_path / "a/run", tmp_path / "a" / "." / "run"]
    assert list(run_names(paths)) == ["a/run", "b/run"]
    assert list(run_names([tmp_path / "c", tmp_path / "a/run"])) == ["c", "run"]


def test_curves_together_are_numpy_of_the_points_that_all_have():
    a = np.array([1.0, 2, 3]), np.array([1.0, 4, 2])
    b = np.array([2.0, 3, 4]), np.array([6.0, 5, 9])
    x, mean, spread = together([a, b])
    assert x.tolist() == [2.0, 3.0]
    np.testing.assert_allclose(mean, [5.0, 3.5])
    np.testing.assert_allclose(spread, np.std([[4, 2], [6, 5]], axis=0, ddof=1))
    assert np.isnan(together([a])[2]).all()
    assert [len(part) for part in together([a, (np.array([9.0]), np.array([1.0]))])] == [0, 0, 0]
    assert np.isnan(deviation(np.array([1.0])))
    assert np.isnan(deviation(np.array([1.0, np.inf])))  # and no warning


def test_runs_with_infinite_losses_have_a_row(tmp_path, recwarn):
    values = ((0.1, np.inf), (0.1, -np.inf), (0.2, 1.5), (0.2, np.nan))
    runs = {
        f"r{i}": write(tmp_path / f"r{i}", config(lr, i), [value], metric="loss", higher=False)
        for i, (lr, value) in enumerate(values)
    }
    assert " -  " in Comparison(runs).text()
    assert not recwarn.list


def test_a_metric_of_ones_own_is_in_per_cent_where_it_says_so(tmp_path, monkeypatch):
    for name, percent in (("mine", True), ("other", False)):
        folder = write(tmp_path / name, config(1.0 + percent), [0.6842])
        history = (folder / "history.csv").read_text().replace("accuracy", name)
        (folder / "history.csv").write_text(history)
        facts = {"percent": {name: percent}}
        (folder / "facts.json").write_text(json.dumps(facts))
    header, rows = Comparison({name: tmp_path / name for name in ("mine", "other")}).cells()
    assert ("validation mine (%)" in header, "validation other" in header) == (True, True)
    by_rate = {row[0]: row for row in rows}
    assert "68.42" in by_rate["2.0"]
    assert "0.6842" in by_rate["1.0"]
    drawn = []
    monkeypatch.setattr(plots, "save_png", lambda path, figure, dpi: drawn.append(figure))
    for name in ("mine", "other"):
        assert main(["plots", str(tmp_path / name)]) == 0
    axes = [figure.axes[1] for figure in drawn]
    assert [one.get_ylabel() for one in axes] == ["mine (%)", "other"]
    said = [[text.get_text() for text in one.get_legend().get_texts()] for one in axes]
    assert ["validation: 68.42 %" in said[0], "validation: 0.6842" in said[1]] == [True, True]


def test_runs_that_are_equally_good_are_all_the_best(tmp_path):
    values = (("a", 0.1, 0.8), ("b", 0.2, 0.9), ("c", 0.3, 0.9), ("d", 0.4, np.nan))
    runs = {name: write(tmp_path / name, config(lr), [value]) for name, lr, value in values}
    remarks = Comparison(runs).remarks()
    assert remarks[-1] == f"the best, equally good: {runs['b']} {runs['c']}"
    del runs["c"]
    assert Comparison(runs).remarks()[-1] == f"the best: {runs['b']}"
    assert not [line for line in Comparison({"d": runs["d"]}).remarks() if "the best" in line]


def test_means_that_are_equal_but_for_the_digits_of_the_table_are_equally_good(tmp_path):
    """368 of 720 samples right, both times."""
    right = {0.1: (125, 122, 121), 0.2: (129, 125, 114)}
    runs = {
        f"{lr}-{seed}": write(
            tmp_path / f"{lr}-{seed}", config(lr, seed), [float(f"{n / 240:.9g}")]
        )
        for lr, counts in right.items()
        for seed, n in enumerate(counts)
    }
    assert Comparison(runs).remarks()[-1].startswith("the best, equally good: ")


def test_figures_of_an_earlier_iteration_are_said_to_be(tmp_path, capsys):
    runs = {
        name: write(tmp_path / name, config(lr), [0.9]) for name, lr in (("a", 0.1), ("b", 0.2))
    }
    with (runs["b"] / "loss.csv").open("a") as file:
        file.write("".join(f"{i},0.5\n" for i in range(101, 138)))
    said = [line for line in Comparison(runs).remarks() if "stands at" in line]
    words = "b stands at iteration 137; its figures are those of iteration 100, its last evaluation"
    assert said == [words]
    for name, late in (("a", False), ("b", True)):
        facts = (runs[name] / "facts.json").read_text().replace("[0, null]", "[0, 1]")
        (runs[name] / "facts.json").write_text(facts)
        main(["doctor", str(runs[name])])
        assert (": the last evaluation, of iteration 100" in capsys.readouterr().out) == late


@pytest.mark.parametrize("keep_best", [True, False])
def test_a_run_without_weights_is_not_said_to_have_kept_some(tmp_path, capsys, keep_best):
    path = write(tmp_path / "a", config(keep_best=keep_best), [0.9, 0.8])
    (path / "weights.npz").unlink()
    facts = (path / "facts.json").read_text().replace("[0, null]", "[0, 1]")
    (path / "facts.json").write_text(facts)
    at, which = (100, "the best one so far") if keep_best else (200, "its last one")
    said = [line for line in Comparison({"a": path}).remarks() if "weights" in line]
    assert said == [
        "a has no weights.npz, as a run that is not over, or was killed: it stands at iteration "
        f"200, its figures are of the evaluation at {at}, {which}"
    ]
    main(["doctor", str(path)])
    out = capsys.readouterr().out
    assert "the weights kept" not in out
    assert ("the best so far, without weights, of iteration 100" in out) == keep_best
    page = report_on_run(path)
    assert f"of the evaluation at iteration {at}, {which}." in page

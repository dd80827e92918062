"""The picture of a sweep: which trial stands where, on which scale, and what is said beside it."""

import dataclasses

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.experiment.importance import importances
from lamina.experiment.ranges import make_range
from lamina.experiment.sweep_endings import Endings
from lamina.experiment.sweep_picture import plot_sweep
from lamina.experiment.sweep_values import SweepValues, Varied, read_sweep

SWEEP = "base: {}\nset: {}\nvaried: [a.lr, a.type, training.seed]\n"


def made(folder, trials, text=SWEEP, metric="validation_accuracy"):
    """A sweep's folder, {name: (lr, type, figure or None for one that failed)}."""
    folder.mkdir()
    (folder / "sweep.yaml").write_text(text)
    for name, (lr, kind, figure) in trials.items():
        (folder / name).mkdir()
        config = f"a: {{lr: {lr}, type: {kind}}}\ntraining: {{seed: 0}}\n"
        (folder / name / "config.yaml").write_text(config)
        (folder / name / "loss.csv").write_text("iteration,loss\n1,2.0\n")
        header = f"iteration,epoch,loss,train_{metric.partition('_')[2]},{metric},lr\n"
        row = "" if figure is None else f"1,1,2.0,{figure},{figure},0.1\n"
        (folder / name / "history.csv").write_text(header + row)
        if figure is None:
            culprit = '{"iteration": 1, "what": "the loss", "value": "nan"}'
            (folder / name / "culprit.json").write_text(culprit)
        elif name.startswith("pruned"):
            Endings(folder).note(name, "pruned", "at iteration 1")
        elif not name.startswith("not over"):
            Endings(folder).note(name, "finished", "")
    return folder


TRIALS = {
    "a": (0.001, "SGD", 0.4),
    "b": (0.1, "SGD", 0.9),
    "c": (0.1, "$Adam$", 0.8),
    "pruned": (0.01, "SGD", 0.95),
    "not over": (0.02, "SGD", 0.97),
    "d": (1e9, "SGD", None),
}


def dots(axes):
    """{what stands in the legend: its points}."""
    return {
        dot.get_label().partition(":")[0]: np.asarray(dot.get_offsets()).round(6).tolist()
        for dot in axes.collections
    }


def test_the_points_are_the_trials(tmp_path, drawn):
    plot_sweep(tmp_path / "s.png", made(tmp_path / "s", TRIALS))
    rates, kinds = drawn[0].axes
    assert dots(rates) == {
        "finished": [[0.001, 40.0], [0.1, 90.0], [0.1, 80.0]],
        "pruned, where it was ended": [[0.01, 95.0]],
        "no end noted, its last evaluation": [[0.02, 97.0]],
        "failed (NaN), no figure": [[1e9, 0.0]],
        "best": [[0.1, 90.0]],  # of those that have come to their end
    }
    assert rates.get_xscale() == "log"
    assert rates.get_xlabel() == "lr"
    assert rates.get_ylabel() == "accuracy (%)\non the validation set"
    assert [text.get_text() for text in kinds.get_xticklabels()] == [r"\$Adam\$", "SGD"]
    assert dots(kinds)["finished"] == [[1.0, 40.0], [1.0, 90.0], [0.0, 80.0]]
    said = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert said == [
        *("finished: 3", "pruned, where it was ended: 1", "no end noted, its last evaluation: 1"),
        "failed (NaN), no figure: 1",
        "best: 90.00 %",
    ]
    failed = next(d for d in rates.collections if d.get_label().startswith("failed"))
    assert failed.get_transform() != rates.transData  # on the lower edge, whatever the figures


@pytest.mark.parametrize(
    ("rates", "ranges", "scale"),
    [
        ((0.1, 0.2, 0.4), "", "linear"),
        ((0.01, 0.1, 1.0), "", "log"),
        ((0.1, 0.2, 0.4), "ranges: {a.lr: {log: [0.1, 1]}}\n", "log"),
        ((0.01, 0.1, 1.0), "ranges: {a.lr: {uniform: [0, 1]}}\n", "linear"),
        ((-1, 0, 100), "", "linear"),
    ],
)
def test_the_scale_is_that_of_the_range_or_of_a_list_that_reaches_far(
    tmp_path, drawn, rates, ranges, scale
):
    trials = {f"t{i}": (rate, "SGD", 0.5) for i, rate in enumerate(rates)}
    plot_sweep(tmp_path / "s.png", made(tmp_path / "s", trials, SWEEP + ranges))
    axes = drawn[0].axes[0]
    assert axes.get_xscale() == scale
    low, high = axes.get_xlim()
    assert low < min(rates)
    assert high > max(rates)


def test_a_narrow_picture_has_its_panels_one_below_the_other(tmp_path, capsys):
    from matplotlib.image import imread

    folder = made(tmp_path / "s", TRIALS)
    assert main(["plots", "--values", str(folder), "--width", "360"]) == 0
    assert capsys.readouterr().out == f"{folder / 'sweep.png'}\n"
    height, width = imread(folder / "sweep.png").shape[:2]
    assert width == 360
    assert height > 700


def test_nothing_is_cut_off_at_its_edges(tmp_path):
    """Not even long names: the outermost pixels are white."""
    from matplotlib.image import imread

    trials = {f"t{i}": (10.0**i, f"a_very_long_name_{i}" * 3, i / 10) for i in range(8)}
    folder = made(tmp_path / "s", trials)
    for width in (None, 360):
        plot_sweep(tmp_path / "s.png", folder, width)
        image = imread(tmp_path / "s.png")[..., :3]
        edges = (image[:2], image[-2:], image[:, :2], image[:, -2:])
        assert all((edge == 1.0).all() for edge in edges)


def test_losses_far_apart_stand_on_an_axis_of_logarithms(tmp_path, drawn):
    trials = {"a": (0.1, "SGD", 0.01), "b": (0.2, "SGD", 900.0)}
    plot_sweep(tmp_path / "s.png", made(tmp_path / "s", trials, metric="validation_rmse"))
    assert drawn[0].axes[0].get_yscale() == "log"
    read = read_sweep(tmp_path / "s")
    assert (read.column, read.higher_is_better, read.best) == ("validation_rmse", False, 0)


def test_what_is_no_sweep_or_has_nothing_yet(tmp_path, capsys):
    assert main(["plots", "--values", str(tmp_path)]) == 2
    assert "is no folder of a sweep: it has no sweep.yaml" in capsys.readouterr().err
    folder = made(tmp_path / "s", {"d": (1.0, "SGD", None)})
    (folder / "d" / "history.csv").write_text("")
    assert main(["plots", "--values", str(folder)]) == 2
    assert "no trial of the sweep has come to an evaluation yet" in capsys.readouterr().err
    for damaged in ("varied: 3", "varied: []\nranges: 3", "varied: []\nranges: {lr: 3}"):
        (folder / "sweep.yaml").write_text(damaged)
        assert main(["plots", "--values", str(folder)]) == 2
        assert "sweep.yaml: is damaged: " in capsys.readouterr().err


def test_values_are_of_one_sweep(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["plots", "--values", "a", "b"])
    assert "--values is of one sweep" in capsys.readouterr().err


def sweep_of(n, noise=0.0):
    """Figures that hang on `a` alone."""
    rng = np.random.default_rng(0)
    a, b = rng.random(n).tolist(), rng.choice(["x", "y"], n).tolist()
    figures = [value + noise * rng.standard_normal() for value in a]
    varied = [Varied("a", a, False), Varied("b", b, False)]
    return SweepValues(varied, figures, ["finished"] * n, "validation_accuracy", True)


def test_the_importance_is_of_what_counts():
    pytest.importorskip("optuna", reason="no Optuna: pip install -e '.[peers]'")
    found = importances(sweep_of(40))
    assert found["a"] > 0.9
    assert sum(found.values()) == pytest.approx(1.0)
    assert importances(sweep_of(9)) == {}


def test_the_importance_is_that_of_the_ranges_of_the_file():
    """Not of what reaches from the least to the largest value that were tried."""
    optuna = pytest.importorskip("optuna", reason="no Optuna: pip install -e '.[peers]'")
    rng = np.random.default_rng(0)
    n = 20
    given = {"log": make_range({"log": [1e-3, 10]}), "int": make_range({"int": [1, 300]})}
    given["choice"] = make_range({"choice": [8, 16, 32]})
    rates, units = np.geomspace(0.05, 0.5, n).tolist(), rng.integers(20, 40, n).tolist()
    choices = rng.choice([8, 16], n).tolist()
    figures = [
        -((np.log(rate) + 1.5) ** 2) + 0.01 * unit for rate, unit in zip(rates, units, strict=True)
    ]
    values = {"log": rates, "int": units, "choice": choices}
    varied = [Varied(name, values[name], name == "log", given[name]) for name in values]
    sweep = SweepValues(varied, figures, ["finished"] * n, "validation_accuracy", True)
    study = optuna.create_study(direction="maximize")
    ranges = {
        "log": optuna.distributions.FloatDistribution(1e-3, 10, log=True),
        "int": optuna.distributions.IntDistribution(1, 300),
        "choice": optuna.distributions.CategoricalDistribution(["8", "16", "32"]),
    }
    for i in range(n):
        params = {"log": rates[i], "int": units[i], "choice": str(choices[i])}
        made = {"params": params, "distributions": ranges, "value": figures[i]}
        study.add_trial(optuna.trial.create_trial(**made))
    judge = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
    expected = optuna.importance.get_param_importances(study, evaluator=judge)
    assert importances(sweep) == pytest.approx(expected)
    free = dataclasses.replace(sweep, varied=[Varied(v.name, v.values, v.log) for v in varied])
    assert importances(free) != pytest.approx(expected, rel=0.05)


def test_the_ranges_are_read_from_the_file(tmp_path):
    text = SWEEP + "ranges: {a.lr: {log: [0.001, 10]}, a.type: {choice: [SGD, Adam]}}\n"
    trials = {"a": (0.01, "SGD", 0.5), "b": (0.1, "SGD", 0.6)}
    rate, kind = read_sweep(made(tmp_path / "s", trials, text)).varied
    assert (rate.range.low, rate.range.high, rate.range.kind) == (0.001, 10.0, "log")
    assert kind.range.choices == ("SGD", "Adam")


def test_with_keep_best_the_pruned_have_their_best(tmp_path, drawn):
    folder = made(tmp_path / "s", TRIALS)
    for path in folder.glob("*/config.yaml"):
        path.write_text(path.read_text().replace("seed: 0", "seed: 0, keep_best: true"))
    plot_sweep(tmp_path / "s.png", folder)
    assert "pruned, its best until then" in dots(drawn[0].axes[0])


def test_without_optuna_there_is_no_importance(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    assert importances(sweep_of(40)) == {}


def test_figures_that_are_all_the_same_or_have_one_value_give_none():
    pytest.importorskip("optuna", reason="no Optuna: pip install -e '.[peers]'")
    one = sweep_of(20)
    same = SweepValues(one.varied, [0.5] * 20, one.states, one.column, True)
    assert all(0 <= share <= 1 for share in importances(same).values())
    alone = SweepValues(one.varied[:1], one.figures, one.states, one.column, True)
    assert importances(alone) == {}


def test_the_numbers_of_a_short_list_are_no_range():
    """Optuna's own evaluator on the values as names: what counting by hand gives too."""
    pytest.importorskip("optuna", reason="no Optuna: pip install -e '.[peers]'")
    p = [0, 0, 0.5, 0.5, 0, 0, 0.5, 0.5, 0, 0, 0.5, 0.5]
    lr = [*[0.5] * 4, *[0.05] * 4, *[5000.0] * 4]
    errors = [0.18, 0.24, 0.27, 0.4, 0.22, 0.31, 0.38, 0.29, 0.9, 0.9, 0.9, 0.9]
    best = np.argsort(errors)[:3]

    def pearson(values):
        kinds = np.unique(values)
        among, all_ = (
            np.array([np.mean(np.array(v) == k) for k in kinds])
            for v in (np.array(values)[best], values)
        )
        return float((all_ * (among / all_ - 1) ** 2).sum())

    varied = [Varied("p", p, False), Varied("lr", lr, True)]
    found = importances(SweepValues(varied, errors, ["finished"] * 12, "validation_error", False))
    shares = {"p": pearson(p), "lr": pearson(lr)}
    for name, share in found.items():
        assert share == pytest.approx(shares[name] / sum(shares.values()), abs=1e-6)


def test_trials_that_failed_count_as_the_worst():
    pytest.importorskip("optuna", reason="no Optuna: pip install -e '.[peers]'")
    kinds, rng = ["A", "B", "C"] * 6, np.random.default_rng(0)
    sizes = rng.choice(["s", "m"], 18).tolist()
    figures = [np.nan if kind == "C" else 0.9 + 0.01 * rng.random() for kind in kinds]
    varied = [Varied("size", sizes, False), Varied("rule", kinds, False)]
    as_failed = importances(SweepValues(varied, figures, ["finished"] * 18, "accuracy", True))
    told = [0.1 if np.isnan(f) else f for f in figures]
    assert as_failed == importances(SweepValues(varied, told, ["finished"] * 18, "accuracy", True))
    none = SweepValues(varied, [np.nan] * 18, ["failed"] * 18, "accuracy", True)
    assert importances(none) == {}


def test_crosses_stand_on_the_worse_edge(tmp_path, drawn):
    for i, metric in enumerate(("validation_accuracy", "validation_rmse")):
        plot_sweep(tmp_path / f"{i}.png", made(tmp_path / f"s{i}", TRIALS, metric=metric))
        (cross,) = dots(drawn[-1].axes[0])["failed (NaN), no figure"]
        assert cross[1] == i

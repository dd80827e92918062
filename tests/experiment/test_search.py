"""A search: values that Optuna chooses, trials that are pruned, and a study that goes on."""

import csv
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lamina.commands.frame import main
from lamina.common.table import read_table
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.ranges import label, make_range
from lamina.experiment.search import Search
from lamina.experiment.sweep import sweep
from lamina.experiment.sweep_endings import Endings
from lamina.experiment.sweep_file import SweepFile

optuna = pytest.importorskip("optuna", reason="no Optuna: pip install -e '.[peers]'")
ROOT = Path(__file__).resolve().parents[2]
BASE = """\
dataset: {type: DrawnDigits, n_train: 200, n_validation: 50, n_test: 50}
net:
  type: Sequential
  layers:
    affine: {type: Affine, n_out: 10}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 40, batch_size: 20, evaluate_every: 10, checkpoint: {every: 5}}
"""
TEXT = """\
base: base.yaml
ranges:
  optimizer.lr: {choice: [0.2, 0.001, 1.0e+38]}
  optimizer.weight_decay: {log: [1.0e-6, 0.1]}
  training.batch_size: {int: [10, 30]}
trials: 9
"""


def written(folder, text=TEXT, base=BASE) -> Path:
    (folder / "base.yaml").write_text(base, encoding="utf-8")
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def studied(out: Path):
    """The trials of a study, as Optuna reads them."""
    return optuna.load_study(study_name=None, storage=f"sqlite:///{out / 'study.db'}").trials


def rows(out: Path) -> dict[str, list[str]]:
    with (out / "trials.csv").open(encoding="utf-8") as file:
        _, *found = csv.reader(file)
    return {name: [state, said] for name, state, said in found}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A search that has ended; with what it has said."""
    folder = tmp_path_factory.mktemp("search")
    said, status = sweep(written(folder), folder / "out", quiet=True)
    assert status == 0
    return folder, said


@pytest.mark.filterwarnings("ignore")  # of SQLAlchemy
def test_optuna_reads_what_the_runs_have_done(done):
    out, trials, ended = done[0] / "out", studied(done[0] / "out"), rows(done[0] / "out")
    assert [f"trial-{trial.number:03d}" for trial in trials] == [*ended]
    assert {state for state, _ in ended.values()} == {"finished", "failed", "pruned"}
    for trial in trials:
        run = out / f"trial-{trial.number:03d}"
        config, (state, said) = load_config(run / "config.yaml").data, ended[run.name]
        assert config["optimizer"]["lr"] == float(trial.params["optimizer.lr"])
        assert config["optimizer"]["weight_decay"] == trial.params["optimizer.weight_decay"]
        assert config["training"]["batch_size"] == trial.params["training.batch_size"]
        history = read_table(run / "history.csv") if state != "failed" else {}
        accuracies = history.get("validation_accuracy", ())
        steps = dict(zip(history.get("iteration", ()), accuracies, strict=True))
        if state == "finished":
            assert trial.state.name == "COMPLETE"
            assert trial.value == pytest.approx(accuracies[-1], rel=1e-8)
            assert said.startswith("train ")
        else:
            assert trial.state.name == "PRUNED"
        if state == "pruned":
            end = max(trial.intermediate_values)
            assert said == f"at iteration {end}"
            assert 13 < end < 40  # none in its first third
            assert steps.keys() == trial.intermediate_values.keys()
            assert (run / "weights.npz").exists()
        for step, value in trial.intermediate_values.items():
            assert value == pytest.approx(steps[step], rel=1e-8)
    failed = [name for name, (state, _) in ended.items() if state == "failed"]
    assert {load_config(out / n / "config.yaml").data["optimizer"]["lr"] for n in failed} == {1e38}
    assert "learning rate too high" in ended[failed[0]][1]


def test_values_are_drawn_in_their_ranges_to_four_digits(done):
    trials = studied(done[0] / "out")
    decays = [trial.params["optimizer.weight_decay"] for trial in trials]
    assert all(1e-6 <= decay <= 0.1 and decay == float(f"{decay:.4g}") for decay in decays)
    assert len(set(decays)) == len(decays)  # no generator begins anew
    assert all(10 <= trial.params["training.batch_size"] <= 30 for trial in trials)


def test_what_is_said_at_the_end(done):
    said, ended = done[1], rows(done[0] / "out")
    states = [state for state, _ in ended.values()]
    assert (
        f"{states.count('finished')} of 9 trials finished, {states.count('failed')} failed, "
        f"{states.count('pruned')} pruned, in "
    ) in said
    assert "figures of the pruned are those where they were ended\n" in said
    best = next(line for line in said.splitlines() if line.startswith("the best: "))
    assert ended[best.rpartition("/")[2]][0] == "finished"


def test_what_has_ended_is_not_run_again_and_more_trials_may_come(done, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    before = {p: p.stat().st_mtime_ns for p in (folder / "out").glob("*/loss.csv")}
    (folder / "s.yaml").write_text(TEXT.replace("9", "10"))
    assert main(["sweep", str(folder / "s.yaml"), "--dir", str(folder / "out"), "--quiet"]) == 0
    after = {p: p.stat().st_mtime_ns for p in (folder / "out").glob("*/loss.csv")}
    assert {p: t for p, t in after.items() if p in before} == before
    assert [p.parent.name for p in after.keys() - before.keys()] == ["trial-009"]
    assert [trial.number for trial in studied(folder / "out")] == [*range(10)]


def test_without_trials_csv_what_was_pruned_is_known_by_the_study(done, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    before = rows(folder / "out")
    (folder / "out" / "trials.csv").unlink()
    sweep(folder / "s.yaml", folder / "out", quiet=True)
    after = rows(folder / "out")
    assert {n: state for n, (state, _) in after.items()} == {n: s for n, (s, _) in before.items()}


def test_with_keep_best_the_figures_of_the_pruned_are_their_best(done, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    for path in (folder / "out").glob("trial-*/config.yaml"):
        path.write_text(path.read_text().replace("seed: 0", "seed: 0\n  keep_best: true"))
    said, _ = sweep(folder / "s.yaml", folder / "out", quiet=True)
    assert (
        "figures of the pruned are those of their best evaluation until they were ended\n" in said
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_a_search_that_is_killed_goes_on_to_the_same_trials(done, tmp_path):
    path, out = written(tmp_path), tmp_path / "out"
    command = [sys.executable, "-m", "lamina", "sweep", str(path), "--dir", str(out), "--quiet"]
    for until in ("trial-002/checkpoint-00000010.npz", "trial-006/history.csv"):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not (out / until).exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    sweep(path, out, quiet=True)
    whole, again = studied(done[0] / "out"), studied(out)
    assert [t.params for t in again] == [t.params for t in whole]
    assert [t.value for t in again] == [t.value for t in whole]
    assert [t.intermediate_values for t in again] == [t.intermediate_values for t in whole]
    assert {n: state for n, (state, _) in rows(out).items()} == {
        n: state for n, (state, _) in rows(done[0] / "out").items()
    }
    for run in sorted((done[0] / "out").glob("trial-*/")):
        for name in ("loss.csv", "history.csv"):
            if run.is_dir():
                assert (out / run.name / name).read_bytes() == (run / name).read_bytes()
    assert (out / "table.csv").read_bytes() == (done[0] / "out" / "table.csv").read_bytes()


def searched(folder: Path, ends: Endings) -> Search:
    return Search(SweepFile(written(folder)), folder, ends, 40, "validation_accuracy", True)


def test_what_a_kill_has_left_between_two_files_is_put_right(tmp_path):
    ends = Endings(tmp_path)
    search = searched(tmp_path, ends)
    first, second, third = (search.next() for _ in range(3))
    search._handle(first.name).set_user_attr("pruned", 20)  # and then it was killed
    (tmp_path / second.name).mkdir()
    ends.note(second.name, "failed", "a rate too high")  # and then it was killed
    search = searched(tmp_path, ends)
    assert ends.ended[first.name] == ("pruned", "at iteration 20")
    states = [trial.state.name for trial in studied(tmp_path)]
    assert states == ["PRUNED", "PRUNED", "RUNNING"]
    again = search.next()
    assert (again.name, again.settings) == (third.name, third.settings)
    assert search.next().name == "trial-003"


def test_a_trial_that_was_killed_while_it_drew_draws_on(tmp_path):
    search = searched(tmp_path, Endings(tmp_path))
    search._study.ask()  # and then it was killed, before the first value
    again = searched(tmp_path, Endings(tmp_path)).next()
    (tmp_path / "whole").mkdir()
    whole = searched(tmp_path / "whole", Endings(tmp_path / "whole")).next()
    assert (again.name, again.settings) == (whole.name, whole.settings)
    trial = searched(tmp_path, Endings(tmp_path))._study.ask()
    SweepFile(written(tmp_path)).ranges["optimizer.lr"].draw("optimizer.lr", trial)
    search = searched(tmp_path, Endings(tmp_path))  # killed after the first value
    assert search.next().name == "trial-000"
    assert search.next().settings.keys() == whole.settings.keys()


def test_a_figure_that_is_not_defined_prunes_nothing(tmp_path):
    search = searched(tmp_path, Endings(tmp_path))
    name = search.next().name
    assert not search.evaluated(name, 10, float("nan"))
    assert not studied(tmp_path)[0].intermediate_values


def test_a_study_that_is_damaged_is_one_line(done, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    (folder / "out" / "study.db").write_bytes(b"no database")
    assert main(["sweep", str(folder / "s.yaml"), "--dir", str(folder / "out"), "--quiet"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"lamina sweep: {(folder / 'out' / 'study.db').resolve()}: ")
    assert "file is not a database" in err
    assert err.count("\n") == 1


RANGES = "base: base.yaml\ntrials: 2\nranges:\n  optimizer.lr: "


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{RANGES}[0.1, 1]\n", "line 4: ranges.optimizer.lr: expects {uniform: [low, high]}, "),
        (f"{RANGES}{{logg: [0.1, 1]}}\n", "ranges.optimizer.lr: expects {uniform: "),
        (f"{RANGES}{{log: [1, 0.1]}}\n", "log expects two numbers, the lower first, got "),
        (f"{RANGES}{{log: [0, 1]}}\n", "log expects numbers above 0, got 0"),
        (f"{RANGES}{{uniform: [0, yes]}}\n", "uniform expects two numbers, the lower first"),
        (f"{RANGES}{{int: [1, 2.5]}}\n", "int expects two whole numbers, the lower first"),
        (f"{RANGES}{{choice: [1]}}\n", "choice expects a list of two values or more"),
        (f"{RANGES}{{choice: [1, 1]}}\n", "choice: the same value stands twice; keep one"),
        (f"{RANGES}{{log: [0.1, 1]}}\ngrid: {{a.b: [1]}}\n", "ranges and grid exclude each other"),
        (f"{RANGES}{{log: [0.1, 1]}}\nlist: [{{a.b: 1}}]\n", "ranges and list exclude each other"),
        (f"{RANGES}{{log: [0.1, 1]}}\nseeds: 0-2\n", "seeds: a search has one seed; compare"),
        (f"{RANGES}{{log: [0.1, 1]}}\nset: {{optimizer.lr: 1}}\n", "optimizer.lr stands in set: "),
        (RANGES.replace("trials: 2\n", "") + "{log: [0.1, 1]}\n", "s.yaml: needs trials"),
        (RANGES.replace("2", "0") + "{log: [0.1, 1]}\n", "trials: expects at least 1, got 0"),
        ("base: base.yaml\ntrials: 3\n", "trials belongs to ranges:, and there are none"),
        ("base: base.yaml\ntrials: 3\nranges: {}\n", "ranges: expects KEY: {log: [0.001, 1.0]}"),
    ],
)
def test_what_makes_no_search_is_refused(tmp_path, text, said):
    with pytest.raises(ConfigError) as error:
        SweepFile(written(tmp_path, text))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "base", "said"),
    [
        (f"{RANGES}{{uniform: [-1, 1]}}\n", BASE, "line 4: optimizer.lr: "),
        (
            "base: base.yaml\ntrials: 2\nranges:\n  optimizer.type: {choice: [SGD, Adan]}\n",
            BASE,
            "line 4: optimizer.type: unknown type Adan; did you mean Adam?",
        ),
        (
            f"{RANGES}{{log: [0.1, 1]}}\n",
            BASE.replace("n_validation: 50, ", ""),
            "dataset: a search chooses by a validation set, and this has none; set: ",
        ),
    ],
)
def test_every_end_is_tried_before_anything_is_trained(tmp_path, text, base, said):
    with pytest.raises(ConfigError) as error:
        sweep(written(tmp_path, text, base), tmp_path / "out", quiet=True)
    assert said in str(error.value)
    assert not (tmp_path / "out").exists()


def test_another_range_is_another_sweep(done, capsys):
    path = done[0] / "other.yaml"
    path.write_text(TEXT.replace("1.0e-6", "1.0e-7"))
    assert main(["sweep", str(path), "--dir", str(done[0] / "out"), "--quiet"]) == 2
    assert "ranges.optimizer.weight_decay.log: " in capsys.readouterr().err


def test_without_optuna_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with pytest.raises(ConfigError, match=r"ranges: needs the library optuna: pip install 'lamina"):
        SweepFile(written(tmp_path))


def test_a_choice_may_be_anything():
    given = [{"type": "normal", "std": 0.1}, "zeros", True, [1, 2]]
    found = make_range({"choice": given})
    assert [found.value(label(choice)) for choice in given] == given


@pytest.mark.parametrize("prunes", [True, False])
def test_who_is_pruned(tmp_path, prunes):
    """Those that lag behind the median: from the sixth trial on, none in its first third."""
    path = written(tmp_path, f"{TEXT}prune: {str(prunes).lower()}\n")
    ends = Endings(tmp_path)
    search = Search(SweepFile(path), tmp_path, ends, 40, "validation_accuracy", True)
    for i, value in enumerate([0.1, 0.2, 0.3, 0.4, 0.5, 0.2, 0.45]):
        name = search.next().name
        said = [search.evaluated(name, step, value) for step in (10, 20)]
        assert said == [False, prunes and i == 5]
        search._study.tell(i, value)


def test_another_seed_draws_other_values(tmp_path):
    drawn = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = written(folder, f"{TEXT}seeds: [{seed}]\n")
        search = Search(SweepFile(path), folder, Endings(folder), 40, "validation_accuracy", True)
        trial = search.next()
        assert trial.config.data["training"]["seed"] == seed
        drawn.append({k: v for k, v in trial.settings.items() if k != "training.seed"})
    assert drawn[0] != drawn[1]

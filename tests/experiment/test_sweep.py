"""A sweep: what a file makes, what is refused before anything is trained, and how trials end."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lamina.commands.frame import main
from lamina.experiment.config import ConfigError
from lamina.experiment.run_directory import locked
from lamina.experiment.sweep import sweep
from lamina.experiment.sweep_endings import Endings
from lamina.experiment.sweep_file import SweepFile

ROOT = Path(__file__).resolve().parents[2]
BASE = """\
dataset: {type: DrawnDigits, n_train: 200, n_validation: 50, n_test: 50}
net:
  type: Sequential
  layers:
    affine: {type: Affine, n_out: 10}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 40, batch_size: 20, evaluate_every: 10}
"""
GOOD = "base: base.yaml\ngrid: {optimizer.lr: [0.1, 1.0e+38]}\nseeds: 0-1\n"


def written(folder, text, base=BASE) -> Path:
    (folder / "base.yaml").write_text(base, encoding="utf-8")
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_trials_of_a_file(tmp_path):
    text = """\
        base: base.yaml
        set: {training.batch_size: 10}
        grid:
          optimizer.type: [SGD, Adam]
          optimizer.lr: [0.1, 1e-3]
        list:
          - {net.layers.affine.init: zeros}
          - {training.epochs: 3}
        seeds: [4, 2]
    """
    file = SweepFile(written(tmp_path, text))
    assert len(file.trials) == 2 * 2 * 2 * 2
    first, second, *_, last = file.trials
    assert first.name == "init=zeros,SGD,lr=0.1,seed=4"
    assert second.name == "init=zeros,SGD,lr=0.1,seed=2"
    assert last.name == "epochs=3,Adam,lr=0.001,seed=2"
    assert last.config.data["optimizer"] == {"type": "Adam", "lr": 0.001}
    training = last.config.data["training"]
    assert training == {
        **{"batch_size": 10, "evaluate_every": 10},  # and no iterations beside epochs
        **{"threads": 1, "epochs": 3, "seed": 2},
    }
    assert first.combination == second.combination != last.combination


def test_without_seeds_it_is_that_of_the_base(tmp_path):
    text = "base: base.yaml\ngrid: {optimizer.lr: [0.1, 0.2]}\n"
    base = BASE.replace("{iterations", "{seed: 7, iterations")
    names = [trial.name for trial in SweepFile(written(tmp_path, text, base)).trials]
    assert names == ["lr=0.1,seed=7", "lr=0.2,seed=7"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("base: base.yaml\ngrids: {}\n", "line 2: grids: unknown key; did you mean grid?"),
        ("grid: {}\n", "s.yaml: needs base"),
        ("base: bose\n", "s.yaml, line 1: base: bose: no such file or configuration"),
        (
            "base: base.yaml\ngrid: {optimizer.lr: []}\n",
            "line 2: grid.optimizer.lr: expects a list",
        ),
        ("base: base.yaml\ngrid: {optimizer.lr: 3}\n", "what does not vary stands under set:"),
        ("base: base.yaml\ngrid: {optimizer..lr: [3]}\n", "grid: expects key.key"),
        ("base: base.yaml\nlist: []\n", "line 2: list: expects a list of mappings"),
        ("base: base.yaml\nlist: [3]\n", "line 2: list.0: expects a mapping"),
        ("base: base.yaml\nseeds: 5\n", "line 2: seeds: expects the first and the last, as in 0-9"),
        ("base: base.yaml\nseeds: 5-2\n", "expects the first and the last, as in 0-9"),
        ("base: base.yaml\nseeds: [-1]\n", "expects the first and the last, as in 0-9"),
        ("base: base.yaml\nseeds: 0-999999\n", "expects at most 10,000 seeds"),
        ("base: base.yaml\nseeds: [1, 2, 1]\n", "the same values stand twice; keep one"),
        (
            "base: base.yaml\ngrid: {optimizer.lr: [0.1, 1e-1]}\n",
            "two trials are called lr=0.1,seed=0: the same values stand twice",
        ),
        (
            "base: base.yaml\ngrid: {net.weights: [a/b, a;b]}\n",
            "two trials are called weights=a_b,seed=0: their values differ only in",
        ),
        (
            "base: base.yaml\nset: {optimizer.lr: 1}\ngrid: {optimizer.lr: [0.1]}\n",
            "line 3: grid.optimizer.lr: optimizer.lr stands in set: too; keep one",
        ),
        (
            "base: base.yaml\nlist: [{optimizer.lr: 1}]\ngrid: {optimizer.lr: [0.1]}\n",
            "optimizer.lr stands in grid: too; keep one",
        ),
        ("base: base.yaml\nset: {training.seed: 1}\n", "training.seed stands under seeds:"),
        (
            "base: base.yaml\ngrid: {a.b: [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 11]}\nseeds: 0-999\n",
            "makes 11,000 trials; expects at most 10,000",
        ),
        ("- 3\n", "expects a mapping"),
    ],
)
def test_what_makes_no_sweep_is_refused(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        SweepFile(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "base: base.yaml\ngrid:\n  optimizer.lr: [0.1]\n  optimizer.momentun: [0.9]\n",
            "s.yaml, line 4: optimizer.momentun: unknown key",
        ),
        (
            "base: base.yaml\ngrid:\n  optimizer.type: [SGD,\n    Adan]\n",
            "s.yaml, line 4: optimizer.type: unknown type Adan; did you mean Adam?",
        ),
        (
            "base: base.yaml\ngrid:\n  training.batch_sise: [10]\n",
            "s.yaml, line 3: training.batch_sise: unknown key; did you mean batch_size?",
        ),
        (
            "base: base.yaml\nlist:\n  - {optimizer.lr: 0.1}\n  - {optimizer.lr: -1}\n",
            "s.yaml, line 4: optimizer.lr: ",
        ),
        (
            "base: base.yaml\nset:\n  net.layers.relu.type: Relu\n",
            "s.yaml, line 3: net.layers.relu.type: there is no net.layers.relu",
        ),
    ],
)
def test_a_value_that_the_configuration_refuses_is_said_with_its_line(tmp_path, text, said):
    with pytest.raises(ConfigError) as error:
        sweep(written(tmp_path, text), tmp_path / "out", quiet=True)
    assert said in str(error.value)
    assert not (tmp_path / "out").exists()  # nothing has been trained


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A sweep of two rates, of which one ends in NaN, and two seeds; with what it has said."""
    folder = tmp_path_factory.mktemp("sweep")
    said, status = sweep(written(folder, GOOD), folder / "out", jobs=2, quiet=True)
    return folder, said, status


def test_a_sweep_leaves_runs_and_a_table(done):
    folder, said, status = done
    assert status == 0
    with (folder / "out" / "trials.csv").open(encoding="utf-8") as file:
        rows = {row["trial"]: row for row in csv.DictReader(file)}
    assert {name: row["state"] for name, row in rows.items()} == {
        **{"lr=0.1,seed=0": "finished", "lr=0.1,seed=1": "finished"},
        **{"lr=1e+38,seed=0": "failed", "lr=1e+38,seed=1": "failed"},
    }
    assert "learning rate too high" in rows["lr=1e+38,seed=0"]["said"]
    assert "lr=1e+38,seed=0 has failed: " in said
    assert f"2 of 4 trials finished, 2 failed, in {folder / 'out'}" in said
    assert said.splitlines()[1].split()[:2] == ["0.1", "2"]
    assert (folder / "out" / "table.txt").read_text(encoding="utf-8") == f"{said}\n"
    assert {"table.csv", "sweep.png"} <= set(os.listdir(folder / "out"))
    run = folder / "out" / "lr=0.1,seed=1"
    assert {"config.yaml", "history.csv", "weights.npz"} <= set(os.listdir(run))
    assert "curves.png" not in os.listdir(
        run
    )  # in tests; that a run draws them is one of test_train


def test_a_trial_is_the_run_that_its_configuration_makes(done, tmp_path, monkeypatch):
    """To the bit, with the same number of threads."""
    monkeypatch.setattr("lamina.commands.train.set_threads", lambda n: None)  # NumPy is loaded
    run = done[0] / "out" / "lr=0.1,seed=1"
    again = tmp_path / "again"
    command = ["train", "--config", str(run / "config.yaml"), "--run-dir", str(again), "--quiet"]
    assert main(command) == 0
    for name in ("loss.csv", "history.csv", "weights.npz"):
        assert (run / name).read_bytes() == (again / name).read_bytes()


def test_what_has_ended_is_not_run_again_and_what_is_missing_is(done, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(done[0], folder)
    before = {p: p.stat().st_mtime_ns for p in (folder / "out").glob("*/loss.csv")}
    shutil.rmtree(folder / "out" / "lr=0.1,seed=1")
    assert main(["sweep", str(folder / "s.yaml"), "--dir", str(folder / "out"), "--quiet"]) == 0
    after = {p: p.stat().st_mtime_ns for p in (folder / "out").glob("*/loss.csv")}
    assert after.keys() == before.keys()
    assert [p.parent.name for p in before if before[p] != after[p]] == ["lr=0.1,seed=1"]
    for name in ("table.csv", "lr=0.1,seed=1/weights.npz"):
        assert (folder / "out" / name).read_bytes() == (done[0] / "out" / name).read_bytes()


def test_more_seeds_may_come_but_no_other_sweep(done, tmp_path, capsys):
    shutil.copytree(done[0], tmp_path / "copy")
    path, out = tmp_path / "copy" / "s.yaml", str(tmp_path / "copy" / "out")
    path.write_text(GOOD.replace("0-1", "0-2").replace(", 1.0e+38", ""), encoding="utf-8")
    assert main(["sweep", str(path), "--dir", out, "--quiet"]) == 0
    assert "3 of 3 trials finished, in" in capsys.readouterr().out
    path.write_text("base: base.yaml\ngrid: {training.batch_size: [10]}\n", encoding="utf-8")
    assert main(["sweep", str(path), "--dir", out, "--quiet"]) == 2
    assert "is the folder of another sweep: varied: " in capsys.readouterr().err
    path.write_text(GOOD, encoding="utf-8")
    (path.parent / "base.yaml").write_text(BASE.replace("lr: 0.1", "lr: 0.2"), encoding="utf-8")
    assert main(["sweep", str(path), "--dir", out, "--quiet"]) == 2
    assert "base.optimizer.lr: 0.1 before, 0.2 now" in capsys.readouterr().err
    assert main(["sweep", str(path), "--dir", str(path.parent), "--quiet"]) == 2
    assert "has other things in it than a sweep" in capsys.readouterr().err


def test_plots_and_compare_take_the_folder_of_a_sweep(done, tmp_path, capsys):
    out = str(done[0] / "out")
    assert main(["compare", out, "--csv"]) == 0
    assert capsys.readouterr().out == (done[0] / "out" / "table.csv").read_text(encoding="utf-8")
    assert main(["plots", out, "-o", str(tmp_path / "c.png")]) == 0
    assert "lr=1e+38,seed=0: has no evaluation yet: left out" in capsys.readouterr().err


def test_a_damaged_list_of_trials_is_one_line(tmp_path):
    (tmp_path / "trials.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"trials\.csv: is damaged"):
        Endings(tmp_path)


def test_a_trial_that_cannot_be_run_is_said_and_the_others_go_on(tmp_path, capsys):
    (tmp_path / "goal.py").write_text(
        "from lamina.training.callbacks import Callback\n"
        "class Goal(Callback):\n"
        "    def evaluated(self, trainer, row):\n"
        "        print('reached')\n"
        "        if trainer.optimizer.lr == 0.1:\n"
        "            raise KeyError('goal')\n"
    )
    path = written(
        tmp_path,
        "base: base.yaml\nset: {training.callbacks: [goal.py:Goal]}\n"
        "grid: {optimizer.lr: [0.1, 0.2]}\n",
    )
    assert main(["sweep", str(path), "--dir", str(tmp_path / "out"), "--quiet"]) == 2
    out, err = capsys.readouterr()
    assert "lr=0.1,seed=0 could not be run: " in err
    assert "goal.py, line 6, in evaluated: KeyError: 'goal'" in err
    assert "1 of 2 trials finished, in" in out
    assert "reached" in (tmp_path / "out" / "lr=0.2,seed=0.log").read_text()  # no answer of a trial


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals for a child: POSIX only")


def begun(tmp_path, until: str, more: str = ""):
    """The process of a sweep that would go on for long, and its folder, when a run has that
    file."""
    text = GOOD.replace("seeds", f"set: {{training.iterations: 1000000{more}}}\nseeds")
    path, out = written(tmp_path, text), tmp_path / "out"
    command = [sys.executable, "-m", "lamina", "sweep", str(path), "--dir", str(out), "--quiet"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
    deadline = time.monotonic() + 60
    while not list(out.glob(f"*/{until}")) and time.monotonic() < deadline:
        time.sleep(0.05)
    return process, path, out


@POSIX
def test_ctrl_c_leaves_all_as_it_should_and_the_runs_can_be_taken_up(tmp_path, monkeypatch):
    monkeypatch.setattr("lamina.commands.train.set_threads", lambda n: None)  # NumPy is loaded
    process, path, out = begun(tmp_path, "checkpoint-*")
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert said == (
        f"interrupted: 0 of 4 trials have ended; to go on: lamina sweep {path} --dir {out}\n"
    )
    assert not errors
    run = out / "lr=0.1,seed=0"
    assert (run / "weights.npz").exists()  # it has ended its iteration, with everything written
    newest = sorted(run.glob("checkpoint-*"))[-1]
    assert main(["train", "--resume", str(run), "--quiet", "--set", _until(newest)]) == 0


@POSIX
def test_a_sweep_that_is_killed_leaves_no_trial_behind(tmp_path):
    """Not even one that hears nothing for long, as in a large evaluation."""
    (tmp_path / "deaf.py").write_text(
        "import time\nfrom lamina.training.callbacks import Callback\n"
        "class Deaf(Callback):\n    def evaluated(self, trainer, row):\n        time.sleep(60)\n"
    )
    process, _, out = begun(tmp_path, "history.csv", ", training.callbacks: [deaf.py:Deaf]")
    second = subprocess.run(process.args, cwd=ROOT, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert second.stderr == f"lamina sweep: {out} is in use by another process; wait for it\n"
    with process:
        process.kill()
    deadline = time.monotonic() + 10
    while True:
        try:
            with locked(out / "lr=0.1,seed=0"):
                return
        except BlockingIOError:
            assert time.monotonic() < deadline, "the trial goes on by itself"
            time.sleep(0.05)


def _until(checkpoint: Path) -> str:
    return f"training.iterations={int(checkpoint.stem.partition('-')[2]) + 10}"


def test_the_page_of_a_sweep_has_its_picture(done, tmp_path):
    path = tmp_path / "r.html"
    assert main(["report", str(done[0] / "out"), "-o", str(path)]) == 0
    page = path.read_text(encoding="utf-8")
    assert "<h2>Values</h2>" in page
    assert page.count("<img ") == 2

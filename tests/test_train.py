"""train.py as a user meets it: the run, its files, its words."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from lamina.commands.frame import main

ROOT = Path(__file__).parent.parent
SHORT = ("--set", "training.iterations=300", "--set", "training.evaluate_every=150")


def train(*arguments, **options):
    command = [sys.executable, str(ROOT / "train.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)


@pytest.fixture
def tried(capsys, monkeypatch):
    """(status, stdout, stderr) of the same words in this process, which takes no second to start:
    of commands that end before they train."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # else the command says how many there are

    def try_out(*arguments):
        try:
            status = main(["train", *arguments], "train.py")
        except SystemExit as end:  # argparse's
            status = end.code
        return status, *capsys.readouterr()

    return try_out


@pytest.mark.needs_mnist
@pytest.mark.usefixtures("curves")
def test_a_run_from_the_command_line(tmp_path):
    done = train("--config", "configs/mnist_relu.yaml", "--run-dir", tmp_path / "run", *SHORT)
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("train ")
    assert last.endswith(str(tmp_path / "run"))
    assert "300/300" in done.stderr
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        *("config.yaml", "history.csv", "loss.csv", "timing.csv", "curves.png", "weights.npz"),
        *("checkpoint-00000300.npz", "facts.json", "layers.csv", "parameters.csv"),
        *("outputs.csv", "provenance.json"),
    }
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert config["training"]["iterations"] == 300
    assert config["training"]["seed"] == 0
    assert config["training"]["threads"] >= 1


def test_the_written_configuration_runs_again_to_the_same_bits(tmp_path):
    train("--run-dir", tmp_path / "a", "--seed", 7, "--quiet", *SHORT)
    done = train("--config", tmp_path / "a" / "config.yaml", "--run-dir", tmp_path / "b", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for name in ("loss.csv", "history.csv", "weights.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    other = train("--run-dir", tmp_path / "c", "--seed", 8, "--quiet", *SHORT)
    assert other.returncode == 0
    assert (tmp_path / "a/loss.csv").read_bytes() != (tmp_path / "c/loss.csv").read_bytes()


@pytest.mark.needs_mnist
@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_two_layer_net_of_note_004_reaches_its_accuracy(tmp_path, seed):
    """Note 004 reports 97.83 % and 96.84 %. The whole main job, three to five seconds.

    These seeds give 98.23, 98.19, 98.11 % (train) and 97.26, 97.10, 96.86 % (test), other
    machines a few hundredths more or less. A rate of 0.07 (97.64 and 96.47 %) is below the bounds.
    """
    config = ("--config", "configs/mnist_relu.yaml")
    done = train(*config, "--run-dir", tmp_path / "run", "--seed", seed, "--quiet")
    assert done.returncode == 0, done.stderr
    history = np.genfromtxt(tmp_path / "run" / "history.csv", delimiter=",", names=True)
    assert history["iteration"][-1] == 10_000
    assert history["train_accuracy"][-1] >= 0.979
    assert history["test_accuracy"][-1] >= 0.966


def test_a_run_directory_is_never_written_over(tmp_path):
    (tmp_path / "keep.txt").write_text("mine")
    done = train("--run-dir", tmp_path, *SHORT)
    assert done.returncode == 2
    assert "is not empty; choose another --run-dir" in done.stderr
    assert (tmp_path / "keep.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--config", "none.yaml"],
            "none.yaml: no such file or configuration; known: addition_attention",
        ),
        (["--set", "optimizer.lr=fast"], "optimizer.lr: expects a number, got the text 'fast'"),
        (["--set", "net.layers.affine1.n_outs=3"], "did you mean n_out?"),
        (["--set", "training.threads=0"], "training.threads: expects at least 1, got 0"),
        (["--set", "training=5"], "training: expects a mapping"),
        (["--run-dir", "README.md"], "README.md is a file; choose another --run-dir"),
        (["--set", "net.layers.relu.type=Tanh"], "did you mean relu1?"),
        (["--set", "optimzer.lr=1"], "train.py: --set: optimzer: unknown key; did you mean opti"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(tried, arguments, words):
    status, out, err = tried(*arguments)
    assert status == 2
    assert words in err
    assert err.startswith("train.py: ")
    assert len(err.strip().splitlines()) == 1
    assert out == ""


def test_a_mistake_is_the_exit_status_of_the_process():
    done = train("--config", "none.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("train.py: none.yaml: no such file or configuration")
    assert len(done.stderr.splitlines()) == 1


def test_reading_a_configuration_does_not_import_numpy():
    """Else the thread count of the configuration would come too late."""
    code = (
        "import sys, lamina.commands.train; from lamina.experiment.config import load_config; "
        "c = load_config('configs/mnist_relu.yaml'); c.set('training.threads=1'); "
        "print('numpy' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "False"


def test_the_thread_count_of_a_configuration_is_in_force(tmp_path):
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    by_environment = train("--run-dir", tmp_path / "a", "--quiet", *SHORT, env=environment)
    assert by_environment.returncode == 0, by_environment.stderr
    config = tmp_path / "a" / "config.yaml"
    assert yaml.safe_load(config.read_text())["training"]["threads"] == 1
    train("--config", config, "--run-dir", tmp_path / "b", "--quiet")
    assert (tmp_path / "a/loss.csv").read_bytes() == (tmp_path / "b/loss.csv").read_bytes()


def test_runs_that_start_together_get_directories_of_their_own(tmp_path):
    command = [sys.executable, str(ROOT / "train.py"), "--quiet", *SHORT]
    command += ["--seed"]
    runs = [
        subprocess.Popen([*command, str(seed)], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for seed in range(2)
    ]
    said = [process.communicate()[0].split()[-1] for process in runs]
    assert len(set(said)) == 2
    for seed, folder in enumerate(said):
        config = yaml.safe_load((tmp_path / folder / "config.yaml").read_text())
        assert config["training"]["seed"] == seed
        assert len((tmp_path / folder / "loss.csv").read_text().splitlines()) == 301


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT for a child: POSIX only")
def test_ctrl_c_is_one_line_and_status_130(tmp_path):
    command = [sys.executable, str(ROOT / "train.py"), "--run-dir", str(tmp_path / "run")]
    command += ["--set", "training.iterations=1000000"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "run" / "timing.csv").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.startswith("interrupted at iteration ")
    assert len(out.strip().splitlines()) == 1
    assert "Traceback" not in err
    assert out.strip().endswith(f"python train.py --resume {tmp_path / 'run'}")
    names = {p.name.split("-")[0] for p in (tmp_path / "run").iterdir()}
    assert {"weights.npz", "history.csv", "checkpoint"} <= names


def test_a_second_ctrl_c_is_one_line_too(monkeypatch, capsys):
    from lamina.commands import train as command

    def press(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", press)
    assert main(["train"], "train.py") == 130
    assert capsys.readouterr().out == (
        "train.py: stopped at once; a run directory can be taken up: --resume RUN\n"
    )


@pytest.mark.parametrize("every", [200, 0])  # with the flight recorder, and by the loss alone
def test_a_run_that_went_wrong_is_said(tmp_path, every):
    environment = {**os.environ, "LAMINA_DATA": str(tmp_path / "data")}
    settings = ("dataset.n_train=300", "dataset.n_test=100", "optimizer.lr=1000000.0")
    settings += ("training.iterations=200", f"training.record_every={every}")
    arguments = [a for s in settings for a in ("--set", s)]
    done = train("--quiet", "--run-dir", tmp_path / "run", *arguments, env=environment)
    assert done.returncode == 0
    found = f"lamina doctor {tmp_path / 'run'} finds: learning rate too high\n"
    assert done.stderr == found


def test_a_run_with_own_layers_goes_on_when_their_file_is_allowed(tmp_path):
    code = "from lamina.layers import Relu\n\n\nclass Mine(Relu):\n    pass\n"
    (tmp_path / "own.py").write_text(code)
    settings = ("dataset.n_train=300", "dataset.n_test=100", "training.iterations=20")
    settings += (f"net.layers.relu1.type={tmp_path / 'own.py'}:Mine",)
    arguments = [a for s in settings for a in ("--set", s)]
    assert train("--quiet", "--run-dir", tmp_path / "run", *arguments).returncode == 0
    longer = ("--quiet", "--resume", tmp_path / "run", "--set", "training.iterations=30")
    refused = train(*longer)
    assert refused.returncode == 2
    assert f"add --code {tmp_path / 'own.py'}" in refused.stderr
    done = train(*longer, "--code", tmp_path / "own.py")
    assert done.returncode == 0, done.stderr
    assert train(*longer, "--code", tmp_path / "own.py", "--verify").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--verify"], "--verify needs --resume RUN"),
        (["--code", "own.py"], "--code: is for --resume"),
        (["--resume", "r", "--run-dir", "s"], "leave --run-dir out"),
        (["--resume", "no_such_run"], "no_such_run: is no run directory: there is no such folder"),
    ],
)
def test_a_resume_that_cannot_be_is_status_2(tried, arguments, words):
    status, _, err = tried(*arguments)
    assert status == 2
    assert words in err


@pytest.mark.parametrize("name", ["loss.csv", "history.csv"])
def test_a_damaged_table_is_one_line_and_status_2(tmp_path, name):
    settings = ("dataset.n_train=300", "dataset.n_test=100", "training.iterations=20")
    settings += ("training.threads=1",)
    arguments = [a for s in settings for a in ("--set", s)]
    assert train("--quiet", "--run-dir", tmp_path / "run", *arguments).returncode == 0
    (tmp_path / "run" / name).write_text("x,y\n1,2\n")
    done = train("--quiet", "--resume", tmp_path / "run", "--set", "training.iterations=30")
    assert done.returncode == 2
    assert done.stderr.startswith(f"train.py: {tmp_path / 'run' / name}: expects the ")
    assert done.stderr.count("\n") == 1


def test_debug_shows_the_traceback(tried):
    status, _, err = tried("--config", "none.yaml", "--debug")
    assert status == 2
    assert "Traceback" in err


def test_help_has_examples():
    done = train("--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout
    assert "--set" in done.stdout

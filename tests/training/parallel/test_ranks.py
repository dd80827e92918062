"""Runs that a launcher of MPI spreads over several processes on this machine."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from lamina.common.table import read_table

ROOT = Path(__file__).parents[3]
SAME = ("loss.csv", "history.csv", "layers.csv", "parameters.csv", "outputs.csv", "weights.npz")
pytestmark = pytest.mark.needs_mpi

CONFIG = """
dataset: {type: DrawnDigits, n_train: 120, n_test: 30, n_validation: 30, flatten: false}
net:
  type: Sequential
  layers:
    flat: {type: Flatten}
    affine1: {type: Affine, n_out: 8}
    norm: {type: BatchNormalization}
    relu: {type: Relu}
    drop: {type: Dropout, p: 0.2}
    acts: {type: acts.py:Acts}
    affine2: {type: Affine, n_out: 10}
  loss: {type: SoftmaxWithLoss}
optimizer:
  {type: Adam, lr: 0.01, clip_norm: 0.5, schedule: {type: plateau, gamma: 0.5, patience: 1}}
training:
  {iterations: 8, batch_size: 14, accumulate: 2, evaluate_every: 2, shards: 4, keep_best: true,
   patience: 50, record_every: 3, augmentation: {shift: 1}, checkpoint: {every: 2, keep: 9}}
"""
ACTS = """
import os, signal
from lamina.layers import Layer

class Acts(Layer):  # what ACT says, "rank what when", before the iteration ends
    passes = 0

    def forward(self, X):
        rank, what, when = os.environ.get("ACT", "0 nothing 0").split()
        if self.training and os.environ.get("PMI_RANK", "0") == rank:
            Acts.passes += 1
            if Acts.passes == int(when):
                if what == "fails":
                    raise ValueError("enough")
                if what != "nothing":
                    os.kill(os.getpid(), int(what))
        return X

    def backward(self, dout):
        return dout
"""


def launched(n, *command, act=None, check=True, cwd=ROOT, timeout=60, **environment):
    """What came of a command on n ranks (None: without a launcher)."""
    folder = Path(sys.executable).parent
    launcher = shutil.which("mpiexec", path=f"{folder}{os.pathsep}{os.environ['PATH']}")
    launcher = [] if n is None else [launcher, "-n", str(n)]
    given = {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environment}
    given |= {"ACT": act} if act else {}
    command = [*launcher, sys.executable, *map(str, command)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, env=os.environ | given, cwd=cwd
    )
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A folder with a configuration, and a run of it by one process, `whole`."""
    room = tmp_path_factory.mktemp("ranks")
    (room / "c.yaml").write_text(CONFIG)
    (room / "acts.py").write_text(textwrap.dedent(ACTS))
    train(room, None, "whole")
    return room


def train(room, n, name, *options, **more):
    given = ("--config", room / "c.yaml", "--run-dir", room / name, "--quiet", *options)
    return launched(n, ROOT / "train.py", *given, LAMINA_DATA=str(room / "data"), **more)


def resume(room, n, name, *options, **more):
    given = ("--resume", room / name, "--code", room / "acts.py", "--quiet", *options)
    return launched(n, ROOT / "train.py", *given, LAMINA_DATA=str(room / "data"), **more)


def different(room, name, names=SAME):
    whole = room / "whole"
    return [n for n in names if (whole / n).read_bytes() != (room / name / n).read_bytes()]


@pytest.mark.parametrize("n", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_the_files_are_the_same_bits_on_any_number_of_ranks(room, n):
    done = train(room, n, str(n), "--set", f"training.threads={n}")
    assert different(room, str(n)) == []
    assert done.stdout.count("run in") == 1


def test_sigterm_on_any_rank_and_on_with_other_numbers_of_ranks(room):
    done = train(room, 2, "ended", act=f"1 {signal.SIGTERM.value} 12", check=False)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stdout.count("interrupted at iteration") == 1
    assert f"mpiexec -n 2 python train.py --resume {room / 'ended'}" in done.stdout
    at = max(int(p.stem[-8:]) for p in (room / "ended").glob("checkpoint*"))
    assert 0 < at < 5
    resume(room, 3, "ended", "--set", "training.iterations=5")
    again = ("--set", "training.iterations=8", "--set", "training.threads=2")
    resume(room, None, "ended", *again)
    assert different(room, "ended") == []


def test_a_rank_that_is_killed_ends_all_and_nothing_is_lost(room):
    done = train(room, 3, "killed", act="1 9 12", check=False)  # in the sixth iteration
    assert done.returncode not in (0, 2)
    (line,) = [line for line in done.stderr.splitlines() if "to go on:" in line]
    assert line.endswith(f"mpiexec -n 3 python train.py --resume {room / 'killed'}")
    resume(room, 2, "killed")
    assert different(room, "killed") == []


def test_a_rank_that_fails_ends_all_and_says_why(room):
    done = train(room, 3, "failed", act="2 fails 6", check=False)
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line.startswith("train.py: ")]
    assert "rank 2 of 3" in said[0]
    assert "ValueError: enough" in said[0]
    assert said[1].endswith(f"mpiexec -n 3 python train.py --resume {room / 'failed'}")
    assert "Traceback" not in done.stderr


def test_fast_is_equal_to_rounding(room):
    train(room, 3, "fast", "--set", "training.reduction=fast", "--set", "training.iterations=4")
    whole, fast = (read_table(room / name / "loss.csv")["loss"] for name in ("whole", "fast"))
    np.testing.assert_allclose(fast, whole[:4], rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "training.shards=1"], "1 shard for 2 ranks; every rank needs one"),
        (["--set", "training.shard=2"], "training.shard: unknown key; did you mean shards?"),
        (["--what"], "unrecognized arguments: --what"),
    ],
    ids=["shards", "key", "option"],
)
def test_a_mistake_is_said_once(room, options, said):
    done = train(room, 2, "never", *options, check=False)
    assert done.returncode == 2
    assert done.stderr.count(said) == 1
    assert done.stderr.count("train.py: ") == 1
    assert done.stdout == ""
    assert not (room / "never").exists()


def test_without_mpi4py_the_extra_is_named_once(room, tmp_path):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('there is none')")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    for rank in (0, 1):
        started = {"PMI_SIZE": "2", "PMI_RANK": str(rank), "PYTHONPATH": path}
        done = train(room, None, "never", check=False, **started)
        assert done.returncode == 2
        assert ("pip install -e '.[mpi]'" in done.stderr) == (rank == 0)
        assert done.stderr.count("\n") == (rank == 0)


def test_other_commands_and_verify_are_for_one_process(room):
    done = launched(None, "-m", "lamina", "plots", room / "whole", check=False, PMI_SIZE="2")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is for one process" in done.stderr
    done = resume(room, 2, "whole", "--verify", check=False)
    assert done.returncode == 2
    assert "--verify trains on one process" in done.stderr
    assert "give the same bits again" in resume(room, None, "whole", "--verify").stdout


def test_whatever_goes_through_shards_is_the_same_on_ranks():
    done = launched(3, "on_ranks.py", "same", cwd=Path(__file__).parent)
    said = ["to the bit", "derivatives and evaluation", "fast", "sums that only some need"]
    assert done.stdout.splitlines() == said


def test_callbacks_are_the_first_ranks_and_a_culprit_is_found_on_any(tmp_path):
    path = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    here = Path(__file__).parent
    done = launched(3, "on_ranks.py", "trainer", tmp_path, cwd=here, PYTHONPATH=path)
    assert done.stdout == "callbacks\ndata\nculprit\n"


@pytest.mark.slow
@pytest.mark.parametrize(("cases", "seconds"), [("resumed", 120), ("crossed", 600)])
def test_what_is_resumed_on_ranks_is_the_whole_of_one_process(tmp_path, cases, seconds):
    path = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    here = Path(__file__).parent
    command = ("on_ranks.py", cases, tmp_path)
    done = launched(2, *command, cwd=here, timeout=seconds, PYTHONPATH=path)
    number, said = done.stdout.split()
    assert said == "resumed"
    assert int(number) >= (64 if cases == "crossed" else 16)


def test_ranks_that_differ_are_refused_by_name(tmp_path):
    done = launched(3, "on_ranks.py", "unlike", tmp_path, cwd=Path(__file__).parent)
    *said, end = [line for line in done.stdout.splitlines() if line.strip()]
    expected = [
        ("rank 1 of 3", "other configuration, optimizer.lr", "0.2, not 0.1"),
        ("rank 2 of 3", "other data, the test set"),
        ("rank 1 of 3", "other code in my.py"),
        ("rank 1 of 3", "other weights to start from, affine.W"),
        ("rank 2 of 3", "other NumPy", "1.0, not"),
        ("rank 1 of 3", "other source of Lamina"),
    ]
    assert len(said) == len(expected)
    for line, parts in zip(said, expected, strict=True):
        assert all(part in line for part in parts), line
        assert line.endswith("all ranks need the same")
    assert end == "the same is not refused"

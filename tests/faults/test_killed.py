"""Runs that are killed, share a directory, or meet a disk that is full."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = (
    *("dataset.n_train=500", "dataset.n_test=100", "training.evaluate_every=100"),
    "training.threads=1",
)
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals for a child: POSIX only")


def train(*arguments, settings=SMALL, **options):
    sets = [argument for setting in settings for argument in ("--set", setting)]
    command = [sys.executable, str(ROOT / "train.py"), "--quiet", *sets, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **options)


@POSIX
def test_a_run_that_is_killed_again_and_again_ends_the_same():
    """A short loop; docs/reliability.md has the long one."""
    command = [sys.executable, str(ROOT / "tests" / "faults" / "kill_loop.py")]
    command += ["--kills", "2", "--iterations", "2010"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == (
        "loss.csv, history.csv, layers.csv, parameters.csv, outputs.csv, weights.npz "
        "are equal to the bit"
    )


@pytest.mark.slow
@POSIX
def test_a_sweep_that_is_killed_ends_with_the_same_table():
    """A short form; docs/reliability.md has the long one."""
    command = [sys.executable, str(ROOT / "tests" / "faults" / "kill_sweep.py"), "--kills", "1"]
    command += ["--optimizers", "SGD", "--rates", "0.1, 1.0e+38", "--seeds", "1"]
    command += ["--iterations", "1000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "the tables and all runs are equal to the bit"


@POSIX
def test_a_directory_belongs_to_one_process_and_a_crash_leaves_no_lock(tmp_path):
    command = [sys.executable, str(ROOT / "train.py"), "--quiet", "--run-dir", str(tmp_path / "r")]
    command += [argument for setting in SMALL for argument in ("--set", setting)]
    command += ["--set", "training.iterations=1000000"]
    command += ["--set", "training.checkpoint={every: 200}"]
    with subprocess.Popen(command, cwd=ROOT) as process:
        deadline = time.monotonic() + 60
        while not list((tmp_path / "r").glob("checkpoint-*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        for more in (("--resume", tmp_path / "r"), ("--resume", tmp_path / "r", "--verify")):
            second = train(*more, settings=())
            assert second.returncode == 2
            assert second.stderr == (
                f"train.py: {tmp_path / 'r'} is in use by another process; wait for it\n"
            )
        process.kill()
    shorter = sorted((tmp_path / "r").glob("checkpoint-*"))[-1].name[11:-4]
    done = train("--resume", tmp_path / "r", settings=[f"training.iterations={int(shorter) + 10}"])
    assert done.returncode == 0, done.stderr


def on_disk(tmp_path, options: str, *arguments):
    """train.py with tmp_path/small a file system of its own, of which tmp_path/copy is left."""
    (tmp_path / "small").mkdir()
    script = 'mount -t tmpfs -o "$2" tmpfs "$1/small" && folder="$1" && shift 2 && "$@"; s=$?; '
    script += 'cp -r "$folder/small" "$folder/copy"; exit $s'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", str(tmp_path), options]
    command += [sys.executable, str(ROOT / "train.py"), "--quiet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def can_mount() -> bool:
    if not shutil.which("unshare"):
        return False
    command = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


MOUNT = pytest.mark.skipif(not can_mount(), reason="cannot mount a small file system: Linux only")
FULL = (*SMALL, "training.iterations=1000", "training.checkpoint={every: 200, keep: 9}")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that has room enough."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert train("--run-dir", folder, settings=FULL).returncode == 0
    return folder


@pytest.mark.often(2)
@MOUNT
@pytest.mark.parametrize("size_kb", [4, 100, 300, 500])
def test_a_disk_that_is_full_is_one_line_and_loses_nothing(tmp_path, whole, size_kb):
    sets = [argument for setting in FULL for argument in ("--set", setting)]
    run_dir, copy = tmp_path / "small" / "run", tmp_path / "copy" / "run"
    done = on_disk(tmp_path, f"size={size_kb}k", "--run-dir", run_dir, *sets)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("cannot be written: No space left on device\n")
    # With room again, it goes on to the same end.
    done = train("--resume", copy, settings=())
    assert done.returncode == 0, done.stderr
    tables = (path.name for path in whole.glob("*.csv") if path.name != "timing.csv")
    for name in (*tables, "weights.npz"):
        assert (whole / name).read_bytes() == (copy / name).read_bytes()


@MOUNT
def test_a_disk_that_is_read_only_is_one_line(tmp_path):
    done = on_disk(tmp_path, "ro", "--run-dir", tmp_path / "small" / "run")
    assert done.returncode == 2
    words = f"{tmp_path / 'small' / 'run'} cannot be written: Read-only file system"
    assert done.stderr == f"train.py: {words}\n"

"""Kill a run with SIGKILL again and again, take it up each time, and compare the end.

    python tests/faults/kill_loop.py --kills 100 [--shards 2] [--ranks 2]

A run that nobody disturbs is made first. Then the same run is begun, killed at a random moment,
resumed, killed again ...; after the last kill it may finish. After every kill, each file that has
its final name must be whole, and no checkpoint that was there may be lost. At the end the tables
and the weights must be equal to those of the first run, to the bit. Exit status 0 if all of it
holds. With --ranks N the run that is killed is spread over N processes by mpiexec, of which any one
is killed; the run that nobody disturbs is of one process. POSIX only.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

SAME = ("loss.csv", "history.csv", "layers.csv", "parameters.csv", "outputs.csv", "weights.npz")
# Much is written for the little that is trained, so that many kills hit a write.
SETTINGS = (
    *("dataset.n_train=2000", "dataset.n_validation=200", "dataset.n_test=200"),
    "training.evaluate_every=25",
    *("training.checkpoint={every: 10, keep: 3, keep_best: true}", "training.threads=1"),
    *("optimizer.type=Adam", "optimizer.lr=0.001", "optimizer.schedule={type: exp, gamma: 0.9999}"),
)


def command(iterations: int, shards: int, *more, ranks: int = 1) -> list[str]:
    launcher = [shutil.which("mpiexec") or "mpiexec", "-n", str(ranks)] if ranks > 1 else []
    settings = (*SETTINGS, f"training.iterations={iterations}", f"training.shards={shards}")
    sets = [argument for setting in settings for argument in ("--set", setting)]
    return [*launcher, sys.executable, str(ROOT / "train.py"), "--quiet", *sets, *map(str, more)]


def check_whole(run_dir: Path, before: int) -> int:
    """The iteration of the newest checkpoint, all of which are read; at least `before`."""
    from lamina.common.table import read_table
    from lamina.experiment.config import load_config
    from lamina.training.checkpoint import load_checkpoint, saved_checkpoints

    if not run_dir.is_dir():
        return 0
    saved = saved_checkpoints(run_dir)
    for path in saved.values():
        load_checkpoint(path)
    newest = max(saved, default=0)
    if newest < before:
        raise SystemExit(f"lost: checkpoint {before} was there, now {newest} is the newest")
    if (run_dir / "config.yaml").exists():
        load_config(run_dir / "config.yaml")
    for name in ("loss", "history", "timing"):
        if (run_dir / f"{name}.csv").exists() and (run_dir / f"{name}.csv").stat().st_size:
            read_table(run_dir / f"{name}.csv")
    return newest


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Kill and resume a run.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--iterations", type=int, default=20_010)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--shards", type=int, default=1, help="of a batch")
    parser.add_argument("--ranks", type=int, default=1, help="of MPI, of which one is killed")
    options = parser.parse_args(arguments)
    ends = options.iterations, max(options.shards, options.ranks)
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        started = time.monotonic()
        subprocess.run(command(*ends, "--run-dir", whole), check=True)
        print(f"undisturbed: {time.monotonic() - started:.0f} s")
        kills = newest = 0
        while kills < options.kills:
            begun = (killed / "config.yaml").exists()
            place = ("--resume", killed) if begun else ("--run-dir", killed)
            process = subprocess.Popen(command(*ends, *place, ranks=options.ranks))
            deadline = time.monotonic() + 60
            at = newest
            # Anywhere from the start of the process to a second into its training.
            if moments.random() < 0.8:
                while at <= newest and process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.005)
                    at = _newest(killed)
            time.sleep(moments.uniform(0.0, 0.4))
            if process.poll() is not None:
                print("the run is finished; give more --iterations", file=sys.stderr)
                return 2
            if not _kill(process, options.ranks, moments):
                continue  # a rank that has just begun, or ended
            kills += 1
            newest = check_whole(killed, newest)
        print(f"{kills} kills, the last at iteration {newest} or after; no checkpoint lost")
        subprocess.run(command(*ends, "--resume", killed, ranks=options.ranks), check=True)
        different = [n for n in SAME if (whole / n).read_bytes() != (killed / n).read_bytes()]
    if different:
        print(f"different at the end: {', '.join(different)}", file=sys.stderr)
        return 1
    print(f"{', '.join(SAME)} are equal to the bit")
    return 0


def _kill(process: subprocess.Popen, ranks: int, moments: random.Random) -> bool:
    """Kill the process, or one of the ranks that it has started, which all the others must follow
    within half a minute. False if there was none."""
    if ranks == 1:
        process.kill()
        process.wait()
        return True
    import psutil  # late: one process needs none

    children = psutil.Process(process.pid).children(recursive=True)
    ours = [p for p in children if "train.py" in " ".join(_words(p))]
    if not ours:
        process.kill()
        process.wait()
        return False
    os.kill(moments.choice(ours).pid, signal.SIGKILL)
    process.wait(timeout=30)
    _, alive = psutil.wait_procs(ours, timeout=30)
    if alive:
        raise SystemExit(f"{len(alive)} ranks live on")
    return True


def _words(process) -> list[str]:
    import psutil

    try:
        return process.cmdline()
    except psutil.Error:  # gone meanwhile
        return []


def _newest(run_dir: Path) -> int:
    from lamina.training.checkpoint import saved_checkpoints

    return max(saved_checkpoints(run_dir), default=0) if run_dir.is_dir() else 0


if __name__ == "__main__":
    sys.exit(main())

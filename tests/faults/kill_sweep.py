"""Kill a sweep with SIGKILL again and again, take it up each time, and compare the table.

    python tests/faults/kill_sweep.py --kills 5

3 optimizers x 3 rates x 3 seeds on drawn digits, once undisturbed; then once more, the process of
the sweep alone killed at random moments of its training, which must end its trials too. The table
and the runs must be equal to those of the first, to the bit. Exit status 0 if they are. POSIX only.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

SAME = ("loss.csv", "history.csv", "parameters.csv", "outputs.csv", "weights.npz")
TEXT = """\
base: digits_relu
set:
  dataset.n_train: 1000
  dataset.n_validation: 300
  dataset.n_test: 300
  training.iterations: {iterations}
  training.evaluate_every: 50
  training.checkpoint: {{every: 20}}
grid:
  optimizer.type: [{optimizers}]
  optimizer.lr: [{rates}]
seeds: 0-{last}
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Kill and resume a sweep.")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=600)
    parser.add_argument("--optimizers", default="SGD, Momentum, Adam")
    parser.add_argument("--rates", default="0.1, 0.01, 1.0e+25", help="the last of which gives NaN")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--moments", type=int, default=0, help="the seed of the moments")
    options = parser.parse_args(arguments)
    moments = random.Random(options.moments)
    with tempfile.TemporaryDirectory() as folder:
        path, whole, killed = (Path(folder) / name for name in ("s.yaml", "whole", "killed"))
        path.write_text(TEXT.format(last=options.seeds - 1, **vars(options)), encoding="utf-8")
        command = [sys.executable, "-m", "lamina", "sweep", str(path), "--quiet"]
        command += ["--jobs", str(options.jobs)]
        started = time.monotonic()
        subprocess.run([*command, "--dir", whole], check=True, cwd=ROOT)
        seconds = time.monotonic() - started
        print(f"undisturbed: {seconds:.0f} s")
        for kill in range(options.kills):
            process = subprocess.Popen([*command, "--dir", killed], cwd=ROOT)
            # By what it has done, not by the clock: a busy machine is slow, and then it is not.
            some = 1 + int(moments.uniform(0, _rows(whole) / (options.kills + 2)))
            enough = _rows(killed) + some
            while _rows(killed) < enough and process.poll() is None:
                time.sleep(0.002)
            if process.poll() is not None:
                print("the sweep is over; give more --iterations", file=sys.stderr)
                return 2
            process.kill()
            process.wait()
            print(f"kill {kill + 1}: {_ended(killed)} trials had ended")
        subprocess.run([*command, "--dir", killed], check=True, cwd=ROOT)
        different = [
            str(path.relative_to(whole))
            for path in sorted(whole.rglob("*"))
            if path.name in (*SAME, "table.csv", "trials.csv")
            and _content(path) != _content(killed / path.relative_to(whole))
        ]
    if different:
        print(f"different at the end: {', '.join(different)}", file=sys.stderr)
        return 1
    print("the tables and all runs are equal to the bit")
    return 0


def _rows(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*/loss.csv"))


def _ended(folder: Path) -> int:
    path = folder / "trials.csv"
    return path.read_text().count("\n") - 1 if path.is_file() else 0


def _content(path: Path):
    """Of trials.csv the states, in any order; what is said there names the folder."""
    if path.name != "trials.csv":
        return path.read_bytes()
    import csv

    return sorted(row[:2] for row in csv.reader(path.read_text().splitlines()))


if __name__ == "__main__":
    sys.exit(main())

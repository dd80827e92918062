"""The whole main job, from the shell to the plot, beside an equal PyTorch script.

    LAMINA_DATA=... python benchmarks/main_job.py      (needs PyTorch and the MNIST files)

Two figures for each: the wall time of the whole process (start, data, training, evaluations,
files, plot), and the training loop with its evaluations alone.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lamina.common.table import read_table

ROOT = Path(__file__).parent.parent


def lamina(folder: Path) -> tuple[float, float]:
    command = ["train.py", "--config", "configs/mnist_relu.yaml", "--quiet", "--run-dir"]
    seconds = _run([*command, str(folder / "run")])
    return seconds, read_table(folder / "run" / "timing.csv")["seconds"][-1]


def torch(folder: Path) -> tuple[float, float]:
    loop = []
    seconds = _run(["benchmarks/main_job_torch.py", str(folder)], loop)
    return seconds, float(loop[0].split()[-1])


def _run(arguments: list[str], output: list[str] | None = None) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - started
    if output is not None:
        output.append(done.stdout.strip())
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, taking turns")
    options = parser.parse_args()
    peers = {"lamina": lamina, "torch": torch}
    found = {name: [] for name in peers}
    for _ in range(options.rounds):
        for name, peer in peers.items():
            with tempfile.TemporaryDirectory() as folder:
                found[name].append(peer(Path(folder)))
    for i, (what, target) in enumerate((("whole process", 0.6), ("training loop", 0.8))):
        ours, theirs = (statistics.median(pair[i] for pair in found[n]) for n in peers)
        verdict = "met" if ours / theirs <= target else "MISSED"
        print(
            f"{what}: lamina {ours:.2f} s, torch {theirs:.2f} s, ratio {ours / theirs:.2f} "
            f"(target {target:.2f}: {verdict})"
        )


if __name__ == "__main__":
    main()

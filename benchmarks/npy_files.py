"""A data set in files beside the same one in memory: images a second, memory, kill and resume.

    python benchmarks/npy_files.py FOLDER --gib 8

FOLDER needs that much room, the machine as much memory for the side that has it all in memory. The
digits are 20,000 drawn ones over and over. What it makes there is removed at the end.
"""

import argparse
import itertools
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

CONFIG = """
dataset: {{type: NPY, inputs: {folder}/x.npy, targets: {folder}/t.npy, validation_share: 0.01}}
net:
  type: Sequential
  layers:
    flatten: {{type: Flatten}}
    affine1: {{type: Affine, n_out: 50}}
    relu1: {{type: Relu}}
    affine2: {{type: Affine, n_out: 10, init: {{type: normal, std: 0.01}}}}
  loss: {{type: SoftmaxWithLoss}}
optimizer: {{type: SGD, lr: 0.1}}
training: {{iterations: 4000, evaluate_every: 4000, checkpoint: {{every: 500}}{more}}}
"""
BLOCK = 64


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gib", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("HOW", "NET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return print(json.dumps(measure(options.folder, *options.child)))
    options.folder.mkdir(parents=True)  # one that is there is somebody's
    try:
        n = write(options.folder, options.gib)
        print(f"{n:,} images, {options.gib:g} GiB")
        speeds(options)
        for name, more in (("uniform", ""), ("blocks", f", shuffle_block: {BLOCK}")):
            killed_and_resumed(options.folder, name, more)
    finally:
        shutil.rmtree(options.folder)
    return None


def write(folder: Path, gib: float) -> int:
    import numpy as np

    from lamina.datasets import draw_digits

    X, t = draw_digits(20_000, 0)
    n = int(gib * 2**30) // 784
    for name, part in (("x", X), ("t", t)):
        shape = (n, 1, 28, 28)[: part.ndim + (part.ndim > 1)]
        with open(folder / f"{name}.npy", "wb") as file:
            said = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, said)
            for start in range(0, n, len(part)):
                file.write(part[: n - start])
    return n


def speeds(options) -> None:
    """Fresh processes that take turns."""
    for net in ("small", "middle", "lenet"):
        found: dict[str, list] = {"memory": [], "uniform": [], "blocks": []}
        for _ in range(options.rounds):
            for how, results in found.items():
                command = [sys.executable, __file__, str(options.folder), "--child", how, net]
                results.append(json.loads(subprocess.check_output(command)))
        memory = statistics.median(r["speed"] for r in found["memory"])
        for how, results in found.items():
            speed = statistics.median(r["speed"] for r in results)
            peak = max(r["peak"] for r in results)
            print(
                f"{net}, {how}: {speed:,.0f} images/s, {speed / memory:.2f} x memory, "
                f"VmHWM {peak:,.0f} MiB",
                flush=True,
            )


def measure(folder: Path, how: str, name: str) -> dict:
    import numpy as np

    from lamina.datasets import NPY, Classification, Dataset, Samples
    from lamina.datasets.dataset import TO_UNIT
    from lamina.layers import Affine, Flatten, Relu, SoftmaxWithLoss
    from lamina.nets import LeNet, Sequential
    from lamina.optimizers import SGD
    from lamina.training.trainer import Trainer

    if how == "memory":
        X, t = np.load(folder / "x.npy"), np.load(folder / "t.npy").astype(np.intp)
        cut = len(X) * 8 // 10
        sets = Samples(X[:cut], t[:cut], *TO_UNIT), Samples(X[cut:], t[cut:], *TO_UNIT)
        data = Dataset(*sets, Classification(range(10)))
    else:
        data = NPY(folder / "x.npy", folder / "t.npy")
    if name == "lenet":
        net, steps = LeNet(rng=0), 150
    else:
        sizes, steps = ((784, 50, 10), 5000) if name == "small" else ((784, 512, 256, 10), 1000)
        layers = {"flatten": Flatten()}
        for i, size in enumerate(itertools.pairwise(sizes)):
            layers |= {f"affine{i}": Affine(*size, rng=0), f"relu{i}": Relu()}
        layers.popitem()
        net = Sequential(layers, loss=SoftmaxWithLoss())
    block = BLOCK if how == "blocks" else None
    optimizer = SGD(net.parameters(), lr=0.01)
    options = {"rng": 0, "iterations": steps, "shuffle_block": block, "quiet": True}
    trainer = Trainer(net, optimizer, data, **options)
    for _ in range(steps // 10):
        trainer.step()
    begun = time.perf_counter()
    for _ in range(steps):
        trainer.step()
    seconds = time.perf_counter() - begun
    return {"speed": 100 * steps / seconds, "peak": memory_of(os.getpid())["VmHWM"]}


def killed_and_resumed(folder: Path, name: str, more: str) -> None:
    """A run straight through and one that is killed on its way: memory, and whether bits agree."""
    config = folder / f"{name}.yaml"
    config.write_text(CONFIG.format(folder=folder, more=more))
    train = [sys.executable, "-m", "lamina", "train", "--quiet"]
    whole, cut = folder / f"{name}-whole", folder / f"{name}-cut"
    begun = time.perf_counter()
    peaks = watched([*train, "--config", str(config), "--run-dir", str(whole)])
    seconds = time.perf_counter() - begun
    there = cut / "checkpoint-1500.npz"
    watched([*train, "--config", str(config), "--run-dir", str(cut)], until=there)
    resumed = watched([*train, "--resume", str(cut)])
    same = all(
        (whole / file).read_bytes() == (cut / file).read_bytes()
        for file in ("weights.npz", "loss.csv", "history.csv")
    )
    peaks = {key: max(peaks[key], resumed[key]) for key in peaks}
    said = ", ".join(f"{key} at most {value:,.0f} MiB" for key, value in peaks.items())
    print(
        f"lamina train, {name}: {said}; {seconds:.0f} s; killed and resumed: "
        f"{'the same' if same else 'OTHER'} bits",
        flush=True,
    )


def watched(command: list[str], until: Path | None = None) -> dict[str, float]:
    """The peaks of a process in MiB; it is killed as soon as `until` is there."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peaks = {"VmHWM": 0.0, "RssAnon": 0.0}
    while process.poll() is None:
        now = memory_of(process.pid)
        peaks = {key: max(peak, now.get(key, 0.0)) for key, peak in peaks.items()}
        if until is not None and until.exists():
            process.send_signal(signal.SIGKILL)
        time.sleep(0.02)
    if until is None and process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return peaks


def memory_of(pid: int) -> dict[str, float]:
    """{"VmHWM", "RssAnon"} of a process in MiB; nothing of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    kib = {key: fields[key].split()[0] for key in ("VmHWM", "RssAnon") if key in fields}
    return {key: int(value) / 1024 for key, value in kib.items()}


if __name__ == "__main__":
    sys.exit(main())

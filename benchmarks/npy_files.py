"""A data set in files beside the same one in memory: images a second, memory, kill and resume.

    python benchmarks/npy_files.py FOLDER --gib 8

FOLDER needs that much room, the machine as much memory for the side that has it all in memory. The
digits are 20,000 drawn ones over and over. What it makes there is removed at the end.
"""

import argparse
import itertools
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
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)  # one that is there is somebody's
    try:
        n = write(options.folder, options.gib)
        print(f"{n:,} images, {options.gib:g} GiB")
        speeds(options.folder, options.rounds)
        for name, more in (("uniform", ""), ("blocks", f", shuffle_block: {BLOCK}")):
            killed_and_resumed(options.folder, name, more)
    finally:
        shutil.rmtree(options.folder)


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


def speeds(folder: Path, rounds: int) -> None:
    """Trainers in one process that take turns: another process may take the machine meanwhile."""
    import numpy as np

    from lamina.common.memory import keep_memory
    from lamina.datasets import NPY, Classification, Dataset, Samples
    from lamina.datasets.dataset import TO_UNIT

    keep_memory()  # as train.py does
    X, t = np.load(folder / "x.npy"), np.load(folder / "t.npy").astype(np.intp)
    cut = len(X) * 8 // 10
    sets = Samples(X[:cut], t[:cut], *TO_UNIT), Samples(X[cut:], t[cut:], *TO_UNIT)
    memory = Dataset(*sets, Classification(range(10)))
    files, blocks = (NPY(folder / "x.npy", folder / "t.npy") for _ in range(2))
    data = {"memory": (memory, None), "uniform": (files, None), "blocks": (blocks, BLOCK)}
    for net, steps in (("784-50-10", 300), ("784-512-256-10", 60), ("LeNet", 8)):
        trainers = {how: trainer_of(net, *pair) for how, pair in data.items()}
        seconds: dict[str, list[float]] = {how: [] for how in trainers}
        for _ in range(rounds + 1):  # the first is for warming up
            for how, trainer in trainers.items():
                begun = time.perf_counter()
                for _ in range(steps):
                    trainer.step()
                seconds[how].append(time.perf_counter() - begun)
        for how, times in seconds.items():
            ratios = [a / b for a, b in zip(seconds["memory"][1:], times[1:], strict=True)]
            speed = 100 * steps / statistics.median(times[1:])
            ratio = statistics.median(ratios)
            print(f"{net}, {how}: {speed:,.0f} images/s, {ratio:.2f} x memory", flush=True)


def trainer_of(name: str, data, block: int | None):
    from lamina.layers import Affine, Flatten, Relu, SoftmaxWithLoss
    from lamina.nets import LeNet, Sequential
    from lamina.optimizers import SGD
    from lamina.training.trainer import Trainer

    if name == "LeNet":
        net = LeNet(rng=0)
    else:
        layers = {"flatten": Flatten()}
        for i, size in enumerate(itertools.pairwise(map(int, name.split("-")))):
            layers |= {f"affine{i}": Affine(*size, rng=0), f"relu{i}": Relu()}
        layers.popitem()
        net = Sequential(layers, loss=SoftmaxWithLoss())
    optimizer = SGD(net.parameters(), lr=0.01)
    return Trainer(net, optimizer, data, rng=0, shuffle_block=block, quiet=True)


def killed_and_resumed(folder: Path, name: str, more: str) -> None:
    """A run straight through and one that is killed on its way: memory, and whether bits agree."""
    config = folder / f"{name}.yaml"
    config.write_text(CONFIG.format(folder=folder, more=more))
    train = [sys.executable, "-m", "lamina", "train", "--quiet"]
    whole, cut = folder / f"{name}-whole", folder / f"{name}-cut"
    begun = time.perf_counter()
    peaks = watched([*train, "--config", str(config), "--run-dir", str(whole)])
    seconds = time.perf_counter() - begun
    there = cut / "checkpoint-00001500.npz"
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
    if until is not None and process.returncode != -signal.SIGKILL:
        raise SystemExit(f"{command} was over before it was killed")
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
    main()

"""Training steps on ranks of MPI: measured on this machine, and a model of more than it has.

    python benchmarks/ranks.py           (needs mpi4py and an mpiexec: pip install -e '.[test]')

Measured: a step on one rank and on two, one thread each, one shard for each rank, and how much of
it goes by in exchanges, waiting for the other rank included. Then the model of docs/
several-machines.md: what a rank does with its rows, as one process takes it alone, and what the
exchanges take by latency and bandwidth, for networks whose two numbers are assumed, not measured.
The model begins with processor time, which other work on the machine disturbs less than the clock.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time

from alternate import median_step

from lamina.common.memory import keep_memory
from lamina.common.ranks import find_ranks

NETS = {  # batch, steps a measurement
    "LeNet": (64, 40),
    "ResidualNet": (64, 10),
    "DeepConvNet": (64, 10),
}
COUNTS = (2, 4, 8, 16, 32, 64)
NETWORKS = {  # seconds a message, bytes a second: assumed
    "1 Gbit Ethernet": (50e-6, 0.117e9),
    "10 Gbit Ethernet": (20e-6, 1.17e9),
    "InfiniBand, 100 Gbit": (2e-6, 11e9),
}


def step_of(name, batch, ranks):
    """A function that takes a step, and the sharded net."""
    import numpy as np

    from lamina import nets
    from lamina.optimizers import Momentum
    from lamina.training.parallel import Sharded

    rng = np.random.default_rng(0)
    X, t = rng.random((batch, 1, 28, 28), dtype=np.float32), rng.integers(0, 10, batch)
    net = getattr(nets, name)(rng=0)  # the residual net as configs/mnist_resnet.yaml has it
    optimizer = Momentum(net.parameters(), lr=0.01, momentum=0.9)
    through = Sharded(net, ranks.size, 1, ranks=ranks) if ranks.size > 1 else net
    net.needs_dX = False

    def step():
        optimizer.zero_grad()
        loss = float(through.loss(X, t))
        through.backward()
        optimizer.step()
        return loss

    return step, sum(param.data.nbytes for param in net.parameters().values())


class Clock:
    """Counts the calls of functions, and the seconds in them."""

    def __init__(self):
        self.calls = self.seconds = 0

    def around(self, function):
        def clocked(*arguments):
            started = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.calls += 1
                self.seconds += time.perf_counter() - started

        return clocked


def on_ranks(ranks, name: str, batch: int, steps: int) -> dict:
    """What a rank of several measures."""
    from lamina.training.parallel import between

    small, large = Clock(), Clock()
    ranks.all = small.around(ranks.all)
    between._sum = large.around(between._sum)
    step, parameters = step_of(name, batch, ranks)
    step()  # the first makes buffers
    small.calls = small.seconds = large.calls = large.seconds = 0
    started = time.perf_counter()
    seconds = median_step(step, 3, steps)
    spent = time.perf_counter() - started
    found = {
        "seconds": seconds,
        "exchanges": small.calls / large.calls,
        "share_small": small.seconds / spent,
        "share_large": large.seconds / spent,
        "bytes": parameters,
    }
    return found | {"latency": median_step(lambda: ranks.all([1.0, 2.0]), 10, 200)}


def alone(ranks, name: str, batch: int, steps: int) -> dict:
    step, parameters = step_of(name, batch, ranks)
    seconds, spent = median_step(step, 3, steps), []
    for _ in range(steps):
        started = time.process_time()
        step()
        spent.append(time.process_time() - started)
    return {"seconds": seconds, "processor": statistics.median(spent), "bytes": parameters}


def worker(n: int, name: str, batch: int, steps: int) -> dict:
    """What n fresh processes measure; rank 0 tells."""
    launcher = [] if n == 1 else [shutil.which("mpiexec") or "mpiexec", "-n", str(n)]
    command = [*launcher, sys.executable, __file__, "--worker", name, str(batch), str(steps)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def exchange_seconds(n: int, size: int, exchanges: float, latency: float, rate: float) -> float:
    """What the exchanges of a step take by the model: of `size` bytes of gradients, and small ones.

    A small exchange is two gatherings, each of log2(n) messages one after the other; gradients are
    sent in slices, n - 1 of them, and gathered: twice (n - 1) / n of their bytes go out.
    """
    small = exchanges * 2 * math.ceil(math.log2(n)) * latency
    large = (n - 1 + math.ceil(math.log2(n))) * latency + 2 * (n - 1) / n * size / rate
    return small + large


def report(name: str, rounds: int, counts: list[int]) -> None:
    batch, steps = NETS[name]
    found = {1: [], 2: []}
    for _ in range(rounds):
        for n, results in found.items():
            results.append(worker(n, name, batch, steps))
    middle = {
        n: {key: statistics.median(one[key] for one in results) for key in results[0]}
        for n, results in found.items()
    }
    one, two = middle[1]["seconds"], middle[2]["seconds"]
    size, exchanges = middle[2]["bytes"], middle[2]["exchanges"]
    print(f"{name}, batches of {batch}, {size / 1e6:.2f} MB of parameters")
    print(f"  measured: 1 rank {1e3 * one:.1f} ms, 2 ranks {1e3 * two:.1f} ms ({two / one:.2f})")
    shares = (100 * middle[2][key] for key in ("share_large", "share_small"))
    print("  of that {:.0f} % in the sum of gradients, {:.0f} % in".format(*shares), end=" ")
    print(f"{exchanges:.0f} small exchanges, waiting included; one such alone", end=" ")
    print(f"{1e6 * middle[2]['latency']:.0f} µs")
    one = middle[1]["processor"]
    shards = {n: worker(1, name, max(batch // n, 1), steps)["processor"] for n in counts}
    print(f"  model: milliseconds a step (times as fast as one rank, {1e3 * one:.1f})")
    print(f"  {'ranks':<22}" + "".join(f"{n:>14}" for n in counts))
    for network, (latency, rate) in NETWORKS.items():
        cells = []
        for n in counts:
            seconds = shards[n] + exchange_seconds(n, size, exchanges, latency, rate)
            cells.append(f"{1e3 * seconds:>7.1f} ({one / seconds:4.1f})")
        print(f"  {network:<22}" + "".join(f"{cell:>14}" for cell in cells))
    print(f"  {'own rows alone':<22}" + "".join(f"{1e3 * shards[n]:>14.1f}" for n in counts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="fresh processes of each")
    parser.add_argument("--net", choices=NETS, help="(default: all)")
    parser.add_argument("--worker", nargs=3, metavar=("NET", "BATCH", "STEPS"), help="measure here")
    options = parser.parse_args()
    if options.worker:
        keep_memory()
        name, batch, steps = options.worker[0], *map(int, options.worker[1:])
        ranks = find_ranks()
        found = (on_ranks if ranks.size > 1 else alone)(ranks, name, batch, steps)
        if ranks.is_first:
            print(json.dumps(found))
        return
    for name in [options.net] if options.net else NETS:
        report(name, options.rounds, list(COUNTS))


if __name__ == "__main__":
    # The libraries read these when they are loaded: one thread in every process that measures.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    main()

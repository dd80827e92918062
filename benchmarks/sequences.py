"""Recurrent layers beside PyTorch, forward and backward, on one thread and on two.

    python benchmarks/sequences.py       (needs PyTorch: pip install -e '.[bench]')

A step takes a batch of float32 sequences that lie ready, N 64 and T 35, goes forward, and back from
a gradient that lies ready to the weights and the inputs. D = H, one layer. On two threads the batch
is cut into two shards, as `training.shards: 2` does, each on one thread of BLAS.
"""

import argparse
import os

from alternate import median_step, medians

from lamina.common.memory import keep_memory
from lamina.common.threads import stop_waiting_early

N, T = 64, 35
TARGETS = {("Lstm", 100): 1.0, ("Lstm", 256): 1.1}  # of PyTorch's time
LAYERS, SIZES, PEERS = ("Rnn", "Lstm", "Gru"), (100, 256), ("lamina", "torch")


def data(size):
    import numpy as np

    rng = np.random.default_rng(0)
    return (rng.standard_normal((N, T, size), dtype=np.float32) for _ in range(2))


def lamina(name, size):
    import copy

    from lamina import layers
    from lamina.training.parallel.team import Team

    X, dout = data(size)
    threads = int(os.environ["OMP_NUM_THREADS"])
    layer = getattr(layers, name)(size, size, rng=0)
    shards = [layer, *(copy.deepcopy(layer) for _ in range(threads - 1))]
    rows = [slice(k * N // threads, (k + 1) * N // threads) for k in range(threads)]
    team = Team(threads)

    def one(k):
        for param in shards[k].parameters().values():
            param.grad = None
        shards[k].forward(X[rows[k]])
        return shards[k].backward(dout[rows[k]])

    def step():
        if threads == 1:
            return one(0)
        parts = team.run(one)
        for other in shards[1:]:
            for param, theirs in zip(
                layer.parameters().values(), other.parameters().values(), strict=True
            ):
                param.accumulate(theirs.grad)
        return parts

    return step


def torch(name, size):
    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    X, dout = (torch.from_numpy(a) for a in data(size))
    X.requires_grad_()
    layer = getattr(nn, name.upper())(size, size, batch_first=True)

    def step():
        layer.zero_grad()
        X.grad = None
        layer(X)[0].backward(dout)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="processes of each peer")
    parser.add_argument("--layer", choices=LAYERS, help="(default: all)")
    parser.add_argument("--size", type=int, help="D = H (default: 100 and 256)")
    parser.add_argument("--threads", type=int, choices=(1, 2), help="(default: both)")
    parser.add_argument("--peer", choices=PEERS, help="measure one here, print milliseconds a step")
    options = parser.parse_args()
    if options.peer:
        if options.peer == "lamina":
            stop_waiting_early()  # as train.py does
            keep_memory()
        make = lamina if options.peer == "lamina" else torch
        print(1e3 * median_step(make(options.layer, options.size), 5, 40))
        return
    for threads in [options.threads] if options.threads else (2, 1):
        # The libraries read these when they are loaded: in the processes that measure.
        os.environ |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        for name in [options.layer] if options.layer else LAYERS:
            for size in [options.size] if options.size else SIZES:
                arguments = ["--layer", name, "--size", str(size)]
                found = medians(__file__, list(PEERS), arguments, options.rounds)
                ratio, target = found["lamina"] / found["torch"], TARGETS.get((name, size))
                times = ", ".join(f"{peer} {found[peer]:.1f} ms" for peer in PEERS)
                verdict = ""
                if target is not None:
                    verdict = f" (target {target:.2f}: {'met' if ratio <= target else 'MISSED'})"
                where = f"{name} {size}, {threads} thread{'s' * (threads > 1)}"
                print(f"{where}: {times}, ratio {ratio:.2f}{verdict}")


if __name__ == "__main__":
    main()

"""Multi-head attention forward and backward beside PyTorch, on one thread and on two.

    python benchmarks/attention.py         (needs PyTorch: pip install -e '.[bench]')

A step takes a batch of 64 float32 sequences of 35 positions that lies ready, adds a learned table
of positions, attends, and goes back from half the squared distance to a target: gradients of all
weights and of what attention was given. On two threads the batch is cut into two shards, each on
one thread of BLAS (`training.shards: 2`). PyTorch's layer runs as it comes, which gives the mean of
the weights of attention too (ours keeps them), and without them.
"""

import argparse
import os

from alternate import median_step, medians

from lamina.common.memory import keep_memory
from lamina.common.threads import stop_waiting_early

N, T = 64, 35
SIZES = {"100": (100, 4), "256": (256, 8)}  # dimensions, heads
PEERS = ("lamina", "torch", "torch_without_weights")
TARGET = 0.9  # against PyTorch as it comes


def data(n_dims):
    import numpy as np

    return np.random.default_rng(0).standard_normal((2, N, T, n_dims)).astype(np.float32)


def lamina(n_dims, n_heads):
    from lamina.layers import MultiHeadAttention, PositionalEncoding, SquaredErrorLoss
    from lamina.nets import Sequential
    from lamina.training.parallel import Sharded

    X, t = data(n_dims)
    layers = {
        "positions": PositionalEncoding(n_dims, learned=T, rng=0),
        "attention": MultiHeadAttention(n_dims, n_heads, rng=1),
    }
    net = Sequential(layers, loss=SquaredErrorLoss())
    threads = int(os.environ["OMP_NUM_THREADS"])
    if threads > 1:
        net = Sharded(net, threads)
    net.needs_dX = False
    parameters = net.parameters().values()

    def step():
        for param in parameters:
            param.grad = None
        loss = float(net.loss(X, t))
        net.backward()
        return loss

    return step


def torch(n_dims, n_heads, weights):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    X, t = map(torch.from_numpy, data(n_dims))
    attention = torch.nn.MultiheadAttention(n_dims, n_heads, batch_first=True)
    positions = torch.nn.Parameter(torch.zeros(T, n_dims))

    def step():
        attention.zero_grad()
        positions.grad = None
        Z = X + positions
        Y, _ = attention(Z, Z, Z, need_weights=weights)
        loss = 0.5 * ((Y - t) ** 2).sum() / N
        loss.backward()
        return loss.item()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="processes of each peer")
    parser.add_argument("--size", choices=SIZES, help="dimensions (default: all)")
    parser.add_argument("--threads", type=int, choices=(1, 2), help="(default: both)")
    parser.add_argument("--peer", choices=PEERS, help="measure one here, print milliseconds a step")
    options = parser.parse_args()
    if options.peer:
        sizes = SIZES[options.size]
        if options.peer == "lamina":
            stop_waiting_early()  # as train.py does
            keep_memory()
            step = lamina(*sizes)
        else:
            step = torch(*sizes, options.peer == "torch")
        print(1e3 * median_step(step, 5, 40))
        return
    for threads in [options.threads] if options.threads else (1, 2):
        # The libraries read these when they are loaded: in the processes that measure.
        os.environ |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        for size in [options.size] if options.size else SIZES:
            n_dims, n_heads = SIZES[size]
            found = medians(__file__, list(PEERS), ["--size", size], options.rounds)
            print(f"D {n_dims}, {n_heads} heads, {threads} thread{'s' * (threads > 1)}:")
            for peer, milliseconds in found.items():
                print(f"  {peer:<21} {milliseconds:8.1f} ms a step")
            for peer in PEERS[1:]:
                ratio = found["lamina"] / found[peer]
                verdict = "met" if ratio <= TARGET else "MISSED"
                verdict = f"   (target {TARGET:.2f}: {verdict})" if peer == "torch" else ""
                print(f"  lamina / {peer:<21} {ratio:5.2f}{verdict}")


if __name__ == "__main__":
    main()

"""Training steps of two MLPs beside PyTorch, and beside their bare matrix products.

    python benchmarks/mlp.py             (needs PyTorch: pip install -e '.[bench]')

A step is all that training does: gather a batch of uint8 rows and scale it, forward, backward,
SGD update, and the loss as a Python float. The products alone are the five or eight matrix
products of such a step, on float32 arrays that lie ready: a floor that no framework on the same
BLAS can pass.
"""

import argparse
import itertools

import numpy as np
from alternate import median_step, medians

NETS = {  # sizes, batch, steps per process, target against PyTorch and against the products
    "784-50-10": ([784, 50, 10], 100, 3000, 0.70, 3.0),
    "784-512-256-10": ([784, 512, 256, 10], 128, 400, 1.0, 1.6),
}
ROWS = 60_000


def data():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (ROWS, 784), dtype=np.uint8)
    return X, rng.integers(0, 10, ROWS)


def lamina(sizes, batch):
    from lamina.common.memory import keep_memory
    from lamina.datasets import Classification, Dataset, Samples
    from lamina.layers import Affine, Relu, SoftmaxWithLoss
    from lamina.nets import Sequential
    from lamina.optimizers import SGD
    from lamina.training.trainer import Trainer

    keep_memory()  # as train.py does
    rng = np.random.default_rng(0)
    chain = {}
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes), 1):
        chain[f"affine{i}"] = Affine(n_in, n_out, rng=rng)
        chain[f"relu{i}"] = Relu()
    chain.popitem()  # no ReLU on the scores
    net = Sequential(chain, loss=SoftmaxWithLoss())
    samples = Samples(*data(), scale=1 / 255)
    dataset = Dataset(samples, samples, Classification(range(10)))
    trainer = Trainer(net, SGD(net.parameters(), lr=0.1), dataset, rng=rng, batch_size=batch)
    net.needs_dX = False
    return trainer.step


def torch(sizes, batch):
    import torch
    from torch import nn

    torch.manual_seed(0)
    modules = []
    for n_in, n_out in itertools.pairwise(sizes):
        modules += [nn.Linear(n_in, n_out), nn.ReLU()]
    net = nn.Sequential(*modules[:-1])
    loss_function, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1)
    X, t = (torch.from_numpy(a) for a in data())
    order, cursor = torch.randperm(ROWS), 0

    def step():
        nonlocal cursor
        rows = order[cursor : cursor + batch]
        cursor = (cursor + batch) % (ROWS - batch)
        optimizer.zero_grad()
        loss = loss_function(net(X[rows].to(torch.float32).mul_(1 / 255)), t[rows])
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def products(sizes, batch):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((batch, n), dtype=np.float32) for n in sizes]
    d = [rng.standard_normal((batch, n), dtype=np.float32) for n in sizes]
    W = [rng.standard_normal(shape, dtype=np.float32) for shape in itertools.pairwise(sizes)]

    def step():
        for i, w in enumerate(W):
            X[i] @ w
        for i in reversed(range(len(W))):
            X[i].T @ d[i + 1]
            if i:
                d[i + 1] @ W[i].T

    return step


PEERS = {"lamina": lamina, "torch": torch, "products": products}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="processes of each peer")
    parser.add_argument("--net", choices=NETS, help="(default: all)")
    parser.add_argument("--peer", choices=PEERS, help="measure one here, print microseconds a step")
    options = parser.parse_args()
    if options.peer:
        sizes, batch, steps, *_ = NETS[options.net]
        print(1e6 * median_step(PEERS[options.peer](sizes, batch), steps // 10, steps))
        return
    for name in [options.net] if options.net else NETS:
        _, batch, _, to_torch, to_products = NETS[name]
        found = medians(__file__, list(PEERS), ["--net", name], options.rounds)
        print(f"{name}, batch {batch}: medians of {options.rounds} processes each")
        for peer, microseconds in found.items():
            print(f"  {peer:<10} {microseconds:8.0f} µs a step")
        for peer, target in (("torch", to_torch), ("products", to_products)):
            ratio = found["lamina"] / found[peer]
            verdict = "met" if ratio <= target else "MISSED"
            print(f"  lamina / {peer:<10} {ratio:5.2f}   (target {target:.2f}: {verdict})")


if __name__ == "__main__":
    main()

"""Training steps of convolutional nets beside PyTorch, on one thread and on two.

    python benchmarks/convnet.py         (needs PyTorch: pip install -e '.[bench]')

A step takes a batch of float32 images that lie ready, goes forward and backward, updates by SGD
with momentum and gives the loss as a Python float. On two threads the batch is cut into two
shards (`training.shards: 2`), each on one thread of BLAS. PyTorch runs as it comes, and once more
with images and weights channels-last in memory, which suits its convolutions better.
"""

import argparse
import os

from alternate import median_step, medians

from lamina.common.memory import keep_memory
from lamina.common.threads import stop_waiting_early

NETS = {  # batch, steps per process, targets against PyTorch as it comes and channels-last
    "LeNet": (64, 60, {"torch": 0.7, "channels_last": 1.0}),
    "SimpleConvNet": (100, 50, {"torch": 0.6, "channels_last": 0.6}),
    "DeepConvNet": (100, 20, {"torch": 0.9, "channels_last": 0.9}),
}
PEERS = ("lamina", "torch", "channels_last")


def data(batch):
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.random((batch, 1, 28, 28), dtype=np.float32), rng.integers(0, 10, batch)


def lamina(name, batch):
    from lamina import nets
    from lamina.optimizers import Momentum
    from lamina.training.parallel import Sharded

    X, t = data(batch)
    net = getattr(nets, name)(rng=0)
    threads = int(os.environ["OMP_NUM_THREADS"])
    if threads > 1:
        net = Sharded(net, threads)
    net.needs_dX = False
    optimizer = Momentum(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        optimizer.zero_grad()
        loss = float(net.loss(X, t))
        net.backward()
        optimizer.step()
        return loss

    return step


def torch_modules(name):
    from torch import nn

    if name == "LeNet":
        return [
            *(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)),
        ]
    if name == "SimpleConvNet":
        return [
            *(nn.Conv2d(1, 30, 5), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(4320, 100), nn.ReLU(), nn.Linear(100, 10)),
        ]
    modules, c_in = [], 1
    for i, c_out in enumerate((16, 16, 32, 32, 64, 64), 1):
        modules += [nn.Conv2d(c_in, c_out, 3, padding=2 if i == 4 else 1), nn.ReLU()]
        modules += [nn.MaxPool2d(2)] if i % 2 == 0 else []
        c_in = c_out
    modules += [nn.Flatten(), nn.Linear(1024, 50), nn.ReLU(), nn.Dropout(), nn.Linear(50, 10)]
    return [*modules, nn.Dropout()]


def torch(name, batch, channels_last=False):
    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    X, t = (torch.from_numpy(a) for a in data(batch))
    net = nn.Sequential(*torch_modules(name))
    if channels_last:
        X = X.contiguous(memory_format=torch.channels_last)
        net = net.to(memory_format=torch.channels_last)
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        optimizer.zero_grad()
        loss = loss_function(net(X), t)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="processes of each peer")
    parser.add_argument("--net", choices=NETS, help="(default: all)")
    parser.add_argument("--threads", type=int, choices=(1, 2), help="(default: both)")
    parser.add_argument("--peer", choices=PEERS, help="measure one here, print milliseconds a step")
    options = parser.parse_args()
    if options.peer:
        batch, steps, _ = NETS[options.net]
        if options.peer == "lamina":
            stop_waiting_early()  # as train.py does
            keep_memory()
            step = lamina(options.net, batch)
        else:
            step = torch(options.net, batch, options.peer == "channels_last")
        print(1e3 * median_step(step, 5, steps))
        return
    for threads in [options.threads] if options.threads else (2, 1):
        # The libraries read these when they are loaded: in the processes that measure.
        os.environ |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        for name in [options.net] if options.net else NETS:
            batch, _, targets = NETS[name]
            found = medians(__file__, list(PEERS), ["--net", name], options.rounds)
            print(f"{name}, batch {batch}, {threads} thread{'s' * (threads > 1)}:")
            for peer, milliseconds in found.items():
                print(f"  {peer:<14} {milliseconds:8.1f} ms a step")
            for peer in PEERS[1:]:
                ratio, target = found["lamina"] / found[peer], targets.get(peer)
                verdict = "" if target is None else f"   (target {target:.2f}: "
                if target is not None:
                    verdict += "met)" if ratio <= target else "MISSED)"
                print(f"  lamina / {peer:<14} {ratio:5.2f}{verdict}")


if __name__ == "__main__":
    main()

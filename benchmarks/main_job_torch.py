"""The main job written for PyTorch: what configs/mnist_relu.yaml does, with the same evaluations,
tables and plot. Prints the seconds of the training loop. See main_job.py."""

import csv
import sys
import time
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import nn

from lamina.datasets import MNIST


def main(folder: Path) -> None:
    torch.manual_seed(0)
    data = MNIST()
    train, test = (
        (torch.from_numpy(part.X), torch.from_numpy(part.t)) for part in (data.train, data.test)
    )
    net = nn.Sequential(nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 10))
    loss_function, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1)
    losses, rows = [], []
    started = time.perf_counter()
    order, cursor = torch.randperm(60_000), 0
    for iteration in range(1, 10_001):
        batch = order[cursor : cursor + 100]
        cursor += 100
        if cursor == 60_000:
            order, cursor = torch.randperm(60_000), 0
        optimizer.zero_grad()
        loss = loss_function(net(scaled(train[0][batch])), train[1][batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if iteration % 600 == 0 or iteration == 10_000:
            rows.append((iteration, accuracy(net, *train), accuracy(net, *test)))
    seconds = time.perf_counter() - started
    with open(folder / "loss.csv", "w", newline="") as file:
        csv.writer(file).writerows(enumerate(losses, 1))
    with open(folder / "history.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    torch.save(net.state_dict(), folder / "weights.pt")
    draw(folder / "curves.png", losses, rows)
    print(f"train {rows[-1][1]:.4f}, test {rows[-1][2]:.4f}, loop seconds {seconds}")


def scaled(X):
    return X.to(torch.float32).mul_(1 / 255)


@torch.no_grad()
def accuracy(net, X, t) -> float:
    net.eval()
    starts = range(0, len(X), 1000)
    right = sum(
        int((net(scaled(X[s : s + 1000])).argmax(1) == t[s : s + 1000]).sum()) for s in starts
    )
    net.train()
    return right / len(X)


def draw(path: Path, losses, rows) -> None:
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(losses)
    right.plot([r[0] for r in rows], [r[1] for r in rows])
    right.plot([r[0] for r in rows], [r[2] for r in rows])
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A step of skip-gram with negative sampling by the size of the vocabulary: sparse and whole.

    python benchmarks/words.py

A step draws the wrong words, goes forward and back, and updates by AdaGrad with its checks, as
`lamina train` does: batches of 200, 5 wrong words, 50 dimensions, on one thread. Words are drawn as
often as in a text (Zipf). Sizes take turns, so that what else the machine does falls on all.
"""

import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from lamina.datasets import Classification, Dataset, NoiseWords
from lamina.datasets.words import WordSamples
from lamina.layers import DotProducts, Embedding, MeanStep, NegativeSamplingLoss
from lamina.nets import Graph, Node
from lamina.optimizers import AdaGrad
from lamina.training.trainer import Trainer

SIZES, WHOLE, ROUNDS, STEPS = (1_000, 10_000, 100_000, 1_000_000), 100_000, 15, 20


def trainer(n_words: int, sparse: bool) -> Trainer:
    rng = np.random.default_rng(0)
    noise = NoiseWords(1.0 / np.arange(1, n_words + 1))
    X = noise.draw(rng, (20_000, 2))
    samples = WordSamples(X, rng.integers(0, 6, len(X)), noise, 5, 0)
    sizes = {"n_words": n_words, "n_dims": 50, "sparse": sparse, "rng": rng}
    net = Graph(
        {
            "words": Node(Embedding(**sizes), "known"),
            "vector": MeanStep(),
            "candidates": Node(Embedding(**sizes), "others"),
            "scores": Node(DotProducts(), ["vector", "candidates"]),
        },
        inputs=["known", "others"],
        losses=NegativeSamplingLoss(),
    )
    data = Dataset(samples, samples, Classification(range(6)))
    optimizer = AdaGrad(net.parameters(), lr=0.1)
    return Trainer(net, optimizer, data, rng=0, iterations=10**6, batch_size=200, quiet=True)


def main():
    runs = {(n, True): trainer(n, True) for n in SIZES}
    runs |= {(n, False): trainer(n, False) for n in SIZES if n <= WHOLE}
    times = {key: [] for key in runs}
    for round_ in range(ROUNDS + 1):
        for key, run in runs.items():
            steps = STEPS if key[1] else 3
            started = time.process_time()
            for _ in range(steps):
                run.step()
            if round_:  # the first makes what AdaGrad keeps
                times[key].append((time.process_time() - started) / steps)
    first = min(times[SIZES[0], True])
    for (n, sparse), seconds in times.items():
        kind = "sparse" if sparse else "whole"
        best = min(seconds)
        print(f"{n:>9,} words, {kind}: {1e3 * best:7.2f} ms, {best / first:5.2f} of the first")


if __name__ == "__main__":
    main()

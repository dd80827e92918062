"""Training steps of configs/text_gpt.yaml beside the same net in PyTorch, on one thread and on two.

    python benchmarks/text_gpt.py        (needs PyTorch: pip install -e '.[bench]')

A step takes a batch of 20 windows of 64 characters that lies ready, goes forward and backward,
clips the gradients by their norm, updates by AdamW and gives the loss as a Python float. On two
threads the batch is cut into two shards, each on one thread of BLAS. PyTorch attends by its fused
`scaled_dot_product_attention`; both have the weights in the same places and the same dropout.
"""

import argparse
import os
from pathlib import Path

from alternate import median_step, medians

from lamina.common.memory import keep_memory
from lamina.common.threads import stop_waiting_early

BATCH, LENGTH, DIMS, HEADS, BLOCKS, P = 20, 64, 64, 4, 3, 0.05
PEERS, TARGET = ("lamina", "torch"), 1.0


def lamina():
    from lamina.experiment.build_trainer import build_trainer
    from lamina.experiment.config import load_config

    config = load_config(Path(__file__).parents[1] / "configs" / "text_gpt.yaml")
    threads = int(os.environ["OMP_NUM_THREADS"])
    config.data["training"] |= {"threads": threads, "shards": threads}
    trainer = build_trainer(config, quiet=True)
    X, t = trainer.dataset.train[:BATCH]
    worker, optimizer = trainer.worker, trainer.optimizer

    def step():
        optimizer.zero_grad()
        loss = float(worker.loss(X, t))
        worker.backward()
        optimizer.step()
        return loss

    return step


def torch():
    import torch
    from torch import nn
    from torch.nn import functional

    from lamina.datasets import Text

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    text = Path(__file__).parents[1] / "configs" / "lamina.txt"
    data = Text(text, length=LENGTH, stride=16, validation_share=0.1)
    X, t = (torch.from_numpy(a.astype(int)) for a in data.train[:BATCH])

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.RMSNorm(DIMS), nn.RMSNorm(DIMS)
            self.inside, self.outside = nn.Linear(DIMS, 3 * DIMS), nn.Linear(DIMS, DIMS)
            self.wide, self.narrow = nn.Linear(DIMS, 4 * DIMS), nn.Linear(4 * DIMS, DIMS)
            self.drop = nn.Dropout(P)

        def forward(self, X):
            parts = self.inside(self.norm1(X)).view(BATCH, LENGTH, 3, HEADS, -1)
            Q, K, V = parts.permute(2, 0, 3, 1, 4)
            Y = functional.scaled_dot_product_attention(Q, K, V, is_causal=True)
            Y = Y.transpose(1, 2).reshape(BATCH, LENGTH, DIMS)
            X = X + self.drop(self.outside(Y))
            hidden = functional.gelu(self.wide(self.norm2(X)), approximate="tanh")
            return X + self.drop(self.narrow(hidden))

    class Gpt(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(data.n_words, DIMS)
            self.positions = nn.Parameter(0.1 * torch.randn(LENGTH, DIMS))
            self.first, self.last, self.drop = nn.RMSNorm(DIMS), nn.RMSNorm(DIMS), nn.Dropout(P)
            self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
            self.bias = nn.Parameter(torch.zeros(data.n_words))

        def forward(self, X):
            Y = self.drop(self.first(self.embedding(X) + self.positions))
            return functional.linear(self.last(self.blocks(Y)), self.embedding.weight, self.bias)

    net = Gpt()
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.006, weight_decay=0.05)

    def step():
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(X).flatten(0, 1), t.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    step.size = sum(p.numel() for p in net.parameters())
    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="processes of each peer")
    parser.add_argument("--threads", type=int, choices=(1, 2), help="(default: both)")
    parser.add_argument("--peer", choices=PEERS, help="measure one here, print milliseconds a step")
    options = parser.parse_args()
    if options.peer:
        stop_waiting_early()  # as train.py does
        keep_memory()
        print(1e3 * median_step(globals()[options.peer](), 5, 60))
        return
    for threads in [options.threads] if options.threads else (1, 2):
        # The libraries read these when they are loaded: in the processes that measure.
        os.environ |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        found = medians(__file__, list(PEERS), [], options.rounds)
        ratio = found["lamina"] / found["torch"]
        verdict = "met" if ratio <= TARGET else "MISSED"
        print(
            f"{threads} thread{'s' * (threads > 1)}: lamina {found['lamina']:.1f} ms, "
            f"torch {found['torch']:.1f} ms, ratio {ratio:.2f} (target {TARGET:.2f}: {verdict})"
        )


if __name__ == "__main__":
    main()

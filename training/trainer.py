"""The training loop."""

import sys
import time
from pathlib import Path

import numpy as np

from datasets import Dataset, Samples
from datasets.minibatches import Minibatches
from training.checkpoint import save_checkpoint, save_weights
from training.history import History

_EVALUATION_ROWS = 1000  # a batch of this size stays in cache and keeps BLAS busy


class Trainer:
    """Minibatch training of a net, with evaluation, history and a progress bar.

    `iterations` updates on batches of `batch_size`; every `evaluate_every` iterations (default: an
    epoch), and at the end, the accuracy on all training and test samples. With a run directory,
    `run` leaves there the tables, weights.npz and a checkpoint.
    """

    def __init__(
        self,
        net,
        optimizer,
        dataset: Dataset,
        *,
        rng: np.random.Generator,
        iterations: int = 10_000,
        batch_size: int = 100,
        evaluate_every: int | None = None,
        run_dir: Path | None = None,
        quiet: bool = False,
    ):
        if iterations < 1:
            raise ValueError(f"iterations: expects at least 1, got {iterations}")
        if evaluate_every is not None and evaluate_every < 1:
            raise ValueError(f"evaluate_every: expects at least 1, got {evaluate_every}")
        self.net, self.optimizer, self.dataset = net, optimizer, dataset
        self.minibatches = Minibatches(len(dataset.train), batch_size, rng)
        self.iterations = iterations
        self.evaluate_every = evaluate_every or max(len(dataset.train) // batch_size, 1)
        self.run_dir, self.quiet = run_dir, quiet
        self.iteration = 0

    def run(self) -> History:
        """Train up to `iterations`; returns the history. Raises FloatingPointError if the loss is
        no longer finite: every update after that would be lost."""
        history = History(self.run_dir)
        started, evaluated_at = time.perf_counter(), self.iteration
        wanted, self.net.needs_dX = self.net.needs_dX, False
        try:
            # A loss that overflows is reported below, in words; NumPy's warnings would drown them.
            with self._bar() as bar, np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                while self.iteration < self.iterations:
                    history.add_loss(self.step())
                    if self.iteration % 50 == 0:
                        bar.update(self.iteration - bar.n)
                    if self._evaluation_due():
                        seconds = time.perf_counter() - started
                        row = self.evaluate(history)
                        images = (self.iteration - evaluated_at) * self.minibatches.batch_size
                        history.add_evaluation(row, images, seconds)
                        bar.update(self.iteration - bar.n)
                        bar.set_postfix_str(_postfix(row))
                        started, evaluated_at = time.perf_counter(), self.iteration
        finally:
            self.net.needs_dX = wanted
            history.close()
        if self.run_dir is not None:
            save_weights(self.run_dir / "weights.npz", self.net)
            name = f"checkpoint-{self.iteration:08d}.npz"
            save_checkpoint(self.run_dir / name, self.state())
        return history

    def step(self) -> float:
        """One update; returns the loss of its batch, before the update."""
        X, t = self.dataset.train[next(self.minibatches)]
        self.optimizer.zero_grad()
        loss = float(self.net.loss(X, t))
        self.iteration += 1
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} at iteration {self.iteration}; a smaller learning rate "
                f"(now {self.optimizer.lr:g}) usually helps"
            )
        self.net.backward()
        self.optimizer.step()
        return loss

    def evaluate(self, history: History) -> dict:
        """A row of history.csv: mean loss of the batches since the last one, and accuracies."""
        since = history.evaluations[-1]["iteration"] if history.evaluations else 0
        return {
            "iteration": self.iteration,
            "epoch": self.iteration * self.minibatches.batch_size / len(self.dataset.train),
            "loss": float(np.mean(history.losses[since:])),
            "train_accuracy": accuracy(self.net, self.dataset.train),
            "test_accuracy": accuracy(self.net, self.dataset.test),
            "lr": self.optimizer.lr,
        }

    def state(self) -> dict[str, dict]:
        """All that decides how training goes on, as arrays by part and name."""
        return {
            "net": self.net.state(),
            "minibatches": self.minibatches.state(),
            "trainer": {"iteration": np.array(self.iteration)},
        }

    def load_state(self, state: dict[str, dict]) -> None:
        """Go on exactly where `state()` was taken."""
        self.net.load_state(state["net"])
        self.minibatches.load_state(state["minibatches"])
        self.iteration = int(state["trainer"]["iteration"])

    def _evaluation_due(self) -> bool:
        return self.iteration % self.evaluate_every == 0 or self.iteration == self.iterations

    def _bar(self):
        from tqdm import tqdm  # late: nobody but a running trainer needs it

        return tqdm(
            total=self.iterations,
            initial=self.iteration,
            desc="training",
            unit="it",
            disable=self.quiet,
            file=sys.stderr,
            dynamic_ncols=True,
        )


def accuracy(net, samples: Samples) -> float:
    """The share of samples that the net classifies rightly, in batches."""
    right = 0.0
    for start in range(0, len(samples), _EVALUATION_ROWS):
        X, t = samples[start : start + _EVALUATION_ROWS]
        right += net.accuracy(X, t) * len(t)
    return right / len(samples)


def _postfix(row: dict) -> str:
    train, test = (100 * row[k] for k in ("train_accuracy", "test_accuracy"))
    return f"loss {row['loss']:.4f}, train {train:.2f} %, test {test:.2f} %"

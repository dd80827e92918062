"""The training loop."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from datasets import Dataset, Samples
from datasets.minibatches import Minibatches
from training.checkpoint import save_checkpoint, save_weights
from training.gradient_penalty import add_penalised_gradient
from training.health.culprit import find_culprit
from training.health.finite import FiniteCheck, NonFiniteError, check_loss
from training.health.recorder import DEFAULT_INTERVAL, Recorder
from training.health.words import explain, wrapped
from training.history import History
from training.interrupt import Interrupt


class Trainer:
    """Minibatch training of a net, with evaluation, history and a progress bar.

    `iterations` updates on batches of `batch_size`, each the mean over `accumulate` batches;
    `gradient_penalty` λ adds λ ‖∇L‖² to the loss that is minimised; `augmentation` changes the
    inputs of each training batch, and of nothing else, as datasets.augmentation does. Every
    `evaluate_every` iterations (default: an epoch), and at the end, the accuracy on all training
    and test samples. `patience` evaluations without a better test accuracy end the run early;
    `keep_best` puts back the weights of the best one at the end. `callbacks` are called after each
    evaluation with the trainer and the row of the history; one that returns True ends the run.

    With a run directory, `run` leaves there the tables, weights.npz and a checkpoint, and every
    `record_every` iterations (0 or None: never) what training.health.recorder notes. Ctrl-C ends
    the run after its iteration, with everything written; `interrupted` says so.
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
        accumulate: int = 1,
        gradient_penalty: float = 0.0,
        augmentation: Callable[[np.ndarray], np.ndarray] | None = None,
        evaluate_every: int | None = None,
        patience: int | None = None,
        keep_best: bool = False,
        record_every: int | None = DEFAULT_INTERVAL,
        callbacks=(),
        run_dir: Path | None = None,
        quiet: bool = False,
    ):
        counts = {"iterations": iterations, "accumulate": accumulate}
        counts |= {"evaluate_every": evaluate_every, "patience": patience}
        for name, value in counts.items():
            if value is not None and value < 1:
                raise ValueError(f"{name}: expects at least 1, got {value}")
        if record_every is not None and record_every < 0:
            raise ValueError(f"record_every: expects at least 0 (never), got {record_every}")
        if gradient_penalty < 0:
            raise ValueError(f"gradient_penalty: expects at least 0, got {gradient_penalty}")
        self.gradient_penalty, self.augmentation = gradient_penalty, augmentation
        self.net, self.optimizer, self.dataset = net, optimizer, dataset
        self.minibatches = Minibatches(len(dataset.train), batch_size, rng)
        self.iterations, self.accumulate = iterations, accumulate
        self.images_per_step = batch_size * accumulate
        self.evaluate_every = evaluate_every or max(len(dataset.train) // self.images_per_step, 1)
        self.patience, self.keep_best, self.callbacks = patience, keep_best, list(callbacks)
        self.run_dir, self.quiet = run_dir, quiet
        self.iteration, self.interrupted = 0, False
        self.record_every, self.recorder = record_every, None
        self.finite, self.batch = FiniteCheck(optimizer.parameters), None
        self._best, self._best_state, self._since_best = -1.0, None, 0

    def run(self) -> History:
        """Train up to `iterations`; returns the history. Raises NonFiniteError, before the update,
        if the loss or a gradient is no longer finite: every update after that would be lost."""
        history = History(self.run_dir, self.iteration)
        if self.run_dir is not None and self.record_every:
            self.recorder = Recorder(self.run_dir, self, self.record_every)
        wanted, self.net.needs_dX = self.net.needs_dX, False
        # A loss that overflows is reported in words; NumPy's warnings would drown them.
        quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
        try:
            start = self.state()
            with self._bar() as bar, Interrupt() as interrupt, quiet:
                self._loop(history, bar, interrupt)
        except NonFiniteError as error:
            history.close()  # whatever becomes of the search
            raise self._explained(error, lambda: start, history.losses) from None
        finally:
            self.net.needs_dX = wanted
            history.close()
            if self.recorder is not None:
                self.recorder.close()
        if self._best_state is not None:
            self.net.load_state(self._best_state)
        if self.run_dir is not None:
            save_weights(self.run_dir / "weights.npz", self.net)
            name = f"checkpoint-{self.iteration:08d}.npz"
            save_checkpoint(self.run_dir / name, self.state())
        return history

    def step(self) -> float:
        """One update; returns the loss of its batches, before the update. Raises NonFiniteError,
        and updates nothing, if the loss or a gradient is not finite."""
        if self.recorder is not None and self.recorder.is_due(self.iteration + 1):
            with self.recorder.recording(self):
                return self._step()
        return self._step()

    def _step(self) -> float:
        self.optimizer.zero_grad()
        loss = 0.0
        for _ in range(self.accumulate):
            rows = next(self.minibatches)
            X, t = self.dataset.train[rows]
            if self.augmentation is not None:
                X = self.augmentation(X)
            self.batch = rows, X, t  # what the recorder and a search for a culprit look at
            loss += self._loss_and_gradient(X, t) / self.accumulate
            check_loss(loss, self.iteration + 1, self.optimizer.lr)
        self.finite.gradients(self.iteration + 1)
        self.optimizer.step()
        self.iteration += 1
        return loss

    def _loss_and_gradient(self, X, t) -> float:
        scale = 1.0 / self.accumulate
        if self.gradient_penalty:
            return add_penalised_gradient(self.net, X, t, self.gradient_penalty, scale)
        loss = float(self.net.loss(X, t))
        self.net.backward(scale)
        return loss

    def evaluate(self, history: History) -> dict:
        """A row of history.csv: mean loss of the batches since the last one, and accuracies."""
        return {
            "iteration": self.iteration,
            "epoch": self.iteration * self.images_per_step / len(self.dataset.train),
            "loss": history.mean_loss(),
            "train_accuracy": accuracy(self.net, self.dataset.train),
            "test_accuracy": accuracy(self.net, self.dataset.test),
            "lr": self.optimizer.lr,
        }

    def state(self) -> dict[str, dict]:
        """All that decides how training goes on, as arrays by part and name."""
        state = {
            "net": self.net.state(),
            "optimizer": self.optimizer.state(),
            "minibatches": self.minibatches.state(),
            "trainer": {"iteration": np.array(self.iteration)},
        }
        if self._augments:
            state["augmentation"] = self.augmentation.state()
        return state

    def load_state(self, state: dict[str, dict]) -> None:
        """Go on exactly where `state()` was taken. Raises ValueError, and changes nothing, if it
        was taken with an augmentation and there is none now, or the other way round."""
        if self._augments != ("augmentation" in state):
            words = ("without an", "with an")
            raise ValueError(
                f"Trainer: the state is of a run {words['augmentation' in state]} augmentation, "
                f"but this one trains {words[self._augments]} augmentation"
            )
        self.net.load_state(state["net"])
        self.optimizer.load_state(state["optimizer"])
        self.minibatches.load_state(state["minibatches"])
        if self._augments:
            self.augmentation.load_state(state["augmentation"])
        self.iteration = int(state["trainer"]["iteration"])

    @property
    def _augments(self) -> bool:
        """Is there an augmentation with a state of its own? A plain function has none."""
        return hasattr(self.augmentation, "state")

    def _explained(self, error: NonFiniteError, last_state, losses: list[float]) -> NonFiniteError:
        """The error with its culprit, which is found by a replay from last_state() and saved."""
        if not self.quiet:
            print(f"{error.noticed}; replaying to find out why", file=sys.stderr)
        with np.errstate(all="ignore"):
            culprit = find_culprit(self, error, last_state)
        said = explain(culprit, error.noticed, losses, self.optimizer.lr)
        if self.run_dir is not None:
            culprit.save(self.run_dir / "culprit.json", error.noticed, said)
            said += f"\n  python -m training.doctor {self.run_dir} says what led to it"
        return NonFiniteError(error.iteration, error.noticed, wrapped(said), culprit)

    def _loop(self, history: History, bar, interrupt: Interrupt) -> None:
        started, evaluated_at = time.perf_counter(), self.iteration
        while self.iteration < self.iterations:
            history.add_loss(self.step())
            self.interrupted = interrupt.requested
            if self.iteration % 50 == 0:
                bar.update(self.iteration - bar.n)
            if not (self._evaluation_due() or self.interrupted):
                continue
            seconds = time.perf_counter() - started
            self.finite.weights(self.net, self.iteration)
            row = self.evaluate(history)
            images = (self.iteration - evaluated_at) * self.images_per_step
            watching = self.finite.seconds + (self.recorder.seconds if self.recorder else 0.0)
            history.add_evaluation(row, images, seconds, watching)
            bar.update(self.iteration - bar.n)
            bar.set_postfix_str(_postfix(row))
            stop = [callback(self, row) for callback in self.callbacks]
            if self._is_enough(row["test_accuracy"]) or self.interrupted or True in stop:
                return
            started, evaluated_at = time.perf_counter(), self.iteration

    def _is_enough(self, test_accuracy: float) -> bool:
        """Note the best evaluation; true if `patience` evaluations have brought nothing better."""
        if test_accuracy > self._best:
            self._best, self._since_best = test_accuracy, 0
            if self.keep_best:
                self._best_state = self.net.state()
        else:
            self._since_best += 1
        return self.patience is not None and self._since_best >= self.patience

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
    for X, t in samples.batches():
        right += net.accuracy(X, t) * len(t)
    return right / len(samples)


def _postfix(row: dict) -> str:
    train, test = (100 * row[k] for k in ("train_accuracy", "test_accuracy"))
    return f"loss {row['loss']:.4f}, train {train:.2f} %, test {test:.2f} %"

"""The training loop."""

import contextlib
import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lamina.common.files import remove
from lamina.datasets import Dataset, Samples
from lamina.datasets.minibatches import Minibatches
from lamina.diagnosis.culprit import find_culprit
from lamina.diagnosis.recorder import DEFAULT_INTERVAL, Recorder
from lamina.diagnosis.words import explain, wrapped
from lamina.nets.weights import save_weights
from lamina.training.best import Best
from lamina.training.checkpoint import Checkpoints, load_checkpoint
from lamina.training.finite import FiniteCheck, NonFiniteError, check_loss
from lamina.training.gradient_penalty import add_penalised_gradient
from lamina.training.history import History
from lamina.training.interrupt import Interrupt, Interrupted


class Trainer:
    """Minibatch training of a net, with evaluation, history and a progress bar.

    `iterations` updates on batches of `batch_size`, each the mean over `accumulate` batches;
    `gradient_penalty` λ adds λ ‖∇L‖² to the loss that is minimised; `augmentation` changes the
    inputs of each training batch, and of nothing else, as datasets.augmentation does. Every
    `evaluate_every` iterations (default: an epoch), and at the end, the accuracy on all training
    and test samples. `patience` evaluations without a better test accuracy end the run early;
    `keep_best` puts back the weights of the best one at the end. `callbacks` are called after each
    evaluation with the trainer and the row of the history; one that returns True ends the run.

    With a run directory, `run` leaves there the tables, weights.npz and `checkpoints`; `about` goes
    into each of these, to be read by whoever takes the run up; and every `record_every` iterations
    (0 or None: never) what training.health.recorder notes. SIGINT and SIGTERM end the run after
    its iteration, with everything written; `interrupted` is then the number of the signal. A
    search for what made a loss NaN begins at the last checkpoint; without a run directory at the
    start, of which a copy is kept.
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
        checkpoints: Checkpoints | None = None,
        about: dict[str, np.ndarray] | None = None,
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
        self.patience, self.best, self.callbacks = patience, Best(keep_best), list(callbacks)
        self.checkpoints, self.about = checkpoints or Checkpoints(), about or {}
        self.run_dir, self.quiet = run_dir, quiet
        self.history, self.iteration = History(), 0
        self.interrupted: int | None = None
        self.record_every, self.recorder = record_every, None
        self.finite, self.batch = FiniteCheck(optimizer.parameters), None
        self._watched = 0.0  # seconds spent on health that the history knows of
        self._saved = 0  # the iteration of the last checkpoint; the start needs none

    def run(self) -> History:
        """Train up to `iterations`; returns the history. Raises NonFiniteError, before the update,
        if the loss or a gradient is no longer finite: every update after that would be lost."""
        if self.run_dir is not None:
            self.history.open(self.run_dir, self.iteration)
            remove(self.run_dir / "culprit.json")  # of a failure before
            if self.record_every:
                self.recorder = Recorder(self.run_dir, self, self.record_every)
        self._good = _giving(self.state())  # where a search for a culprit begins
        wanted, self.net.needs_dX = self.net.needs_dX, False
        # A loss that overflows is reported in words; NumPy's warnings would drown them.
        quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
        try:
            with self._bar() as bar, Interrupt() as interrupt, quiet:
                try:
                    self._loop(bar, interrupt)
                except NonFiniteError as error:
                    bar.close()
                    self._flush_what_can_be()
                    raise self._explained(error, interrupt.check) from None
                self.interrupted = interrupt.signal
        except BaseException:
            self._flush_what_can_be()
            raise
        finally:
            self.net.needs_dX = wanted
        return self.history

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

    def evaluate(self, check: Callable[[], None] = lambda: None) -> dict:
        """A row of history.csv: mean loss of the batches since the last one, and accuracies.
        `check` is called between batches."""
        return {
            "iteration": self.iteration,
            "epoch": self.iteration * self.images_per_step / len(self.dataset.train),
            "loss": self.history.mean_loss(),
            "train_accuracy": accuracy(self.net, self.dataset.train, check),
            "test_accuracy": accuracy(self.net, self.dataset.test, check),
            "lr": self.optimizer.lr,
        }

    def state(self) -> dict[str, dict]:
        """All that decides how training goes on, as arrays by part and name."""
        state = {
            "net": self.net.state(),
            "optimizer": self.optimizer.state(),
            "minibatches": self.minibatches.state(),
            "history": self.history.state(),
            "trainer": {"iteration": np.array(self.iteration)},
            **self.best.state(),
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
        iteration, best_net = int(state["trainer"]["iteration"]), state.get("best_net")
        if not 0 <= int(state["history"]["evaluated"]) <= iteration:
            raise ValueError(f"Trainer: the state is of iteration {iteration}, which cannot be")
        if best_net is not None:
            self.net.load_state(best_net)  # does it fit? It is needed only at the end
        self.net.load_state(state["net"])
        self.optimizer.load_state(state["optimizer"])
        self.minibatches.load_state(state["minibatches"])
        self.history.load_state(state["history"])
        if self._augments:
            self.augmentation.load_state(state["augmentation"])
        self.best.load_state(state)
        self.iteration = self._saved = iteration

    @property
    def _augments(self) -> bool:
        """Is there an augmentation with a state of its own? A plain function has none."""
        return hasattr(self.augmentation, "state")

    def _loop(self, bar, interrupt: Interrupt) -> None:
        """Evaluate, save, step, until the run is over: in this order, so that a run that goes on
        from a checkpoint does the same things at the same iterations as one that never stopped."""
        self._lap, stopped = (time.perf_counter(), self.iteration), False
        while True:
            better = False
            if self.iteration % self.evaluate_every == 0:
                better, stopped = self._evaluate(bar, interrupt)
            enough = self.patience is not None and self.best.since >= self.patience
            over = self.iteration >= self.iterations or stopped or enough
            over = over or interrupt.signal is not None
            if over or self.checkpoints.due(self.iteration) or better:
                self._save()
            if over:
                break
            self.history.add_loss(self.iteration + 1, self.step())
            if self.iteration % 50 == 0:
                bar.update(self.iteration - bar.n)
        # The end of a run that is not due for an evaluation gets one, which the checkpoint leaves
        # out: whoever goes on from there goes on as if the run had always been longer.
        self._evaluate(bar, interrupt)
        bar.update(self.iteration - bar.n)
        self._finish()

    def _evaluate(self, bar, interrupt: Interrupt) -> tuple[bool, bool]:
        """Evaluate, unless that is done already or a signal has come; returns whether it is the
        best so far and its checkpoint wanted, and whether a callback ends the run."""
        if self.history.evaluated == self.iteration:
            return False, False
        started, iteration = self._lap
        images = (self.iteration - iteration) * self.images_per_step
        seconds = time.perf_counter() - started
        self.finite.weights(self.net, self.iteration)
        try:
            row = self.evaluate(interrupt.check)
        except Interrupted:
            return False, False
        watching = self.finite.seconds + (self.recorder.seconds if self.recorder else 0.0)
        self.history.recorder_seconds += watching - self._watched
        self._watched = watching
        self.history.add_evaluation(row, images, seconds)
        bar.update(self.iteration - bar.n)
        bar.set_postfix_str(_postfix(row))
        better = self.best.note(row, self.net)
        stop = [callback(self, row) for callback in self.callbacks]
        self._lap = time.perf_counter(), self.iteration
        return better and self.checkpoints.keep_best, True in stop

    def _save(self) -> None:
        """Write a checkpoint, the tables up to it first, unless it is there already."""
        if self.run_dir is None or self._saved == self.iteration:
            return
        started = time.perf_counter()
        self.finite.weights(self.net, self.iteration)
        self._flush(sync=True)
        parts = {**self.state(), "about": self.about}
        path = self.checkpoints.save(self.run_dir, parts, self.iteration, self.best.iteration)
        self._saved, self._good = self.iteration, functools.partial(load_checkpoint, path)
        self.history.checkpoint_seconds += time.perf_counter() - started

    def _flush(self, sync: bool = False) -> None:
        self.history.flush(sync)
        if self.recorder is not None:
            self.recorder.flush(sync)

    def _flush_what_can_be(self) -> None:
        with contextlib.suppress(OSError):  # what ended the run is the thing to tell
            self._flush()

    def _explained(self, error: NonFiniteError, check: Callable[[], None]) -> NonFiniteError:
        """The error with its culprit, found by a replay from the last checkpoint, and saved."""
        if not self.quiet:
            print(f"{error.noticed}; replaying to find out why", file=sys.stderr)
        with np.errstate(all="ignore"):
            culprit = find_culprit(self, error, self._good, check)
        said = explain(culprit, error.noticed, self.history.losses, self.optimizer.lr)
        if self.run_dir is not None:
            with contextlib.suppress(OSError):  # what it says is said all the same
                culprit.save(self.run_dir / "culprit.json", error.noticed, said)
            said += f"\n  lamina doctor {self.run_dir} says what led to it"
        return NonFiniteError(error.iteration, error.noticed, wrapped(said), culprit)

    def _finish(self) -> None:
        self._flush()
        if self.best.net_state is not None:
            self.net.load_state(self.best.net_state)
        if self.run_dir is not None:
            save_weights(self.run_dir / "weights.npz", self.net)

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


def accuracy(net, samples: Samples, check: Callable[[], None] = lambda: None) -> float:
    """The share of samples that the net classifies rightly, in batches; `check` is called before
    each of them."""
    right = 0.0
    for X, t in samples.batches():
        check()
        right += net.accuracy(X, t) * len(t)
    return right / len(samples)


def _giving(value) -> Callable:
    return lambda: value


def _postfix(row: dict) -> str:
    train, test = (100 * row[k] for k in ("train_accuracy", "test_accuracy"))
    return f"loss {row['loss']:.4f}, train {train:.2f} %, test {test:.2f} %"

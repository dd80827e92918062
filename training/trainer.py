"""The training loop."""

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lamina.common.counts import check_count, is_count
from lamina.common.fingerprint import fingerprint
from lamina.common.folder import Folder, placed
from lamina.common.notice import note
from lamina.common.ranks import Alone
from lamina.datasets import Dataset
from lamina.layers.carried import carried_by
from lamina.optimizers.schedules import schedule_problem
from lamina.training.accumulation import Accumulation
from lamina.training.batches import Batch, Batches
from lamina.training.best import Best
from lamina.training.callbacks import Callback, Function, ProgressBar, memory
from lamina.training.callbacks.base import name_of
from lamina.training.checkpoint import Checkpoints, digest
from lamina.training.evaluator import Evaluator
from lamina.training.history import History
from lamina.training.interrupt import Interrupt, Interrupted
from lamina.training.objective import make_objective
from lamina.training.parallel import ORDERED, Sharded, check_reduction
from lamina.training.plan import Plan, ScheduleMisfit
from lamina.training.run_files import RunFiles
from lamina.training.squashed import squashed
from lamina.training.watch import NonFiniteError, Watch


class Trainer:
    """Minibatch training of a net, with evaluations, a history and a progress bar.

    `iterations` updates, or `epochs` passes, on batches of `batch_size`, each the mean over
    `accumulate` batches; `gradient_penalty` λ adds λ ‖∇L‖² to the loss that is minimised;
    `augmentation` changes the inputs of each training batch, and of nothing else;
    `shuffle_block` shuffles the samples in blocks of so many neighbours. With `shards` each batch
    is cut into so many parts, which threads work on side by side, and with `ranks` the processes
    that MPI has started (training.parallel, which says what `reduction` is); then rank 0 alone
    writes, prints and calls the callbacks. Every `evaluate_every` iterations (default: an epoch),
    and at the end, the loss and the `metrics` (default: those of the data set's task) of every set.
    `callbacks` are objects of training.callbacks.Callback, or functions (trainer, row) called after
    each evaluation, which end the run if they return True.

    What chooses looks at the validation set, at the first metric: `patience` evaluations without a
    better one end the run early, `keep_best` puts back the weights of the best one at the end, and
    a schedule may lower the rate. Raises ValueError if there is no validation set to choose by.

    With a run directory, which is new or empty, `run` leaves there a configuration, the tables,
    weights.npz and `checkpoints`, into each of which `provenance` goes. SIGINT and SIGTERM end the
    run after its iteration, with everything written; `interrupted` is then the number of the
    signal, and `ended_by` says what else has ended it early. `watch` looks on at every step:
    training.watch.Watch, the default, stops a run whose loss, gradients or weights are no longer
    finite; lamina.diagnosis.Diagnosis also says where that came from, and records the layers.
    """

    def __init__(
        self,
        net,
        optimizer,
        dataset: Dataset,
        *,
        rng: np.random.Generator | int,
        iterations: int | None = None,
        epochs: float | None = None,
        batch_size: int = 100,
        accumulate: int = 1,
        shards: int = 1,
        reduction: str = ORDERED,
        gradient_penalty: float = 0.0,
        augmentation: Callable[[np.ndarray], np.ndarray] | None = None,
        shuffle_block: int | None = None,
        metrics=None,
        evaluate_every: int | None = None,
        patience: int | None = None,
        keep_best: bool = False,
        callbacks=(),
        checkpoints: Checkpoints | None = None,
        watch: Watch | None = None,
        provenance: dict[str, np.ndarray] | None = None,
        run_dir: str | Path | None = None,
        quiet: bool = False,
        ranks: Alone | None = None,
    ):
        check_count("accumulate", accumulate)
        if accumulate > 1 and gradient_penalty:
            raise ValueError(
                f"accumulate: {accumulate} batches add up to one large one, but gradient_penalty "
                "is of the gradient of each batch, which is another than that of all: take a "
                "larger batch_size, with shards if need be, and accumulate: 1"
            )
        self.net, self.optimizer, self.dataset = net, optimizer, dataset
        if not is_count(shards, 1) or shards > batch_size:
            raise ValueError(
                f"shards: expects at least 1, and no more than the {batch_size} rows of a batch, "
                f"got {shards}"
            )
        check_reduction(reduction)
        self.ranks = ranks = ranks or Alone()
        quiet = quiet or not ranks.is_first
        self.worker = net  # what batches go through
        if shards > 1 or ranks.size > 1:
            self.worker = Sharded(net, shards, ranks=ranks, reduction=reduction)
        self.left_alone = optimizer.check_net(net)
        if self.left_alone and not quiet:
            names = ", ".join(self.left_alone)
            note(f"the optimizer does not know {names}: they stay as they are")
        self.objective, self.accumulate = make_objective(gradient_penalty), accumulate
        generator = np.random.default_rng(rng)
        self.given = {  # of what nothing else keeps as it was given
            "rng": rng if isinstance(rng, int) else fingerprint(generator.bit_generator.state),
            **{"shards": shards, "reduction": reduction, "gradient_penalty": gradient_penalty},
            **{"shuffle_block": shuffle_block, "augmentation": augmentation, "metrics": metrics},
        }
        order = dataset.sampler(batch_size, generator, shuffle_block)
        self.batches = Batches(dataset.train, order, augmentation)
        self._carried = carried_by(self.worker)  # from batch to batch
        if self._carried and not dataset.train.carries and not quiet:
            note(
                "a layer is stateful, but no batch goes on where the last one ended, so it begins "
                "anew in each; {type: Text, streams: true} has such batches"
            )
        per_step = batch_size * accumulate
        self.plan = Plan(order.n, per_step, iterations, epochs, evaluate_every, patience)
        if problem := schedule_problem(optimizer.schedule, self.plan.iterations):
            if optimizer.schedule(self.plan.iterations - 1) == 0:
                raise ScheduleMisfit(f"schedule: {problem}")
            if not quiet:  # a run that is cut short to try something
                note(f"schedule: {problem}")
        self.evaluator = Evaluator(self.worker, dataset, metrics)
        if not quiet and augmentation is not None and dataset.task.name == "reconstruction":
            note(
                "augmentation changes the inputs and not the targets, which are the pictures as "
                "they were: the net learns to undo it, as a denoising autoencoder does"
            )
        if not quiet:
            for message in squashed(net):
                note(f"note: {message}")
        self.best = self._chooser(keep_best, checkpoints)
        self.files = RunFiles(None if run_dir is None else Path(run_dir), checkpoints, provenance)
        self._own_directory = run_dir is not None  # else whoever gives one later has claimed it
        callbacks = callbacks if ranks.is_first else ()
        self.callbacks = [c if isinstance(c, Callback) else Function(c) for c in callbacks]
        if not quiet:
            self.callbacks.insert(0, ProgressBar())
        self.watch, self.quiet = watch or Watch(), quiet
        self.history, self.iteration = History(self.evaluator.columns), 0
        self.interrupted: int | None = None
        self.ended_by = ""  # what has ended the run before its iterations were done
        self.stopped_by = ""  # the callback that has said so at the last evaluation
        self.batch: Batch | None = None  # what a watch looks at
        self.gradient_factor = 1.0  # of gradients of several batches, after their passes
        self._watched = 0.0  # seconds of the watch that the history knows of

    def __repr__(self):
        where = f", run_dir {self.run_dir}" if self.run_dir else ""
        return (
            f"Trainer: iteration {self.iteration} of {self.plan.iterations}, batches of "
            f"{self.batches.batch_size}, {type(self.net).__name__}, {self.optimizer!r}{where}"
        )

    @property
    def nets(self) -> dict:
        """The nets that batches really go through, by the number of their shard: the net, and with
        shards its twins, those of this rank."""
        if not isinstance(self.worker, Sharded):
            return {0: self.net}
        return dict(zip(self.worker.own, self.worker.nets, strict=True))

    def rows_of(self, shard: int) -> np.ndarray:
        """Which samples of the last batch have gone through that one of `nets`. Raises ValueError
        before the first."""
        if self.batch is None:
            raise ValueError("Trainer: there has been no batch yet")
        rows = self.batch.rows
        return rows[self.worker.cut(len(rows))[shard]] if self.worker is not self.net else rows

    @contextlib.contextmanager
    def in_turn(self):
        """Inside, the twins take turns, for those who want to watch them in order."""
        if not isinstance(self.worker, Sharded):
            yield
            return
        threads, self.worker.team.threads = self.worker.team.threads, 1
        try:
            yield
        finally:
            self.worker.team.threads = threads

    @property
    def run_dir(self) -> Path | None:
        """The path of the run directory, as it was given."""
        return None if self.files.folder is None else Path(self.files.folder)

    @run_dir.setter
    def run_dir(self, folder: str | Path | Folder | None) -> None:
        self.files.folder = None if folder is None else placed(folder)

    def run(self) -> History:
        """Train to the end of the plan; returns the history. Raises NonFiniteError, before the
        update, if the loss or a gradient is no longer finite: every update after that would be
        lost."""
        self.ranks.on_first(self._open_files)
        # Whether there are files is for the first rank to say, the others have none.
        self._saves = self.ranks.from_first(lambda: self.run_dir is not None)
        self.watch.started(self)
        state = self.state()
        self.watch.saved(lambda: state)  # where a search for a culprit begins
        wanted, self.net.needs_dX = self.net.needs_dX, False
        # A loss that overflows is reported in words; NumPy's warnings would drown them.
        quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
        try:
            with Interrupt(self.ranks) as interrupt, quiet, self._one_blas_thread():
                try:
                    with self._told_callbacks():
                        self._loop(interrupt)
                        self.interrupted = interrupt.signal  # for callbacks to know
                except NonFiniteError as error:
                    self._flush_what_can_be()
                    raise self.watch.explained(self, error, interrupt.check) from None
        except BaseException:
            self._flush_what_can_be()
            raise
        finally:
            self.net.needs_dX = wanted
            if self._own_directory:
                self.files.let_go()
        return self.history

    def step(self) -> float:
        """One update; returns the loss of its batches, before the update. Raises NonFiniteError,
        and updates nothing, if the loss or a gradient is not finite."""
        with self._one_blas_thread(), self.watch.around_step(self):
            self.optimizer.zero_grad()
            loss = self._one_batch() if self.accumulate == 1 else self._several_batches()
            self.watch.gradients(self)
            self.optimizer.step()
            self.iteration += 1
            return loss

    def _one_blas_thread(self):
        """With shards, whatever is done with their sums: norms for the optimizer, figures."""
        if isinstance(self.worker, Sharded):
            return self.worker.one_blas_thread()
        return contextlib.nullcontext()

    def _next_batch(self) -> Batch:
        self.batch = next(self.batches)
        if self.batches.begins:  # no row goes on where another has ended
            for held in self._carried:
                held.reset(training=True)
        return self.batch

    def _one_batch(self) -> float:
        """The loss of the next batch, whose gradients the parameters then have."""
        batch = self._next_batch()
        loss = self.objective(self.worker, batch.X, batch.t)
        self.watch.loss(self, loss)
        return loss

    def _several_batches(self) -> float:
        """The mean loss of so many batches as make one, and the mean of their gradients."""
        added = Accumulation(self.worker, self.accumulate)
        for _ in range(self.accumulate):
            batch = self._next_batch()
            added.add(self.objective(self.worker, batch.X, batch.t, added.scale))
            self.watch.loss(self, added.loss)
        loss = added.finish(self.optimizer.parameters)
        self.gradient_factor = added.factor
        return loss

    def evaluate(self, check: Callable[[], None] = lambda: None) -> dict:
        """A row of history.csv: mean loss of the batches since the last one, and the figures of
        every set. `check` is called between batches."""
        return {
            "iteration": self.iteration,
            "epoch": self.plan.epoch(self.iteration),
            "loss": self.history.mean_loss(),
            **self.evaluator(check, self.watch.evaluating(self)),
            "lr": self.optimizer.lr,
        }

    def figures(self, row: dict) -> str:
        """A row in words: "loss 0.0612, train 98.23 %, test 97.26 %"."""
        parts = [f"{part} {self.evaluator.shown(row, part)}" for part in self.evaluator.sets]
        loss = row["loss"]
        said = f"{loss:.4f}" if 0.001 <= abs(loss) < 10_000 or loss == 0 else f"{loss:.4g}"
        return ", ".join([f"loss {said}", *parts])

    def state(self) -> dict[str, dict]:
        """All that decides how training goes on, as arrays by part and name."""
        return {
            "net": self.worker.state(),
            "optimizer": self.optimizer.state(),
            **self.batches.state(),
            "history": self.history.state(),
            "trainer": {
                "iteration": np.array(self.iteration),
                "stopped_by": np.array(self.stopped_by),
            },
            **self.best.state(),
            "callbacks": memory.saved(self.callbacks),
        }

    def load_state(self, state: dict[str, dict]) -> None:
        """Go on exactly where `state()` was taken. Raises ValueError, and changes nothing, if it
        was taken with an augmentation and there is none now, or the other way round."""
        self.batches.check_state(state)
        iteration, best_net = int(state["trainer"]["iteration"]), state.get("best_net")
        if not 0 <= int(state["history"]["evaluated"]) <= iteration:
            raise ValueError(f"Trainer: the state is of iteration {iteration}, which cannot be")
        if best_net is not None:
            self.net.load_state(best_net)  # does it fit? It is needed only at the end
        self.worker.load_state(state["net"])
        self.optimizer.load_state(state["optimizer"])
        self.batches.load_state(state)
        self.history.load_state(state["history"])
        self.best.load_state(state)
        remembered = state.get("callbacks", {}) if self.ranks.is_first else {}
        if gone := memory.restore(self.callbacks, remembered):
            note(f"what {', '.join(gone)} remembered is left out: there is no such callback now")
        self.iteration = self.files.saved = iteration
        self.stopped_by = str(state["trainer"].get("stopped_by", ""))

    def _chooser(self, keep_best: bool, checkpoints: Checkpoints | None) -> Best:
        """The best evaluation by the validation set; refused if something needs one and there is
        none: what was chosen by the test set would say too much of itself."""
        wanted = {
            "patience": self.plan.patience is not None,
            "keep_best": keep_best,
            "checkpoint.keep_best": checkpoints is not None and checkpoints.keep_best,
            "a schedule of type plateau": self.optimizer.chooses,
        }
        # Is anything chosen by the validation set? Then its samples count as seen.
        self.chooses, self._said_undefined = any(wanted.values()), False
        column = f"validation_{self.evaluator.counts}"
        if column in self.evaluator.columns:
            return Best(column, self.evaluator.higher_is_better, keep_best)
        if needs := next((name for name, is_wanted in wanted.items() if is_wanted), None):
            raise ValueError(
                f"{needs}: chooses by a validation set, and the data set has none; give it one: "
                "dataset: {..., validation_share: 0.1}"
            )
        return Best(None)

    def _loop(self, interrupt: Interrupt) -> None:
        """Evaluate, save, step, until the run is over: in this order, so that a run that goes on
        from a checkpoint does the same things at the same iterations as one that never stopped."""
        self._begin_lap()
        has_begun = False
        if self.stopped_by and not self.ranks.from_first(self._is_still_stopped):
            self.stopped_by = ""
        stepped = [c for c in self.callbacks if type(c).stepped is not Callback.stepped]
        while True:
            better = False
            if self.plan.evaluates(self.iteration):
                better = self._evaluate(interrupt)
            planned = self.plan.is_over(self.iteration, self.best.since)
            ended_by = "patience" if planned else ""
            if self.stopped_by:
                ended_by = f"the callback {self.ranks.from_first(self._stopper)}"
            if ended_by and self.iteration < self.plan.iterations:
                self.ended_by = ended_by
            over = bool(ended_by) or interrupt.signal is not None
            if over or self.files.is_due(self.iteration) or better:
                self._save()
            if over:
                break
            if not has_begun:  # with nothing to do a run keeps its weights
                has_begun = True
                self.ranks.on_first(self.files.outdate)
            loss = self.step()
            self.history.add_loss(self.iteration, loss)
            with self.ranks.apart():
                for callback in stepped:
                    callback.stepped(self, loss)
        # The end of a run that is not due for an evaluation gets one, which the checkpoint leaves
        # out: whoever goes on from there goes on as if the run had always been longer.
        self._evaluate(interrupt)
        if self.history.evaluated < self.iteration:  # a signal has come
            self._count_watch()
            self.history.add_interruption(self.iteration)
        self._finish()

    def _evaluate(self, interrupt: Interrupt) -> bool:
        """Evaluate, unless that is done already or a signal has come, and let callbacks end the
        run; returns whether it is the best so far and its checkpoint wanted."""
        if self.history.evaluated == self.iteration:
            return False
        started, iteration, aside = self._lap
        samples = (self.iteration - iteration) * self.plan.per_step
        seconds = time.perf_counter() - started - (self._aside() - aside)
        self.watch.weights(self)
        try:
            row = self.evaluate(interrupt.check)
        except Interrupted:
            return False
        self.watch.evaluated(self)
        self._count_watch()
        self.history.add_evaluation(row, samples, seconds)
        better = self.best.note(row, self.net)
        defined = self.best.column is None or not math.isnan(row[self.best.column])
        if not defined and self.chooses and not self._said_undefined and self.ranks.is_first:
            self._said_undefined = True
            note(
                f"{self.best.column} is not defined at iteration {self.iteration}: nothing can be "
                "chosen by it; other metrics, or more validation samples"
            )
        if self.optimizer.chooses and defined:
            self.optimizer.evaluated(row[self.best.column], self.best.higher_is_better)
        self.stopped_by = self.ranks.from_first(lambda: self._tell_callbacks(row))
        self._begin_lap()
        return better and self.files.checkpoints.keep_best

    def _tell_callbacks(self, row: dict) -> str:
        """Tell them of an evaluation; the key of the first that ends the run, "" if none does."""
        ends = [callback.evaluated(self, row) for callback in self.callbacks]
        if True not in ends:
            return ""
        return memory.key_of(self.callbacks, self.callbacks[ends.index(True)])

    def _is_still_stopped(self) -> bool:
        """Is the callback that has ended the run, and would have ended one that never stopped, one
        of these?"""
        if self.stopped_by not in memory.named(self.callbacks):
            return False
        note(
            f"{self._stopper()} has ended this run at iteration {self.iteration}, and it stays so; "
            "it goes on without that callback"
        )
        return True

    def _stopper(self) -> str:
        """The name of the callback that has ended the run; the first rank has it."""
        return name_of(memory.named(self.callbacks)[self.stopped_by])

    def _open_files(self) -> None:
        if self.files.folder is not None:
            if self._own_directory:
                self.files.claim(self)
            self.history.open(self.files.folder, self.iteration)

    def _save(self) -> None:
        """Write a checkpoint, the tables up to it first, unless it is there already."""
        if not self._saves or self.files.saved == self.iteration:
            return
        started, watched = time.perf_counter(), self.watch.seconds
        self.watch.weights(self)
        state = self.state()
        if self.ranks.size > 1:
            self.ranks.refuse_unlike({"weights": digest(state["net"])})
        read = self.ranks.on_first(lambda: self._write(state))
        self.watch.saved(lambda: self.ranks.from_first(read))
        self.files.saved = self.iteration
        watched = self.watch.seconds - watched  # which counts by itself
        self.history.checkpoint_seconds += time.perf_counter() - started - watched

    def _count_watch(self) -> None:
        self.history.recorder_seconds += self.watch.seconds - self._watched
        self._watched = self.watch.seconds

    def _begin_lap(self) -> None:
        """From here on counts what an evaluation says of the speed."""
        self._lap = time.perf_counter(), self.iteration, self._aside()

    def _aside(self) -> float:
        """The seconds so far of checkpoints and of the watch, which train on nothing."""
        return self.history.checkpoint_seconds + self.watch.seconds

    def _write(self, state: dict[str, dict]) -> Callable[[], dict]:
        self._flush(sync=True)
        return self.files.save(state, self.iteration, self.best.iteration)

    def _flush(self, sync: bool = False) -> None:
        self.history.flush(sync)
        self.watch.flush(sync)

    def _flush_what_can_be(self) -> None:
        with contextlib.suppress(OSError):  # what ended the run is the thing to tell
            self._flush()

    @contextlib.contextmanager
    def _told_callbacks(self):
        begun = []
        try:
            with self.ranks.apart():
                for callback in self.callbacks:
                    callback.started(self)
                    begun.append(callback)
            yield
        finally:
            with self.ranks.apart():
                for callback in begun:
                    callback.finished(self)

    def _finish(self) -> None:
        self.ranks.on_first(self._flush)
        if self.best.net_state is not None:
            self.net.load_state(self.best.net_state)
        self.ranks.on_first(lambda: self.files.save_weights(self.net))

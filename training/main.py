"""From a configuration to a finished run: build everything, train, write the files."""

import copy
import inspect
import itertools
import sys
import time
from pathlib import Path

import numpy as np

from datasets import Dataset, Samples
from datasets.augmentation import Augmentation
from datasets.idx import IdxError
from layers.errors import ShapeError
from training.build import build_dataset, build_net, build_optimizer, check_sections
from training.config import Config, save_config
from training.construct import call
from training.doctor.diagnose import glance
from training.plots import plot_curves, read_run
from training.threads import current_threads
from training.trainer import Trainer
from training.values import check_value

# What a user's mistake or the world may raise; anything else is a bug and shows its traceback.
USER_ERRORS = (IdxError, ShapeError, FloatingPointError)
TRAINING_KEYS = (
    *("iterations", "batch_size", "accumulate", "gradient_penalty", "augmentation"),
    *("evaluate_every", "patience", "keep_best", "record_every", "seed", "threads"),
)
AUGMENTATION_KEYS = ("shift", "rotation", "scale", "elastic", "erasing", "flip")


def build_trainer(config: Config, **options) -> Trainer:
    """A Trainer from a configuration. Fills in the seed and thread count that are in force.

    The seed's generator is spawned by role (weights, batches, augmentation), so that a larger net
    leaves the order of the data as it was. The net is built, and refused if it does not fit,
    before the data are read, and tried on one batch before anything is written.
    """
    check_sections(config)
    training = config.expect_mapping(("training",))
    config.check_keys(("training",), TRAINING_KEYS)
    annotations = inspect.signature(Trainer).parameters
    for key, value in training.items():
        kind = int if key in ("seed", "threads") else annotations[key].annotation
        check_value(config, ("training", key), value, kind)
    training.setdefault("seed", 0)
    training.setdefault("threads", current_threads())
    for key, lowest in (("seed", 0), ("threads", 1)):
        if training[key] < lowest:
            message = f"expects at least {lowest}, got {training[key]}"
            raise config.error(("training", key), message)
    weights, batches, changes = np.random.default_rng(training["seed"]).spawn(3)
    dataset = build_dataset(config)
    augmentation = _build_augmentation(config, dataset, changes)
    net = build_net(config, dataset, weights)
    optimizer = build_optimizer(config, net.parameters())
    samples = dataset.train  # read, or downloaded, here
    if augmentation is not None:
        augmentation.background = samples.offset  # what a pixel of 0 becomes
    arguments = {k: v for k, v in training.items() if k not in ("seed", "threads")}
    arguments["augmentation"] = augmentation
    try:
        trainer = Trainer(net, optimizer, dataset, rng=batches, **arguments, **options)
    except ValueError as error:
        raise config.error(("training",), str(error)) from None
    _rehearse(config, trainer, samples)
    return trainer


def _build_augmentation(config: Config, dataset: Dataset, rng) -> Augmentation | None:
    """What `training.augmentation` asks for, if it is there; refused if the inputs are flat."""
    place = ("training", "augmentation")
    if "augmentation" not in config.get(place[:1]):
        return None
    config.check_keys(place, AUGMENTATION_KEYS)
    if len(dataset.input_shape) != 3:
        raise config.error(
            place,
            "changes images (channels, height, width), but the data set gives "
            f"{tuple(dataset.input_shape)} for a sample; dataset: {{..., flatten: false}} and, "
            "before an Affine layer, {type: Flatten}",
        )
    return call(config, place, Augmentation, {"rng": rng})


def _rehearse(config: Config, trainer: Trainer, samples: Samples) -> None:
    """Forward and backward once, on copies: what a layer raises is found before a run begins."""
    net, augmentation = copy.deepcopy((trainer.net, trainer.augmentation))
    X, t = samples[: trainer.minibatches.batch_size]
    if augmentation is not None:
        try:
            X = augmentation(X)
        except ValueError as error:
            raise config.error(("training", "augmentation"), str(error)) from None
    try:
        net.loss(X, t)
        net.backward()
    except Exception as error:
        notes = "".join(f", {note}" for note in getattr(error, "__notes__", ()))
        kind = "" if isinstance(error, ShapeError) else f"{type(error).__name__}: "
        raise config.error(("net",), f"the first batch fails: {kind}{error}{notes}") from error


def run(
    config: Config, name: str, run_dir: Path | None = None, quiet: bool = False
) -> tuple[str, bool]:
    """Train and leave the files of the run in run_dir (default: runs/<name>-<time>).

    Returns a summary line, and False if the run was interrupted. The summary is of the weights
    that are left: those of the last evaluation, or with keep_best of the best one.
    """
    if run_dir is not None:
        _refuse_used(run_dir)
    trainer = build_trainer(config, quiet=quiet)
    trainer.run_dir = run_dir = _claim_new(name) if run_dir is None else _claim(run_dir)
    save_config(run_dir / "config.yaml", config)
    history = trainer.run()
    plot_curves(run_dir / "curves.png", {name: read_run(run_dir)}, run_dir.name)
    rows = history.evaluations
    row = max(rows, key=lambda r: r["test_accuracy"]) if trainer.keep_best else rows[-1]
    if causes := glance(run_dir):
        print(f"python -m training.doctor {run_dir} finds: {causes}", file=sys.stderr)
    elif rows[-1]["loss"] > history.losses[0]:
        print(
            f"the loss has risen, from {history.losses[0]:.3g} to {rows[-1]['loss']:.3g}: "
            f"a smaller learning rate (now {trainer.optimizer.lr:g}) usually helps",
            file=sys.stderr,
        )
    train, test = 100 * row["train_accuracy"], 100 * row["test_accuracy"]
    result = f"train {train:.2f} %, test {test:.2f} %"
    if trainer.keep_best:
        result += f" (best, iteration {row['iteration']})"
    if trainer.interrupted:
        return f"interrupted at iteration {trainer.iteration}: {result}, so far in {run_dir}", False
    return f"{result}, run in {run_dir}", True


def _claim_new(name: str) -> Path:
    """A directory of our own, runs/<name>-<time>, numbered if another run took that just now."""
    base = Path("runs") / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    base.parent.mkdir(exist_ok=True)
    path, numbers = base, itertools.count(2)
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            path = base.with_name(f"{base.name}-{next(numbers)}")


def _refuse_used(run_dir: Path) -> None:
    """A run directory is new, or empty: a run that is there already is never written over."""
    if run_dir.is_file():
        raise FileExistsError(f"{run_dir} is a file; choose another --run-dir")
    if run_dir.exists() and any(run_dir.iterdir()):
        raise FileExistsError(
            f"{run_dir} is not empty; choose another --run-dir, or move that one away"
        )


def _claim(run_dir: Path) -> Path:
    """Make the run directory ours. Of two processes that want it at once, one gets it."""
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / "config.yaml").open("x").close()
    except FileExistsError:
        raise FileExistsError(
            f"{run_dir} has just been taken by another run; choose another --run-dir"
        ) from None
    except OSError as error:
        raise OSError(f"cannot write into the run directory {run_dir}: {error.strerror}") from None
    return run_dir

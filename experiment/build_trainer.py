"""From a configuration to a trainer that is ready to run."""

import copy
import inspect
from typing import NamedTuple

import numpy as np

from lamina.common.own_code import own_place
from lamina.common.ranks import Alone
from lamina.common.threads import current_threads
from lamina.datasets import Dataset, Samples
from lamina.datasets.augmentation import Augmentation
from lamina.datasets.dataset import check_shapes
from lamina.datasets.paper import MOST, background_of
from lamina.datasets.rows import pieces, some_rows
from lamina.diagnosis import Diagnosis
from lamina.diagnosis.recorder import DEFAULT_INTERVAL
from lamina.experiment.build import build_dataset, check_sections
from lamina.experiment.build_net import build_net
from lamina.experiment.config import Config
from lamina.experiment.rooms import AUGMENTATIONS, CALLBACKS, METRICS, OPTIMIZERS
from lamina.experiment.section import Section
from lamina.layers import Embedding
from lamina.layers.errors import ShapeError
from lamina.nets import Net
from lamina.optimizers.schedules import ScheduleError
from lamina.training.checkpoint import Checkpoints
from lamina.training.described import PROGRAM
from lamina.training.parallel import fastest_shards
from lamina.training.plan import ScheduleMisfit
from lamina.training.trainer import Trainer

_TRAINER = inspect.signature(Trainer).parameters
# What the trainer takes, but no configuration says.
_NOT_TYPED = (
    *("net", "optimizer", "dataset", "rng", "run_dir", "quiet", "watch", "ranks"),
    *("checkpoints", "provenance"),
)
# Keys of training that are not the trainer's, and those that name objects.
_OF_THE_RUN = ("seed", "threads", "checkpoint", "record_every")
_OBJECTS = ("metrics", "callbacks", "augmentation")
TRAINING_KEYS = (*(name for name in _TRAINER if name not in _NOT_TYPED), *_OF_THE_RUN)


class Built(NamedTuple):
    """A trainer, and the configuration that it follows, with all that building has settled: the
    seed and thread count that are in force, the whole paths of files."""

    trainer: Trainer
    config: Config


def build_trainer(config: Config, **options) -> Trainer:
    """The trainer of `build_run`."""
    return build_run(config, **options).trainer


def build_run(
    config: Config, *, weights: bool = True, ranks: Alone | None = None, **options
) -> Built:
    """A Trainer from a configuration, which stays as it is. Without `weights` the net keeps its
    initial ones, where the configuration names a file of others. Of several `ranks` one of each
    machine reads the data first, so that they are downloaded, or drawn, once.

    The seed's generator is spawned by role (weights, batches, augmentation), so that a larger net
    leaves the order of the data as it was. The net is built, and refused if it does not fit,
    before the data are read, and tried on one batch before anything is written.
    """
    root, ranks = Section(config), ranks or Alone()
    check_sections(root)
    training = root.section("training")
    if PROGRAM in training.data:
        raise training.error(
            "this run was made by a program, which no configuration makes again: only the program "
            "has its generator and weights; to train another one like it, take this key out",
            PROGRAM,
        )
    training.check_keys(TRAINING_KEYS)
    measured = _is_measured(training)
    arguments = {
        key: training.value(key, _TRAINER[key].annotation)
        for key in training.data
        if key not in (*_OF_THE_RUN, *_OBJECTS) and not (key == "shards" and measured)
    }
    seed = training.value("seed", int, 0, at_least=0, noted=True)
    training.value("threads", int, current_threads(), at_least=1, noted=True)
    record_every = training.value("record_every", int | None, DEFAULT_INTERVAL)
    of_weights, of_batches, of_changes = np.random.default_rng(seed).spawn(3)
    dataset = build_dataset(root)
    if "augmentation" in training.data:
        arguments["augmentation"] = _augmentation(training, dataset, of_changes)
    net = build_net(root, dataset, of_weights, weights)
    optimizer = root["optimizer"].build(OPTIMIZERS, {"parameters": net.parameters()})
    for key, room, given in (
        ("metrics", METRICS, dataset.task.metric_options),
        ("callbacks", CALLBACKS, {}),
    ):
        if key in training.data:
            arguments[key] = training.build_each(key, room, given)
    if "checkpoint" in training.data:
        arguments["checkpoints"] = training["checkpoint"].call(Checkpoints, {})
    ranks.once_per_machine(lambda: bool(dataset.sets()))  # read, or downloaded, here
    samples = dataset.train
    with root.at("dataset"):
        check_shapes(dataset)
    if measured:
        if ranks.size > 1:
            raise training.error(
                f"auto is measured on one process; for {ranks.size} ranks give a number, "
                f"{ranks.size} or more",
                "shards",
            )
        arguments["shards"] = _fastest_shards(training, net, samples, arguments)
    if hasattr(arguments.get("augmentation"), "background"):
        X, _ = samples[some_rows(len(samples), MOST)]
        paper = background_of(X)
        arguments["augmentation"].background = samples.offset if paper is None else paper
    with root.at("training"):
        options.setdefault("watch", Diagnosis(record_every))
        try:
            options |= {"rng": of_batches, "ranks": ranks}
            trainer = Trainer(net, optimizer, dataset, **arguments, **options)
        except (ScheduleMisfit, ScheduleError) as error:
            message = str(error).removeprefix("schedule: ")
            raise root.error(message, "optimizer", "schedule") from None
    _check_indices(root, net, dataset)
    _rehearse(root, trainer, samples)
    return Built(trainer, root.effective())


def _check_indices(root: Section, net, dataset: Dataset) -> None:
    """Every index of every set must be a row of the Embedding that it goes to: one that comes in a
    later batch would end the run in its middle."""
    first = net
    while isinstance(first, Net) and len(first.inputs) == 1:
        first = next(iter(first.layers.values()))
    if not isinstance(first, Embedding):
        return
    n_words = len(first.W.data)
    for name, samples in dataset.sets().items():
        if samples.X.dtype.kind not in "iu":
            continue
        for start, piece in pieces(samples.X):
            wrong = (piece < 0) | (n_words <= piece)
            if wrong.any():
                place = tuple(int(i) for i in np.argwhere(wrong)[0])
                raise root.error(
                    f"the {name} inputs: row {start + place[0]} holds {piece[place]}, and the "
                    f"Embedding has n_words: {n_words}, so 0 to {n_words - 1}",
                    "dataset",
                )


def _augmentation(training: Section, dataset: Dataset, rng: np.random.Generator):
    """What `training.augmentation` asks for: our own, which changes images, or another one."""
    made = training.build_named(
        "augmentation", AUGMENTATIONS, {"rng": rng}, "Augmentation", ("background",)
    )
    if type(made) is Augmentation and len(dataset.input_shape) != 3:
        raise training.error(
            "changes images (channels, height, width), but the data set gives "
            f"{tuple(dataset.input_shape)} for a sample; dataset: {{..., flatten: false}} and, "
            "before an Affine layer, {type: Flatten}",
            "augmentation",
        )
    return made


def _is_measured(training: Section) -> bool:
    """Whether the number of shards is left to a measurement."""
    shards = training.data.get("shards")
    if isinstance(shards, str) and shards != "auto":
        raise training.error(f"expects a whole number or auto, got {shards!r}", "shards")
    return shards == "auto"


def _fastest_shards(training: Section, net, samples: Samples, arguments: dict) -> int:
    """What `training.shards: auto` is on this machine; noted, so that the run stays so."""
    batch_size = arguments.get("batch_size", _TRAINER["batch_size"].default)
    X, t = samples[np.arange(batch_size) % len(samples)]
    with training.at(), np.errstate(all="ignore"):
        shards = fastest_shards(net, X, t, current_threads())
    training.note("shards", shards)
    return shards


def _check_loss(loss) -> None:
    if np.shape(loss) != () or np.asarray(loss).dtype.kind != "f":
        got = f"{type(loss).__name__} of shape {np.shape(loss)}" if np.shape(loss) else repr(loss)
        raise TypeError(f"the loss must be one number, a 0-d array of floats; got {got:.80}")


def _rehearse(root: Section, trainer: Trainer, samples: Samples) -> None:
    """Forward and backward once, and an evaluation, on copies: what a layer or a metric raises is
    found before a run begins."""
    evaluator = copy.copy(trainer.evaluator)
    kept = (trainer.net, trainer.batches.augmentation, evaluator.metrics)
    try:
        net, augmentation, evaluator.metrics = copy.deepcopy(kept)
    except TypeError as error:  # an open file, a lock
        what = "net, augmentation and metrics must be things that can be copied and saved"
        raise root.error(f"{what}: {error}", "net") from None
    evaluator.net = net
    X, t = samples[: trainer.batches.batch_size]
    if augmentation is not None:
        with root.at("training", "augmentation"):
            X = augmentation(X)
    try:
        with np.errstate(all="ignore"):  # numbers that overflow are the run's to report
            _check_loss(net.loss(X, t))
            net.backward()
            evaluator.figures([(X, t)])
    except Exception as error:
        notes = "".join(f", {note}" for note in getattr(error, "__notes__", ()))
        kind = "" if isinstance(error, ShapeError) else f"{type(error).__name__}: "
        notes += f" ({place})" if (place := own_place(error)) else ""
        message = f"the first batch fails: {kind}{error}{notes}"
        raise root.error(message, "net") from error

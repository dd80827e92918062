"""From a configuration to a trainer that is ready to run."""

import copy
import inspect

import numpy as np

from lamina.common.threads import current_threads
from lamina.datasets import Dataset, Samples
from lamina.datasets.augmentation import Augmentation
from lamina.experiment.build import build_dataset, build_net, build_optimizer, check_sections
from lamina.experiment.config import Config
from lamina.experiment.construct import call
from lamina.experiment.values import check_value
from lamina.layers.errors import ShapeError
from lamina.training.checkpoint import Checkpoints
from lamina.training.trainer import Trainer

TRAINING_KEYS = (
    *("iterations", "batch_size", "accumulate", "gradient_penalty", "augmentation"),
    *("evaluate_every", "patience", "keep_best", "checkpoint", "record_every", "seed", "threads"),
)
# Of these, what is no argument of the trainer.
_OF_THE_RUN = ("seed", "threads", "checkpoint")
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
        if key != "checkpoint":
            kind = annotations[key].annotation if key in annotations else int
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
    arguments = {k: v for k, v in training.items() if k not in _OF_THE_RUN}
    arguments["augmentation"] = augmentation
    if "checkpoint" in training:
        arguments["checkpoints"] = call(config, ("training", "checkpoint"), Checkpoints, {})
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
        with np.errstate(all="ignore"):  # numbers that overflow are the run's to report
            net.loss(X, t)
            net.backward()
    except Exception as error:
        notes = "".join(f", {note}" for note in getattr(error, "__notes__", ()))
        kind = "" if isinstance(error, ShapeError) else f"{type(error).__name__}: "
        raise config.error(("net",), f"the first batch fails: {kind}{error}{notes}") from error

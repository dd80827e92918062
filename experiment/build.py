"""From a configuration to its parts: the data set, the net and the optimizer."""

from lamina import datasets, optimizers
from lamina.experiment.build_net import build_net
from lamina.experiment.config import Config
from lamina.experiment.construct import build

__all__ = ["build_dataset", "build_net", "build_optimizer", "check_sections"]

SECTIONS = ("dataset", "net", "optimizer", "training")


def build_dataset(config: Config) -> datasets.Dataset:
    """The data set; those that are downloaded or drawn read nothing yet."""
    return build(config, ("dataset",), datasets, datasets.Dataset, {})


def build_optimizer(config: Config, parameters: dict) -> optimizers.Optimizer:
    """The optimizer of these parameters, its schedule included."""
    given = {"parameters": parameters}
    return build(config, ("optimizer",), optimizers, optimizers.Optimizer, given)


def check_sections(config: Config) -> None:
    """Refuse unknown and missing sections before anything is built."""
    config.check_keys((), SECTIONS)
    for section in ("dataset", "net", "optimizer"):
        if section not in config.data:
            raise config.error((), f"the section {section}: is missing")
    config.data.setdefault("training", {})

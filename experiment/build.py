"""From a configuration to its parts: the data set, the net and the optimizer."""

from lamina.datasets.dataset import Dataset, check_dataset
from lamina.experiment.build_net import build_net
from lamina.experiment.config import Config
from lamina.experiment.rooms import DATASETS, OPTIMIZERS
from lamina.experiment.section import Section
from lamina.optimizers import Optimizer

__all__ = ["SECTIONS", "build_dataset", "build_net", "build_optimizer", "check_sections"]

SECTIONS = ("dataset", "net", "optimizer", "training")


def build_dataset(config: Config | Section) -> Dataset:
    """The data set; those that are downloaded or drawn read nothing yet."""
    section = Section.of(config)["dataset"]
    dataset = section.build(DATASETS, {})
    with section.at():
        check_dataset(dataset)
    return dataset


def build_optimizer(config: Config | Section, parameters: dict) -> Optimizer:
    """The optimizer of these parameters, its schedule included."""
    return Section.of(config)["optimizer"].build(OPTIMIZERS, {"parameters": parameters})


def check_sections(config: Config | Section) -> None:
    """Refuse unknown and missing sections before anything is built."""
    root = Section.of(config)
    root.check_keys(SECTIONS, needed=("dataset", "net", "optimizer"))

"""The net and the data of a finished run."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.datasets import Dataset
from lamina.experiment.build import build_dataset, build_net, check_sections
from lamina.experiment.run_config import load_run_config
from lamina.nets.weights import load_weights
from lamina.training.described import ARRAYS


class DataUnknown(ValueError):
    """A run was trained on arrays, which no configuration can name."""


def load_run(run_dir: str | Path, code: Iterable[Path] = (), dataset: Dataset | None = None):
    """(net, dataset) of a run: its configuration built again, and its weights put in. `code` are
    the files of own layers that it may run, see `load_run_config`. A run that was made in Python
    on arrays needs its `dataset`: raises DataUnknown without it."""
    run_dir = Path(run_dir)
    config = load_run_config(run_dir, code)
    check_sections(config)
    if dataset is None:
        if config.data["dataset"].get("type") == ARRAYS:
            raise DataUnknown(
                f"{run_dir}: its data were arrays of a program: load_run(run, dataset=dataset)"
            )
        dataset = build_dataset(config)
    # Without the weights where training began: they need not be there still.
    net = build_net(config, dataset, np.random.default_rng(0), weights=False)
    load_weights(run_dir / "weights.npz", net)
    return net, dataset

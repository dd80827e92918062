"""A net from whatever holds one: a run, a file of a whole net, a configuration."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.datasets import Dataset
from lamina.experiment.build import build_dataset, build_net, check_sections
from lamina.experiment.config import load_config
from lamina.experiment.find_config import find_config
from lamina.experiment.load_run import load_run
from lamina.experiment.section import Section
from lamina.nets import Net, load_net


def load_any(
    path: str | Path, code: Iterable[Path] = (), changed: bool = False
) -> tuple[Net, Dataset | None]:
    """(net, its data set): of a run with the weights that it learned, of an .npz that `net.save`
    wrote, without a data set, or of a configuration with its initial weights.

    `code` and `changed` as for load_run; a file of a net takes no `changed`, a configuration
    neither. Raises ConfigError, OSError or ValueError.
    """
    path = Path(path)
    if path.is_dir():
        return load_run(path, code, changed=changed)
    if changed:
        raise ValueError(f"--changed: is for a run, which {path} is not; leave it out")
    if path.suffix == ".npz":
        return load_net(path, code), None
    if code:
        raise ValueError(
            f"--code: is for a run or an .npz; a configuration that you name, as {path}, may run "
            "what it names; leave it out"
        )
    config = load_config(find_config(path))
    check_sections(config)
    dataset = build_dataset(config)
    seed = Section(config).section("training").value("seed", int, 0, at_least=0)
    weights, _ = np.random.default_rng(seed).spawn(2)  # as training does
    return build_net(config, dataset, weights), dataset

"""facts.json: what stays the same throughout a run, and its numbers must be judged by."""

import json
import math
from pathlib import Path

import numpy as np

from lamina.common.files import whole_file
from lamina.nets.probes import places_of


def write_facts(path: Path, trainer) -> None:
    """Write {"samples", "test_samples", "batch_size", "classes", "largest_class", "layers",
    "parameters"} at the start of a run; a run that goes on keeps what is there.

    `largest_class` is the share of the most frequent class among the training targets: what
    guessing it would score. A parameter has its shape, the mean and the deviation that it starts
    with, and whether it learns; layers are listed with their types, in order. What it starts with
    is None where nobody knows any more.
    """
    if path.exists() and trainer.iteration:
        return
    targets = trainer.dataset.train.t
    classes, parameters = len(trainer.dataset.task.class_names), trainer.net.parameters()
    facts = {
        "samples": len(trainer.dataset.train),
        "test_samples": len(trainer.dataset.test),
        "batch_size": trainer.minibatches.batch_size,
        "classes": classes,
        "largest_class": _largest_share(targets, classes),
        "layers": {place.name: place.type for place in places_of(trainer.net)},
        "parameters": {n: _start(param, trainer.iteration == 0) for n, param in parameters.items()},
    }
    with whole_file(path) as file:
        file.write((json.dumps(facts, indent=1) + "\n").encode())


def _largest_share(targets, classes: int) -> float:
    targets = targets if isinstance(targets, np.ndarray) else np.empty((0, 0, 0))
    if targets.ndim == 2 and targets.shape[1] == classes:  # one-hot
        targets = targets.argmax(axis=1)
    if targets.ndim != 1 or targets.dtype.kind not in "iu":
        return 1.0 / max(classes, 1)
    return round(float(np.unique(targets, return_counts=True)[1].max() / len(targets)), 6)


def _start(param, known: bool) -> dict:
    data = param.data.astype(np.float64)
    mean, std = (float(f"{v:.6g}") for v in (data.mean(), data.std()))
    mean, std = (v if known and math.isfinite(v) else None for v in (mean, std))  # JSON has no NaN
    return {"shape": data.shape, "mean": mean, "std": std, "learns": param.trainable}

"""A kind of run in a line, trained in a folder, and what the doctor says of it."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml
from threadpoolctl import threadpool_limits

import lamina.layers
import lamina.optimizers.schedules
from lamina.diagnosis.doctor import diagnose
from lamina.diagnosis.record import read_record
from lamina.experiment.config import load_config
from lamina.experiment.run import run
from lamina.training.watch import NonFiniteError

PARTS = Path(__file__).parent / "parts.py"
DIGITS = {"type": "DrawnDigits", "n_train": 1000, "n_test": 500}
SCHEDULES_OF_OURS = ("spike",)


@dataclass
class Kind:
    """A run of a few seconds. `right`: the causes that may be named, empty for a healthy run."""

    name: str
    right: frozenset
    data: Callable | dict
    layers: list
    optimizer: dict
    iterations: int = 400
    batch_size: int = 50
    loss: str | dict = "SoftmaxWithLoss"
    task: str | None = None
    n_words: int | None = None
    indices: bool | None = None
    net: dict | None = None
    dataset: dict = field(default_factory=dict)
    training: dict = field(default_factory=dict)

    @property
    def healthy(self) -> bool:
        return not self.right


def chain_of(layers) -> dict:
    """Layers by name: a number is an Affine, a text a layer without arguments."""
    named = {}
    for i, layer in enumerate(layers, 1):
        name, layer = layer if isinstance(layer, tuple) else (None, layer)
        if isinstance(layer, int):
            layer = {"type": "Affine", "n_out": layer}
        elif isinstance(layer, str):
            layer = {"type": layer}
        named[name or f"{layer['type'].lower()}{i}"] = {**layer, "type": _found(layer["type"])}
    return named


def mlp(*sizes, init=None) -> list:
    """Affine layers of these sizes with the activation between that is named last (Relu)."""
    *sizes, act = sizes if not isinstance(sizes[-1], int) else (*sizes, "Relu")
    layers = []
    for size in sizes:
        layers += [{"type": "Affine", "n_out": size, **({"init": init} if init else {})}, act]
    return [layer for layer in layers[:-1] if layer]


def _found(name: str) -> str:
    return name if hasattr(lamina.layers, name) else f"{PARTS}:{name}"


def configuration(kind: Kind, seed: int, folder: Path) -> dict:
    """The configuration as data; its NPZ file is written into the folder."""
    if callable(kind.data):
        rng = np.random.default_rng([seed, zlib.crc32(kind.name.encode())])
        np.savez(folder / "data.npz", **kind.data(rng))
        dataset = {"type": "NPZ", "path": str(folder / "data.npz"), **kind.dataset}
        for key in ("task", "n_words", "indices"):
            if getattr(kind, key) is not None:
                dataset[key] = getattr(kind, key)
        if kind.task == "language_model":
            dataset["indices"] = True
    else:
        dataset = {**kind.data, "seed": seed}
    loss = {"type": kind.loss} if isinstance(kind.loss, str) else dict(kind.loss)
    optimizer = dict(kind.optimizer)
    if "schedule" in optimizer and optimizer["schedule"]["type"] in SCHEDULES_OF_OURS:
        schedule = optimizer["schedule"]
        optimizer["schedule"] = {**schedule, "type": f"{PARTS}:{schedule['type']}"}
    net = kind.net or {"type": "Sequential", "layers": chain_of(kind.layers)}
    n = kind.iterations
    return {
        "dataset": dataset,
        "net": {**net, "loss": {**loss, "type": _found(loss["type"])}},
        "optimizer": optimizer,
        "training": {
            "iterations": n,
            "batch_size": kind.batch_size,
            "evaluate_every": max(n // 10, 1),
            "record_every": max(n // 20, 1),
            "seed": seed,
            "checkpoint": {"every": n},
            **kind.training,
        },
    }


def findings_of(kind: Kind, seed: int, folder: Path) -> list:
    """Train a run of that kind and ask the doctor."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind.name}.yaml"
    path.write_text(yaml.safe_dump(configuration(kind, seed, folder), sort_keys=False))
    try:
        with threadpool_limits(1):
            run(load_config(path), kind.name, folder / "run", quiet=True)
    except NonFiniteError:
        pass
    return diagnose(read_record(folder / "run"))


def verdict(kind: Kind, causes: set) -> str:
    """right, missed (nothing said of a sick run), or false (something said that is not so)."""
    if not causes <= kind.right:
        return "false"
    return "right" if bool(causes) == bool(kind.right) else "missed"

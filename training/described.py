"""A run that was made in Python as a configuration, so that the commands can read it."""

from pathlib import Path

import lamina.datasets
from lamina.common.arguments import Unwritable
from lamina.common.files import whole_file
from lamina.common.folder import File
from lamina.common.strict_yaml import dump
from lamina.nets.structure import StructureError

ARRAYS = "arrays of a program"  # a data set that no configuration can name


def describe_run(path: str | Path | File, trainer) -> None:
    """Write the configuration of a trainer: data set, net, optimizer and plan, as far as they can
    be written down. Data that were arrays are called so; a net that cannot be written says why."""
    text = dump(described(trainer))
    with whole_file(path) as file:
        file.write(text.encode())


def described(trainer) -> dict:
    """{"dataset", "net", "optimizer", "training"} in plain data."""
    plan = trainer.plan
    chosen = {"patience": plan.patience, "keep_best": trainer.best.keep or None}
    return {
        "dataset": _dataset(trainer.dataset),
        "net": _net(trainer.net),
        "optimizer": _made(trainer.optimizer),
        "training": {
            "iterations": plan.iterations,
            "batch_size": trainer.batches.batch_size,
            "accumulate": trainer.accumulate,
            "evaluate_every": plan.evaluate_every,
            **{key: value for key, value in chosen.items() if value is not None},
        },
    }


def _dataset(dataset) -> dict:
    made, name = _made(dataset), type(dataset).__name__
    ours = getattr(lamina.datasets, name, None) is type(dataset) and name != "Dataset"
    return made if ours else {"type": ARRAYS}


def _net(net) -> dict:
    try:
        return net.structure()
    except StructureError as error:
        return {"type": type(net).__name__, "not_written": str(error)}


def _made(thing) -> dict:
    given = {
        name: value if not isinstance(value, Unwritable) else repr(value)
        for name, value in thing.arguments().items()
        if name != "parameters"
    }
    return {"type": type(thing).__name__, **given}

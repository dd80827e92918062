"""A run that was made in Python as a configuration, so that the commands can read it."""

from pathlib import Path

import numpy as np

import lamina.datasets
from lamina.common.arguments import (
    Unwritable,
    call,
    is_setting,
    parameters_of,
    plain,
    same_setting,
    without_defaults,
)
from lamina.common.files import whole_file
from lamina.common.fingerprint import fingerprint
from lamina.common.folder import File
from lamina.common.strict_yaml import dump
from lamina.datasets import Samples
from lamina.datasets.rows import Rows
from lamina.layers.base import Layer, Param, State
from lamina.metrics import make_metric
from lamina.nets.net_file import check_as_made
from lamina.nets.structure import StructureError
from lamina.training.callbacks import Function
from lamina.training.parallel import ORDERED

ARRAYS = "arrays of a program"  # a data set that no configuration can name
NOT_WRITTEN = "not_written"  # the key of `net` with why it is not there
PROGRAM = "program"  # the key of `training` with what no configuration can say
# Those of a seed: two runs that differ in these alone are two samples of one setting.
OF_SEED = ("rng", "weights")
_USUAL = {"shards": 1, "reduction": ORDERED, "gradient_penalty": 0.0}
_FEW = 4  # values of an array that nothing has been drawn for, each of two decimals at most


def describe_run(path: str | Path | File, data: dict) -> None:
    """Write what `described` gives."""
    with whole_file(path) as file:
        file.write(dump(data).encode())


def described(trainer) -> dict:
    """{"dataset", "net", "optimizer", "training"} of a trainer in plain data, as far as they can be
    written down. Data that were arrays are called so; a net that cannot be written says why;
    functions and objects are a text with a digest of their code and contents, see `fingerprint`.

    training.program is what no configuration says: `rng`, the seed or the state of the generator
    that the trainer was given, and `weights`, a digest of those that training began with. Where
    they need not be what the layers draw, as of a net that has been trained before, that digest is
    `start`: those runs are no two samples of one setting.
    """
    plan, given = trainer.plan, trainer.given
    chosen = {"patience": plan.patience, "keep_best": trainer.best.keep or None}
    chosen |= {key: given[key] for key in _USUAL if given[key] != _USUAL[key]}
    chosen["shuffle_block"] = given["shuffle_block"]
    if given["augmentation"] is not None:
        chosen["augmentation"] = _object(given["augmentation"])
    if given["metrics"] is not None:
        chosen["metrics"] = [_metric(m, trainer.dataset.task) for m in given["metrics"]]
    return {
        "dataset": _dataset(trainer.dataset),
        "net": _net(trainer.net),
        "optimizer": _optimizer(trainer.optimizer),
        "training": {
            "iterations": plan.iterations,
            "batch_size": trainer.batches.batch_size,
            "accumulate": trainer.accumulate,
            "evaluate_every": plan.evaluate_every,
            **{key: value for key, value in chosen.items() if value is not None},
            PROGRAM: _program(trainer),
        },
    }


def is_text_of_object(value) -> bool:
    """Is this what stands for an object that cannot be written?"""
    return isinstance(value, str) and value.startswith("<") and value.endswith(">")


def _program(trainer) -> dict:
    net, optimizer = trainer.net, trainer.optimizer
    held = {name: h.data for name, h in net.walk() if isinstance(h, (Param, State))}
    weights = fingerprint(held)
    said = {
        "rng": trainer.given["rng"],
        "weights" if _is_fresh(net) else "start": weights,
        "left_alone": trainer.left_alone,
        "init": {
            f"{name}.init" if name else "init": _text(made)
            for name, layer in (("", net), *net.walk())
            if isinstance(layer, Layer)
            and isinstance(made := layer.arguments().get("init"), Unwritable)
        },
        "classes": {
            name: fingerprint(type(layer))
            for name, layer in (("", net), *net.walk())
            if isinstance(layer, Layer) and not _is_ours(layer)
        },
        "layers": None if _is_ours(net) else _layers(net),
        "dataset": _of_own_data(trainer.dataset),
        "callbacks": [_object(_inner(c)) for c in trainer.callbacks if not _is_ours(_inner(c))],
        "optimizer": None if _is_ours(optimizer) else fingerprint(type(optimizer)),
        "optimizer_state": fingerprint(optimizer.state()) if optimizer.steps else None,
    }
    return {key: value for key, value in said.items() if value not in (None, {}, [])}


def _layers(net) -> str:
    """What a net of one's own is made of, whatever its class reads to make it."""
    made = [
        (name, type(held).__qualname__, {n: _thing(v) for n, v in held.arguments().items()})
        if isinstance(held, Layer)
        else (name, held.data.shape)
        for name, held in net.walk()
        if isinstance(held, (Layer, Param))
    ]
    return fingerprint(made)


def _of_own_data(dataset) -> str | None:
    """What a data set of one's own, or a set in it, is beside its arrays: it may choose the order
    of batches, or what is in one."""
    arrays = (Samples, Rows, np.ndarray)
    own = [
        [type(one), {name: v for name, v in vars(one).items() if not isinstance(v, arrays)}]
        for one in (dataset, *dataset.sets().values())
        if not _is_ours(one)
    ]
    return fingerprint(own) if own else None


def _is_fresh(net) -> bool:
    """Has nothing been learned yet? Every layer with parameters has one, such as a bias, that
    still is what nobody has drawn: a single number, or few."""
    layers: dict[str, list] = {}
    for name, param in net.parameters().items():
        layers.setdefault(name.rpartition(".")[0], []).append(param.data)
    return all(any(map(_is_plain, arrays)) for arrays in layers.values())


def _is_plain(array: np.ndarray) -> bool:
    values = np.unique(array)
    return len(values) <= _FEW and bool((np.round(values, 2) == values).all())


def _dataset(dataset) -> dict:
    made, name = _made(dataset), type(dataset).__name__
    ours = getattr(lamina.datasets, name, None) is type(dataset) and name != "Dataset"
    return made if ours else {"type": ARRAYS}


def _net(net) -> dict:
    try:
        written = net.structure()
        check_as_made(net, written)
        return written
    except StructureError as error:
        made = [
            (name, type(held), {n: _thing(v) for n, v in held.arguments().items()}, _now(held))
            if isinstance(held, Layer)
            else (name, held.data.shape, held.trainable, held.lr_mult, held.decay_mult)
            for name, held in (("", net), *net.walk())
            if isinstance(held, (Layer, Param))
        ]
        kind = type(net).__name__
        return {"type": kind, NOT_WRITTEN: str(error), "code": fingerprint(made)}


def _now(layer: Layer) -> dict:
    """What a layer has today under the names of its arguments."""
    cls: type = type(layer)
    return {key: vars(layer).get(key) for key in parameters_of(cls)}


def _optimizer(optimizer) -> dict:
    """With what was set after it was made. One of the user's own is not made a second time, since
    that may change what it is given: its numbers are compared with its arguments."""
    made = _made(optimizer)
    cls: type = type(optimizer)
    given = {
        k: v.thing if isinstance(v, Unwritable) else v for k, v in optimizer.arguments().items()
    }
    again = (
        call(cls, {**given, "parameters": optimizer.parameters}) if _is_ours(optimizer) else None
    )
    for key, parameter in parameters_of(cls).items():
        attribute = "base_lr" if key == "lr" else key
        if key == "parameters" or not hasattr(optimizer, attribute):
            continue
        now = getattr(optimizer, attribute)
        if again is not None:
            changed = fingerprint(now) != fingerprint(getattr(again, attribute, None))
        else:
            then = given.get(key, parameter.default)
            changed = is_setting(now) and is_setting(then) and not same_setting(now, then)
        if changed:
            value = plain(now)
            made[key] = _text(value) if isinstance(value, Unwritable) else value
    return made


def _made(thing) -> dict:
    given = {
        name: _text(value) if isinstance(value, Unwritable) else value
        for name, value in without_defaults(type(thing), thing.arguments()).items()
        if name != "parameters"
    }
    return {"type": type(thing).__name__, **given}


def _metric(metric, task) -> str:
    """Its name, if it is one of ours as the name makes it."""
    if isinstance(metric, str):
        return metric
    try:
        made = make_metric(metric.name, task.metric_options)
    except (ValueError, TypeError):
        return _object(metric)
    return metric.name if fingerprint(made) == fingerprint(metric) else _object(metric)


def _object(thing) -> str:
    name = getattr(thing, "__qualname__", None) or f"{type(thing).__name__} object"
    return f"<{name}, {fingerprint(thing)}>"


def _text(value: Unwritable) -> str:
    return f"<{value.what}, {fingerprint(value.thing)}>"


def _thing(value):
    return value.thing if isinstance(value, Unwritable) else value


def _inner(callback):
    return callback.function if isinstance(callback, Function) else callback


def _is_ours(thing) -> bool:
    return type(thing).__module__.startswith("lamina.")

"""Saved weights: parameters and states by dotted name in an .npz file, what prediction needs."""

import zipfile
from pathlib import Path

import numpy as np

from datasets.npz import write_npz
from layers.base import Layer, Param, State
from layers.saved_state import misfit, restore
from training.health.finite import refuse_not_finite, weights_of


def save_weights(path: Path, net: Layer) -> None:
    """Write them; the file gets its name only when it is whole. Raises FloatingPointError if one of
    them is not finite: such weights would only hide better ones."""
    arrays = weights_of(net)
    refuse_not_finite(path, arrays)
    write_npz(path, arrays)


def load_weights(path: Path, net: Layer, strict: bool = True) -> str:
    """Put saved weights into a net by name; returns a line that says what was put in.

    Raises ValueError listing every name and shape that differs, and changes nothing then; with
    strict=False what fits is put in, and the line says what does not.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            saved = dict(file)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no file of weights: {error}") from None
    held = {n: h for n, h in net.walk() if isinstance(h, (Param, State))}
    wrong = [f"missing: {name}" for name in held.keys() - saved.keys()]
    wrong += [f"unknown: {name}" for name in saved.keys() - held.keys()]
    fitting = {}
    for name in held.keys() & saved.keys():
        reason = misfit(held[name], saved[name])
        if reason:
            wrong.append(f"{name}: {reason}")
        else:
            fitting[name] = saved[name]
    differences = "; ".join(sorted(wrong))
    if wrong and (strict or not fitting):
        raise ValueError(f"{path} does not fit the net: {differences}")
    for name, array in fitting.items():
        restore(held[name], array)
    line = f"{len(fitting)} of {len(held)} arrays from {path}"
    return f"{line}; {differences}" if wrong else line

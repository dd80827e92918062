"""Saved weights and checkpoints: plain .npz files, never pickle."""

import zipfile
from pathlib import Path

import numpy as np

from datasets.files import whole_file
from layers.base import Layer, Param, State
from layers.saved_state import misfit, restore
from training.health.finite import first_not_finite, weights_of


def save_weights(path: Path, net: Layer) -> None:
    """Parameters and states by dotted name: what prediction needs. Raises FloatingPointError if
    one of them is not finite: such weights would only hide better ones."""
    arrays = weights_of(net)
    _refuse_not_finite(path, arrays)
    with whole_file(path) as file:
        np.savez(file, **arrays)


def load_weights(path: Path, net: Layer, strict: bool = True) -> str:
    """Put saved weights into a net by name; returns a line that says what was put in.

    Raises ValueError listing every name and shape that differs, and changes nothing then; with
    strict=False what fits is put in, and the line says what does not.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
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


def save_checkpoint(path: Path, parts: dict[str, dict]) -> None:
    """{"net": net.state(), ...} in one file, the names joined as in "net/affine1.W". Raises
    FloatingPointError if an array is not finite: nobody could go on from there."""
    flat = {f"{part}/{name}": a for part, state in parts.items() for name, a in state.items()}
    _refuse_not_finite(path, flat)
    with whole_file(path) as file:
        np.savez(file, **flat)


def load_checkpoint(path: Path) -> dict[str, dict]:
    """What `save_checkpoint` was given."""
    parts: dict[str, dict] = {}
    with np.load(path, allow_pickle=False) as saved:
        for name, array in saved.items():
            part, _, rest = name.partition("/")
            parts.setdefault(part, {})[rest] = array
    return parts


def _refuse_not_finite(path: Path, arrays: dict) -> None:
    if (name := first_not_finite(arrays)) is not None:
        raise FloatingPointError(f"{path} is not written: {name} is not finite")

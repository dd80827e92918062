"""Saved weights: parameters and states by dotted name in an .npz file, what prediction needs."""

from pathlib import Path

import numpy as np

from lamina.common.folder import File
from lamina.common.npz import open_npz, write_npz
from lamina.layers.base import Layer, Param, State
from lamina.layers.finite import refuse_bad_weights, weights_of
from lamina.layers.saved_state import misfit, restore

ASIDE = "net/"  # begins the names in the file of a whole net that are no weights: net_file.py
_LISTED = 100  # differences in an error


def save_weights(path: str | Path | File, net: Layer) -> None:
    """Write them; the file gets its name only when it is whole. Raises FloatingPointError if one of
    them is not finite: such weights would only hide better ones."""
    refuse_bad_weights(path, net)
    write_npz(path, weights_of(net))


def load_weights(path: str | Path, net: Layer, strict: bool = True) -> str:
    """Put saved weights into a net by name; returns a line that says what was put in. The file may
    be that of a whole net too (`net.save`).

    Raises ValueError listing every name, shape and dtype that differs, or NpzError, which is one,
    for a damaged file, and changes nothing then; with strict=False what fits is put in, and the
    line says what does not.
    """
    with open_npz(path) as entries:
        saved = {name: entry for name, entry in entries.items() if not name.startswith(ASIDE)}
        return put_in(path, net, saved, strict)


def put_in(path: str | Path, net: Layer, saved: dict, strict: bool = True) -> str:
    """As `load_weights`, from arrays in the file by the net's names, of any format: each has shape,
    dtype, `where` and `read()`, as npz.Entry."""
    held = {n: h for n, h in net.walk() if isinstance(h, (Param, State))}
    wrong = [f"missing: {name}" for name in held.keys() - saved.keys()]
    wrong += [f"unknown: {name}" for name in saved.keys() - held.keys()]
    # Compared before they are read: what does not fit costs nothing, however large.
    misfits = {name: misfit(held[name], saved[name]) for name in held.keys() & saved.keys()}
    wrong += [f"{name}: {reason}" for name, reason in misfits.items() if reason]
    fitting = [name for name, reason in misfits.items() if not reason]
    more = [f"and {len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
    differences = "; ".join([*sorted(wrong)[:_LISTED], *more])
    if wrong and (strict or not fitting):
        raise ValueError(f"{path} does not fit the net: {differences}")
    arrays = {name: _converted(saved[name], held[name].data.dtype) for name in fitting}
    for name, array in arrays.items():
        restore(held[name], array)
    line = f"{len(fitting)} of {len(held)} arrays from {path}"
    return f"{line}; {differences}" if wrong else line


def _converted(entry, dtype: np.dtype) -> np.ndarray:
    with np.errstate(over="raise", invalid="ignore"):  # a NaN stays one
        try:
            return entry.read().astype(dtype)
        except FloatingPointError:
            raise ValueError(f"{entry.where}: holds numbers too large for {dtype}") from None

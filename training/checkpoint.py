"""Saved weights and checkpoints: plain .npz files, never pickle."""

from pathlib import Path

import numpy as np

from datasets.files import whole_file
from layers.base import Layer, Param, State


def save_weights(path: Path, net: Layer) -> None:
    """Parameters and states by dotted name: what prediction needs."""
    arrays = {n: h.data for n, h in net.walk() if isinstance(h, (Param, State))}
    with whole_file(path) as file:
        np.savez(file, **arrays)


def load_weights(path: Path, net: Layer) -> None:
    """Put saved weights into a net of the same layers. Raises ValueError listing what differs."""
    with np.load(path, allow_pickle=False) as saved:
        # Generators are no part of the weights; the net keeps its own.
        kept = {n: v for n, v in net.state().items() if v.dtype.kind == "U"}
        net.load_state({**dict(saved), **kept})


def save_checkpoint(path: Path, parts: dict[str, dict]) -> None:
    """{"net": net.state(), ...} in one file, the names joined as in "net/affine1.W"."""
    flat = {f"{part}/{name}": a for part, state in parts.items() for name, a in state.items()}
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

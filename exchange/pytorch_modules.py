"""Modules of PyTorch that hold more arrays than our layers, put together for the matching."""

import re

import numpy as np

_ARRAYS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_RECURRENT = re.compile(rf"(?:(.+)\.)?({'|'.join(_ARRAYS)})(?:_(l\d{{1,9}}(?:_reverse)?))?")
# The rows of theirs in our order of gates, by how many there are: an RNN, a GRU, an LSTM.
_GATES = {1: (0,), 3: (0, 1, 2), 4: (0, 1, 3, 2)}


def is_of_module(name: str) -> bool:
    """Is this the name of an array of nn.RNN, nn.LSTM, nn.GRU, their cells or an attention?"""
    return bool(_RECURRENT.fullmatch(name)) or name.rpartition(".")[2] == "in_proj_weight"


def put_together(arrays: dict) -> dict:
    """A state_dict in which

    - each layer and direction of nn.RNN, nn.LSTM and nn.GRU is a module of its own, `lstm.l0`,
      `lstm.l0_reverse`, or `lstm` if it is the only one, as their cells are. It has weight_ih and
      weight_hh with the gates in our order and one `bias`, the sum of the two; a GRU, whose last
      part of bias_hh is added inside, has that as `bias_hn`;
    - the output of nn.MultiheadAttention belongs to it: `attention.out_proj_weight`.

    `arrays` have shape, dtype, where and read(). What is not whole stays as it is.
    """
    found = dict(arrays)
    for name in arrays:
        if name.rpartition(".")[2] == "in_proj_weight":
            module = name.removesuffix("in_proj_weight")
            for last in ("weight", "bias"):
                if f"{module}out_proj.{last}" in found:
                    found[f"{module}out_proj_{last}"] = found.pop(f"{module}out_proj.{last}")
    recurrent: dict[str, dict] = {}
    for name in arrays:
        if match := _RECURRENT.fullmatch(name):
            module, last, part = match.groups(default="")
            recurrent.setdefault(module, {}).setdefault(part, {})[last] = name
    for module, parts in recurrent.items():
        for part, names in parts.items():
            whole = _of_layer({last: arrays[name] for last, name in names.items()})
            if whole is None:
                continue
            for name in names.values():
                del found[name]
            whole["bias"].backwards = part.endswith("_reverse")
            path = [module] if len(parts) == 1 else [module, part]
            found |= {".".join(filter(None, [*path, last])): array for last, array in whole.items()}
    return found


def _of_layer(held: dict) -> dict | None:
    """Our form of what one layer and direction holds; None if that is something else."""
    if held.keys() != set(_ARRAYS) or len(held["weight_hh"].shape) != 2:
        return None
    rows, n = held["weight_hh"].shape
    n_gates = rows // n if n else 0
    shapes = [tuple(held[last].shape) for last in _ARRAYS]
    wanted = [(rows, shapes[0][-1]), (n_gates * n, n), (rows,), (rows,)]
    if n_gates not in _GATES or shapes != wanted:
        return None

    def in_order(array):
        gates = array.reshape(n_gates, n, *array.shape[1:])
        return gates[list(_GATES[n_gates])].reshape(array.shape)

    def sum_of(b_ih, b_hh):
        if n_gates == 3:
            b_hh = np.concatenate([b_hh[: 2 * n], np.zeros_like(b_hh[2 * n :])])
        return in_order(b_ih + b_hh)

    made = {last: Made(held[last].shape, in_order, held[last]) for last in _ARRAYS[:2]}
    made["bias"] = Made((rows,), sum_of, held["bias_ih"], held["bias_hh"])
    if n_gates == 3:
        made["bias_hn"] = Made((n,), lambda b_hh: b_hh[2 * n :], held["bias_hh"])
    return made


class Made:
    """An array made from others, when it is asked for; `backwards` if of a layer that begins at the
    end."""

    backwards = False

    def __init__(self, shape: tuple, function, *arrays):
        self.shape, self.dtype, self.where = tuple(shape), arrays[0].dtype, arrays[0].where
        self._function, self._arrays = function, arrays

    def read(self) -> np.ndarray:
        return self._function(*(array.read() for array in self._arrays))

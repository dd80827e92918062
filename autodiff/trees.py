"""Dicts, lists and tuples of arrays, nested as one likes: what is differentiated, or returned."""

import numpy as np

from autodiff.traced import Traced


def map_tree(function, tree):
    """The same structure with function(array) for each array."""
    if isinstance(tree, dict):
        return {key: map_tree(function, value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):  # a named tuple
        return type(tree)(*(map_tree(function, value) for value in tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_tree(function, value) for value in tree)
    return function(tree)


def leaves_of(tree) -> list:
    """The arrays of a structure, in order."""
    found = []
    map_tree(found.append, tree)
    return found


def flatten(tree, name: str):
    """(arrays, rebuild): the floating-point arrays of a structure, and what makes it of others.

    Python numbers become 0-d float64. Raises TypeError for integer arrays and other things, which
    have no derivative, naming the place: x['W'].
    """
    leaves = [_floating(path, value) for path, value in _named(name, tree)]

    def rebuild(arrays):
        rest = iter(arrays)
        return map_tree(lambda _: next(rest), tree)

    return leaves, rebuild


def _named(path: str, tree):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _named(f"{path}[{key!r}]", value)
    elif isinstance(tree, (list, tuple)):
        for i, value in enumerate(tree):
            yield from _named(f"{path}[{i}]", value)
    else:
        yield path, tree


def _floating(path: str, value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return np.float64(value)
    if isinstance(value, (np.ndarray, np.generic, Traced)) and value.dtype.kind == "f":
        return value
    kind = getattr(value, "dtype", type(value).__name__)
    hint = ": x.astype(float)" if getattr(value, "dtype", np.dtype(object)).kind in "iub" else ""
    raise TypeError(f"{path} is {kind}; a derivative needs floating-point arrays{hint}")

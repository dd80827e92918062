"""Dicts, lists and tuples of arrays, nested as one likes: what is differentiated, or returned."""

import numpy as np

from lamina.autodiff.traced import NotDifferentiable, Traced


def map_tree(function, tree):
    """The same structure with function(array) for each array."""
    if isinstance(tree, dict):
        return {key: map_tree(function, value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):  # a named tuple
        return type(tree)(*(map_tree(function, value) for value in tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_tree(function, value) for value in tree)
    return function(tree)


def flatten(tree, name: str):
    """(arrays, rebuild): the floating-point arrays of a structure, and what makes it of others.

    Python numbers become 0-d float64. Raises TypeError for integer arrays and other things, which
    have no derivative, naming the place: x['W'].
    """
    leaves = [floating(path, value) for path, value, _ in paired(name, tree, tree)]

    def rebuild(arrays):
        rest = iter(arrays)
        return map_tree(lambda _: next(rest), tree)

    return leaves, rebuild


def paired(path: str, tree, like):
    """(place, array of tree, array of like) for each array of `like`, in the order of `like`.

    A dict may have its keys in another order, as they say what belongs together. Raises
    ValueError where the tree is not built like `like`, naming the place.
    """
    if isinstance(like, dict):
        if not isinstance(tree, dict) or tree.keys() != like.keys():
            raise ValueError(f"{path} should be a dict with the keys {list(like)}{_not(tree)}")
        for key, value in like.items():
            yield from paired(f"{path}[{key!r}]", tree[key], value)
    elif isinstance(like, (list, tuple)):
        if not isinstance(tree, (list, tuple)) or len(tree) != len(like):
            raise ValueError(f"{path} should be a sequence of length {len(like)}{_not(tree)}")
        for i, value in enumerate(like):
            yield from paired(f"{path}[{i}]", tree[i], value)
    else:
        yield path, tree, like


def _not(tree) -> str:
    what = type(tree).__name__
    if isinstance(tree, dict):
        return f", not one with the keys {list(tree)}"
    return f", not a {what}" + (
        f" of length {len(tree)}" if isinstance(tree, (list, tuple)) else ""
    )


def check_result(y, level: int) -> None:
    """Refuse what f returned if a derivative would be lost with it, or if it is no array."""
    for place, leaf, _ in paired("the result", y, y):
        if isinstance(leaf, Traced):
            if leaf.level > level or (leaf.level != level and leaf.level.ended):
                where = " inside f" if leaf.level > level else ""
                raise NotDifferentiable(
                    f"{place} is a {type(leaf).__name__} of a differentiation{where} that has "
                    "ended, so its derivative would be lost: keep what grad or jvp returns "
                    "there, not what its function has computed with"
                )
        elif not isinstance(leaf, (int, float)) and (
            getattr(leaf, "dtype", np.dtype(object)).kind not in "fiub"
        ):
            raise TypeError(
                f"{place} is {leaf!r:.60}; f returns a number or an array, or dicts, lists and "
                "tuples of them"
            )


def floating(path: str, value):
    """The value as a floating-point array; TypeError if it is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return np.float64(value)
    if isinstance(value, Traced):
        value.check_alive()
    if isinstance(value, (np.ndarray, np.generic, Traced)) and value.dtype.kind == "f":
        return value
    kind = getattr(value, "dtype", type(value).__name__)
    hint = ": x.astype(float)" if getattr(value, "dtype", np.dtype(object)).kind in "iub" else ""
    raise TypeError(f"{path} is {kind}; a derivative needs floating-point arrays{hint}")

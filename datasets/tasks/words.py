"""Names, and targets of a wrong type, in words."""

from collections import Counter
from numbers import Integral

import numpy as np

from lamina.common.counts import is_whole
from lamina.common.printable import printable
from lamina.datasets.tasks.numbers import first

MAX_CLASSES = 10_000_000  # more than any vocabulary; each has a name in memory
_SHOWN = 20  # of what one target may hold, in words


def class_count(n) -> int:
    if not is_whole(n) or not 0 <= n <= MAX_CLASSES:
        raise ValueError(f"{n!r} is no number of classes")
    return int(n)


def whole(task, n) -> int:
    if not is_whole(n):
        raise TypeError(f"{type(task).__name__}: ignore_index is a whole number, got {n!r}")
    return int(n)


def checked_names(task, names, what: str) -> tuple[str, ...]:
    if isinstance(names, Integral):
        raise TypeError(
            f"{type(task).__name__}: expects the names of the {what}, got the number {names}; "
            f"range({names}) numbers them"
        )
    if isinstance(names, range) and len(names) > MAX_CLASSES:
        raise ValueError(
            f"{type(task).__name__}: expects at most {MAX_CLASSES} {what}, got {len(names)}"
        )
    names = tuple(str(name) for name in names)
    if len(set(names)) < len(names):
        twice = next(name for name, n in Counter(names).items() if n > 1)
        raise ValueError(f"{type(task).__name__}: the name {printable(twice)} stands twice")
    if not names:
        raise ValueError(f"{type(task).__name__}: expects the names of the {what}, got none")
    return names


def odd_type(t) -> str:
    """What targets of a wrong type are, in words."""
    if t.dtype.kind in "USO":
        example = next(iter(t.reshape(-1).tolist()), "")
        return f"text, as {str(example)[:40]!r} in row 0; number them first"
    if t.dtype.kind == "b":
        return f"true and false {t.shape}; t.astype(int) makes them 0 and 1"
    if t.dtype.kind == "f" and t.size:
        if found := first(t, lambda piece: ~np.isfinite(piece)):
            return f"{found[1]} in row {found[0]}"
        if not (found := first(t, lambda piece: piece != np.rint(piece))):
            return f"{t.dtype} {t.shape}; t.astype(int) makes them whole numbers"
        return f"{t.dtype} {t.shape}, as {found[1]} in row {found[0]}"
    return f"{t.dtype} {t.shape}"


def as_floats(t) -> str:
    return "; t.astype(np.float32) makes them floats" if t.dtype.kind in "iu" else ""


def listed(words, between: str = ", ") -> str:
    words = list(words)
    return between.join(words[:_SHOWN]) + (f"{between}..." if len(words) > _SHOWN else "")

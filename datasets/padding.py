"""Sequences of unequal lengths as one array."""

from collections.abc import Sequence

import numpy as np


def padded(sequences: Sequence, length: int | None = None, value: int = 0, dtype=np.intp):
    """Whole numbers in rows of unequal lengths as one array (N, length), with `value` behind each;
    the longest decides about the length if none is given.

    Targets that are padded with a task's `ignore_index` do not count. Raises ValueError for a
    sequence that is longer than `length`, with its row: cut off it would be another one.
    """
    longest = max(map(len, sequences), default=0)
    length = longest if length is None else length
    if longest > length:
        row = next(i for i, sequence in enumerate(sequences) if len(sequence) > length)
        raise ValueError(
            f"sequence {row} has {len(sequences[row])} tokens, and the length is {length}; a "
            "larger length, or leave it out"
        )
    out = np.full((len(sequences), length), value, dtype)
    for row, sequence in zip(out, sequences, strict=True):
        row[: len(sequence)] = sequence
    return out

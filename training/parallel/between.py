"""What the shards of several ranks add up: gradients, and what layers need of the whole batch."""

import numpy as np

from lamina.training.parallel.flat import NONE, Row, leaves, leaves_like, rebuilt

ORDERED, FAST = "ordered", "fast"
REDUCTIONS = (ORDERED, FAST)


def sum_of(arrays: list):
    """The sum in the order of the list."""
    first, *others = arrays
    for other in others:
        first = first + other
    return first


def sum_between(ranks, n: int, arrays: list):
    """The sum over the n shards of all ranks, in order, of one array for each of our shards."""
    if len(arrays) == n:  # nobody else has any
        return sum_of(arrays)
    everywhere = ranks.all([leaves(array) for array in arrays], "a sum over the whole batch")
    parts = zip(*(leaves for ours in everywhere for leaves in ours), strict=True)
    return rebuilt(arrays[0], [sum_of(list(part)) for part in parts])


def gradients_between(ranks, counts: list[int], like: list, shards: list[list], fast: bool) -> list:
    """The sum of the gradients of each parameter over all shards, None where none has any.

    `counts` says how many shards each rank has, which are numbered through in their order; `like`
    are the arrays of the parameters, `shards` the gradients of each of our shards. They travel in
    one row of numbers for each dtype, in which the last numbers count, for each leaf of a
    parameter, in how many shards it is there.
    """
    wanted = [leaves(array) for array in like]
    flat = [leaf for parts in wanted for leaf in parts]
    ours = [
        [leaf for a, g in zip(like, gradients, strict=True) for leaf in leaves_like(a, g)]
        for gradients in shards
    ]
    totals: list[np.ndarray | None] = [None] * len(flat)
    for dtype in dict.fromkeys(leaf.dtype for leaf in flat):
        chosen = [i for i, leaf in enumerate(flat) if leaf.dtype == dtype]
        row = Row([*(flat[i] for i in chosen), np.empty(len(chosen))])
        rows = np.empty((len(shards), row.size), dtype)
        for to, arrays in zip(rows, ours, strict=True):
            there = [arrays[i] for i in chosen]
            row.fill(to, [*there, np.array([a is not None for a in there], dtype)])
        *sums, present = row.arrays(_sum_fast(ranks, rows) if fast else _sum(ranks, counts, rows))
        for i, total, n in zip(chosen, sums, present, strict=True):
            totals[i] = total if n > 0 else None
    rest = iter(totals)
    return [_joined(a, [next(rest) for _ in parts]) for a, parts in zip(like, wanted, strict=True)]


def _joined(like, parts: list[np.ndarray | None]):
    """The gradient of these leaves; one that is a dual in none of the shards is plain."""
    if parts[0] is None or all(part is None for part in parts[1:]):
        return parts[0]
    of = leaves(like)
    return rebuilt(
        like, [np.zeros_like(a) if p is None else p for a, p in zip(of, parts, strict=True)]
    )


def _sum(ranks, counts: list[int], rows: np.ndarray) -> np.ndarray:
    """The sum of the rows of all ranks, added in their order, so that it does not depend on which
    rank has which: each rank gets one slice of all rows, adds it up, and gives that to all."""
    ranks.check_together()
    m, n = rows.shape
    width = -(-n // ranks.size)
    sent = np.empty((ranks.size, m, width), rows.dtype)
    for r in range(ranks.size):
        part = rows[:, r * width : (r + 1) * width]
        sent[r, :, : part.shape[1]], sent[r, :, part.shape[1] :] = part, NONE
    slices = np.empty((sum(counts), width), rows.dtype)
    ranks.comm.Alltoallv(
        [sent, [m * width] * ranks.size], [slices, [count * width for count in counts]]
    )
    total = slices[0]
    for other in slices[1:]:
        total += other
    whole = np.empty(ranks.size * width, rows.dtype)
    ranks.comm.Allgather(total, whole)
    return whole[:n]


def _sum_fast(ranks, rows: np.ndarray) -> np.ndarray:
    """The sum as MPI adds up: in an order of its own."""
    ranks.check_together()
    ours, total = sum_of(list(rows)), np.empty_like(rows[0])
    ranks.comm.Allreduce(np.ascontiguousarray(ours), total)
    return total

"""How many samples are for validation and for testing, and which, fixed by a seed."""

import numpy as np

from lamina.common.counts import is_count


def check_validation(validation_share: float | None, n_validation: int | None) -> bool:
    """Whether validation samples are wanted. Raises ValueError if they are said in two ways, or in
    a way that means none or all."""
    if validation_share is not None and n_validation is not None:
        raise ValueError(
            f"validation_share ({validation_share}) and n_validation ({n_validation}) both say "
            "how many samples are for validation; give one of them"
        )
    if validation_share is not None and not 0 < validation_share < 1:
        raise ValueError(
            f"validation_share: expects a share between 0 and 1, got {validation_share}"
        )
    if n_validation is not None and not is_count(n_validation, 1):
        raise ValueError(
            f"n_validation: expects a whole number of at least 1, got {n_validation}; leave it out "
            "for no validation samples"
        )
    return validation_share is not None or n_validation is not None


def validation_beside(
    n_train: int, validation_share: float | None, n_validation: int | None
) -> int:
    """How many validation samples stand beside n_train training samples: n_validation, or so many
    that they are that share of both together, one at least; 0 if neither is given."""
    if not check_validation(validation_share, n_validation):
        return 0
    if n_validation is not None:
        return int(n_validation)
    share = validation_share or 0.0
    return max(round(n_train * share / (1 - share)), 1)


def validation_out_of(n: int, validation_share: float | None, n_validation: int | None) -> int:
    """How many of n samples are for validation; 0 if neither is given. Raises ValueError if no
    sample, or none for training, is left."""
    if not check_validation(validation_share, n_validation):
        return 0
    given = round(n * (validation_share or 0)) if n_validation is None else int(n_validation)
    if not 0 < given < n:
        said = (
            f"a validation_share of {validation_share}"
            if n_validation is None
            else f"n_validation: {n_validation}"
        )
        raise ValueError(
            f"{said} leaves {max(n - given, 0)} of {n} samples to train on and takes {given} for "
            "validation; both need at least one"
        )
    return given


def n_test_out_of(n: int, test_share: float, what: str, instead: str) -> int:
    """How many of n samples, called `what`, are for testing. Raises ValueError, which says what one
    may give `instead` of a share, if no sample, or none for training, is left."""
    if not 0 < test_share < 1:
        raise ValueError(
            f"test_share: expects a share between 0 and 1, got {test_share}; give one, or {instead}"
        )
    n_test = round(n * test_share)
    if not 0 < n_test < n:
        raise ValueError(
            f"a test_share of {test_share} leaves {n - n_test} of {n} {what} to train on and "
            f"{n_test} to test on; give a share between 0 and 1, or {instead}"
        )
    return n_test


def split_off(
    n: int,
    n_off: int,
    split_seed: int = 0,
    classes: np.ndarray | None = None,
    purpose: bytes = b"validation",
) -> tuple[np.ndarray, np.ndarray]:
    """(rows that stay, rows that are split off), each in the order of the samples.

    Chosen at random, the same for the same seed. With `classes` (n,), the class of each sample,
    every class gives its share, rounded so that the numbers add up (largest remainders first, as
    scikit-learn's StratifiedShuffleSplit has it), but never its last sample: no class vanishes from
    those that stay. Raises ValueError if that cannot be.
    """
    check_split_seed(split_seed)
    # A stream of its own for each purpose: the seed 0 elsewhere has nothing to do with this one.
    rng = np.random.default_rng([int(split_seed), *purpose])
    off = np.zeros(n, bool)
    if classes is None:
        off[rng.permutation(n)[:n_off]] = True
    else:
        _, members, counts = np.unique(classes, return_inverse=True, return_counts=True)
        # Of as few bytes as do: there may be many, and short numbers are sorted faster.
        members = members.astype(np.min_scalar_type(len(counts)))
        by_class = np.split(np.argsort(members, kind="stable"), np.cumsum(counts)[:-1])
        for rows, take in zip(by_class, _shares(counts, n_off, rng), strict=True):
            off[rng.permutation(rows)[:take]] = True
    return np.flatnonzero(~off), np.flatnonzero(off)


def check_split_seed(split_seed: int) -> None:
    if not is_count(split_seed, 0):
        raise ValueError(f"split_seed: expects a whole number of at least 0, got {split_seed}")


def _shares(counts: np.ndarray, n_off: int, rng: np.random.Generator) -> np.ndarray:
    """How many of each class are split off, n_off together; ties are broken at random."""
    room = counts - 1
    if n_off > room.sum():
        raise ValueError(
            f"{n_off} of {counts.sum()} samples cannot be split off: of each of the {len(counts)} "
            f"classes one sample must stay to train on, so at most {room.sum()} can"
        )
    exact = counts * (n_off / counts.sum())
    shares = np.minimum(np.floor(exact).astype(int), room)
    order = np.lexsort((rng.random(len(counts)), -np.round(exact - np.floor(exact), 9)))
    while missing := n_off - int(shares.sum()):  # a second round where small classes had no room
        open_ones = order[shares[order] < room[order]]
        shares[open_ones[:missing]] += 1
    return shares

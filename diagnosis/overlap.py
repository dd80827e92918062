"""How many of the test samples a run has seen while it trained or chose, or near copies of them."""

import numpy as np

from lamina.datasets.rows import some_rows
from lamina.diagnosis.learnable import distances

MOST = 10_000  # test samples that are looked for
CHUNK = 10_000  # rows at a time
NUMBERS = 200_000_000  # of the inputs of a set; a larger one is not gone through
GLANCE = 64  # numbers of an input, or up to twice as many, that are compared before all are
PROBES, FEWEST = 100, 30  # samples whose nearest training sample is looked for
WORK = 2e9  # products of numbers for all of them, at most
NEAR = 0.01  # of what that training sample lies apart from its own nearest
LEAST = 0.1  # of the test samples: in one dimension some lie so near by chance
MOST_ROWS = 1000  # by which columns are brought to one size
ALIKE = 10  # samples to each kind of row, from which on they are alike by nature
TASKS = ("classification", "multilabel", "regression")  # windows of a text are alike by nature


def share_seen(dataset, chooses: bool = True) -> float | None:
    """The share of up to 10,000 test samples that stand among the training samples, or among those
    of validation if the run `chooses` by them, number for number, with the same target. None where
    it is not looked for: in texts, in sets whose nets have several inputs, in rows of files; and
    where samples are alike by nature, such as a few answers of yes and no."""
    sets = dataset.sets()
    test = sets.pop("test")
    if not chooses:
        sets.pop("validation", None)
    if dataset.task.name not in TASKS or not len(test):
        return None
    every = [test, *sets.values()]
    if any(some.widths is not None or not _in_memory(some) for some in every):
        return None
    kept = len({(some.scale, some.offset) for some in every}) == 1
    kinds = [np.result_type(*(getattr(some, name) for some in every)) for name in ("X", "t")]
    if not kept:
        kinds[0] = np.result_type(kinds[0], np.float32)
    rows = some_rows(len(test), MOST)
    X, t = _numbers(test, rows, kept, kinds)
    glances, wanted = set(_as_bytes(_some_of(X))), _as_bytes(X, t)
    unseen, glanced = set(wanted), set[int]()
    for some in sets.values():
        for first in range(0, len(some), CHUNK):
            X, t = _numbers(some, slice(first, first + CHUNK), kept, kinds)
            few = _as_bytes(_some_of(X))
            glanced.update(map(hash, few))
            alike = np.array([one in glances for one in few])
            unseen.difference_update(_as_bytes(X[alike], t[alike]))
    n = sum(map(len, sets.values()))
    # Of rows there are as many kinds as of glances, or more: whole ones are read where few differ.
    if ALIKE * len(glanced) < n and ALIKE * _kinds_of_rows(sets.values(), kept, kinds) < n:
        return None
    return sum(one not in unseen for one in wanted) / len(wanted)


def share_near(dataset) -> float | None:
    """The share of up to 100 test samples that lie a hundred times nearer to a training sample than
    that lies to any other, and most of these to others, by a few of the columns, brought to one
    size; 0 if it is less than a tenth. What is blank, or measured again and again, has such
    neighbours in the training set too. None where it is not looked for, see share_seen, and in sets
    so large that it would take long."""
    train, test = dataset.train, dataset.test
    if dataset.task.name not in TASKS or not len(test):
        return None
    if any(some.widths is not None or not _in_memory(some) for some in (train, test)):
        return None
    n = int(min(PROBES, len(test), WORK / (4 * GLANCE * len(train))))
    if n < FEWEST or len(train) < FEWEST:
        return None
    kept = (train.scale, train.offset) == (test.scale, test.offset)
    known = _finite(_plain(train, some_rows(len(train), MOST_ROWS), kept))
    probes = _finite(_plain(test, some_rows(len(test), n), kept))
    if min(len(known), len(probes)) < FEWEST:
        return None
    # A pixel that is seldom any other than 0 is not to count more for that.
    spread = np.maximum(known.std(axis=0), np.ptp(known, axis=0) / 10.0)
    vary = spread > 1e-12 * np.abs(known).max(axis=0)
    if not vary.any():
        return None
    by = vary, known.mean(axis=0)[vary], spread[vary], kept
    nearest, at = _nearest(train, (probes[:, vary] - by[1]) / by[2], by)
    neighbours = (_plain(train, at, kept)[:, vary] - by[1]) / by[2]
    # None lies further from its own nearest than from that among some.
    some = distances(neighbours, (known[:, vary] - by[1]) / by[2])
    some = np.where(some > 0.0, some, np.inf).min(axis=1)
    if np.mean(nearest < NEAR**2 * some) < LEAST:
        return 0.0
    own, _ = _nearest(train, neighbours, by, but=at)
    usual = np.minimum(own, np.median(own))
    share = float(np.mean(nearest < NEAR**2 * usual))
    return share if share >= LEAST else 0.0


def _nearest(train, probes, by: tuple, but=None) -> tuple[np.ndarray, np.ndarray]:
    """(squared distances, rows) of the training samples nearest to some points, but for these."""
    vary, centre, scale, kept = by
    nearest, at = np.full(len(probes), np.inf), np.zeros(len(probes), np.intp)
    for first in range(0, len(train), CHUNK):
        X = _plain(train, slice(first, first + CHUNK), kept)[:, vary]
        there = np.isfinite(X).all(axis=1)
        apart = distances(probes, (np.where(there[:, None], X, 0.0) - centre) / scale)
        apart[:, ~there] = np.inf
        if but is not None:
            own = np.flatnonzero((but >= first) & (but < first + len(X)))
            apart[own, but[own] - first] = np.inf
        place = apart.argmin(axis=1)
        found = apart[np.arange(len(probes)), place]
        at = np.where(found < nearest, first + place, at)
        nearest = np.minimum(nearest, found)
    return nearest, at


def _finite(X) -> np.ndarray:
    return X[np.isfinite(X).all(axis=1)]


def _plain(some, rows, kept: bool) -> np.ndarray:
    """A few columns, as they are kept or as they are given."""
    X = some.X[rows] if kept else some[rows][0]
    return _some_of(X.reshape(len(X), -1)).astype(np.float64)


def _kinds_of_rows(sets, kept: bool, kinds) -> int:
    """How many different inputs there are."""
    found = set[int]()
    for some in sets:
        for first in range(0, len(some), CHUNK):
            X, _ = _numbers(some, slice(first, first + CHUNK), kept, kinds)
            found.update(map(hash, _as_bytes(X)))
    return len(found)


def _in_memory(some) -> bool:
    """Rows of files are not gone through before a run."""
    arrays = (some.X, some.t)
    return all(isinstance(a, np.ndarray) and 0 < a.size <= NUMBERS for a in arrays)


def _numbers(some, rows, kept: bool, kinds) -> list[np.ndarray]:
    """Inputs and targets of these dtypes, a row each; as they are kept, unscaled, if that is alike
    in all sets."""
    both = (some.X[rows], some.t[rows]) if kept else some[rows]
    return [
        a.reshape(len(a), -1).astype(kind, copy=False) for a, kind in zip(both, kinds, strict=True)
    ]


def _some_of(X):
    return X[:, :: max(X.shape[1] // GLANCE, 1)]


def _as_bytes(*parts) -> list[bytes]:
    """A row of all parts each."""
    found = []
    for part in parts:
        part = part if part.dtype.kind in "biu" else part + 0.0  # of 0 and -0 the bits differ
        flat = np.ascontiguousarray(part)
        found.append(flat.view(f"V{flat.itemsize * flat.shape[1]}").ravel().tolist())
    return [b"".join(row) for row in zip(*found, strict=True)] if parts[1:] else found[0]

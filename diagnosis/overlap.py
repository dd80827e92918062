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
NEAR = 0.01  # of what training samples lie apart, by the median
LEAST = 0.1  # of the test samples: in one dimension some lie so near by chance
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
    """The share of up to 100 test samples to which a training sample is a hundred times nearer than
    training samples are to each other, by a few of the columns, brought to deviation 1; 0 where it
    is less than a tenth, or training samples have as near ones as well. None where it is not looked
    for, see share_seen, and in sets so large that it would take long."""
    train, test = dataset.train, dataset.test
    if dataset.task.name not in TASKS or not len(test):
        return None
    if any(some.widths is not None or not _in_memory(some) for some in (train, test)):
        return None
    n = int(min(PROBES, len(train), len(test), WORK / (4 * GLANCE * len(train))))
    if n < FEWEST:
        return None
    kept = (train.scale, train.offset) == (test.scale, test.offset)
    rows = some_rows(len(train), n)
    known, others = _plain(train, rows, kept), _plain(test, some_rows(len(test), n), kept)
    spread = known.std(axis=0)
    vary = spread > 1e-12 * np.abs(known).max(axis=0)
    centre, scale = known.mean(axis=0)[vary], spread[vary]
    probes = (np.concatenate([known, others])[:, vary] - centre) / scale
    nearest = np.full(2 * n, np.inf)
    for first in range(0, len(train), CHUNK):
        X = (_plain(train, slice(first, first + CHUNK), kept)[:, vary] - centre) / scale
        apart = distances(probes, X)
        own = np.flatnonzero((rows >= first) & (rows < first + len(X)))
        apart[own, rows[own] - first] = np.inf
        nearest = np.minimum(nearest, apart.min(axis=1, initial=np.inf))
    near = nearest < NEAR**2 * np.median(nearest[:n])
    share, own_share = near[n:].mean(), near[:n].mean()
    return float(share) if share > max(3.0 * own_share, LEAST) else 0.0


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

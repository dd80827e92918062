"""How much the inputs tell of the targets, without any net: by nearest neighbours."""

import numpy as np

MOST, NUMBERS = 500, 1_000_000  # samples that are compared, and numbers of all of them
FEWEST = 30  # samples; fewer say nothing


def nearest_score(dataset) -> float | None:
    """The score of answering with the target of the nearest other sample, for up to 500 training
    samples; None where that says nothing (sequences, labels, words).

    Of classes it is the share that is right: with enough samples its error is at most twice the
    least that any classifier can have (Cover and Hart 1967), so a net that does much worse could do
    better. Of numbers it is 1 - Σ (y - y')² / Σ 2 (y - ȳ)²: two samples at one place differ by
    twice the noise, so it is the R² that the noise leaves. Few samples, or many dimensions, make it
    too low, never too high by much.
    """
    if dataset.task.name not in ("classification", "regression"):
        return None
    train, ignored = dataset.train, dataset.task.ignore_index
    X, t = train.X, train.t
    n = min(len(X), MOST, NUMBERS // max(int(np.prod(X.shape[1:])), 1))
    if X.dtype.kind not in "uif" or X.ndim < 2 or n < FEWEST or train.widths is not None:
        return None
    X, t = train[np.linspace(0, len(X) - 1, n).astype(np.intp)]
    X, t = X.reshape(n, -1).astype(np.float64), np.asarray(t).reshape(n, -1)
    if ignored is not None and not (counted := (t != ignored).all(axis=1)).all():
        X, t = X[counted], t[counted]
    if len(X) < FEWEST or not np.isfinite(X).all():
        return None
    # A sample that stands twice is no other sample; where many answers are given at one place,
    # those that are left say nothing of how often each is.
    X, t = _once(X, t)
    places = len(np.unique(X, axis=0))
    if len(X) < FEWEST or (dataset.task.name == "classification" and places < 0.9 * len(X)):
        return None
    X -= X.mean(axis=0)
    squares = np.square(X).sum(axis=1)
    apart = squares[:, None] + squares - 2.0 * (X @ X.T)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argmin(axis=1)
    if dataset.task.name == "classification":
        if dataset.target_shape != ():
            return None
        return float((t[nearest] == t).all(axis=1).mean())
    spread = np.square(t - t.mean(axis=0), dtype=np.float64).sum()
    off = np.square(t - t[nearest], dtype=np.float64).sum()
    return float(1.0 - off / (2.0 * spread)) if spread > 0 else None


def _once(X, t) -> tuple:
    """Equal rows of both but the first."""
    _, first = np.unique(np.hstack([X, t]), axis=0, return_index=True)
    return X[first], t[first]

"""How much the inputs tell of the targets, without any net: by nearest neighbours, and by kernel
ridge regression."""

import numpy as np

MOST, NUMBERS = 500, 1_000_000  # samples that are compared, and numbers of all of them
FEWEST = 30  # samples; fewer say nothing
RIDGES = (0.01, 0.1, 1.0)  # of a kernel whose numbers are about 1
UNLIKE = 30.0  # times, by which columns differ in size before that can matter


def learnable(dataset) -> dict:
    """{"nearest", "ridge"}: scores of answering each of up to 500 training samples by the others,
    the share of classes that is right, or R², of labels as 0 and 1 too, which have no `nearest`. {}
    where they say nothing (sequences, words).

    `nearest` is the target of the nearest other sample. Of classes, with enough samples, its error
    is at most twice the least that any classifier can have (Cover and Hart 1967). Of numbers it is
    1 - Σ (y - y')² / Σ 2 (y - ȳ)²: two samples at one place differ by twice the noise, so it is the
    R² that the noise leaves. `ridge` is kernel ridge regression on columns of deviation 1, which
    sees more in many dimensions. Where columns are of unlike size there are also `ridge_as_given`,
    on columns as they are, and `sizes`, the least and the largest of their deviations. All scores
    are too low with few samples, never too high by much: whoever does much worse could do better.
    """
    found = _samples(dataset)
    if found is None:
        return {}
    X, t = found
    classes, labels = (dataset.task.name == name for name in ("classification", "multilabel"))
    answers = (t == np.unique(t)).astype(np.float64) if classes else t.astype(np.float64)
    if not np.square(answers - answers.mean(axis=0)).sum() > 0:
        return {}
    X = X - X.mean(axis=0)
    sizes = X.std(axis=0)
    vary = sizes > 1e-12 * max(sizes.max(), 1e-300)
    if not vary.any():
        return {}
    scores: dict = {"ridge": _ridge(X[:, vary] / sizes[vary], answers, classes)}
    if labels:
        return scores
    scores["nearest"] = _nearest(X, answers, classes)
    if dataset.train.X.ndim == 2 and sizes.max() > UNLIKE * sizes[vary].min():
        scores["ridge_as_given"] = _ridge(X / np.sqrt(np.square(X).mean()), answers, classes)
        scores["sizes"] = [float(sizes[vary].min()), float(sizes.max())]
    return scores


def _samples(dataset) -> tuple | None:
    """(inputs, targets) of some training samples, a row each."""
    if dataset.task.name not in ("classification", "regression", "multilabel"):
        return None
    train, ignored = dataset.train, dataset.task.ignore_index
    X = train.X
    n = min(len(X), MOST, NUMBERS // max(int(np.prod(X.shape[1:])), 1))
    if X.dtype.kind not in "uif" or X.ndim < 2 or n < FEWEST or train.widths is not None:
        return None
    if dataset.task.name == "classification" and dataset.target_shape != ():
        return None
    X, t = train[np.linspace(0, len(X) - 1, n).astype(np.intp)]
    X, t = X.reshape(n, -1).astype(np.float64), np.asarray(t).reshape(n, -1)
    if ignored is not None and not (counted := (t != ignored).all(axis=1)).all():
        X, t = X[counted], t[counted]
    if dataset.task.name == "multilabel":
        known = ((t == 0) | (t == 1)).all(axis=1)
        X, t = X[known], t[known]
    if len(X) < FEWEST or not np.isfinite(X).all():
        return None
    # A sample that stands twice is no other sample; where many answers are given at one place,
    # those that are left say nothing of how often each is.
    _, first = np.unique(np.hstack([X, t]), axis=0, return_index=True)
    X, t = X[first], t[first]
    places = len(np.unique(X, axis=0))
    if len(X) < FEWEST or (dataset.task.name == "classification" and places < 0.9 * len(X)):
        return None
    return X, t


def _nearest(X, answers, classes: bool) -> float:
    apart = _distances(X)
    np.fill_diagonal(apart, np.inf)
    said = answers[apart.argmin(axis=1)]
    if classes:
        return float((said == answers).all(axis=1).mean())
    spread = np.square(answers - answers.mean(axis=0)).sum()
    return float(1.0 - np.square(answers - said).sum() / (2.0 * spread))


def _ridge(X, answers, classes: bool) -> float:
    """Each sample by all others, with the best of a few ridges: with A = (K + λ I)⁻¹ the residual
    of sample i is (A y)ᵢ / Aᵢᵢ. Rasmussen and Williams 2006, "Gaussian Processes for Machine
    Learning", section 5.4.2. The kernel is a Gaussian as wide as samples are apart, and a line."""
    n, columns = X.shape
    kernel = np.exp(-_distances(X) / (2.0 * columns)) + X @ X.T / columns
    mean, scores = answers.mean(axis=0), []
    spread = np.square(answers - mean).sum()
    for ridge in RIDGES:
        A = np.linalg.inv(kernel + ridge * np.eye(n))
        off = A @ (answers - mean) / np.diag(A)[:, None]
        if classes:
            right = (answers - off).argmax(axis=1) == answers.argmax(axis=1)
            scores.append(float(right.mean()))
        else:
            scores.append(float(1.0 - np.square(off).sum() / spread))
    return max(scores)


def _distances(X) -> np.ndarray:
    """Squared, between all rows."""
    squares = np.square(X).sum(axis=1)
    return np.maximum(squares[:, None] + squares - 2.0 * (X @ X.T), 0.0)

"""How much the inputs tell of the targets, without any net: by nearest neighbours, and by kernel
ridge regression."""

import math

import numpy as np

from lamina.datasets.rows import some_rows

MOST, NUMBERS = 500, 1_000_000  # samples that are compared, and numbers of all of them
TAILS = (0.02, 0.98)  # what lies beyond is taken to lie there, where two sets are compared
FEWEST = 30  # samples; fewer say nothing
RIDGES = (0.01, 0.1, 1.0)  # of a kernel whose numbers are about 1
CANCELLED = 1e-8  # of the squares: what is left of them has half its digits, or fewer
ENOUGH = 100  # samples of each set, whose quartiles say where it lies
TAIL = 0.025  # of the samples of a column, at each end
REPEATED = 0.1  # of a column: one number, such as 0
UNLIKE = 30.0  # times, by which columns differ in size before that can matter


def learnable(dataset) -> dict:
    """{"nearest", "ridge"}: scores of answering each of up to 500 training samples by the others
    (`compared` says how many), the share of classes that is right, or R², of labels as 0 and 1 too,
    which have no `nearest`. {} where they say nothing (sequences, words). `alike` are two scores of
    whichever of the two does better (`alike_by`): of the training samples by each other, and of up
    to 500 test samples by them; of numbers cut off at their tails, in which chance is large. `told`
    are the correlations of what ridge regression says of the two with what is right: where one
    class is the likeliest everywhere no score shows what the inputs tell, and this does; of labels
    it is not reckoned.

    `nearest` is the target of the nearest other sample. Of classes, with enough samples, its error
    is at most twice the least that any classifier can have (Cover and Hart 1967). Of numbers it is
    1 - Σ (y - y')² / Σ 2 (y - ȳ)²: two samples at one place differ by twice the noise, so it is the
    R² that the noise leaves. `ridge` is kernel ridge regression on columns of deviation 1, which
    sees more in many dimensions. Where columns are of unlike size there are also `ridge_as_given`,
    on columns as they are, and `sizes`, the least and the largest of their deviations. `elsewhere`
    is the column in which the test samples lie furthest from where the training samples do, if that
    is no chance. All scores are too low with few samples, and seldom too high by much: of numbers
    `nearest` scatters by `nearest_luck`, about 0.06 with 500 of them. Whoever does much worse could
    do better. `line` is ridge regression without that kernel: what straight lines can reach.
    """
    every = _samples(dataset, dataset.train)
    if every is None:
        return {}
    classes, labels = (dataset.task.name == name for name in ("classification", "multilabel"))
    found = _distinct(every[0], every[1], classes)
    if found is None:
        return {}
    X, t = found
    test = _samples(dataset, dataset.test)
    kinds = np.unique(t)
    answers = (t == kinds).astype(np.float64) if classes else t.astype(np.float64)
    if not np.square(answers - answers.mean(axis=0)).sum() > 0:
        return {}
    center = X.mean(axis=0)
    sizes = X.std(axis=0)
    # Else it is rounding: by the column's own size, or by that of what it was computed from.
    vary = (sizes > 1e-12 * np.abs(X).max(axis=0)) & (sizes > 1e-14 * sizes.max())
    if not vary.any():
        return {}
    X, scaled = X - center, (X - center)[:, vary] / sizes[vary]
    apart, ridge = distances(X, X), _Ridge(scaled, distances(scaled, scaled))
    scores: dict = {"compared": len(X), "ridge": ridge.scores(answers, classes)[0]}
    if labels:
        return scores
    scores["nearest"] = _nearest(apart, answers, classes)
    if not classes:
        scores["nearest_luck"] = _luck_of_nearest(apart, answers)
    scores["line"] = _Ridge(scaled).scores(answers, classes)[0]
    if dataset.train.X.ndim == 2 and sizes.max() > UNLIKE * sizes[vary].min():
        size = np.square(X).mean()
        as_given = _Ridge(X / np.sqrt(size), apart / size)
        scores["ridge_as_given"], _ = as_given.scores(answers, classes)
        scores["sizes"] = [float(sizes[vary].min()), float(sizes.max())]
    if test is not None:  # a class that no training sample has is answered wrongly
        others = test[0] - center
        right = (test[1] == kinds).astype(np.float64) if classes else test[1].astype(np.float64)
        scores["told"] = ridge.correlations(answers, (others[:, vary] / sizes[vary], right))
        if not classes:
            ends = np.quantile(answers, TAILS, axis=0)
            answers, right = answers.clip(*ends), right.clip(*ends)
        alike = (
            ridge.scores(answers, classes, (others[:, vary] / sizes[vary], right)),
            (
                _nearest(apart, answers, classes),
                _nearest(distances(others, X), answers, classes, right),
            ),
        )
        scores["alike"] = list(max(alike))
        # Of all samples, those that stand twice too.
        if (where := _elsewhere(every[0], test[0])) is not None:
            scores["elsewhere"] = where
        scores["alike_by"] = "ridge" if alike[0] >= alike[1] else "nearest"
    return scores


def _elsewhere(X, others) -> dict | None:
    """{"column", counted from 0, "columns", "train", "test"}, with the quartiles of both sets, of
    the column in which these are most unlike: by the shares of the others that lie below the median
    of X, between its quartiles and beyond its tails, whatever the distribution. Each may be off by
    a tenth and five deviations of chance. Not of a column in which one number comes again and
    again, of which such shares say little."""
    if (n := min(len(X), len(others))) < ENOUGH:
        return None
    first, low, middle, high, last = np.quantile(X, (TAIL, 0.25, 0.5, 0.75, 1.0 - TAIL), axis=0)
    shares = (
        (others < middle, 0.5),
        ((others > low) & (others < high), 0.5),
        ((others < first) | (others > last), 2.0 * TAIL),
    )
    apart = np.max(
        [np.abs(there.mean(axis=0) - p) / (0.1 + 5.0 * _chance(p, n)) for there, p in shares],
        axis=0,
    )
    far = [int(i) for i in np.argsort(-apart) if apart[i] > 1.0]
    sets = (X, others)
    at = next((i for i in far if all(_repeats(some[:, i]) < REPEATED for some in sets)), None)
    if at is None:
        return None
    test = np.quantile(others[:, at], (0.25, 0.75))
    ends = {"train": [low[at], high[at]], "test": [*test]}
    return {"column": at, "columns": X.shape[1], **ends}


def _chance(p: float, n: int) -> float:
    """What the shares of two sets of n samples scatter by."""
    return math.sqrt(2.0 * p * (1.0 - p) / n)


def _repeats(column) -> float:
    """The share of the number that comes most often."""
    return float(np.unique(column, return_counts=True)[1].max() / len(column))


def _samples(dataset, some) -> tuple | None:
    """(inputs, targets) of some samples of a set, a row each."""
    if dataset.task.name not in ("classification", "regression", "multilabel"):
        return None
    ignored, X = dataset.task.ignore_index, some.X
    n = min(len(X), MOST, NUMBERS // max(int(np.prod(X.shape[1:])), 1))
    if X.dtype.kind not in "uif" or X.ndim < 2 or n < FEWEST or some.widths is not None:
        return None
    if dataset.task.name == "classification" and dataset.target_shape != ():
        return None
    X, t = some[some_rows(len(X), n)]
    if dataset.task.name == "classification":
        t = dataset.task.indices(t)
    X, t = X.reshape(n, -1).astype(np.float64), np.asarray(t).reshape(n, -1)
    if ignored is not None and not (counted := (t != ignored).all(axis=1)).all():
        X, t = X[counted], t[counted]
    if dataset.task.name == "multilabel":
        known = ((t == 0) | (t == 1)).all(axis=1)
        X, t = X[known], t[known]
    return (X, t) if len(X) >= FEWEST and np.isfinite(X).all() else None


def _distinct(X, t, classes: bool) -> tuple | None:
    """Those of some training samples that are different, each once."""
    n = len(X)
    # A sample that stands twice is no other sample; where many answers are given at one place,
    # those that are left say nothing of how often each is.
    first = _first(np.hstack([X, t]))
    X, t = X[first], t[first]
    places = len(_first(X))
    # What is yes or no may well stand again, of another sample: without those little is left.
    categories = len(X) < 0.9 * n and all(len(np.unique(column)) <= 2 for column in X.T)
    few = classes and (places < 0.9 * len(X) or categories)
    return None if len(X) < FEWEST or few else (X, t)


def _first(rows) -> list[int]:
    """Where each different row stands first."""
    places: dict[bytes, int] = {}
    for i, row in enumerate(rows + 0.0):  # of 0 and -0 the bits differ
        places.setdefault(row.tobytes(), i)
    return list(places.values())


def _nearest(apart, answers, classes: bool, right=None) -> float:
    """By the squared distances of the samples from each other, or of others, whose answers are
    `right`, from them."""
    if right is None:
        apart, right = apart + np.diag(np.full(len(apart), np.inf)), answers
    said = answers[apart.argmin(axis=1)]
    if classes:
        return float((said == right).all(axis=1).mean())
    spread = np.square(right - answers.mean(axis=0)).sum()
    return float(1.0 - np.square(right - said).sum() / (2.0 * spread)) if spread > 0 else 0.0


def _luck_of_nearest(apart, answers) -> float:
    """What the score of numbers scatters by: few squares that are far larger than the others make
    it what they are. Neighbours of each other have one square, so n / 2 of them count."""
    apart = apart + np.diag(np.full(len(apart), np.inf))
    squares = np.square(answers - answers[apart.argmin(axis=1)]).sum(axis=1)
    spread = np.square(answers - answers.mean(axis=0)).sum()
    return float(math.sqrt(2.0 * len(squares)) * squares.std() / (2.0 * spread))


class _Ridge:
    """Kernel ridge regression, each sample by all others, with the best of a few ridges: with
    A = (K + λ I)⁻¹ the residual of sample i is (A y)ᵢ / Aᵢᵢ. Rasmussen and Williams 2006, "Gaussian
    Processes for Machine Learning", section 5.4.2. The kernel is a Gaussian as wide as samples are
    apart, and a line; or, without the distances `apart`, a line alone."""

    def __init__(self, X, apart=None):
        kernel, self.X = X @ X.T / X.shape[1] if apart is None else _kernel(X, X, apart), X
        self.inverses = [np.linalg.inv(kernel + ridge * np.eye(len(X))) for ridge in RIDGES]

    def scores(self, answers, classes: bool, others: tuple | None = None) -> tuple:
        """(score, that of `others`, (inputs, answers), by the same ridge, None without)."""
        mean, found = answers.mean(axis=0), []
        for A in self.inverses:
            weights = A @ (answers - mean)
            off = weights / np.diag(A)[:, None]
            found.append((_score(answers, answers - off, mean, classes), weights))
        best, weights = max(found, key=lambda one: one[0])
        if others is None:
            return best, None
        places, right = others
        said = mean + _kernel(places, self.X, distances(places, self.X)) @ weights
        return best, _score(right, said, mean, classes)

    def correlations(self, answers, others: tuple) -> list[float]:
        """Of what is said of each sample by all others, and of the others by all, with what is
        right, by the largest ridge."""
        (places, right), A, mean = others, self.inverses[-1], answers.mean(axis=0)
        weights = A @ (answers - mean)
        left_out = answers - weights / np.diag(A)[:, None]
        said = _kernel(places, self.X, distances(places, self.X)) @ weights
        return [_correlation(answers, left_out), _correlation(right, said)]


def _correlation(a, b) -> float:
    """Of all columns together, each without its mean; 0 where there is none."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.sqrt(np.square(a).sum() * np.square(b).sum())
    return float((a * b).sum() / size) if size > 0 else 0.0


def _kernel(X, Z, apart) -> np.ndarray:
    columns = X.shape[1]
    return np.exp(-apart / (2.0 * columns)) + X @ Z.T / columns


def _score(right, said, mean, classes: bool) -> float:
    """The share of classes that is right, or R²; 0 where there is nothing to tell apart."""
    if classes:
        hit = right[np.arange(len(right)), said.argmax(axis=1)] > 0
        return float(hit.mean())
    spread = np.square(right - mean).sum()
    return float(1.0 - np.square(right - said).sum() / spread) if spread > 0 else 0.0


def distances(X, Z) -> np.ndarray:
    """Squared, between all rows of the two."""
    squares = np.square(X).sum(axis=1)[:, None] + np.square(Z).sum(axis=1)
    apart = np.maximum(squares - 2.0 * (X @ Z.T), 0.0)
    cancelled = apart < CANCELLED * squares
    if X is Z:
        np.fill_diagonal(cancelled, False)
    for i in np.flatnonzero(cancelled.any(axis=1)):
        apart[i] = np.square(Z - X[i]).sum(axis=1)
    return apart

"""Small data sets for drawn runs: each function takes a generator and its settings and gives the
arrays of an NPZ file."""

import numpy as np


def _split(X, t, n_test):
    X = X.astype(np.float32)
    return {
        "x_train": X[n_test:],
        "t_train": t[n_test:],
        "x_test": X[:n_test],
        "t_test": t[:n_test],
    }


def blobs(rng, n=2000, n_test=500, classes=5, d=10, distance=3.0, shares=None, shape=None):
    """Round clouds of deviation 1, centres about `distance` apart, classes in these shares."""
    centres = rng.standard_normal((classes, d))
    centres *= distance / np.sqrt(2.0) / np.linalg.norm(centres, axis=1, keepdims=True)
    t = rng.choice(classes, n + n_test, p=shares)
    return _split(centres[t] + rng.standard_normal((len(t), d)), t, n_test)


def shifted(rng, n=2000, n_test=1000, share=0.05, shift=1.0, d=10):
    """Two classes, the second rare and moved by `shift` deviations along one direction."""
    t = (rng.random(n + n_test) < share).astype(np.int64)
    X = rng.standard_normal((len(t), d))
    X[:, 0] += shift * t
    return _split(X, t, n_test)


def flowers(rng, wrong=3):
    """Three classes as irises are; of the 30 test flowers three look like their neighbours."""
    centres = np.array([[-4.0, 0, 0, 0], [0, 0, 1.0, 0], [2.6, 1.5, 1.0, 0.5]])
    t = rng.integers(0, 3, 2000)
    X = centres[t] + rng.standard_normal((2000, 4)) * 0.75
    nearest = ((X[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    bad, good = np.flatnonzero(nearest != t)[:wrong], np.flatnonzero(nearest == t)
    test = np.concatenate([bad, good[: 30 - wrong]])
    rest = np.setdiff1d(np.arange(2000), test)[:120]
    order = np.concatenate([test, rest])
    return _split(X[order], t[order], 30)


def function(rng, n=2000, n_test=500, d=5, noise=0.1, scale=1.0, offset=0.0, outliers=0.0, n_out=1):
    """A smooth function of the inputs with noise."""
    X = rng.standard_normal((n + n_test, d))
    W = rng.standard_normal((d, n_out)) / np.sqrt(d)
    y = np.sin(X[:, :1]) + X @ W + noise * rng.standard_normal((len(X), n_out))
    y = y + outliers * (rng.random(y.shape) < 0.02) * rng.standard_normal(y.shape)
    y = (offset + scale * y).astype(np.float32)
    return _split(X, y[:, 0] if n_out == 1 else y, n_test)


def labels(rng, n=2000, n_test=500, d=12, n_labels=4):
    """Several yes-or-no questions about the inputs."""
    X = rng.standard_normal((n + n_test, d))
    t = (X @ rng.standard_normal((d, n_labels)) + rng.standard_normal(n_labels) > 0).astype(int)
    return _split(X, t, n_test)


def factors(rng, n=2000, n_test=500, d=20, n_factors=4, noise=0.1):
    """Inputs that few numbers explain, for an autoencoder."""
    X = rng.standard_normal((n + n_test, n_factors)) @ rng.standard_normal((n_factors, d))
    X = X / np.sqrt(n_factors) + noise * rng.standard_normal((n + n_test, d))
    return _split(X, X.astype(np.float32), n_test)


def chain(rng, n=1000, n_test=300, words=10, length=8, sure=0.7):
    """Sentences of a Markov chain: the next word is the likely one in `sure` of all cases."""
    follows = rng.permutation(words)
    sentences = np.empty((n + n_test, length + 1), np.int64)
    sentences[:, 0] = rng.integers(0, words, n + n_test)
    for i in range(length):
        likely = rng.random(n + n_test) < sure
        other = rng.integers(0, words, n + n_test)
        sentences[:, i + 1] = np.where(likely, follows[sentences[:, i]], other)
    X, t = sentences[:, :-1], sentences[:, 1:]
    return {
        "x_train": X[n_test:],
        "t_train": t[n_test:],
        "x_test": X[:n_test],
        "t_test": t[:n_test],
    }


def tags(rng, n=800, n_test=200, words=12, length=6, kinds=3):
    """A tag for each word, which depends on the word alone."""
    kind = rng.permutation(np.arange(words) % kinds)
    X = rng.integers(0, words, (n + n_test, length))
    t = kind[X]
    return {
        "x_train": X[n_test:],
        "t_train": t[n_test:],
        "x_test": X[:n_test],
        "t_test": t[:n_test],
    }


def stripes(rng, n=800, n_test=300, size=8, noise=0.5):
    """Small images with stripes: lying, standing or none."""
    t = rng.integers(0, 3, n + n_test)
    phase = rng.integers(0, 4, (n + n_test, 1, 1))
    wave = np.sin((np.arange(size) + phase) * np.pi / 2)
    lying, standing = np.broadcast_to(wave.transpose(0, 2, 1), (n + n_test, size, size)), wave
    picture = np.where((t == 0)[:, None, None], lying, standing) * (t != 2)[:, None, None]
    X = picture + noise * rng.standard_normal((n + n_test, size, size))
    return _split(X[:, None], t, n_test)


def arms(rng, n=1500, n_test=500, kinds=3, turns=1.2, noise=0.03):
    """Spiral arms, which no straight line parts."""
    t = rng.integers(0, kinds, n + n_test)
    r = np.sqrt(rng.random(n + n_test))
    angle = 2 * np.pi * (turns * r + t / kinds)
    X = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)
    return _split(2 * X + noise * rng.standard_normal(X.shape), t, n_test)


# What goes wrong with data: functions of the arrays.


def permuted(rng, arrays):
    """Training targets that have nothing to do with their inputs."""
    return {**arrays, "t_train": rng.permutation(arrays["t_train"])}


def constant(rng, arrays):
    """All inputs the same."""
    same = {part: np.ones_like(arrays[part]) for part in ("x_train", "x_test")}
    return {**arrays, **same}


def stretched(rng, arrays, factor=1.0, offset=0.0, columns=None):
    """Inputs in other units, as they come from a spreadsheet."""

    def change(X):
        X = X.copy()
        X[:, :columns] = X[:, :columns] * np.float32(factor) + np.float32(offset)
        return X

    return {**arrays, "x_train": change(arrays["x_train"]), "x_test": change(arrays["x_test"])}


def buried(rng, arrays, rare=0.01):
    """A further class of that share which looks as class 0 does."""
    arrays = dict(arrays)
    for part in ("t_train", "t_test"):
        t = arrays[part].copy()
        zero = np.flatnonzero(t == 0)
        n = max(3, int(rare * len(t)))
        t[zero[:n]] = t.max() + 1
        arrays[part] = t
    return arrays


def flipped(rng, arrays, share=0.2):
    """Labels of which a share is drawn anew, in both sets alike: noise that nobody can learn."""
    arrays = dict(arrays)
    classes = int(arrays["t_train"].max()) + 1
    for part in ("t_train", "t_test"):
        t = arrays[part].copy()
        anew = rng.random(len(t)) < share
        t[anew] = rng.integers(0, classes, anew.sum())
        arrays[part] = t
    return arrays


def rare_labels(rng, n=3000, n_test=1000, d=12, share=0.04, noise=0.0):
    """Three questions, the last with few yes, hidden behind noise."""
    X = rng.standard_normal((n + n_test, d))
    scores = X @ rng.standard_normal((d, 3)) / np.sqrt(d)
    scores[:, 2] += noise * rng.standard_normal(len(X))
    limits = np.quantile(scores, [0.5, 0.5, 1 - share], axis=0).diagonal()
    return _split(X, (scores > limits).astype(int), n_test)


def product(rng, n=2000, n_test=500, d=4, noise=0.05, line=0.0):
    """The product of two inputs, of which a straight line sees nothing, and a line in a third."""
    X = rng.standard_normal((n + n_test, d))
    y = X[:, 0] * X[:, 1] + line * X[:, 2] + noise * rng.standard_normal(len(X))
    return _split(X, y.astype(np.float32), n_test)


def same_row(rng, arrays):
    """Every sample has the inputs of the first."""
    same = {
        p: np.broadcast_to(arrays["x_train"][:1], arrays[p].shape) for p in ("x_train", "x_test")
    }
    return {**arrays, **same}


def apart(rng, arrays):
    """A test set whose labels are numbered otherwise."""
    classes = int(arrays["t_train"].max()) + 1
    return {**arrays, "t_test": (arrays["t_test"] + 1) % classes}


def ticks(rng, n=2000, n_test=500, d=60, classes=4, share=0.08):
    """Few ones among zeros; each class has some that it likes."""
    likes = rng.random((classes, d)) < 0.25
    t = rng.integers(0, classes, n + n_test)
    X = rng.random((n + n_test, d)) < share + 0.3 * likes[t]
    return _split(X, t, n_test)


def side(rng, n=4000, n_test=2000, d=5, share=0.0):
    """On which side of a plane, with this share of the answers turned round."""
    X = rng.standard_normal((n + n_test, d))
    t = (X @ rng.standard_normal(d) > 0).astype(np.int64)
    return _split(X, np.where(rng.random(len(t)) < share, 1 - t, t), n_test)


def sides(rng, n=2000, n_test=1000, d=12, classes=4):
    """Which of several directions reaches furthest."""
    X = rng.standard_normal((n + n_test, d))
    return _split(X, (X @ rng.standard_normal((d, classes))).argmax(axis=1), n_test)


def odds(rng, n=8000, n_test=4000, often=0.24):
    """Two classes, one of which is likelier wherever the inputs are."""
    X = rng.standard_normal((n + n_test, 3))
    p = 1.0 / (1.0 + (1.0 / often - 1.0) * np.exp(-0.6 * X[:, 0]))
    return _split(X, (rng.random(len(p)) < p).astype(np.int64), n_test)


def frequent_labels(rng, n=4000, n_test=2000, d=6, offset=0.5, slope=0.9):
    """Labels that hold more often than not."""
    X = rng.standard_normal((n + n_test, d))
    W = rng.standard_normal((d, 4))
    p = 1.0 / (1.0 + np.exp(-offset - slope * X @ (W / np.linalg.norm(W, axis=0))))
    return _split(X, (rng.random(p.shape) < p).astype(int), n_test)


def twice(rng, arrays):
    """Each training sample stands twice."""
    return {k: v.repeat(2, axis=0) if k.endswith("train") else v for k, v in arrays.items()}


def sums_of_words(rng, n=2500, n_test=1500, words=1000, length=10, noise=3.0):
    """Each word counts for or against; indices."""
    X = rng.integers(0, words, (n + n_test, length))
    said = rng.standard_normal(words)[X].sum(axis=1) + noise * rng.standard_normal(len(X))
    return {
        **_split(X, (said > 0).astype(int), n_test),
        "x_train": X[n_test:],
        "x_test": X[:n_test],
    }


def first_steps(rng, n=1700, n_test=800, length=60):
    """Sequences whose class is the sign of their first number."""
    X = rng.standard_normal((n + n_test, length, 2))
    return _split(X, (X[:, 0, 0] > 0).astype(int), n_test)


def growth(rng, n=1400, n_test=600):
    """Numbers from 0 on, most of them small."""
    X = rng.standard_normal((n + n_test, 4))
    y = np.exp(0.9 * X[:, 0] + 0.3 * X[:, 1])
    return _split(X, (y - y.min()).astype(np.float32), n_test)


def categories(rng, n=3000, n_test=1000, kinds=200, classes=20):
    """One column of categories, one-hot, each of which has a class of its own."""
    kind, named = rng.integers(0, kinds, n + n_test), rng.integers(0, classes, kinds)
    return _split(np.eye(kinds)[kind], named[kind], n_test)


def whisper(rng, n=4000, n_test=4000, share=0.045):
    """Numbers of which the inputs tell this share of the variance."""
    X = rng.standard_normal((n + n_test, 8))
    y = np.sqrt(share / (1.0 - share)) * X[:, 0] + rng.standard_normal(len(X))
    return _split(X, y.astype(np.float32), n_test)


def slip(arrays, target: float):
    """One target of the training set is this."""
    t = arrays["t_train"].copy()
    t[5] = target
    return {**arrays, "t_train": t}


def moved(arrays, by: float):
    """Test inputs that were forgotten when the others were moved."""
    return {**arrays, "x_test": arrays["x_test"] + np.float32(by)}


def sized(arrays, scale: float, offset: float):
    """Targets of another size, at another place."""
    return {k: (v * scale + offset if k[0] == "t" else v) for k, v in arrays.items()}


def signs(rng, n=1500, n_test=300, d=60):
    """Do two of many columns have one sign? No straight line and no neighbour sees it."""
    X = rng.standard_normal((n + n_test, d))
    return _split(X, (X[:, 0] * X[:, 1] > 0).astype(np.int64), n_test)


def rescaled(arrays, factor: float, by: float):
    """Test inputs that were scaled by other numbers."""
    return {**arrays, "x_test": factor * arrays["x_test"] + by}

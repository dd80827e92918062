"""A batch for the net of any configuration: made, or real samples where inputs are indices."""


def made_batch(dataset, n, rng, n_classes=None):
    """(X, t) of n samples, float64 unless the data set has a vocabulary."""
    if hasattr(dataset, "n_words"):
        return dataset.train[rng.integers(0, len(dataset.train), n)]
    X = rng.random((n, *dataset.input_shape))
    if dataset.task.name == "reconstruction":
        return X, X
    return X, rng.integers(0, n_classes or len(dataset.task.class_names), n)

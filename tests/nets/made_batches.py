"""For the net of any configuration: a batch, made, or real samples where inputs are indices; and
the net with less in it, where it is large."""


def made_batch(dataset, n, rng, n_classes=None):
    """(X, t) of n samples, float64 unless the data set has a vocabulary."""
    if hasattr(dataset, "n_words"):
        return dataset.train[rng.integers(0, len(dataset.train), n)]
    X = rng.random((n, *dataset.input_shape))
    if dataset.task.name == "reconstruction":
        return X, X
    return X, rng.integers(0, n_classes or len(dataset.task.class_names), n)


def narrowed(config):
    """The configuration, its vectors of hundreds of numbers as ones of 20: ptb_lstm in a second."""
    for layer in config.data["net"].get("layers", {}).values():
        layer |= {name: 20 for name in ("n_dims", "n_hidden") if layer.get(name, 0) > 500}
    return config

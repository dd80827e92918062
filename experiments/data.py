"""The data of the experiments: drawn digits in the quick form, MNIST in the full one."""

from lamina.datasets import MNIST, Dataset, DrawnDigits


def digits(full: bool, n_train: int | None = None, n_test: int = 500, **settings) -> Dataset:
    """MNIST with its first `n_train` images, all without, and all of its test images; or as many
    drawn digits (default: 2,000) with `n_test` to test on. `settings` are those of both."""
    if full:
        return MNIST(n_train=n_train, **settings)
    return DrawnDigits(n_train or 2000, n_test, **settings)

"""MNIST: 60,000 + 10,000 handwritten digits of 28 x 28 grey pixels (LeCun et al. 1998)."""

import functools
import math
from pathlib import Path

import numpy as np

from lamina.datasets.dataset import Samples
from lamina.datasets.download import data_home, fetch, sha256_of_content
from lamina.datasets.idx import IdxError, read_idx
from lamina.datasets.images import Images
from lamina.datasets.published import MNIST_FILES, mismatch
from lamina.datasets.split import check_split_seed, split_off, validation_beside, validation_out_of

# Name: array shape, and SHA-256 of the decompressed file.
FILES = {
    "train-images-idx3-ubyte.gz": (
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte.gz": (
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte.gz": (
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte.gz": (
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


class MNIST(Images):
    """MNIST from $LAMINA_DATA/mnist, downloaded there first if need be, when the data are used.

    Inputs are (784,) flat, or (1, 28, 28) with flatten=False, scaled to 0-1; with `normalise` to
    mean 0 and deviation 1, by the pixels of the training images. `n_train`: only that many
    training images, the first ones, besides those for validation. `validation_share` of the
    training images, or `n_validation` of them, are held back for validation, class by class and
    fixed by `split_seed`. task: "classification" or "reconstruction".

    The files may be packed (.gz) or not, and hold what was published; with `own_files` they are
    files of one's own under these names, and nothing is downloaded. Raises ValueError if there
    are not so many images, IdxError for damaged files and for others than those published,
    DownloadError if no mirror has them.
    """

    folder = "mnist"
    contents = MNIST_FILES
    mirrors: tuple[str, ...] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    )
    classes = tuple("0123456789")

    def __init__(
        self,
        flatten: bool = True,
        normalise: bool = False,
        n_train: int | None = None,
        *,
        validation_share: float | None = None,
        n_validation: int | None = None,
        split_seed: int = 0,
        task: str = "classification",
        own_files: bool = False,
    ):
        check_split_seed(split_seed)
        there = FILES["train-images-idx3-ubyte.gz"][0][0]
        if n_train is not None and not 1 <= n_train <= there:
            raise ValueError(f"n_train: expects 1 to {there}, got {n_train}")
        if n_train is None:
            held_back = validation_out_of(there, validation_share, n_validation)
        else:
            held_back = validation_beside(n_train, validation_share, n_validation)
        n = there - held_back if n_train is None else n_train
        if n + held_back > there:
            raise ValueError(
                f"{n} training images and {held_back} for validation are more than the {there} "
                "that there are"
            )
        if held_back and n < len(self.classes):
            raise ValueError(
                f"{n} training images beside {held_back} for validation: expects at least "
                f"{len(self.classes)}, one of each class"
            )
        super().__init__(flatten, normalise, task, held_back)
        self.n_train, self.split_seed, self.own_files = n_train, split_seed, own_files

    @property
    def train(self) -> Samples:
        return self._parts["train"]

    @property
    def validation(self) -> Samples | None:
        return self._parts["validation"] if self.has_validation else None

    @property
    def test(self) -> Samples:
        return self._parts["test"]

    @functools.cached_property
    def _parts(self) -> dict[str, Samples]:
        (X, t), test = self.arrays()
        n = None if self.n_train is None else self.n_train + self.n_validation
        X, t = X[:n], t[:n]
        parts = {}
        if self.has_validation:
            rows, others = split_off(len(X), self.n_validation, self.split_seed, t)
            parts["validation"] = X[others], t[others]
            X, t = X[rows], t[rows]
        parts = {"train": (X, t), **parts, "test": test}
        scaling = self._scaling(X)
        return {name: self._samples(name, *part, scaling) for name, part in parts.items()}

    def arrays(self):
        """Yield (X uint8, t) for the whole training part and for the test part."""
        for part in ("train", "t10k"):
            X = self._read(f"{part}-images-idx3-ubyte.gz")
            t = self._read(f"{part}-labels-idx1-ubyte.gz")
            if t.max() > 9:
                raise IdxError(f"{part}-labels-idx1-ubyte.gz: labels are 0 to 9, got {t.max()}")
            # Labels widened once, so that no batch has to convert them to index with.
            yield X.reshape(len(X), *self.input_shape), t.astype(np.intp)

    def verification(self, name: str):
        """How a download of this file is checked."""
        return sha256_of_content(FILES[name][1], self._size(name))

    def _size(self, name: str) -> int:
        """Bytes of the decompressed file."""
        shape, _ = FILES[name]
        return 4 + 4 * len(shape) + math.prod(shape)

    def _read(self, name: str) -> np.ndarray:
        path = self._path(name)
        try:
            array = read_idx(path, FILES[name][0])
        except IdxError as error:
            again = "" if self.own_files else f"; {_AGAIN}"
            raise IdxError(f"{error}{again}") from None
        if not self.own_files and (got := mismatch(array, self.contents[name])):
            raise IdxError(
                f"{path}: is not the file that was published as {type(self).__name__}: expects "
                f"numbers with {self.contents[name]}, got {got}; {_AGAIN}; or, if it is meant to "
                "be a file of your own, say so: own_files: true"
            )
        return array

    def _path(self, name: str) -> Path:
        """Where the file lies, packed or not; downloaded if it is not there."""
        path = data_home() / self.folder / name
        unpacked = path.with_suffix("")
        if not path.exists() and unpacked.exists():
            return unpacked
        if self.own_files and not path.exists():
            raise IdxError(f"{path}: no such file, which own_files: true says is your own")
        urls = [mirror + name for mirror in self.mirrors]
        size = self._size(name)
        at_most = size + size // 100 + 1000  # gzip adds that little to what it cannot compress
        return fetch(path, urls, self.verification(name), at_most)


_AGAIN = "delete the file, and the next run downloads it again"


def load_mnist(
    normalize: bool = True,
    flatten: bool = True,
    one_hot_label: bool = False,
    *,
    own_files: bool = False,
):
    """((x_train, t_train), (x_test, t_test)) as whole arrays, with the arguments of note 004.

    normalize: float32 in 0-1 instead of uint8 in 0-255. flatten: (N, 784) instead of
    (N, 1, 28, 28). one_hot_label: targets (N, 10) of 0 and 1 instead of class indices (N,).
    own_files: as for `MNIST`.
    """

    def shaped(X, t):
        X = np.multiply(X, 1.0 / 255.0, dtype=np.float32) if normalize else X
        return X, np.eye(10, dtype=np.float32)[t] if one_hot_label else t

    train, test = (shaped(X, t) for X, t in MNIST(flatten, own_files=own_files).arrays())
    return train, test

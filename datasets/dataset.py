"""Samples kept as they were stored, and scaled when a batch is taken."""

import math
import zlib
from numbers import Real

import numpy as np

from lamina.common.arguments import Remembers
from lamina.common.counts import is_whole
from lamina.datasets.minibatches import Minibatches
from lamina.datasets.rows import Rows, pieces
from lamina.datasets.sampler import Sampler
from lamina.datasets.shown import shown_dataset
from lamina.datasets.tasks import Reconstruction, Task

_BATCH = 1 << 24  # numbers of a batch that is evaluated, at most
_TASK = "Classification(range(3))"
TO_UNIT = (1.0 / 255.0, 0.0)  # scale and offset that bring the pixels 0-255 to 0-1


class Samples:
    """Inputs X (N, ...) with targets t (N,) or (N, ...), arrays or Rows of files.

    `samples[rows]` gathers rows; with a `scale` they come as float32, X · scale + offset: 60,000
    images stay 47 MB of uint8 instead of 188 MB of floats, and a batch is one gather, one
    multiplication and, unless the offset is 0, one addition. Where t is X itself, the very same
    object, the targets are the inputs as they come, scaled: kept once. With `widths` a net gets
    several inputs, a tuple of these parts of X's columns (N, sum of widths, ...). Raises ValueError
    if there are no samples, not as many targets, widths of other columns, or an offset without a
    scale.

    carries: whether each batch of `batches()` goes on where the last one ended, so that a net keeps
    what it carries from one to the next. order: the rows as `batches()` gives them, if it is not
    that of the samples.
    """

    carries = False
    order: np.ndarray | None = None

    def __init__(
        self,
        X,
        t,
        scale: float | None = None,
        offset: float = 0.0,
        widths: tuple[int, ...] | None = None,
    ):
        _check_arrays(X, t)
        if offset and scale is None:
            raise ValueError(f"Samples: an offset ({offset}) needs a scale; 1.0 changes nothing")
        for name, value in (("scale", scale), ("offset", offset)):
            if value is not None and not isinstance(value, Real):
                raise TypeError(f"Samples: {name} is a number, got {value!r:.60}")
        self.X, self.t, self.scale, self.offset = X, t, scale, offset
        self.widths = None if widths is None else _checked_widths(widths, X, t)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        """(inputs, targets) of an index array or a slice."""
        gathered = isinstance(rows, np.ndarray)
        X = self.X.take(rows, axis=0) if gathered else self.X[rows]
        if self.scale is not None:
            X = np.multiply(X, self.scale, dtype=np.float32)
            if self.offset:
                X += self.offset
        if self.t is self.X:
            # Of a training batch a copy: an augmentation that writes into its inputs must not
            # change what they are compared with.
            return X, X.copy() if gathered else X
        if self.widths is not None:
            X = tuple(np.split(X, np.cumsum(self.widths)[:-1], axis=1))
        return X, self.t[rows]

    def hold(self, rows) -> None:
        """Have these rows ready, which are going to be asked for: read at once, if they are in
        files."""
        for part in (self.X,) if self.t is self.X else (self.X, self.t):
            if isinstance(part, Rows):
                part.hold(rows)

    def __repr__(self):
        scaled = "" if self.scale is None else f", scaled by {self.scale:.6g}"
        moved = f" {self.offset:+.6g}" if self.offset else ""
        cut = "" if self.widths is None else f" cut into {self.widths}"
        t = "the inputs" if self.t is self.X else _kind(self.t)
        return f"Samples({len(self)}: inputs {_kind(self.X)}{cut}{scaled}{moved}, targets {t})"

    def fingerprint(self) -> str:
        """The CRC-32 of the contents, with shapes, types and scaling: whether they are the same."""
        words = [f"scale {self.scale}, offset {self.offset}"]
        if self.widths is not None:
            words[0] += f", widths {self.widths}"
        for array in (self.X,) if self.t is self.X else (self.X, self.t):
            ours = isinstance(array, Rows)
            crc = array.checksum() if ours else zlib.crc32(np.ascontiguousarray(array).data)
            words.append(f"{array.dtype.str} {array.shape} {crc:08x}")
        return "; ".join(words)

    def batches(self, rows: int | None = None):
        """Yield (inputs, targets) of all samples in order, up to `rows` at a time.

        The default keeps the matrix products busy and stays in cache: 1,000 rows, or 200 images,
        of which a convolutional net makes many times as many numbers on their way through it; of
        very large samples fewer.
        """
        most = _BATCH // max(math.prod(self.X.shape[1:]), 1)
        rows = rows or max(min(1000 if self.X.ndim < 3 else 200, most), 1)
        for start in range(0, len(self), rows):
            yield self[start : start + rows]


class Dataset(Remembers):
    """The samples of a task: `train`, `validation` (None if there is none), `test`, and `task`.

    `input_shape` and `target_shape` are those of one sample, `input_shapes` those of each input of
    a net. The targets of every set are checked by the task. Raises TypeError if `task` is no task,
    ValueError for targets that cannot be and for sets whose samples have different shapes, naming
    the set.

    A subclass that reads files may do so when `train`, `validation` or `test` is first used, so
    that a net that does not fit is refused before anything is downloaded; it has `task`, the two
    shapes and `has_validation` without that, and calls `check_targets` on what it has read.
    """

    widths: tuple[int, ...] | None = None  # of the inputs of a net, if there are several

    def __init__(
        self, train: Samples, test: Samples, task: Task, validation: Samples | None = None
    ):
        if not isinstance(task, Task):
            raise TypeError(f"{type(self).__name__}: expects a task, as {_TASK}, got {task!r}")
        self.train, self.test, self.validation, self.task = train, test, validation, task
        _check_samples(self)
        check_sets(task, self.sets())
        self.input_shape, self.widths = tuple(train.X.shape[1:]), train.widths
        self.target_shape = task.target_shape(train.t)

    @property
    def has_validation(self) -> bool:
        return self.validation is not None

    @property
    def preparation(self) -> dict | None:
        """How other files become inputs as these have, in JSON's types: what `lamina predict` needs
        of a run. None where only arrays can be asked about."""
        return None

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """The shape of a sample for each input of a net: one, unless the inputs have widths."""
        if self.widths is None:
            return [tuple(self.input_shape)]
        return [(width, *self.input_shape[1:]) for width in self.widths]

    def sets(self) -> dict[str, Samples]:
        """The sets by name: "train", "validation" if there is one, "test"."""
        sets = {"train": self.train}
        if self.validation is not None:
            sets["validation"] = self.validation
        return sets | {"test": self.test}

    def sampler(self, batch_size: int, rng, shuffle_block: int | None = None) -> Sampler:
        """The order in which a training run takes the training samples: shuffled, every sample once
        per epoch. A subclass whose samples hang together gives another one."""
        return Minibatches(len(self.train), batch_size, rng, shuffle_block)

    def guess(self, name: str) -> float | None:
        """What guessing by the training targets scores on a set, by the metric that counts."""
        samples, train = self.sets()[name], self.train
        value = self.task.guess(train.t, samples.t)
        # Inputs as targets are kept unscaled, and errors grow as the numbers do.
        if value is None or samples.scale is None or samples.t is not samples.X:
            return value
        return value * abs(samples.scale)

    def guessing_loss(
        self,
        loss_name: str,
        width: int | None = None,
        name: str = "train",
        settings: dict | None = None,
    ) -> float | None:
        """The loss per sample of a set, of the answer that is the same for all and the best for
        that set; None if not known. For `width` and `settings` of the loss see
        Task.guessing_loss."""
        settings = settings or {}
        if not settings.keys() <= {*self.task.loss_settings}:
            return None
        samples = self.sets()[name]
        more = () if width is None else (width,)
        value = self.task.guessing_loss(loss_name, samples.t, *more, **settings)
        if value is None or samples.scale is None or samples.t is not samples.X:
            return value
        powers = {"SquaredErrorLoss": 2, "AbsoluteErrorLoss": 1}  # of the scale that the loss has
        power = powers.get(loss_name)
        return None if power is None else value * abs(samples.scale) ** power

    def __repr__(self):
        return shown_dataset(self)


def check_dataset(dataset: Dataset) -> None:
    """Raises TypeError, in words, if a data set lacks what nothing can be built without: a class of
    one's own whose constructor has called no other. Nothing is read."""
    kind = type(dataset).__name__
    for name in ("task", "input_shape", "target_shape", "has_validation"):
        try:
            value = getattr(dataset, name)
        except AttributeError as error:
            raise TypeError(
                f"{kind}: {error}; let its __init__ call super().__init__(train, test, task, "
                "validation), with Samples(X, t) as sets, or set task, input_shape and target_shape"
            ) from None
        if name == "task" and not isinstance(value, Task):
            raise TypeError(f"{kind}: task is {value!r:.60}, expects one as {_TASK}")
        if name.endswith("shape") and not _is_shape(value):
            raise TypeError(
                f"{kind}: {name} is {value!r:.60}, expects the shape of one sample, a tuple of "
                "whole numbers as (784,)"
            )


def check_shapes(dataset: Dataset) -> None:
    """Raises ValueError or TypeError, in words, unless all sets are Samples of the shapes that the
    data set says. Reads them."""
    _check_samples(dataset)
    kind, train = type(dataset).__name__, dataset.train
    for name, said, there in (
        ("input_shape", dataset.input_shape, train.X.shape[1:]),
        ("target_shape", dataset.target_shape, dataset.task.target_shape(train.t)),
    ):
        if tuple(said) != tuple(there):
            raise ValueError(f"{kind}: {name} is {tuple(said)}, but its train set has {there}")


def _check_samples(dataset: Dataset) -> None:
    for name, samples in dataset.sets().items():
        if not isinstance(samples, Samples):
            got = "the class" if samples is Samples else type(samples).__name__
            raise TypeError(
                f"{type(dataset).__name__}: the {name} set: expects Samples(X, t), got {got}"
            )


def _check_arrays(X, t) -> None:
    """Raises TypeError or ValueError unless these can be the inputs and targets of samples."""
    for name, array in (("X", X), ("t", t)):
        if not isinstance(array, (np.ndarray, Rows)):
            raise TypeError(
                f"Samples: expects {name} as an array, got {type(array).__name__}; "
                f"np.asarray({name}) makes one of a list or table"
            )
        if not array.ndim:
            raise ValueError(f"Samples: expects {name} as (N, ...), got one number, {array}")
    if X.dtype.kind not in "biuf":
        raise TypeError(
            f"Samples: expects inputs that are numbers, got {X.dtype} {X.shape}; "
            "X.astype(np.float32) makes them so, if they can be"
        )
    if len(X) != len(t):
        raise ValueError(f"Samples: {len(X)} inputs and {len(t)} targets; expects as many of both")
    if not len(X):
        raise ValueError("Samples: no samples: 0 inputs and 0 targets; expects at least one")


def _checked_widths(widths, X, t) -> tuple[int, ...]:
    widths = tuple(widths)
    if t is X:
        raise ValueError("Samples: inputs that are their own targets are one; leave out widths")
    if X.ndim < 2 or not _is_shape(widths) or min(widths, default=0) < 1:
        raise ValueError(
            f"Samples: widths are whole numbers of columns of X (N, n, ...), got {widths} for "
            f"{_kind(X)}"
        )
    if sum(widths) != X.shape[1]:
        raise ValueError(
            f"Samples: widths {widths} are {sum(widths)} columns, but X has {X.shape[1]}"
        )
    return widths


def _is_shape(value) -> bool:
    return isinstance(value, (tuple, list)) and all(is_whole(n) for n in value)


def check_sets(task: Task, sets: dict[str, Samples]) -> None:
    """Raises ValueError or TypeError, naming the set, unless all targets are those of the task and
    all samples have the shapes of the training samples."""
    train = sets["train"]
    for name, samples in sets.items():
        check_targets(task, name, samples)
        here, there = samples.X.shape[1:], train.X.shape[1:]
        if here != there:
            raise ValueError(f"the {name} inputs have the shape {here}, those to train on {there}")
        if samples.widths != train.widths:
            said = f"the {name} inputs are cut into {samples.widths}"
            raise ValueError(f"{said}, those to train on into {train.widths}")
        here, there = task.target_shape(samples.t), task.target_shape(train.t)
        if here != there:
            raise ValueError(f"the {name} targets have the shape {here}, those to train on {there}")


def check_targets(task: Task, name: str, samples: Samples) -> None:
    """Raises ValueError or TypeError, naming the set, unless its targets are those of the task."""
    try:
        task.check_targets(samples.t)
        apart = samples.scale is not None and samples.t is not samples.X
        if isinstance(task, Reconstruction) and apart:
            raise ValueError(
                "give the same array as inputs and as targets, so that both are scaled"
            )
    except (TypeError, ValueError) as error:
        raise type(error)(f"the {name} targets: {error}") from None


def _kind(array) -> str:
    return f"{array.dtype} {array.shape}"


def standardising(X) -> tuple[float, float]:
    """(scale, offset) that bring the pixels X (N, ...), uint8, to mean 0 and deviation 1, all of
    them together. Pixels that are all the same become 0."""
    # Counted in small pieces, since bincount widens what it counts eightfold. All is exact.
    counted = (np.bincount(piece.ravel(), minlength=256) for _, piece in pieces(X, 1 << 18))
    values, counts = np.arange(256), sum(counted)
    mean = float(counts @ values) / X.size
    deviation = math.sqrt((counts @ np.square(values - mean)) / X.size) or 1.0
    return 1.0 / deviation, -mean / deviation

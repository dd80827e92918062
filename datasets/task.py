"""What is learned: which targets, what a net must give for them, which losses fit, what counts.

A task knows no layer and no metric: it names them. `metrics[0]` is the metric that counts (what
chooses looks at it, and `guess` says what it is worth), `losses[0]` the loss to recommend.
"""

import math
from numbers import Integral

import numpy as np

from lamina.common.names import suggest
from lamina.common.printable import printable
from lamina.datasets.rows import Rows, pieces

# What each of the house's losses compares; one that is not listed is the user's own.
LOSSES = {
    "SoftmaxWithLoss": "a score for each class with the right class",
    "CrossEntropyError": "a probability for each class with the right class",
    "SVMLoss": "a score for each class with the right class",
    "SigmoidWithLoss": "scores with 0 or 1 each",
    "SquaredErrorLoss": "numbers with numbers",
    "AbsoluteErrorLoss": "numbers with numbers",
    "HuberLoss": "numbers with numbers",
}
_SHOWN = 20  # of what one target may hold, in words


class Task:
    """What all tasks have. Subclasses: Classification, Regression, MultiLabel, LanguageModel,
    Reconstruction.

    name, metrics and losses are texts; shapes are those of one sample, without the batch axis.
    `metric_options` are arguments for the metrics that know them. Equal facts, equal tasks.
    Targets are arrays, or Rows of files, which need not fit into memory and are read in pieces.
    """

    name = ""
    metrics: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    fitting: tuple[str, ...] = ()  # more metrics of the house that say something here
    ignore_index: int | None = None  # the target of positions that do not count

    def target_shape(self, t) -> tuple[int, ...]:
        """The shape of one target, given all of them."""
        return tuple(np.shape(t)[1:])

    def output_shape(self, target_shape: tuple = ()) -> tuple[int, ...]:
        """The output that a net must have for targets of this shape."""
        raise NotImplementedError(f"{type(self).__name__} has no output_shape")

    def check_output(self, shape: tuple, target_shape: tuple = ()) -> None:
        """Raises ValueError unless a net that gives `shape` for a sample can learn this."""
        shape, wanted = tuple(shape), self.output_shape(tuple(target_shape))
        if shape != wanted:
            raise ValueError(
                f"gives {shape} for a sample, but the data have {self._content()}, and need "
                f"{wanted}{self._cure(shape, wanted)}"
            )

    def check_loss(self, loss_name: str, output_shape: tuple = ()) -> None:
        """Raises ValueError, and names the right one, if a loss of the house does not fit. A loss
        whose name is not known is let through."""
        if loss_name in LOSSES and loss_name not in self.losses:
            others = f" (or {', '.join(self.losses[1:])})" if self.losses[1:] else ""
            raise ValueError(
                f"{loss_name} compares {LOSSES[loss_name]}, but the data have {self._content()}: "
                f"take {{type: {self.losses[0]}}}{others}"
            )

    def check_metric(self, name: str) -> None:
        """Raises ValueError, and names those that fit, if a metric of the house says nothing about
        this task: a distance between classes, a share of numbers that are exactly right."""
        fitting = (*self.metrics, *self.fitting)
        if name not in fitting:
            raise ValueError(
                f"{name} says nothing here, since the data have {self._content()}: take "
                f"{', '.join(fitting)}"
            )

    def check_ignore_index(self, given: int | None) -> None:
        """Raises ValueError unless a loss leaves out the same positions as the task."""
        if given != self.ignore_index:
            cure = (
                f"ignore_index: {self.ignore_index}"
                if self.ignore_index is not None
                else "no ignore_index there, or the same one for the data set"
            )
            raise ValueError(
                f"ignore_index is {given} for the loss, but {self.ignore_index} for the data: "
                f"give the loss {cure}"
            )

    def check_targets(self, t) -> None:
        """Raises TypeError or ValueError, saying what was expected and found, unless all of t
        (N, ...) can be targets of this task. The one check, for all that use targets."""
        raise NotImplementedError(f"{type(self).__name__} has no check_targets")

    def guess(self, train_t, t) -> float | None:
        """What guessing by the training targets scores on the targets t, by metrics[0]."""
        return None

    def guessing_loss(self, loss_name: str, train_t) -> float | None:
        """The loss per sample, at its default settings, of the best scores that are the same for
        every sample; None if not known."""
        return None

    def predictions(self, scores) -> np.ndarray:
        """What scores (N, ...) say, in the form of targets."""
        return scores

    def shown(self, prediction) -> str:
        """One prediction or target in words."""
        return _listed(f"{float(value):.4g}" for value in np.ravel(prediction))

    @property
    def metric_options(self) -> dict:
        """Arguments for each metric that takes them."""
        return {} if self.ignore_index is None else {"ignore_index": self.ignore_index}

    def facts(self) -> dict:
        """What a run keeps of its task, in JSON's types; see `task_from_facts`."""
        return {"task": self.name}

    def _content(self) -> str:
        """What the targets are, for errors: "10 classes"."""
        raise NotImplementedError(f"{type(self).__name__} has no _content")

    def _cure(self, shape: tuple, wanted: tuple) -> str:
        if not shape or shape[:-1] == wanted[:-1]:
            return f": let the last layer be {{type: Affine, n_out: {wanted[-1]}}}"
        return ""

    def __eq__(self, other):
        return isinstance(other, Task) and self.facts() == other.facts()

    def __hash__(self):
        return hash((self.name, self._content()))

    def __repr__(self):
        return f"{type(self).__name__}({self._content()})"


class Classification(Task):
    """One class of C for each sample, or for each position of it.

    Targets: class indices 0 to C - 1, (N,) or (N, ...), or one-hot rows (N, ..., C); outputs
    (*target_shape, C). Two classes may have one score for both, (*target_shape, 1), with
    SigmoidWithLoss: above 0 it says the second class. Positions whose target is `ignore_index` do
    not count. Raises ValueError for fewer than two classes, or names that stand twice.
    """

    name = "classification"
    metrics = ("accuracy",)
    losses = ("SoftmaxWithLoss", "SVMLoss", "CrossEntropyError", "SquaredErrorLoss")
    fitting = ("f1", "precision", "recall", "roc_auc", "top_k", "exact_match", "perplexity")
    _one, _all = "class", "classes"

    def __init__(self, class_names, *, ignore_index: int | None = None):
        self.class_names = _names(self, class_names, self._all)
        if len(self.class_names) < 2:
            raise ValueError(
                f"{type(self).__name__}: expects two or more {self._all}, got "
                f"{_listed(map(printable, self.class_names)) or 'none'}: nothing to tell apart"
            )
        self.ignore_index = None if ignore_index is None else _whole(self, ignore_index)

    def target_shape(self, t):
        return tuple(np.shape(t)[1:-1] if self._is_one_hot(t) else np.shape(t)[1:])

    def output_shape(self, target_shape=()):
        return (*target_shape, len(self.class_names))

    def check_output(self, shape, target_shape=()):
        if not self._is_single(shape) or tuple(shape[:-1]) != tuple(target_shape):
            super().check_output(shape, target_shape)

    def check_loss(self, loss_name, output_shape=()):
        single = self._is_single(output_shape)
        if single and loss_name in LOSSES and loss_name != "SigmoidWithLoss":
            raise ValueError(
                f"{loss_name} does not fit a net that gives one score for two {self._all}: take "
                "{type: SigmoidWithLoss}, or let the last layer be {type: Affine, n_out: 2}"
            )
        if loss_name == "SigmoidWithLoss" and not single and len(self.class_names) == 2:
            raise ValueError(
                f"SigmoidWithLoss takes one score for two {self._all}, but the net gives two: let "
                "the last layer be {type: Affine, n_out: 1}, or take {type: SoftmaxWithLoss}"
            )
        if not single:
            super().check_loss(loss_name, output_shape)

    def check_targets(self, t):
        t, last = _array(t), len(self.class_names) - 1
        expected = f"expects {self._one} indices, whole numbers from 0 to {last}"
        if t.dtype.kind not in "iu" and not self._is_one_hot(t):
            raise TypeError(f"{expected}; got {_odd_type(t)}")
        if t.dtype.kind not in "iu" or not t.size:
            return
        low, high = smallest_and_largest(t)
        if low >= 0 and high <= last:
            return
        first, wrong = None, set()
        for start, piece in pieces(t):
            outside = (piece < 0) | (piece > last)
            if self.ignore_index is not None:
                outside &= piece != self.ignore_index
            if first is None and outside.any():
                place = tuple(int(i) for i in np.argwhere(outside)[0])
                first, value = (start + place[0], *place[1:]), int(piece[place])
            wrong.update(np.unique(piece[outside])[:2].tolist())
        if first is None:
            return
        hint = ""
        if low == 1 and high == last + 1:
            hint = "; are they counted from 1? subtract 1"
        elif value in (255, -1, -100) and wrong == {value}:
            hint = f"; if that marks what does not count: ignore_index: {value}"
        raise ValueError(
            f"{expected} ({last + 1} {self._all}); got {value} in row {first[0]}"
            f"{f', position {first[1:]}' if first[1:] else ''}{hint}"
        )

    def guess(self, train_t, t):
        counts, there = self._counts(train_t), self._counts(t)
        if not counts.any() or not there.any():
            return None
        return float(there[counts.argmax()] / there.sum())

    def guessing_loss(self, loss_name, train_t):
        counts = self._counts(train_t)
        if not counts.any():
            return None
        p = np.sort(counts / counts.sum())[::-1]
        if loss_name in ("SoftmaxWithLoss", "CrossEntropyError", "SigmoidWithLoss"):
            p = p[p > 0]
            return float(-(p * np.log(p)).sum())
        if loss_name == "SVMLoss":  # the k most frequent classes one margin above the others
            k, top = np.arange(len(p)), np.cumsum(p) - p
            return float((top * (k - 1) + (1 - top) * (len(p) + k - 1)).min())
        if loss_name == "SquaredErrorLoss":  # to the one-hot rows
            return float(0.5 * (1.0 - (p * p).sum()))
        return None

    def predictions(self, scores):
        if self._is_single(np.shape(scores)):
            return (scores[..., 0] > 0).astype(np.intp)
        return scores.argmax(axis=-1)

    def shown(self, prediction):
        prediction = np.asarray(prediction)
        if prediction.ndim and self._is_one_hot(prediction[np.newaxis]):
            prediction = prediction.argmax(axis=-1)
        return _listed((self._shown_index(int(i)) for i in np.ravel(prediction)), " ")

    def facts(self):
        names = self.class_names
        kept = {"task": self.name, "classes": len(names)}
        if names != tuple(map(str, range(len(names)))):
            kept["class_names"] = list(names)
        if self.ignore_index is not None:
            kept["ignore_index"] = self.ignore_index
        return kept

    def _content(self):
        return f"{len(self.class_names)} {self._all}"

    def _cure(self, shape, wanted):
        if len(shape) == len(wanted) - 1:
            positions = "x".join(map(str, wanted[:-1]))
            return f": a {self._one} for each of {positions} positions, not one for a whole sample"
        if len(shape) == len(wanted) + 1 and shape[-1:] == wanted[-1:]:
            return f": one {self._one} for a whole sample, not one for each position"
        return super()._cure(shape, wanted)

    def _is_single(self, shape) -> bool:
        return len(self.class_names) == 2 and len(shape) > 0 and shape[-1] == 1

    def _is_one_hot(self, t) -> bool:
        t = _array(t)
        if t.ndim < 2 or t.shape[-1] != len(self.class_names) or t.dtype.kind not in "biuf":
            return False
        return are_zero_or_one(t) and all((p.sum(axis=-1) == 1).all() for _, p in pieces(t))

    def _counts(self, t) -> np.ndarray:
        """How often each class is a target that counts: (C,)."""
        t, one_hot = _array(t), self._is_one_hot(t)
        counts = np.zeros(len(self.class_names), np.intp)
        for _, piece in pieces(t):
            piece = (piece.argmax(axis=-1) if one_hot else piece).reshape(-1)
            if self.ignore_index is not None:
                piece = piece[piece != self.ignore_index]
            counts += np.bincount(piece, minlength=len(counts))
        return counts

    def _shown_index(self, i: int) -> str:
        known = 0 <= i < len(self.class_names) and i != self.ignore_index
        return printable(self.class_names[i]) if known else f"({i})"


class LanguageModel(Classification):
    """A word of a vocabulary for each position: targets (N, T), outputs (N, T, number of words).

    Positions whose target is `ignore_index`, such as padding, do not count. Perplexity counts,
    which sees what the share of right words hides; otherwise as Classification.
    """

    name = "language_model"
    metrics = ("perplexity", "accuracy")
    fitting = ("top_k", "exact_match", "f1", "precision", "recall")
    losses = ("SoftmaxWithLoss",)
    _one, _all = "word", "words"

    def __init__(self, vocabulary, ignore_index: int | None = None):
        super().__init__(vocabulary, ignore_index=ignore_index)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return self.class_names

    def guess(self, train_t, t):
        """By how often each word occurs in training; each counted once more, so that none has the
        probability 0 (Laplace)."""
        counts, there = self._counts(train_t) + 1, self._counts(t)
        if not there.any():
            return None
        return float(np.exp(-(there @ np.log(counts / counts.sum())) / there.sum()))


class Regression(Task):
    """Numbers: targets (N,) for one, (N, D) or (N, ..., D) for D of them, floats.

    Outputs have the targets' shape, a single number (1,).
    """

    name = "regression"
    metrics = ("rmse", "r2")
    fitting = ("mae",)
    losses = ("SquaredErrorLoss", "AbsoluteErrorLoss", "HuberLoss")

    def __init__(self, target_names):
        self.target_names = _names(self, target_names, "targets")

    def output_shape(self, target_shape=()):
        return tuple(target_shape) or (1,)

    def check_targets(self, t):
        t, n = _array(t), len(self.target_names)
        if t.dtype.kind != "f":
            raise TypeError(f"expects numbers as floats; got {_odd_type(t)}{_as_floats(t)}")
        if not ((t.shape[-1:] == (n,) and t.ndim > 1) or (n == 1 and t.ndim == 1)):
            wanted = "(N,) or (N, 1)" if n == 1 else f"(N, {n})"
            raise ValueError(f"expects {n} numbers for a sample, {wanted}; got {t.shape}")
        _check_finite(t)

    def guess(self, train_t, t):
        return math.sqrt(_mean_square(t, _mean(train_t)))

    def guessing_loss(self, loss_name, train_t):
        # Both add up the last axis, and take the mean over all others.
        width = np.shape(train_t)[-1] if np.ndim(train_t) > 1 else 1
        if loss_name == "SquaredErrorLoss":
            return 0.5 * width * _mean_square(train_t, _mean(train_t))
        if loss_name == "AbsoluteErrorLoss":
            if _are_in_files(train_t):  # a median wants all numbers at once
                return None
            train_t = train_t[:]
            median = np.median(train_t, axis=0)
            off = (float(np.abs(piece - median).sum()) for _, piece in pieces(train_t))
            return width * sum(off) / np.size(train_t)
        return None

    def shown(self, prediction):
        values = [f"{float(value):.4g}" for value in np.ravel(prediction)]
        if len(values) == len(self.target_names) > 1:
            pairs = zip(self.target_names, values, strict=True)
            values = [f"{printable(name)} {value}" for name, value in pairs]
        return _listed(values)

    def facts(self):
        return {"task": self.name, "target_names": list(self.target_names)}

    def _content(self):
        n = len(self.target_names)
        return f"{n} number{'s' * (n > 1)} as target"


class MultiLabel(Task):
    """Labels that hold or not, any number of them: targets (N, L) of 0 and 1, outputs (N, L).

    A label is said where its score is above 0, so SigmoidWithLoss alone fits: outputs that a
    squared error brings to 0 and 1 would nearly all say yes. F1 counts, the mean over the labels:
    where labels are rare, saying none at all is right about most of them, and earns 0 here. Exact
    match, all labels of a sample right, stands beside it.
    """

    name = "multilabel"
    metrics = ("f1", "exact_match")
    fitting = ("precision", "recall", "roc_auc")
    losses = ("SigmoidWithLoss",)

    def __init__(self, label_names):
        self.label_names = _names(self, label_names, "labels")

    def output_shape(self, target_shape=()):
        return tuple(target_shape) or (len(self.label_names),)

    @property
    def metric_options(self):
        return {"multilabel": True}

    def check_targets(self, t):
        t, n = _array(t), len(self.label_names)
        if t.dtype.kind not in "biuf":
            raise TypeError(f"expects labels of 0 and 1; got {_odd_type(t)}")
        if t.ndim < 2 or t.shape[-1] != n:
            raise ValueError(f"expects 0 or 1 for each of {n} labels, (N, {n}); got {t.shape}")
        for start, piece in pieces(t):
            wrong = (piece != 0) & (piece != 1)
            if wrong.any():
                first = tuple(np.argwhere(wrong)[0])
                label = printable(self.label_names[first[-1]])
                message = f"expects 0 or 1 for each label; got {piece[first]} in row "
                raise ValueError(f"{message}{start + first[0]}, label {label}")

    def guess(self, train_t, t):
        """Of all answers that are the same for every sample, saying all labels has the best F1."""
        p = _mean(t).reshape(-1, len(self.label_names)).mean(axis=0)
        return float((2 * p / (1 + p)).mean())

    def guessing_loss(self, loss_name, train_t):
        if loss_name != "SigmoidWithLoss":
            return None
        p = _mean(train_t)
        p = np.stack([p, 1 - p])[:, (p > 0) & (p < 1)]  # a label that never changes costs nothing
        return float(-(p * np.log(p)).sum()) / _mean(train_t).size

    def predictions(self, scores):
        return (scores > 0).astype(np.intp)

    def shown(self, prediction):
        rows = np.reshape(prediction, (-1, len(self.label_names)))
        said = (
            _listed(printable(self.label_names[i]) for i in np.flatnonzero(row)) or "none"
            for row in rows
        )
        return _listed(said, "; ")

    def facts(self):
        return {"task": self.name, "label_names": list(self.label_names)}

    def _content(self):
        n = len(self.label_names)
        return f"{n} label{'s' * (n > 1)} of 0 and 1"


class Reconstruction(Task):
    """The target is the input itself: outputs of the input's shape.

    SigmoidWithLoss does not fit: it takes scores, and what counts compares outputs with inputs. A
    net whose last layer is a Sigmoid gives numbers from 0 to 1 to any of the losses.
    """

    name = "reconstruction"
    metrics = ("rmse",)
    fitting = ("mae", "r2")
    losses = ("SquaredErrorLoss", "AbsoluteErrorLoss", "HuberLoss")

    def output_shape(self, target_shape=()):
        return tuple(target_shape)

    def check_loss(self, loss_name, output_shape=()):
        try:
            super().check_loss(loss_name, output_shape)
        except ValueError as error:
            hint = " behind a last layer {type: Sigmoid}" if loss_name == "SigmoidWithLoss" else ""
            raise ValueError(f"{error}{hint}") from None

    def check_targets(self, t):
        t = _array(t)
        if t.dtype.kind not in "iuf":
            raise TypeError(f"expects inputs of numbers; got {_odd_type(t)}")
        if not _are_in_files(t):  # those say it when they are read
            _check_finite(t)

    # Both would read all inputs several times, only to say how good no net is.

    def guess(self, train_t, t):
        if _are_in_files(train_t):
            return None
        return math.sqrt(_mean_square(t, _mean(train_t)))

    def guessing_loss(self, loss_name, train_t):
        if _are_in_files(train_t):
            return None
        return Regression.guessing_loss(self, loss_name, train_t)

    def _content(self):
        return "the inputs as targets"

    def _cure(self, shape, wanted):
        if math.prod(shape) == math.prod(wanted):
            return f": let the last layer be {{type: Reshape, shape: {list(wanted)}}}"
        if len(shape) == 1 and len(wanted) > 1:
            return (
                f": let the last layers be {{type: Affine, n_out: {math.prod(wanted)}}} and "
                f"{{type: Reshape, shape: {list(wanted)}}}"
            )
        return super()._cure(shape, wanted)

    def __repr__(self):
        return "Reconstruction()"


TASKS = {
    task.name: task
    for task in (Classification, Regression, MultiLabel, LanguageModel, Reconstruction)
}


def task_from_facts(facts: dict) -> Task:
    """The task whose `facts()` these are. Raises ValueError for what are none."""
    name = facts.get("task") if isinstance(facts, dict) else None
    if not isinstance(name, str) or name not in TASKS:
        raise ValueError(f"unknown task {name!r}{suggest(name, TASKS)}")
    try:
        if name in ("classification", "language_model"):
            n = facts["classes"]
            names = facts["class_names"] if "class_names" in facts else range(_count(n))
            if len(names) != n:
                raise ValueError(f"{len(names)} class names for {n} classes")
            return TASKS[name](names, ignore_index=facts.get("ignore_index"))
        if name == "regression":
            return Regression(facts["target_names"])
        if name == "multilabel":
            return MultiLabel(facts["label_names"])
    except (KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ValueError(f"these are no facts of the task {name}: {what}") from None
    return Reconstruction()


MAX_CLASSES = 10_000_000  # more than any vocabulary; each has a name in memory


def check_task_name(name: str | None, allowed: tuple[str, ...]) -> None:
    """Raises ValueError unless the name is None or one of the allowed ones."""
    if name is not None and name not in allowed:
        known = "" if name in TASKS else suggest(name, allowed)
        raise ValueError(f"task: expects {', '.join(allowed)}; got {name}{known}")


def _count(n) -> int:
    if not isinstance(n, Integral) or isinstance(n, bool) or not 0 <= n <= MAX_CLASSES:
        raise ValueError(f"{n!r} is no number of classes")
    return int(n)


def _whole(task: Task, n) -> int:
    if not isinstance(n, Integral) or isinstance(n, bool):
        raise TypeError(f"{type(task).__name__}: ignore_index is a whole number, got {n!r}")
    return int(n)


def _names(task: Task, names, what: str) -> tuple[str, ...]:
    if isinstance(names, Integral):
        raise TypeError(
            f"{type(task).__name__}: expects the names of the {what}, got the number {names}; "
            f"range({names}) numbers them"
        )
    if isinstance(names, range) and len(names) > MAX_CLASSES:
        raise ValueError(
            f"{type(task).__name__}: expects at most {MAX_CLASSES} {what}, got {len(names)}"
        )
    names = tuple(str(name) for name in names)
    if len(set(names)) < len(names):
        seen = set()
        twice = next(name for name in names if name in seen or seen.add(name))
        raise ValueError(f"{type(task).__name__}: the name {printable(twice)} stands twice")
    if not names:
        raise ValueError(f"{type(task).__name__}: expects the names of the {what}, got none")
    return names


def _odd_type(t) -> str:
    """What targets of a wrong type are, in words."""
    if t.dtype.kind in "USO":
        example = next(iter(t.reshape(-1).tolist()), "")
        return f"text, as {str(example)[:40]!r} in row 0; number them first"
    if t.dtype.kind == "b":
        return f"true and false {t.shape}; t.astype(int) makes them 0 and 1"
    if t.dtype.kind == "f" and t.size:
        if found := _first(t, lambda piece: ~np.isfinite(piece)):
            return f"{found[1]} in row {found[0]}"
        if not (found := _first(t, lambda piece: piece != np.rint(piece))):
            return f"{t.dtype} {t.shape}; t.astype(int) makes them whole numbers"
        return f"{t.dtype} {t.shape}, as {found[1]} in row {found[0]}"
    return f"{t.dtype} {t.shape}"


def _as_floats(t: np.ndarray) -> str:
    return "; t.astype(np.float32) makes them floats" if t.dtype.kind in "iu" else ""


def _check_finite(t) -> None:
    if t.dtype.kind == "f" and (found := _first(t, lambda piece: ~np.isfinite(piece))):
        raise ValueError(f"expects finite numbers; got {found[1]} in row {found[0]}")


def _first(t, wrong) -> tuple | None:
    """(row, number) of the first number that is wrong; None if none is."""
    for start, piece in pieces(t):
        places = wrong(piece)
        if places.any():
            first = tuple(np.argwhere(places)[0])
            return start + first[0], piece[first]
    return None


def smallest_and_largest(t) -> tuple[int, int]:
    """Of whole numbers."""
    ends = [(int(piece.min()), int(piece.max())) for _, piece in pieces(t)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def are_zero_or_one(t) -> bool:
    return all(bool(((piece == 0) | (piece == 1)).all()) for _, piece in pieces(t))


def _mean(t) -> np.ndarray:
    """Over the samples, in float64."""
    t = _array(t)
    return sum(piece.sum(axis=0, dtype=np.float64) for _, piece in pieces(t)) / len(t)


def _mean_square(t, centre) -> float:
    """The mean of (t - centre)² over all numbers of t."""
    total = sum(float(np.square(piece - centre).sum()) for _, piece in pieces(_array(t)))
    return total / np.size(t)


def _are_in_files(t) -> bool:
    return isinstance(t, Rows) and t.in_files


def _array(t):
    """Rows stay what they are, all else becomes an array."""
    return t if isinstance(t, Rows) else np.asanyarray(t)


def _listed(words, between: str = ", ") -> str:
    words = list(words)
    return between.join(words[:_SHOWN]) + (f"{between}..." if len(words) > _SHOWN else "")

"""facts.json: what stays the same throughout a run, and its numbers must be judged by."""

import copy
import math
from pathlib import Path

import numpy as np

from lamina.common.arguments import without_defaults
from lamina.common.files import write_json
from lamina.common.folder import File, placed
from lamina.datasets.rows import pieces, some_rows
from lamina.datasets.tasks.numbers import mean, mean_square
from lamina.diagnosis import overlap
from lamina.diagnosis.learnable import learnable
from lamina.layers import BatchNormalization, Bias, Dropout, Embedding, Scale
from lamina.nets import Net
from lamina.nets.probes import places_of
from lamina.training.figure import figure_facts, percent_facts, rounded, sizes_facts
from lamina.training.squashed import last_before

COLUMNS = 32  # of targets, each of which is read by itself
SCORES = 10_000_000  # numbers that are made to see what counts in a loss
MARKED = 3  # equal numbers: two may be so by chance
MARK = 3.0  # times the range of all other numbers, that a mark among them is away from these


def write_facts(path: str | Path | File, trainer) -> None:
    """Write {"samples", "validation_samples", "test_samples", "test_targets", "in_a_pass",
    "batch_size", "summed", "task", "figure", "percent", "guessing_loss", "test_guessing_loss",
    "nearest", "ridge", "line", "inputs_vary", "seen", "seen_of", "near", "chooses", "targets",
    "ends", "last", "losses", "layers", "dropout", "left_by_dropout", "averages", "uses",
    "from_the_end", "parameters"} at the start of a run; a run that goes on keeps what is there.

    `test_targets` are the targets of the test set that count: of sequences one for each position.
    `in_a_pass` are the training samples of an epoch; streams that are carried on may leave some
    out, `summed` what counts in an iteration whose loss is a sum over that, 1 if it is a mean.
    `guessing_loss` and `test_guessing_loss` are those of the best answer that is the same for
    all samples of the training or the test set. `figure` is the metric that counts: its name,
    limits, direction, and what guessing scores on the test and the training set. `percent` says of
    each metric whether it is shown so. `nearest`, `ridge` and `line` are scored without a net, see
    learnable.py, as is whether the sets are `alike`, and what is `told` of them; `inputs_vary` is
    the share of the numbers of an input that are not the same in all samples, `seen` that of the
    test samples which are in another set too, of `seen_of` that were looked for, `near` that of
    near copies, see overlap.py, `chooses` says whether the run chooses by validation, `last` is the
    layer whose numbers the one loss reads, `targets` mean, deviation and ends of numbers to learn,
    all of them together, how many a sample has and how many there are, the deviations of those that
    vary least and most, and what may be a mark among them, `ends` the layers whose weights give
    what the net puts out or a loss reads. A parameter has its shape, the mean and the deviation
    that it starts with, whether it learns, whether weight decay pulls at it, and its multiples of
    decay and rate; losses and layers are listed with their types, in order, dropout layers with
    their p; `left_by_dropout` is the share of units that all of them leave; `averages` are the
    batch normalisations whose running averages move, with their momentum; `uses` those that have
    them together with others, at how many places; `from_the_end` recurrent layers that take the
    last step first. What is not known is None.
    """
    path = placed(path)
    if path.exists() and trainer.iteration:
        return
    dataset, parameters, summed = trainer.dataset, trainer.net.parameters(), _summed(trainer)
    facts = {
        **sizes_facts(trainer),
        "in_a_pass": trainer.plan.n,
        "batch_size": trainer.batches.batch_size,
        "summed": summed,
        "task": dataset.task.facts(),
        "figure": figure_facts(trainer),
        "percent": percent_facts(trainer),
        "guessing_loss": _guessing_loss(trainer, "train", summed),
        "test_guessing_loss": _guessing_loss(trainer, "test", summed),
        **({} if _has_tables(trainer.net) else _rounded(learnable(dataset))),
        "inputs_vary": _inputs_vary(dataset.train),
        "seen": rounded(overlap.share_seen(dataset, trainer.chooses)),
        "seen_of": min(len(dataset.test), overlap.MOST),
        "near": rounded(overlap.share_near(dataset)),
        "ends": _ends(trainer.net),
        "last": _last(trainer.net),
        "losses": {name: type(head.loss).__name__ for name, head in trainer.net.heads.items()},
        "layers": {place.name: place.type for place in places_of(trainer.net)},
        "dropout": {p.name: p.layer.p for p in places_of(trainer.net) if type(p.layer) is Dropout},
        "left_by_dropout": rounded(_left(trainer.net)),
        "chooses": trainer.chooses,
        "averages": _averages(trainer.net),
        "uses": _uses(trainer.net),
        "from_the_end": [
            place.name for place in places_of(trainer.net) if getattr(place.layer, "reverse", False)
        ],
        "parameters": {
            name: _start(param, trainer.iteration == 0, name not in trainer.left_alone)
            for name, param in parameters.items()
        },
    }
    if dataset.task.name == "regression":
        facts["targets"] = _targets(dataset.train.t)
    write_json(path, facts)


def _averages(net) -> dict[str, float]:
    return {
        place.name: place.layer.momentum
        for place in places_of(net)
        if isinstance(place.layer, BatchNormalization) and not place.layer.is_frozen()
    }


def _uses(net) -> dict[str, int]:
    """Batch normalisations that have their averages together with another (`same_as`), and how many
    places have these."""
    norms = [(p.name, p.layer) for p in places_of(net) if isinstance(p.layer, BatchNormalization)]
    averages = [norm.running_mean for _, norm in norms]
    times = {n: sum(a is norm.running_mean for a in averages) for n, norm in norms}
    return {name: n for name, n in times.items() if n > 1}


def _ends(net) -> list[str]:
    """The last layers with weights on the way to each output, and to what each loss reads; what
    scales each output by itself is no such layer."""
    writers = {blob: step for step in net.steps() for blob in step.writes}
    ends: dict[str, None] = {}
    for blob in (*net.outputs, *(head.input or net.outputs[0] for head in net.heads.values())):
        while blob in writers:
            step = writers[blob]
            if isinstance(step.layer, Net):
                ends |= dict.fromkeys(f"{step.name}.{name}" for name in _ends(step.layer))
                break
            if _has_weights(step.layer):
                ends[step.name] = None
                break
            blob = step.reads[0]
    return list(ends)


def _last(net) -> str | None:
    """What gives the numbers that the loss reads, in a net with one."""
    heads = list(net.heads.values())
    if len(heads) != 1:
        return None
    found = last_before(net, heads[0].input or net.outputs[0])
    return found and found[0]


def _has_weights(layer) -> bool:
    held = layer.parameters().values()
    return not isinstance(layer, (Scale, Bias)) and any(param.data.ndim > 1 for param in held)


def _left(net) -> float:
    """The share of its units that dropout leaves on that way through the net which has the least of
    it: a sum with a branch has what came beside the branch too."""
    left = dict.fromkeys(net.inputs, 1.0)
    for step in net.steps():
        keeps = 1.0 - step.layer.p if type(step.layer) is Dropout else 1.0
        keeps = _left(step.layer) if hasattr(step.layer, "steps") else keeps
        left |= dict.fromkeys(step.writes, keeps * max(left[name] for name in step.reads))
    return max(left[name] for name in net.outputs)


def _guessing_loss(trainer, part: str, summed: float | None) -> float | None:
    """That of a set, of a net with one loss and nothing added to it, if the task knows it, and it
    is known what counts in a batch."""
    heads = list(trainer.net.heads.values())
    penalty = trainer.given["gradient_penalty"]
    if len(heads) != 1 or penalty or summed is None:
        return None
    settings = _settings(heads[0].loss)
    more = {"settings": settings} if settings else {}
    arguments = (type(heads[0].loss).__name__, _width(trainer), part)
    try:
        value = trainer.dataset.guessing_loss(*arguments, **more)
    except TypeError:
        if not settings:
            raise
        return None  # a data set or task of one's own may not take them
    return None if value is None else rounded(heads[0].weight * value)


def _width(trainer) -> int | None:
    """1 if the net gives numbers (..., 1) for targets (...), as the losses take them."""
    dataset = trainer.dataset
    if not dataset.target_shape or len(trainer.net.inputs) > 1:
        return None
    try:
        shape = trainer.net.output_shape(dataset.input_shape)
    except Exception:  # of a layer of one's own it may not be known
        return None
    return 1 if shape == (*dataset.target_shape, 1) else None


def _summed(trainer) -> float | None:
    """What counts in an iteration, if the one loss is a sum over it; 1 if it is a mean; None if it
    is not known. Seen on up to 1,000 training samples."""
    net, train = trainer.net, trainer.dataset.train
    heads = list(net.heads.values())
    if len(heads) != 1 or getattr(heads[0].loss, "reduction", "mean") != "sum":
        return 1.0
    loss = copy.deepcopy(heads[0].loss)
    try:
        shape = net.output_shape(*trainer.dataset.input_shapes)
        n = min(1000, max(SCORES // max(math.prod(shape), 1), 1))
        t = np.asarray(train.t[some_rows(len(train), n)])
        scores = np.full((len(t), *shape), 1.0 / shape[-1] if shape else 1.0, np.float32)
        loss.forward(scores, t)
    except Exception:  # of a layer of one's own it may not be known, nor may a loss take these
        return None
    per_step = trainer.batches.batch_size * trainer.accumulate
    return float((loss.weight or 1.0) / len(t) * per_step)


def _settings(loss) -> dict:
    """Those that are not the defaults and change what guessing costs, such as class weights. What
    is summed is judged by sample, as history.csv has it."""
    own = without_defaults(type(loss), loss.arguments())
    return {k: v for k, v in own.items() if k not in ("ignore_index", "reduction")}


def _inputs_vary(train) -> float:
    """Looked at in up to 1,000 samples."""
    X = train[some_rows(len(train), 1000)][0]
    vary = [(x[:1] != x).any(axis=0).ravel() for x in (X if isinstance(X, tuple) else (X,))]
    return float(f"{np.concatenate(vary).mean():.6g}")


def _targets(t) -> dict:
    """Of all numbers together; t may be Rows of files."""
    means = mean(t)
    centre = float(means.mean())
    ends = [(float(piece.min()), float(piece.max())) for _, piece in pieces(t)]
    std = math.sqrt(mean_square(t, centre))
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    found: dict = {"mean": _beside(centre, std), "std": rounded(std)}
    found |= {"low": _beside(low, std), "high": _beside(high, std)}
    found |= {"width": t.shape[-1] if t.ndim > 1 else 1, "numbers": np.size(t)}
    found |= _mark(t)
    if found["width"] > 1:
        found |= zip(
            ("least_std", "most_std"), map(rounded, _ends_of_spread(t, means)), strict=True
        )
    return found


def _mark(t) -> dict:
    """The end of the numbers of one column at which some are equal and far from all others, three
    times as far as these lie apart, as a mark for what is missing would: {"mark", "marked",
    "next"}, with how many numbers of all columns it is, and the nearest of the others; {} if there
    is none, and in targets of very many columns, such as pictures."""
    n = t.shape[-1] if t.ndim > 1 else 1
    if n > COLUMNS:
        return {}
    by_column = (piece.reshape(-1, n) for _, piece in pieces(t))
    ends = [(rows.min(axis=0), rows.max(axis=0)) for rows in by_column]
    lows = np.min([low for low, _ in ends], axis=0)
    highs = np.max([high for _, high in ends], axis=0)
    for column, (low, high) in enumerate(zip(lows.tolist(), highs.tolist(), strict=True)):
        for end, other in ((low, high), (high, low)):
            if _is_mark(t, column, end, other):
                return _marked(t, end)
    return {}


def _column(t, column: int):
    """The numbers of one column of (N, ..., D), or of (N,), piece by piece."""
    for _, piece in pieces(t):
        yield piece[..., column] if t.ndim > 1 else piece


def _is_mark(t, column: int, end: float, other: float) -> bool:
    times, nearest = 0, other
    for piece in _column(t, column):
        rest = piece[piece != end]
        times += piece.size - rest.size
        if rest.size:
            candidate = float(rest.min() if end < other else rest.max())
            nearest = min(nearest, candidate, key=lambda number: abs(number - end))
        if not abs(nearest - end) > MARK * abs(other - nearest):
            return False  # as with most numbers
    return times >= MARKED and nearest != other


def _marked(t, mark: float) -> dict:
    times, nearest = 0, math.inf
    for _, piece in pieces(t):
        rest = piece[piece != mark]
        times += piece.size - rest.size
        apart = rest[np.abs(rest - mark).argmin()] if rest.size else math.inf
        nearest = min(nearest, float(apart), key=lambda number: abs(number - mark))
    return {"mark": mark, "marked": times, "next": nearest}


def _beside(value: float, std: float) -> float | None:
    """To six digits of the deviation, which may be small beside the mean; None as `rounded`."""
    if not (math.isfinite(value) and 0 < std < math.inf):
        return rounded(value)
    return round(value, 5 - math.floor(math.log10(std)))


def _ends_of_spread(t, means: np.ndarray) -> tuple[float, float]:
    """The least and the largest deviation that one of the D numbers of targets (N, ..., D) has;
    `means` are those over the samples."""
    n = t.shape[-1]
    centre = means.reshape(-1, n).mean(axis=0)
    squares = sum(np.square(p - centre).reshape(-1, n).sum(axis=0) for _, p in pieces(t))
    spread = np.sqrt(squares * n / np.size(t))
    return float(spread.min()), float(spread.max())


def _has_tables(net) -> bool:
    """Are inputs numbers of words, of which 3 is no nearer to 4 than to 40?"""
    return any(isinstance(place.layer, Embedding) for place in places_of(net))


def _rounded(found: dict) -> dict:
    def one(value):
        if isinstance(value, dict):
            return _rounded(value)
        if isinstance(value, list):
            return [one(v) for v in value]
        return value if isinstance(value, (str, int)) else rounded(value)

    return {name: one(value) for name, value in found.items()}


def _start(param, known: bool, given: bool) -> dict:
    """`given` says whether the optimizer has it at all."""
    data = param.data.astype(np.float64)
    numbers = (float(f"{v:.6g}") for v in (data.mean(), data.std()))
    mean, std = (v if known and math.isfinite(v) else None for v in numbers)  # JSON has no NaN
    return {
        "shape": data.shape,
        "mean": mean,
        "std": std,
        "learns": param.learns and given,
        "decays": bool(param.decay_mult),
        "decay_mult": float(param.decay_mult),
        "lr_mult": float(param.lr_mult),
    }

"""A net that is too small for what is there to be learned."""

import math

from lamina import layers
from lamina.common.percent import percent
from lamina.diagnosis.finding import Finding
from lamina.diagnosis.linear import is_linear, may_be_any_line
from lamina.diagnosis.progress import SHORT, still_falling
from lamina.diagnosis.record import MISSED
from lamina.diagnosis.updates import TOO_LOW
from lamina.layers import Gru, Lstm

APART = 0.15  # between train and test: more is another matter
NEAR = 0.05  # up to which they are nearly equal
LOW = 0.75  # a train score below which a net with few units lacks something
FEW = 8  # units of a layer that may be too few for any task
GATES = {"Gru": Gru.n_gates, "Lstm": Lstm.n_gates}  # side by side in Wx and Wh


def too_little_capacity(record, earlier) -> Finding | None:
    """A net that is linear, or narrow somewhere, no longer gets better and misses on its training
    samples what nearest neighbours, or kernel ridge regression, tell of them. What they do not tell
    either may be noise, for which a larger net is no cure."""
    if earlier or math.isnan(record.train) or record.iterations <= SHORT:
        return None
    if still_falling(record) or record.train - record.test > APART:
        return None
    if record.hardly_moves(TOO_LOW):  # it cannot have got as far as it can
        return None
    width, where = narrowest(record)
    linear, hidden = is_linear(record), record.hidden
    if not linear and (not where or width >= max(record.classes or 0, FEW)):
        return None
    wide = not where or width >= few_units(record)
    if may_be_any_line(record) and wide and record.train < record.line - MISSED:
        return None  # it is not where straight lines can get
    best, by = record.simple
    known = not math.isnan(best)
    # Fewer units than classes part these only so well, so that less is enough to say so.
    missed = MISSED / 2 if not linear and width < few_units(record) else MISSED
    if known and (record.train >= best - missed or not _is_missed_elsewhere(record, missed)):
        return None
    lost = not linear and record.figure.is_share and record.train < LOW
    lost = lost and width < (record.classes or 0)
    if not known and not lost:
        return None
    evidence = [f"{record.said('train', 'test')}{_apart(record)}: no longer getting better"]
    if known:
        said = f"right about {percent(best, 1)}"
        if not record.figure.is_share:
            said = f"{record.said_as_r2(best)}, this net {record.said_as_r2(record.train)}"
        evidence.append(f"{by}: {said}")
    if linear:
        what = "no activation" if hidden else "no hidden layer"
        evidence.append(f"{what} between inputs and outputs: straight lines alone")
    else:
        classes = f"; {record.classes} classes" if record.classes else ""
        evidence.append(f"narrowest layer: {where}, {width} units{classes}")
    return Finding(
        "too little capacity",
        evidence,
        "The net has got as far as it can, on the samples that it trains on too: it is too small "
        "or of the wrong kind for this task.",
        [
            _larger(where or hidden[0] if hidden else "", linear),
            *([] if _has_convolutions(record) else ["for images convolutions"]),
            "less dropout, weight decay and augmentation, if there is much",
        ],
        explains=("over-fitting",),
    )


def _apart(record) -> str:
    if math.isnan(record.test):
        return ""
    ends = (float(record.values(part)[-1]) for part in ("train", "test"))
    near = abs(record.train - record.test) <= NEAR
    return ", nearly equal" if near else f", {record.figure.apart(*ends)}"


def _is_missed_elsewhere(record, missed: float) -> bool:
    """Is the test set, too, answered better without a net? Rows that are nearly copies of each
    other, as several of one patient, tell of each other what they tell of nobody else."""
    known = record.facts.get("alike") or [None]
    if None in known or len(known) != 2 or math.isnan(record.test):
        return True
    return record.test < known[1] - missed / 2


def _has_convolutions(record) -> bool:
    return any("Convolution" in kind for kind in record.facts.get("layers", {}).values())


def _larger(where: str, linear: bool) -> str:
    if not linear:
        return f"more units in {where}"
    return f"an activation behind {where}" if where else "a hidden layer with an activation"


def few_units(record) -> int:
    """Fewer units than that part the classes badly: than there are classes, and few of any."""
    return min(record.classes or 0, FEW) if record.task == "classification" else 0


def narrowest(record) -> tuple[int, str]:
    """(units, name) of the hidden weights with the fewest outputs; (0, "") if there are none.
    Channels of images are no units: each has a number for every place."""
    hidden = {
        name: _units(record, name, start["shape"])
        for name, start in record.matrices.items()
        if len(start["shape"]) == 2 and not record.is_head(name)
        # An Embedding looks up, and leaves nothing out; which axis of a layer of one's own is that
        # of its outputs is not known.
        if record.kind_of(name) in ("", *layers.__all__) and record.kind_of(name) != "Embedding"
    }
    name = min(hidden, key=hidden.__getitem__, default="")
    return hidden.get(name, 0), name


def _units(record, name: str, shape) -> int:
    """How many outputs weights of this shape give."""
    kind = record.kind_of(name)
    if kind == "MultiHeadAttention":  # W (D, 3 D) for queries, keys and values, W_out (D, D)
        return shape[0]
    return shape[-1] // GATES.get(kind, 1)

"""Is a run in which nothing was found also in good health? Only where its figures say so."""

import math
import re

import numpy as np

from lamina.common.percent import percent
from lamina.diagnosis.causes.unequal_classes import SEEING
from lamina.diagnosis.finding import listed
from lamina.diagnosis.record import BY_HEART
from lamina.diagnosis.statistics import ENOUGH

_WEIGHTS = re.compile(r"'(class|positive)_weights': (?!None)")
SEEN = 0.05  # of the test samples
MANY, AT_REST = 0.5, 1e-3  # of the iterations; of the highest rate
UNLIKE = 10.0  # times as large as another: with errors alike it is a hundredth of what is squared


def doubts(record) -> list[str]:
    """What keeps one from calling it healthy, in words; empty if it has learned what there is to
    learn, as far as is known, and shows it on samples that it has not seen."""
    if record.figure is None or not len(record.values("train")):
        return ["no metric says how well it does" if record.iterations else "it has not begun"]
    if math.isnan(record.train):
        return [f"{record.said('train', 'test')}: what guessing scores is not known"]
    if len(record.values("test")) and math.isnan(record.test):
        return [f"{record.said('train', 'test')}: that of the test set is not defined"]
    if math.isnan(record.test):
        return ["it was not evaluated on samples that it has not seen"]
    same = [name for name, digest in record.sets.items() if digest == record.sets.get("test")]
    if not record.facts.get("chooses", True):  # so that nothing is known of the validation set
        same = [name for name in same if name != "validation"]
    if len(same) > 1:
        return [f"{' and '.join(same)} set are the same samples, so no others are answered"]
    if record.figure.guess is None:
        return [f"{record.said('train', 'test')}: what guessing scores is not known"]
    found = _seen(record) + _marked(record) + _at_rest(record) + _sure_of_wrong(record)
    found += _kept_are_worse(record) + _never_found(record) + _pooled(record)
    if not record.well or record.outdone:
        found += [_far(record), *_not_looked_for(record)]
    if not record.beyond_luck(2.0):
        guess = record.figure.shown(record.figure.guess)
        better = record.test > record.figure.chance("test")
        how = (
            f"of {record.test_size_said} that may be luck, guessing has"
            if better
            else "no better than by guessing,"
        )
        found.append(f"{record.said('test')}: {how} {guess}{_of_classes(record)}")
    return found


def _seen(record) -> list[str]:
    """Test samples that the run has trained on, or has chosen by, or on near copies of them."""
    seen = record.facts.get("seen") or 0.0
    if seen >= SEEN:
        return [f"{percent(seen, 1)} of {record.where_seen}, so they say little of others"]
    if (near := record.facts.get("near") or 0.0) >= SEEN:
        return [f"{record.said_near(near)}, so they say little of others"]
    return []


def _marked(record) -> list[str]:
    """A number that comes again and again, and is far from all others."""
    said = record.marked_said
    return [f"{said}: if that stands for what is missing, figures are made of it"] if said else []


def _sure_of_wrong(record) -> list[str]:
    """Test losses above that of one answer for all: of answers that are rarely wrong, and then by
    far, where the training samples are known; else of a net that has learned little yet."""
    losses, guess = record.history.get("test_loss", ()), record.test_guessing_loss
    if not len(losses) or not guess or not losses[record.row_kept] > 1.2 * guess:
        return []
    known = record.guessing_loss is not None and record.end_loss < record.guessing_loss
    if not known or record.task in ("regression", "reconstruction"):
        more = "" if known else ", and that of the training samples is no better"
        return [
            f"test loss {losses[record.row_kept]:.3g}, that of one answer for all {guess:.3g}{more}"
        ]
    return [
        f"test loss {losses[record.row_kept]:.3g}, that of one answer for all {guess:.3g}: where "
        "it is wrong it is sure, as of a rate that is too high or a net that has learned by heart"
    ]


def _at_rest(record) -> list[str]:
    """A schedule that has ended the training long before the run."""
    if not record.iterations:
        return []
    works = record.factors > (1.0 - 1e-9) * AT_REST * record.factors.max()
    if not works.any():
        return []
    last = int(np.flatnonzero(works)[-1]) + 1
    if 1.0 - last / record.iterations < MANY:
        return []
    return [
        f"behind iteration {last:,} of {record.iterations:,} the rate was less than a thousandth "
        "of its highest, so that next to nothing has changed since"
    ]


def _pooled(record) -> list[str]:
    """Errors of numbers of unlike size are, taken together, those of the largest."""
    targets = record.facts.get("targets") or {}
    least, most = (targets.get(name) or 0.0 for name in ("least_std", "most_std"))
    if record.figure.name not in ("rmse", "mae") or not (record.are_unlike(UNLIKE) and least > 0):
        return []
    return [
        f"{record.said('train', 'test')}, of all targets together, of which the deviations are "
        f"{least:.3g} to {most:.3g}: it says nothing of the small ones, which lamina evaluate "
        "shows by themselves; divide each by its own"
    ]


def _not_looked_for(record) -> list[str]:
    """A cause that may be there: of few samples one cannot tell rest from death."""
    size = record.facts.get("batch_size") or ENOUGH
    unknown = [s for s in record.layers.values() if s.type == "Relu" and np.isnan(s["dead"][-1])]
    if size >= ENOUGH or not unknown:
        return []
    return [f"whether its ReLUs are dead is not known, of batches of fewer than {ENOUGH} samples"]


def _of_classes(record) -> str:
    """What shows more, where a loss has weighed the classes and the figure does not."""
    weighed = _WEIGHTS.search(str(record.config.get("net")))
    if not weighed or not record.figure.is_share or record.figure.name in SEEING:
        return ""
    said = f"; the loss weighs the classes, which {record.figure.name} does not: "
    for name in SEEING:
        if len(values := record.history.get(f"test_{name}", ())):
            return f"{said}test {name} {percent(values[record.row_kept], 1)}"
    return f"{said}metrics: [{record.figure.name}, recall]"


def _never_found(record) -> list[str]:
    """The classes or labels of which no training sample is found, though there are some."""
    if record.task not in ("classification", "multilabel") or "(all)" in record.outputs:
        return []
    rows = {name: record.row_of_kept(s) for name, s in record.outputs.items()}
    if None in rows.values():
        return []
    last = {n: (s["right"][rows[n]], s["samples"][rows[n]]) for n, s in record.outputs.items()}
    missed = [name for name, (right, samples) in last.items() if right == 0 and samples >= 10]
    names = [record.name_of(name) for name in missed]
    kind = "class" if record.task == "classification" else "label"
    return [f"of {kind} {listed(names)} no training sample is found"] if names else []


def _far(record) -> str:
    """How far it is from having learned well, and from what."""
    if record.train - record.test > BY_HEART:
        ends = (float(record.values(part)[-1]) for part in ("train", "test"))
        return f"{record.said('train', 'test')}: {record.figure.apart(*ends)}"
    best, by = record.simple
    if record.well and record.train >= best:  # so it is the test set that tells
        of_test = percent((record.facts.get("alike") or [0.0])[-1], 1)
        told = f"{record.compared} tell {of_test} without a net"
        return f"{record.said('train', 'test')}; {told}"
    if math.isnan(best):
        return f"{record.said('train', 'test')}: whether more can be learned is not known"
    if record.train >= best:
        return f"{record.said('train', 'test')}: more than {by} tell, and not nearly all"
    if record.figure.is_share:
        return f"{record.said('train', 'test')}; {by}: {percent(best, 1)}"
    own = "" if record.figure.name == "r2" else f", {record.said_as_r2(record.train)}"
    return f"{record.said('train')}{own}; {by}: {record.said_as_r2(best)}"


def _kept_are_worse(record) -> list[str]:
    """The weights that the run has are those of another evaluation than the last."""
    row = record.row_kept
    if row < 0 or not record.scores("train")[row] < record.train - BY_HEART:
        return []
    n = record.facts.get("validation_samples", 0)
    return [
        f"{record.kept_said}: {record.said('train', 'test', row=row)}; at the last evaluation "
        f"{record.said('train', 'test')}; the validation set that chose them has {n:,} samples"
    ]

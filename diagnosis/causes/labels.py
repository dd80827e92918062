"""Targets that have nothing to do with the inputs."""

import math

from lamina.diagnosis.causes.over_time import short_sighted
from lamina.diagnosis.figure import scatter
from lamina.diagnosis.finding import Finding
from lamina.diagnosis.learnable import MOST
from lamina.diagnosis.progress import SHORT
from lamina.diagnosis.record import BY_HEART, NEARLY_ALL, UNTOLD

SEEN = 0.03  # R² of labels, which shuffled ones never have
FEW = 30  # numbers of a test set, up to which they say little of where labels belong


OF_SETTINGS = {
    *("dropout too strong", "weight decay too strong", "gradient penalty too strong"),
    *("inputs not normalised", "targets not scaled", "initial weights too large"),
    *("initial weights too small", "vanishing gradients", "exploding depth", "dead ReLUs"),
    *("saturated units", "learning rate too high", "learning rate too low"),
    *("too little capacity", "training too short"),
}


def wrong_labels(record, earlier) -> Finding | None:
    """Training samples learned by heart, and a test set no better than guessed, while the training
    itself is in order. Zhang et al. 2017, "Understanding deep learning requires rethinking
    generalization": a net that is large enough learns random labels by heart.

    Not judged of a recurrent layer that at first cannot see the first steps: what it has learned by
    heart says nothing of those. Nearest neighbours that guess too say it of the training set alone;
    then the test set may by chance be better than guessed.
    """
    if earlier or math.isnan(record.test) or record.iterations <= SHORT:
        return None
    if record.figure.guess is None or record.task in ("reconstruction", "language_model"):
        return None  # of words that were learned by heart the perplexity is beyond guessing anyway
    if record.facts.get("samples", UNTOLD) < UNTOLD or all(record.is_told):
        return None  # they belong there, also where no score shows it: one class is the likeliest
    if short_sighted(record) or (record.task == "multilabel" and _are_seen(record)):
        return None
    if record.train - record.best_unseen <= BY_HEART:  # nothing is learned by heart
        return None
    if not record.errs_more_on_others:
        return None  # the sets have other spreads
    sure = 3 * scatter(record.chance, MOST)  # by the samples that nearest neighbours are asked of
    blind = record.simple[0] < record.chance + sure
    seen = record.simple[0] > record.chance + sure + 0.05 * (1.0 - record.chance)
    if seen and not record.figure.is_share and record.test_size < FEW:
        return None
    limit, best = _guessing(record, 1 if seen else 3), int(record.scores("test").argmax())
    few = record.task != "multilabel" or record.test_size < UNTOLD
    if not blind and few and limit > 0.5 * (record.figure.chance("test") + record.train):
        return None  # so few test samples do not tell guessing from what was learned
    if blind and record.knows_others(3.0):
        return None  # what cannot be seen by others the net has seen
    if blind:
        luck = 3 * scatter(record.figure.chance("test"), record.test_size)
        limit += min(0.25 * (1.0 - limit), luck)
    if seen and record.train < NEARLY_ALL:  # only a test set of another kind could be the reason
        return None
    if limit >= 1.0 or record.test > limit or record.scores("test")[best] > limit + 0.02:
        return None
    shown = record.figure.shown
    evidence = [
        f"{record.said('test')}, best {shown(float(record.values('test')[best]))}",
        f"guessing scores {shown(record.figure.guess)}",
        record.said("train") + (": learned by heart" if record.train > record.halfway else ""),
    ]
    if blind and record.figure.is_share:
        evidence.append(f"{record.simple[1]}: {shown(record.simple[0])}")
    if record.everything is not None:
        ratio = record.everything.median("update_ratio")
        evidence.append(f"gradients and updates are in order: update / weight {ratio:.2g}")
    return Finding(
        "wrong labels",
        evidence,
        (
            "What the test labels say does not follow from the training set: "
            if seen
            else "What the labels say cannot be seen in the inputs: "
        )
        + "labels shuffled against the inputs, the wrong column, or a train and a test set that do "
        "not belong together"
        + (
            "; or, as nothing else tells of these labels, a rule that a net sees only long after "
            "it has learned the samples by heart, such as parity."
            if math.isnan(record.simple[0]) or blind
            else "."
        ),
        [
            "look at a few samples with their labels",
            "shuffle inputs and labels with one and the same permutation",
            *(
                ["check that train and test number the classes alike"]
                if record.task == "classification"
                else []
            ),
        ],
        explains=("over-fitting", "too little capacity"),
    )


def untold(record, found: list[Finding]) -> Finding | None:
    """Settings that could be to blame, on samples of which nothing is told without a net, and a
    test set that is guessed: of labels that belong elsewhere any setting would look so."""
    if not found or found[0].name not in OF_SETTINGS or record.iterations <= SHORT:
        return None
    if not record.is_untold or math.isnan(record.test) or record.knows_others(3.0):
        return None
    evidence = [record.simple_said, record.said("train", "test")]
    if record.figure.guess is not None:
        evidence.append(f"guessing scores {record.figure.shown(record.figure.guess)}")
    return Finding(
        "wrong labels",
        evidence,
        "Nothing is told of the targets, by nearest neighbours and ridge regression as little as "
        "by this net: labels shuffled against the inputs, the wrong column, or what a net alone "
        "can see. Until it is known which, no setting can be blamed.",
        [
            "look at a few samples with their labels",
            "shuffle inputs and labels with one and the same permutation",
            "if the labels are right: what else is found here",
        ],
    )


def _are_seen(record) -> bool:
    """Do the inputs tell of the labels? Of shuffled ones the R² of samples left out is about 0."""
    return (record.facts.get("ridge") or 0.0) > SEEN


def _guessing(record, deviations: int) -> float:
    """The test score up to which it may be guessed, with a little more for luck: less, where the
    training samples show that inputs and labels belong together, so that a small test set is no
    proof of the contrary. The best guess of F1 says all labels; what was learned of wrong ones is
    worse than that."""
    chance = record.figure.chance("test")
    if record.task == "multilabel":
        return chance
    more = min(0.04, 0.4 * (1.0 - chance))
    return chance + more + deviations * scatter(chance, record.test_size)

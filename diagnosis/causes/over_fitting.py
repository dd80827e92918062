"""What was learned by heart beside what should have been learned."""

import math

from lamina.diagnosis.causes.capacity import narrowest
from lamina.diagnosis.causes.decay import decay_of
from lamina.diagnosis.causes.over_time import not_seen
from lamina.diagnosis.figure import scatter
from lamina.diagnosis.finding import Finding

GAP = 0.08  # between the scores of train and test, where they are shares of what is right
GAP_OF_ERRORS = 0.25  # where they are errors, which scatter more
FEWEST = 5  # test samples, of which one may be wrong
ENOUGH = 30  # test samples: of fewer a bad figure says little
NO_ROOM = 50.0  # samples to each parameter that learns
ALLOWED = 0.05  # by which the errors of a test set may truly be more frequent


def over_fitting(record, earlier) -> Finding | None:
    """Far better on the training samples than on the test samples, which make twice the errors at
    least, or are only guessed; and so with the weights that were kept, if others were. Where one
    answer is nearly always right the loss tells instead."""
    knows_its_own = _knows_only_its_own(record)
    if not knows_its_own and not _is_by_heart(record, record.train, record.test):
        return None
    if not knows_its_own and record.kept is not None and record.has_weights:
        train, test = (record.scores(part) for part in ("train", "test"))
        if not _is_by_heart(record, train[record.kept], test[record.kept]):
            return None
    ends = (float(record.values(part)[-1]) for part in ("train", "test"))
    whose = "train and test " if len(record.values("validation")) else ""
    said = record.said("train", "validation", "test")
    evidence = [f"{said}: {whose}{record.figure.apart(*ends)}"]
    if knows_its_own:
        loss, guess = record.history["test_loss"][record.row_kept], record.test_guessing_loss
        evidence.append(
            f"test loss {loss:.3g}, that of one answer for all {guess:.3g}: it is sure of answers "
            "that are wrong"
        )
    tests = record.scores("test")
    if tests.max() > record.test + 0.01:
        best = int(tests.argmax())
        at, value = record.history["iteration"][best], float(record.values("test")[best])
        evidence.append(
            f"the {record.figure.name} of the test set was best, {record.figure.shown(value)}, at "
            f"iteration {at:.0f}"
        )
    kept = record.kept
    if kept is not None and kept < len(record.history["iteration"]) - 1:
        evidence[0] += ", at the last evaluation"
        said = record.said("train", "validation", "test", row=kept)
        evidence.append(f"{record.kept_said}: {said}")
    parameters = record.facts.get("parameters", {}).values()
    weights = sum(math.prod(p["shape"]) for p in parameters)
    learn = record.n_learned
    if weights and (samples := record.facts.get("samples")):
        few = f", of which {learn:,} learn," if learn < weights else ""
        evidence.append(f"{weights:,} parameters{few} for {samples:,} samples")
    unseen = "" if record.knows_others(3.0) else not_seen(record)
    return Finding(
        "over-fitting",
        [*evidence, unseen] if unseen else evidence,
        "The net has learned its samples by heart rather than what they have in common.",
        [
            *(["if what counts stands early: attention, Lstm or reverse: true"] if unseen else []),
            "more samples, or augmentation under training for images",
            *_smaller(record),
            *_stopping(record),
        ],
    )


def _smaller(record) -> list[str]:
    """What leaves the net less room; but not where it has fewer units than classes to part."""
    width, where = narrowest(record)
    if where and record.task == "classification" and width < (record.classes or 0):
        return [f"more units in {where}: {width} are few for {record.classes} classes"]
    return [_decay(record), "fewer units" if record.hidden else "fewer columns, if many say little"]


def _decay(record) -> str:
    """What keeps weights small and units apart, or more of it where the run has it."""
    has_dropout = "Dropout" in record.facts.get("layers", {}).values()
    decay = decay_of(record)
    stronger = f"a weight_decay above {decay:g}" if decay > 0 else "weight_decay: 0.0005"
    return f"{'a higher p of Dropout' if has_dropout else 'Dropout'}, {stronger}"


def _is_by_heart(record, train: float, test: float) -> bool:
    if math.isnan(train - test) or train - test < _least_gap(record, train):
        return False
    if not record.errs_more_on_others or _has_no_room(record):
        return False  # the sets have other spreads, or the test set has other outliers
    if record.test_size < FEWEST or record.guesses:  # who guesses knows nothing by heart
        return False
    if 1.0 - train <= 0.5 * (1.0 - test):
        return True
    chance = record.figure.chance("test")
    luck = 2.0 * scatter(chance, record.test_size)
    return record.figure.is_share and test < chance + luck


def _has_no_room(record) -> bool:
    """Are there so few parameters that next to no sample could be known by heart?"""
    return NO_ROOM * record.n_learned < record.facts.get("samples", 0)


def _knows_only_its_own(record) -> bool:
    """Are the training samples known, and others answered no better than by guessing, by figure and
    by loss? Of very unequal classes guessing is right so often that figures have no room for a
    gap."""
    losses, row = record.history.get("test_loss", ()), record.row_kept
    share = record.figure is not None and record.figure.is_share
    if not share or not len(losses) or not record.guessing_loss or math.isnan(record.test):
        return False
    if record.test_size < ENOUGH or record.knows_others(3.0):
        return False
    known = record.scores("train")[row] > 0.5 * (1.0 + record.chance)
    far_below = record.guessing_loss > 2.0 * record.end_loss
    # A test set of nearly one class is guessed for nothing, which no net could know.
    guess = max(record.test_guessing_loss, 0.5 * record.train_guessing_loss)
    return known and far_below and bool(losses[row] > guess)


def _stopping(record) -> list[str]:
    """What the run lacks to end with its best weights."""
    missing = [name for name in ("patience", "keep_best") if not record.training.get(name)]
    if not missing:
        return []
    has_one = len(record.values("validation")) > 0
    needed = "" if has_one else "a validation set (dataset: {..., validation_share: 0.1}) with "
    end = "stop where it was best" if "patience" in missing else "end with the best weights"
    return [f"{needed}{' and '.join(missing)} under training: {end}"]


def _least_gap(record, train: float) -> float:
    """The gap that is no accident: more than three times what a test set of this size scatters by.
    Of shares by √(p (1 - p) / n), p the errors on the training set and a few more, of squared
    errors by √(2 / n) of those."""
    n, errors = record.test_size, 1.0 - train + ALLOWED
    if not record.figure.is_share:
        return max(GAP_OF_ERRORS, 3.0 * math.sqrt(2.0 / n) * errors)
    return max(GAP, ALLOWED + 3.0 * scatter(min(errors, 1.0), n))

"""No better than a guess, for no reason that another finding gives."""

import math

from lamina.diagnosis.causes.over_fitting import ENOUGH
from lamina.diagnosis.causes.unequal_classes import called, setting_of_weights
from lamina.diagnosis.figure import scatter
from lamina.diagnosis.finding import Finding
from lamina.diagnosis.progress import SHORT

_ERROR = "targets of deviation 1, if they are large numbers: outputs start near 0"
BETTER = 0.05  # of the way from guessing to perfection: less is nothing learned
SURELY = 0.01  # of the loss of guessing
_LUCK = 36.0  # over n: the R² of n samples that lies three deviations above 0


def nothing_learned(record, earlier) -> Finding | None:
    """Also on its training samples the net says no more than the best answer that is the same for
    all, or not much more, and on others no more. It stands last: whatever else was found is the
    better explanation."""
    if earlier or math.isnan(record.train) or record.iterations <= SHORT:
        return None
    if record.figure.guess is None or record.knows_others(3.0) or _says_more(record):
        return None
    nowhere = record.train < record.chance + _least(record)
    nowhere = nowhere and not record.tells_apart and not _below_guessing(record)
    if not nowhere and not _guesses_others(record):
        return None
    guesses = [record.figure.shown(record.figure.guess_of(part)) for part in ("train", "test")]
    evidence = [
        f"{record.said('train', 'test')}; guessing scores {' and '.join(dict.fromkeys(guesses))}",
        f"loss {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end",
    ]
    return Finding(
        "nothing learned",
        evidence,
        "The net does not yet say more than a guess, not even on the samples that it has seen."
        if nowhere
        else "On samples that it has not seen the net only guesses.",
        [
            "more iterations, if the loss is still falling",
            "a larger learning rate, if it hardly moves",
            "look at a few samples with their targets: do they belong together?",
            f"{setting_of_weights(record)}, if one {called(record)} has nearly all samples"
            if record.figure.is_share
            else _ERROR,
        ],
    )


def _says_more(record) -> bool:
    """Are the losses of training and test set both lower than that of guessing by what is no
    accident? Where one class is nearly always the likeliest no accuracy shows what it knows."""
    guesses = record.train_guessing_loss, record.test_guessing_loss
    losses = [record.history.get(f"{part}_loss", ()) for part in ("train", "test")]
    return None not in guesses and all(
        len(some) and some[record.row_kept] < (1.0 - SURELY) * guess
        for some, guess in zip(losses, guesses, strict=True)
    )


def _below_guessing(record) -> bool:
    """Is the mean loss of the last quarter lower than that of guessing by more than chance? Where
    the noise is large the likeliest answer may be the same for all, and the net still know more."""
    last = record.loss["loss"][-max(record.iterations // 4, 1) :]
    guess = record.guessing_loss
    highest = float(last.mean() + 5.0 * last.std() / math.sqrt(len(last)))
    return guess is not None and highest < guess


def _guesses_others(record) -> bool:
    """Does it know nothing of a test set that is no small one, by its figure, which is not beyond
    luck, and of shares by its loss?"""
    if math.isnan(record.test) or record.test_size < ENOUGH or record.knows_others(2.0):
        return False
    losses = record.history.get("test_loss", ())
    guess = record.test_guessing_loss
    return not record.figure.is_share or bool(
        guess is not None and len(losses) and losses[record.row_kept] > (1.0 - SURELY) * guess
    )


def _least(record) -> float:
    """The part of the way that is no accident: k parameters that fit noise alone earn k / n of it,
    besides luck. With many samples little is much."""
    if record.figure.is_share:
        n = record.facts.get("samples", 100)
        return min(BETTER * (1.0 - record.chance), 4.0 * scatter(max(record.chance, 1.0 / n), n))
    return min(BETTER, (_LUCK + record.n_learned) / record.facts.get("samples", 1))

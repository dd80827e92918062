"""A loss of one's own that rewards something else than what is to be learned."""

import math

from lamina.diagnosis.finding import EVERYTHING, Finding

DONE = 0.1  # of the first loss: what it asks for has been learned
OF_ONE = 0.9  # of the samples: who knows what they nearly all are has a small loss


def loss_not_of_this_task(record, earlier) -> Finding | None:
    """The loss falls, and the net gets worse: below guessing, or worse than it once was; or the
    loss has all but gone, and the net only guesses. The losses of this project are tried against
    their tasks when a run is built; a sign or a sum that is wrong in one's own shows here. Nor can
    a loss of classes well be negative: a probability is below 1.
    """
    if not record.own_loss or record.iterations < 20 or math.isnan(record.train):
        return None
    negative = record.loss["loss"].min() < 0
    fell = record.end_loss < record.start_loss - 0.1 * abs(record.start_loss)
    train, best = record.train, float(record.scores("train").max())
    n = record.facts.get("samples", 1000)
    if record.figure.is_share:
        scatter = 3 * math.sqrt(record.chance * (1 - record.chance) / n)
        guess = _least(record) if record.figure.name == "accuracy" else record.chance
        worse = train < guess - scatter
        # Of labels the best guess says them all; whoever begins with none is below it for long.
        worse = worse and (record.task != "multilabel" or best > train + 0.1)
    else:
        worse = train < 0 and train < best - 0.1
    share = record.figure.is_share
    odd = negative and fell and share and record.guesses
    # Of numbers, and of classes of which one is nearly everywhere, a guess may be most of the way.
    done = share and record.chance < OF_ONE and record.task != "multilabel"
    done = done and 0 <= record.end_loss < DONE * record.start_loss and record.guesses
    if not (fell and worse) and not odd and not done:
        return None
    evidence = [
        f"{record.own_loss}: {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end"
    ]
    if negative and share:
        evidence[0] += "; of -log p it would never be negative"
    guess = record.figure.guess_of("train")
    if guess is not None:
        evidence.append(f"{record.said('train')}; guessing scores {record.figure.shown(guess)}")
    return Finding(
        "loss not of this task",
        evidence,
        "Training makes the loss small, as it should, and the net no better: what the loss rewards "
        "is not what is to be learned.",
        [
            f"look at the sign of {record.own_loss} and of its backward: a loss is small where the "
            "answer is right",
            "a loss of this project that fits the task, to compare: docs/configuration.md",
        ],
        explains=(EVERYTHING,),
    )


def _least(record) -> float:
    """The accuracy that even a blind answer has: a share of the rarest class may be less, so what
    lies below half of an even share is worse than blind."""
    return min(record.chance, 1.0 / max(record.classes or 1, 1)) * 0.75

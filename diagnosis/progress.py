"""What the loss did: fell, rose, fell on, came to rest, or was lost."""

import math

import numpy as np

from lamina.diagnosis.finding import largest
from lamina.diagnosis.linear import is_linear

SHORT = 200  # iterations, up to which a low rate may be a warm-up
STILL = 0.08  # of the loss in the third quarter, and of all it has fallen: still falling
GROWN = 5.0  # times, that weights or losses grow in no healthy run
SETTLED, STEADY = 0.01, 0.05  # of the loss: below guessing; by which it moves where it rests
FAR_ABOVE, ON_ITS_WAY = 2.0, 1.1  # times the loss of guessing
RESTING, AT_WORK = 0.1, 0.15  # of the fall, in the second half of a run; of the rate, then


def risen(losses: np.ndarray, guessing: float | None, whole=()) -> bool:
    """Is the mean loss of the last tenth of a run above the first one, by as much as that was or
    with nearly every batch, and above that of guessing, if it is known? Else the first batch may
    have been an easy one; and it was, where the loss of the `whole` training set has fallen from
    the first evaluation to the last."""
    if not len(losses) or (len(whole) > 1 and whole[-1] < whole[0]):
        return False
    first, last = losses[0], losses[-max(len(losses) // 10, 1) :]
    by = float(last.mean() - first)
    if not by > 0 or (guessing is not None and last.mean() < guessing):
        return False
    return by > abs(first) or bool(np.mean(last > first) >= 0.95)


def still_falling(record) -> bool:
    """Is the mean loss of the last quarter lower than that of the third by a share that matters,
    and by more than three times what the means scatter by, or that of the whole training set lower
    at each of the last evaluations?"""
    whole = record.history.get("train_loss", np.empty(0))[-5:]
    steady = len(whole) == 5 and bool((np.diff(whole) < 0).all())
    return falls(record.loss["loss"], steady)


def falls(losses: np.ndarray, steady: bool = False) -> bool:
    quarter = len(losses) // 4
    if quarter < 2:
        return True
    before, last = (losses[i * quarter : (i + 1) * quarter] for i in (2, 3))
    falling = before.mean() - last.mean()
    scatter = math.sqrt((before.var() + last.var()) / quarter)
    matters = min(STILL * abs(before.mean()), STILL * (losses[0] - last.mean()))
    return bool(falling > matters and (steady or falling > 3.0 * scatter))


def came_to_guessing(record) -> bool:
    """Numbers: has the loss fallen from far above that of guessing to it, and never shot up? Such
    weights have grown since there was a long way to go."""
    guess = record.guessing_loss
    if record.task != "regression" or not guess or not record.end_loss < ON_ITS_WAY * guess:
        return False
    losses = record.loss["loss"]
    far = float(np.mean(losses[:5])) > FAR_ABOVE * guess
    return far and largest(losses) <= GROWN * abs(record.start_loss)


def has_come_to_rest(record) -> bool:
    """Has the loss of the training set fallen, and hardly so in the second half of the run, though
    the rate was there? One that is too low lets it fall on and on."""
    losses, at = record.history.get("train_loss", ()), record.history.get("iteration", ())
    if len(losses) < 4 or not losses[0] > losses[-1]:
        return False
    half = int(np.searchsorted(at, at[-1] / 2))
    late = record.factors[int(at[half]) - 1 :]
    return late.sum() > AT_WORK * len(late) and losses[half] - losses[-1] < RESTING * (
        losses[0] - losses[-1]
    )


def is_lost(record) -> bool:
    """Did the run overflow, end hardly better than it began, or no better than guessing? A net that
    has learned something has recovered from whatever large update it once had, and one that has
    learned what noise leaves may have little to show for it in its loss."""
    if record.culprit.get("when") in ("forward", "backward", "update"):
        return True
    if _has_settled(record):
        return False
    hardly = record.end_loss > record.start_loss - 0.1 * abs(record.start_loss)
    return record.has_risen or (hardly and not record.well) or record.guesses


def _has_settled(record) -> bool:
    """Has the loss of the training set come to stay where it is lowest, below that of guessing? Of
    a net that says little, as a line through noise or waves, its figure cannot tell."""
    losses, guess = record.history.get("train_loss", np.empty(0)), record.train_guessing_loss
    late = losses[len(losses) // 2 :]
    if len(late) < 3:
        return False
    says_more = guess is not None and late[-1] < (1.0 - SETTLED) * guess
    if not says_more and not is_linear(record):  # with activations it may rest where these are dead
        return False
    return bool(late.max() - losses.min() <= STEADY * abs(late[-1]))


def losses_said(record) -> list[str]:
    peak, at = largest(record.loss["loss"]), int(record.loss["loss"].argmax())
    line = f"loss {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end"
    if peak - record.start_loss > 0.5 * abs(record.start_loss) and record.iterations:
        line += f", {peak:.3g} at iteration {record.loss['iteration'][at]:.0f}"
    figures = [record.said("train")] if not math.isnan(record.train) else []
    return [line, *figures]

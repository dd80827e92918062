"""The next token, drawn from the scores that a net gives for it."""

import numpy as np

from lamina.common.counts import check_count
from lamina.datasets.tokens import PAD, START, UNKNOWN


def check_drawing(temperature: float, top_k: int | None) -> None:
    """Raises ValueError for what `drawn` cannot take."""
    if not 0 <= temperature < np.inf:  # NaN, too
        raise ValueError(
            "temperature: expects a number from 0 (always the likeliest) up, 1 as the net has it; "
            f"got {temperature}"
        )
    if top_k is not None:
        check_count("top_k", top_k)


def drawn(scores, vocabulary, temperature: float, top_k: int | None, rng) -> int:
    """The index of one, by softmax(scores / temperature), or of temperature 0 the likeliest; only
    the `top_k` likeliest can come, and never <unk>, <pad> and <start>, which are no text. Raises
    ValueError for scores that are NaN or infinite."""
    never = [i for i, name in enumerate(vocabulary) if name in (UNKNOWN, PAD, START)]
    scores = np.array(scores, np.float64)
    scores[never] = -np.inf
    if not np.isfinite(scores.max()):  # NaN, too
        raise ValueError(
            f"the net gives {scores.max()} as a score of the next token; lamina doctor says more "
            "of its run"
        )
    if temperature == 0:
        return int(scores.argmax())
    if top_k is not None and top_k < len(scores):
        scores[np.argsort(-scores, kind="stable")[top_k:]] = -np.inf
    with np.errstate(over="ignore"):  # of a very small temperature: -inf is right
        weights = np.exp((scores - scores.max()) / temperature)
    return int(rng.choice(len(weights), p=weights / weights.sum()))

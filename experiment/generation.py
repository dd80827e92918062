"""Text that a net writes: each unit is drawn from what the net gives for those before it."""

import numpy as np

from lamina.common.printable import printable
from lamina.datasets.tasks import LanguageModel
from lamina.datasets.units import END, PAD, START, UNKNOWN, split


def generate(
    net,
    task: LanguageModel,
    prompt: str,
    n: int = 200,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    rng=None,
    window: int | None = None,
) -> str:
    """The prompt, and `n` units that the net writes after it.

    The scores s of the next unit become probabilities softmax(s / temperature); 0 takes the likeliest
    one each time. With `top_k` only so many of the likeliest can come. What stands for no text,
    <unk> and padding, never comes. `rng` is a generator or a seed. The net goes unit by unit
    (`net.step`), or reads the last `window` units anew for each.

    Raises ValueError for a prompt that is empty, has units that the vocabulary does not have, or is
    shorter than the window; for n < 0, temperature < 0 and top_k < 1; and if a score is NaN.
    """
    _check(n, temperature, top_k)
    known = _encoded(task, prompt)
    rng = np.random.default_rng(rng)
    never = [i for i, name in enumerate(task.vocabulary) if name in (UNKNOWN, PAD, START, END)]
    reader = _Steps(net) if window is None else _Window(net, window)
    indices = list(known)
    for _ in range(n):
        scores = reader.scores_after(indices)
        indices.append(_drawn(scores, never, temperature, top_k, rng))
    return task.decode(indices)


class _Window:
    """Reads the last `length` units, all of them anew."""

    def __init__(self, net, length: int):
        self.net, self.length = net, length

    def scores_after(self, indices: list[int]) -> np.ndarray:
        if len(indices) < self.length:
            raise ValueError(
                f"prompt: this net reads {self.length} units at a time, and the prompt has "
                f"{len(indices)}; give a longer one"
            )
        scores = self.net.scores(np.array([indices[-self.length :]]))
        return scores[0] if scores.ndim == 2 else scores[0, -1]


class _Steps:
    """Reads each unit once, and keeps what the layers know of those before.

    A net that knows only so many positions begins again with the later half of them.
    """

    def __init__(self, net):
        self.net, self.limit = net, net.positions
        self.state, self.begun, self.read = None, 0, 0  # the first that is in the state, the next

    def scores_after(self, indices: list[int]) -> np.ndarray:
        if self.limit is not None and len(indices) - self.begun > self.limit:
            self.state = None
            self.begun = self.read = len(indices) - max(self.limit // 2, 1)
        for index in indices[self.read :]:
            scores, self.state = self.net.step(np.array([[index]]), self.state)
        self.read = len(indices)
        return scores.reshape(-1)


def _check(n: int, temperature: float, top_k: int | None) -> None:
    if n < 0:
        raise ValueError(f"n: expects how many units to write, 0 or more; got {n}")
    if not 0 <= temperature < np.inf:  # NaN, too
        raise ValueError(
            "temperature: expects a number from 0 (always the likeliest) up, 1 as the net has it; "
            f"got {temperature}"
        )
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k: expects at least 1, got {top_k}")


def _encoded(task: LanguageModel, prompt: str) -> np.ndarray:
    """The prompt's indices; what the vocabulary does not have is named, not made <unk>."""
    indices = task.encode(prompt)
    if not len(indices):
        raise ValueError("prompt: is empty; expects at least one unit to go on from")
    if task.unknown is not None:
        units = split(prompt, task.units)
        for place in np.flatnonzero(indices == task.unknown):
            if units[place] != UNKNOWN:
                raise ValueError(
                    f"prompt: its unit {place}, '{printable(units[place])}', is not among the "
                    f"{len(task.vocabulary)} {task.units} that the net has learned"
                )
    return indices


def _drawn(scores, never: list[int], temperature: float, top_k: int | None, rng) -> int:
    scores = np.array(scores, np.float64)
    if np.isnan(scores).any():
        raise ValueError("the net gives NaN for the next unit: lamina doctor says more of its run")
    scores[never] = -np.inf
    if temperature == 0:
        return int(scores.argmax())
    if top_k is not None and top_k < len(scores):
        scores[np.argsort(-scores, kind="stable")[top_k:]] = -np.inf
    weights = np.exp((scores - scores.max()) / temperature)
    return int(rng.choice(len(weights), p=weights / weights.sum()))

"""Text that a net writes: each token is drawn from what the net gives for those before it."""

import numpy as np

from lamina.common.printable import printable
from lamina.datasets.tasks import LanguageModel
from lamina.datasets.tokens import END, START, UNKNOWN, split
from lamina.experiment.next_token import check_drawing, drawn


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
    """The prompt, and up to `n` tokens that the net writes after it.

    The scores s of the next token become probabilities softmax(s / temperature); 0 takes the
    likeliest one each time. With `top_k` only so many of the likeliest can come. What stands for no
    text, <unk> and padding, never comes; of lines the text begins behind <start>, and is over when
    <end> comes. `rng` is a generator or a seed.

    A net that can go step by step (`net.can_step`) reads each token once. One that cannot reads the
    last `window` of them anew for each, and needs it.

    Raises ValueError for a prompt that is empty, has tokens that the vocabulary does not have, or
    is shorter than the window; for n < 0, temperature < 0 and top_k < 1; for a net of several
    inputs; and for scores that are NaN or infinite.
    """
    if n < 0:
        raise ValueError(f"n: expects how many tokens to write, 0 or more; got {n}")
    check_drawing(temperature, top_k)
    if len(net.inputs) != 1:
        raise ValueError(
            f"the net reads {', '.join(net.inputs)}, and generate writes on from one text; expects "
            "a net with one input"
        )
    if net.can_step:
        reader: _Steps | _Windows = _Steps(net)
    elif window is not None:
        reader = _Windows(net, window)
    else:
        raise ValueError(
            "window: the net cannot go step by step (net.step says which layer); give how many "
            "tokens it reads at a time"
        )
    indices = _encoded(task, prompt)
    begun = START in task.vocabulary
    if begun:
        indices = [task.vocabulary.index(START), *indices]
    rng = np.random.default_rng(rng)
    end = task.vocabulary.index(END) if END in task.vocabulary else None
    for _ in range(n):
        token = drawn(reader.scores_after(indices), task.vocabulary, temperature, top_k, rng)
        if token == end:
            break
        indices.append(token)
    return task.decode(indices[begun:])


class _Steps:
    """Reads each token once, and keeps what the layers know of those before.

    A net that takes only so many positions begins again with the later half of them.
    """

    def __init__(self, net):
        self.net, self.most = net, net.most_positions
        self.state, self.begun, self.read = None, 0, 0  # the first in the state, the next to read

    def scores_after(self, indices: list[int]) -> np.ndarray:
        if self.most is not None and len(indices) - self.begun > self.most:
            self.state = None
            self.begun = self.read = len(indices) - max(self.most // 2, 1)
        scores, self.state = self.net.step(np.array([indices[self.read :]]), self.state)
        self.read = len(indices)
        return _last(scores)


class _Windows:
    """Reads the last `length` tokens, all of them anew."""

    def __init__(self, net, length: int):
        self.net, self.length = net, length

    def scores_after(self, indices: list[int]) -> np.ndarray:
        if len(indices) < self.length:
            raise ValueError(
                f"prompt: this net reads {self.length} tokens at a time, and there are "
                f"{len(indices)}; give a longer one"
            )
        return _last(self.net.predict(np.array([indices[-self.length :]])))


def _last(scores) -> np.ndarray:
    """Those of the token after the last, (number of words,)."""
    return scores[0] if scores.ndim == 2 else scores[0, -1]


def _encoded(task: LanguageModel, prompt: str) -> list[int]:
    """The prompt's indices; what the vocabulary does not have is named, not made <unk>."""
    indices = task.encode(prompt)
    if not len(indices) and START not in task.vocabulary:
        raise ValueError("prompt: is empty; expects at least one token to go on from")
    if task.unknown is not None and task.tokens:
        tokens = split(prompt, task.tokens)
        for place in np.flatnonzero(indices == task.unknown):
            if tokens[place] != UNKNOWN:
                raise ValueError(
                    f"prompt: token {place}, '{printable(tokens[place])}', is not among the "
                    f"{len(task.vocabulary)} {task.tokens} of the vocabulary; leave it out"
                )
    return indices.tolist()

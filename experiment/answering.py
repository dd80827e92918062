"""What a net answers, character by character, each drawn from what it gives for those before it."""

import numpy as np

from lamina.datasets.pairs import Pairs
from lamina.datasets.tokens import END, START
from lamina.experiment.next_token import check_drawing, drawn


def answer(
    net,
    dataset: Pairs,
    question: str,
    *,
    temperature: float = 0.0,
    top_k: int | None = None,
    rng=None,
) -> str:
    """The answer of a net that has learned `dataset`, until <end> or as long as answers are there.

    Unlike in training the net goes on from its own characters. They are drawn as by `generate`; at
    temperature 0 the likeliest one each time. The net reads question and answer anew for each
    character, so any net will do. Raises ValueError for a question that the data cannot have.
    """
    check_drawing(temperature, top_k)
    task, rng = dataset.task, np.random.default_rng(rng)
    asked, n = dataset.asked(question), dataset.longest[1]
    start, end = (task.vocabulary.index(name) for name in (START, END))
    so_far = np.zeros((1, n + 1), asked.dtype)
    so_far[0, 0] = start
    for place in range(n):
        scores = net.predict((asked, so_far))[0, place]
        token = drawn(scores, task.vocabulary, temperature, top_k, rng)
        if token == end:
            return task.decode(so_far[0, 1 : place + 1])
        so_far[0, place + 1] = token
    return task.decode(so_far[0, 1:])

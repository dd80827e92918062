"""What the output of a net means: probabilities, scores, or an image."""

import numpy as np

from lamina.datasets import Classification
from lamina.nets import Net

_BY_LOSS = {
    "SoftmaxWithLoss": "softmax",
    "SigmoidWithLoss": "sigmoid",
    "CrossEntropyError": "probabilities",
}


def answer_kind(net: Net, task, width: int) -> str:
    """How an output of that width is read: "softmax" or "sigmoid" of it are probabilities, it is
    "probabilities" itself, or nothing but "scores", "one score" for two classes, or an "image"."""
    if not isinstance(task, Classification):
        return "image"
    if net.gives_pairs:
        raise ValueError("the net gives two vectors for a pair of images, and no class to show")
    scores = "scores" if width > 1 else "one score"
    return _BY_LOSS.get(type(net.loss_of_scores).__name__, scores)


def answers(kind: str, scores: np.ndarray) -> np.ndarray:
    """The numbers that a page shows for the outputs (N, ...) of a net, as js/answer.js has them."""
    if kind == "softmax":
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    if kind == "sigmoid":
        p = 0.5 * np.tanh(0.5 * scores) + 0.5
        return np.concatenate([1.0 - p, p], axis=1)
    if kind == "one score":
        return np.concatenate([-scores, scores], axis=1)
    return scores

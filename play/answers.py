"""What the output of a net means: probabilities, scores, or an image."""

import numpy as np

from lamina.datasets import Classification
from lamina.nets import Net


def answer_kind(net: Net, task) -> str:
    """ "softmax" or "sigmoid" of the output are probabilities, or the output is shown as it is:
    "scores", or an "image"."""
    if not isinstance(task, Classification):
        return "image"
    loss = type(net.loss_layer).__name__
    return {"SoftmaxWithLoss": "softmax", "SigmoidWithLoss": "sigmoid"}.get(loss, "scores")


def answers(kind: str, scores: np.ndarray) -> np.ndarray:
    """The numbers that a page shows for the outputs (N, ...) of a net, as js/answer.js has them."""
    if kind == "softmax":
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    if kind == "sigmoid":
        p = 0.5 * np.tanh(0.5 * scores) + 0.5
        return np.concatenate([1.0 - p, p], axis=1)
    return scores

"""From the scores of a net to probabilities, where its loss makes them some."""

import numpy as np

from lamina.layers import CrossEntropyError, Sigmoid, SigmoidWithLoss, Softmax, SoftmaxWithLoss
from lamina.nets import Net


def has_probabilities(net: Net) -> bool:
    """Is the loss of its scores one of probabilities?"""
    return isinstance(net.loss_of_scores, (SoftmaxWithLoss, SigmoidWithLoss, CrossEntropyError))


def probabilities(net: Net, scores: np.ndarray, labels: bool = False) -> np.ndarray:
    """The probability of each class, or of each label, (N, C), of scores (N, C); of a score of the
    second of two classes alone, (N, 1), those of both, (N, 2)."""
    if isinstance(net.loss_of_scores, CrossEntropyError):
        return scores
    if isinstance(net.loss_of_scores, SigmoidWithLoss):
        p = Sigmoid().forward(scores)
        of_second = p.shape[-1] == 1 and not labels
        return np.concatenate([1.0 - p, p], axis=-1) if of_second else p
    return Softmax().forward(scores)

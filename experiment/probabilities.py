"""From the scores of a net to probabilities, where its loss makes them some."""

import numpy as np

from lamina.layers import CrossEntropyError, Sigmoid, SigmoidWithLoss, Softmax, SoftmaxWithLoss
from lamina.nets import Net


def has_probabilities(net: Net) -> bool:
    """Is the loss of its scores one of probabilities?"""
    return isinstance(net.loss_of_scores, (SoftmaxWithLoss, SigmoidWithLoss, CrossEntropyError))


def probabilities(net: Net, scores: np.ndarray) -> np.ndarray:
    """The probability of each class, (N, C), or of each label, of scores (N, C); of the second of
    two classes alone, (N, 1), those of both."""
    if isinstance(net.loss_of_scores, CrossEntropyError):
        return scores
    if isinstance(net.loss_of_scores, SigmoidWithLoss):
        p = Sigmoid().forward(scores)
        return np.concatenate([1.0 - p, p], axis=-1) if p.shape[-1] == 1 else p
    return Softmax().forward(scores)

"""What the losses over classes share: which positions count, and how much."""

import numpy as np

from lamina.autodiff import primal
from lamina.layers.beside import beside
from lamina.layers.loss import Loss
from lamina.layers.loss_options import checked_ignore_index, checked_weights
from lamina.layers.targets import class_indices


class ClassificationLoss(Loss):
    """A loss of scores (..., C) and class indices (...) or one-hot rows (..., C): L = Σₙ wₙ Lₙ,
    divided by Σₙ wₙ for the mean, as in PyTorch.

    wₙ = class_weights[tₙ] (C numbers, positive or zero; None: all 1), and 0 where tₙ is
    `ignore_index`. One-hot rows are class indices written in another way, and count as those do.
    A batch in which nothing counts has loss 0, gradients 0 and weight 0, where PyTorch gives NaN.
    Errors: ShapeError, TypeError or ValueError for targets that do not fit the scores.
    """

    def __init__(
        self,
        reduction: str = "mean",
        *,
        ignore_index: int | None = None,
        class_weights: tuple | None = None,
        label_smoothing: float = 0.0,
    ):
        super().__init__(reduction)
        name = type(self).__name__
        if class_weights is not None:
            class_weights = checked_weights(name, "class_weights", class_weights)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"{name}: label_smoothing is from 0 to 1, got {label_smoothing}")
        self.ignore_index = checked_ignore_index(name, ignore_index)
        self.class_weights, self.label_smoothing = class_weights, label_smoothing

    def class_indices(self, scores, targets):
        """As in Loss; indices equal to `ignore_index` are let through."""
        return class_indices(type(self).__name__, scores, targets, self.ignore_index)

    def counted(self, scores, targets):
        """(t, w, shares): a class index for each position, its weight wₙ (None: all are 1), and
        what each class of it counts under label smoothing, (N, C) (None without):

            (1 - ε) wₙ 1[j = tₙ] + ε / C · class_weights[j],  ε = label_smoothing

        and 0 where tₙ is ignored, so that wₙ Lₙ = -Σⱼ shares[n, j] log p[n, j]. Sets `self.weight`
        to Σₙ wₙ.

        What is ignored is given the class of the largest score: an index that exists, and a score
        that is not -inf, so that its loss times 0 is 0.
        """
        t = self.class_indices(scores, targets)
        if self.ignore_index is None and self.class_weights is None and not self.label_smoothing:
            self.weight = len(t)
            return t, None, None
        ignored = np.zeros(len(t), bool)
        if self.ignore_index is not None:
            ignored = t == self.ignore_index
            t = t.astype(np.intp)
            t[ignored] = primal(scores).reshape(len(t), -1)[ignored].argmax(axis=1)
        classes = beside(scores, self._weights_of(scores))
        w = classes[t]
        w[ignored] = 0.0
        self.weight = float(w.sum(dtype=np.float64))
        if not self.label_smoothing:
            return t, w, None
        shares = np.tile(classes * (self.label_smoothing / len(classes)), (len(t), 1))
        shares[ignored] = 0.0
        shares[np.arange(len(t)), t] += w * (1.0 - self.label_smoothing)
        return t, w, shares

    def _weights_of(self, scores):
        """The weight of each class, (C,)."""
        n_classes = scores.shape[-1]
        if self.class_weights is None:
            return np.ones(n_classes, scores.dtype)
        if len(self.class_weights) != n_classes:
            raise ValueError(
                f"{type(self).__name__}: class_weights has {len(self.class_weights)} numbers, and "
                f"the scores are of {n_classes} classes"
            )
        return np.array(self.class_weights, scores.dtype)

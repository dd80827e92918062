"""Contrastive loss: vectors of alike things near each other, those of others apart."""

import numpy as np

from lamina.layers.errors import ShapeError
from lamina.layers.loss import Loss
from lamina.layers.targets import numbers_beside


class ContrastiveLoss(Loss):
    """L = ½ Σₙ tₙ dₙ² + (1 - tₙ) max(margin - dₙ, 0)², times 1/N for the mean

    with dₙ = ‖aₙ - bₙ‖ and t = 1 for a pair that is alike, 0 for others, which are pushed apart as
    long as they are nearer than the margin. `legacy` has max(margin - d², 0) in the second place,
    as Caffe's first version.

        da = (a - b) · (t - (1 - t) max(margin - d, 0) / d) · dout / N        db = -da
        legacy:  da = (a - b) · (t - (1 - t) [margin > d²]) · dout / N

    Where a is b, d has no derivative, and none is passed on. (Caffe divides by d + 0.0001.)

    Shapes: scores (N, 2 D), a before b, as a Concatenation of both gives them; targets (N,) of 0
    and 1; L (). Raises ShapeError for others, ValueError for other targets and a margin that is not
    positive. Source: Hadsell, Chopra and LeCun 2006; Caffe (ContrastiveLoss).
    """

    of_pairs = True

    def __init__(self, reduction: str = "mean", *, margin: float = 1.0, legacy: bool = False):
        super().__init__(reduction)
        if not margin > 0:
            raise ValueError(f"ContrastiveLoss: margin is positive, got {margin}")
        self.margin, self.legacy = margin, legacy

    def forward(self, scores, targets):
        if scores.ndim != 2 or not scores.size or scores.shape[1] % 2:
            wanted = "scores (N, 2 D), two vectors side by side, of at least one pair"
            raise ShapeError("ContrastiveLoss", wanted, str(scores.shape))
        alike = numbers_beside("ContrastiveLoss", scores[:, 0], targets)
        if not ((alike == 0) | (alike == 1)).all():
            raise ValueError("ContrastiveLoss: targets are 1 for a pair that is alike, else 0")
        n, width = scores.shape
        self.weight, self.alike = n, alike
        self.difference = scores[:, : width // 2] - scores[:, width // 2 :]
        self.square = np.square(self.difference).sum(axis=1)
        apart = np.maximum(self._lacking(), 0)
        apart = apart if self.legacy else np.square(apart)
        return (alike * self.square + (1.0 - alike) * apart).sum() * (0.5 * self.scale(n))

    def backward(self, dout=1.0):
        lacking = self._lacking()
        if self.legacy:
            push = np.heaviside(lacking, 0.0)
        else:
            d = np.sqrt(self.square)
            push = np.maximum(lacking, 0) / (d + (d == 0))
        pull = self.alike - (1.0 - self.alike) * push
        da = self.difference * pull[:, np.newaxis] * (self.scale(self.weight) * dout)
        return np.concatenate([da, -da], axis=1)

    def _lacking(self):
        """How much is lacking to the margin."""
        return self.margin - (self.square if self.legacy else np.sqrt(self.square))

    @classmethod
    def examples(cls, rng):
        t = np.array([1, 0, 0, 1, 0])
        yield cls(margin=2.5), rng.standard_normal((5, 4)), t
        yield cls(margin=4.0, legacy=True), rng.standard_normal((5, 4)), t
        yield cls("sum", margin=2.0), rng.standard_normal((5, 2)), t

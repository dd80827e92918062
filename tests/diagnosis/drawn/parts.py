"""Parts of one's own, as users write them: some with a mistake, which the doctor should notice."""

import numpy as np

from lamina.layers import Affine, Layer, Loss, Relu, Sigmoid, SoftmaxWithLoss, SquaredErrorLoss
from lamina.layers import Softmax as HouseSoftmax


class OwnSoftmax(HouseSoftmax):
    """A softmax that nobody recognises when the net is built."""


class OwnSigmoid(Sigmoid):
    """A sigmoid that nobody recognises when the net is built."""


class OwnRelu(Relu):
    """A ReLU that nobody recognises when the net is built."""


class Sunk(Affine):
    """An Affine whose biases start at -8."""

    def __init__(self, n_in: int, n_out: int, *, rng, dtype=np.float32):
        super().__init__(n_in, n_out, rng=rng, dtype=dtype)
        self.b.data = self.b.data - 8.0


class Detached(Layer):
    """Hands its input on, and gives nothing back: the gradient ends here."""

    def forward(self, X):
        return X

    def backward(self, dout):
        return 0.0 * dout


class MinusCrossEntropy(SoftmaxWithLoss):
    """The cross-entropy with its sign forgotten: it gets better by being wrong."""

    def forward(self, scores, targets):
        return -super().forward(scores, targets)

    def backward(self, dout=1.0):
        return -super().backward(dout)


class RightProbability(Loss):
    """The mean probability of the right class, which a descent makes small."""

    def forward(self, scores, targets):
        t = self.class_indices(scores, targets)
        exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
        self.p, self.t = exp / exp.sum(axis=-1, keepdims=True), t
        return self.p[np.arange(len(t)), t].sum() * self.scale(len(t))

    def backward(self, dout=1.0):
        rows = np.arange(len(self.t))
        right = self.p[rows, self.t][:, None]
        dX = -right * self.p
        dX[rows, self.t] += right[:, 0]
        return (dX * (self.scale(len(self.t)) * dout)).astype(self.p.dtype)


class LogMeanSquare(Loss):
    """The log of the mean squared error: a fair loss, negative when the errors are small."""

    def forward(self, scores, targets):
        self.error = scores - np.reshape(targets, scores.shape).astype(scores.dtype)
        self.mean = np.square(self.error).mean() + 1e-6
        self.scale(len(scores))
        return np.log(self.mean)

    def backward(self, dout=1.0):
        return self.error * (2.0 / self.error.size / self.mean * dout).astype(self.error.dtype)


def spike(step: int, *, at: int = 300, length: int = 20, factor: float = 500.0) -> float:
    """The rate, times a large factor for a while."""
    return factor if at <= step < at + length else 1.0


class Brier(Loss):
    """The squared distance of the probabilities from the right answer: a fair loss of classes."""

    def forward(self, scores, targets):
        t = self.class_indices(scores, targets)
        exp = np.exp(scores - scores.max(axis=-1, keepdims=True))
        self.p = exp / exp.sum(axis=-1, keepdims=True)
        self.error = self.p - np.eye(scores.shape[-1], dtype=scores.dtype)[t]
        return np.square(self.error).sum() * self.scale(len(t))

    def backward(self, dout=1.0):
        own = (self.p * self.error).sum(axis=-1, keepdims=True)
        dX = self.p * (self.error - own) * (2.0 * self.scale(len(self.p)) * dout)
        return dX.astype(self.p.dtype)


class MinusSquaredError(SquaredErrorLoss):
    """The squared error with its sign forgotten."""

    def forward(self, scores, targets):
        return -super().forward(scores, targets)

    def backward(self, dout=1.0):
        return -super().backward(dout)


class Rounded(Layer):
    """Whole numbers of what comes in; its derivative is 0."""

    def forward(self, X):
        return np.round(X)

    def backward(self, dout):
        return np.zeros_like(dout)


class Log(Layer):
    """The logarithm, of whatever comes in."""

    def forward(self, X):
        self.X = X
        return np.log(X)

    def backward(self, dout):
        return dout / self.X


class Small(Loss):
    """The mean square of the scores: the targets are forgotten."""

    def forward(self, scores, targets):
        self.class_indices(scores, targets)
        self.scores = scores
        return np.square(scores).sum() * self.scale(len(scores))

    def backward(self, dout=1.0):
        factor = 2.0 * self.scale(len(self.scores)) * float(dout)
        return self.scores * np.asarray(factor, self.scores.dtype)

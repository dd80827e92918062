"""Mistakes that learners make: each costs points, the array is named, the kind is hinted at.

Most are from public threads about code of this kind, of which the places are given:
  [a] github.com/dengfy/cs231n/issues/1: db divided by N
  [b] github.com/wjbKimberly/cs231n_spring_2017_assignment/issues/7: dgamma as a mean
  [c] github.com/kvfrans/notes/issues/5: the mean for the sum in the gradient of a bias
  [d] github.com/hunkim/DeepLearningZeroToAll/issues/173: the mean over the batch is missing
  [e] github.com/mlpack/mlpack/pull/3679: the gradient of a bias right for a batch of one alone
  [f] github.com/Kulbear/deep-learning-coursera/issues/8: db of another shape
  [g] github.com/kaldi-asr/kaldi/issues/3890: what dropout has set to zero gets a gradient
  [h] github.com/nndl/exercise/issues/14: softmax without its shift
  [i] dev.to/shamdasani, "Build a flexible Neural Network": σ' of the output, or of its sigmoid
  [j] "Why doesn't error approach zero when it is multiplied by deriv of sigmoid?": no σ' at all
  [k] github.com/kakaobrain/trident/pull/66: the backward of a mean does not divide
  [l] r/cs231n, "Batchnorm W1,2 gradient error": gradients returned in another order
The rest are those of docs/notes.md and docs/books.md (note 004's CEE_Softmax, book 1's Relu), and
of any course. What is right here was written from the gaps alone, and gets 100.
"""

import re

import pytest
from filled import marked

AFFINE = {
    "forward": "self.X = X\nY = X @ self._matrix\nreturn Y if self.b is None else Y + self.b.data",
    "backward": """
        X, d = self.X.reshape(-1, self.X.shape[-1]), dout.reshape(-1, dout.shape[-1])
        self.W.accumulate(d.T @ X if self.transposed else X.T @ d)
        if self.b is not None:
            self.b.accumulate(d.sum(axis=0))
        return dout @ self._matrix.T
        """,
}
RELU = {"forward": "self.mask = X > 0\nreturn X.clip(0)", "backward": "return dout * self.mask"}
SIGMOID = {
    "forward": "self.X = X\nself.Y = 0.5 * np.tanh(0.5 * X) + 0.5\nreturn self.Y",
    "backward": "return dout * self.Y * (1 - self.Y)",
}
SOFTMAX = {
    "forward": "e = np.exp(X - X.max(axis=-1, keepdims=True))\n"
    "self.Y = e / e.sum(axis=-1, keepdims=True)\nreturn self.Y",
    "backward": "return self.Y * (dout - (dout * self.Y).sum(axis=-1, keepdims=True))",
}
SQUARED = {
    "forward": "self.d = self.error(y, targets)\n"
    "return (self.d * self.d).sum() * (self.factor * self.scale(self.weight))",
    "backward": "return self.d * (2.0 * self.factor * self.scale(self.weight) * dout)",
}
LAYER_NORM = {
    "forward": """
        rows = self.rows(X)
        centred = rows - rows.mean(axis=1, keepdims=True)
        var = (centred * centred).mean(axis=1, keepdims=True)
        self.inv = 1.0 / np.sqrt(var + self.eps)
        self.x_hat = centred * self.inv
        Y = self.gamma.data.reshape(-1) * self.x_hat + self.beta.data.reshape(-1)
        return Y.reshape(X.shape)
        """,
    "backward": """
        d, shape = self.rows(dout), self.gamma.data.shape
        self.gamma.accumulate((d * self.x_hat).sum(axis=0).reshape(shape))
        self.beta.accumulate(d.sum(axis=0).reshape(shape))
        g = self.gamma.data.reshape(-1) * d
        shift = g.mean(axis=1, keepdims=True)
        stretch = (g * self.x_hat).mean(axis=1, keepdims=True)
        return (self.inv * (g - shift - self.x_hat * stretch)).reshape(dout.shape)
        """,
}
LOSS = {
    "forward": """
        t, self.w, self.shares = self.counted(scores, targets)
        s = scores.reshape(-1, scores.shape[-1])
        s = s - s.max(axis=1, keepdims=True)
        rows, exp = np.arange(len(t)), np.exp(s)
        total = exp.sum(axis=1, keepdims=True)
        self.p, self.t, self.shape = exp / total, t, scores.shape
        if self.shares is not None:
            return (self.shares * (np.log(total) - s)).sum() * self.scale(self.weight)
        losses = np.log(total[:, 0]) - s[rows, t]
        losses = losses if self.w is None else self.w * losses
        return losses.sum() * self.scale(self.weight)
        """,
    "backward": """
        if self.shares is not None:
            d = self.p * self.shares.sum(axis=1, keepdims=True) - self.shares
        else:
            d = self.p.copy()
            d[np.arange(len(self.t)), self.t] -= 1.0
            d = d if self.w is None else d * self.w[:, np.newaxis]
        return (d * (dout * self.scale(self.weight))).reshape(self.shape)
        """,
}
DROPOUT = {
    "forward": """
        if not self.training:
            self.mask = None
            return X
        kept = self.rng.random(X.shape, dtype=np.float32) >= self.p
        self.mask = (kept / (1 - self.p)).astype(X.dtype)
        return X * self.mask
        """,
    "backward": "return dout if self.mask is None else dout * self.mask",
}
MOMENTUM = {
    "update": "v = kept['velocity']\nv *= self.momentum\nv -= lr * gradient\nparam.data += v"
}
ADAM = {
    "update": """
        m, v = kept["mean"], kept["squares"]
        m *= self.beta1
        m += (1 - self.beta1) * gradient
        v *= self.beta2
        v += (1 - self.beta2) * gradient * gradient
        m_hat = m / (1 - self.beta1**self.steps)
        v_hat = v / (1 - self.beta2**self.steps)
        param.data -= lr * m_hat / (np.sqrt(v_hat) + self.eps)
        """,
}
MULTIPLICATION = {
    "forward": """
        self.inputs = (x, y, *others)
        z = x * y
        for other in others:
            z = z * other
        return z
        """,
    "backward": """
        gradients = []
        for i in range(len(self.inputs)):
            g = dout
            for j, other in enumerate(self.inputs):
                if j != i:
                    g = g * other
            gradients.append(g)
        return tuple(gradients)
        """,
}
GRADIENT = {
    "numeric_gradient": """
        g = np.zeros_like(x)
        for i in np.ndindex(x.shape):
            e = np.zeros_like(x)
            e[i] = h
            g[i] = (f(x + e) - f(x - e)) / (2 * h)
        return g
        """,
}
COSINE = {
    "cosine": """
        share = min(step / max_steps, 1.0)
        return float(lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * share)))
        """,
}
RIGHT = {
    "Affine": AFFINE,
    "Relu": RELU,
    "Sigmoid": SIGMOID,
    "Softmax": SOFTMAX,
    "SquaredErrorLoss": SQUARED,
    "LayerNormalization": LAYER_NORM,
    "SoftmaxWithLoss": LOSS,
    "Dropout": DROPOUT,
    "Momentum": MOMENTUM,
    "Adam": ADAM,
    "Multiplication": MULTIPLICATION,
    "numeric_gradient": GRADIENT,
    "cosine": COSINE,
}

# (what, exercise, right piece, wrong piece, the array that is named, words of the explanation)
WRONG = [
    (
        "db divided by N [a]",
        "Affine",
        "d.sum(axis=0)",
        "d.mean(axis=0)",
        "b.grad",
        "divided by N|a factor",
    ),
    ("no sum for db [e]", "Affine", "d.sum(axis=0)", "d", "b.grad", "missing sum over the batch"),
    (
        "db over the wrong axis",
        "Affine",
        "d.sum(axis=0)",
        "d.sum(axis=1)",
        "b.grad",
        "over the batch it is axis=0",
    ),
    (
        "db of all entries",
        "Affine",
        "d.sum(axis=0)",
        "d.sum()",
        "b.grad",
        "a sum over too many axes",
    ),
    (
        "db with keepdims [f]",
        "Affine",
        "d.sum(axis=0)",
        "d.sum(axis=0, keepdims=True)",
        "b.grad",
        r"got \(1, 3\)",
    ),
    ("dW transposed", "Affine", "else X.T @ d", "else d.T @ X", "W.grad", "a transposed matrix"),
    (
        "dW divided by N [d]",
        "Affine",
        "else X.T @ d",
        "else X.T @ d / len(X)",
        "W.grad",
        "divided by N|a factor",
    ),
    (
        "dX without Wᵀ",
        "Affine",
        "self._matrix.T",
        "self._matrix",
        "backward",
        "a transposed matrix, or the operands",
    ),
    ("no bias in forward", "Affine", "Y + self.b.data", "Y", "Y", "b is left out"),
    (
        "backward returns nothing",
        "Affine",
        "return dout @ self._matrix.T",
        "dX = dout @ self._matrix.T",
        "dX",
        "return dX",
    ),
    (
        "grad set, not added",
        "Affine",
        "self.b.accumulate(d.sum(axis=0))",
        "self.b.grad = d.sum(axis=0)",
        "b.grad",
        "the sum of both gradients",
    ),
    ("no mask", "Relu", "return dout * self.mask", "return dout", "dX", "a forgotten mask"),
    (
        "mask of the wrong side",
        "Relu",
        "X > 0",
        "X < 0",
        "dX",
        "forgotten mask|no known pattern|wrong",
    ),
    (
        "dout written into (book 1)",
        "Relu",
        "return dout * self.mask",
        "dout[~self.mask] = 0\nreturn dout",
        "dout",
        "is written into",
    ),
    (
        "X written into",
        "Relu",
        "return X.clip(0)",
        "X[X < 0] = 0\nreturn X",
        "X",
        "is written into",
    ),
    (
        "NaN hidden",
        "Relu",
        "return X.clip(0)",
        "return np.where(X > 0, X, 0).astype(X.dtype)",
        "Y",
        "a NaN in X disappears",
    ),
    (
        "σ' of the input [i]",
        "Sigmoid",
        "return dout * self.Y * (1 - self.Y)",
        "return dout * self.X * (1 - self.X)",
        "dX",
        "keeps the wrong array|the output",
    ),
    (
        "no σ' [j]",
        "Sigmoid",
        "return dout * self.Y * (1 - self.Y)",
        "return dout",
        "dX",
        "it is dout itself: the local derivative is missing",
    ),
    (
        "exp overflows",
        "Sigmoid",
        "0.5 * np.tanh(0.5 * X) + 0.5",
        "np.exp(X) / (1 + np.exp(X))",
        "Y",
        "an overflow",
    ),
    (
        "softmax without its shift [h]",
        "Softmax",
        "X - X.max(axis=-1, keepdims=True)",
        "X",
        "Y",
        "subtract the maximum of each row",
    ),
    (
        "softmax over the batch",
        "Softmax",
        "e / e.sum(axis=-1, keepdims=True)",
        "e / e.sum(axis=0, keepdims=True)",
        "Y",
        "the wrong axis",
    ),
    (
        "softmax's diagonal alone",
        "Softmax",
        "return self.Y * (dout - (dout * self.Y).sum(axis=-1, keepdims=True))",
        "return dout * self.Y * (1 - self.Y)",
        "dX",
        "a missing term: over axis",
    ),
    (
        "a sum for the mean [d]",
        "SquaredErrorLoss",
        "* (self.factor * self.scale(self.weight))",
        "* self.factor",
        "Y",
        "a sum where a mean is asked for",
    ),
    (
        "a mean over all entries",
        "SquaredErrorLoss",
        "return (self.d * self.d).sum()",
        "return (self.d * self.d).mean()",
        "Y",
        "a factor",
    ),
    (
        "backward does not divide [k]",
        "SquaredErrorLoss",
        "self.factor * self.scale(self.weight) * dout",
        "self.factor * dout",
        "dy",
        "N too much: the mean divides by N",
    ),
    (
        "the sign of the error",
        "SquaredErrorLoss",
        "return self.d * (2.0",
        "return -self.d * (2.0",
        "dy",
        "a sign",
    ),
    (
        "dout ignored",
        "SquaredErrorLoss",
        "self.scale(self.weight) * dout",
        "self.scale(self.weight)",
        "dy",
        "a factor",
    ),
    (
        "set to 1 (note 004)",
        "SoftmaxWithLoss",
        "self.t] -= 1.0",
        "self.t] = 1.0",
        "dscores",
        r"subtract there \(p\[rows, t\] -= 1\)",
    ),
    (
        "the kept p written into",
        "SoftmaxWithLoss",
        "self.p.copy()",
        "self.p",
        "dscores",
        "must not use up what forward kept",
    ),
    (
        "dγ as a mean [b]",
        "LayerNormalization",
        "(d * self.x_hat).sum(",
        "(d * self.x_hat).mean(",
        "gamma.grad",
        "a factor",
    ),
    (
        "dβ as a mean [c]",
        "LayerNormalization",
        "d.sum(axis=0).reshape",
        "d.mean(axis=0).reshape",
        "beta.grad",
        "a factor",
    ),
    (
        "the variance held constant",
        "LayerNormalization",
        " - self.x_hat * stretch",
        "",
        "dX",
        "entries are wrong",
    ),
    (
        "ε left out",
        "LayerNormalization",
        "np.sqrt(var + self.eps)",
        "np.sqrt(var)",
        "Y",
        "as if self.eps were 0",
    ),
    (
        "γ forgotten in dX",
        "LayerNormalization",
        "g = self.gamma.data.reshape(-1) * d",
        "g = d",
        "dX",
        "entries are wrong",
    ),
    (
        "dropout not scaled",
        "Dropout",
        "kept / (1 - self.p)",
        "1.0 * kept",
        "Y",
        "on average it is 0.5 times.*divide by 1 - p",
    ),
    (
        "dropout in evaluation",
        "Dropout",
        "if not self.training:",
        "if self.p == 0:",
        "Y",
        "it does as in training",
    ),
    (
        "a gradient for what was dropped [g]",
        "Dropout",
        "else dout * self.mask",
        "else dout / (1 - self.p)",
        "dX",
        "a forgotten mask|a factor",
    ),
    (
        "one mask for all samples",
        "Dropout",
        "random(X.shape,",
        "random(X.shape[-1],",
        "Y",
        "one mask is shared",
    ),
    (
        "not exchanged [l]",
        "Multiplication",
        "if j != i:",
        "if j == i:",
        "dx",
        "dout times x: the local derivative|keeps the wrong array",
    ),
    ("uphill", "Momentum", "v -= lr * gradient", "v += lr * gradient", "w", "a sign: it goes up"),
    ("no rate", "Momentum", "v -= lr * gradient", "v -= gradient", "w", "the rate lr is left out"),
    (
        "a name for the velocity",
        "Momentum",
        "v *= self.momentum",
        "v = v * self.momentum",
        "w",
        "as if self.momentum were 0|what is kept",
    ),
    (
        "a name for the parameter",
        "Momentum",
        "param.data += v",
        "w = param.data + v",
        "w",
        "nothing moves",
    ),
    ("no correction", "Adam", "m / (1 - self.beta1**self.steps)", "m", "w", "entries are wrong"),
    ("no square", "Adam", "* gradient * gradient", "* gradient", "w", "entries are wrong"),
    (
        "a one-sided difference",
        "numeric_gradient",
        "(f(x + e) - f(x - e)) / (2 * h)",
        "(f(x + e) - f(x)) / h",
        "gradient",
        "a difference to one side",
    ),
    (
        "not over at its end",
        "cosine",
        "min(step / max_steps, 1.0)",
        "step / max_steps",
        "factor",
        "right at first, wrong late",
    ),
]


@pytest.mark.parametrize("name", RIGHT)
def test_the_pieces_together_are_right(name, tmp_path):
    mark = marked(tmp_path, name, RIGHT[name])
    assert mark.total == 100, str(mark)


@pytest.mark.often(2)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong[0])
def test_a_mistake_costs_points_and_is_explained(wrong, tmp_path):
    _, name, right_piece, wrong_piece, array, words = wrong
    assert any(right_piece in body for body in RIGHT[name].values())
    bodies = {n: body.replace(right_piece, wrong_piece) for n, body in RIGHT[name].items()}
    mark = marked(tmp_path, name, bodies)
    assert mark.total < 100
    assert array in mark.named, str(mark)
    said = [f.message for p in mark.parts for f in p.failures if f.array == array]
    assert any(re.search(words, message) for message in said), "\n".join(said)


def test_the_share_of_forward_is_of_all_cases_also_where_an_example_is_wrong(tmp_path):
    """What is tried elsewhere counts as well, so that the number of cases is the same."""
    right = marked(tmp_path, "Affine", AFFINE).parts[0]
    twice = {**AFFINE, "forward": AFFINE["forward"].replace("+ self.b.data", "+ 2.0 * self.b.data")}
    wrong = marked(tmp_path, "Affine", twice).parts[0]
    (n_right, cases), (n_wrong, of) = (
        map(int, re.findall(r"\d+", part.counted)) for part in (right, wrong)
    )
    assert n_right == cases == of
    assert 0 < n_wrong < 0.5 * cases
    assert wrong.points == 40 * n_wrong / cases

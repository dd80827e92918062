"""What readers of two books, a course and micrograd know otherwise: each difference, and what is
the same, beside the rule of the source in a few lines of our own. The index is docs/books.md."""

import importlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from lamina.autodiff import numeric_gradient, value_and_grad
from lamina.datasets import Additions, Classification, Dataset, Samples, Streams
from lamina.datasets.minibatches import Minibatches
from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    CrossEntropyError,
    Dropout,
    Embedding,
    Flatten,
    Gru,
    Lstm,
    MaxPooling,
    MultiHeadAttention,
    Param,
    PositionalEncoding,
    Relu,
    Rnn,
    ShapeError,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SVMLoss,
)
from lamina.layers.initializers import he_normal, make_initializer, xavier_normal
from lamina.layers.kernels.frames import Frame
from lamina.layers.kernels.windows import windows
from lamina.nets import Sequential, TwoLayerNet
from lamina.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp
from lamina.training.trainer import Trainer

OF_WEIGHTS = {"rng": 0, "dtype": np.float64}
CLOSE = {"rtol": 1e-12, "atol": 1e-13}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


def same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, **CLOSE)


def differ(ours, theirs, by_at_least=1e-6):
    assert np.max(np.abs(np.asarray(ours) - theirs)) > by_at_least


# Optimizers ------------------------------------------------------------------------------------

GRADIENTS = np.random.default_rng(1).standard_normal((6, 4))


def ours(rule, gradients=GRADIENTS, **settings):
    """Where a rule of ours leads from 0, after each gradient."""
    w = Param(np.zeros(gradients.shape[1]))
    optimizer, path = rule({"w": w}, **settings), []
    for g in gradients:
        w.grad = g
        optimizer.step()
        path.append(w.data.copy())
    return np.array(path)


def theirs(step, gradients=GRADIENTS):
    """Where `step(t, g, kept) -> change` leads, `kept` being a dict of its own."""
    kept, changes = {"m": 0.0, "v": 0.0}, []
    for t, g in enumerate(gradients, 1):
        changes.append(step(t, g, kept))
    return np.cumsum(changes, axis=0)


def adam(eps, inside):
    """The books' Adam puts ε beside √v, and the course, as its source, beside the corrected √v̂."""

    def step(t, g, kept):
        kept["m"] = 0.9 * kept["m"] + 0.1 * g
        kept["v"] = 0.999 * kept["v"] + 0.001 * g**2
        first, second = 1 - 0.9**t, 1 - 0.999**t
        if inside:
            return -0.01 * np.sqrt(second) / first * kept["m"] / (np.sqrt(kept["v"]) + eps)
        return -0.01 * (kept["m"] / first) / (np.sqrt(kept["v"] / second) + eps)

    return theirs(step)


def test_adam_of_the_course_is_ours():
    same(ours(Adam, lr=0.01), adam(1e-8, inside=False))


def test_adam_of_the_books_has_its_eps_in_another_place():
    """Theirs is ours with ε / √(1 - β₂ᵗ): at the first step 32 times as much."""
    differ(ours(Adam, lr=0.01, eps=1e-3), adam(1e-3, inside=True), 1e-3)
    assert np.abs(ours(Adam, lr=0.01) - adam(1e-7, inside=True)).max() < 1e-5  # where g is large
    first = ours(Adam, GRADIENTS[:1], lr=0.01, eps=1e-7 / np.sqrt(1 - 0.999))
    same(first, adam(1e-7, inside=True)[:1])


def test_without_the_correction_of_its_bias_adam_begins_three_times_as_fast():
    def uncorrected(t, g, kept):
        kept["m"] = 0.9 * kept["m"] + 0.1 * g
        kept["v"] = 0.999 * kept["v"] + 0.001 * g**2
        return -0.01 * kept["m"] / (np.sqrt(kept["v"]) + 1e-8)

    ratio = theirs(uncorrected)[0] / ours(Adam, lr=0.01)[0]
    np.testing.assert_allclose(ratio, 0.1 / np.sqrt(0.001), rtol=1e-4)


def momentum(t, g, kept):
    kept["v"] = 0.9 * kept["v"] - 0.1 * g
    return kept["v"]


def test_momentum_is_that_of_all_three():
    same(ours(Momentum, lr=0.1), theirs(momentum))


def nesterov(before):
    """The formula that the books' class is named after, w + μ² v - (1 + μ) η g, in which v is that
    of the step before, or, as their code has it, the new one."""

    def step(t, g, kept):
        old = kept["v"]
        kept["v"] = 0.9 * old - 0.1 * g
        return 0.81 * (old if before else kept["v"]) - 1.9 * 0.1 * g

    return theirs(step)


def test_nesterov_of_the_books_formula_is_ours_and_their_code_is_not():
    same(ours(Nesterov, lr=0.1), nesterov(before=True))
    differ(ours(Nesterov, lr=0.1), nesterov(before=False), 0.01)
    first = nesterov(before=False)[0] / ours(Nesterov, lr=0.1)[0]
    same(first, (0.81 + 1.9) / 1.9)  # its first step is two fifths too long


def squares(eps, rho=None):
    def step(t, g, kept):
        kept["v"] = kept["v"] + g**2 if rho is None else rho * kept["v"] + (1 - rho) * g**2
        return -0.01 * g / (np.sqrt(kept["v"]) + eps)

    return theirs(step)


def test_adagrad_and_rmsprop_differ_in_their_defaults_alone():
    same(ours(AdaGrad, lr=0.01, eps=1e-7), squares(1e-7))
    same(ours(RMSProp, lr=0.01, rho=0.99, eps=1e-7), squares(1e-7, 0.99))
    made = [rule({"w": Param(np.zeros(1))}) for rule in (AdaGrad, RMSProp)]
    assert [one.eps for one in made] == [1e-10, 1e-8]
    assert (made[1].rho, made[1].base_lr) == (0.9, 0.001)


def test_clipping_of_book_2_adds_1e_6_to_the_norm():
    norm = np.linalg.norm(GRADIENTS, axis=1, keepdims=True)
    rate = np.minimum(1, 0.25 / (norm + 1e-6))
    steps = np.diff(ours(SGD, lr=1.0, clip_norm=0.25), axis=0, prepend=0.0)
    same(steps, -0.25 * GRADIENTS / norm)
    differ(steps, -GRADIENTS * rate, 1e-8)


def test_weight_decay_is_in_the_gradient_for_biases_too_and_not_in_the_loss(rng):
    """Theirs adds λ/2 Σ W² to the loss, and λ W to the gradients of W alone."""
    X, t = rng.standard_normal((8, 5)), rng.integers(0, 3, 8)
    net = Sequential({"a": Affine(5, 3, **OF_WEIGHTS)}, SoftmaxWithLoss())
    W, b = net.parameters().values()
    b.data = rng.standard_normal(3)
    plain = net.loss(X, t)
    w0, b0 = W.data.copy(), b.data.copy()
    gradients = net.gradient(X, t)
    SGD(net.parameters(), lr=1.0, weight_decay=0.1).step()
    same(W.data, w0 - gradients["a.W"] - 0.1 * w0)
    same(b.data, b0 - gradients["a.b"] - 0.1 * b0)
    W.data, b.data, b.decay_mult = w0.copy(), b0.copy(), 0.0
    same(net.loss(X, t), plain)
    net.gradient(X, t)
    SGD(net.parameters(), lr=1.0, weight_decay=0.1).step()
    same(b.data, b0 - gradients["a.b"])


def test_adamw_is_not_adam_with_weight_decay():
    """PyTorch's readers know it; the books and the course have only the other one."""
    far = GRADIENTS + 3.0
    differ(ours(AdamW, far, weight_decay=0.1), ours(Adam, far, weight_decay=0.1))


# Layers of book 1 and of the course ------------------------------------------------------------


def test_affine_takes_rows_and_flatten_is_a_layer_of_its_own(rng):
    X, layer = rng.standard_normal((4, 2, 3)), Affine(6, 5, **OF_WEIGHTS)
    with pytest.raises(ShapeError):
        layer.forward(X)  # theirs flattens by itself
    same(Flatten().forward(X) @ layer.W.data, X.reshape(4, 6) @ layer.W.data)


def test_backward_leaves_dout_as_it_is(rng):
    """Book 1's Relu writes its zeros into dout."""
    X, dout = rng.standard_normal((2, 4, 5))
    layer, before = Relu(), dout.copy()
    layer.forward(X)
    same(layer.backward(dout), np.where(X > 0, dout, 0))
    np.testing.assert_array_equal(dout, before)


def test_the_loss_of_book_1_adds_1e_7_inside_the_log(rng):
    scores, t = rng.standard_normal((6, 4)), rng.integers(0, 4, 6)
    p = softmax(scores)[np.arange(6), t]
    same(SoftmaxWithLoss().forward(scores, t), -np.log(p).mean())
    differ(SoftmaxWithLoss().forward(scores, t), -np.log(p + 1e-7).mean(), 1e-8)
    sure = np.array([[200.0, 0.0]])
    wrong = np.array([1])
    assert SoftmaxWithLoss().forward(sure, wrong) == 200.0  # theirs stops at -log 1e-7 = 16.1
    same(-np.log(softmax(sure)[0, 1] + 1e-7), 16.11809565095832)


def test_cross_entropy_of_probabilities_stops_later(rng):
    p = np.array([[1.0, 0.0]])
    loss = CrossEntropyError().forward(p, np.array([1]))
    assert 300 < loss < 400  # the root of the smallest number; theirs 16.1
    scores, t = rng.standard_normal((6, 4)), rng.integers(0, 4, 6)
    same(CrossEntropyError().forward(softmax(scores), t), SoftmaxWithLoss().forward(scores, t))


def test_the_gradient_of_the_loss_is_multiplied_with_dout(rng):
    """Book 1's SoftmaxWithLoss ignores its dout."""
    loss = SoftmaxWithLoss()
    loss.forward(rng.standard_normal((3, 4)), np.array([0, 1, 2]))
    same(loss.backward(2.0), 2.0 * loss.backward())


def test_dropout_divides_in_training_where_book_1_multiplies_in_evaluation():
    """So published weights of book 1 behind a dropout of p go in as (1 - p) W."""
    rng = np.random.default_rng(0)
    X, W, layer = np.ones((200, 50)), rng.standard_normal((50, 3)), Dropout(0.4, rng=0)
    Y = layer.forward(X)
    same(np.unique(Y), [0, 1 / 0.6])
    assert abs(Y.mean() - 1.0) < 0.02  # theirs: 0.6
    layer.set_training(False)
    of_book_1 = (X * (1.0 - 0.4)) @ W
    differ(layer.forward(X) @ W, of_book_1, 0.1)
    same(layer.forward(X) @ (0.6 * W), of_book_1)


def test_p_of_dropout_is_what_is_dropped_and_in_the_course_what_is_kept():
    kept = (Dropout(0.1, rng=0).forward(np.ones((100, 100))) > 0).mean()
    assert abs(kept - 0.9) < 0.02


def batch_normalised(X, gamma, beta, eps):
    return gamma * (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + eps) + beta


def test_batch_normalisation_in_training_is_that_of_the_course(rng):
    X, layer = 3 * rng.standard_normal((6, 4)) + 1, BatchNormalization(4, dtype=np.float64)
    layer.gamma.data, layer.beta.data = rng.standard_normal((2, 4))
    of = (layer.gamma.data, layer.beta.data)
    same(layer.forward(X), batch_normalised(X, *of, 1e-5))
    book = BatchNormalization(4, eps=10e-7, dtype=np.float64)
    book.gamma, book.beta = layer.gamma, layer.beta
    same(book.forward(X), batch_normalised(X, *of, 10e-7))  # book 1 writes 10e-7, which is 1e-6


def test_the_running_variance_is_unbiased_and_begins_at_1(rng):
    """Books and course keep that of the batch, divided by m, and begin at 0."""
    X, layer = rng.standard_normal((6, 4)), BatchNormalization(4, dtype=np.float64)
    layer.forward(X)
    same(layer.running_mean.data, 0.1 * X.mean(axis=0))
    same(layer.running_var.data, 0.9 * 1.0 + 0.1 * X.var(axis=0, ddof=1))
    differ(layer.running_var.data, 0.9 * 0.0 + 0.1 * X.var(axis=0), 0.5)
    for _ in range(400):
        layer.forward(X)  # what it begins with is forgotten, 6 / 5 stays
    same(layer.running_var.data, X.var(axis=0) * 6 / 5)


def test_images_are_normalised_by_channel_and_in_book_1_by_pixel(rng):
    X = rng.standard_normal((5, 3, 2, 2))
    Y = BatchNormalization(3, dtype=np.float64).forward(X)
    by_channel = X.transpose(0, 2, 3, 1).reshape(-1, 3)
    theirs = batch_normalised(by_channel, 1, 0, 1e-5).reshape(5, 2, 2, 3).transpose(0, 3, 1, 2)
    same(Y, theirs)  # the course's spatial_batchnorm
    differ(Y, batch_normalised(X.reshape(5, -1), 1, 0, 1e-5).reshape(X.shape), 0.1)


def im2col(X, size):
    """Book 1's: a row for each window, its columns by channel, then row, then column of it."""
    n, _, h, w = X.shape
    places = itertools.product(range(n), range(h - size + 1), range(w - size + 1))
    return np.array([X[i, :, y : y + size, x : x + size].reshape(-1) for i, y, x in places])


def test_the_columns_of_a_window_have_channels_last(rng):
    X = rng.standard_normal((2, 3, 5, 4))
    frame = Frame.padded((5, 4), (0, 0))
    ((_, rows),) = windows(X.transpose(0, 2, 3, 1), frame, (2, 2), (1, 1), (1, 1), 1 << 20)
    differ(rows, im2col(X, 2), 0.1)
    by_channel = rows.reshape(-1, 2, 2, 3).transpose(0, 3, 1, 2).reshape(len(rows), -1)
    np.testing.assert_array_equal(by_channel, im2col(X, 2))


def test_convolution_takes_the_books_weights_as_they_are(rng):
    X, layer = rng.standard_normal((2, 3, 5, 4)), Convolution(3, 6, 2, **OF_WEIGHTS)
    layer.b.data = rng.standard_normal(6)
    Y = im2col(X, 2) @ layer.W.data.reshape(6, -1).T + layer.b.data
    same(layer.forward(X), Y.reshape(2, 4, 3, 6).transpose(0, 3, 1, 2))


def test_pooling_steps_by_its_own_size_and_in_book_1_by_1(rng):
    X = rng.standard_normal((1, 1, 4, 4))
    assert MaxPooling(2).forward(X).shape == (1, 1, 2, 2)
    windows = im2col(X, 2).max(axis=1).reshape(1, 1, 3, 3)
    same(MaxPooling(2, stride=1).forward(X), windows)


def test_initial_weights_of_std_0_01_are_an_option_and_he_the_default():
    """The books' "std 0.01" and "relu" (He), and their "sigmoid", √(1 / n), which they call Xavier;
    Glorot and Bengio's, ours, has both ends of the layer in it."""
    shape, rng = (400, 100), np.random.default_rng(0)
    assert Affine(400, 100, rng=0).W.data.std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert he_normal(shape, rng).std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert make_initializer("normal", std=0.01)(shape, rng).std() == pytest.approx(0.01, rel=0.02)
    assert xavier_normal(shape, rng).std() == pytest.approx((2 / 500) ** 0.5, rel=0.02)
    assert TwoLayerNet(400, 100, 10, rng=0).params["W1"].std() == pytest.approx(0.01, rel=0.02)


def test_the_svm_loss_is_that_of_the_course(rng):
    s, t = rng.standard_normal((5, 4)), rng.integers(0, 4, 5)
    margins = np.maximum(0, s - s[np.arange(5), t][:, np.newaxis] + 1.0)
    same(SVMLoss().forward(s, t), (margins.sum() - 5) / 5)  # the right class is 1 too much


def test_relu_has_gradient_0_at_0_in_all_of_them():
    layer = Relu()
    layer.forward(np.zeros(1))
    assert layer.backward(np.ones(1)) == 0
    assert value_and_grad(lambda x: np.maximum(x, 0.0))(0.0)[1] == 0.5  # max is not relu: a tie


# Training --------------------------------------------------------------------------------------


def test_an_epoch_has_every_sample_once_and_in_the_books_some_twice():
    batches = Minibatches(100, 10, 0)
    seen = np.concatenate([next(batches) for _ in range(10)])
    assert np.array_equal(np.sort(seen), np.arange(100))
    drawn = np.random.default_rng(0).choice(100, (10, 10))  # book 1's Trainer draws each anew
    assert 50 < len(np.unique(drawn)) < 75  # 1 - 1 / e of them


class TwoClouds(Dataset):
    def __init__(self):
        rng = np.random.default_rng(0)
        sets = []
        for n in (60, 20):
            t = rng.integers(0, 2, n)
            sets.append(Samples((rng.standard_normal((n, 2)) + 2 * t[:, None]).astype("f"), t))
        super().__init__(*sets, Classification(("low", "high")))


def test_the_trainer_says_the_loss_of_the_step_itself_and_judges_whole_sets():
    """Book 1's goes forward again behind each step to print a loss. Once an epoch it looks at the
    test set; ours too, but what chooses needs a validation set."""
    data, rows = TwoClouds(), []
    net = Sequential({"a": Affine(2, 2, rng=0)}, SoftmaxWithLoss())

    def made(**settings):
        optimizer = SGD(net.parameters(), lr=0.1)
        return Trainer(net, optimizer, data, batch_size=60, iterations=4, rng=0, **settings)

    before = net.loss(data.train.X, data.train.t)
    made(callbacks=[lambda trainer, row: rows.append(row)], evaluate_every=1).run()
    assert [row["iteration"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["loss"] == pytest.approx(float(before))
    assert rows[0]["train_loss"] < rows[0]["loss"]
    assert rows[-1]["test_accuracy"] == net.accuracy(data.test.X, data.test.t)
    assert rows[-1]["train_accuracy"] == net.accuracy(data.train.X, data.train.t)
    with pytest.raises(ValueError, match="validation"):
        made(keep_best=True)


# Sequences: book 2 and the course --------------------------------------------------------------


def lstm(X, Wx, Wh, b, order):
    """The recurrence, h of all steps; `order` says which quarter of the columns is which gate."""
    n, n_steps, _ = X.shape
    h, c, found = np.zeros((n, len(Wh))), np.zeros((n, len(Wh))), []
    for t in range(n_steps):
        a = dict(zip(order, np.split(X[:, t] @ Wx + h @ Wh + b, 4, axis=1), strict=True))
        c = sigmoid(a["f"]) * c + sigmoid(a["i"]) * np.tanh(a["g"])
        h = sigmoid(a["o"]) * np.tanh(c)
        found.append(h)
    return np.stack(found, axis=1)


def by_gate(W, order, wanted):
    parts = dict(zip(order, np.split(W, 4, axis=-1), strict=True))
    return np.concatenate([parts[gate] for gate in wanted], axis=-1)


def test_lstm_has_the_gates_of_the_course_and_book_2_another_order(rng):
    """The course i, f, o, g; book 2's TimeLSTM f, g, i, o, so its columns change places."""
    X, layer = rng.standard_normal((2, 5, 3)), Lstm(3, 4, **OF_WEIGHTS)
    layer.b.data = rng.standard_normal(16)
    arrays = [p.data for p in (layer.Wx, layer.Wh, layer.b)]
    same(layer.forward(X), lstm(X, *arrays, "ifog"))
    differ(layer.forward(X), lstm(X, *arrays, "fgio"), 0.01)
    same(layer.forward(X), lstm(X, *(by_gate(W, "ifog", "fgio") for W in arrays), "fgio"))


def test_lstm_begins_with_1_in_the_bias_of_the_forget_gate():
    """Book 2 and the course have 0 there, and weights of deviation 1 / √n; ours are Xavier's."""
    layer = Lstm(300, 100, rng=0)
    same(layer.b.data, np.repeat([0.0, 1.0, 0.0, 0.0], 100))
    assert layer.Wx.data.std() == pytest.approx((2 / 400) ** 0.5, rel=0.02)
    assert Lstm(3, 4, forget_bias=0.0, rng=0).b.data.any() == 0
    as_in_book_2 = make_initializer("normal", std=300**-0.5)
    drawn = Lstm(300, 100, forget_bias=0.0, init=as_in_book_2, rng=0).Wx.data
    assert drawn.std() == pytest.approx(300**-0.5, rel=0.02)


def test_rnn_is_that_of_book_2_and_of_the_course(rng):
    X, layer = rng.standard_normal((2, 5, 3)), Rnn(3, 4, **OF_WEIGHTS)
    h = np.zeros((2, 4))
    Y = layer.forward(X)
    for t in range(5):
        h = np.tanh(X[:, t] @ layer.Wx.data + h @ layer.Wh.data + layer.b.data)
        same(Y[:, t], h)


def test_gru_applies_r_behind_the_product_and_book_2_before_it(rng):
    """And z is what stays of h, where book 2's z is what is new: its columns change their sign."""
    x, h = rng.standard_normal((3, 5)), rng.standard_normal((3, 4))
    Wx, Wh = rng.standard_normal((5, 12)), rng.standard_normal((4, 12))  # book 2: z, r, h
    (xz, xr, xn), (hz, hr, hn) = np.split(Wx, 3, axis=1), np.split(Wh, 3, axis=1)
    z, r = sigmoid(x @ xz + h @ hz), sigmoid(x @ xr + h @ hr)
    of_book_2 = (1 - z) * h + z * np.tanh(x @ xn + (r * h) @ hn)
    behind = (1 - z) * h + z * np.tanh(x @ xn + r * (h @ hn))
    layer = Gru(5, 4, **OF_WEIGHTS)
    layer.Wx.data = np.concatenate([xr, -xz, xn], axis=1)
    layer.Wh.data = np.concatenate([hr, -hz, hn], axis=1)
    Y = layer.forward(x[:, np.newaxis], h)[:, 0]
    same(Y, behind)
    differ(Y, of_book_2, 0.01)


def test_a_stateful_layer_begins_anew_for_another_number_of_rows(rng):
    """Book 2's would add arrays that do not fit; reset_state is our reset, and a state of
    evaluation of its own takes the place of calling it before each."""
    layer = Lstm(3, 4, stateful=True, **OF_WEIGHTS)
    X = rng.standard_normal((2, 5, 3))
    first, second = layer.forward(X), layer.forward(X)
    differ(second, first, 1e-3)
    layer.reset()
    np.testing.assert_array_equal(layer.forward(X), first)
    same(layer.forward(X[:1]), first[:1])
    layer.set_training(False)
    np.testing.assert_array_equal(layer.forward(X), first)


def test_the_mean_over_positions_is_over_those_that_count(rng):
    """As book 2's TimeSoftmaxWithLoss; the course divides by the number of sequences."""
    scores, t = rng.standard_normal((2, 4, 5)), rng.integers(0, 5, (2, 4))
    t[0, 2:] = t[1, 3:] = -1
    mask = t != -1
    logs = np.log(np.take_along_axis(softmax(scores), t[..., np.newaxis], 2)[..., 0]) * mask
    loss = SoftmaxWithLoss(ignore_index=-1)
    same(loss.forward(scores, t), -logs.sum() / mask.sum())
    same(loss.forward(scores, t) * mask.sum() / 2, -logs.sum() / 2)  # temporal_softmax_loss
    differ(loss.forward(scores, t), -logs.sum() / 2, 1.0)
    right = (softmax(scores) - np.eye(5)[t]) * mask[..., np.newaxis] / mask.sum()
    same(loss.backward(), right)


def test_where_nothing_counts_the_loss_is_0_and_in_book_2_not_a_number(rng):
    loss = SoftmaxWithLoss(ignore_index=-1)
    assert loss.forward(rng.standard_normal((2, 3, 4)), np.full((2, 3), -1)) == 0
    assert not loss.backward().any()
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.float64(0.0) / np.sum([False]))  # their loss /= mask.sum()


def test_dropout_in_time_is_our_dropout(rng):
    """Book 2's TimeDropout divides in training, unlike book 1's Dropout."""
    Y = Dropout(0.5, rng=0).forward(np.ones((3, 4, 50)))
    same(np.unique(Y), [0, 2])


def test_batches_of_streams_are_those_of_book_2():
    """Row i begins at i · (number of words // batch size), and goes on from batch to batch."""
    words, length, n_rows = np.arange(240), 4, 3
    windows, batches = words.reshape(-1, length), Streams(240 // length, n_rows)
    starts = np.arange(n_rows) * (240 // n_rows)
    for k in range(5):
        expected = words[(starts + k * length)[:, np.newaxis] + np.arange(length)]
        np.testing.assert_array_equal(windows[next(batches)], expected)


def test_a_shared_table_is_one_parameter_whose_gradients_add_up(rng):
    """Book 2's Trainer looks for arrays that are the same object and adds their gradients."""
    table = Embedding(6, 4, **OF_WEIGHTS)
    scores = Affine(4, 6, tied=table.W, **OF_WEIGHTS)
    net = Sequential({"table": table, "scores": scores}, SoftmaxWithLoss())
    words, t = rng.integers(0, 6, (3, 2)), rng.integers(0, 6, (3, 2))
    assert list(net.parameters()) == ["table.W", "scores.b"]

    def loss(W):
        table.W.data = W
        return net.loss(words, t)

    W = table.W.data.copy()
    expected = numeric_gradient(loss, W.copy())
    table.W.data = W
    np.testing.assert_allclose(net.gradient(words, t)["table.W"], expected, atol=1e-7)


def test_attention_of_book_2_has_neither_scale_nor_projections(rng):
    """Σₛ softmax(h · hₛ) hₛ: ours with projections that do nothing, and √d more in the queries."""
    hs, h = rng.standard_normal((2, 5, 4)), rng.standard_normal((2, 3, 4))
    book = softmax(h @ hs.transpose(0, 2, 1)) @ hs
    layer, one = MultiHeadAttention(4, 1, cross=True, **OF_WEIGHTS), np.eye(4)
    layer.W.data, layer.W_out.data = np.concatenate([one, one, one], axis=1), one
    differ(layer.forward(h, hs), book, 0.01)
    layer.W.data = np.concatenate([2 * one, one, one], axis=1)
    same(layer.forward(h, hs), book)


def test_positions_are_those_of_the_course(rng):
    """Its PositionalEncoding has a dropout inside; ours stands beside it."""
    X = np.zeros((1, 6, 8))
    i, j = np.arange(6)[:, np.newaxis], np.arange(0, 8, 2)
    expected = np.empty((6, 8))
    expected[:, 0::2], expected[:, 1::2] = np.sin(i / 1e4 ** (j / 8)), np.cos(i / 1e4 ** (j / 8))
    same(PositionalEncoding(8).forward(X)[0], expected)


def test_the_yes_or_no_loss_of_book_2_has_1e_7_too(rng):
    s, t = rng.standard_normal(6), rng.integers(0, 2, 6)
    p = np.where(t == 1, sigmoid(s), 1 - sigmoid(s))
    found = SigmoidWithLoss().forward(s[:, np.newaxis], t)
    same(found, -np.log(p).mean())
    differ(found, -np.log(p + 1e-7).mean(), 1e-8)


def test_answers_are_padded_with_what_does_not_count():
    """Book 2 fills up with blanks, which are learned and count in its loss and accuracy."""
    data = Additions(n_train=20, n_test=5, n_validation=5)
    (_, so_far), t = data.train[:20]
    pad = data.task.ignore_index
    assert (t == pad).any()
    scores = np.random.default_rng(0).standard_normal((*t.shape, len(data.task.vocabulary)))
    loss = SoftmaxWithLoss(ignore_index=pad)
    found = loss.forward(scores, t)
    assert loss.weight == (t != pad).sum() < t.size
    differ(found, SoftmaxWithLoss().forward(scores, t), 1e-6)
    assert so_far.shape == t.shape


# micrograd -------------------------------------------------------------------------------------


def test_the_example_of_micrograd():
    """The expression of its README, with the numbers printed there."""

    def g(a, b):
        c = 2 * (a + b) + 1
        c = 1 + 2 * c - a
        d = 3 * (a * b + b**3) + np.maximum(b + a, 0.0)
        d = 4 * d + np.maximum(b - a, 0.0)
        f = (c - d) ** 2
        return f / 2.0 + 10.0 / f

    value, (da, db) = value_and_grad(g, (0, 1))(-4.0, 2.0)
    assert [round(float(x), 4) for x in (value, da, db)] == [24.7041, 138.8338, 645.5773]


def test_a_neuron_of_micrograd_is_affine_and_relu(rng):
    x, w, b = rng.standard_normal(3), rng.uniform(-1, 1, 3), 0.3
    net = Sequential({"a": Affine(3, 1, **OF_WEIGHTS), "relu": Relu()})
    net.layers["a"].W.data, net.layers["a"].b.data = w[:, np.newaxis], np.array([b])
    same(net.forward(x[np.newaxis]), [[max(sum(w * x) + b, 0.0)]])
    drawn = Affine(300, 5, init=make_initializer("uniform", limit=1.0), rng=0).W.data
    assert (drawn.min(), drawn.max()) == pytest.approx((-1, 1), abs=0.01)


def test_gradients_add_up_until_they_are_cleared(rng):
    """As Value.grad; net.gradient clears them first, net.backward does not."""
    X, t = rng.standard_normal((4, 3)), rng.integers(0, 2, 4)
    net = Sequential({"a": Affine(3, 2, **OF_WEIGHTS)}, SoftmaxWithLoss())
    once = net.gradient(X, t)["a.W"].copy()
    net.loss(X, t)
    net.backward()
    same(net.layers["a"].W.grad, 2 * once)
    same(net.gradient(X, t)["a.W"], once)


# The page --------------------------------------------------------------------------------------

PAGE = (Path(__file__).parent.parent / "docs" / "books.md").read_text(encoding="utf-8")


def test_the_page_names_every_test_of_this_file_and_no_other():
    there = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    named = re.findall(r"^\|[^|]+\|[^|]+\| `(\w+)` \|$", PAGE, re.MULTILINE)
    assert set(named) == {name for name in there if not name.startswith("the_page")}


def test_the_page_names_what_there_is():
    """Every class of ours in its tables of two columns."""
    rooms = ("layers", "nets", "optimizers", "datasets", "training.trainer", "autodiff")
    there = {name for room in rooms for name in dir(importlib.import_module(f"lamina.{room}"))}
    rows = re.findall(r"^\|([^|]+)\|([^|]+)\|$", PAGE, re.MULTILINE)
    classes = {name for _, cell in rows for name in re.findall(r"`([A-Z]\w+)", cell)}
    assert len(classes) > 40
    assert classes - there == set()

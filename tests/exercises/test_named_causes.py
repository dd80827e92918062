"""More mistakes of learners, each with the words that name its cause.

What is right here was written from the form of the exercise alone, without a look at the project's
own."""

import inspect
import itertools
import re
import textwrap

import pytest
from filled import marked, own_file
from test_wrong_solutions import MOMENTUM

from lamina import optimizers
from lamina.exercises import layer_marks, optimizer_marks
from lamina.exercises.catalogue import exercise, exercises
from lamina.exercises.one_change import first_that
from lamina.optimizers import Optimizer

BATCH_NORMALIZATION = {
    "forward": """
        axes = (0, *range(2, X.ndim))
        shape = (1, -1) + (1,) * (X.ndim - 2)
        m = X.size // X.shape[1]
        self.output_shape(X.shape[1:])
        self.batch = self.training and not self.is_frozen()
        if self.batch:
            if m < 2:
                raise ValueError("BatchNormalization: one value per channel")
            mean = X.mean(axis=axes)
            var = ((X - mean.reshape(shape)) ** 2).mean(axis=axes)
            keep = self.momentum
            self.running_mean.update(keep * self.running_mean.data + (1 - keep) * mean)
            self.running_var.update(keep * self.running_var.data + (1 - keep) * var * (m / (m - 1)))
        else:
            mean, var = self.running_mean.data, self.running_var.data
        self.inv = (1 / np.sqrt(var + self.eps)).reshape(shape)
        self.x_hat = (X - mean.reshape(shape)) * self.inv
        self.axes, self.shape, self.m = axes, shape, m
        return self.gamma.data.reshape(shape) * self.x_hat + self.beta.data.reshape(shape)
        """,
    "backward": """
        dgamma = (dout * self.x_hat).sum(axis=self.axes)
        dbeta = dout.sum(axis=self.axes)
        self.gamma.accumulate(dgamma)
        self.beta.accumulate(dbeta)
        g = self.gamma.data.reshape(self.shape) * self.inv
        if not self.batch:
            return g * dout
        dgamma, dbeta = dgamma.reshape(self.shape), dbeta.reshape(self.shape)
        return g * (dout - dbeta / self.m - self.x_hat * dgamma / self.m)
        """,
}
MAX_POOLING = {
    "forward": """
        self.windows.over(X)
        (KH, KW), (sh, sw) = self.windows.kernel, self.windows.stride
        ph, pw = self.windows.padding
        N, C, H, W = X.shape
        _, OH, OW = self.windows.output_shape(X.shape[1:])
        bottom, right = max((OH - 1) * sh + KH - H - ph, 0), max((OW - 1) * sw + KW - W - pw, 0)
        P = np.pad(X, ((0, 0), (0, 0), (ph, bottom), (pw, right)), constant_values=-np.inf)
        Y, self.at = None, None
        for k in range(KH):
            for l in range(KW):
                part = P[:, :, k : k + (OH - 1) * sh + 1 : sh, l : l + (OW - 1) * sw + 1 : sw]
                if Y is None:
                    Y, at = part, np.zeros(part.shape, int)
                else:
                    at = np.where(part > Y, k * KW + l, at)
                    Y = np.maximum(Y, part)
        self.at, self.size, self.shape = at, P.shape, X.shape
        return Y
        """,
    "backward": """
        (KH, KW), (sh, sw) = self.windows.kernel, self.windows.stride
        ph, pw = self.windows.padding
        dP = np.zeros(self.size, dout.dtype, like=dout)
        _, _, OH, OW = dout.shape
        for k in range(KH):
            for l in range(KW):
                rows = slice(k, k + (OH - 1) * sh + 1, sh)
                columns = slice(l, l + (OW - 1) * sw + 1, sw)
                dP[:, :, rows, columns] += dout * (self.at == k * KW + l)
        H, W = self.shape[2:]
        return dP[:, :, ph : ph + H, pw : pw + W]
        """,
}
GRU = {
    "forward": """
        (h,) = self.begin(X, h0)
        self.n_given = 0 if h0 is None else 1
        x = with_ones(self.in_time(X))
        T, N, _ = x.shape
        H = self.n_hidden
        if h is None:
            h = np.zeros((N, H), X.dtype, like=X)
        W = np.concatenate([self.Wx.data, self.b.data[np.newaxis]])
        hs, self.r, self.z, self.n, self.q = [h], [], [], [], []
        for t in range(T):
            a, p = x[t] @ W, h @ self.Wh.data
            r, z = sigmoid(a[:, :H] + p[:, :H]), sigmoid(a[:, H:2*H] + p[:, H:2*H])
            q = p[:, 2*H:] + self.bh.data
            n = np.tanh(a[:, 2*H:] + r * q)
            h = (1 - z) * n + z * h
            hs.append(h)
            for held, value in ((self.r, r), (self.z, z), (self.n, n), (self.q, q)):
                held.append(value)
        self.X, self.h = x, np.stack(hs)
        self.carry(h)
        return self.output(self.h[1:])
        """,
    "backward": """
        T = len(self.X)
        if self.last_only:
            d = [None] * (T - 1) + [dout]
        else:
            d = list(self.in_time(dout))
        dA, dQ = [None] * T, [None] * T
        dh = 0.0
        for t in reversed(range(T)):
            dh = dh if d[t] is None else dh + d[t]
            r, z, n, q, before = self.r[t], self.z[t], self.n[t], self.q[t], self.h[t]
            dn = dh * (1 - z) * (1 - n * n)
            dq = dn * r
            dr = dn * q * r * (1 - r)
            dz = dh * (before - n) * z * (1 - z)
            dA[t] = np.concatenate([dr, dz, dn], axis=1)
            dQ[t] = np.concatenate([dr, dz, dq], axis=1)
            dh = dh * z + dQ[t] @ self.Wh.data.T
        dA, dQ = np.stack(dA), np.stack(dQ)
        self.bh.accumulate(dQ[:, :, 2 * self.n_hidden :].sum(axis=(0, 1)))
        return self.finish(dA, dQ, dh)
        """,
}
SEQUENTIAL = {
    "backward": """
        if self._last_pass == "forward" and dout is None:
            raise TypeError("Sequential: backward after forward needs dout")
        names = list(self.layers)
        lowest = 0
        if not self.needs_dX:
            learns = [
                any(p.trainable for p in layer.parameters().values())
                for layer in self.layers.values()
            ]
            lowest = learns.index(True) if any(learns) else len(names)
        self._refuse_wrong_backward(names[lowest:])
        if self._last_pass == "loss":
            head = self.heads["loss"]
            dout = head.loss.backward((1.0 if dout is None else dout) * head.weight)
            check_of_scores(head.loss, dout)
        self._use_pass()
        for i in reversed(range(lowest, len(names))):
            layer = self.layers[names[i]]
            before = layer.needs_dX
            layer.needs_dX = self.needs_dX or i > lowest
            try:
                try:
                    dX = layer.backward(dout)
                except Exception as error:
                    error.add_note(f"in backward of {place_of(names[i], layer)}")
                    raise
            finally:
                layer.needs_dX = before
            if i > lowest:
                below = place_of(names[i - 1], self.layers[names[i - 1]])
                check_gradient(place_of(names[i], layer), dX, self._shapes[i], below)
            dout = dX
        return dout if self.needs_dX else None
        """,
}
ADAM = {
    "update": """
        m, v = kept["mean"], kept["squares"]
        m += (1 - self.beta1) * (gradient - m)
        v += (1 - self.beta2) * (gradient * gradient - v)
        m_hat = m / (1 - self.beta1**self.steps)
        v_hat = v / (1 - self.beta2**self.steps)
        param.data -= lr * m_hat / (np.sqrt(v_hat) + self.eps)
        """,
}
TRAINER = {
    "step": """
        self.optimizer.zero_grad()
        loss = self._one_batch() if self.accumulate == 1 else self._several_batches()
        self.watch.gradients(self)
        self.optimizer.step()
        self.iteration += 1
        return loss
        """,
}
GLOBAL_AVERAGE_POOLING = {
    "forward": """
        self.shape = X.shape
        return X.mean(axis=(2, 3))
        """,
    "backward": """
        N, C, H, W = self.shape
        return np.broadcast_to(dout[:, :, np.newaxis, np.newaxis] / (H * W), self.shape).copy()
        """,
}
P_RELU = {
    "forward": """
        self.X = X
        several = self.a.data.size > 1
        a = self.a.data.reshape(-1, *(1,) * (X.ndim - 2)) if several else self.a.data[0]
        self.shaped = a
        return np.maximum(X, 0) + a * np.minimum(X, 0)
        """,
    "backward": """
        neg = np.minimum(self.X, 0) * dout
        axes = (0, *range(2, self.X.ndim))
        da = neg.sum(axis=axes) if self.a.data.size > 1 else neg.sum().reshape(1)
        self.a.accumulate(da)
        return np.where(self.X > 0, dout, self.shaped * dout)
        """,
}
EMBEDDING = {
    "forward": """
        self.i = X
        return self.W.data[X]
        """,
    "backward": """
        d = np.zeros_like(self.W.data)
        np.add.at(d, self.i, dout)
        self.W.accumulate(d)
        return None
        """,
}
LEAKY_RELU = {
    "forward": """
        self.m = X > 0
        return np.where(self.m, X, self.slope * X)
        """,
    "backward": """
        return np.where(self.m, dout, self.slope * dout)
        """,
}
R_M_S_PROP = {
    "update": """
        h = kept['squares']
        h *= self.rho
        h += (1 - self.rho) * gradient * gradient
        param.data -= lr * gradient / (np.sqrt(h) + self.eps)
        """,
}
HUBER_LOSS = {
    "forward": """
        d = self.error(y, targets)
        self.d = d
        a = np.abs(d)
        near, far = 0.5 * d * d, self.delta * (a - 0.5 * self.delta)
        return np.where(a <= self.delta, near, far).sum() * self.scale(self.weight)
        """,
    "backward": """
        return np.clip(self.d, -self.delta, self.delta) * (self.scale(self.weight) * dout)
        """,
}
ELU = {
    "forward": """
        self.Y = np.where(X > 0, X, self.alpha * np.expm1(np.minimum(X, 0)))
        self.m = X > 0
        return self.Y
        """,
    "backward": """
        return np.where(self.m, dout, dout * (self.Y + self.alpha))
        """,
}
SOLVED = {
    "BatchNormalization": BATCH_NORMALIZATION,
    "MaxPooling": MAX_POOLING,
    "Gru": GRU,
    "Sequential": SEQUENTIAL,
    "Adam": ADAM,
    "Trainer": TRAINER,
    "GlobalAveragePooling": GLOBAL_AVERAGE_POOLING,
    "PRelu": P_RELU,
    "Embedding": EMBEDDING,
    "LeakyRelu": LEAKY_RELU,
    "RMSProp": R_M_S_PROP,
    "HuberLoss": HUBER_LOSS,
    "Elu": ELU,
}
RIGHT = {
    name: {gap: textwrap.dedent(body).strip() for gap, body in bodies.items()}
    for name, bodies in SOLVED.items()
}

# (what, exercise, [(right piece, wrong piece)], the array that is named, words of the explanation)
WRONG = [
    (
        "eps outside root",
        "BatchNormalization",
        [("1 / np.sqrt(var + self.eps)", "1 / (np.sqrt(var) + self.eps)")],
        "Y",
        "eps stands outside of the root",
    ),
    (
        "missing gamma accumulate",
        "BatchNormalization",
        [("self.gamma.accumulate(dgamma)\n", "")],
        "gamma.grad",
        "never calls self.gamma.accumulate",
    ),
    (
        "biased running var",
        "BatchNormalization",
        [(" * (m / (m - 1))", "")],
        "running_var",
        "a variance of m = \\d+ values is divided by m - 1, and here by m",
    ),
    (
        "unbiased var in norm",
        "BatchNormalization",
        [
            ("** 2).mean(axis=axes)", "** 2).sum(axis=axes) / (m - 1)"),
            ("var * (m / (m - 1))", "var"),
        ],
        "Y",
        "divided by n - 1 where n is asked for",
    ),
    (
        "momentum swapped",
        "BatchNormalization",
        [("keep = self.momentum", "keep = 1 - self.momentum")],
        "running_mean",
        "momentum and 1 - momentum are exchanged",
    ),
    (
        "no evaluation",
        "BatchNormalization",
        [("self.batch = self.training and not self.is_frozen()", "self.batch = True")],
        "Y",
        "look at self.training",
    ),
    (
        "not frozen",
        "BatchNormalization",
        [("self.training and not self.is_frozen()", "self.training")],
        "Y",
        "look at self.is_frozen",
    ),
    (
        "eval backward as in training",
        "BatchNormalization",
        [("if not self.batch:\n    return g * dout\n", "")],
        "dX",
        "right in training: in evaluation",
    ),
    (
        "running set not update",
        "BatchNormalization",
        [
            (
                "self.running_mean.update(keep * self.running_mean.data + (1 - keep) * mean)",
                "self.running_mean = keep * self.running_mean.data + (1 - keep) * mean",
            )
        ],
        "running_mean",
        "self.running_mean.update\\(value\\)",
    ),
    (
        "gamma forgotten in dX",
        "BatchNormalization",
        [("g = self.gamma.data.reshape(self.shape) * self.inv", "g = self.inv")],
        "dX",
        "a factor is missing: gamma",
    ),
    (
        "beta keepdims",
        "BatchNormalization",
        [("dbeta = dout.sum(axis=self.axes)", "dbeta = dout.sum(axis=self.axes, keepdims=True)")],
        "beta.grad",
        "keepdims=True leaves axes of length 1",
    ),
    ("pad 0", "MaxPooling", [(", constant_values=-np.inf", "")], "Y", "fill it with -inf"),
    (
        "uncut padding",
        "MaxPooling",
        [("return dP[:, :, ph : ph + H, pw : pw + W]", "return dP")],
        "dX",
        "is to be cut off again",
    ),
    (
        "sets not adds",
        "MaxPooling",
        [(" += dout *", " = dout *")],
        "dX",
        "set where it is to be added to",
    ),
    ("no mask", "MaxPooling", [(" * (self.at == k * KW + l)", "")], "dX", "a forgotten mask"),
    (
        "min",
        "MaxPooling",
        [
            ("np.maximum(Y, part)", "np.minimum(Y, part)"),
            ("part > Y", "part < Y"),
            ("-np.inf", "np.inf"),
        ],
        "Y",
        "the smallest where the largest is asked for",
    ),
    (
        "mean",
        "MaxPooling",
        [("Y = np.maximum(Y, part)", "Y = Y + part"), ("return Y", "return Y / (KH * KW)")],
        "Y",
        "an inf of your own",
    ),
    ("forgot return", "MaxPooling", [("return Y", "Y")], "Y", "return the output"),
    ("carry forgotten", "Gru", [("self.carry(h)\n", "")], "carried.h0", "never moved|never moves"),
    (
        "bh missing",
        "Gru",
        [("self.bh.accumulate(dQ[:, :, 2 * self.n_hidden :].sum(axis=(0, 1)))\n", "")],
        "bh.grad",
        "never calls self.bh.accumulate",
    ),
    (
        "bh bias left out fwd",
        "Gru",
        [("p[:, 2*H:] + self.bh.data", "p[:, 2*H:]")],
        "bh.grad",
        "does your forward use it",
    ),
    (
        "no correction",
        "Adam",
        [("m / (1 - self.beta1**self.steps)", "m"), ("v / (1 - self.beta2**self.steps)", "v")],
        "w",
        "never corrected for the start at zero",
    ),
    (
        "eps inside root",
        "Adam",
        [("(np.sqrt(v_hat) + self.eps)", "np.sqrt(v_hat + self.eps)")],
        "w",
        "eps stands under the root",
    ),
    (
        "t off by one",
        "Adam",
        [("**self.steps", "**(self.steps + 1)")],
        "w",
        "the count of steps is one too large",
    ),
    (
        "no root",
        "Adam",
        [("(np.sqrt(v_hat) + self.eps)", "(v_hat + self.eps)")],
        "w",
        "the square root is missing",
    ),
    (
        "betas swapped",
        "Adam",
        [("self.beta1", "self.betaX"), ("self.beta2", "self.beta1"), ("self.betaX", "self.beta2")],
        "w",
        "beta1 and beta2 are exchanged",
    ),
    ("self.lr", "Adam", [("lr * m_hat", "self.lr * m_hat")], "v", "not self.lr"),
    (
        "eps without corr (tf)",
        "Adam",
        [
            (
                "m_hat / (np.sqrt(v_hat) + self.eps)",
                "m_hat * math.sqrt(1 - self.beta2**self.steps) / (np.sqrt(v) + self.eps)",
            )
        ],
        "w",
        "on the other side of the correction",
    ),
    (
        "1-b1 missing",
        "Adam",
        [("m += (1 - self.beta1) * (gradient - m)", "m *= self.beta1\nm += gradient")],
        "w",
        "the factor 1 - beta1 is missing",
    ),
    (
        "dampened",
        "Momentum",
        [("v -= lr * gradient", "v -= (1 - self.momentum) * lr * gradient")],
        "w",
        "multiplied by 1 - momentum",
    ),
    (
        "rate at end",
        "Momentum",
        [("v -= lr * gradient", "v -= gradient"), ("param.data += v", "param.data += lr * v")],
        "w",
        "lr is a factor of what is remembered",
    ),
    (
        "nesterov",
        "Momentum",
        [("param.data += v", "param.data += self.momentum * v - lr * gradient")],
        "w",
        "it is the rule of Nesterov",
    ),
    (
        "ignores dout",
        "Sequential",
        [
            (
                "dout = head.loss.backward((1.0 if dout is None else dout) * head.weight)",
                "dout = head.loss.backward()",
            )
        ],
        "dX",
        "dout is one of the loss",
    ),
    ("no use pass", "Sequential", [("self._use_pass()\n", "")], "backward", "goes back twice"),
    (
        "one batch",
        "Trainer",
        [("if self.accumulate == 1 else self._several_batches()", "")],
        "loss",
        "a step is of several batches",
    ),
    ("no zero", "Trainer", [("self.optimizer.zero_grad()\n", "")], "affine1.W", "zero_grad"),
    (
        "keepdims",
        "GlobalAveragePooling",
        [("axis=(2, 3)", "axis=(2, 3), keepdims=True")],
        "Y",
        "axes of length 1 too many",
    ),
    (
        "batch too",
        "GlobalAveragePooling",
        [("X.mean(axis=(2, 3))", "X.mean(axis=(0, 2, 3))")],
        "Y",
        "summed over an axis that should stay",
    ),
    (
        "integer div",
        "GlobalAveragePooling",
        [("/ (H * W)", "// (H * W)")],
        "dX",
        "whole numbers alone",
    ),
    (
        "da sum all",
        "PRelu",
        [
            (
                "neg.sum(axis=axes) if self.a.data.size > 1 else neg.sum().reshape(1)",
                "np.full_like(self.a.data, neg.sum())",
            )
        ],
        "a.grad",
        "a sum over too many axes",
    ),
    (
        "set not add",
        "Embedding",
        [("np.add.at(d, self.i, dout)", "d[self.i] += dout")],
        "W.grad",
        "np.add.at\\(d, i, dout\\)",
    ),
    (
        "1 for slope",
        "LeakyRelu",
        [("dout, self.slope * dout", "dout, dout")],
        "dX",
        "the local derivative is missing",
    ),
    (
        "rho swapped",
        "RMSProp",
        [("h *= self.rho\nh += (1 - self.rho)", "h *= 1 - self.rho\nh += self.rho")],
        "w",
        "as if self.rho were 1 minus it",
    ),
    (
        "eps in",
        "RMSProp",
        [("(np.sqrt(h) + self.eps)", "np.sqrt(h + self.eps)")],
        "w",
        "eps stands under the root",
    ),
    (
        "no clip",
        "HuberLoss",
        [("np.clip(self.d, -self.delta, self.delta)", "self.d")],
        "dy",
        "clip is missing",
    ),
    ("Y+1", "Elu", [("self.Y + self.alpha", "self.Y + 1")], "dX", "alpha is left out in one place"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_what_was_written_from_the_form_alone_is_right(name, tmp_path):
    mark = marked(tmp_path, name, RIGHT[name])
    assert mark.total == 100, str(mark)


@pytest.mark.often(3)
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[1]}: {wrong[0]}")
def test_the_true_cause_is_named(wrong, tmp_path):
    _, name, changes, array, words = wrong
    bodies = RIGHT.get(name, MOMENTUM)
    for right_piece, wrong_piece in changes:
        assert any(right_piece in body for body in bodies.values())
        bodies = {n: body.replace(right_piece, wrong_piece) for n, body in bodies.items()}
    mark = marked(tmp_path, name, bodies)
    assert mark.total < 100
    said = [f.message for p in mark.parts for f in p.failures if f.array == array]
    assert any(re.search(words, message) for message in said), str(mark)
    assert ".py, line" not in str(mark).replace("own.py, line", "")  # none of the marker's own


def test_no_mistake_turns_the_numbers_of_a_trial_into_each_other():
    """With a rate of 0.1, 1 - 0.9 is taken for a rate too much."""
    falling = optimizer_marks._falling
    rates = {optimizer_marks.RATE * falling(n) for n in range(optimizer_marks.STEPS)}
    rates |= {rate * optimizer_marks.RATE_OF_V for rate in rates}
    for cls in vars(optimizers).values():
        if not (isinstance(cls, type) and issubclass(cls, Optimizer)):
            continue
        taken = inspect.signature(cls.__init__).parameters
        defaults = {n: taken[n].default for n in optimizer_marks.OTHERS if n in taken}
        for settings in optimizer_marks._settings(cls):
            made = {**defaults, **{n: v for n, v in settings.items() if n != "weight_decay"}}
            numbers = [*rates, optimizer_marks.DECAY, *made.values()]
            numbers += [1.0 - value for name, value in made.items() if name != "eps"]
            for a, b in itertools.combinations(numbers, 2):
                assert abs(a / b - 1.0) > 0.01, (cls.__name__, settings, a, b)


def test_a_rule_that_cannot_be_tried_is_told_only_where_nothing_else_is(monkeypatch, tmp_path):
    """It raises in the marker's own files, which say nothing to a learner."""

    def a_rule(case, report, rng):
        raise ValueError("of the marker")

    monkeypatch.setattr(layer_marks, "ALL_RULES", (a_rule,))
    mark = marked(tmp_path, "Elu", RIGHT["Elu"])
    assert "cannot be tried: it raises ValueError: of the marker" in str(mark)
    assert "line" not in str(mark)
    wrong = {**RIGHT["Elu"], "backward": "return dout"}
    mark = marked(tmp_path, "Elu", wrong)
    assert "of the marker" not in str(mark)
    assert mark.parts[2].points == 20


def test_one_mistake_costs_points_once(tmp_path):
    """A gradient that is never added breaks no rules beside."""
    left_out = RIGHT["PRelu"]["backward"].replace("self.a.accumulate(da)", "")
    mark = marked(tmp_path, "PRelu", {**RIGHT["PRelu"], "backward": left_out})
    assert mark.named == ["a.grad"]
    assert mark.parts[2].counted == "no rule is broken"


def test_duals_are_explained_where_they_are_named(tmp_path):
    looped = "self.m = X > 0\nY = np.zeros(X.shape)\nY[...] = X\nreturn Y * self.m"
    mark = marked(tmp_path, "Relu", {"forward": looped, "backward": "return dout * self.m"})
    assert "does not run on duals, arrays that carry a derivative along: a Dual" in str(mark)


def test_a_form_without_step_is_not_marked_for_it():
    assert "def step" not in exercise("Gru").text("gru.py")
    assert "def step" in exercise("Gru").text("gru.py", ("backward",))
    own = own_file(exercise("Gru"))
    assert layer_marks.stepping.steps_are_the_whole in layer_marks._rules(own, own)


@pytest.mark.parametrize(
    ("name", "gap"),
    [
        (n, g)
        for n in ("Affine", "GroupNormalization", "Lstm", "HuberLoss", "AdaDelta", "Nesterov")
        for g in exercises()[n].gaps
    ],
)
def test_changes_run_and_have_words(name, gap):
    """None of them breaks the file that it is made from, and the right result has no cause."""
    target, seen = exercise(name).target, []
    assert first_that(target, gap, lambda cls: bool(seen.append(cls))) == ""
    assert len(seen) > 3
    assert all(cls.__name__ == target.__name__ and cls is not target for cls in seen)
    assert first_that(target, gap, lambda cls: True) != ""

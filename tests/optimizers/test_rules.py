"""Every update rule against its paper's formula in plain floats, and what the rules share."""

import itertools
import math

import numpy as np
import pytest

from lamina.layers import Param
from lamina.optimizers import (
    SGD,
    AdaDelta,
    AdaGrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
    make_schedule,
)

RULES = [SGD, Momentum, Nesterov, AdaGrad, AdaDelta, RMSProp, Adam, AdamW]
PLAIN = [rule for rule in RULES if rule is not AdamW]  # AdamW has its own kind of decay only
START = [1.0, -2.0]
GRADIENTS = [[0.5, -1.0], [-0.25, 2.0], [1.5, 0.125]]


def optimize(rule, start, gradients, dtype=np.float64, **settings):
    """The parameter after a step for each of the gradients, and its optimizer."""
    param = Param(np.array(start, dtype))
    optimizer = rule({"w": param}, **settings)
    for gradient in gradients:
        optimizer.zero_grad()
        param.accumulate(np.array(gradient, dtype))
        optimizer.step()
    return param, optimizer


# The formulas of the papers, for one number w and its gradients g.


def sgd(w, gradients, lr):
    for g in gradients:
        w = w - lr * g
    return w


def momentum(w, gradients, lr, momentum):
    v = 0.0
    for g in gradients:
        v = momentum * v - lr * g
        w = w + v
    return w


def nesterov(theta, gradients, lr, momentum):
    """Sutskever et al. 2013, equations 3 and 4: g is the gradient at theta + momentum v, and that
    point is the parameter of the class."""
    v = 0.0
    for g in gradients:
        v = momentum * v - lr * g
        theta = theta + v
    return theta + momentum * v


def ada_grad(w, gradients, lr, eps):
    total = 0.0
    for g in gradients:
        total += g**2
        w = w - lr * g / (math.sqrt(total) + eps)
    return w


def ada_delta(w, gradients, lr, rho, eps):
    """Zeiler 2012, algorithm 1: RMS[x] = √(E[x²] + ε)."""
    mean_g2 = mean_step2 = 0.0
    for g in gradients:
        mean_g2 = rho * mean_g2 + (1 - rho) * g**2
        step = -math.sqrt(mean_step2 + eps) / math.sqrt(mean_g2 + eps) * g
        mean_step2 = rho * mean_step2 + (1 - rho) * step**2
        w = w + lr * step
    return w


def rms_prop(w, gradients, lr, rho, eps):
    mean_g2 = 0.0
    for g in gradients:
        mean_g2 = rho * mean_g2 + (1 - rho) * g**2
        w = w - lr * g / (math.sqrt(mean_g2) + eps)
    return w


def adam_w(w, gradients, lr, beta1, beta2, eps, weight_decay):
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        w = w - lr * (m_hat / (math.sqrt(v_hat) + eps) + weight_decay * w)
    return w


def adam(w, gradients, lr, beta1, beta2, eps):
    return adam_w(w, gradients, lr, beta1, beta2, eps, weight_decay=0.0)


FORMULAS = [
    (SGD, sgd, {"lr": 0.1}),
    (Momentum, momentum, {"lr": 0.1, "momentum": 0.8}),
    (Nesterov, nesterov, {"lr": 0.1, "momentum": 0.8}),
    (AdaGrad, ada_grad, {"lr": 0.3, "eps": 0.01}),
    (AdaDelta, ada_delta, {"lr": 0.7, "rho": 0.9, "eps": 0.01}),
    (RMSProp, rms_prop, {"lr": 0.2, "rho": 0.8, "eps": 0.01}),
    (Adam, adam, {"lr": 0.2, "beta1": 0.8, "beta2": 0.95, "eps": 0.01}),
    (
        AdamW,
        adam_w,
        {"lr": 0.2, "beta1": 0.8, "beta2": 0.95, "eps": 0.01, "weight_decay": 0.1},
    ),
]


@pytest.mark.parametrize(("rule", "formula", "settings"), FORMULAS)
def test_three_steps_are_those_of_the_paper(rule, formula, settings):
    for n in (1, 2, 3):
        param, _ = optimize(rule, START, GRADIENTS[:n], **settings)
        expected = [formula(START[i], [g[i] for g in GRADIENTS[:n]], **settings) for i in (0, 1)]
        np.testing.assert_allclose(param.data, expected, rtol=1e-13)


@pytest.mark.parametrize(("rule", "formula", "settings"), FORMULAS)
def test_the_defaults_are_those_of_the_docstring(rule, formula, settings):
    defaults = {
        Momentum: {"lr": 0.1, "momentum": 0.9},
        Nesterov: {"lr": 0.1, "momentum": 0.9},
        AdaGrad: {"lr": 0.01, "eps": 1e-10},
        AdaDelta: {"lr": 1.0, "rho": 0.95, "eps": 1e-6},
        RMSProp: {"lr": 0.001, "rho": 0.9, "eps": 1e-8},
        Adam: {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        AdamW: {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.01},
    }.get(rule, {"lr": 0.1})
    given = {"lr": 0.1} if rule in (SGD, Momentum, Nesterov) else {}
    param, _ = optimize(rule, START, GRADIENTS, **given)
    expected = [formula(START[i], [g[i] for g in GRADIENTS], **defaults) for i in (0, 1)]
    np.testing.assert_allclose(param.data, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("rule", "settings", "expected"),
    [
        # v = -0.1, -0.15, -0.175
        (Momentum, {"momentum": 0.5}, [0.9, 0.75, 0.575]),
        # ahead of it by v / 2: 0.9 - 0.05, 0.75 - 0.075, 0.575 - 0.0875
        (Nesterov, {"momentum": 0.5}, [0.85, 0.675, 0.4875]),
        # h = 1, 2, 3
        (AdaGrad, {}, [0.9, 0.9 - 0.1 / 2**0.5, 0.9 - 0.1 / 2**0.5 - 0.1 / 3**0.5]),
        # the corrected means of a constant gradient 1 are 1 from the first step on
        (Adam, {}, [0.9, 0.8, 0.7]),
    ],
)
def test_a_constant_gradient_of_1_by_hand(rule, settings, expected):
    got = [optimize(rule, [1.0], [[1.0]] * n, lr=0.1, **settings)[0].data[0] for n in (1, 2, 3)]
    assert got == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("clip_norm", [None, 0.5])
def test_float32_stays_float32_and_the_gradient_as_it_is(rule, clip_norm):
    param = Param(np.array(START, np.float32))
    schedule = make_schedule("cosine", max_steps=9, lowest=0.1)
    optimizer = rule({"w": param}, lr=0.1, weight_decay=0.1, clip_norm=clip_norm, schedule=schedule)
    for values in GRADIENTS:
        optimizer.zero_grad()
        gradient = np.array(values, np.float32)
        param.accumulate(gradient)
        optimizer.step()
        assert gradient.tolist() == values
        assert param.grad is gradient
    assert param.data.dtype == np.float32
    assert set(optimizer.kept.get("w", {})) == set(rule.keeps)
    assert {array.dtype for array in optimizer.kept.get("w", {}).values()} <= {np.dtype("f4")}


@pytest.mark.parametrize("rule", RULES)
def test_what_has_no_gradient_or_is_frozen_stays(rule):
    without, frozen = Param(np.ones(2)), Param(np.ones(2))
    frozen.accumulate(np.ones(2))
    frozen.trainable = False
    optimizer = rule({"a": without, "b": frozen}, lr=1.0, weight_decay=0.5)
    optimizer.step()
    assert without.data.tolist() == frozen.data.tolist() == [1.0, 1.0]
    assert optimizer.kept == {}


# Saved state.


def two_parameters(rng, dtype=np.float32):
    return {
        "W": Param(rng.standard_normal((3, 2)).astype(dtype)),
        "b": Param(rng.standard_normal(2).astype(dtype)),
    }


def steps(optimizer, n, rng):
    for _ in range(n):
        optimizer.zero_grad()
        for param in optimizer.parameters.values():
            param.accumulate(rng.standard_normal(param.data.shape).astype(param.data.dtype))
        optimizer.step()


def all_settings(rule, decay):
    kind = {} if rule is AdamW else {"decay": decay}
    schedule = make_schedule("step", gamma=0.5, step_size=2, warm_up=1)
    return {"lr": 0.1, "weight_decay": 0.1, "clip_norm": 1.0, "schedule": schedule, **kind}


@pytest.mark.parametrize(
    ("rule", "decay"),
    [(rule, decay) for rule in PLAIN for decay in ("l2", "l1", "decoupled")]
    + [(AdamW, "decoupled")],
)
def test_saved_after_three_steps_it_goes_on_to_the_bit(rule, decay):
    settings = all_settings(rule, decay)
    rng = np.random.default_rng(0)
    whole = rule(two_parameters(rng), **settings)
    steps(whole, 6, rng)

    rng = np.random.default_rng(0)
    first = rule(two_parameters(rng), **settings)
    steps(first, 3, rng)
    saved = first.state()
    parameters = {name: Param(param.data.copy()) for name, param in first.parameters.items()}
    second = rule(parameters, **settings)
    second.load_state(saved)
    steps(second, 3, rng)

    for name, param in whole.parameters.items():
        assert parameters[name].data.tobytes() == param.data.tobytes()
    assert second.steps == 6
    assert second.lr == whole.lr
    expected, got = whole.state(), second.state()
    assert list(got) == list(expected)
    for name, array in expected.items():
        assert got[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not SGD])
def test_the_state_decides_how_it_goes_on(rule):
    """Without it the next step would be another one: the test above could not fail otherwise."""
    param, optimizer = optimize(rule, START, GRADIENTS, lr=0.1)
    afresh, _ = optimize(rule, param.data.tolist(), GRADIENTS[:1], lr=0.1)
    param.grad = np.array(GRADIENTS[0])
    optimizer.step()
    assert (param.data != afresh.data).all()


def test_the_names_and_numbers_of_a_state():
    _, optimizer = optimize(Momentum, [1.0], [[1.0], [1.0]], lr=0.1, momentum=0.5)
    state = optimizer.state()
    assert list(state) == ["rule", "steps", "lr", "velocity/w"]
    assert int(state["steps"]) == 2
    np.testing.assert_allclose(state["velocity/w"], [-0.15])
    assert list(optimize(Adam, [1.0], [[1.0]])[1].state())[3:] == ["mean/w", "squares/w"]
    assert list(optimize(SGD, [1.0], [[1.0]], lr=0.1)[1].state()) == ["rule", "steps", "lr"]


def test_a_state_is_a_copy_both_ways():
    param, optimizer = optimize(Momentum, [1.0], [[1.0]], lr=0.1)
    saved = optimizer.state()
    optimizer.step()
    assert saved["velocity/w"] == -0.1
    optimizer.load_state(saved)
    param.grad = np.array([1.0])
    optimizer.step()
    assert saved["velocity/w"] == -0.1


@pytest.mark.parametrize(("rule", "other"), list(itertools.permutations(RULES, 2)))
def test_the_state_of_another_rule_is_refused_and_changes_nothing(rule, other):
    saved = optimize(rule, START, GRADIENTS, lr=0.1)[1].state()
    _, optimizer = optimize(other, START, GRADIENTS[:1], lr=0.1)
    before = optimizer.state()
    words = f"{other.__name__}: expects the state of {other.__name__}, got {rule.__name__}"
    with pytest.raises(ValueError, match=words):
        optimizer.load_state(saved)
    assert optimizer.steps == 1
    for name, array in optimizer.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_state_of_other_parameters_is_refused():
    saved = optimize(Momentum, START, GRADIENTS, lr=0.1)[1].state()
    with pytest.raises(ValueError, match="Momentum: the saved velocity/w does not belong here"):
        Momentum({"v": Param(np.ones(2))}, lr=0.1).load_state(saved)


RATE_0 = [
    ("cosine", {"max_steps": 2}),
    ("poly", {"max_steps": 2, "power": 1.0}),
    ("exp", {"gamma": 0.0}),
    ("exp", {"gamma": 1e-200}),  # underflows
    ("plateau", {"gamma": 0.0, "patience": 1}),
]


@pytest.mark.parametrize(("name", "settings"), RATE_0)
@pytest.mark.parametrize("rule", RULES)
def test_a_run_that_has_come_to_rate_0_goes_on(rule, name, settings):
    """Longer: with a schedule that ends later, or at rate 0."""
    rng = np.random.default_rng(0)
    first = rule(two_parameters(rng), lr=0.1, schedule=make_schedule(name, **settings))
    first.evaluated(0.5, True)
    first.evaluated(0.5, True)
    steps(first, 4, rng)
    assert first.lr == 0.0
    second = rule(two_parameters(rng), lr=0.1, schedule=make_schedule(name, **settings))
    second.load_state(first.state())
    assert (second.lr, second.steps) == (0.0, 4)
    assert {n: a.tobytes() for n, a in second.state().items()} == {
        n: a.tobytes() for n, a in first.state().items()
    }
    steps(second, 1, rng)
    assert second.lr == 0.0


@pytest.mark.parametrize("rate", [-1e-9, math.nan, math.inf])
def test_a_saved_rate_that_cannot_be_is_refused(rate):
    _, optimizer = optimize(SGD, START, GRADIENTS, lr=0.1)
    state = optimizer.state()
    optimizer.lr = 0.25
    with pytest.raises(ValueError, match=f"lr: expects a number from 0 .*, got {rate}"):
        optimizer.load_state(state | {"lr": np.array(rate)})
    assert optimizer.lr == 0.25


# The rate.


class Recorder(SGD):
    """Notes the rates that it is called with, and what `lr` says meanwhile."""

    def update(self, param, gradient, kept, lr):
        self.seen = [*getattr(self, "seen", []), (lr, self.lr)]
        super().update(param, gradient, kept, lr)


def test_a_rule_is_given_the_rate_of_the_parameter_and_lr_is_that_of_the_step():
    parameters = two_parameters(np.random.default_rng(0))
    parameters["b"].lr_mult = 2.0
    optimizer = Recorder(parameters, lr=0.5, schedule=make_schedule("exp", gamma=0.5))
    steps(optimizer, 2, np.random.default_rng(0))
    assert optimizer.seen == [(0.5, 0.5), (1.0, 0.5), (0.25, 0.25), (0.5, 0.25)]
    assert optimizer.lr == 0.25


def test_a_rule_that_fails_leaves_the_rate_as_it_is():
    parameters = two_parameters(np.random.default_rng(0))
    parameters["W"].lr_mult = 100.0
    optimizer = Optimizer(parameters, lr=0.5)
    with pytest.raises(NotImplementedError):
        steps(optimizer, 1, np.random.default_rng(0))
    assert optimizer.lr == 0.5


def test_a_rate_that_is_set_by_hand_stays_where_there_is_no_schedule():
    param, optimizer = optimize(SGD, [1.0], [[1.0]], lr=0.5)
    optimizer.lr = 0.25
    optimizer.step()
    assert param.data == 0.25
    assert optimizer.lr == 0.25


@pytest.mark.parametrize(("rule", "formula", "settings"), FORMULAS)
def test_a_single_number_is_a_parameter_too(rule, formula, settings):
    """Its sums and products are NumPy's scalars, into which nothing can be written."""
    for dtype, tolerance in ((np.float64, 1e-13), (np.float32, 1e-5)):
        param, _ = optimize(rule, 1.0, [0.5, -0.25, 1.5], dtype, **settings)
        assert param.data.shape == ()
        assert param.data.dtype == dtype
        assert param.data == pytest.approx(formula(1.0, [0.5, -0.25, 1.5], **settings), tolerance)


# Weight decay and clipping.


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        ("l2", [1.8, -3.9]),  # g = 1 + 2/2, 1 - 4/2
        ("l1", [1.85, -4.05]),  # g = 1 + 1/2, 1 - 1/2
        ("decoupled", [1.8, -3.9]),  # w = 0.95 w - 0.1: for SGD the same as l2
    ],
)
def test_weight_decay_with_sgd_by_hand(decay, expected):
    param, _ = optimize(SGD, [2.0, -4.0], [[1.0, 1.0]], lr=0.1, weight_decay=0.5, decay=decay)
    np.testing.assert_allclose(param.data, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        ("l2", [1.9, -3.9]),  # g = 2, -1
        ("l1", [1.9, -4.1]),  # g = 1.5, 0.5
        ("decoupled", [1.8, -3.9]),  # w = 1.9, -3.8 before the step; g = 1, 1
    ],
)
def test_weight_decay_with_a_rule_that_rescales_by_hand(decay, expected):
    """AdaGrad's first step is lr in the direction of g, so the three kinds differ."""
    param, _ = optimize(AdaGrad, [2.0, -4.0], [[1.0, 1.0]], lr=0.1, weight_decay=0.5, decay=decay)
    np.testing.assert_allclose(param.data, expected, rtol=1e-9)


def test_l2_is_the_default_and_no_decay_is():
    by_default, _ = optimize(AdaGrad, [2.0], [[1.0]], lr=0.1, weight_decay=0.5)
    l2, _ = optimize(AdaGrad, [2.0], [[1.0]], lr=0.1, weight_decay=0.5, decay="l2")
    assert by_default.data == l2.data
    assert optimize(SGD, [2.0], [[0.0]], lr=0.1)[0].data == 2.0


def test_l1_leaves_a_weight_of_0():
    param, _ = optimize(SGD, [0.0, 1.0], [[0.0, 0.0]], lr=0.1, weight_decay=0.5, decay="l1")
    assert param.data.tolist() == [0.0, 0.95]


def test_decoupled_decay_follows_the_schedule():
    """lr = 0.5, 0.25: w = 8 · (1 - 0.25) · (1 - 0.125)."""
    schedule = make_schedule("step", gamma=0.5, step_size=1)
    settings = {"lr": 0.5, "weight_decay": 0.5, "decay": "decoupled", "schedule": schedule}
    param, _ = optimize(SGD, [8.0], [[0.0], [0.0]], **settings)
    assert param.data == 5.25


def test_adam_w_decays_beside_the_step_and_adam_inside_it():
    """g = 0: Adam's step is lr · sign(λ w), whatever λ is; AdamW's is lr λ w."""
    settings = {"lr": 0.5, "weight_decay": 0.25, "eps": 1e-12}
    assert optimize(Adam, [4.0], [[0.0]], **settings)[0].data == pytest.approx([3.5])
    assert optimize(AdamW, [4.0], [[0.0]], **settings)[0].data == pytest.approx([3.5])
    assert optimize(Adam, [8.0], [[0.0]], **settings)[0].data == pytest.approx([7.5])
    assert optimize(AdamW, [8.0], [[0.0]], **settings)[0].data == pytest.approx([7.0])


def clipped(limit, a=(3.0,), b=(4.0,), frozen=None):
    """How far SGD with lr 1 moves two parameters with these gradients."""
    parameters = {"a": Param(np.zeros(len(a))), "b": Param(np.zeros(len(b)))}
    parameters["a"].accumulate(np.array(a))
    parameters["b"].accumulate(np.array(b))
    if frozen is not None:
        parameters["frozen"] = Param(np.zeros(1))
        parameters["frozen"].accumulate(np.array([frozen]))
        parameters["frozen"].trainable = False
    SGD(parameters, lr=1.0, clip_norm=limit).step()
    assert parameters["a"].grad.tolist() == list(a)
    assert parameters["b"].grad.tolist() == list(b)
    return [-x for name in ("a", "b") for x in parameters[name].data.tolist()]


def test_clipping_is_by_the_norm_over_all_parameters():
    """‖(3, 4)‖ = 5."""
    assert clipped(2.5) == [1.5, 2.0]
    assert clipped(5.0) == [3.0, 4.0]
    assert clipped(10.0) == [3.0, 4.0]
    assert clipped(None) == [3.0, 4.0]
    assert clipped(0.5) == pytest.approx([0.3, 0.4])


def test_clipping_counts_every_entry_and_no_frozen_parameter():
    """‖(2, 4, 4)‖ = 6."""
    assert clipped(3.0, a=(2.0, -4.0), b=(4.0,)) == [1.0, -2.0, 2.0]
    assert clipped(2.5, frozen=1000.0) == [1.5, 2.0]


def test_clipping_of_zero_gradients():
    assert clipped(1.0, a=(0.0,), b=(0.0,)) == [0.0, 0.0]


def test_clipping_comes_before_weight_decay():
    """g = (3, 4) / 5 + w = (1.6, 1.8)."""
    param, _ = optimize(SGD, [1.0, 1.0], [[3.0, 4.0]], lr=1.0, weight_decay=1.0, clip_norm=1.0)
    np.testing.assert_allclose(param.data, [-0.6, -0.8])


# Settings.


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("lr", value) for value in (0.0, -0.1, math.nan, math.inf, "0.1", None, True)),
        *(("weight_decay", value) for value in (-0.1, math.nan, math.inf, "0.1", None, True)),
        *(("clip_norm", value) for value in (0.0, -1.0, math.nan, math.inf, "1", False)),
    ],
)
def test_a_bad_setting_is_named(rule, name, value):
    with pytest.raises(ValueError, match=rf"^{name}: expects a .*number.*, got {value!r}"):
        rule({}, **{"lr": 0.1, name: value})


@pytest.mark.parametrize(
    ("rule", "name", "values"),
    [
        (Momentum, "momentum", (1.0, 1.5, -0.1, math.nan, "0.9", True)),
        (Nesterov, "momentum", (1.0, -0.1, None)),
        (AdaGrad, "eps", (0.0, -1e-8, math.inf, "1e-8")),
        (AdaDelta, "rho", (1.0, -0.1, math.nan)),
        (AdaDelta, "eps", (0.0, -1e-8)),
        (RMSProp, "rho", (1.0, -0.1, "0.9")),
        (RMSProp, "eps", (0.0, math.nan)),
        (Adam, "beta1", (1.0, -0.1, math.nan)),
        (Adam, "beta2", (1.0, -0.1, None)),
        (Adam, "eps", (0.0, -1e-8)),
        (AdamW, "beta1", (1.0,)),
        (AdamW, "beta2", (1.0,)),
        (AdamW, "eps", (0.0,)),
    ],
)
def test_a_bad_setting_of_a_rule_is_named(rule, name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name}: expects a .*number.*, got {value!r}"):
            rule({}, **{"lr": 0.1, name: value})


@pytest.mark.parametrize("rule", PLAIN)
@pytest.mark.parametrize("decay", ["L2", "", None, 2])
def test_an_unknown_decay_is_named(rule, decay):
    with pytest.raises(ValueError, match=r"^decay: expects one of l2, l1, decoupled, got"):
        rule({}, lr=0.1, decay=decay)


# Does it optimize?


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        (SGD, {"lr": 0.1}),
        (Momentum, {"lr": 0.02}),
        (Nesterov, {"lr": 0.02}),
        (AdaGrad, {"lr": 1.0}),
        (AdaDelta, {"lr": 1.0, "eps": 1e-3}),
        (RMSProp, {"lr": 0.02, "schedule": make_schedule("cosine", max_steps=600)}),
        (Adam, {"lr": 0.05}),
        (AdamW, {"lr": 0.05, "weight_decay": 0.0}),
    ],
)
def test_it_minimises_a_quadratic(rule, settings):
    """L = ½ Σ a (w - c)², ten times as steep along one axis as along the other."""
    a, c = np.array([1.0, 10.0]), np.array([3.0, -1.0])
    param = Param(np.zeros(2))
    optimizer = rule({"w": param}, **settings)
    for _ in range(600):
        optimizer.zero_grad()
        param.accumulate(a * (param.data - c))
        optimizer.step()
    np.testing.assert_allclose(param.data, c, atol=1e-3)


# Beside PyTorch.


@pytest.mark.needs_torch
@pytest.mark.parametrize(
    ("rule", "settings", "name", "theirs"),
    [
        (SGD, {"lr": 0.05}, "SGD", {"lr": 0.05}),
        (
            SGD,
            {"lr": 0.05, "weight_decay": 0.1},
            "SGD",
            {"lr": 0.05, "weight_decay": 0.1},
        ),
        # PyTorch keeps b = -v / lr; with a constant rate w goes the same way.
        (Momentum, {"lr": 0.05, "momentum": 0.8}, "SGD", {"lr": 0.05, "momentum": 0.8}),
        (
            Nesterov,
            {"lr": 0.05, "momentum": 0.8},
            "SGD",
            {"lr": 0.05, "momentum": 0.8, "nesterov": True},
        ),
        (AdaGrad, {"lr": 0.1, "eps": 1e-6}, "Adagrad", {"lr": 0.1, "eps": 1e-6}),
        (
            AdaDelta,
            {"rho": 0.9, "eps": 1e-4},
            "Adadelta",
            {"lr": 1.0, "rho": 0.9, "eps": 1e-4},
        ),
        (
            RMSProp,
            {"lr": 0.01, "rho": 0.95, "eps": 1e-6},
            "RMSprop",
            {"lr": 0.01, "alpha": 0.95, "eps": 1e-6},
        ),
        (
            Adam,
            {"lr": 0.05, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": 0.1},
            "Adam",
            {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1},
        ),
        (
            AdamW,
            {"lr": 0.05, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": 0.1},
            "AdamW",
            {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1},
        ),
    ],
)
def test_twenty_steps_are_those_of_pytorch(rule, settings, name, theirs):
    import torch

    rng = np.random.default_rng(0)
    start, a = rng.standard_normal((3, 4)), rng.uniform(0.5, 2.0, (3, 4))

    def gradient(w):
        """Of Σ a w² / 2 - cos w."""
        return a * w + np.sin(w)

    param = Param(start.copy())
    optimizer = rule({"w": param}, **settings)
    tensor = torch.nn.Parameter(torch.tensor(start.copy()))
    peer = getattr(torch.optim, name)([tensor], **theirs)
    for _ in range(20):
        optimizer.zero_grad()
        param.accumulate(gradient(param.data))
        optimizer.step()
        tensor.grad = torch.tensor(gradient(tensor.detach().numpy()))
        peer.step()
        np.testing.assert_allclose(param.data, tensor.detach().numpy(), rtol=0, atol=1e-10)
    assert (np.abs(param.data - start) > 1e-3).all()


@pytest.mark.needs_torch
@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clipping_is_that_of_pytorch(limit):
    import torch

    gradients = [np.array([3.0, -1.0]), np.array([[2.0], [0.5]])]
    tensors = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in gradients]
    parameters = {str(i): Param(np.zeros(g.shape)) for i, g in enumerate(gradients)}
    for g, tensor, param in zip(gradients, tensors, parameters.values(), strict=True):
        tensor.grad = torch.tensor(g)
        param.accumulate(g)
    torch.nn.utils.clip_grad_norm_(tensors, limit)
    SGD(parameters, lr=1.0, clip_norm=limit).step()
    for tensor, param in zip(tensors, parameters.values(), strict=True):
        np.testing.assert_allclose(-param.data, tensor.grad.numpy(), rtol=1e-5)  # theirs adds 1e-6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"velocity/w": np.zeros(5)}, r"expects float64 \(2,\), got float64 \(5,\)"),
        ({"velocity/w": np.zeros(2, "f4")}, r"expects float64 \(2,\), got float32 \(2,\)"),
        ({"velocity/other": np.zeros(2)}, "the saved velocity/other does not belong here"),
        ({"squares/w": np.zeros(2)}, "the saved squares/w does not belong here"),
    ],
)
def test_a_state_of_other_parameters_is_refused(change, words):
    _, optimizer = optimize(Momentum, START, GRADIENTS, lr=0.1)
    with pytest.raises(ValueError, match=words):
        optimizer.load_state(optimizer.state() | change)
    with pytest.raises(ValueError, match="Momentum: expects the state of Momentum, got None"):
        optimizer.load_state({})


def test_huge_float32_gradients_are_clipped_and_not_lost():
    param = Param(np.zeros(2, np.float32))
    param.accumulate(np.full(2, 1e20, np.float32))
    SGD({"w": param}, lr=1.0, clip_norm=1.0).step()
    np.testing.assert_allclose(param.data, -np.sqrt(0.5), rtol=1e-6)
    assert param.data.dtype == np.float32

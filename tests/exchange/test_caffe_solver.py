"""Solvers of Caffe as sections of a configuration: each rule and policy, and what is refused."""

import numpy as np
import pytest

from lamina import optimizers
from lamina.exchange.caffe_message import CaffeError
from lamina.exchange.caffe_solver import is_solver, net_of, optimizer_of, stages_of, training_of
from lamina.exchange.caffe_text import parse_text
from lamina.layers import Param
from lamina.optimizers.schedules import make_schedule

RATE = 'base_lr: 0.1 lr_policy: "fixed" max_iter: 30 '


def solver(text: str):
    return parse_text(text, "SolverParameter")


def steps(text: str, n: int = 5) -> list[float]:
    """One weight that begins at 1, with a gradient of 2 at each step."""
    given = optimizer_of(solver(text))
    cls = getattr(optimizers, given.pop("type"))
    schedule = make_schedule(**given.pop("schedule", {"type": "fixed"}))
    param = Param(np.ones(1))
    optimizer = cls({"w": param}, **given, schedule=schedule)
    found = []
    for _ in range(n):
        param.grad = np.full(1, 2.0)
        optimizer.step()
        found.append(float(param.data[0]))
    return found


def caffe(kind: str, n: int = 5, rate=0.1, m=0.9, m2=0.999, rho=0.99, delta=1e-8, decay=0.0):
    """The updates of Caffe's solvers, as its sources have them."""
    w, h, s = 1.0, 0.0, 0.0
    found = []
    for t in range(1, n + 1):
        g = 2.0 + decay * w
        if kind == "SGD":
            h = m * h + rate * g
            step = h
        elif kind == "Nesterov":
            before, h = h, m * h + rate * g
            step = (1 + m) * h - m * before
        elif kind == "AdaGrad":
            h += g * g
            step = rate * g / (h**0.5 + delta)
        elif kind == "RMSProp":
            h = rho * h + (1 - rho) * g * g
            step = rate * g / (h**0.5 + delta)
        elif kind == "AdaDelta":
            h = m * h + (1 - m) * g * g
            step = g * ((s + delta) / (h + delta)) ** 0.5
            s = m * s + (1 - m) * step * step
            step *= rate
        else:  # Adam
            s = m * s + (1 - m) * g
            h = m2 * h + (1 - m2) * g * g
            step = rate * (1 - m2**t) ** 0.5 / (1 - m**t) * s / (h**0.5 + delta)
        w -= step
        found.append(w)
    return found


@pytest.mark.parametrize("kind", ["SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam"])
def test_rules_move_weights_as_caffe_does(kind):
    momentum = "" if kind in ("AdaGrad", "RMSProp") else "momentum: 0.9 "
    text = f'{RATE}{momentum}type: "{kind}" weight_decay: 0.01'
    np.testing.assert_allclose(steps(text), caffe(kind, decay=0.01), rtol=1e-6)
    old = f"{RATE}{momentum}solver_type: {kind.upper()} weight_decay: 0.01"
    assert optimizer_of(solver(old)) == optimizer_of(solver(text))


def test_without_momentum():
    np.testing.assert_allclose(steps(RATE), caffe("SGD", m=0.0))
    assert optimizer_of(solver(RATE))["type"] == "SGD"


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ('lr_policy: "step" gamma: 0.5 stepsize: 10', lambda t: 0.5 ** (t // 10)),
        ('lr_policy: "exp" gamma: 0.9', lambda t: 0.9**t),
        ('lr_policy: "inv" gamma: 0.1 power: 0.75', lambda t: (1 + 0.1 * t) ** -0.75),
        (
            'lr_policy: "multistep" gamma: 0.5 stepvalue: 5 stepvalue: 12',
            lambda t: 0.5 ** ((t >= 5) + (t >= 12)),
        ),
        ('lr_policy: "poly" power: 2', lambda t: (1 - t / 30) ** 2),
        (
            'lr_policy: "sigmoid" gamma: -0.5 stepsize: 10',
            lambda t: 1 / (1 + np.exp(0.5 * (t - 10))),
        ),
    ],
)
def test_policies_are_those_of_caffe(text, rate):
    schedule = make_schedule(**optimizer_of(solver(f"base_lr: 1 max_iter: 30 {text}"))["schedule"])
    for t in (0, 4, 5, 9, 10, 11, 12, 29):
        assert schedule(t) == pytest.approx(rate(t), rel=1e-9)


def test_decay_and_clipping():
    given = optimizer_of(
        solver(f'{RATE} weight_decay: 0.1 regularization_type: "L1" clip_gradients: 8 iter_size: 2')
    )
    assert given == {
        "type": "SGD",
        "lr": 0.1,
        "weight_decay": 0.1,
        "decay": "l1",
        "clip_norm": 4.0,  # Caffe clips the sum of two batches
    }


def test_training():
    text = f"{RATE} test_interval: 10 iter_size: 4 random_seed: 3 net: 'a/b.prototxt'"
    assert training_of(solver(text)) == {
        "iterations": 30,
        "evaluate_every": 10,
        "accumulate": 4,
        "seed": 3,
    }
    assert net_of(solver(text)) == "a/b.prototxt"
    assert net_of(solver("net_param { name: 'inner' }"))["name"] == "inner"
    assert stages_of(solver("train_state { stage: 'deep' }")) == ["deep"]
    with pytest.raises(CaffeError, match="names no net"):
        net_of(solver(RATE))


def test_which_file_is_a_solver(tmp_path):
    path = tmp_path / "x.prototxt"
    path.write_text(f"# net: no\n{RATE}")
    assert is_solver(path)
    path.write_text('name: "a"\n# base_lr: 1\nlayer { name: "net" }')
    assert not is_solver(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('lr_policy: "fixed"', "has no base_lr"),
        ("base_lr: 1", "has no lr_policy"),
        ('base_lr: 1 lr_policy: "cosine"', "lr_policy: expects fixed, step, .*, got cosine"),
        ('base_lr: 1 lr_policy: "step" gamma: 0.1', "has no stepsize"),
        (f'{RATE} type: "LBFGS"', "type: expects SGD, Nesterov, .*, got LBFGS"),
        (f'{RATE} type: "SGD" solver_type: ADAM', "has both type and solver_type"),
        (f'{RATE} type: "AdaGrad" momentum: 0.9', "AdaGrad has no momentum"),
        (f'{RATE} weight_decay: 1 regularization_type: "L3"', "expects L1 or L2, got L3"),
    ],
)
def test_what_is_refused(text, said):
    with pytest.raises(CaffeError, match=said):
        optimizer_of(solver(text))

"""The mark of an optimizer: a few steps beside the project's own, with several settings."""

import inspect
from typing import Any

import numpy as np

from lamina import optimizers
from lamina.exercises.marking import Mark
from lamina.exercises.one_change import first_that
from lamina.exercises.traces import START, Difference, Trial, mark_by_trials
from lamina.layers import Param
from lamina.layers.check.differences import explains
from lamina.optimizers import Optimizer

STEPS = 4
# Numbers that no mistake can turn into each other: with a rate of 0.1, 1 - 0.9 looks like it.
RATE, RATE_OF_V, DECAY = 0.073, 1.7, 0.23
OTHERS = {"momentum": 0.57, "rho": 0.61, "beta1": 0.65, "beta2": 0.79, "eps": 0.13}


def mark_optimizer(own: Any, right: Any, seed: int = 0) -> Mark:
    """The mark of the class `own` as a solution of the project's `right`."""
    name = right.__name__
    if not (isinstance(own, type) and issubclass(own, Optimizer)):
        return Mark(name, [], f"is no optimizer: write class {name}({right.__base__.__name__})")
    if issubclass(own, right):
        return Mark(name, [], f"inherits from the project's own {name}, which is the solution")
    trials = [_trial(settings, seed) for settings in _settings(right)]
    rules = {
        "the gradient stays as it is": _leaves_the_gradient,
        "float32 stays float32": _keeps_float32,
        "a run that goes on from a saved state does the same": _goes_on,
    }
    return mark_by_trials(name, own, right, trials, rules, lambda d: _cause(d, right, seed))


def _settings(right: Any) -> list[dict]:
    """Of the rule's own arguments one after the other is another one, then all of them."""
    taken = inspect.signature(right.__init__).parameters
    others = {name: value for name, value in OTHERS.items() if name in taken}
    each = [{name: value} for name, value in others.items()]
    return [{}, *each, *([others] if len(others) > 1 else []), {"weight_decay": DECAY}]


def _trial(settings: dict, seed: int) -> Trial:
    shown = ", ".join(f"{name}={value:g}" for name, value in {"lr": RATE, **settings}.items())

    def run(rule: Any, before=lambda optimizer: None):
        """Steps of two parameters, one with a rate of its own, and a rate that changes."""
        rng = np.random.default_rng(seed)
        params = {n: Param(rng.standard_normal(s)) for n, s in (("w", (2, 3)), ("v", (4,)))}
        params["v"].lr_mult = RATE_OF_V
        for name, param in params.items():
            yield name, START, param.data.copy()
        optimizer = rule(params, RATE, schedule=_falling, **settings)
        for step in range(1, STEPS + 1):
            for param in params.values():
                param.grad = rng.standard_normal(param.data.shape) * 10.0 ** rng.integers(-1, 2)
            before(optimizer)
            optimizer.step()
            for name, param in params.items():
                yield name, f"after step {step}", param.data.copy()

    return Trial(shown, run)


def _falling(step: int) -> float:
    return 1.0 / (1.0 + 0.3 * step)


def _cause(difference: Difference, right: Any, seed: int) -> str:
    """The first known mistake that gives what the solution gives; "" if none does."""
    name, when, value = difference.own[difference.place]
    if when == START or value is None:
        return ""
    moved, should = difference.change(difference.own), difference.change(difference.right)
    if not moved.any():
        return "nothing moves: change the array itself, param.data -= ..., not a name for it"
    if _alike(moved, -should):
        return "a sign: it goes up the gradient, where it should go down"
    step = int(when.rsplit(" ", 1)[1])
    rate = RATE * _falling(step - 1) * (RATE_OF_V if name == "v" else 1.0)
    for factor, said in (
        (1.0 / rate, "the rate lr is left out"),
        (rate, "the rate lr is in it twice"),
        (1.0 / (RATE_OF_V if name == "v" else 1.0), "take the lr that is given, not self.lr"),
        (RATE / rate, "take the lr that is given, not another one that does not follow it"),
    ):
        if factor != 1.0 and _alike(moved, factor * should):
            return f"{said}: each step is {factor:.4g} times what it should be"
    if right.keeps and _gives(difference, _with_rate_outside(right)):
        return "lr is a factor of what is remembered, as in PyTorch: here it is of each gradient"
    for a, v, s in _as_if(right):
        if _gives(difference, right, lambda o, a=a, v=v: setattr(o, a, v)):
            return f"it does as if self.{a} were {s}"
    for name, other in vars(optimizers).items():
        if isinstance(other, type) and other is not right and _gives(difference, other):
            return f"it is the rule of {name}"
    if said := first_that(right, "update", lambda cls: _gives(difference, cls)):
        return said
    if step > 1:
        return (
            "the first step is right, a later one is not: look at what is kept from step to step, "
            "which has to change in place, kept[...][...] = or *=, +=; or at what counts the steps"
        )
    return ""


def _as_if(right: Any):
    for name, parameter in inspect.signature(right.__init__).parameters.items():
        value = parameter.default
        if name in OTHERS and isinstance(value, float):
            yield from ((name, v, s) for v, s in ((0.0, "0"), (1.0 - value, "1 minus it")))
        elif name == "weight_decay":
            yield name, 0.0, "0"


def _with_rate_outside(right: Any) -> Any:
    """The rule with a rate of 1, and what moves then multiplied by the rate."""

    class Outside(right):
        def update(self, param, gradient, kept, lr):
            before = param.data.copy()
            super().update(param, gradient, kept, 1.0)
            param.data[...] = before + lr * (param.data - before)

    return Outside


def _gives(difference: Difference, rule: Any, change=lambda optimizer: None) -> bool:
    """Does this rule do what the solution does, as far as that was seen to differ?"""
    try:
        with np.errstate(all="ignore"):
            results = list(difference.trial.run(rule, change))
    except Exception:
        return False
    place, own, right = difference.place, difference.own, difference.right
    before = all(_alike(results[i][2], own[i][2]) for i in range(place))
    return before and explains(results[place][2], own[place][2], right[place][2])


def _alike(a, b) -> bool:
    room = 1e-6 * float(np.max(np.abs(b), initial=0.0))
    return (
        np.isfinite(room) and np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-6, atol=room)
    )


def _stepped(rule: Any, dtype=np.float64) -> tuple[Param, Optimizer, np.ndarray]:
    param = Param(np.array([1.0, -2.0, 0.5], dtype))
    optimizer = rule({"w": param}, RATE)
    gradient = np.array([0.5, -1.0, 2.0], dtype)
    for _ in range(2):
        param.grad = gradient
        optimizer.step()
    return param, optimizer, gradient


def _leaves_the_gradient(rule: Any) -> str:
    *_, gradient = _stepped(rule)
    kept = np.array_equal(gradient, [0.5, -1.0, 2.0])
    return (
        "" if kept else "gradient: is written into: others may hold this array, compute a new one"
    )


def _keeps_float32(rule: Any) -> str:
    param, optimizer, _ = _stepped(rule, np.float32)
    arrays = {"w": param.data, **optimizer.kept.get("w", {})}
    wide = [
        f"{name} is {array.dtype}" for name, array in arrays.items() if array.dtype != np.float32
    ]
    return f"w: {', '.join(wide)} where all that went in is float32" if wide else ""


def _goes_on(rule: Any) -> str:
    param, optimizer, gradient = _stepped(rule)
    other = Param(param.data.copy())
    new = rule({"w": other}, RATE)
    new.load_state(optimizer.state())
    for one, its in ((param, optimizer), (other, new)):
        one.grad = gradient
        its.step()
    if np.array_equal(param.data, other.data, equal_nan=True):
        return ""
    return "w: another one after going on: what is remembered belongs into the arrays of kept"

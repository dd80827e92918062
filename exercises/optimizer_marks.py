"""The mark of an optimizer: a few steps beside the project's own, with several settings."""

import inspect
from typing import Any

import numpy as np

from lamina.exercises.marking import Mark
from lamina.exercises.traces import START, Difference, Trial, mark_by_trials
from lamina.layers import Param
from lamina.optimizers import Optimizer

STEPS = 4
RATE = 0.1
OTHERS = {"momentum": 0.5, "rho": 0.6, "beta1": 0.5, "beta2": 0.7, "eps": 0.1}


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
    return [{}, *each, others, {"weight_decay": 0.1}] if others else [{}, {"weight_decay": 0.1}]


def _trial(settings: dict, seed: int) -> Trial:
    shown = ", ".join(f"{name}={value:g}" for name, value in {"lr": RATE, **settings}.items())

    def run(rule: Any, before=lambda optimizer: None):
        """Steps of two parameters, one with a rate of its own, and a rate that changes."""
        rng = np.random.default_rng(seed)
        params = {n: Param(rng.standard_normal(s)) for n, s in (("w", (2, 3)), ("v", (4,)))}
        params["v"].lr_mult = 2.0
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
    return 1.0 / (1.0 + step)


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
    rate = RATE * _falling(step - 1) * (2.0 if name == "v" else 1.0)
    for factor, said in (
        (1.0 / rate, "the rate lr is left out"),
        (rate, "the rate lr is in it twice"),
        (1.0 / (2.0 if name == "v" else 1.0), "take the lr that is given, not self.lr"),
        (RATE / rate, "take the lr that is given, not another one that does not follow it"),
    ):
        if factor != 1.0 and _alike(moved, factor * should):
            return f"{said}: each step is {factor:.4g} times what it should be"
    changes = [
        (f"self.{a} were {s}", lambda o, a=a, v=v: setattr(o, a, v)) for a, v, s in _as_if(right)
    ]
    never = ("it were never corrected for the start at zero", lambda o: setattr(o, "steps", 10**6))
    for said, change in [never, *changes]:
        if _gives(difference, right, change):
            return f"it does as if {said}"
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


def _gives(difference: Difference, right: Any, change) -> bool:
    try:
        with np.errstate(all="ignore"):
            results = list(difference.trial.run(right, change))
    except Exception:
        return False
    places = range(difference.place + 1)
    return all(_alike(results[i][2], difference.own[i][2]) for i in places)


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
    if np.array_equal(param.data, other.data):
        return ""
    return "w: another one after going on: what is remembered belongs into the arrays of kept"

"""The marks of what stands above layers: numerical gradients, a chain's backward, a step of
training."""

from collections import OrderedDict
from typing import Any

import numpy as np

from lamina.datasets import Classification, Dataset, Samples
from lamina.exercises.marking import Mark
from lamina.exercises.traces import START, Difference, Trial, mark_by_trials
from lamina.layers import Affine, Relu, Sigmoid, SoftmaxWithLoss
from lamina.layers.check.differences import explains, times
from lamina.nets import Sequential
from lamina.optimizers import SGD, Momentum
from lamina.training.trainer import Trainer
from lamina.training.watch import NonFiniteError

FUNCTIONS = {  # scalar functions of an array
    "x³ added up": lambda x: np.sum(x**3),
    "exp(sin x) added up": lambda x: np.sum(np.exp(np.sin(x))),
    "a product of all": lambda x: np.prod(x),
}


def mark_numeric_gradient(own, right, seed: int = 0) -> Mark:
    rng = np.random.default_rng(seed)
    trials = [
        _gradient(said, f, rng.uniform(0.5, 1.5, shape), h)
        for said, f in FUNCTIONS.items()
        for shape, h in (((3,), 1e-5), ((2, 3), 1e-3), ((), 1e-3))
    ]
    rules = {"x stays as it is": lambda f: _changes(lambda x: f(lambda y: np.sum(y**3), x))}
    return mark_by_trials("numeric_gradient", own, right, trials, rules, _difference_cause)


def mark_numeric_jvp(own, right, seed: int = 0) -> Mark:
    rng = np.random.default_rng(seed)
    trials = [
        _jvp(shape, h, several, rng)
        for shape, h in (((3,), 1e-5), ((2, 3), 1e-3), ((), 1e-3))
        for several in (False, True)
    ]
    rules = {"x stays as it is": lambda f: _changes(lambda x: f(np.sin, x, np.ones_like(x)))}
    return mark_by_trials("numeric_jvp", own, right, trials, rules, _difference_cause)


def _gradient(said: str, f, x, h: float) -> Trial:
    def run(function):
        yield "gradient", "all entries", function(f, x.copy(), h)

    return Trial(f"{said}, x {x.shape}, h={h:g}", run, 1e-8)


def _jvp(shape: tuple, h: float, several: bool, rng) -> Trial:
    x, v = rng.uniform(0.5, 1.5, shape), rng.standard_normal(shape)

    def f(x):
        return (np.exp(x), x**3) if several else np.exp(x)

    def run(function):
        jv = function(f, x.copy(), v, h)
        kind = type(jv).__name__ if isinstance(jv, (tuple, list)) else "array"
        yield "J v", "what kind it is", kind
        for i, part in enumerate(jv if isinstance(jv, tuple) else (jv,)):
            yield f"J v of output {i}", "all entries", part

    return Trial(f"{'two outputs' if several else 'one output'}, x {shape}, h={h:g}", run, 1e-8)


def _difference_cause(difference: Difference) -> str:
    value = np.asarray(difference.own[difference.place][2], float)
    wanted = np.asarray(difference.right[difference.place][2], float)
    if value.shape != wanted.shape:
        return ""
    for factor, said in ((2.0, "divide by 2 h"), (0.5, "divide by 2 h, once"), (-1.0, "a sign")):
        if np.allclose(value, factor * wanted, rtol=1e-6):
            return f"a factor, {factor:g}: {said}"
    if np.allclose(value, wanted, rtol=0.05):
        return "a difference to one side, whose error is of order h, or another h than is given"
    if np.isclose(value, wanted).sum() == 1 < value.size:
        return "one entry alone is right: is the return inside of the loop?"
    return "move one entry at a time, and put it back before the next"


def _changes(use) -> str:
    x = np.array([0.5, 1.0, 1.5])
    use(x)
    return "" if np.array_equal(x, [0.5, 1.0, 1.5]) else "x: is written into"


def mark_sequential(own: Any, right: Any, seed: int = 0) -> Mark:
    """Backward of a chain: with a loss and without, nested, with layers that do not learn."""
    if not isinstance(own, type):
        return Mark("Sequential", [], "is no class: write class Sequential(Net)")
    if getattr(own, "backward", None) is right.backward:
        return Mark("Sequential", [], "inherits backward from the project's own, the solution")
    kinds: tuple[str, ...] = (
        "with a loss",
        "of an output",
        "nested",
        "lowest layers frozen",
        "twice",
        "no dX",
    )
    kinds += ("a head of weight 3",)
    trials = [Trial(kind, lambda cls, kind=kind: _chain(cls, kind, seed)) for kind in kinds]
    rules = {
        "a pass goes back once": _goes_back_once,
        "after forward, dout is needed": _needs_dout,
        "layers below the lowest that learns are not visited without need": _visits_no_more,
        "a layer used by itself afterwards gives its dX": _leaves_layers_whole,
        "an error says which layer it comes from, and which is below": _names_the_layer,
    }
    return mark_by_trials("Sequential", own, right, trials, rules, _chain_cause)


def _chain_cause(difference: Difference) -> str:
    own = np.asarray(difference.own[difference.place][2], float)
    right = np.asarray(difference.right[difference.place][2], float)
    factor = float(np.sum(own * right) / max(np.sum(right * right), 1e-300))
    if explains(factor * right, own, right):
        return f"a factor, {times(factor)}: dout is one of the loss, and so is head.weight"
    return ""


def _net(cls, seed: int, loss=True, nested=False):
    rng = np.random.default_rng(seed)
    layers = OrderedDict(
        affine1=Affine(4, 5, rng=rng, dtype=np.float64),
        middle=Sigmoid(),
        affine2=Affine(5, 3, rng=rng, dtype=np.float64),
    )
    if nested:
        layers["middle"] = cls(
            OrderedDict(inner=Affine(5, 5, rng=rng, dtype=np.float64), relu=Relu())
        )
    return cls(layers, loss=SoftmaxWithLoss() if loss else None)


def _chain(cls, kind: str, seed: int):
    rng = np.random.default_rng(seed + 1)
    net = _net(cls, seed, loss=kind != "of an output", nested=kind == "nested")
    if kind == "lowest layers frozen":
        for param in net.layers["affine1"].parameters().values():
            param.trainable = False
    if kind == "a head of weight 3":
        net.heads["loss"].weight = 3.0
    net.needs_dX = kind not in ("no dX", "lowest layers frozen")
    for turn in range(2 if kind == "twice" else 1):
        X, t = rng.standard_normal((6, 4)), rng.integers(0, 3, 6)
        if kind == "of an output":
            Y = net.forward(X)
            dX = net.backward(rng.standard_normal(Y.shape))
        else:
            net.loss(X, t)
            dX = net.backward(0.5) if kind == "twice" else net.backward()
        when = f"after pass {turn + 1}"
        yield "dX", when, dX if net.needs_dX else dX is None
        for name, param in net.parameters().items():
            if param.trainable:
                yield (
                    f"{name}.grad",
                    when,
                    np.zeros(()) if param.grad is None else param.grad.copy(),
                )


def _goes_back_once(cls) -> str:
    net = _net(cls, 0)
    net.loss(np.ones((2, 4)), np.array([0, 1]))
    net.backward()
    try:
        net.backward()
    except RuntimeError:
        return ""
    return "backward: goes back twice without an error: _refuse_wrong_backward, and _use_pass"


def _needs_dout(cls) -> str:
    net = _net(cls, 0)
    net.forward(np.ones((2, 4)))
    try:
        net.backward()
    except TypeError:
        return ""
    return "backward: after forward it has no dout to begin with, and should raise TypeError"


def _visits_no_more(cls) -> str:
    net, visited = _net(cls, 0), []
    frozen = net.layers["affine1"]
    for param in frozen.parameters().values():
        param.trainable = False
    back = frozen.backward

    def noted(dout):
        visited.append(dout)
        return back(dout)

    frozen.backward = noted
    net.needs_dX = False
    net.loss(np.ones((2, 4)), np.array([0, 1]))
    net.backward()
    return "backward: visits a layer that learns nothing, for a dX nobody wants" if visited else ""


def _leaves_layers_whole(cls) -> str:
    net = _net(cls, 0)
    net.needs_dX = False
    net.loss(np.ones((2, 4)), np.array([0, 1]))
    net.backward()
    whole = net.layers["affine1"].needs_dX
    return "" if whole else "needs_dX: stays off in the lowest layer, which others may use too"


def _names_the_layer(cls) -> str:
    """A layer that gives None, one that raises, a loss that gives None."""
    for name, broken, words in (
        ("middle", _gives_none, ("middle", "affine1")),
        ("affine2", _gives_none, ("affine2", "middle")),
        ("middle", _raises, ("middle",)),
        ("loss", _gives_none, ("SoftmaxWithLoss",)),
    ):
        net = _net(cls, 0)
        (net.loss_layer if name == "loss" else net.layers[name]).backward = broken
        net.loss(np.ones((2, 4)), np.array([0, 1]))
        try:
            net.backward()
        except Exception as error:
            said = " ".join([str(error), *getattr(error, "__notes__", ())])
            if missing := [word for word in words if word not in said]:
                return f"error: of a wrong {name} does not name {', '.join(missing)}: {said}"
        else:
            return f"error: none, where {name} gives back None: check_gradient, check_of_scores"
    return ""


def _gives_none(dout=1.0):
    return None


def _raises(dout):
    raise FloatingPointError("in a layer")


def mark_trainer(own: Any, right: Any, seed: int = 0) -> Mark:
    """A step of training: losses and weights, step by step."""
    if not isinstance(own, type):
        return Mark("Trainer", [], "is no class: write class Trainer(Whole)")
    if getattr(own, "step", None) is right.step:
        return Mark("Trainer", [], "inherits step from the project's own, which is the solution")
    trials = [
        Trial(said, lambda cls, settings=settings: _training(cls, seed, **settings))
        for said, settings in (
            ("plain", {}),
            ("with momentum", {"rule": Momentum}),
            ("two batches a step", {"accumulate": 2}),
        )
    ]
    rules = {
        "a loss that is not finite ends it, and updates nothing": lambda cls: _stops(cls, True),
        "so does a gradient that is not finite": lambda cls: _stops(cls, False),
    }
    return mark_by_trials("Trainer", own, right, trials, rules, _step_cause)


def _made(cls, seed: int, rule=SGD, spoilt=False, **settings) -> Trainer:
    rng = np.random.default_rng(seed)
    t = np.arange(60) % 3
    X = rng.standard_normal((60, 4)) + 2 * np.eye(4)[t]
    if spoilt:
        X[:] = np.nan
    net = _net(Sequential, seed)
    data = Dataset(Samples(X[:50], t[:50]), Samples(X[50:], t[50:]), Classification(range(3)))
    optimizer = rule(net.parameters(), lr=0.1)
    return cls(net, optimizer, data, rng=seed, iterations=20, batch_size=10, quiet=True, **settings)


def _training(cls, seed: int, **settings):
    trainer = _made(cls, seed, **settings)
    for name, param in trainer.net.parameters().items():
        yield name, START, param.data.copy()
    for step in range(1, 7):
        yield "loss", f"step {step}", trainer.step()
        for name, param in trainer.net.parameters().items():
            yield name, f"after step {step}", param.data.copy()
        yield "iteration", f"after step {step}", trainer.iteration


def _step_cause(difference: Difference) -> str:
    name, when, value = difference.own[difference.place]
    if name == "iteration":
        return "count the steps: self.iteration += 1"
    if name == "loss" and "two batches" in difference.trial.where:
        return "with `accumulate` a step is of several batches: self._several_batches()"
    if name == "loss":
        return (
            "return the loss of the batch, as it was before the update" if value is not None else ""
        )
    moved = difference.change(difference.own)
    if moved is not None and not moved.any():
        return "nothing moves: self.optimizer.step()"
    if when != "after step 1":
        return "gradients of steps before are still in it: self.optimizer.zero_grad() at first"
    return ""


def _stops(cls, of_loss: bool) -> str:
    trainer = _made(cls, 0, spoilt=of_loss)
    if not of_loss:
        trainer.net.layers["middle"].backward = lambda dout: np.full((10, 5), np.nan)
    before = {name: param.data.copy() for name, param in trainer.net.parameters().items()}
    try:
        trainer.step()
    except NonFiniteError:
        after = trainer.net.parameters()
        moved = [n for n, data in before.items() if not np.array_equal(after[n].data, data)]
        return f"{moved[0]}: is moved by a gradient that is not finite" if moved else ""
    return "step: goes on with a NaN: self.watch.gradients(self) before the update"

"""A layer with inputs, frozen: every evaluation starts again from the same copy."""

import copy
import inspect
from typing import Any

import numpy as np

from lamina.autodiff import jvp, numeric_jvp, vjp
from lamina.layers.auto_layer import AutoLayer
from lamina.layers.base import Carried, Layer, Param, State
from lamina.layers.check.differences import same_numbers
from lamina.layers.check.lines import Lines
from lamina.layers.loss import Loss
from lamina.layers.sparse_rows import dense

STEP = 1e-5  # of differences: h² truncation and 1e-16 / h rounding are both about 1e-10
SMALLER_STEPS = (1e-6, 1e-7)  # for large inputs, where a long step soon crosses some kink


class Case:
    """One layer, its inputs and a mode, as a function of its variables.

    The variables are the floating inputs that get a gradient, by the names of forward's arguments,
    and the trainable parameters, by their dotted names. Every evaluation works on deep copies, so
    that random numbers, running statistics and caches are the same each time.
    """

    def __init__(self, layer: Layer, inputs, training: bool, where: str, lines=None):
        self._sample: tuple | None = None
        self.lines: Lines | None = lines  # notes which statements of backward are run
        self.layer = copy.deepcopy(layer)
        self.inputs = [np.array(x) for x in inputs]
        self.training, self.where = training, where
        self.layer.set_training(training)
        self._parameters = taken = self.layer.parameters()
        held = [held for _, held in self.layer.walk() if isinstance(held, Layer)]
        self._plain = all(_copies_plainly(type(one)) for one in (self.layer, *held))
        for param in taken.values():
            param.grad = None  # the layer may have been in use
        written = layer.function if isinstance(layer, AutoLayer) else layer.forward
        arguments = inspect.signature(written).parameters.values()
        names = [p.name for p in arguments if p.kind is p.POSITIONAL_OR_KEYWORD]
        names += [f"X{i}" for i in range(len(names), len(inputs))]
        names = [f"input {n}" if n in taken else n for n in names[: len(inputs)]]
        self.argument_names = names
        floating = [i for i, x in enumerate(self.inputs) if x.dtype.kind == "f"]
        if isinstance(layer, Loss):
            floating = [i for i in floating if i == 0]  # targets are data
        self.input_names = {names[i]: i for i in floating}
        self.parameter_names = [n for n, p in taken.items() if p.trainable]

    @property
    def variables(self) -> dict:
        """The values that derivatives are taken by."""
        values = {name: self.inputs[i] for name, i in self.input_names.items()}
        return values | {name: self._parameters[name].data for name in self.parameter_names}

    def label(self, name: str) -> str:
        """What the gradient of a variable is called: dX, W.grad."""
        return f"d{name}" if name in self.input_names else f"{name}.grad"

    def fresh(self, values: dict | None = None, copied=np.copy):
        """(layer, inputs) as copies, some variables replaced."""
        copies: dict[int, Any] = {}
        layer, inputs = copy_of(self.layer, copies), [copied(x) for x in self.inputs]
        own = None if self._plain or not values else layer.parameters()
        for name, value in (values or {}).items():
            value = copied(value)  # a layer that writes into its input must not spoil the case
            if name in self.input_names:
                inputs[self.input_names[name]] = value
            else:
                param = own[name] if own else copies[id(self._parameters[name])]
                param.data = value
        return layer, inputs

    def forward(self, values: dict | None = None) -> tuple:
        """The outputs, always as a tuple."""
        layer, inputs = self.fresh(values)
        return as_tuple(layer.forward(*inputs))

    def gradients(self, douts: tuple, values: dict | None = None) -> dict:
        """{variable: gradient} by the hand-written backward; None where it gave none."""
        layer, inputs = self.fresh(values)
        layer.forward(*inputs)
        return self.collect(layer, self.back(layer, *(np.copy(d) for d in douts)))

    def sample(self, rng) -> tuple:
        """(outputs, douts, gradients) of one pass, for random douts: the same for whoever asks, so
        nobody may write into them."""
        if self._sample is None:
            layer, inputs = self.fresh()
            outputs = as_tuple(layer.forward(*inputs))
            kept = tuple(np.copy(y) for y in outputs)
            douts = random_douts(outputs, rng)
            gradients = self.collect(layer, self.back(layer, *(np.copy(d) for d in douts)))
            self._sample = kept, douts, gradients
        return self._sample

    def does_as(self, other: "Case") -> bool:
        """Are outputs and gradients those of the other's sample, to the bit?"""
        if other._sample is None:
            return False
        outputs, douts, gradients = other._sample
        layer, inputs = self.fresh()
        with np.errstate(all="ignore"):
            try:
                mine = as_tuple(layer.forward(*inputs))
                back = self.collect(layer, self.back(layer, *(np.copy(d) for d in douts)))
            except Exception:
                return False
        pairs = [*zip(mine, outputs, strict=True), *((back[n], g) for n, g in gradients.items())]
        return all(same_numbers(a, b) for a, b in pairs)

    def back(self, layer: Layer, *douts):
        """layer.backward(*douts), with a note of the statements that were run."""
        if self.lines is None:
            return layer.backward(*douts)
        with self.lines.watched():
            return layer.backward(*douts)

    def collect(self, layer: Layer, returned) -> dict:
        """The gradients that a backward left: what it returned, and those of the parameters."""
        returned = as_tuple(returned)
        if len(returned) == len(self.inputs) > len(self.input_names):
            returned = tuple(returned[i] for i in self.input_names.values())  # None for integers
        gradients = {
            name: returned[place] if place < len(returned) else None
            for place, name in enumerate(self.input_names)
        }
        parameters = layer.parameters()
        return gradients | {name: dense(parameters[name].grad) for name in self.parameter_names}

    def jvp(self, name: str, v) -> tuple:
        """J v for each output, v being a direction in one variable: duals through forward."""
        return self.jvp_of({name: v})

    def jvp_of(self, steps: dict) -> tuple:
        """J v for each output, v being a direction in several variables."""
        variables = self.variables
        return jvp(self.forward, {name: variables[name] for name in steps}, steps)[1]

    def reverse(self, douts: tuple) -> dict:
        """{variable: gradient} by reverse mode through forward. Raises NotDifferentiable where
        forward is not pure: where it writes into a buffer."""
        _, pull_back = vjp(self.forward, self.variables)
        return pull_back(douts)

    def shifted(self, name: str, v, h: float) -> tuple:
        """The outputs at the variable plus h v."""
        return self.forward({name: self.variables[name] + h * v})

    def differences(self, name: str, v, h: float = STEP) -> tuple:
        """J v once more, by central differences: no rule of differentiation is used."""
        return numeric_jvp(lambda x: self.forward({name: x}), self.variables[name], v, h)

    def moved(self, rng) -> "Case":
        """The same case a little elsewhere: away from a kink."""
        values = {n: x + 0.01 * rng.standard_normal(x.shape) for n, x in self.variables.items()}
        return self.elsewhere(values)

    def elsewhere(self, values: dict, place: str = "") -> "Case":
        """The same case with some variables replaced."""
        case = copy.copy(self)
        case._sample = None
        case.layer, case.inputs = self.fresh(values)
        case._parameters = case.layer.parameters()
        case.where = f"{self.where}, {place}" if place else self.where
        return case


def as64(x):
    """An input of a check: float64, or the whole numbers that it is."""
    x = np.asarray(x)
    return x.astype(np.float64) if x.dtype.kind == "f" else x


def copy_of(layer: Layer, memo: dict[int, Any]) -> Layer:
    """copy.deepcopy, in a third of the time: the check does little else as often. Afterwards `memo`
    has the copies by the ids of what they are of; not where a layer says how it is copied."""
    layers = [layer]
    for _, held in layer.walk():
        if type(held) is State:
            memo[id(held)] = State(held.data.copy())
        elif type(held) is Param and held.grad is None:
            memo[id(held)] = param = Param(held.data.copy(), held.trainable, sparse=held.sparse)
            param.lr_mult, param.decay_mult = held.lr_mult, held.decay_mult
        elif isinstance(held, Layer):
            layers.append(held)
    pairs = [(one, object.__new__(type(one))) for one in layers if _copies_plainly(type(one))]
    memo.update((id(one), new) for one, new in pairs)
    for one, new in pairs:
        for name, held in one.__getstate__().items():
            vars(new)[name] = held if type(held) in _PLAIN else copy.deepcopy(held, memo)
    return copy.deepcopy(layer, memo)


_PLAIN = {int, float, bool, str, type(None)}  # cannot be changed, and need no copy
_OF_COPIES = ("__getstate__", "__reduce__", "__reduce_ex__", "__deepcopy__", "__setstate__")
_AS_ALL_LAYERS = {name: getattr(Layer, name, None) for name in _OF_COPIES}


def _copies_plainly(cls: type) -> bool:
    """Is a copy made of what its attributes are, and of nothing else?"""
    return all(getattr(cls, name, None) is known for name, known in _AS_ALL_LAYERS.items())


def in_float64(layer: Layer, rng) -> Layer:
    """A float64 copy of the layer whose parameters are moved a little: at the ones and zeros that
    layers start with, a forgotten factor or term would not show."""
    layer = copy.deepcopy(layer)
    for _, held in layer.walk():
        if isinstance(held, (Param, State, Carried)):
            held.data = held.data.astype(np.float64)
        if isinstance(held, Param):
            held.data = held.data + rng.uniform(-0.2, 0.2, held.data.shape)
    return layer


def as_tuple(value) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def random_douts(outputs: tuple, rng) -> tuple:
    """Random upstream gradients: ones would be blind where the outputs of a row add up to a
    constant, as in softmax and in normalising layers."""
    return tuple(
        np.asarray(rng.standard_normal(np.shape(y)) + (2.0 if np.ndim(y) == 0 else 0.0))
        for y in outputs
    )


def inner(xs: tuple, ys: tuple) -> float:
    return float(sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True)))

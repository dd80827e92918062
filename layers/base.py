"""The contract of a layer: `Layer`, its learned `Param`s and saved `State`s, what it carries."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.autodiff import primal
from lamina.autodiff.traced import Traced
from lamina.common.arguments import Remembers
from lamina.layers.carried import Carried
from lamina.layers.errors import GradientError, StepError
from lamina.layers.group import ALONE
from lamina.layers.saved_state import misfit, restore, saved
from lamina.layers.sparse_rows import added, dense


class Param:
    """A learned array. `grad` is None until the first `accumulate`; gradients add up (Caffe).

    The optimizer multiplies its rate by `lr_mult` and its weight decay by `decay_mult`. A `sparse`
    one keeps gradients that are SparseRows as they are; of others they become arrays.
    """

    __slots__ = ("data", "decay_mult", "grad", "lr_mult", "sparse", "trainable")

    # Any: while a derivative is taken, they are no plain arrays.
    data: Any  # the array
    grad: Any  # as data, SparseRows, or None

    def __init__(self, data, trainable: bool = True, *, sparse: bool = False):
        if getattr(getattr(data, "dtype", None), "kind", None) != "f":
            got = f"{data.dtype} {data.shape}" if hasattr(data, "shape") else f"{data!r:.60}"
            raise TypeError(f"Param: expects a floating-point array, got {got}")
        self.data, self.grad, self.trainable, self.sparse = data, None, trainable, sparse
        self.lr_mult = self.decay_mult = 1.0

    def __repr__(self):
        mults = "".join(
            f", {name} {getattr(self, name):g}"
            for name in ("lr_mult", "decay_mult")
            if getattr(self, name) != 1.0
        )
        learns = "trainable" if self.learns else "frozen"
        return f"Param {self.data.shape} {self.data.dtype}, {learns}{mults}"

    @property
    def learns(self) -> bool:
        """Does an optimizer move it? Not if it is frozen, and not by a rate of 0."""
        return bool(self.trainable and self.lr_mult)

    def accumulate(self, gradient) -> None:
        """Add to `grad`. The first gradient is taken over as it is, so nobody may write into it."""
        if gradient.shape != self.data.shape or gradient.dtype != self.data.dtype:
            raise GradientError(self, gradient)
        if self.trainable:
            gradient = gradient if self.sparse else dense(gradient)
            self.grad = gradient if self.grad is None else added(self.grad, gradient)


class State:
    """An array that is saved with the weights but not learned, such as a running mean."""

    __slots__ = ("data",)

    data: Any  # the array

    def __init__(self, data):
        self.data = data

    def __repr__(self):
        return f"State {self.data.shape} {self.data.dtype}"

    def update(self, value) -> None:
        """Replace the array. Derivatives are stripped: a state is a record, not a result."""
        value = primal(value)
        if value.shape != self.data.shape or value.dtype != self.data.dtype:
            raise ValueError(
                f"a State keeps its shape and dtype, {self.data.shape} {self.data.dtype}; "
                f"got {value.shape} {value.dtype}"
            )
        self.data = value


class Layer(Remembers):
    """Base of all layers: write `forward` and `backward`, and hold what is learned as `Param`s.

    `forward(X)` keeps on self what `backward(dout)` needs; `backward` adds to the gradients of the
    parameters and returns dX (one array per floating input). The five rules, in short: NumPy
    functions only; new buffers `like=` the data and never a write into X, dout or a `grad`; dtype
    kept; random numbers from a Generator passed in; NaN passes through. `lamina check`
    tests them all. docs: CONTRIBUTING.md. `arguments()` gives those that it was made with.
    """

    training = True  # False in evaluation: set by the net, through set_training
    group = ALONE  # set where a batch is cut: what a layer that needs all of it adds up with
    needs_dX = True  # set by the net: False for the lowest layer that learns; dX may be left out
    kept_for: object = None  # set by the net: the pass whose arrays the layer keeps, for backward
    goes_back_once = False  # True for nets: a second backward without a new forward is an error
    zero_gradient = False  # True for a step: its derivative is 0 wherever it exists
    numpy_only = ""  # why it cannot work on arrays of another library, if it cannot
    by_position = False  # True if each position of (N, T, ...) is computed from itself alone
    most_positions: int | None = None  # the longest sequence that it takes, if there is one

    def _no_forward(self, *inputs):
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def _no_backward(self, dout):
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    # Declared as what can be called with anything: a layer has the inputs that it has, and a
    # checker of types shall not take each for a method that breaks with its base.
    forward: Callable[..., Any] = _no_forward
    backward: Callable[..., Any] = _no_backward

    def _step_by_position(self, x, *others_and_state):
        """(out, state) for the positions x (N, 1, ...) that come next, in evaluation: what the
        whole forward gives there, to rounding. As `step(x, state)`, or `step(x, y, state)` with
        more inputs; `state` is what the step before gave, None at first, and is never changed.

        A layer that works `by_position` does as in forward. One that sees other positions too has
        a step of its own. Raises StepError if it cannot go step by step.
        """
        *others, state = others_and_state or (None,)
        if not self.by_position:
            raise StepError(
                f"{type(self).__name__} cannot go step by step: it sees all positions at once, or "
                "does not say that it needs none but its own (by_position = True)"
            )
        return self.forward(x, *others), state

    step: Callable[..., Any] = _step_by_position

    @property
    def can_step(self) -> bool:
        """Whether `step` can be taken: the layer works by position, or has a step of its own."""
        return self.by_position or type(self).step is not Layer.step

    def _shape_of_input(self, input_shape: tuple, *others: tuple):
        """The shape of one output sample (no batch axis) from that of one input sample.

        A layer with several inputs gets a shape for each, one with several outputs gives a list.
        """
        return input_shape

    def _no_flops(self, *input_shapes: tuple) -> int:
        """Additions and multiplications of the matrix products of one sample, forward."""
        return 0

    def _usual_backward_flops(self, *input_shapes: tuple) -> int:
        """Those of its backward: as many as forward for the weights, and for dX where wanted."""
        return (bool(self.parameters()) + self.needs_dX) * self.flops(*input_shapes)

    # As forward and backward: with the inputs that a layer has.
    output_shape: Callable[..., Any] = _shape_of_input
    flops: Callable[..., Any] = _no_flops
    backward_flops: Callable[..., Any] = _usual_backward_flops

    @classmethod
    def infer(cls, input_shape: tuple) -> dict:
        """Constructor arguments that follow from the input shape, so that YAML may omit them."""
        return {}

    @classmethod
    def examples(cls, rng):
        """Yield (layer, input, ...) in float64 and small: the cases `layers.check` runs."""
        raise NotImplementedError(f"{cls.__name__} has no examples(rng)")

    def __getstate__(self) -> dict:
        """What is copied or pickled: not what a differentiation has left in the caches. It belongs
        to no pass that could go back, and traced arrays are not pickled."""
        return {name: held for name, held in vars(self).items() if not _is_traced(held)}

    def members(self) -> dict:
        """What the layer holds, by name. A net overrides it to leave out its own attribute name."""
        return vars(self)

    def is_frozen(self) -> bool:
        """Are there Params, and none of them trainable? Such a layer moves no State in training
        either, and works as in evaluation: `if self.training and not self.is_frozen()`."""
        params = [held for _, held in self.walk() if isinstance(held, Param)]
        return bool(params) and not any(param.trainable for param in params)

    def walk(self, prefix: str = ""):
        """Yield (dotted name, object): every Param, State, Carried, Generator and Layer held, once
        each."""
        seen = set()
        for name, held in _walk(self.members(), prefix):
            if id(held) not in seen:
                seen.add(id(held))
                yield name, held

    def parameters(self) -> dict[str, Param]:
        """All Params by dotted name, in definition order; a shared one under its first name."""
        return {name: held for name, held in self.walk() if isinstance(held, Param)}

    def state(self) -> dict[str, np.ndarray]:
        """Copies of all that goes on needs: parameters, states, what is carried, and generators as
        JSON."""
        return {name: saved(held) for name, held in self.walk() if not isinstance(held, Layer)}

    def load_state(self, state: dict) -> None:
        """Put back what `state()` gave. Nothing is changed unless every name and shape fits."""
        held = {name: h for name, h in self.walk() if not isinstance(h, Layer)}
        wrong = [f"missing: {name}" for name in held.keys() - state.keys()]
        wrong += [f"unknown: {name}" for name in state.keys() - held.keys()]
        for name in held.keys() & state.keys():
            if reason := misfit(held[name], state[name]):
                wrong.append(f"{name}: {reason}")
        if wrong:
            raise ValueError(f"{type(self).__name__}.load_state: " + "; ".join(sorted(wrong)))
        for name, h in held.items():
            restore(h, state[name])

    def set_training(self, training: bool) -> None:
        """Training or evaluation mode, for this layer and every layer that it holds. What is
        carried in evaluation begins anew."""
        for layer in (self, *(held for _, held in self.walk() if isinstance(held, Layer))):
            layer.training = training
        if not training:
            self.reset()

    def reset(self) -> None:
        """What is carried from batch to batch begins anew, in the mode that is set: the next batch
        goes on with no other."""
        for _, held in self.walk():
            if isinstance(held, Carried):
                held.reset(self.training)

    def twin(self) -> "Layer":
        """The same layer for a second place: parameters, states and generators are shared, the
        caches are not, since one cache cannot serve two inputs, nor is what is carried."""
        own = (Layer, Carried)
        shared = {id(held): held for _, held in self.walk() if not isinstance(held, own)}
        return copy.deepcopy(self, shared)


def _walk(members: dict, prefix: str):
    for name, held in members.items():
        name = f"{prefix}{name}"
        if isinstance(held, (Param, State, Carried, np.random.Generator)):
            yield name, held
        elif isinstance(held, Layer):
            yield name, held
            yield from held.walk(f"{name}.")
        elif isinstance(held, (list, tuple)):
            yield from _walk({str(i): h for i, h in enumerate(held)}, f"{name}.")
        elif isinstance(held, dict):
            yield from _walk(held, f"{name}.")


def _is_traced(held) -> bool:
    if isinstance(held, (tuple, list)):
        return any(map(_is_traced, held))
    return isinstance(held, Traced)

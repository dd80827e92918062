"""What the update rules share: weight decay, clipping, schedules, saved state."""

import math
from numbers import Real

import numpy as np

from lamina.common.arguments import Remembers, shown
from lamina.layers.base import Param

DECAYS = ("l2", "l1", "decoupled")


class Optimizer(Remembers):
    """Updates parameters from their gradients. A rule is a subclass with `update`.

    `parameters` is what `net.parameters()` gives. At each step, in this order,

        lr ← base_lr · schedule(number of steps so far)       schedule: see optimizers/schedules.py
        g ← g · min(1, clip_norm / ‖all gradients‖)           Pascanu et al. 2013
        g ← g + λ w ("l2"), g + λ sign(w) ("l1"), or w ← w - lr λ w ("decoupled", Loshchilov and
            Hutter 2019), λ being weight_decay
        update(param, g, kept)

    `kept` are the arrays that the rule remembers for a parameter, zero at first, by the names in
    `keeps`; for each parameter lr and λ are multiplied by its lr_mult and decay_mult. Parameters
    without a gradient, or with `trainable` off, stay as they are.
    Raises ValueError for a rate that is no positive number.
    """

    keeps: tuple[str, ...] = ()
    _not_arguments = frozenset({"parameters"})

    def __init__(
        self,
        parameters: dict[str, Param],
        lr: float,
        *,
        weight_decay: float = 0.0,
        decay: str = "l2",
        clip_norm: float | None = None,
        schedule=None,
    ):
        self.parameters = dict(parameters)
        self.base_lr = self.lr = positive("lr", lr)
        self.weight_decay = share("weight_decay", weight_decay, below=math.inf)
        if decay not in DECAYS:
            raise ValueError(f"decay: expects one of {', '.join(DECAYS)}, got {decay!r}")
        self.decay = decay
        self.clip_norm = None if clip_norm is None else positive("clip_norm", clip_norm)
        self.schedule = schedule
        self.steps = 0
        self.kept: dict[str, dict[str, np.ndarray]] = {}

    def __repr__(self):
        return f"{shown(self)} of {len(self.parameters)} parameters, step {self.steps}"

    def step(self) -> None:
        """Update every parameter once."""
        if self.schedule is not None:
            self.lr = self.base_lr * self.schedule(self.steps)
        self.steps += 1
        due = {n: p for n, p in self.parameters.items() if p.grad is not None and p.trainable}
        shrink, lr = self._clipping(due), self.lr
        for name, param in due.items():
            gradient = param.grad if shrink == 1.0 else param.grad * shrink
            self.lr = lr * param.lr_mult
            if self.weight_decay:
                gradient = self._decayed(param, gradient)
            self.update(param, gradient, self._kept(name, param))
        self.lr = lr

    def update(self, param: Param, gradient, kept: dict[str, np.ndarray]) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next backward starts afresh."""
        for param in self.parameters.values():
            param.grad = None

    def state(self) -> dict[str, np.ndarray]:
        """Copies of all that a later step depends on, by names like "velocity/affine1.W"."""
        state = {"rule": np.array(type(self).__name__), "steps": np.array(self.steps)}
        state["lr"] = np.array(self.lr)  # of the last step, which an evaluation reports
        for name, kept in self.kept.items():
            state |= {f"{what}/{name}": array.copy() for what, array in kept.items()}
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go on where `state()` was taken. Raises ValueError, and changes nothing, if it is the
        state of another rule or of other parameters."""
        own = type(self).__name__
        if str(state.get("rule")) != own or not {"steps", "lr"} <= state.keys():
            raise ValueError(f"{own}: expects the state of {own}, got {state.get('rule')}")
        kept: dict[str, dict[str, np.ndarray]] = {}
        for key, array in state.items():
            what, _, name = key.partition("/")
            if key in ("rule", "steps", "lr"):
                continue
            if what not in self.keeps or name not in self.parameters:
                raise ValueError(f"{own}: the saved {key} does not belong here")
            data = self.parameters[name].data
            if array.shape != data.shape or array.dtype != data.dtype:
                raise ValueError(
                    f"{own}: {key}: expects {data.dtype} {data.shape}, got {array.dtype} "
                    f"{array.shape}"
                )
            kept.setdefault(name, {})[what] = array.copy()
        for name, arrays in kept.items():
            if set(arrays) != set(self.keeps):
                raise ValueError(f"{own}: {name}: expects {', '.join(self.keeps)}")
        if int(state["steps"]) < 0:
            raise ValueError(f"{own}: expects a number of steps, got {state['steps']}")
        self.lr = positive("lr", float(state["lr"]))
        self.kept, self.steps = kept, int(state["steps"])

    def _kept(self, name: str, param: Param) -> dict[str, np.ndarray]:
        if name not in self.kept and self.keeps:
            self.kept[name] = {what: np.zeros_like(param.data) for what in self.keeps}
        return self.kept.get(name, {})

    def _clipping(self, due: dict[str, Param]) -> float:
        if self.clip_norm is None:
            return 1.0
        # linalg.norm in float64: squares of large float32 gradients would overflow.
        norms = [np.linalg.norm(p.grad.astype(np.float64, copy=False)) for p in due.values()]
        norm = math.hypot(*norms)
        return min(1.0, self.clip_norm / norm) if norm > 0 else 1.0

    def _decayed(self, param: Param, gradient):
        weight_decay = self.weight_decay * param.decay_mult
        if self.decay == "l2":
            return gradient + weight_decay * param.data
        if self.decay == "l1":
            return gradient + weight_decay * np.sign(param.data)
        param.data *= 1.0 - self.lr * weight_decay
        return gradient


def positive(name: str, value: float) -> float:
    """value as a float. Raises ValueError unless it is a positive, finite number."""
    if not (_is_number(value) and math.isfinite(value) and value > 0):
        raise ValueError(f"{name}: expects a positive number, got {value!r}")
    return float(value)


def share(name: str, value: float, below: float = 1.0) -> float:
    """value as a float. Raises ValueError unless 0 <= value < below."""
    if not (_is_number(value) and 0 <= value < below):
        raise ValueError(f"{name}: expects a number from 0 to below {below:g}, got {value!r}")
    return float(value)


def _is_number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)

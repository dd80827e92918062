"""What the update rules share: weight decay, clipping, schedules, saved state."""

import math
from typing import Any

import numpy as np

from lamina.common.arguments import Remembers, shown
from lamina.layers.base import Param
from lamina.layers.sparse_rows import SparseRows, entries
from lamina.optimizers.parameters import checked_parameters, foreign_parameters, unknown_parameters
from lamina.optimizers.schedules import (
    checked_factor,
    checked_schedule,
    chooses,
    load_schedule,
    saved_schedule,
)
from lamina.optimizers.settings import positive, share

DECAYS = ("l2", "l1", "decoupled")
_OF_SCHEDULE = "schedule."  # begins the names in a state of what the schedule remembers


class Optimizer(Remembers):
    """Updates parameters from their gradients. A rule is a subclass with `update`.

    `parameters` is what `net.parameters()` gives. At each step, in this order,

        lr ← base_lr · schedule(number of steps so far)
        g ← g · min(1, clip_norm / ‖all gradients‖)
        g ← g + λ w                                            if decay is "l2"
        g ← g + λ sign(w)                                      if decay is "l1"
        w ← w - lr λ w                                         if decay is "decoupled"
        update(param, g, kept, lr)

    with λ = weight_decay; schedules are in optimizers/schedules/. `kept` are the arrays that the
    rule remembers for a parameter, zero at first, by the names in `keeps`; for each parameter lr
    and λ are multiplied by its lr_mult and decay_mult. Parameters without a gradient, or with
    `trainable` off, stay as they are; one that is given under two names is updated once. A gradient
    that is SparseRows (Embedding(sparse=True)) moves its rows alone, by the same rule, if that is
    `by_row`: where it leaves what has the gradient 0 as it is, so that nothing is another than with
    the whole gradient. `self.lr` is the rate of the last step, `self.steps` how many there were,
    the one under way included.
    Raises TypeError for `parameters` that are no dict of Params; ValueError for a rate that is no
    positive number, for what cannot be a schedule, and for sparse parameters where the rule, or a
    weight decay, moves every row. Source: Pascanu et al. 2013 (clipping); Loshchilov and Hutter
    2019 (decoupled decay).
    """

    keeps: tuple[str, ...] = ()
    by_row = False  # True: what has the gradient 0 stays as it is, and so does what is kept of it
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
        if isinstance(self.keeps, str):
            raise TypeError(
                f"{type(self).__name__}: keeps is a tuple of names, as ({self.keeps!r},), got "
                f"{self.keeps!r}"
            )
        self.parameters = checked_parameters(type(self).__name__, parameters)
        self.base_lr = self.lr = positive("lr", lr)
        self.weight_decay = share("weight_decay", weight_decay, below=math.inf)
        if decay not in DECAYS:
            raise ValueError(f"decay: expects one of {', '.join(DECAYS)}, got {decay!r}")
        self.decay = decay
        self.clip_norm = None if clip_norm is None else positive("clip_norm", clip_norm)
        self.schedule: Any = None if schedule is None else checked_schedule(schedule)
        for name, param in self.parameters.items():
            if param.sparse and param.trainable:
                self._check_sparse(name, param)
        self.steps = 0
        self.kept: dict[str, dict[str, np.ndarray]] = {}

    def __repr__(self):
        if "steps" not in vars(self):  # an error while it is made shows it
            return shown(self)
        return f"{shown(self)} of {len(self.parameters)} parameters, step {self.steps}"

    def step(self) -> None:
        """Update every parameter once."""
        if self.schedule is not None:
            self.lr = self.base_lr * self._factor()
        self.steps += 1
        due = {n: p for n, p in self.parameters.items() if p.grad is not None and p.trainable}
        gradients = {name: _merged(param.grad) for name, param in due.items()}
        shrink = self._clipping(gradients)
        for name, param in due.items():
            gradient = gradients[name] if shrink == 1.0 else gradients[name] * shrink
            lr = self.lr * param.lr_mult
            if isinstance(gradient, SparseRows):
                self._update_rows(name, param, gradient, lr)
                continue
            if self.weight_decay:
                gradient = self._decayed(param, gradient, lr)
            self.update(param, gradient, self._kept(name, param), lr)

    def update(self, param: Param, gradient, kept: dict[str, np.ndarray], lr: float) -> None:
        """The rule: change `param.data` and the arrays of `kept`, and never the gradient."""
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next backward starts afresh."""
        for param in self.parameters.values():
            param.grad = None

    @property
    def chooses(self) -> bool:
        """Does its schedule choose by evaluations, so that it needs a validation set?"""
        return chooses(self.schedule)

    def evaluated(self, value: float, higher_is_better: bool) -> None:
        """Tell the schedule of an evaluation of the validation set, if it chooses by them."""
        if self.chooses:
            self.schedule.evaluated(float(value), higher_is_better)

    def check_net(self, net) -> list[str]:
        """The names of the net's trainable parameters that are not among those of the optimizer,
        and so will stay as they are: for the caller to say. Raises ValueError if some of the
        optimizer's are not the net's own objects, or if it has none at all."""
        rule, unknown = type(self).__name__, unknown_parameters(net, self)
        cure = f"{rule}(net.parameters(), ...)"
        if foreign := foreign_parameters(net, self):
            names = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
            raise ValueError(
                f"{rule}: {len(foreign)} of its {len(self.parameters)} parameters are not those of "
                f"the net ({names}). Was the net made anew, or copied, after the optimizer? {cure}"
            )
        if unknown and not self.parameters:
            raise ValueError(f"{rule}: has no parameters, so that nothing would learn: {cure}")
        return unknown

    def state(self) -> dict[str, np.ndarray]:
        """Copies of all that a later step depends on, by names like "velocity/affine1.W"."""
        state = {"rule": np.array(type(self).__name__), "steps": np.array(self.steps)}
        state["lr"] = np.array(self.lr)  # of the last step, which an evaluation reports
        state |= {f"{_OF_SCHEDULE}{n}": a for n, a in saved_schedule(self.schedule).items()}
        for name, kept in self.kept.items():
            state |= {f"{what}/{name}": array.copy() for what, array in kept.items()}
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Go on where `state()` was taken. Raises ValueError, and changes nothing, if it is the
        state of another rule, of another schedule or of other parameters."""
        own = type(self).__name__
        if str(state.get("rule")) != own or not {"steps", "lr"} <= state.keys():
            raise ValueError(f"{own}: expects the state of {own}, got {state.get('rule')}")
        kept: dict[str, dict[str, np.ndarray]] = {}
        of_schedule: dict[str, np.ndarray] = {}
        for key, array in state.items():
            what, _, name = key.partition("/")
            if key in ("rule", "steps", "lr"):
                continue
            if key.startswith(_OF_SCHEDULE):
                of_schedule[key.removeprefix(_OF_SCHEDULE)] = array
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
        lr = share("lr", float(state["lr"]), below=math.inf)  # 0 where a schedule has come to it
        self._load_schedule(of_schedule)
        self.lr, self.kept, self.steps = lr, kept, int(state["steps"])

    def _load_schedule(self, state: dict[str, np.ndarray]) -> None:
        own = type(self).__name__
        if not hasattr(self.schedule, "load_state"):
            if state:
                raise ValueError(
                    f"{own}: the saved {_OF_SCHEDULE}{min(state)} does not belong here"
                )
            return
        try:
            load_schedule(self.schedule, state)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            said = error if type(error) is ValueError else f"{type(error).__name__}: {error}"
            raise ValueError(f"{own}: the saved state of its schedule: {said}") from error

    def _factor(self) -> float:
        return checked_factor(self.schedule(self.steps), self.steps)

    def _kept(self, name: str, param: Param) -> dict[str, np.ndarray]:
        if name not in self.kept and self.keeps:
            self.kept[name] = {what: np.zeros_like(param.data) for what in self.keeps}
        return self.kept.get(name, {})

    def _update_rows(self, name: str, param: Param, gradient: SparseRows, lr: float) -> None:
        """The rule on a small parameter of these rows, which are then put back."""
        self._check_sparse(name, param)
        kept, rows = self._kept(name, param), gradient.rows
        few = Param(param.data.take(rows, axis=0))
        kept_of_few = {what: array.take(rows, axis=0) for what, array in kept.items()}
        self.update(few, gradient.values, kept_of_few, lr)
        param.data[rows] = few.data
        for what, array in kept_of_few.items():
            kept[what][rows] = array

    def _check_sparse(self, name: str, param: Param) -> None:
        rule = type(self).__name__
        cure = "or leave out sparse=True of its layer"
        if not self.by_row:
            raise ValueError(
                f"{rule}: moves every row of {name} at each step, also those without a gradient, "
                f"but its gradient is sparse: take SGD or AdaGrad, which do not, {cure}"
            )
        if self.weight_decay and param.decay_mult:
            raise ValueError(
                f"{rule}: weight_decay {self.weight_decay:g} would shrink every row of {name} at "
                f"each step, but its gradient is sparse: give it decay_mult 0, {cure}"
            )

    def _clipping(self, gradients: dict) -> float:
        if self.clip_norm is None:
            return 1.0
        # linalg.norm in float64: squares of large float32 gradients would overflow.
        norms = [
            np.linalg.norm(entries(g).astype(np.float64, copy=False)) for g in gradients.values()
        ]
        norm = math.hypot(*norms)
        return min(1.0, self.clip_norm / norm) if norm > 0 else 1.0

    def _decayed(self, param: Param, gradient, lr: float):
        weight_decay = self.weight_decay * param.decay_mult
        if self.decay == "l2":
            return gradient + weight_decay * param.data
        if self.decay == "l1":
            return gradient + weight_decay * np.sign(param.data)
        param.data *= 1.0 - lr * weight_decay
        return gradient


def _merged(gradient):
    return gradient.merged() if isinstance(gradient, SparseRows) else gradient

"""Every exercise there is, by the name of the class or function that one writes."""

import dataclasses
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lamina import optimizers
from lamina.autodiff import numeric_gradient, numeric_jvp
from lamina.common.names import suggest
from lamina.exercises.at_hand import at_hand
from lamina.exercises.gaps import WIDTH, GapError, with_gaps
from lamina.exercises.layer_marks import mark_layer
from lamina.exercises.marking import Mark
from lamina.exercises.net_marks import (
    mark_numeric_gradient,
    mark_numeric_jvp,
    mark_sequential,
    mark_trainer,
)
from lamina.exercises.optimizer_marks import mark_optimizer
from lamina.exercises.schedule_marks import mark_function, mark_plateau, mark_warm_up
from lamina.layers import Loss
from lamina.layers.check.listing import all_layers
from lamina.nets import Sequential
from lamina.optimizers import Optimizer, Plateau
from lamina.optimizers.schedules import WarmUp
from lamina.optimizers.schedules.functions import FUNCTIONS
from lamina.training.trainer import Trainer


@dataclasses.dataclass(frozen=True)
class Exercise:
    """What is to be written: `gaps` are left out of the `target` unless one asks for others."""

    name: str
    kind: str  # gate, layer, loss, ...
    target: Any  # a class or a function
    gaps: tuple
    mark: Callable[[Any, Any, int], Mark]  # of (solution, target, seed)
    inherits: bool = False  # a long class: what is no gap comes from the project's own

    @property
    def file_name(self) -> str:
        """Such as soft_max.py; schedules are called so, since `step` is a gate as well."""
        prefix = "schedule_" if self.kind == "schedule" and self.name.islower() else ""
        return f"{prefix}{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', self.name).lower()}.py"

    @property
    def about(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.target) or "").split("\n")[0]

    def text(self, file_name: str, gaps: tuple = (), *, hints: bool = False) -> str:
        """The file to begin with. Raises GapError for what cannot be left out."""
        module = sys.modules[self.target.__module__]
        source = Path(str(inspect.getsourcefile(self.target))).read_text(encoding="utf-8")
        others = {e.name: e.target.__module__ for e in exercises().values()}
        others.pop(self.name)
        if gaps and not self.gaps:
            raise GapError(f"{self.name} is a function: it is left out as a whole, without --gap")
        whole = self.target.__module__ if self.inherits else ""
        gaps = gaps or self.gaps
        body = with_gaps(source, self.name, gaps, hints=hints, imports=others, whole=whole)
        said = (module.__doc__ or "").strip()
        if self.gaps and (lines := at_hand(self.target, gaps, body, whole=self.inherits)):
            said += "\n\nWhat is to be written may use, beside what the file shows:\n\n"
            said += "\n".join(_listed(lines))
        head = (
            f'"""Exercise {self.name}: write what is missing, then have it marked.\n\n'
            f"    lamina check {file_name}:{self.name} --as-exercise\n\n{said}\n"
        )
        return f'{head}"""\n\n{body}'


def _listed(lines: list[str]) -> list[str]:
    wrapper = textwrap.TextWrapper(
        WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False
    )
    return [row for line in lines for row in wrapper.wrap(line)]


def exercises() -> dict[str, Exercise]:
    """{name: Exercise}, in the order of their kinds."""
    if not _ALL:
        _ALL.update({one.name: one for one in _made()})
    return _ALL


_ALL: dict[str, Exercise] = {}


def exercise(name: str) -> Exercise:
    """Raises ValueError for a name that there is not."""
    if name not in exercises():
        raise ValueError(f"no exercise {name}{suggest(name, exercises())}")
    return exercises()[name]


def _made():
    yield from sorted(map(_of_layer, all_layers()), key=lambda one: one.kind)
    listed = (getattr(optimizers, name) for name in optimizers.__all__)
    for rule in listed:
        if isinstance(rule, type) and issubclass(rule, Optimizer) and rule is not Optimizer:
            gaps = ("update",) if "update" in vars(rule) else ("__init__",)
            yield Exercise(rule.__name__, "optimizer", rule, gaps, mark_optimizer)
    for name, function in FUNCTIONS.items():
        yield Exercise(name, "schedule", function, (), mark_function)
    yield Exercise("Plateau", "schedule", Plateau, ("evaluated",), mark_plateau)
    yield Exercise("WarmUp", "schedule", WarmUp, ("__call__", "evaluated"), mark_warm_up)
    yield Exercise("numeric_gradient", "net", numeric_gradient, (), mark_numeric_gradient)
    yield Exercise("numeric_jvp", "net", numeric_jvp, (), mark_numeric_jvp)
    yield Exercise("Sequential", "net", Sequential, ("backward",), mark_sequential)
    yield Exercise("Trainer", "net", Trainer, ("step",), mark_trainer, inherits=True)


def _of_layer(cls: type) -> Exercise:
    kind = "gate" if cls.__module__.endswith(".gates") else "layer"
    kind = "loss" if issubclass(cls, Loss) else kind
    return Exercise(cls.__name__, kind, cls, ("forward", "backward"), mark_layer)

"""Every exercise there is, by the name of the class or function that one writes."""

import dataclasses
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

from lamina.common.names import suggest
from lamina.exercises.gaps import GapError, with_gaps
from lamina.exercises.layer_marks import mark_layer
from lamina.exercises.marking import Mark
from lamina.layers import Loss
from lamina.layers.check.listing import all_layers


@dataclasses.dataclass(frozen=True)
class Exercise:
    """What is to be written: `gaps` are left out of the `target` unless one asks for others."""

    name: str
    kind: str  # gate, layer, loss, ...
    target: type | Callable
    gaps: tuple
    mark: Callable[[object, object, int], Mark]  # of (solution, target, seed)

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
        source = Path(inspect.getsourcefile(self.target)).read_text(encoding="utf-8")
        others = {e.name: e.target.__module__ for e in exercises().values()}
        others.pop(self.name)
        if gaps and not self.gaps:
            raise GapError(f"{self.name} is a function: it is left out as a whole, without --gap")
        body = with_gaps(source, self.name, gaps or self.gaps, hints=hints, imports=others)
        said = (module.__doc__ or "").strip()
        head = (
            f'"""Exercise {self.name}: write what is missing, then have it marked.\n\n'
            f"    lamina check {file_name}:{self.name} --as-exercise\n\n{said}\n"
        )
        return f'{head}"""\n\n{body}'


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


def _of_layer(cls: type) -> Exercise:
    kind = "gate" if cls.__module__.endswith(".gates") else "layer"
    kind = "loss" if issubclass(cls, Loss) else kind
    return Exercise(cls.__name__, kind, cls, ("forward", "backward"), mark_layer)

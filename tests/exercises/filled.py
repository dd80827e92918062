"""An exercise with something written into its gaps, as a learner would."""

import ast
import inspect
import textwrap
import types
from pathlib import Path

from lamina.exercises.catalogue import exercise
from lamina.exercises.solution import mark_file


def own_file(one, change=None):
    """What the exercise is of, from the project's own file run once more: a solution may not be the
    very same class. `change` is made to the syntax tree first."""
    path = inspect.getsourcefile(one.target)
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    tree = change(tree) if change else tree
    module = types.ModuleType(one.target.__module__)
    module.__file__ = path
    exec(compile(ast.fix_missing_locations(tree), path, "exec"), module.__dict__)
    return getattr(module, one.name)


def filled(name: str, bodies: dict[str, str]) -> str:
    """The text of the exercise, `bodies` {function: its lines} in place of the gaps."""
    text = exercise(name).text("own.py", tuple(bodies) if exercise(name).gaps else ())
    lines, tree = text.splitlines(), ast.parse(text)
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name in bodies]
    for function in sorted(found, key=lambda n: -n.lineno):
        gap = function.body[-1]
        assert isinstance(gap, ast.Raise), function.name
        body = textwrap.indent(
            textwrap.dedent(bodies[function.name]).strip("\n"), " " * gap.col_offset
        )
        lines[gap.lineno - 1 : gap.end_lineno] = body.splitlines()
    return "\n".join(lines) + "\n"


def marked(tmp_path, name: str, bodies: dict[str, str]):
    """The mark of that."""
    path = tmp_path / "own.py"
    path.write_text(filled(name, bodies), encoding="utf-8")
    return mark_file(f"{path}:{name}")

"""Which statements of `backward` has the check run? What it has not run it cannot call proved."""

import ast
import contextlib
import inspect
import sys
import textwrap


class Lines:
    """The statements of a class's backward, and of what in the same file only backward calls, that
    no backward has run yet. What inherited code does is shown by the check of its own class."""

    def __init__(self, cls: type):
        self.file = inspect.getsourcefile(cls) if isinstance(cls, type) else None
        self.missing: dict[tuple, set] = {}  # {(line, source): its lines, of which none has run}
        self._codes = set()
        for function in self._only_backward(cls):
            self._codes |= set(_codes(function.__code__))
            for statement in _statements(function):
                lines = set(range(statement.lineno, (statement.end_lineno or 0) + 1))
                self.missing[statement.lineno, ast.unparse(statement)] = lines

    @contextlib.contextmanager
    def watched(self):
        """For the time of a backward. Costs nothing once all has run."""
        if not self.missing:
            yield
            return
        run, previous = set(), sys.gettrace()

        def trace(frame, event, argument):
            if frame.f_code not in self._codes:
                return None
            run.add(frame.f_lineno)
            return trace

        sys.settrace(trace)
        try:
            yield
        finally:
            sys.settrace(previous)
            self.missing = {k: lines for k, lines in self.missing.items() if not lines & run}

    def _only_backward(self, cls: type) -> list:
        of_forward = self._called("forward", cls)
        return [f for f in self._called("backward", cls) if f not in of_forward]

    def _called(self, start: str, cls: type) -> list:
        """The functions of the file that this method comes to, itself included."""
        found, names = [], [start]
        while names:
            name = names.pop()
            method = inspect.unwrap(_plain(inspect.getattr_static(cls, name, None)))
            for function in (method, vars(sys.modules.get(cls.__module__)).get(name)):
                if not inspect.isfunction(function) or function in found:
                    continue
                if function.__code__.co_filename == self.file:
                    found.append(function)
                    names += function.__code__.co_names
        return found


def _codes(code):
    """The code of a function, and of those that it makes."""
    yield code
    for inner in code.co_consts:
        if inspect.iscode(inner):
            yield from _codes(inner)


def _plain(held):
    """The function of a static or class method."""
    return getattr(held, "__func__", held)


def _statements(function) -> list[ast.stmt]:
    """Its simple statements, as they stand in the file; raising is left to other tests."""
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return []
    ast.increment_lineno(tree, first - 1)
    (whole,) = tree.body
    return [
        node
        for node in ast.walk(whole)
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr))
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]

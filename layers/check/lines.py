"""Which statements of `backward` has the check run? What it has not run it cannot call proved."""

import ast
import contextlib
import inspect
import sys
import textwrap

from lamina.layers.check.executed import Executed, Place, place_of


class Lines:
    """The statements of a class's backward, and of what in the same file only backward calls, that
    no backward has run yet, with the two ends of `a if c else b`. What inherited code does is shown
    by the check of its own class."""

    def __init__(self, cls: type):
        self.file = inspect.getsourcefile(cls) if isinstance(cls, type) else None
        self.missing: dict[tuple, Place] = {}  # {(line, source): where it is}
        codes, plain = set(), set()
        for function in self._only_backward(cls):
            codes |= set(_codes(function.__code__))
            if (found := _tree(function)) is None:
                continue
            pieces = _pieces(*found)
            self.missing |= {(place[0][0], ast.unparse(node)): place for node, place in pieces}
            if _has_one_for_each_line(found[0]):
                plain |= set(_codes(function.__code__))
        self._executed = Executed(codes.__contains__, plain)

    @contextlib.contextmanager
    def watched(self):
        """For the time of a backward. Costs nothing once all has run."""
        if not self.missing:
            yield
            return
        executed, before = self._executed, self._executed.count
        try:
            with executed.watched():
                yield
        finally:
            if executed.count > before:
                left = {k: p for k, p in self.missing.items() if not executed.has_run(p)}
                self.missing = left

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


_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Expr)


def _tree(function) -> tuple[ast.stmt, int] | None:
    """A function as it stands in its file, and by how much it is indented there."""
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    ast.increment_lineno(tree, first - 1)
    return tree.body[0], len(lines[0]) - len(lines[0].lstrip())


def _has_one_for_each_line(tree: ast.stmt) -> bool:
    """Does no line of it hold two pieces, so that a line that was run says which?"""
    nodes = list(ast.walk(tree))
    begun = [node.lineno for node in nodes if isinstance(node, ast.stmt)]
    return len(set(begun)) == len(begun) and not any(isinstance(n, ast.IfExp) for n in nodes)


def _pieces(tree: ast.stmt, indent: int):
    """(node, place) of its simple statements, and of what an expression has for yes and no, where
    they stand in the file; raising is left to other tests."""
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp):
            yield from ((end, place_of(end, indent)) for end in (node.body, node.orelse))
        elif isinstance(node, _SIMPLE) and not _is_text(node):
            yield node, place_of(node, indent)


def _is_text(node: ast.stmt) -> bool:
    """A docstring, say, which nothing runs."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

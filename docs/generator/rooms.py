"""`.. room:: lamina.metrics`: an overview and the docstrings of all public names of a room.

Public is what `__all__` of the room has, what the directive lists below it, or with `:table:` the
functions in a table. `:of: Loss` keeps the subclasses of a class of the room, `:but: Loss` leaves
them out, and `:but-from:` the names that come from another package, which has a page of its own.
"""

import importlib
import inspect
import re

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList

from generator.docstrings import inline


def public_names(room: str, listed=(), table=None, of=None, but=None, but_from=None) -> list[str]:
    """The public names of a room in the order of the alphabet, classes and functions alike."""
    module = importlib.import_module(room)
    if table:
        return [entry.__name__ for entry in getattr(module, table).values()]
    names = sorted(listed or module.__all__, key=str.lower)

    def is_a(name: str, base: str | None) -> bool:
        found = getattr(module, name)
        return bool(base) and inspect.isclass(found) and issubclass(found, getattr(module, base))

    def is_from(name: str) -> bool:
        return getattr(getattr(module, name), "__module__", room).startswith(but_from or "-")

    names = [name for name in names if not is_a(name, but) and not is_from(name)]
    return [name for name in names if is_a(name, of)] if of else names


def directive_of(found) -> str:
    if inspect.isclass(found):
        return "autoexception" if issubclass(found, BaseException) else "autoclass"
    return "autofunction" if callable(found) else "autodata"


def summary(found) -> str:
    """The first sentence of the docstring, or of a value what it is."""
    if directive_of(found) == "autodata":
        return f"{len(found)} entries" if hasattr(found, "__len__") else ""
    first = (inspect.getdoc(found) or "").split("\n\n")[0].replace("\n", " ")
    return inline(re.split(r"(?<!\.)\. ", first)[0].rstrip(".:"))


class Room(Directive):
    required_arguments = 1
    has_content = True
    option_spec = dict.fromkeys(("table", "of", "but", "but-from"), directives.unchanged)

    def run(self):
        room = self.arguments[0]
        chosen = {key.replace("-", "_"): value for key, value in self.options.items()}
        names = public_names(room, " ".join(self.content).split(), **chosen)
        module = importlib.import_module(room)
        lines = [".. list-table::", "   :class: overview", ""]
        for name in names:
            lines += [f"   * - :py:obj:`{name} <{room}.{name}>`"]
            lines += [f"     - {summary(getattr(module, name))}"]
        lines.append("")
        for name in names:
            found = getattr(module, name)
            lines += [f".. {directive_of(found)}:: {room}.{name}"]
            if inspect.isclass(found):
                lines += ["   :members:", *(["   :show-inheritance:"] if bases_of(found) else [])]
            elif not callable(found):
                lines += ["   :no-value:"]
            lines.append("")
        source = self.state.document.current_source
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, source=source), self.content_offset, node)
        return node.children


PUBLIC: dict[type, str] = {}


def _learn_public_paths(app):
    """{class: the path by which one imports it}, for the bases that a class shows."""
    for room in ("layers", "optimizers", "metrics", "datasets", "nets", "training.callbacks"):
        module = importlib.import_module(f"lamina.{room}")
        for name in module.__all__:
            if inspect.isclass(getattr(module, name)):
                PUBLIC.setdefault(getattr(module, name), f"lamina.{room}.{name}")


def bases_of(found: type) -> list[type]:
    """The nearest classes above it that one can import from a room."""
    public = [base for base in inspect.getmro(found)[1:] if base in PUBLIC]
    return public[:1]


def _show_public_bases(app, name, obj, options, bases):
    bases[:] = [f":py:class:`~{PUBLIC[base]}`" for base in bases_of(obj)]


def _skip_member(app, what, name, obj, skip, options):
    """Not what another package documents, nor what the contract of a layer says of each alike."""
    foreign = not (getattr(obj, "__module__", None) or "lamina").startswith("lamina")
    return True if foreign or name == "examples" else None


def _readable_defaults(app, what, name, obj, options, signature, returned):
    if signature:
        signature = re.sub(r"<class '([\w.]+)'>", r"\1", signature)
        signature = re.sub(r"<function (\w+)(?: at 0x\w+)?>", r"\1", signature)
    return signature, returned


def setup(app):
    app.add_directive("room", Room)
    app.connect("builder-inited", _learn_public_paths)
    app.connect("autodoc-process-bases", _show_public_bases)
    app.connect("autodoc-process-signature", _readable_defaults)
    app.connect("autodoc-skip-member", _skip_member)
    return {"parallel_read_safe": True}

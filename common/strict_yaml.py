"""YAML from anywhere: text, numbers, lists and mappings within limits, and nothing else.

The limits are far above any configuration, and low enough that no file can take more than a second
or two, and some tens of megabytes, to be read or refused. Numbers are what people type: 1e-3 and
.5e3 are, as in YAML 1.2, though YAML 1.1 wants a dot and a sign; 1_0 is a text.
"""

import re
from typing import Any

import yaml

MAX_BYTES = 1 << 20
MAX_NODES = 20_000  # keys, values, lists and mappings; an alias counts as all that it stands for
MAX_DEPTH = 50
MAX_KEY = 200  # characters
MAX_NUMBER = 100  # characters; 1:30:00 counts in sixties, and long ones take time by the square
_TAG = "tag:yaml.org,2002:"
_TYPES = {_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map")}
_MERGE = _TAG + "merge"
_NUMBERS = {
    "int": r"[-+]?(0b[01]+|0x[0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*|[1-9][0-9]*(:[0-5]?[0-9])+)",
    "float": r"""[-+]?([0-9]+\.[0-9]*([eE][-+]?[0-9]+)? | \.[0-9]+([eE][-+]?[0-9]+)?
        | [0-9]+[eE][-+]?[0-9]+ | [0-9]+(:[0-5]?[0-9])+\.[0-9]* | \.(inf|Inf|INF))
        | \.(nan|NaN|NAN)""",
}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # not: tab, line end


class YamlError(ValueError):
    """Text that is no YAML or not allowed here; `line` is where, counted from 1, if known."""

    def __init__(self, message: str, line: int | None = None):
        super().__init__(message)
        self.line = line


def parse(text: str) -> tuple[Any, dict[tuple, int]]:
    """(data, {place: line}) of one YAML document; (None, {}) if there is none.

    A place is a tuple of keys, and of numbers in lists. Raises YamlError for what is no YAML, for
    keys that stand twice or are no text, for dates and other types, and beyond the limits.
    """
    lines: dict[tuple, int] = {}
    loader = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return None, lines
        _record(root, (), lines)
        return loader.construct_document(root), lines
    except yaml.YAMLError as error:
        raise YamlError(f"no valid YAML: {_problem(error)}", _line(error, text)) from None
    except (ValueError, OverflowError) as error:  # of "\Uffffffff", which is no character
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"no valid YAML: {error}", loader.line + 1 if loader else None) from None


def dump(data) -> str:
    """Data as `parse` gives them, as YAML."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def check_text(text: str, line: int | None = None) -> str:
    """text, unless it holds what no terminal should be sent and no file name has."""
    if found := _UNPRINTABLE.search(text):
        raise YamlError(f"holds a control character, U+{ord(found[0]):04X}", line)
    return text


def describe(value) -> str:
    """A YAML value and its kind, for errors."""
    if value is None:
        return "nothing"
    names = {bool: "true/false", int: "a whole number", float: "a number", str: "the text"}
    names |= {list: "a list", dict: "a mapping"}
    kind = names.get(type(value), type(value).__name__)
    return kind if isinstance(value, (list, dict)) else f"{kind} {value!r}"


class _Loader(yaml.SafeLoader):
    """The safe loader, which stops at the limits while it builds the tree of nodes."""

    def __init__(self, text: str):
        super().__init__(text)
        self.level = 0
        self.extents: dict[int, tuple[int, int]] = {}  # id of a node: how many it holds, how deep

    def compose_node(self, parent, index):
        is_alias, line = self.check_event(yaml.AliasEvent), self.peek_event().start_mark.line + 1
        self.level += 1
        if self.level > MAX_DEPTH:
            raise YamlError(f"is nested deeper than {MAX_DEPTH} levels", line)
        node = super().compose_node(parent, index)
        self.level -= 1
        if is_alias:
            if id(node) not in self.extents:
                raise YamlError("refers to itself", line)
            return node
        inside = [self.extents[id(child)] for child in _children(node)]
        size = 1 + sum(size for size, _ in inside)
        depth = 1 + max((depth for _, depth in inside), default=0)
        self.extents[id(node)] = size, depth
        if max(size, len(self.extents)) > MAX_NODES:
            raise YamlError(f"has more than {MAX_NODES} keys and values, aliases written out", line)
        if depth > MAX_DEPTH:
            raise YamlError(f"is nested deeper than {MAX_DEPTH} levels, aliases written out", line)
        return node

    def construct_object(self, node, deep=False):
        line, kind = node.start_mark.line + 1, node.tag.removeprefix(_TAG)
        if node.tag not in _TYPES:
            raise YamlError(
                f"expects text, numbers, true or false, lists and mappings, got a value of type "
                f"{node.tag[:MAX_KEY]!r}; quotes make it a text",
                line,
            )
        number = kind in ("int", "float") and isinstance(node, yaml.ScalarNode)
        if number and len(node.value) > MAX_NUMBER:
            raise YamlError(f"a number of {len(node.value)} characters is too long", line)
        if number and "_" in node.value:  # of !!int 1_0
            raise YamlError(f"{node.value!r} is no {kind}", line)
        try:
            value = super().construct_object(node, deep)
        except (ValueError, OverflowError, LookupError) as error:  # of !!int x, for example
            if isinstance(error, YamlError):
                raise
            raise YamlError(f"{str(node.value)[:MAX_KEY]!r} is no {kind}", line) from None
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise YamlError(f"{node.value} is too large for a whole number", line)
        return check_text(value, line) if isinstance(value, str) else value


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1, or `parse`, would take for a number."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag.removeprefix(_TAG) not in _NUMBERS]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _class in (_Loader, _Dumper):
    for _kind, _pattern in _NUMBERS.items():
        _whole = re.compile(f"^(?:{_pattern})$", re.VERBOSE)
        _class.add_implicit_resolver(_TAG + _kind, _whole, list("-+0123456789."))


def _children(node) -> list:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _record(node, place: tuple, lines: dict) -> None:
    """Note the line of every key, and refuse a key that stands twice (YAML would keep the last)."""
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            lines[(*place, i)] = item.start_mark.line + 1
            _record(item, (*place, i), lines)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line, name = key.start_mark.line + 1, _key(key)
        if name in seen and key.tag != _MERGE:
            full = ".".join(str(part) for part in (*place, name))
            message = f"{full}: stands a second time (first in line {seen[name]}); keep one"
            raise YamlError(message, line)
        seen[name] = lines[(*place, name)] = line
        _record(value, (*place, name), lines)


def _key(key) -> str:
    line = key.start_mark.line + 1
    if not isinstance(key, yaml.ScalarNode):
        raise YamlError("expects a text as a key, got a list or a mapping", line)
    if len(key.value) > MAX_KEY:
        raise YamlError(f"a key of {len(key.value)} characters is too long", line)
    if "\n" in key.value or "\t" in key.value:
        raise YamlError(f"expects a key on one line, without tabs, got {key.value!r}", line)
    check_text(key.value, line)
    if key.tag not in (_TAG + "str", _MERGE):
        raise YamlError(f"expects a text as a key, got {key.value}; put it into quotes", line)
    return key.value


def _line(error: yaml.YAMLError, text: str) -> int | None:
    if mark := getattr(error, "problem_mark", None):
        return mark.line + 1
    position = getattr(error, "position", None)  # of a character that YAML does not allow
    return None if position is None else text.count("\n", 0, position) + 1


def _problem(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return problem if problem.isprintable() else ascii(problem)

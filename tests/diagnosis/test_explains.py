"""What a finding explains is the name of another: by a misspelt one both would be causes."""

import ast
from pathlib import Path

from lamina.diagnosis import causes
from lamina.diagnosis.finding import EVERYTHING

FILES = sorted(Path(causes.__file__).parent.glob("*.py"))


def _findings():
    """(the call of Finding, its file) of all causes."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                yield node, path.name


def _texts(node) -> set[str]:
    constants = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def _explained(call) -> set[str]:
    return set().union(*(_texts(k.value) for k in call.keywords if k.arg == "explains"))


def test_every_name_that_is_explained_is_that_of_a_finding():
    calls = list(_findings())
    names = set().union(*(_texts(call.args[0]) for call, _ in calls))
    assert len(calls) > 30
    for call, file in calls:
        assert _explained(call) <= names | {EVERYTHING}, file
    assert len(set().union(*(_explained(call) for call, _ in calls))) > 15

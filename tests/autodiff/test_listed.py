"""docs/differentiation.md lists the functions that have a rule, and no other."""

import re
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lamina.autodiff.rules import COMPOSITE, CONSTANT, JOINS, RULES, WRITES

PAGE = (Path(__file__).parents[2] / "docs" / "differentiation.md").read_text(encoding="utf-8")


def of_numpy(name: str):
    """np.linalg.det for linalg.det."""
    if name == "sliding_window_view":
        return sliding_window_view
    found = np
    for part in name.split("."):
        found = getattr(found, part)
    return found


def test_every_function_is_listed():
    lists = PAGE[PAGE.index("**Entry") : PAGE.index("\n\nWhat writes")]
    listed = {of_numpy(name) for name in re.findall(r"`([\w.]+)`", lists)}
    ruled = {*RULES, *COMPOSITE, *JOINS, *WRITES, *CONSTANT}
    named = {f for f in ruled if f in listed or getattr(np, f.__name__, None) is f}
    named |= {f for f in ruled if getattr(np.linalg, f.__name__, None) is f}
    assert listed == named

"""Tests of rules: each file has a table CASES[function] of (f, *shapes), which cover its room."""

import numpy as np
import pytest

from lamina.autodiff import vjp
from lamina.autodiff.rules import RULES


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        cases = [(function, *c) for function, few in metafunc.module.CASES.items() for c in few]
        metafunc.parametrize("case", cases, ids=[function.__name__ for function, *_ in cases])


@pytest.fixture
def check_case(check, arrays):
    def check_case(case, **kwargs):
        _, f, *shapes = case
        check(f, *arrays(np.random.default_rng(1), *shapes, **kwargs))

    return check_case


@pytest.fixture
def check_covered(followed, arrays):
    """Look at all cases of a room: each function must be met, and each of its arguments."""

    def check_covered(room, table):
        names = ("RULES", "COMPOSITE", "JOINS", "DIFFERENTIALS")
        functions = {f for name in names for f in getattr(room, name, {})}
        assert set(table) == functions
        for function, cases in table.items():
            followed.clear()
            for f, *shapes in cases:
                vjp(f, *arrays(np.random.default_rng(1), *shapes))
            rules = RULES.get(function, ())
            if isinstance(rules, list):
                missing = [i for i, r in enumerate(rules) if r and (function, i) not in followed]
                assert not missing, f"{function} has no case for arguments {missing}"
            assert function in followed, f"{function} is in none of its cases"

    return check_covered

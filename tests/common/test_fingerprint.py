"""A digest of what an object is: what makes it another, and what does not."""

import argparse
import collections
import functools
import subprocess
import sys
import threading

import numpy as np
import pytest

from lamina.common.fingerprint import fingerprint

RATE = 0.1


def of_rate(step):
    return RATE * step


def constant(value):
    return lambda step: value


class Scaled:
    kind = "a"

    def __init__(self, factor=2.0):
        self.factor, self.rng = factor, np.random.default_rng()

    @property
    def twice(self):
        return 2 * self.factor

    def __call__(self, X):
        return self.factor * X


class Mirrored(Scaled):
    def __call__(self, X):
        return X[::-1]


class Items(list):
    """A list with something beside its items."""


def items(values, **attributes):
    made = Items(values)
    vars(made).update(attributes)
    return made


ALIKE = {
    "arrays": lambda: np.arange(6.0).reshape(2, 3),
    "lambdas": lambda: lambda step: 0.5**step,
    "closures": lambda: constant(3),
    "objects with a generator": lambda: Scaled(3.0),
    "methods": lambda: Scaled(3.0).__call__,
    "sets": lambda: {"a", "b", 1, (2, 3)},
    "partials": lambda: functools.partial(of_rate, step=3),
    "circles": lambda: (made := [1], made.append(made))[0],
    "cached functions": lambda: functools.lru_cache(of_rate),
}


@pytest.mark.parametrize("name", ALIKE)
def test_the_same_made_twice_is_the_same(name):
    a, b = ALIKE[name](), ALIKE[name]()
    assert a is not b
    assert fingerprint(a) == fingerprint(b)


OTHERS = {
    "one number of an array": (np.array([1.0, 2.0]), np.array([1.0, 2.5])),
    "types of arrays": (np.zeros(2, np.float32), np.zeros(1, np.float64)),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "arrays of objects": (np.array([[1], None], object), np.array([[2], None], object)),
    "constants of lambdas": (lambda step: 0.5, lambda step: 1.0),
    "operations": (lambda a, b: a + b, lambda a, b: a - b),
    "inner functions": (lambda s: [i + 1 for i in s], lambda s: [i + 2 for i in s]),
    "closures": (constant(1), constant(2)),
    "defaults": (lambda s, k=1: s, lambda s, k=2: s),
    "settings": (functools.partial(of_rate, step=1), functools.partial(of_rate, step=2)),
    "attributes": (Scaled(1.0), Scaled(2.0)),
    "methods of one name": (Scaled(), Mirrored()),
    "classes": (Scaled, Mirrored),
    "deques": (collections.deque([1]), collections.deque([2])),
    "items of own lists": (items([1]), items([2])),
    "attributes of own lists": (items([1], a=1), items([1], a=2)),
    "one and true": (1, True),
    "nesting": ([[1], 2], [[1, 2]]),
    "lists that a method fills": ([].append, [1].append),
    "functions of NumPy": (np.sum, np.mean),
    "generators and numbers": (np.random.default_rng(0), 0),
}


@pytest.mark.parametrize("name", OTHERS)
def test_others_are_others(name):
    a, b = OTHERS[name]
    assert fingerprint(a) != fingerprint(b)


def test_a_function_is_another_where_what_it_reads_is(monkeypatch):
    before = fingerprint(of_rate)
    monkeypatch.setattr(sys.modules[__name__], "RATE", 1.0)
    assert fingerprint(of_rate) != before


def test_a_copy_and_a_save_leave_a_class_what_it_is():
    before = fingerprint(Scaled())
    Scaled().__reduce_ex__(2)  # which leaves its notes in the class
    assert fingerprint(Scaled()) == before


def test_what_cannot_be_told_apart_is_never_the_same():
    for thing in (threading.Lock(), {"a": [threading.Lock()]}, sys.stdout):
        assert fingerprint(thing) != fingerprint(thing)


def test_another_process_says_the_same():
    made = "from collections import deque\nfrom lamina.common.fingerprint import fingerprint\n"
    made += "k = {'a', 'b', 'c'}\ndef f(s): return [k, deque([s])]\nprint(fingerprint(f))"
    said = {
        subprocess.run(
            [sys.executable, "-c", made],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


ARGS = argparse.Namespace(hidden=4, seed=0)


def of_arguments():
    return ARGS.hidden


def test_of_the_settings_of_a_command_line_those_count_that_are_read(monkeypatch):
    before = fingerprint(of_arguments)
    monkeypatch.setattr(ARGS, "seed", 1)
    assert fingerprint(of_arguments) == before
    monkeypatch.setattr(ARGS, "hidden", 64)
    assert fingerprint(of_arguments) != before


def scaled(x, settings):
    return x * settings.hidden


@pytest.mark.parametrize(
    "function",
    [
        lambda x: scaled(x, ARGS),
        lambda x: x * getattr(ARGS, "hidden"),  # noqa: B009
        lambda x: x * vars(ARGS)["hidden"],
        lambda x: [x * ARGS.hidden for _ in range(2)],
    ],
)
def test_settings_that_are_read_in_another_way_count_too(function, monkeypatch):
    before = fingerprint(function)
    monkeypatch.setattr(ARGS, "hidden", 64)
    assert fingerprint(function) != before

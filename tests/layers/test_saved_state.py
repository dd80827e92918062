"""What a file may put back into a layer: shapes, dtypes and generator states that fit."""

import json

import numpy as np
import pytest

from lamina.layers import Param
from lamina.layers.saved_state import misfit, restore, saved

KINDS = [np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64, np.random.MT19937]
WRONG = [None, "x", -1, 2**200, 1.5, [], {}, 10**5, [[1]], float("nan")]


@pytest.mark.parametrize("kind", KINDS)
def test_generators_go_on_where_they_were(kind):
    rng = np.random.Generator(kind(0))
    rng.integers(5, size=3)
    kept = saved(rng)
    expected = rng.random(5)
    assert misfit(rng, kept) == ""
    restore(rng, kept)
    np.testing.assert_array_equal(rng.random(5), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_states_that_are_none(kind):
    rng = np.random.Generator(kind(0))
    for text in ("", "[", "3", "null", "{}", "[" * 100_000, '{"bit_generator": "PCG64"}'):
        assert misfit(rng, np.array(text)).startswith(f"expects the state of a {kind.__name__}, go")


def changed(state: dict):
    """The state with one value after another replaced by each of WRONG."""
    for key, value in state.items():
        for wrong in WRONG:
            yield {**state, key: wrong}
        if isinstance(value, dict):
            yield from ({**state, key: inner} for inner in changed(value))


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_that_is_taken_can_be_drawn_from(kind):
    """NumPy takes a place of 100,000 in a buffer of 624, and reads there: it crashed."""
    rng = np.random.Generator(kind(0))
    taken = 0
    for state in changed(json.loads(str(saved(rng)))):
        text = np.array(json.dumps(state))
        if misfit(rng, text) == "":
            restore(rng, text)
            assert np.isfinite(rng.random(1000)).all()
            taken += 1
    assert taken < 40


@pytest.mark.parametrize(
    ("dtype", "reason"),
    [("f8", ""), ("f2", ""), ("i8", ""), ("?", ""), ("c8", "complex64"), ("U3", "<U3")],
)
def test_arrays_of_a_kind_that_does_not_fit(dtype, reason):
    found = misfit(Param(np.zeros(2, np.float32)), np.zeros(2, dtype))
    assert found == (f"expects float32, got {reason}" if reason else "")

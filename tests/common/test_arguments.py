"""Objects remember the arguments that they were made with, and have nothing to do for it."""

import copy
import inspect
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lamina.common.arguments import Remembers, Unwritable, call, without_defaults
from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    Layer,
    Relu,
    Slice,
    SVMLoss,
)
from lamina.layers.initializers import make_initializer, xavier_uniform


class Silent(Layer):
    """It never calls super().__init__()."""

    def __init__(self, n, *sizes, name="x", **more):
        self.n = n


class Inheriting(Silent):
    pass


class Handing(Silent):
    def __init__(self, width, **settings):
        super().__init__(2 * width, **settings)


@dataclass(eq=False)
class Written(Layer):
    p: int
    q: float = 0.5


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (Affine(784, 50, rng=0), {"n_in": 784, "n_out": 50}),
        (Affine(n_out=2, n_in=3, rng=np.random.default_rng(0)), {"n_in": 3, "n_out": 2}),
        (Affine(3, 2, rng=0, dtype=np.float64), {"n_in": 3, "n_out": 2, "dtype": "float64"}),
        (
            Affine.from_arrays(np.zeros((3, 2)), np.zeros(2)),
            {"n_in": 3, "n_out": 2, "dtype": "float64"},
        ),
        (Relu(), {}),
        (Dropout(rng=0), {}),
        (Dropout(np.float64(0.25), rng=0), {"p": 0.25}),
        (Slice(1, (2, np.int64(3))), {"axis": 1, "sizes": [2, 3]}),
        (SVMLoss("sum", margin=2), {"reduction": "sum", "margin": 2}),
        (Silent(1), {"n": 1}),
        (
            Silent(1, 2, 3, name="y", extra=True, rng=5),
            {"n": 1, "sizes": [2, 3], "name": "y", "extra": True},
        ),
        (Inheriting(1), {"n": 1}),
        (Handing(4, name="z"), {"width": 4, "name": "z"}),
        (Written(3), {"p": 3}),
        (Written(3, q=1.0), {"p": 3, "q": 1.0}),
        (Silent(Path("a") / "b"), {"n": str(Path("a") / "b")}),
        (Silent({"a": (1, None)}), {"n": {"a": [1, None]}}),
    ],
)
def test_they_are_plain_data_by_name_without_the_generator(layer, expected):
    assert layer.arguments() == expected


@pytest.mark.parametrize(
    ("init", "expected"),
    [
        (xavier_uniform, "xavier_uniform"),
        (make_initializer("xavier_uniform"), "xavier_uniform"),
        (make_initializer("normal", std=0.01), {"type": "normal", "std": 0.01}),
        (lambda shape, rng, dtype: np.ones(shape, dtype), Unwritable("function <lambda>")),
    ],
)
def test_initializers_by_name_and_settings_where_they_are_ours(init, expected):
    assert Affine(3, 2, init=init, rng=0).arguments()["init"] == expected


def test_what_is_no_plain_data_is_named():
    said = [repr(Silent(x).arguments()["n"]) for x in (np.ones(3), Relu(), str, print, [Relu()])]
    assert said == [
        *("<array (3,) float64>", "<Relu object>", "<class str>", "<function print>"),
        "<list object>",
    ]


def test_a_list_that_changes_later_changes_nothing():
    sizes = [1, 2]
    layer = Slice(1, sizes)
    sizes.append(3)
    layer.arguments()["sizes"] = None
    assert layer.arguments() == {"axis": 1, "sizes": [1, 2]}


def test_copies_and_twins_remember_too():
    layer = Convolution(1, 2, 3, rng=0)
    copies = copy.copy(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), layer.twin()
    for one in copies:
        assert one.arguments() == {"c_in": 1, "c_out": 2, "kernel": 3}


def test_nothing_that_a_layer_holds_is_found_twice():
    rng = np.random.default_rng(0)
    layer = Silent(3, drawn=rng, inner=Affine(2, 2, rng=rng))
    assert list(layer.walk()) == []
    assert not layer.state()


def test_without_an_init_there_are_no_arguments():
    with pytest.raises(TypeError, match=r"Relu\(\) takes no arguments"):
        Relu(3)
    with pytest.raises(TypeError, match=r"Relu\(\) takes no arguments"):
        Relu(slope=3)


def test_wrong_arguments_are_an_error_of_the_constructor():
    with pytest.raises(TypeError, match=r"__init__.* missing 1 required .* 'n_out'"):
        Affine(3, rng=0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'units'"):
        Affine(3, 2, units=3, rng=0)


def test_the_signature_of_a_class_is_that_of_its_constructor():
    assert list(inspect.signature(Affine).parameters) == [
        *("n_in", "n_out", "bias", "bias_value", "tied", "transposed", "init", "rng", "dtype")
    ]
    assert list(inspect.signature(Relu).parameters) == []
    assert list(inspect.signature(Written).parameters) == ["p", "q"]


def test_defaults_say_nothing():
    given = BatchNormalization(4, momentum=0.9, eps=1e-5, dtype="float32").arguments()
    assert len(given) == 4
    said = without_defaults(BatchNormalization, given)
    signature = inspect.signature(BatchNormalization).parameters
    same = {"momentum": 0.9, "eps": 1e-5}
    changed = {n: v for n, v in same.items() if signature[n].default != v}
    assert said == {"n_channels": 4, **changed}
    assert without_defaults(Silent, {"n": 1, "name": "x", "more": 2}) == {"n": 1, "more": 2}


@pytest.mark.parametrize("layer", [Silent(1, 2, 3, extra=4), Silent(1), Written(2, q=3.0)])
def test_a_call_with_the_arguments_makes_the_same(layer):
    assert call(type(layer), layer.arguments()).arguments() == layer.arguments()


def test_a_class_that_goes_round_new_has_none():
    class Strange(Remembers):
        def __new__(cls, *args):
            return object.__new__(cls)

        def __init__(self, n):
            pass

    assert Strange(1).arguments() == {}
    assert repr(Strange(1)) == "Strange()"

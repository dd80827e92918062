"""Every layer that the project lists passes the check on its own examples."""

import importlib
import inspect
from pathlib import Path

import numpy as np
import pytest

from lamina import layers
from lamina.common.arguments import without_defaults
from lamina.layers import Layer
from lamina.layers.check import check_class
from lamina.layers.check.listing import all_layers


@pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)
def test_the_layer_keeps_the_contract(cls):
    report = check_class(cls)
    assert report.passed, report


@pytest.mark.often(2)
@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
@pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)
def test_other_numbers_give_the_same_verdict(cls, seed):
    report = check_class(cls, seed=seed)
    assert report.passed, report


# Where parameters begin, how a batch is shared out, and what only checks another argument.
_NOT_OF_A_PASS = {"init", "rng", "dtype", "sync", "transposed"}
_NOT_OF_A_PASS |= {"bias_value", "forget_bias", "slope of PRelu", "value of Scale", "value of Bias"}


@pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)
def test_each_setting_is_another_one_in_some_example(cls):
    """A layer that takes eps=0.00001 for its eps would pass the check, and an exercise, too."""
    parameters = inspect.signature(cls).parameters.values()
    settings = {p.name for p in parameters if p.default is not p.empty} - _NOT_OF_A_PASS
    for layer, *_ in cls.examples(np.random.default_rng(0)):
        settings -= set(without_defaults(cls, layer.arguments()))
    assert {f"{name} of {cls.__name__}" for name in settings} <= _NOT_OF_A_PASS


def test_all_lists_every_layer_there_is():
    for path in Path(layers.__file__).parent.glob("*.py"):
        if path.stem in ("__init__",):
            continue
        module = importlib.import_module(f"lamina.layers.{path.stem}")
        for name, value in vars(module).items():
            if name.startswith("_"):  # what some layers of a file share
                continue
            if isinstance(value, type) and issubclass(value, Layer):
                if value.forward is Layer.forward and name not in ("Layer", "Loss"):
                    continue  # a base
                assert name in layers.__all__, f"{path.name}: {name}"


def test_a_layer_without_examples_is_reported():
    class Bare(Layer):
        def forward(self, X):
            return X

    report = check_class(Bare)
    assert not report.passed
    assert "Bare has no examples(rng)" in str(report)

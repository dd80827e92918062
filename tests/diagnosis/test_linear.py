"""The doctor knows which layers draw straight lines alone: those that do, and no others."""

import warnings

import numpy as np
import pytest

from lamina import layers
from lamina.diagnosis.linear import LINEAR
from lamina.layers import Layer, Loss

CLASSES = [getattr(layers, name) for name in layers.__all__]
LAYERS = [
    cls
    for cls in CLASSES
    if isinstance(cls, type)
    and issubclass(cls, Layer)
    and not issubclass(cls, Loss)
    and cls.examples.__func__ is not Layer.examples.__func__
]


@pytest.mark.parametrize("cls", LAYERS)
def test_every_layer_that_is_a_line_in_evaluation_counts_as_one(cls):
    rng = np.random.default_rng(0)
    of_floats = [
        (layer, inputs)
        for layer, *inputs in cls.examples(rng)
        if all(np.asarray(x).dtype.kind == "f" for x in inputs)
    ]
    if not of_floats:  # rows of a table: a line in what stands for the word
        assert cls is layers.Embedding
        assert cls.__name__ in LINEAR
        return
    assert all(_is_a_line(*one, rng) for one in of_floats) == (cls.__name__ in LINEAR)


def _is_a_line(layer, inputs, rng) -> bool:
    """Is f(3 a - 2 b) = 3 f(a) - 2 f(b)?"""
    layer.set_training(False)
    a, b = ([rng.standard_normal(np.shape(x)) for x in inputs] for _ in range(2))
    beyond = [3.0 * x - 2.0 * z for x, z in zip(a, b, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a root of what lies below 0
        of_a, of_b, found = (_outputs(layer, some) for some in (a, b, beyond))
    return all(
        np.allclose(3.0 * y - 2.0 * z, w, atol=1e-8)
        for y, z, w in zip(of_a, of_b, found, strict=True)
    )


def _outputs(layer, inputs) -> list[np.ndarray]:
    found = layer.forward(*inputs)
    return [np.array(y) for y in (found if isinstance(found, (tuple, list)) else (found,))]

"""Whole numbers in: right numbers or one clear error, never a result that has wrapped."""

import numpy as np
import pytest

import lamina.layers
from lamina.layers import Layer, Loss, Softmax, SoftmaxWithLoss, SquaredErrorLoss
from lamina.layers.check import check_layer
from lamina.layers.floats import check_floats

NAMES = [n for n in lamina.layers.__all__ if n not in ("AutoLayer", "Layer", "Loss", "Param")]
CLASSES = [getattr(lamina.layers, n) for n in NAMES]
LAYERS = [c for c in CLASSES if issubclass(c, Layer)]
RNG = np.random.default_rng(0)


def whole(x, dtype):
    return RNG.integers(0, 2 if dtype is bool else 12, x.shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool])
@pytest.mark.parametrize("cls", LAYERS)
def test_whole_numbers_are_refused_or_computed_with_rightly(cls, dtype):
    said = set()
    for layer, *inputs in cls.examples(np.random.default_rng(0)):
        layer.set_training(False)
        floats = inputs[:1] if isinstance(layer, Loss) else inputs
        given = [whole(x, dtype) if x.dtype.kind == "f" else x for x in floats]
        targets = inputs[len(floats) :]
        try:
            results = layer.forward(*given, *targets)
        except TypeError as error:
            said.add(str(error))
            continue
        wide = [
            x.astype(np.float64) if y.dtype.kind == "f" else y
            for x, y in zip(given, floats, strict=True)
        ]
        expected = layer.forward(*wide, *targets)
        if not isinstance(results, tuple):
            results, expected = (results,), (expected,)
        for result, right in zip(results, expected, strict=True):
            np.testing.assert_allclose(np.asarray(result, float), right, rtol=1e-9, atol=1e-9)
    refusal = f"{cls.__name__}: expects floats, got {np.dtype(dtype)}; X.astype(np.float32)"
    assert said <= {refusal}


def test_what_used_to_wrap_in_silence():
    scores = np.array([[1, 5, 2]], np.uint8)
    for layer, *targets in (
        (Softmax(),),
        (SoftmaxWithLoss(), np.array([1])),
        (SquaredErrorLoss(), np.array([[2, 2, 2]])),
    ):
        with pytest.raises(TypeError, match="expects floats, got uint8"):
            layer.forward(scores, *targets)
        layer.forward(scores.astype(np.float32), *targets)


def test_numbers_without_a_dtype_pass():
    check_floats("gate", 1, 2.0, np.float64(3.0), np.int64(4))
    with pytest.raises(TypeError, match="gate: expects floats, got int64"):
        check_floats("gate", 1.0, np.array(2))


class Own(Layer):
    def forward(self, X):
        self.Y = np.tanh(X - np.full((), 3, X.dtype, like=X))
        return self.Y

    def backward(self, dout):
        return dout * (1.0 - self.Y * self.Y)


class OwnThatMinds(Own):
    def forward(self, X):
        check_floats(self, X)
        return super().forward(X)


def test_the_check_of_layers_says_that_a_layer_wraps():
    X = RNG.standard_normal((4, 5))
    report = check_layer(Own(), X)
    assert report.passed
    assert "is wrong where X is uint8 and says nothing" in str(report)
    assert "check_floats(self, X)" in str(report)
    assert "uint8" not in str(check_layer(OwnThatMinds(), X))

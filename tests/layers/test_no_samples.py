"""A batch of no samples, or an axis of size 0: right shapes and gradients of zero, or one error."""

import warnings

import numpy as np
import pytest

import lamina.layers
from lamina.layers import BatchNormalization, Convolution, GroupNormalization, Layer, Loss
from lamina.layers.sparse_rows import entries

RNG = np.random.default_rng(0)
LAYERS = {
    "by window": lambda: Convolution(4, 4, 3, rng=RNG),
    "by pixel": lambda: Convolution(4, 4, 3, padding=1, rng=RNG),
    "grouped": lambda: Convolution(4, 4, 3, groups=2, rng=RNG),
    "grouped and padded": lambda: Convolution(4, 8, 3, padding=1, groups=4, rng=RNG),
    "with a stride": lambda: Convolution(4, 64, 3, stride=2, groups=2, rng=RNG),
    "of groups": lambda: GroupNormalization(2, 4),
    "of one group": lambda: GroupNormalization(1, 4),
}


@pytest.mark.parametrize("name", LAYERS)
def test_no_samples_give_nothing(name):
    layer = LAYERS[name]()
    X = np.zeros((0, 4, 7, 7), np.float32)
    Y = layer.forward(X)
    assert Y.shape == (0, *layer.output_shape(X.shape[1:]))
    assert layer.backward(Y).shape == X.shape
    for param in layer.parameters().values():
        assert param.grad.shape == param.data.shape
        assert not param.grad.any()


NAMES = [n for n in lamina.layers.__all__ if n not in ("AutoLayer", "Layer", "Loss", "Param")]
CLASSES = [cls for n in NAMES if issubclass(cls := getattr(lamina.layers, n), Layer)]


def emptied(cls):
    """(layer, inputs with an axis of size 0, that axis), of all examples and in both modes."""
    for training in (True, False):
        for layer, *inputs in cls.examples(np.random.default_rng(0)):
            layer.set_training(training)
            for axis in range(inputs[0].ndim):
                shared = [x for x in inputs if x.ndim > axis]
                if len(shared) == len(inputs):
                    yield layer, [np.take(x, [], axis=axis) for x in inputs], axis


@pytest.mark.parametrize("cls", CLASSES)
def test_an_axis_of_size_0_gives_zero_gradients_or_one_error(cls):
    n = 0
    for layer, inputs, axis in emptied(cls):
        n += 1
        with warnings.catch_warnings(action="error"):
            try:
                outputs = layer.forward(*inputs)
            except ValueError as error:
                said = str(error)
                # Without samples no loss is a mean, and no batch has statistics.
                needs_some = issubclass(cls, (Loss, BatchNormalization))
                assert axis or inputs[0].ndim == 1 or needs_some, said
                assert said.startswith(f"{cls.__name__}: "), said
                assert " got " in said
                continue
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            back = layer.backward(*(np.ones(np.shape(y)) for y in outputs))
        for dX, X in zip(back if isinstance(back, tuple) else (back,), inputs, strict=True):
            assert dX is None or dX.shape == X.shape
        for param in layer.parameters().values():
            assert not np.any(entries(param.grad)) if param.trainable else param.grad is None
            param.grad = None
    assert n


@pytest.mark.parametrize("shape", [(2, 1, 0, 6), (2, 1, 7, 0), (0, 1, 0, 0)])
def test_images_without_pixels_are_refused_however_wide_the_padding(shape):
    layer = Convolution(1, 2, 2, padding=3, rng=RNG)
    with pytest.raises(ValueError, match="images of at least one pixel, got"):
        layer.forward(np.zeros(shape, np.float32))


def test_batch_statistics_of_no_sample_say_how_many_there_were():
    with pytest.raises(ValueError, match="at least 2 values per channel, got 0"):
        BatchNormalization(2).forward(np.zeros((0, 2), np.float32))

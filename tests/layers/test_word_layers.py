"""MeanStep and DotProducts: by hand, beside PyTorch, and what they refuse."""

import numpy as np
import pytest

from lamina.layers import DotProducts, MeanStep, ShapeError


def test_by_hand():
    x, others = np.array([[1.0, 2.0]]), np.array([[[3.0, 4.0], [0.0, 1.0]]])
    layer = DotProducts()
    assert layer.forward(x, others).tolist() == [[11.0, 2.0]]
    dx, dothers = layer.backward(np.array([[1.0, 10.0]]))
    assert dx.tolist() == [[3.0, 14.0]]
    assert dothers.tolist() == [[[1.0, 2.0], [10.0, 20.0]]]
    assert layer.output_shape((2,), (2, 2)) == (2,)
    mean = MeanStep()
    assert mean.forward(others).tolist() == [[1.5, 2.5]]
    assert mean.backward(x).tolist() == [[[0.5, 1.0], [0.5, 1.0]]]


@pytest.mark.needs_torch
def test_beside_pytorch():
    import torch

    rng = np.random.default_rng(0)
    context, others = rng.standard_normal((6, 4, 5)), rng.standard_normal((6, 3, 5))
    dout = rng.standard_normal((6, 3))
    mean, dot = MeanStep(), DotProducts()
    Y = dot.forward(mean.forward(context), others)
    dx, dothers = dot.backward(dout)
    theirs = [torch.tensor(a, requires_grad=True) for a in (context, others)]
    right = torch.bmm(theirs[1], theirs[0].mean(1)[:, :, None])[:, :, 0]
    right.backward(torch.tensor(dout))
    np.testing.assert_allclose(Y, right.detach().numpy(), rtol=0, atol=1e-12)
    for ours, tensor in zip((mean.backward(dx), dothers), theirs, strict=True):
        np.testing.assert_allclose(ours, tensor.grad.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "shapes", "words"),
    [
        (DotProducts(), [(2, 3, 4), (2, 3, 4)], r"DotProducts: expects vectors \(N, D\), got"),
        (DotProducts(), [(2, 3), (2, 5, 4)], r"expects others \(N, K, 3\), beside vectors"),
        (DotProducts(), [(2, 3), (1, 5, 3)], r"expects others of 2 samples, got \(1, 5, 3\)"),
        (MeanStep(), [(2, 0, 3)], r"MeanStep: expects sequences .* got \(N, 0, 3\)"),
    ],
)
def test_other_shapes_are_refused(layer, shapes, words):
    with pytest.raises(ShapeError, match=words):
        layer.forward(*(np.zeros(shape) for shape in shapes))
    if isinstance(layer, DotProducts):
        with pytest.raises(TypeError, match="takes two inputs"):
            layer.output_shape((3,))

"""MultiHeadAttention beside PyTorch's, masks that hide much or all, steps, and its errors."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.layers import MultiHeadAttention, ShapeError

small = st.integers(1, 3)


def attention(n_dims, n_heads, rng, **options):
    """In float64, with biases that are no zeros."""
    layer = MultiHeadAttention(n_dims, n_heads, rng=rng, dtype=np.float64, **options)
    for param in layer.parameters().values():
        param.data = rng.standard_normal(param.data.shape)
    return layer


def of_torch(layer):
    """PyTorch's layer with the same weights."""
    import torch

    theirs = torch.nn.MultiheadAttention(
        layer.n_dims, layer.n_heads, bias=layer.b is not None, batch_first=True, dtype=torch.float64
    )
    pairs = [(theirs.in_proj_weight, layer.W), (theirs.out_proj.weight, layer.W_out)]
    pairs += [(theirs.in_proj_bias, layer.b), (theirs.out_proj.bias, layer.b_out)]
    for tensor, param in pairs:
        if param is not None:
            tensor.data[...] = torch.tensor(param.data.T)
    return theirs, [(tensor, param) for tensor, param in pairs if param is not None]


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.needs_torch
@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31),
    st.tuples(small, small, small, st.integers(1, 7), st.integers(1, 7)),
    st.sampled_from(["self", "causal", "cross"]),
    st.booleans(),
    st.booleans(),
)
def test_it_is_that_of_pytorch(seed, sizes, kind, masked, bias):
    import torch

    n, n_heads, width, t, s = sizes
    rng = np.random.default_rng(seed)
    options = {"cross": kind == "cross", "causal": kind == "causal", "bias": bias}
    layer = attention(n_heads * width, n_heads, rng, **options)
    theirs, parameters = of_torch(layer)
    X, S = (rng.standard_normal((n, length, layer.n_dims)) for length in (t, s))
    inputs = [X, S] if kind == "cross" else [X]
    if masked:  # the first key is seen: PyTorch knows no answer where none is
        inputs.append(rng.random(inputs[-1].shape[:2]) < 0.6)
        inputs[-1][:, 0] = True
    Y = layer.forward(*inputs)
    tensors = [torch.tensor(Z, requires_grad=True) for Z in inputs if Z.dtype.kind == "f"]
    hidden = torch.tensor(~inputs[-1]) if masked else None
    after = torch.ones(t, t).triu(1).bool() if kind == "causal" else None
    keys = tensors[-1]
    expected, weights = theirs(
        tensors[0],
        *(keys, keys),
        key_padding_mask=hidden,
        attn_mask=after,
        average_attn_weights=False,
    )
    close(Y, expected)
    close(layer.A, weights)
    dout = rng.standard_normal(Y.shape)
    gradients = layer.backward(dout)
    expected.backward(torch.tensor(dout))
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    assert len(gradients) == len(inputs)
    assert not masked or gradients[-1] is None
    for gradient, tensor in zip(gradients, tensors, strict=False):
        close(gradient, tensor.grad)
    for tensor, param in parameters:
        close(param.grad.T, tensor.grad)


@pytest.mark.needs_torch
def test_it_begins_as_that_of_pytorch():
    import torch

    layer = MultiHeadAttention(96, 4, rng=0)
    theirs = torch.nn.MultiheadAttention(96, 4)
    assert np.abs(layer.W.data).max() == pytest.approx(math.sqrt(6 / (4 * 96)), rel=1e-3)
    largest = float(theirs.in_proj_weight.detach().abs().max())
    assert largest == pytest.approx(np.abs(layer.W.data).max(), rel=1e-3)
    assert not layer.b.data.any()
    assert not layer.b_out.data.any()


def test_a_mean_that_is_known_by_hand():
    """Keys that answer alike weigh alike, and one far ahead weighs all."""
    layer = MultiHeadAttention(2, 1, bias=False, rng=0, dtype=np.float64)
    one = np.eye(2)
    layer.W.data, layer.W_out.data = np.hstack([one, one, one]), one
    Y = layer.forward(np.array([[[0.0, 0.0], [0.0, 100.0], [0.0, 2.0]]]))
    np.testing.assert_allclose(Y[0, 0], [0.0, 34.0])
    np.testing.assert_allclose(Y[0, 1], [0.0, 100.0])


def test_scores_of_any_size_do_not_overflow():
    layer = attention(4, 2, np.random.default_rng(0))
    X = 1e4 * np.random.default_rng(1).standard_normal((2, 5, 4))
    with np.errstate(over="raise", invalid="raise"):
        Y = layer.forward(X)
        dX = layer.backward(np.ones(Y.shape))
    assert np.isfinite(Y).all()
    assert np.isfinite(dX).all()
    np.testing.assert_allclose(layer.A.sum(axis=-1), 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_position_that_sees_nothing_gets_nothing(dtype):
    rng = np.random.default_rng(0)
    layer = MultiHeadAttention(4, 2, causal=True, rng=rng, dtype=dtype)
    layer.b.data[:], layer.b_out.data[:] = 1.0, [1.0, 2.0, 3.0, 4.0]
    X = rng.standard_normal((2, 3, 4)).astype(dtype)
    mask = np.array([[0, 0, 0], [0, 0, 1]])
    with np.errstate(all="raise"):
        Y = layer.forward(X, mask)
        dX, _ = layer.backward(np.ones_like(Y))
    blind = np.array([[1, 1, 1], [1, 1, 0]], bool)
    assert (Y[blind] == layer.b_out.data).all()
    assert not layer.C.reshape(2, 3, 4)[blind].any()
    assert not layer.A[0].any()
    assert layer.A[1, :, 2].tolist() == [[0, 0, 1], [0, 0, 1]]
    assert not dX[0].any()
    assert all(np.isfinite(param.grad).all() for param in layer.parameters().values())


def test_what_is_hidden_does_not_count():
    """Other numbers under the mask, and after a position, change nothing."""
    rng = np.random.default_rng(0)
    layer = attention(6, 2, rng, cross=True)
    X, S = rng.standard_normal((2, 4, 6)), rng.standard_normal((2, 5, 6))
    mask = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]])
    other = np.where(mask[..., np.newaxis], S, 50.0)
    np.testing.assert_array_equal(layer.forward(X, S, mask), layer.forward(X, other, mask != 0))
    layer = attention(6, 2, rng, causal=True)
    later = X.copy()
    later[:, 3] += 1.0
    np.testing.assert_allclose(layer.forward(later)[:, :3], layer.forward(X)[:, :3], rtol=1e-13)


def test_dropout_drops_weights_in_training_alone():
    rng = np.random.default_rng(0)
    layer = MultiHeadAttention(8, 2, dropout=0.5, rng=rng)
    X = rng.standard_normal((8, 20, 8)).astype(np.float32)
    layer.forward(X)
    assert abs((layer.dropped == 0).mean() - 0.5) < 0.02
    kept = layer.dropped != 0
    np.testing.assert_allclose(layer.dropped[kept], 2 * layer.A[kept], rtol=1e-6)
    layer.set_training(False)
    Y = layer.forward(X)
    np.testing.assert_array_equal(layer.forward(X), Y)
    np.testing.assert_array_equal(layer.dropped, layer.A)
    assert "dropout.rng" in layer.state()
    assert "dropout.rng" not in MultiHeadAttention(8, 2, rng=0).state()


def test_steps_are_the_whole():
    rng = np.random.default_rng(0)
    layer = attention(6, 3, rng, causal=True)
    X = rng.standard_normal((2, 7, 6))
    whole, state, steps = layer.forward(X), None, []
    for t in range(7):
        y, state = layer.step(X[:, t : t + 1], state)
        steps.append(y)
    np.testing.assert_allclose(np.concatenate(steps, axis=1), whole, rtol=1e-12, atol=1e-12)
    first, state = layer.step(X[:, :4])  # a prompt at once, then several
    rest, state = layer.step(X[:, 4:], state)
    np.testing.assert_allclose(np.concatenate([first, rest], axis=1), whole, rtol=1e-12, atol=1e-12)
    dX = layer.backward(np.ones_like(whole))  # a step keeps nothing for backward
    layer.forward(X)
    np.testing.assert_array_equal(layer.backward(np.ones_like(whole)), dX)


@pytest.mark.parametrize("masked", [False, True])
def test_steps_across_keep_the_keys_of_the_source(masked):
    rng = np.random.default_rng(0)
    layer = attention(6, 2, rng, cross=True)
    X, S = rng.standard_normal((2, 4, 6)), rng.standard_normal((2, 5, 6))
    others = [S, np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]])] if masked else [S]
    whole, state, steps = layer.forward(X, *others), None, []
    for t in range(4):
        y, now = layer.step(X[:, t : t + 1], *others, state)
        assert state is None or all(a is b for a, b in zip(now, state, strict=True))
        state = now
        steps.append(y)
    np.testing.assert_allclose(np.concatenate(steps, axis=1), whole, rtol=1e-12, atol=1e-12)


def test_shapes_and_work():
    layer = MultiHeadAttention(6, 2, rng=0)
    assert MultiHeadAttention.infer((7, 6)) == {"n_dims": 6}
    assert layer.output_shape((7, 6)) == (7, 6)
    assert layer.output_shape((7, 6), (7,)) == (7, 6)
    # Per sample: three projections in and one out, scores and means.
    assert layer.flops((7, 6)) == 2 * 7 * 6 * 18 + 2 * 7 * 6 * 6 + 2 * 2 * 7 * 7 * 6
    cross = MultiHeadAttention(6, 2, cross=True, rng=0)
    assert cross.output_shape((7, 6), (5, 6), (5,)) == (7, 6)
    Y = layer.forward(np.zeros((0, 7, 6), np.float32))
    assert layer.backward(Y).shape == (0, 7, 6)
    assert not layer.W.grad.any()


X, S = np.zeros((2, 3, 4), np.float32), np.zeros((2, 5, 4), np.float32)


@pytest.mark.parametrize(
    ("cross", "inputs", "error", "words"),
    [
        (False, [X[0]], ShapeError, r"expects \(N, T, 4\), got \(N, 4\)"),
        (False, [X[..., :3]], ShapeError, r"expects \(N, T, 4\), got \(N, 3, 3\)"),
        (False, [X, np.ones((2, 5), int)], ShapeError, r"a mask \(N, 3\).*got \(N, 5\)"),
        (False, [X, np.ones((2, 3, 3), int)], ShapeError, r"a mask \(N, 3\).*got \(N, 3, 3\)"),
        (False, [X, np.ones((1, 3), int)], ShapeError, "inputs of one batch size, got 2, 1"),
        (False, [X, np.ones((2, 3))], TypeError, r"mask is of booleans .*got float64"),
        (False, [X, np.ones((2, 3), int), X], ShapeError, "X, and perhaps a mask, got 3 inputs"),
        (True, [X], ShapeError, "X and a source S, and perhaps a mask, got 1 inputs"),
        (True, [X, S[..., :2]], ShapeError, r"a source \(N, S, 4\), got \(N, 5, 2\)"),
        (True, [X, S[:1]], ShapeError, "inputs of one batch size, got 2, 1"),
        (True, [X, S, np.ones((2, 3), int)], ShapeError, r"a mask \(N, 5\).*got \(N, 3\)"),
    ],
)
def test_inputs_that_do_not_fit(cross, inputs, error, words):
    layer = MultiHeadAttention(4, 2, cross=cross, rng=0)
    with pytest.raises(error, match=words):
        layer.forward(*inputs)


def test_settings_that_make_no_attention():
    with pytest.raises(ValueError, match=r"n_heads must divide n_dims.*n_dims 6 and n_heads 4"):
        MultiHeadAttention(6, 4, rng=0)
    with pytest.raises(ValueError, match="n_heads must divide n_dims"):
        MultiHeadAttention(6, 0, rng=0)
    with pytest.raises(ValueError, match="choose one"):
        MultiHeadAttention(6, 2, cross=True, causal=True, rng=0)
    with pytest.raises(ValueError, match="p is at least 0 and below 1, got 1"):
        MultiHeadAttention(6, 2, dropout=1.0, rng=0)
    with pytest.raises(ValueError, match="only with causal=True"):
        MultiHeadAttention(4, 2, rng=0).step(X)

"""Recurrent layers: the same numbers as PyTorch's, and what they refuse."""

import inspect
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.layers import Gru, Lstm, Rnn, ShapeError, recurrent
from lamina.layers.check import check_class
from lamina.layers.recurrent import Recurrent

LAYERS = (Rnn, Lstm, Gru)
by_name = pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
sizes = st.integers(1, 5)
# Where the columns of our gates are in PyTorch, and the other way round.
ORDER = {"Rnn": (0,), "Lstm": (0, 1, 3, 2), "Gru": (0, 1, 2)}


def made(cls, n_in=3, n_hidden=4, **settings):
    """In float64, with biases that are not zero."""
    rng = np.random.default_rng(n_in)
    layer = cls(n_in, n_hidden, rng=rng, dtype=np.float64, **settings)
    for param in layer.parameters().values():
        param.data = rng.standard_normal(param.data.shape)
    return layer


def theirs(layer, X, states):
    """(all hidden states, inputs, {name: their parameter}) of the PyTorch layer of these weights,
    going from the end to the start if ours does."""
    import torch

    kind = type(layer).__name__
    n_in, n_hidden = layer.Wx.data.shape[0], layer.n_hidden
    extra = {"nonlinearity": layer.activation} if kind == "Rnn" else {}
    peer = getattr(torch.nn, kind.upper())(n_in, n_hidden, batch_first=True, **extra).double()
    weights = {}
    with torch.no_grad():
        for name, (param, array) in paired(layer, peer).items():
            param.copy_(torch.tensor(array))
            weights[name] = param
    inputs = [torch.tensor(x, requires_grad=True) for x in (X, *states)]
    first = [s[None] for s in inputs[1:]]
    start = (tuple(first) if len(first) > 1 else first[0]) if first else None
    steps = torch.flip(inputs[0], [1]) if layer.reverse else inputs[0]
    Y = peer(steps, start)[0]
    return (torch.flip(Y, [1]) if layer.reverse else Y), inputs, weights


def paired(layer, peer) -> dict:
    """{name: (their parameter, our array as they keep it)}; their second bias is zero,
    but for that of a Gru's candidate."""
    b = reordered(layer, layer.b.data)
    second = np.zeros_like(b)
    if "bh" in layer.parameters():
        second[-layer.n_hidden :] = layer.bh.data
    return {
        "Wx": (peer.weight_ih_l0, reordered(layer, layer.Wx.data).T),
        "Wh": (peer.weight_hh_l0, reordered(layer, layer.Wh.data).T),
        "b": (peer.bias_ih_l0, b),
        "bh": (peer.bias_hh_l0, second),
    }


def reordered(layer, array):
    """With the columns of the gates in PyTorch's order; of theirs, in ours."""
    gates = np.split(array, layer.n_gates, axis=-1)
    return np.concatenate([gates[i] for i in ORDER[type(layer).__name__]], axis=-1)


@pytest.mark.needs_torch
@by_name
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_as_in_pytorch(cls, data):
    import torch

    n, n_steps, n_in, n_hidden = (data.draw(sizes) for _ in range(4))
    options = {name: data.draw(st.booleans()) for name in ("reverse", "last_only")}
    if cls is Rnn:
        options["activation"] = data.draw(st.sampled_from(["tanh", "relu"]))
    layer = made(cls, n_in, n_hidden, **options)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    X = rng.standard_normal((n, n_steps, n_in))
    n_states = data.draw(st.sampled_from([0, len(cls.states)]))
    states = [rng.standard_normal((n, n_hidden)) for _ in range(n_states)]
    Y = layer.forward(X, *states)
    out, inputs, weights = theirs(layer, X, states)
    if layer.last_only:
        out = out[:, 0] if layer.reverse else out[:, -1]
    np.testing.assert_allclose(Y, out.detach().numpy(), rtol=0, atol=1e-10)
    dout = rng.standard_normal(Y.shape)
    gradients = layer.backward(dout)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    out.backward(torch.tensor(dout))
    assert len(gradients) == len(inputs)
    for ours, tensor in zip(gradients, inputs, strict=True):
        close(ours, tensor.grad.numpy())
    for name, param in layer.parameters().items():
        right = reordered(layer, weights[name].grad.numpy().T)
        close(param.grad, right[-layer.n_hidden :] if name == "bh" else right)


def close(ours, right):
    scale = max(1.0, float(np.abs(right).max()))
    np.testing.assert_allclose(ours, right, rtol=0, atol=1e-10 * scale)


@by_name
def test_a_second_derivative_is_that_of_differences(cls):
    from lamina.layers import Affine, SoftmaxWithLoss
    from lamina.nets import Sequential

    rng = np.random.default_rng(0)
    layers = {
        "first": cls(3, 4, rng=rng, dtype=np.float64),
        "second": cls(4, 4, rng=rng, dtype=np.float64, reverse=True, last_only=True),
        "affine": Affine(4, 3, rng=rng, dtype=np.float64),
    }
    net = Sequential(layers, loss=SoftmaxWithLoss())
    X, t = rng.standard_normal((4, 5, 3)), np.array([0, 2, 1, 2])
    v = {name: rng.standard_normal(p.data.shape) for name, p in net.parameters().items()}

    def gradient(h):
        for name, param in net.parameters().items():
            param.data = param.data + h * v[name]
        found = net.gradient(X, t)
        for name, param in net.parameters().items():
            param.data = param.data - h * v[name]
        return found

    h = 1e-5
    ahead, behind = gradient(h), gradient(-h)
    for name, product in net.hvp(X, t, v).items():
        rough = (ahead[name] - behind[name]) / (2 * h)
        np.testing.assert_allclose(product, rough, rtol=0, atol=1e-7)


@by_name
def test_no_sequences_give_nothing(cls):
    layer = made(cls)
    X = np.zeros((0, 5, 3))
    Y = layer.forward(X)
    assert Y.shape == (0, 5, 4)
    assert layer.backward(Y).shape == X.shape
    assert not any(
        p.grad.any() or p.grad.shape != p.data.shape for p in layer.parameters().values()
    )


@by_name
@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 0, 3)], r"expects sequences \(N, T, 3\) of at least one step, got \(N, 0, 3\)"),
        ([(2, 5, 4)], r"expects sequences \(N, T, 3\) of at least one step, got \(N, 5, 4\)"),
        ([(2, 3)], r"expects sequences \(N, T, 3\) of at least one step, got \(N, 3\)"),
        ([(2, 5, 3), (2, 3)], r"expects h0 \(N, 4\), got \(N, 3\)"),
        ([(2, 5, 3), (3, 4)], r"expects h0 \(2, 4\), a row for each sequence, got \(3, 4\)"),
    ],
)
def test_wrong_shapes_are_refused(cls, shapes, message):
    with pytest.raises(ShapeError, match=f"{cls.__name__}: {message}"):
        made(cls).forward(*map(np.zeros, shapes))


@by_name
def test_no_sizes_are_refused(cls):
    with pytest.raises(ValueError, match="n_in and n_hidden are at least 1, got 0 and 4"):
        cls(0, 4, rng=0)


def test_another_activation_is_refused():
    with pytest.raises(ValueError, match='activation is "tanh" or "relu", got \'gelu\''):
        Rnn(3, 4, activation="gelu", rng=0)


@by_name
def test_sizes_are_inferred_and_shapes_told(cls):
    assert cls.infer((7, 3)) == {"n_in": 3}
    layer = made(cls)
    assert layer.output_shape((7, 3)) == (7, 4)
    assert made(cls, last_only=True).output_shape((7, 3)) == (4,)
    assert layer.flops((7, 3)) == 2 * 7 * layer.n_gates * 4 * (3 + 4)


@by_name
def test_each_gate_is_drawn_by_itself(cls):
    """An initializer that counts columns must not see those of all gates as outputs of one."""
    seen = []

    def init(shape, rng, dtype):
        seen.append(shape)
        return np.zeros(shape, dtype)

    layer = cls(3, 4, init=init, rng=0)
    assert seen == [(3, 4)] * layer.n_gates + [(4, 4)] * layer.n_gates


def test_a_cell_without_its_hidden_state_is_refused():
    with pytest.raises(TypeError, match="Lstm: c0 needs h0 beside it"):
        made(Lstm).forward(np.zeros((2, 5, 3)), None, np.zeros((2, 4)))


def test_a_cell_alone_begins_at_zero():
    layer, rng = made(Lstm), np.random.default_rng(1)
    X, h0 = rng.standard_normal((2, 5, 3)), rng.standard_normal((2, 4))
    np.testing.assert_array_equal(layer.forward(X, h0), layer.forward(X, h0, np.zeros((2, 4))))
    layer.forward(X, h0)
    assert len(layer.backward(np.ones((2, 5, 4)))) == 2


def test_gates_begin_open():
    layer = Lstm(3, 4, rng=0)
    np.testing.assert_array_equal(layer.b.data, np.repeat([0, 1, 0, 0], 4))
    np.testing.assert_array_equal(Lstm(3, 4, forget_bias=0.0, rng=0).b.data, 0)


@by_name
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_gates_far_out_are_shut_without_a_warning(cls, size):
    """σ and tanh at their ends: no overflow, no NaN, and derivatives of 0 that stay 0."""
    from lamina.autodiff import jvp

    layer = cls(3, 4, rng=0)
    X = size * np.random.default_rng(0).standard_normal((2, 5, 3), dtype=np.float32)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        Y = layer.forward(X)
        dX = layer.backward(np.ones_like(Y))
        moved = jvp(layer.forward, X, np.ones_like(X))[1]
    for array in (Y, dX, moved, *(p.grad for p in layer.parameters().values())):
        assert np.isfinite(array).all()
    assert np.abs(Y).max() <= 1.0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("accumulate(dW[:-1])", "accumulate(2.0 * dW[:-1])"),
        ("accumulate(dW[-1])", "accumulate(dW[-2])"),
        ("self.h[:-1]", "self.h[1:]"),
        (".T @ dq", ".T @ (2.0 * dq)"),
        ("d @ back", "dq @ back * 2.0"),
        ("self.out_of_time(dX)", "dX.transpose(1, 0, 2)[:, ::-1]"),
        ("first[: self.n_given]", "(2.0 * dh for dh in first[: self.n_given])"),
    ],
)
@pytest.mark.parametrize("cls", [Rnn, Lstm, Gru])
def test_the_check_sees_a_mistake_in_the_end_that_all_share(cls, right, wrong, monkeypatch):
    """Mutants are made of the file of a layer alone, and this is in the file of its base."""
    source = textwrap.dedent(inspect.getsource(Recurrent.finish))
    assert right in source
    made = {}
    exec(source.replace(right, wrong), vars(recurrent), made)
    monkeypatch.setattr(Recurrent, "finish", made["finish"])
    assert not check_class(cls, stop_early=True).agrees

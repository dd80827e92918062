"""The ready-made convolutional nets: their sizes, their gradients, that they learn."""

import copy

import numpy as np
import pytest

from lamina.datasets import DrawnDigits
from lamina.layers import Copy, SoftmaxWithLoss
from lamina.nets import DeepConvNet, LeNet, ResidualNet, SimpleConvNet
from lamina.optimizers import Momentum

NETS = [LeNet, SimpleConvNet, DeepConvNet, ResidualNet]


@pytest.mark.parametrize(
    ("cls", "parameters"),
    # LeNet: Caffe's tutorial counts 431,080. DeepConvNet: 16·9 + 16·16·9 + ... + 1024·50 + 50·10.
    [(LeNet, 431_080), (SimpleConvNet, 433_890), (DeepConvNet, 123_552), (ResidualNet, 77_754)],
)
def test_the_number_of_parameters(cls, parameters):
    net = cls(rng=0)
    assert sum(p.data.size for p in net.parameters().values()) == parameters
    assert net.output_shape((1, 28, 28)) == (10,)
    assert isinstance(net.loss_layer, SoftmaxWithLoss)
    assert {p.data.dtype for p in net.parameters().values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("cls", NETS)
def test_the_same_seed_gives_the_same_net_and_other_sizes_work(cls):
    one, other = cls((3, 20, 20), 4, rng=3), cls((3, 20, 20), 4, rng=3)
    for name, array in one.state().items():
        np.testing.assert_array_equal(array, other.state()[name])
    X = np.random.default_rng(0).random((2, 3, 20, 20), dtype=np.float32)
    assert one.predict(X).shape == (2, 4)
    assert cls.infer((3, 20, 20)) == {"input_shape": (3, 20, 20)}


@pytest.mark.parametrize("cls", NETS)
def test_gradients_agree_with_differences(cls):
    rng = np.random.default_rng(0)
    net = cls((1, 16, 16), 3, rng=1, dtype=np.float64)
    X, t = rng.random((2, 1, 16, 16)), np.array([0, 2])
    v = {n: rng.standard_normal(p.data.shape) for n, p in net.parameters().items()}
    length = np.sqrt(sum(np.sum(a * a) for a in v.values()))

    def loss_at(step):
        moved = copy.deepcopy(net)
        for name, param in moved.parameters().items():
            param.data = param.data + step / length * v[name]
        return float(moved.loss(X, t))

    h = 1e-6
    slope = (loss_at(h) - loss_at(-h)) / (2 * h)
    gradients = net.gradient(X, t)
    exact = sum(np.sum(v[n] * g) for n, g in gradients.items()) / length
    assert exact == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.often(2)
@pytest.mark.parametrize("cls", NETS)
def test_a_few_steps_on_drawn_digits_lower_the_loss(cls, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    X, t = DrawnDigits(n_train=64, n_test=1, flatten=False).train[np.arange(64)]
    net = cls(rng=0) if cls is not DeepConvNet else cls(dropout=0.1, rng=0)
    optimizer = Momentum(net.parameters(), lr=0.01, momentum=0.9)
    losses = []
    for _ in range(25):
        losses.append(float(net.loss(X, t)))
        net.gradient(X, t)
        optimizer.step()
    assert losses[-1] < 0.8 * losses[0]


def test_biases_of_lenet_learn_at_twice_the_rate():
    parameters = LeNet(rng=0).parameters()
    assert {p.lr_mult for n, p in parameters.items() if n.endswith(".b")} == {2.0}
    assert {p.lr_mult for n, p in parameters.items() if n.endswith(".W")} == {1.0}


def test_the_residual_net_has_a_copy_gate_before_every_block():
    net = ResidualNet(widths=(4, 8), blocks=2, rng=0)
    copies = [name for name, layer in net.layers.items() if isinstance(layer, Copy)]
    assert copies == [
        "stem_relu_copy",
        "block1_1_relu_copy",
        "block1_2_relu_copy",
        "block2_1_relu_copy",
    ]
    assert net.layers["block2_1a_conv"].stride == (2, 2)
    assert "block1_1s_conv" not in net.layers  # nothing to widen: X goes past as it is


def test_weights_of_lenet_start_as_caffes_xavier_draws_them():
    """Uniform, with limit √(3 / fan-in)."""
    for name, param in LeNet(rng=0).parameters().items():
        if name.endswith(".W"):
            shape = param.data.shape
            inputs = np.prod(shape[1:]) if len(shape) > 2 else shape[0]
            limit = np.sqrt(3.0 / inputs)
            assert np.abs(param.data).max() == pytest.approx(limit, rel=0.02), name
            assert param.data.std() == pytest.approx(limit / np.sqrt(3), rel=0.06), name

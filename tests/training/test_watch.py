"""Non-finite numbers are noticed before the update, and never saved."""

import types

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, Samples
from lamina.layers import Affine, BatchNormalization, Layer, Param, Relu, SoftmaxWithLoss, State
from lamina.nets import Sequential
from lamina.nets.weights import save_weights
from lamina.optimizers import SGD
from lamina.training.checkpoint import save_checkpoint
from lamina.training.trainer import Trainer
from lamina.training.watch import NonFiniteError, Watch


def test_squares_that_overflow_are_no_reason_to_complain():
    param = Param(np.zeros(10, np.float32))
    param.grad = np.full(10, -1e30, np.float32)
    optimizer = types.SimpleNamespace(parameters={"W": param})
    with np.errstate(over="ignore"):  # as in Trainer.run
        Watch().gradients(types.SimpleNamespace(optimizer=optimizer, iteration=0))


def net():
    rng = np.random.default_rng(0)
    layers = {"affine1": Affine(4, 5, rng=rng), "norm": BatchNormalization(5), "relu": Relu()}
    return Sequential(layers | {"affine2": Affine(5, 3, rng=rng)}, loss=SoftmaxWithLoss())


def trainer(made=None, classes=3, **settings):
    rng = np.random.default_rng(0)
    X, t = rng.standard_normal((30, 4)).astype(np.float32), np.arange(30) % classes
    made = made or net()
    samples = Samples(X, t)
    settings = {"iterations": 10, "batch_size": 10, "quiet": True, **settings}
    optimizer = SGD(made.parameters(), lr=0.1)
    data = Dataset(samples, samples, Classification(range(3)))
    return Trainer(made, optimizer, data, rng=rng, **settings)


@pytest.mark.parametrize("name", ["affine1.W", "affine1.b", "norm.gamma", "affine2.W"])
def test_a_gradient_that_is_nan_stops_the_step_before_its_update(name):
    made = trainer()
    made.step()
    param = made.net.parameters()[name]
    accumulate_all, before = made.net.backward, made.net.state()

    def backward(*dout):
        result = accumulate_all(*dout)
        param.grad.flat[-1] = np.nan
        return result

    made.net.backward = backward
    message = f"the gradient of {name} is not finite at iteration 2"
    with pytest.raises(NonFiniteError, match=message) as caught:
        made.step()
    assert caught.value.iteration == 2
    assert made.iteration == 1
    for key, array in made.net.state().items():
        if "running" not in key:  # forward has moved these on
            np.testing.assert_array_equal(array, before[key])


def test_a_running_mean_that_is_nan_is_found_at_the_evaluation(tmp_path):
    made = trainer(run_dir=tmp_path, evaluate_every=5)
    made.net.layers["norm"].running_var.data[1] = np.nan  # training does not read it
    with pytest.raises(NonFiniteError, match=r"norm\.running_var is not finite at iteration 5"):
        made.run()
    assert not list(tmp_path.glob("*.npz"))


def test_nothing_that_is_not_finite_is_saved(tmp_path):
    made = net()
    made.parameters()["affine2.W"].data[0, 0] = np.inf
    with pytest.raises(FloatingPointError, match=r"w\.npz is not written: affine2\.W is not"):
        save_weights(tmp_path / "w.npz", made)
    made.parameters()["affine2.W"].data[0, 0] = np.nan
    with pytest.raises(FloatingPointError, match=r"c\.npz is not written: net/affine2\.W is not"):
        save_checkpoint(tmp_path / "c.npz", {"net": made.state()})
    assert not list(tmp_path.iterdir())


class Masked(Layer):
    """A mask of -inf before a softmax: no failure, though it is not finite."""

    def __init__(self):
        self.mask = State(np.array([0.0, 0.0, -np.inf], np.float32))

    def forward(self, X):
        return X + self.mask.data

    def backward(self, dout):
        return dout


def test_a_state_may_be_infinite_and_not_nan(tmp_path):
    masked = Masked()
    whole = Sequential({"net": net(), "mask": masked}, loss=SoftmaxWithLoss())
    made = trainer(whole, classes=2, run_dir=tmp_path)
    made.run()
    assert np.isneginf(np.load(tmp_path / "weights.npz")["mask.mask"][2])
    masked.mask.data = np.array([0.0, np.nan, 0.0], np.float32)
    with pytest.raises(FloatingPointError, match=r"mask\.mask is not finite"):
        save_weights(tmp_path / "other.npz", made.net)
    with pytest.raises(FloatingPointError, match=r"net/mask\.mask is not finite"):
        save_checkpoint(tmp_path / "other.npz", {"net": made.net.state()})


def test_the_advice_names_the_rate_that_is_in_force():
    made = trainer()
    made.optimizer.schedule = lambda step: 0.25
    made.step()
    with pytest.raises(NonFiniteError, match=r"nan at iteration 2; .* \(now 0\.025\)"):
        made.watch.loss(made, float("nan"))

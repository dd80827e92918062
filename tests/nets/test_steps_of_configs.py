"""Nets of the configurations a position at a time, to 1e-12 in float64, or which layer cannot."""

from pathlib import Path

import numpy as np
import pytest

from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config

CONFIGS = {path.stem for path in Path("configs").glob("*.yaml")}
TEXTS = ("text_rnn", "text_lstm", "text_gpt", "ptb_lstm")
ANSWERS = ("addition_seq2seq", "addition_attention", "dates_attention")
# Chains that take rows, and sequences of rows as well: each of their layers works by position.
ROWS = (
    *("digits_autoencoder", "digits_relu", "mnist_gradient_penalty", "mnist_relu"),
    *("mnist_sigmoid", "mnist_svm", "own_csv"),
)
# The first layer that cannot, since it sees all of a sample, or of a batch, at once.
CANNOT = {
    "digits_lenet": "Convolution",
    "fashion_convnet": "Convolution",
    "fashion_mlp": "BatchNormalization",
    "mnist_deep_convnet": "Convolution",
    "mnist_finetune": "Convolution",
    "mnist_lenet": "Convolution",
    "mnist_mlp": "BatchNormalization",
    "mnist_resnet": "Convolution",
    "mnist_simple_convnet": "Convolution",
    "rows_lstm": "Reshape",  # the picture comes whole, and becomes rows in the net
    "text_mlp": "Flatten",  # of a window
    "words_cbow": "MeanStep",
    "words_skipgram": "MeanStep",
}


def built(name):
    config = load_config(Path("configs") / f"{name}.yaml")
    config.data["net"].pop("weights", None)  # those of another run
    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    for param in net.parameters().values():
        param.data = param.data.astype(np.float64)
    net.set_training(False)
    return net, dataset


def compare(net, X):
    whole, state = net.forward(X), None
    for t in range(X.shape[1]):
        scores, state = net.step(X[:, t : t + 1], state)
        np.testing.assert_allclose(scores[:, 0], whole[:, t], rtol=0, atol=1e-12)


def test_every_configuration_is_here():
    assert {*TEXTS, *ANSWERS, *ROWS, *CANNOT} == CONFIGS


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name):
    net, dataset = built(name)
    compare(net, dataset.test[:3][0])


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name):
    """The question comes whole at first, and then there is nothing new of it."""
    net, dataset = built(name)
    question, answer = dataset.test[:3][0]
    whole, state = net.forward(question, answer), None
    for t in range(answer.shape[1]):
        scores, state = net.step(question, answer[:, t : t + 1], state)
        np.testing.assert_allclose(scores[:, 0], whole[:, t], rtol=0, atol=1e-12)
        question = question[:, :0]


@pytest.mark.parametrize("name", ROWS)
def test_rows(name):
    net, dataset = built(name)
    compare(net, np.random.default_rng(0).random((3, 4, *dataset.input_shape)))


@pytest.mark.parametrize("name", CANNOT)
def test_those_that_cannot_say_so(name):
    net, _ = built(name)
    first = next(step.layer for step in net.steps() if not step.layer.can_step)
    assert not net.can_step
    assert type(first).__name__ == CANNOT[name]

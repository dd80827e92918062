"""Nets of the configurations whose layers can step: a position at a time, to 1e-12 in float64."""

from pathlib import Path

import numpy as np
import pytest

from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config

CONFIGS = ("text_rnn", "text_lstm", "text_gpt")


def built(name):
    config = load_config(Path("configs") / f"{name}.yaml")
    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    for param in net.parameters().values():
        param.data = param.data.astype(np.float64)
    net.set_training(False)
    return net, dataset


@pytest.mark.parametrize("name", CONFIGS)
def test_texts(name):
    net, dataset = built(name)
    X = dataset.test[:3][0]
    whole, state = net.forward(X), None
    for t in range(X.shape[1]):
        scores, state = net.step(X[:, t : t + 1], state)
        np.testing.assert_allclose(scores[:, 0], whole[:, t], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["addition_seq2seq", "addition_attention", "dates_attention"])
def test_answers(name):
    """The question comes whole at first, and then there is nothing new of it."""
    net, dataset = built(name)
    question, answer = dataset.test[:3][0]
    whole, state = net.forward(question, answer), None
    for t in range(answer.shape[1]):
        scores, state = net.step(question, answer[:, t : t + 1], state)
        np.testing.assert_allclose(scores[:, 0], whole[:, t], rtol=0, atol=1e-12)
        question = question[:, :0]


@pytest.mark.parametrize("name", ["text_mlp", "rows_lstm"])
def test_those_that_cannot_say_so(name):
    config = load_config(Path("configs") / f"{name}.yaml")
    assert not build_net(config, build_dataset(config), 0).can_step

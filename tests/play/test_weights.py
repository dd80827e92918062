"""The weights in a page: 16 bits where that changes nothing that anybody could see."""

import base64
import json
import re

import numpy as np
import pytest
from played import SmallImages, stirred

from lamina.layers import Affine, Relu, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.play.page import page_of_net
from lamina.play.weights import MOST, is_same_in_16_bits, written


def net_of(scale=1.0):
    rng = np.random.default_rng(0)
    layers = {"a": Affine(144, 20, rng=rng), "r": Relu(), "b": Affine(20, 4, rng=rng)}
    net = stirred(Sequential(layers, SoftmaxWithLoss()))
    net.layers["a"].W.data *= np.float32(scale)
    return net


def steps_in(text):
    facts = json.loads(re.search(r'id="facts">(.*?)</script>', text)[1])
    return [array["step"] for array in facts["arrays"]]


def test_a_net_that_answers_the_same_has_half_the_bytes():
    text = page_of_net(net_of(), SmallImages(True), "a net")
    steps = steps_in(text)
    assert [step > 0 for step in steps] == [True, False, True, False]  # biases stay as they are


def test_a_net_whose_answers_would_move_keeps_its_32_bits():
    """Scores of some hundred, which the rounding moves by more than an answer may move."""
    net = net_of(30.0)
    X = SmallImages(True).test[:][0]
    before = net.predict(X)
    assert steps_in(page_of_net(net, SmallImages(True), "a net")) == [0.0] * 4
    np.testing.assert_array_equal(net.predict(X), before)


@pytest.mark.parametrize(
    ("moved", "predicted", "same"),
    [(0.5 * MOST, 3, True), (2 * MOST, 3, False), (0.5 * MOST, 4, False), (np.nan, 3, False)],
)
def test_one_other_prediction_or_a_moved_answer_is_enough(moved, predicted, same):
    net = net_of()
    before = net.layers["a"].W.data

    def rounded(net):
        return net.layers["a"].W.data is not before

    found = is_same_in_16_bits(
        net,
        lambda net: np.array([0.5 + (moved if rounded(net) else 0.0)]),
        lambda net: np.array([predicted if rounded(net) else 3]),
        np.array([3]),
    )
    assert found is same
    assert net.layers["a"].W.data is before  # put back


def test_rounding_is_to_a_65534th_of_the_range():
    W = np.random.default_rng(1).standard_normal((30, 5)).astype(np.float32)
    b, zeros = W[0], np.zeros((2, 2), np.float32)
    places, text = written([W, b, zeros], short=True)
    content = base64.b64decode(text)
    assert [place["at"] for place in places] == [0, 300, 320]
    assert len(content) == 300 + 20 + 16
    step = places[0]["step"]
    read = np.frombuffer(content[:300], "<i2").reshape(30, 5) * step
    assert np.abs(read - W).max() <= np.abs(W).max() / 65534 * 1.001
    np.testing.assert_array_equal(np.frombuffer(content[300:320], "<f4"), b)
    assert places[2]["step"] == 0.0
    long, text = written([W], short=False)
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(text), "<f4").reshape(30, 5), W)
    assert long[0]["step"] == 0.0

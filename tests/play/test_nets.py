"""Nets in the page beside Python: what they answer, and the gradient at the pixels."""

import json
import re

import numpy as np
import pytest
from played import SmallImages, compare, draw_with_mouse, stirred

from lamina.datasets import Classification, Dataset, Reconstruction, Samples
from lamina.datasets.dataset import TO_UNIT
from lamina.layers import (
    Addition,
    Affine,
    AveragePooling,
    BatchNormalization,
    Convolution,
    Dropout,
    Flatten,
    GlobalAveragePooling,
    LeakyRelu,
    Lstm,
    MaxPooling,
    Relu,
    Reshape,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SquaredErrorLoss,
    SVMLoss,
    Tanh,
)
from lamina.nets import Graph, Sequential
from lamina.nets.wiring import Node
from lamina.play.answers import answers
from lamina.play.images import shown_images
from lamina.play.page import page_of_net

pytestmark = pytest.mark.needs_browser


class OwnLoss(SigmoidWithLoss):
    """A loss of one's own, of which nothing is known."""


def convnet(rng):
    layers = {
        "conv1": Convolution(1, 4, 3, padding=1, bias=False, rng=rng),
        "norm1": BatchNormalization(4),
        "relu1": Relu(),
        "pool1": MaxPooling(2),
        "conv2": Convolution(4, 6, (3, 2), stride=(1, 2), dilation=(2, 1), groups=2, rng=rng),
        "act2": LeakyRelu(0.1),
        "flatten": Flatten(),
        "drop": Dropout(0.5, rng=rng),
        "affine": Affine(36, 4, rng=rng),
    }
    return Sequential(layers, SoftmaxWithLoss()), False


def residual(rng):
    def block(c, reads, name):
        return {
            f"{name}_conv": Node(Convolution(c, c, 3, padding=1, rng=rng), reads),
            f"{name}_norm": Node(BatchNormalization(c)),
            f"{name}_sum": Node(Addition(), [f"{name}_norm", reads]),
            f"{name}_relu": Node(Relu()),
        }

    layers = {
        "stem": Node(Convolution(1, 5, 3, stride=2, padding=1, rng=rng)),
        **block(5, "stem", "one"),
        **block(5, "one_relu", "two"),
        "pool": Node(GlobalAveragePooling()),
        "affine": Node(Affine(5, 4, rng=rng)),
    }
    return Graph(layers, losses=SoftmaxWithLoss()), False


def nested(rng):
    inner = Sequential({"pool": AveragePooling(3, stride=2, padding=1), "squash": Tanh()})
    tower = Graph({"conv": Node(Convolution(1, 3, 3, rng=rng)), "inner": Node(inner)})
    layers = {"tower": tower, "flatten": Flatten(), "affine": Affine(75, 4, rng=rng)}
    return Sequential(layers, SoftmaxWithLoss()), False


def recurrent(rng):
    lstm = {"lstm": Lstm(12, 7, rng=rng), "last": Lstm(7, 5, last_only=True, rng=rng)}
    layers = {"rows": Reshape((12, 12)), **lstm, "affine": Affine(5, 4, rng=rng)}
    return Sequential(layers, SoftmaxWithLoss()), False


def scored(rng):
    layers = {"affine1": Affine(144, 9, rng=rng), "sigmoid": Sigmoid()}
    return Sequential({**layers, "affine2": Affine(9, 4, rng=rng)}, SVMLoss()), True


@pytest.mark.parametrize("made", [convnet, residual, nested, recurrent, scored])
def test_answers_and_saliency_are_those_of_python(opened, made):
    net, flatten = made(np.random.default_rng(5))
    page = opened(stirred(net), SmallImages(flatten))
    compare(page)


@pytest.mark.parametrize("loss", [SigmoidWithLoss, OwnLoss])
def test_one_score_for_two_classes_speaks_for_both(opened, loss):
    """Two probabilities, or of a loss that makes none two scores: the class is Python's."""
    rng = np.random.default_rng(1)
    net = stirred(Sequential({"affine": Affine(144, 1, rng=rng)}, loss()))
    page = opened(net, SmallImages(True, ("no", "yes")))
    compare(page)
    said = page.run(
        "() => byId('images').childElementCount && facts.targets.map((_, i) => "
        "largest(answerTo(testInput(i))))"
    )
    expected = page.dataset.task.predictions(net.predict(page.inputs()))
    assert set(expected) == {0, 1}
    assert said == expected.tolist()


def test_test_images_whose_target_does_not_count_are_neither_right_nor_wrong():
    small = SmallImages(True, ("no", "yes"))
    t = np.array(small.test.t)
    t[::3] = -1
    test = Samples(small.test.X, t, scale=small.test.scale, offset=small.test.offset)
    net = stirred(Sequential({"affine": Affine(144, 2, rng=0)}, SoftmaxWithLoss(ignore_index=-1)))
    data = Dataset(small.train, test, Classification(("no", "yes"), ignore_index=-1))
    page = page_of_net(net, data, "a net")
    facts = json.loads(re.search(r'id="facts"[^>]*>(.*?)</script>', page, re.S)[1])
    known = t != -1
    assert facts["tested"] == known.sum()
    assert facts["right"] == (net.predict(test[:][0]).argmax(axis=1) == t)[known].sum()
    assert set(facts["targets"]) == {0, 1}


def test_a_net_whose_numbers_overflow_names_no_class(opened):
    layers = {"affine": Affine(144, 2, rng=0), "more": Affine(2, 2, rng=0)}
    net = Sequential(layers | {"apart": Affine(2, 2, rng=0)}, OwnLoss())
    net.layers["affine"].b.data[:] = 3e38
    net.layers["more"].W.data[:] = 10 * np.eye(2)  # infinite
    net.layers["apart"].W.data[:] = [[1, -1], [-1, 1]]  # their difference
    with np.errstate(over="ignore", invalid="ignore"):
        page = opened(net, SmallImages(True, ("no", "yes")))
        assert np.isnan(net.predict(page.inputs())).all()
    draw_with_mouse(page)
    assert page.winner == "No answer: on the way through the net numbers became NaN."
    page.run("byId('images').children[0].click()")
    assert page.settled().winner.startswith("No answer")


def test_a_net_with_weights_that_are_no_numbers_is_refused():
    net = Sequential({"affine": Affine(144, 2, rng=0)}, SoftmaxWithLoss())
    net.layers["affine"].W.data[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"affine\.W is not finite"):
        page_of_net(net, SmallImages(True, ("no", "yes")), "a net")


def test_a_net_that_gives_images_back_shows_them(opened):
    rng = np.random.default_rng(1)
    small = SmallImages(True)
    X = small.train.X
    dataset = Dataset(Samples(X, X, *TO_UNIT), Samples(X, X, *TO_UNIT), Reconstruction())
    layers = {"code": Affine(144, 8, rng=rng), "out": Affine(8, 144, rng=rng), "s": Sigmoid()}
    page = opened(Sequential(layers, SquaredErrorLoss()), dataset)
    found = [answer for answer, _ in page.answers()]
    np.testing.assert_allclose(found, page.net.predict(page.inputs()), atol=1e-4)
    page.page.click("#images button >> nth=3")
    page.settled()
    assert page.winner == "This is what the net gives back:"
    assert page.page.is_visible("#given")
    for hidden in ("#bars", "#saliency", "#contributing"):
        assert not page.page.is_visible(hidden)


def standardised(small):
    """The data of SmallImages as an own file may have it: numbers around 0, a few far off."""
    X = small.train[:][0]
    X = ((X - X.mean()) / X.std() * np.linspace(1, 4, len(X))[:, np.newaxis]).astype(np.float32)
    samples = Samples(X, small.train.t)
    return Dataset(samples, samples, small.task)


def test_inputs_that_are_no_bytes_are_shown_in_grey_tones_and_answered_exactly(opened):
    rng = np.random.default_rng(2)
    layers = {"a": Affine(144, 9, rng=rng), "relu": Relu(), "b": Affine(9, 4, rng=rng)}
    dataset = standardised(SmallImages(True))
    page = opened(stirred(Sequential(layers, SoftmaxWithLoss())), dataset)
    images = shown_images(dataset)
    X = dataset.test.X[images.rows]
    np.testing.assert_array_equal(page.inputs(), X)
    tones = (X - X.min()) / np.ptp(X) * 255
    np.testing.assert_allclose(images.pixels.reshape(len(X), -1), tones, atol=0.501)
    compare(page)
    expected = answers("softmax", page.net.predict(X))
    for i in (0, len(X) - 1):
        page.page.locator("#images button").nth(i).click()
        page.settled()
        shown = [float(text[:-2]) for text in page.page.locator(".bar .value").all_inner_texts()]
        np.testing.assert_allclose(shown, 100 * expected[i], atol=0.06)
        np.testing.assert_array_equal(page.run("Array.from(net.blobs[0].data)"), X[i])
    page.page.click("#undo")  # no test image any more
    draw_with_mouse(page)
    drawn = np.array(page.run("Array.from(pixels)"), np.float32)
    drawn = drawn * np.float32(images.scale) + np.float32(images.offset)
    np.testing.assert_allclose(page.run("Array.from(net.blobs[0].data)"), drawn, atol=1e-5)

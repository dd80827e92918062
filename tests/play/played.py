"""Small images and nets, and a page of a net in a browser."""

import contextlib

import numpy as np

from lamina.datasets import Classification, Dataset, Samples
from lamina.datasets.dataset import TO_UNIT
from lamina.datasets.digit_strokes import SKELETONS
from lamina.layers import Param, State
from lamina.play.answers import answer_kind, answers
from lamina.play.images import shown_images
from lamina.play.page import inputs_of, script
from lamina.play.weights import in_16_bits

DIGIT = [(0.3, 0.2), (0.6, 0.25), (0.5, 0.6), (0.3, 0.85), (0.7, 0.8)]


class SmallImages(Dataset):
    """60 images of 12 x 12 in four classes, a blurred blob in a corner each."""

    def __init__(self, flatten=False, classes=("a", "b", "c", "d"), n=60):
        rng = np.random.default_rng(3)
        t = np.arange(n) % len(classes)
        y, x = np.indices((12, 12))
        places = 3 + 5 * np.stack([t % 2, t // 2 % 2], axis=1) + rng.integers(-1, 2, (n, 2))
        blobs = np.exp(-((y - places[:, :1, None]) ** 2 + (x - places[:, 1:, None]) ** 2) / 6)
        X = (255 * blobs * rng.uniform(0.6, 1, (n, 1, 1))).astype(np.uint8)
        X = X.reshape(n, 144) if flatten else X[:, np.newaxis]
        samples = Samples(X, t, *TO_UNIT)
        super().__init__(samples, samples, Classification(classes))


def stirred(net, seed=0, scale=0.1):
    """The net with all its numbers moved off the ones and zeros at which they start."""
    rng = np.random.default_rng(seed)
    for name, held in net.walk():
        if isinstance(held, (Param, State)):
            moved = held.data + scale * rng.standard_normal(held.data.shape)
            moved = np.abs(moved) if name.endswith("var") else moved
            held.data = moved.astype(held.data.dtype)
    return net


class Opened:
    """A page of a net in the browser."""

    def __init__(self, page, net, dataset):
        self.page, self.net, self.dataset = page, net, dataset

    def run(self, script, *arguments):
        return self.page.evaluate(script, *arguments)

    def settled(self):
        """Waits until the answer and what explains it stand."""
        self.run(
            """async () => {
                const frame = () => new Promise(requestAnimationFrame);
                do await frame(); while (pending || explaining);
            }"""
        )
        return self

    def answers(self):
        """What the page answers to each of its test images, and the gradients of the winners."""
        return self.run(
            """() => Array.from({ length: testPixels.length / pixelCount }, (_, i) => {
                const answer = answerTo(testInput(i));
                const index = Math.min(largest(answer), net.blobs[net.output].data.length - 1);
                return [answer, isImage ? [] : Array.from(net.gradients(index)[0].data)];
            })"""
        )

    def inputs(self):
        return inputs_of(shown_images(self.dataset), self.dataset)

    @property
    def winner(self):
        return self.page.inner_text("#winner")


def scripts_alone(browser):
    """Yields a page that has the scripts, but no net: what a session of tests asks things of."""
    page = browser.new_page()
    page.add_script_tag(content=script().split("// The page: what is drawn")[0])
    yield page
    page.close()


def draw_with_mouse(page, points=DIGIT):
    page.page.locator("#paper").scroll_into_view_if_needed()
    box = page.page.locator("#paper").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.page.mouse.move(*places[0])
    page.page.mouse.down()
    for place in places[1:]:
        page.page.mouse.move(*place, steps=4)
    page.page.mouse.up()
    page.settled()


def compare(page, kinks=0):
    """The answers to within 1e-4, the gradients to within 1e-4 of the largest of the image.

    Of deep nets a few images may bring one of many thousand numbers so near to 0, or to another of
    its window, that rounding decides on which side it is: `kinks` gradients are that of the other
    side, and within a fiftieth."""
    net, X, found = page.net, page.inputs(), page.answers()
    scores = net.predict(X)
    kind = answer_kind(net, page.dataset.task, scores.shape[-1])
    expected = answers(kind, scores)
    assert np.ptp(expected, axis=0).max() > 0.01  # not all the same
    np.testing.assert_allclose([answer for answer, _ in found], expected, atol=1e-4, rtol=0)
    if kind == "image":
        return
    # By the weights that the page has: a little more or less puts a number beyond a kink.
    short = page.run("facts.arrays.some(({ step }) => step > 0)")
    with in_16_bits(net) if short else contextlib.nullcontext():
        gradients = saliency(net, X)
    assert np.abs(gradients).max() > 0
    errors = np.array([gradient for _, gradient in found]) - gradients.reshape(len(X), -1)
    errors = np.abs(errors).max(axis=1) / np.abs(gradients).reshape(len(X), -1).max(axis=1)
    assert np.sort(errors)[: len(X) - kinks].max() < 1e-4
    assert errors.max() < (0.02 if kinks else 1e-4)


def saliency(net, X):
    """The gradient of each sample's highest score at its pixels."""
    net.set_training(False)
    scores = net.forward(X)
    seeds = np.zeros_like(scores)
    seeds[np.arange(len(X)), scores.argmax(axis=1)] = 1.0
    return net.backward(seeds)


def skeletons():
    """The digits as the drawn ones begin: a list of strokes for each."""
    return [[[list(p) for p in stroke.points] for stroke in ways[0]] for ways in SKELETONS.values()]

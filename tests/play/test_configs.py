"""Nets of the configurations in the page beside Python, on a hundred test images each."""

from pathlib import Path

import numpy as np
import pytest
from played import compare, stirred

from lamina.datasets import MNIST, Dataset, Samples
from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config
from lamina.experiment.run import run
from lamina.play.page import page_of_net

pytestmark = pytest.mark.needs_browser

CONFIGS = {path.stem for path in Path("configs").glob("*.yaml")}
DRAWN = ("digits_relu", "digits_lenet", "digits_autoencoder")
WRITTEN = (
    *("mnist_relu", "mnist_sigmoid", "mnist_svm", "mnist_gradient_penalty", "mnist_mlp"),
    *("mnist_simple_convnet", "mnist_lenet", "mnist_deep_convnet", "mnist_resnet"),
    *("mnist_finetune", "rows_lstm", "fashion_mlp", "fashion_convnet"),
)
NO_IMAGES = (
    *("addition_attention", "addition_seq2seq", "dates_attention", "own_csv", "ptb_lstm"),
    *("text_gpt", "text_lstm", "text_mlp", "text_rnn", "words_cbow", "words_skipgram"),
)


def built(name, monkeypatch):
    config = load_config(f"configs/{name}.yaml")
    config.data["net"].pop("weights", None)  # those of another run
    dataset = build_dataset(config)
    if name.startswith("fashion"):  # the net is what is looked at, on the images that are there
        monkeypatch.setattr(type(dataset), "arrays", lambda self: MNIST(self.flatten).arrays())
    net = build_net(config, dataset, np.random.default_rng(0))
    assert sum(param.data.size for param in net.parameters().values()) <= 2_000_000
    t = dataset.test.t is not dataset.test.X and dataset.test.t[:400]
    X, scaling = dataset.test.X[:400], (dataset.test.scale, dataset.test.offset)
    samples = Samples(X, X if t is False else t, *scaling)
    return stirred(net, scale=0.02), Dataset(samples, samples, dataset.task)


def test_every_configuration_is_tried_or_has_no_images():
    assert {*DRAWN, *WRITTEN, *NO_IMAGES} == CONFIGS


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_nets_on_drawn_digits_answer_as_in_python(opened, name, monkeypatch):
    compare(opened(*built(name, monkeypatch)), kinks=3)


@pytest.mark.slow
@pytest.mark.needs_mnist
@pytest.mark.parametrize("name", WRITTEN)
def test_nets_on_mnist_answer_as_in_python(opened, name, monkeypatch):
    compare(opened(*built(name, monkeypatch)), kinks=3)


@pytest.mark.parametrize("name", ["addition_seq2seq", "dates_attention", "own_csv", "text_mlp"])
def test_nets_without_images_are_refused(name):
    config = load_config(f"configs/{name}.yaml")
    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    with pytest.raises(ValueError, match="square grey images"):
        page_of_net(net, dataset, name)


@pytest.mark.slow
def test_digits_that_are_drawn_are_recognised_as_in_python(opened, tmp_path, monkeypatch):
    """The skeletons of the drawn digits, with the mouse, on a net that has learned drawn digits."""
    from played import draw_with_mouse, skeletons

    from lamina.experiment.load_run import load_run

    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    config = load_config("configs/digits_relu.yaml")
    run(config, "digits", tmp_path / "run", quiet=True)
    page, right = opened(*load_run(tmp_path / "run")), 0
    for digit, strokes in enumerate(skeletons()):
        page.page.click("#clear")
        for stroke in strokes:
            draw_with_mouse(page, [(0.25 + x / 2, 0.15 + 0.7 * y) for x, y in stroke])
        pixels = np.array(page.run("() => Array.from(pixels)"), np.float32)
        said = page.net.predict(pixels[np.newaxis] * np.float32(1 / 255)).argmax()
        assert page.winner.startswith(f"{said}, ")
        right += said == digit
    assert right >= 8

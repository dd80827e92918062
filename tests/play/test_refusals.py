"""lamina play: the file that it writes, and what it refuses, in one line."""

import numpy as np
import pytest
from played import SmallImages

from lamina.commands.frame import main
from lamina.datasets import Classification, Dataset, LanguageModel, Regression, Samples
from lamina.experiment.config import load_config
from lamina.experiment.run import run
from lamina.layers import (
    Affine,
    CrossEntropyError,
    Flatten,
    Gru,
    Lstm,
    Relu,
    Softmax,
    SoftmaxWithLoss,
)
from lamina.nets import Graph, Sequential
from lamina.nets.head import Head
from lamina.nets.wiring import Node
from lamina.play.images import shown_images
from lamina.play.page import page_of_net
from lamina.play.steps import steps_of

OWN = """
from lamina.layers import Relu
class Mine(Relu):
    pass
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A short run on drawn digits, and one with a layer of its own."""
    folder = tmp_path_factory.mktemp("play")
    (folder / "mine.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_DATA", str(folder / "data"))
        for name, kind in (("run", "Relu"), ("own", f"{folder / 'mine.py'}:Mine")):
            config = load_config("configs/digits_relu.yaml")
            for setting in (
                *("dataset.n_train=500", "dataset.n_test=200", "training.iterations=100"),
                *("training.evaluate_every=100", f"net.layers.relu1.type={kind}"),
            ):
                config.set(setting)
            run(config, name, folder / name, quiet=True)
        yield folder


def test_a_run_becomes_one_file(finished, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["play", str(finished / "run"), "-o", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}\n"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert '"title":"run"' in text
    assert "src=" not in text.replace('src="data:', "")
    assert "http" not in text.replace('http-equiv="', "")


def test_a_layer_without_javascript_is_named(finished, tmp_path, capsys):
    page, own = tmp_path / "page.html", finished / "mine.py"
    assert main(["play", str(finished / "own"), "--code", str(own), "-o", str(page)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"lamina play: {finished / 'own'}: relu1 (Mine): a page cannot run this")
    assert said.count("\n") == 1
    assert not page.exists()


def test_what_is_no_run_is_one_line(tmp_path, capsys):
    for folder, why in ((tmp_path, "no config.yaml"), (tmp_path / "none", "no such folder")):
        assert main(["play", str(folder), "-o", str(tmp_path / "p.html")]) == 2
        said = capsys.readouterr().err
        assert "is no run directory" in said
        assert why in said
        assert said.count("\n") == 1


def test_a_run_has_to_be_named(capsys):
    with pytest.raises(SystemExit):
        main(["play"])
    assert "name one run" in capsys.readouterr().err


def data_of(X, t, task):
    samples = Samples(X, t)
    return Dataset(samples, samples, task)


FLOATS = np.random.default_rng(0).random((10, 300)).astype(np.float32)
CLASSES = np.arange(10) % 2


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        (data_of(FLOATS[:, :2], CLASSES, Classification("ab")), r"samples \(2,\)"),
        (data_of(FLOATS, CLASSES, Classification("ab")), r"samples \(300,\)"),
        (
            data_of(FLOATS.reshape(10, 3, 10, 10), CLASSES, Classification("ab")),
            r"samples \(3, 10, 10\)",
        ),
        (data_of(FLOATS[:, :144], FLOATS[:, :1], Regression(["y"])), "Regression"),
        (
            data_of(np.zeros((10, 64), int), np.zeros((10, 64), int), LanguageModel("ab")),
            "LanguageModel",
        ),
    ],
    ids=["points", "not square", "colour", "regression", "text"],
)
def test_data_that_are_no_grey_images_are_refused(dataset, said):
    with pytest.raises(ValueError, match=f"square grey images.*{said}"):
        shown_images(dataset)


def net_with(layer, **more):
    rng = np.random.default_rng(0)
    return Sequential({"in": layer, **more, "out": Affine(4, 4, rng=rng)}, SoftmaxWithLoss())


def two_outputs():
    a, b = (Node(Affine(144, 4, rng=i), "X") for i in range(2))
    return Graph({"a": a, "b": b}, outputs=["a", "b"], losses=SoftmaxWithLoss())


class OwnNet(Sequential):
    def forward(self, X):
        return super().forward(2 * X)


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (lambda: net_with(Gru(12, 4, last_only=True, rng=0)), r"in \(Gru\)"),
        (lambda: net_with(net_with(Gru(12, 4, rng=0))), r"in\.in \(Gru\)"),
        (lambda: OwnNet({"a": Flatten()}), "OwnNet has a forward of its own"),
        (two_outputs, "1 inputs and 2 outputs"),
        (lambda: Sequential({}), "no layers"),
        (lambda: Relu(), r"Relu is no nets\.Net"),
        (
            lambda: Graph(
                {
                    "h": Node(Affine(3, 4, rng=0), "X"),
                    "r": Node(Lstm(3, 4, rng=0), ["X", "h"]),
                }
            ),
            r"r \(Lstm\) reads 2 blobs",
        ),
        (
            lambda: Graph(
                {"a": Node(Relu(), "X"), "b": Node(Relu(), "a")},
                outputs="a",
                losses={"loss": Head(SoftmaxWithLoss(), "b")},
            ),
            "and not of its last layer",
        ),
    ],
    ids=["layer", "nested", "own net", "outputs", "empty", "no net", "several", "output"],
)
def test_nets_that_a_page_cannot_run_are_refused(net, said):
    with pytest.raises(ValueError, match=said):
        steps_of(net())


def test_shared_arrays_are_written_once():
    table = Affine(144, 144, bias=False, rng=0)
    net = Sequential({"a": table, "b": table})
    steps, arrays = steps_of(net)
    assert len(arrays) == 1
    assert [step["arrays"] for step in steps] == [{"W": 0}, {"W": 0}]


def test_probabilities_of_a_softmax_in_the_net_are_not_made_again():
    layers = {"a": Affine(144, 4, rng=0), "p": Softmax()}
    text = page_of_net(Sequential(layers, CrossEntropyError()), SmallImages(True), "a net")
    assert '"answer":"probabilities"' in text

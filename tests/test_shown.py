"""What objects show of themselves at a prompt, or in the cell of a notebook."""

import numpy as np
import pytest

from lamina import nets
from lamina.datasets import CSV, MNIST, Classification, Dataset, DrawnDigits, Samples
from lamina.layers import (
    Addition,
    Affine,
    Convolution,
    Dropout,
    Flatten,
    MaxPooling,
    Param,
    Relu,
    SoftmaxWithLoss,
    State,
)
from lamina.layers.initializers import make_initializer
from lamina.nets import Graph, Node, Sequential
from lamina.optimizers import SGD, AdamW, make_schedule


def frozen():
    param = Param(np.zeros((784, 50), np.float32), trainable=False)
    param.lr_mult, param.decay_mult = 2.0, 0.5
    return param


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (Affine(784, 50, rng=0), "Affine(n_in=784, n_out=50)"),
        (
            Affine(3, 2, init=make_initializer("normal", std=0.01), rng=0, dtype=np.float64),
            "Affine(n_in=3, n_out=2, init={'type': 'normal', 'std': 0.01}, dtype='float64')",
        ),
        (
            Affine(3, 2, init=lambda *_: np.ones((3, 2)), rng=0),
            "Affine(n_in=3, n_out=2, init=<function <lambda>>)",
        ),
        (Relu(), "Relu()"),
        (MaxPooling((2, 3), stride=2), "MaxPooling(kernel=[2, 3], stride=2)"),
        (SoftmaxWithLoss("sum"), "SoftmaxWithLoss(reduction='sum')"),
        (Param(np.zeros((784, 50), np.float32)), "Param (784, 50) float32, trainable"),
        (frozen(), "Param (784, 50) float32, frozen, lr_mult 2, decay_mult 0.5"),
        (State(np.zeros(10)), "State (10,) float64"),
    ],
)  # fmt: skip
def test_layers_and_parameters(what, text):
    assert repr(what) == text


def test_optimizers():
    net = Sequential({"a": Affine(4, 5, rng=0), "b": Affine(5, 3, rng=0)}, SoftmaxWithLoss())
    optimizer = SGD(net.parameters(), lr=0.1)
    assert repr(optimizer) == "SGD(lr=0.1) of 4 parameters, step 0"
    net.gradient(np.ones((2, 4), np.float32), np.array([0, 1]))
    optimizer.step()
    assert repr(optimizer) == "SGD(lr=0.1) of 4 parameters, step 1"
    schedule = make_schedule("step", gamma=0.5, step_size=10)
    assert repr(AdamW(net.parameters(), schedule=schedule)).endswith(" of 4 parameters, step 0")


def test_a_net_is_its_summary_where_the_shape_is_known():
    net = Sequential({"a": Affine(4, 5, rng=0), "relu": Relu()}, SoftmaxWithLoss())
    assert repr(net) == f"Sequential\n{net.summary((4,))}"
    lenet = nets.LeNet(rng=0)
    assert repr(lenet) == f"LeNet\n{lenet.summary((1, 28, 28))}"
    small = nets.LeNet((3, 16, 16), rng=0)
    assert repr(small) == f"LeNet\n{small.summary((3, 16, 16))}"


def test_a_net_without_a_shape_shows_its_layers_until_a_batch_has_passed():
    inner = Sequential({"drop": Dropout(0.5, rng=0)})
    net = Sequential({"conv": Convolution(1, 2, 3, rng=0), "inner": inner}, SoftmaxWithLoss())
    net.layers["conv"].b.trainable = False
    assert repr(net) == "\n".join([
        "Sequential",
        "layer                                         parameters",
        "--------------------------------------------------------",
        "conv: Convolution(c_in=1, c_out=2, kernel=3)          20",
        "inner: Sequential                                      -",
        "  drop: Dropout(p=0.5)                                 -",
        "(loss): SoftmaxWithLoss()                              -",
        "--------------------------------------------------------",
        "18 parameters to learn, 2 frozen",
    ])  # fmt: skip
    net.predict(np.zeros((2, 1, 5, 6), np.float32))
    assert repr(net) == f"Sequential\n{net.summary((1, 5, 6))}"
    layers = {"flat": Node(Flatten(), "X"), "sum": Node(Addition(), ["flat", "Z"])}
    graph = Graph(layers, inputs=["X", "Z"])
    with pytest.raises(ValueError, match="y of the shape of x"):
        graph.forward(np.zeros((2, 3)), np.zeros((2, 4)))
    assert "flat" in repr(graph)
    graph.forward(np.zeros((2, 3)), np.zeros((2, 3)))
    assert repr(graph) == f"Graph\n{graph.summary((3,), (3,))}"


@pytest.mark.parametrize("cls", [nets.LeNet, Sequential, Graph, SGD, Dataset, MNIST, Affine])
def test_what_is_only_half_made_can_be_shown_by_an_error(cls):
    assert repr(cls.__new__(cls)) == f"{cls.__name__}()"


def test_data_sets_read_nothing_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "none"))
    about = "Classification(10 classes), inputs {}, targets ()"
    assert repr(MNIST(flatten=True)) == f"MNIST(flatten=True): not read yet; {about.format((784,))}"
    digits = DrawnDigits(20, n_test=10, flatten=False)
    made = "DrawnDigits(n_train=20, n_test=10, flatten=False)"
    about = about.format((1, 28, 28))
    assert repr(digits) == f"{made}: not read yet; {about}"
    assert not (tmp_path / "none").exists()
    digits.test  # noqa: B018
    assert repr(digits) == f"{made}: 10 test samples; {about}"
    digits.train  # noqa: B018
    assert repr(digits) == f"{made}: 20 train, 10 test samples; {about}"


def test_data_sets_that_are_there(tmp_path):
    (tmp_path / "a.csv").write_text("x,y,kind\n" + "1,2,a\n3,4,b\n" * 5)
    said = repr(CSV(tmp_path / "a.csv", test_share=0.2))
    assert said.startswith(
        f"CSV(path={str(tmp_path / 'a.csv')!r}, test_share=0.2): 8 train, 2 test "
    )
    assert said.endswith("Classification(2 classes), inputs (2,), targets ()")
    samples = Samples(np.zeros((3, 4), np.float32), np.array([0, 1, 2]))
    assert repr(Dataset(samples, samples, Classification(range(3)))) == (
        "Dataset(): 3 train, 3 test samples; Classification(3 classes), inputs (4,), targets ()"
    )

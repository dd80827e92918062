"""The picture of a net on one batch."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import yaml

from lamina.commands.draw import load
from lamina.commands.frame import main
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import load_config
from lamina.experiment.run import run
from lamina.layers import (
    Addition,
    Affine,
    BatchNormalization,
    Dropout,
    Relu,
    Sigmoid,
    Slice,
    SoftmaxWithLoss,
    SquaredErrorLoss,
)
from lamina.nets import Graph, Head, Node, Sequential
from lamina.nets.drawing import draw_net

CONFIGS = sorted(Path("configs").glob("*.yaml"))


def small_net(**layers) -> Sequential:
    rng = np.random.default_rng(0)
    chain = layers or {
        "affine1": Affine(4, 5, rng=rng, dtype=np.float64),
        "relu1": Relu(),
        "affine2": Affine(5, 3, rng=rng, dtype=np.float64),
    }
    return Sequential(OrderedDict(chain), loss=SoftmaxWithLoss())


def batch(n: int = 6):
    rng = np.random.default_rng(1)
    return rng.standard_normal((n, 4)), rng.integers(0, 3, n)


def by_name(graph) -> dict:
    return {node.name: node for node in graph.nodes if node.kind != "copy"}


def test_values_and_gradients_are_those_of_the_net():
    net, (X, t) = small_net(), batch()
    graph = draw_net(net, X, t).graph
    nodes = by_name(graph)
    assert nodes["loss"].value == net.loss(X, t)
    assert nodes["relu1"].value.shape == (6, 5)
    for name, gradient in net.gradient(X, t).items():
        assert np.allclose(nodes[name].gradient, gradient, rtol=1e-14)
        assert np.array_equal(nodes[name].value, net.parameters()[name].data)
    net.loss(X, t)
    assert np.allclose(nodes["X"].gradient, net.backward(), rtol=1e-14)
    assert nodes["t"].gradient is None


def test_layers_and_parameters_are_nodes():
    graph = draw_net(small_net(), *batch()).graph
    labels = [(node.label, node.caption, node.kind) for node in graph.nodes]
    assert ("Affine", "affine1", "operation") in labels
    assert ("SoftmaxWithLoss", "loss", "operation") in labels
    assert labels.count(("W", "", "input")) == labels.count(("b", "", "input")) == 2
    formula = by_name(graph)["affine2"].formula
    assert formula == ("Affine(", 0, ", ", 1, ", ", 2, ")")


def test_the_net_is_left_as_it_was():
    net, (X, t) = small_net(), batch()
    net.gradient(X, t)
    before = {name: param.grad for name, param in net.parameters().items()}
    draw_net(net, X, t)
    for name, param in net.parameters().items():
        assert param.grad is before[name]


def test_running_statistics_do_not_move():
    net = small_net(
        norm=BatchNormalization(4, dtype=np.float64),
        affine=Affine(4, 3, rng=np.random.default_rng(0), dtype=np.float64),
    )
    before = net.state()
    draw_net(net, *batch())
    assert all(np.array_equal(value, before[name]) for name, value in net.state().items())


def test_a_shared_layer_has_a_copy_gate_at_its_parameters():
    shared = Affine(4, 4, rng=np.random.default_rng(0), dtype=np.float64)
    net = small_net(one=shared, act=Sigmoid(), two=shared)
    X, _ = batch()
    t = np.array([0, 1, 2, 3, 0, 1])
    graph = draw_net(net, X, t).graph
    copies = [i for i, node in enumerate(graph.nodes) if node.kind == "copy"]
    assert {graph.nodes[i].name for i in copies} == {"one.W", "one.b"}
    for i in copies:
        shares = [graph.edges[e].gradient for e in graph.out_of(i)]
        assert len(shares) == 2
        expected = net.gradient(X, t)[graph.nodes[i].name]
        assert np.allclose(sum(shares), expected, rtol=1e-12)
        assert np.allclose(graph.nodes[i].gradient, expected, rtol=1e-12)


def test_a_frozen_parameter_has_no_gradient():
    net, (X, t) = small_net(), batch()
    net.layers["affine2"].W.trainable = False
    nodes = by_name(draw_net(net, X, t).graph)
    assert nodes["affine2.W"].gradient is None
    assert nodes["affine2.b"].gradient is not None


@pytest.mark.parametrize("suffix", ["svg", "png", "dot", "html"])
def test_the_command_draws_a_configuration(tmp_path, capsys, suffix):
    path = tmp_path / f"net.{suffix}"
    detailed = ["--details"] if suffix != "html" else []  # the page to step through is in detail
    assert main(["draw", "configs/own_csv.yaml", "-o", str(path), "--batch", "7", *detailed]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    if suffix != "png":
        text = path.read_text(encoding="utf-8")
        assert "(7, 2) norm" in text
        assert "(64, 64) norm" in text


@pytest.mark.needs_mnist
@pytest.mark.parametrize(
    "config",
    # mnist_finetune begins with the weights of another run, which need not be there.
    [c for c in CONFIGS if c.stem.startswith(("mnist", "rows")) and c.stem != "mnist_finetune"],
    ids=lambda path: path.stem,
)
def test_every_mnist_configuration_is_drawn(tmp_path, config):
    options = ["-o", str(tmp_path / "net.svg"), "--details", "--batch", "5"]
    assert main(["draw", str(config), *options]) == 0
    text = (tmp_path / "net.svg").read_text(encoding="utf-8")
    assert "(5, 784) norm" in text or "(5, 1, 28, 28) norm" in text


@pytest.mark.parametrize(
    "config",
    [c for c in CONFIGS if not c.stem.startswith(("mnist", "fashion", "rows"))],
    ids=lambda path: path.stem,
)
def test_every_other_configuration_is_drawn(tmp_path, config):
    options = ["-o", str(tmp_path / "net.svg"), "--details", "--batch", "5"]
    assert main(["draw", str(config), *options]) == 0
    text = (tmp_path / "net.svg").read_text(encoding="utf-8")
    assert "(5, " in text
    assert " norm " in text


def test_an_autoencoders_inputs_are_not_its_targets():
    layers = {"affine": Affine(4, 4, rng=0, dtype=np.float64)}
    net, (X, _) = Sequential(layers, loss=SquaredErrorLoss()), batch()
    nodes = by_name(draw_net(net, X, X).graph)
    assert nodes["t"].gradient is None
    net.loss(X, X)
    assert np.allclose(nodes["X"].gradient, net.backward(), rtol=1e-14)


def test_graphs_are_drawn_with_their_forks_and_all_their_losses():
    rng = np.random.default_rng(0)
    net = Graph(
        {
            "first": Affine(4, 5, rng=rng, dtype=np.float64),
            "relu": Relu(),
            "second": Affine(5, 5, rng=rng, dtype=np.float64),
            "sum": Node(Addition(), ["relu", "second"]),
            "cut": Node(Slice(1, [3, 2]), outputs=2),
            "top": Node(Affine(2, 3, rng=rng, dtype=np.float64), "cut.1"),
        },
        outputs=["cut.0", "top"],
        losses={
            "main": Head(SoftmaxWithLoss()),
            "extra": Head(SoftmaxWithLoss(), "top", weight=0.5),
        },
    )
    X, t = batch()
    graph = draw_net(net, X, t).graph
    nodes = by_name(graph)
    assert nodes["loss"].value == pytest.approx(float(net.loss(X, t)))
    assert nodes["loss"].formula == ("1 ", 0, " + ", "0.5 ", 1)
    assert {"cut.0", "cut.1"} <= set(nodes)
    assert [node.name for node in graph.nodes if node.kind == "copy"] == ["relu", "sum"]
    for name, gradient in net.gradient(X, t).items():
        np.testing.assert_allclose(nodes[name].gradient, gradient, rtol=1e-12)
    net.loss(X, t)
    np.testing.assert_allclose(nodes["X"].gradient, net.backward(), rtol=1e-12)


def test_a_single_loss_with_a_weight():
    net = Graph(
        {"top": Affine(4, 3, rng=0, dtype=np.float64)},
        losses={"main": Head(SoftmaxWithLoss(), weight=0.25)},
    )
    X, t = batch()
    graph = draw_net(net, X, t).graph
    total = next(node for node in graph.nodes if node.label == "weighted sum")
    assert total.value == pytest.approx(float(net.loss(X, t)))
    assert total.formula == ("0.25 ", 0)
    weights = by_name(graph)["top.W"].gradient
    np.testing.assert_allclose(weights, net.gradient(X, t)["top.W"], rtol=1e-12)


def test_a_run_is_drawn_with_its_trained_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    config = load_config("configs/own_csv.yaml")
    config.set("training.iterations=5")
    run(config, "own", tmp_path / "run", quiet=True)
    trained, X, t = load(tmp_path / "run", 10)
    assert len(X) == len(t) == 10
    weights = np.load(tmp_path / "run" / "weights.npz")
    nodes = by_name(draw_net(trained, X, t).graph)
    assert np.array_equal(nodes["affine1.W"].value, weights["affine1.W"])
    assert main(["draw", str(tmp_path / "run"), "-o", str(tmp_path / "net.svg")]) == 0
    assert ">Affine 2 → 64<" in (tmp_path / "net.svg").read_text(encoding="utf-8")


def test_a_configuration_is_drawn_with_the_weights_that_training_starts_from(tmp_path):
    config = load_config("configs/own_csv.yaml")
    config.set("training.iterations=1")
    expected = build_trainer(config, quiet=True).net.parameters()["affine1.W"].data
    net, _, _ = load(Path("configs/own_csv.yaml"), 5)
    assert np.array_equal(net.parameters()["affine1.W"].data, expected)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.yaml"], "nowhere.yaml: no such file or configuration"),
        (["configs"], "configs: is no run directory"),
        (["configs/own_csv.yaml", "--batch", "0"], "--batch: expects at least 1"),
        (["configs/own_csv.yaml", "-o", "net.pdf"], "must end in one of .png, .svg, .dot, .html"),
        (["own_csv", "--page", "a4", "--details"], "--page: is for a net layer by layer"),
        (["own_csv", "--page", "a4", "-o", "net.html"], "--page: is for a net layer by layer"),
        (["own_csv", "--page", "16:9", "-o", "net.dot"], "--page: is for a net layer by layer"),
        (["x * y", "x=1", "y=2", "--page", "a4"], "--page: is for a net layer by layer"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments, says, capsys):
    assert main(["draw", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("lamina draw: ")
    assert says in err
    assert err.count("\n") == 1


def test_the_pass_is_one_of_training():
    drop = Dropout(0.5, rng=np.random.default_rng(0))
    net, (X, t) = small_net(drop=drop, affine=Affine(4, 3, rng=0, dtype=np.float64)), batch()
    for training in (True, False):
        net.set_training(training)
        value = by_name(draw_net(net, X, t).graph)["drop"].value
        assert 0 < (value == 0).sum() < X.size
        assert net.layers["drop"].training == training


def test_the_first_hundred_training_samples_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    text = Path("configs/digits_relu.yaml").read_text()
    for old, new in (("12000", "130"), ("2000", "120"), ("training: {", "training: {seed: 3, ")):
        text = text.replace(old, new)
    (tmp_path / "c.yaml").write_text(text)
    net, X, t = load(tmp_path / "c.yaml", 7)
    trainer = build_trainer(load_config(tmp_path / "c.yaml"), quiet=True)
    for name, param in trainer.net.parameters().items():  # its initial weights
        np.testing.assert_array_equal(net.parameters()[name].data, param.data)
    train = trainer.dataset.train
    assert len(train) == 130
    np.testing.assert_array_equal(X, train[:7][0])
    np.testing.assert_array_equal(t, train[:7][1])
    rows = []

    def loaded(path, n, *more):
        rows.append(n)
        return load(path, n, *more)

    monkeypatch.setattr("lamina.commands.draw.load", loaded)
    for details in (["--details"], []):
        arguments = ["draw", str(tmp_path / "c.yaml"), "-o", str(tmp_path / "n.svg"), *details]
        assert main(arguments) == 0
    assert rows == [100, 1]  # without details only the shape of one is asked for


def test_a_file_of_a_net_has_no_samples_to_draw_it_with(tmp_path, capsys):
    Sequential({"affine": Affine(4, 3, rng=0)}, SoftmaxWithLoss()).save(tmp_path / "net.npz")
    assert main(["draw", str(tmp_path / "net.npz"), "-o", str(tmp_path / "net.svg")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"lamina draw: {tmp_path / 'net.npz'}: a file of a net has no samples")
    assert not (tmp_path / "net.svg").exists()


@pytest.mark.parametrize(("page", "size"), [("a4", (794, 1123)), ("16:9", (1280, 720))])
def test_the_command_draws_a_page(tmp_path, capsys, page, size):
    path = tmp_path / "net.svg"
    assert main(["draw", "configs/own_csv.yaml", "--page", page, "-o", str(path)]) == 0
    assert 'width="{}" height="{}"'.format(*size) in path.read_text(encoding="utf-8")
    assert capsys.readouterr().err == ""
    layers = {f"a{i}": {"type": "Affine", "n_out": 2 + i} for i in range(260)}
    data = load_config("configs/own_csv.yaml").data
    data["dataset"]["path"] = str(Path("configs/spirals.csv").resolve())
    data["net"]["layers"] = layers | {"last": {"type": "Affine", "n_out": 3}}
    (tmp_path / "deep.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    assert main(["draw", str(tmp_path / "deep.yaml"), "--page", page, "-o", str(path)]) == 0
    assert f"the net is large for {page}, its smallest letters have" in capsys.readouterr().err

"""One structure of a net, whether it comes from YAML or from Python."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from made_batches import made_batch

from lamina import nets
from lamina.common.strict_yaml import dump
from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import ConfigError, load_config
from lamina.layers import (
    Affine,
    BatchNormalization,
    Concatenation,
    Dropout,
    Multiplication,
    Relu,
    Slice,
    SoftmaxWithLoss,
)
from lamina.nets import Graph, Node, Sequential, load_net, net_from_structure

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.often(2)
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_there_and_back_and_in_a_file(path, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "nothing here"))
    config = load_config(path)
    dataset = build_dataset(config)
    net = build_net(config, dataset, 0, weights=False)
    written = net.structure()
    assert net_from_structure(written).structure() == written
    net.save(tmp_path / "net.npz")
    again = load_net(tmp_path / "net.npz")
    assert again.structure() == written
    X, _ = made_batch(dataset, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(again.predict(X), net.predict(X), strict=True)
    # As the net of a configuration it is the same net: all that was left to the data is said now.
    config.data["net"] = yaml.safe_load(dump(written))
    assert build_net(config, dataset, 0).structure() == written


HEAD = "dataset: {type: Tiny}\noptimizer: {type: SGD, lr: 0.1}\ntraining: {iterations: 5}\n"


@pytest.fixture
def net_of(config_of, tiny):
    """The net of a YAML text under `net:`."""

    def build(text):
        config = config_of(HEAD + "net:\n" + "\n".join(f"  {line}" for line in text.splitlines()))
        return build_net(config, build_dataset(config), 0)

    return build


def test_a_chain_is_the_same_from_both(net_of):
    built = net_of("""
type: Sequential
layers:
  affine1: {type: Affine, n_out: 5, init: {type: normal, std: 0.01}, lr_mult: 2}
  norm: {type: BatchNormalization}
  relu1: {type: Relu}
  drop: {type: Dropout, p: 0.5}
  affine2: {type: Affine, n_out: 3, init: he_normal}
loss: {type: SoftmaxWithLoss, reduction: mean}
params: {affine2.b: {trainable: false}}
""")
    import functools

    from lamina.layers.initializers import normal

    layers = {
        "affine1": Affine(4, 5, init=functools.partial(normal, std=0.01), rng=0),
        "norm": BatchNormalization(5),
        "relu1": Relu(),
        "drop": Dropout(rng=1),
        "affine2": Affine(5, 3, rng=2),
    }
    net = Sequential(layers, SoftmaxWithLoss())
    for param in layers["affine1"].parameters().values():
        param.lr_mult = 2.0
    layers["affine2"].b.trainable = False
    assert built.structure() == net.structure()


SIAMESE = """
type: Graph
inputs: [X]
layers:
  left: {type: Sequential, inputs: X, layers: {a: {type: Affine, n_out: 6}, r: {type: Relu}}}
  right: {same_as: left, inputs: X}
  both: {type: Concatenation, inputs: [left, right]}
  inside: {same_as: left.a, inputs: X}
  most: {type: Concatenation, inputs: [both, inside]}
  out: {type: Affine, n_out: 3}
loss: {type: SoftmaxWithLoss}
"""


def test_a_layer_at_two_places_is_said_with_same_as(net_of):
    built = net_of(SIAMESE)
    tower = Sequential({"a": Affine(4, 6, rng=0), "r": Relu()})
    net = Graph(
        {
            "left": Node(tower, "X"),
            "right": Node(tower, "X"),
            "both": Node(Concatenation(), ["left", "right"]),
            "inside": Node(tower.layers["a"], "X"),
            "most": Node(Concatenation(), ["both", "inside"]),
            "out": Affine(18, 3, rng=0),
        },
        losses=SoftmaxWithLoss(),
    )
    assert built.structure() == net.structure()
    W = built.layers["left"].layers["a"].W
    assert built.layers["right"].layers["a"].W is W
    assert built.layers["inside"].W is W
    assert list(built.parameters()) == ["left.a.W", "left.a.b", "out.W", "out.b"]
    chain = net_of("""
type: Sequential
layers:
  a: {type: Affine, n_out: 4}
  b: {same_as: a}
  c: {type: Affine, n_out: 3}
loss: {type: SoftmaxWithLoss}
""")
    assert chain.layers["a"].W is chain.layers["b"].W


def test_a_graph_in_a_graph_says_apart_what_it_reads(net_of):
    built = net_of("""
type: Graph
layers:
  inner:
    type: Graph
    inputs: Z
    layers:
      cut: {type: Slice, axis: 1, sizes: [2, 2], outputs: 2}
      product: {type: Multiplication, inputs: [cut.0, cut.1]}
    node: {inputs: X}
  out: {type: Affine, n_out: 3}
loss: {type: SoftmaxWithLoss}
""")
    parts = {"cut": Node(Slice(1, (2, 2)), "Z", 2)}
    parts["product"] = Node(Multiplication(), ["cut.0", "cut.1"])
    layers = {"inner": Graph(parts, inputs="Z"), "out": Affine(2, 3, rng=0)}
    assert built.structure() == Graph(layers, losses=SoftmaxWithLoss()).structure()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("same_as: left,", "same_as: lift,", "same_as: no layer lift is made before.*mean left"),
        ("same_as: left,", "same_as: 3,", "right.same_as: expects a text"),
        ("same_as: left,", "same_as: left, n_out: 3,", "right.n_out: unknown key"),
        ("same_as: left,", "same_as: out,", "same_as: no layer out is made before"),
        ("loss: {type: SoftmaxWithLoss}", "loss: {same_as: left}", "left is of another kind"),
    ],
)
def test_what_is_the_same_as_nothing_is_refused(net_of, old, new, words):
    with pytest.raises(ConfigError, match=words):
        net_of(SIAMESE.replace(old, new))


def test_ready_made_nets_are_the_same_from_both(config_of, tmp_path):
    for name in ("LeNet", "SimpleConvNet", "DeepConvNet", "ResidualNet"):
        config = config_of(
            f"dataset: {{type: MNIST, flatten: false}}\nnet: {{type: {name}}}\n"
            "optimizer: {type: SGD, lr: 0.1}\ntraining: {iterations: 5}\n"
        )
        built = build_net(config, build_dataset(config), 0)
        assert built.structure() == getattr(nets, name)(rng=0).structure() == {"type": name}

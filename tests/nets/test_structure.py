"""A net as plain data, and back."""

import json

import numpy as np
import pytest
import yaml
from some_nets import NETS, OWN, own_layers

from lamina import layers, nets
from lamina.layers import Affine, Dropout, Layer, Relu, SoftmaxWithLoss
from lamina.nets import Sequential, StructureError, net_from_structure
from lamina.nets.from_structure import MAX_DEPTH


@pytest.mark.parametrize("name", NETS)
def test_there_and_back(name):
    make, X = NETS[name]
    net = make()
    written = json.loads(json.dumps(net.structure()))
    again = net_from_structure(written, [OWN])
    assert again.structure() == written
    assert list(again.parameters()) == list(net.parameters())
    for which, param in net.parameters().items():
        other = again.parameters()[which]
        assert other.data.shape == param.data.shape
        assert other.data.dtype == param.data.dtype
        settings = ("trainable", "lr_mult", "decay_mult")
        assert all(getattr(other, s) == getattr(param, s) for s in settings), which
    assert np.shape(again.predict(X)) == np.shape(net.predict(X))


def test_every_ready_made_net_is_tested():
    ready = {n for n in nets.__all__ if isinstance(getattr(nets, n), type)}
    ready = {n for n in ready if issubclass(getattr(nets, n), layers.Layer)}
    assert ready - {"Net", "Graph", "Sequential"} <= NETS.keys()


def test_it_is_what_configurations_have():
    net = Sequential(
        {"affine1": Affine(784, 50, rng=0), "relu1": Relu(), "drop1": Dropout(0.5, rng=0)},
        loss=SoftmaxWithLoss(),
    )
    net.layers["affine1"].b.trainable = False
    assert net.structure() == yaml.safe_load("""
        type: Sequential
        layers:
          affine1: {type: Affine, n_in: 784, n_out: 50, params: {b: {trainable: false}}}
          relu1: {type: Relu}
          drop1: {type: Dropout}
        loss: {type: SoftmaxWithLoss}
    """)


def test_the_seed_draws_the_weights():
    described = NETS["two layers"][0]().structure()
    one, same, other = (net_from_structure(described, rng=seed) for seed in (1, 1, 2))
    W = [net.parameters()["affine1.W"].data for net in (one, same, other)]
    assert (W[0] == W[1]).all()
    assert (W[0] != W[2]).any()


def test_a_shared_layer_stays_one():
    net = net_from_structure(NETS["a shared layer"][0]().structure())
    first, again = net.layers["first"], net.layers["again"]
    assert first is not again
    assert first.W is again.W
    net = net_from_structure(NETS["siamese"][0]().structure())
    left, right = net.layers["left"].layers, net.layers["right"].layers
    assert left["a"].W is right["a"].W
    assert left["d"].rng is right["d"].rng
    net = net_from_structure(NETS["shared in part"][0]().structure())
    assert net.layers["a"].layers["x"].W is net.layers["b"].layers["x"].W is net.layers["c"].W
    assert net.layers["b"].layers["y"].W is not net.layers["c"].W


def test_the_initializer_comes_back_and_one_of_ones_own_is_left_out():
    zeros = Affine(3, 2, init=lambda shape, rng, dtype: np.zeros(shape, dtype), rng=0)
    few = Affine(2, 2, init=layers.initializers.make_initializer("constant", value=7.0), rng=0)
    net = Sequential({"zeros": zeros, "few": few})
    described = net.structure()
    assert described["layers"]["zeros"] == {"type": "Affine", "n_in": 3, "n_out": 2}
    assert (net_from_structure(described).parameters()["few.W"].data == 7.0).all()


class Here(Layer):
    """In this file, where nothing may be run that the caller does not name."""

    def forward(self, X):
        return X


def test_own_classes_are_run_only_if_they_are_named(tmp_path):
    ran = tmp_path / "ran"
    code = tmp_path / "mine.py"
    code.write_text(
        f"from pathlib import Path\nfrom lamina.layers import Relu\nPath({str(ran)!r}).touch()\n"
        "class Mine(Relu): pass\nnumber = 3\n"
    )
    described = {"type": "Sequential", "layers": {"a": {"type": f"{code}:Mine"}}}
    with pytest.raises(StructureError, match=r"a: loading runs no code by itself.*mine\.py"):
        net_from_structure(described)
    other = tmp_path / "other.py"
    other.write_text("")
    with pytest.raises(StructureError, match="runs no code"):
        net_from_structure(described, [other])
    assert not ran.exists()
    assert type(net_from_structure(described, [str(code)]).layers["a"]).__name__ == "Mine"
    assert ran.exists()
    elsewhere = {"type": "Sequential", "layers": {"a": {"type": "/not/there/mine.py:Mine"}}}
    net_from_structure(elsewhere, [code])
    with pytest.raises(StructureError, match=r"no such file: .*missing"):
        net_from_structure(described, [tmp_path / "missing.py"])
    described["layers"]["a"]["type"] = f"{code}:number"
    with pytest.raises(StructureError, match=r"a: expects a layer, got .*number"):
        net_from_structure(described, [code])


def _changed(**layers_):
    return Sequential({"a": Affine(4, 4, rng=0), **layers_})


def _sharing_a_param():
    a, b = Affine(4, 4, rng=0), Affine(4, 4, rng=0)
    b.W = a.W
    return Sequential({"a": a, "b": b})


def _mine_with_another_layer():
    net = own_layers().Mine(3, rng=0)
    net.layers["r"] = layers.Sigmoid()
    return net


def _local():
    class Local(Layer):
        def forward(self, X):
            return X

    return _changed(x=Local())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_local, r"x \(Local\): the class .*Local is at the top of no file"),
        (
            lambda: _changed(x=own_layers().Power(np.ones(2))),
            r"x \(Power\): its argument p is <arr",
        ),
        (
            lambda: _changed(x=own_layers().Power(abs)),
            r"x \(Power\): its argument p is <function abs>",
        ),
        (_sharing_a_param, r"b \(Affine\): shares W with a.W, but is not the same layer"),
        (
            _mine_with_another_layer,
            r"the net \(Mine\): its layers are no longer those that its arg",
        ),
        (
            lambda: _changed(x=own_layers().Scale(3, params=1)),
            "an argument called params cannot be",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(make, words):
    with pytest.raises(StructureError, match=words):
        make().structure()


def _nested(depth):
    data = {"type": "Relu"}
    for _ in range(depth):
        data = {"type": "Sequential", "layers": {"a": data}}
    return data


def _net(**spec):
    return {"type": "Sequential", "layers": {"a": spec}}


def _graph(*, a, **more):
    return {"type": "Graph", "layers": {"a": a}, **more}


def test_nets_of_nets_that_are_the_same_are_written_in_a_moment():
    described = _doubling(9)
    described["layers"]["l0"]["type"] = "PRelu"  # with a Param that 512 layers share
    net = net_from_structure(described)
    written = net.structure()
    assert len(str(written)) < 2000
    assert net_from_structure(written).structure() == written


def _doubling(levels):
    """Each net holds the one before it twice: 2^levels layers in a few lines."""
    layers_ = {"l0": {"type": "Relu"}}
    for i in range(levels):
        twice = {name: {"same_as": f"l{i}"} for name in "xy"}
        layers_[f"l{i + 1}"] = {"type": "Sequential", "layers": twice}
    return {"type": "Sequential", "layers": layers_}


def _many(n, kind):
    return {"type": kind, "layers": {f"a{i}": {"type": "Relu"} for i in range(n)}}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_doubling(60), "the net has more than 3000 layers"),
        (_many(4000, "Sequential"), "^a2999: the net has more than 3000 layers"),
        (_many(4000, "Graph"), "the net has more than 3000 layers"),
        (_net(type=f"{'x' * 900}.py:Y"), "^a: loading runs no code by itself"),
        (None, "^the net: expects a mapping"),
        ([], "^the net: expects a mapping"),
        ({}, r"^the net: expects type: NAME, got None"),
        ({"type": "Relo"}, "^the net: unknown type Relo; did you mean Relu"),
        ({"type": "Layer"}, "^the net: unknown type Layer"),
        ({"type": "Net"}, "^the net: unknown type Net"),
        ({"type": "SoftmaxWithLoss"}, "^the net: expects a layer, got SoftmaxWithLoss"),
        ({"type": "Sequential"}, "^the net: expects layers: name"),
        ({"type": "Graph", "layers": {}}, "^the net: Graph: expects at least one layer"),
        (_net(type="Affine", n_in=3), "^a: Affine needs n_out"),
        (_net(type="Affine", n_in=3, n_out=2, rng=0), "^a: unknown key 'rng'"),
        (_net(type="Affine", n_in=3, n_out=True), "^a: n_out: expects int, got True"),
        (_net(type="Affine", n_in=3, n_out="2"), "^a: n_out: expects int, got '2'"),
        (_net(type="Affine", n_in=3, n_out=2.0), "^a: n_out: expects int, got 2.0"),
        (_net(type="Affine", n_in=3, n_out=0), "^a: Affine: n_in and n_out are at least 1"),
        (_net(type="Affine", n_in=3, n_out=2, dtype="object"), "^a: "),
        (_net(type="Affine", n_in=3, n_out=2, dtype="int32"), "^a: .*floating-point"),
        (
            _net(type="Affine", n_in=3, n_out=2, init="she_normal"),
            "^a: unknown initializer she_normal",
        ),
        (_net(type="Affine", n_in=3, n_out=2, init={"std": 1.0}), "^a: init: expects type: NAME"),
        (
            _net(type="Affine", n_in=3, n_out=2, init=3),
            "^a: init: expects a name or a mapping [(]type: ...[)], got 3",
        ),
        (_net(type="Affine", n_in=3, n_out=2, lr_mult=-1), "^a: lr_mult: expects at least 0"),
        (_net(type="Affine", n_in=3, n_out=2, lr_mult="x"), "^a: lr_mult: expects float, got 'x'"),
        (_net(type="Affine", n_in=3, n_out=2, trainable=1), "^a: trainable: expects bool, got 1"),
        (
            _net(type="Affine", n_in=3, n_out=2, params={"V": {}}),
            "^a: params: V: no such parameter",
        ),
        (
            _net(type="Affine", n_in=3, n_out=2, params={"W": {"lr": 1}}),
            "^a: params: W: unknown key 'lr'",
        ),
        (_net(type="Relu", slope=1), "^a: unknown key 'slope'; there are none"),
        (_net(same_as="b"), "^a: same_as: no layer b before it"),
        (_net(same_as="a"), "^a: same_as: no layer a before it"),
        (_net(same_as=3), "^a: expects a name, got 3"),
        (_net(same_as="b", p=2), "^a: unknown key 'p'"),
        (_net(type="Relu", loss=1), "^a: unknown key 'loss'"),
        ({"type": "Sequential", "layers": {"a.b": {"type": "Relu"}}}, "^the net: layer name 'a.b'"),
        (_net(type="Relu") | {"loss": {"type": "Relu"}}, "^loss: expects a loss, got Relu"),
        (_net(type="Relu") | {"loss": {"same_as": "a"}}, "^loss: same_as: a is a Relu"),
        (_net(type="Relu") | {"loss": None}, "^loss: expects a mapping"),
        (_net(type="Relu") | {"losses": {}}, "^the net: unknown key 'losses'"),
        (_graph(a={"type": "Relu", "inputs": "Z"}), "^the net: a: no layer gives Z"),
        (_graph(a={"type": "Relu", "inputs": 3}), "^a: inputs: expects a list of names, got 3"),
        (_graph(a={"type": "Relu", "inputs": ["X", 3]}), "^a: inputs: expects a list of names"),
        (
            _graph(a={"type": "Relu", "outputs": 10**9}),
            "^a: outputs: expects 1 to 1000, got 1000000000",
        ),
        (_graph(a={"type": "Relu", "outputs": "2"}), "^a: outputs: expects 1 to 1000, got '2'"),
        (_graph(a={"type": "Relu", "node": 3}), "^a: node: expects a mapping"),
        (_graph(a={"type": "Relu", "node": {"x": 3}}), "^a: node: unknown key 'x'"),
        (_graph(a={"type": "Relu"}, outputs=[]), "^the net: outputs: expects a list of names"),
        (_graph(a={"type": "Relu"}, losses=[]), "^the net: losses: expects a mapping"),
        (_graph(a={"type": "Relu"}, losses={"m": {"type": "Relu"}}), "^loss_m: expects a loss"),
        (
            _graph(a={"type": "Relu"}, losses={"m": {"type": "SVMLoss", "weight": "x"}}),
            "^loss_m: weight: exp",
        ),
        (_graph(a={"type": "Relu"}, loss={"type": "SVMLoss", "input": "b"}), "no layer gives b"),
        (_net(type="Reshape", shape=[2, float("nan")]), "holds nan; expects finite numbers"),
        (_net(type="Reshape", shape=[2, 2**63]), "a whole number of more than 64 bits"),
        (_net(type="Reshape", shape=object()), "holds a object; expects texts and numbers"),
        (_net(type="Re\nlu"), "expects texts on one line"),
        (_net(type="R" * 2000), "expects texts on one line, up to 1000 characters"),
        (_net(type="Reshape", shape=[1] * 300_000), "has more than 200000 keys and values"),
        (_nested(MAX_DEPTH), f"is nested deeper than {MAX_DEPTH} levels"),
        ({"type": "LeNet", "input_shape": "ab"}, "^the net: "),
        ({"type": "LeNet", "input_shape": [1, 4, 4]}, "^the net: "),
        ({"type": "ResidualNet", "widths": []}, "^the net: "),
    ],
)
def test_what_makes_no_net_is_refused_by_name(data, words):
    with pytest.raises(StructureError, match=words):
        net_from_structure(data)

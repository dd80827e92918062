"""Graphs, settings of single parameters, and saved weights, from YAML."""

import numpy as np
import pytest

from lamina import datasets
from lamina.experiment.build import build_dataset, build_net, build_optimizer
from lamina.experiment.build_trainer import build_run, build_trainer
from lamina.experiment.config import ConfigError
from lamina.layers import Addition, Copy
from lamina.nets import Graph
from lamina.nets.weights import load_weights, save_weights

GRAPH = """
dataset: {type: Tiny}
net:
  type: Graph
  layers:
    sum: {type: Addition, inputs: [inner2, first]}
    first: {type: Affine, n_out: 5, inputs: X}
    relu: {type: Relu}
    inner2: {type: Affine, n_out: 5}
    cut: {type: Slice, axis: 1, sizes: [2, 3], inputs: sum, outputs: 2}
    join: {type: Concatenation, inputs: [cut.1, cut.0]}
    last: {type: Affine, n_out: 3, lr_mult: 2}
    value: {type: Affine, n_out: 2, inputs: sum, trainable: false}
  outputs: [last, value]
  losses:
    main: {type: SoftmaxWithLoss}
    extra: {type: SoftmaxWithLoss, input: last, weight: 0.5}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 5, batch_size: 4, seed: 3}
"""

CHAIN = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers:
    affine1: {type: Affine, n_out: 5, params: {W: {lr_mult: 3}, b: {decay_mult: 0}}}
    relu1: {type: Relu}
    affine2: {type: Affine, n_out: 3}
  loss: {type: SoftmaxWithLoss}
  params: {affine2.b: {trainable: false}}
optimizer: {type: SGD, lr: 0.1, weight_decay: 0.5}
training: {iterations: 5, batch_size: 4}
"""


pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def net_of(config_of):
    def build(text):
        config = config_of(text)
        return build_net(config, build_dataset(config), np.random.default_rng(0))

    return build


def test_a_graph_is_built_in_the_order_in_which_it_hangs_together(net_of):
    net = net_of(GRAPH)
    assert isinstance(net, Graph)
    assert isinstance(net.layers["sum"], Addition)
    assert isinstance(net.layers["first_copy"], Copy)
    assert net.layers["join"].forward(np.ones((1, 3)), np.ones((1, 2))).shape == (1, 5)
    assert net.heads["extra"].weight == 0.5
    assert net.output_shape((4,)) == [(3,), (2,)]
    assert net.layers["last"].W.lr_mult == net.layers["last"].b.lr_mult == 2.0
    assert not net.layers["value"].W.trainable


def test_inputs_that_are_left_empty_are_the_one_input(net_of):
    net = net_of(GRAPH.replace("type: Graph\n", "type: Graph\n  inputs:\n"))
    assert net.inputs == ("X",)


def test_a_graph_trains_and_is_saved(config_of, tmp_path):
    trainer = build_trainer(config_of(GRAPH), quiet=True, run_dir=None)
    first = trainer.step()
    for _ in range(30):
        last = trainer.step()
    assert last < first
    save_weights(tmp_path / "w.npz", trainer.net)
    other = build_trainer(config_of(GRAPH), quiet=True)
    load_weights(tmp_path / "w.npz", other.net)
    X = trainer.dataset.train.X
    np.testing.assert_array_equal(trainer.net.predict(X), other.net.predict(X))


def test_settings_of_single_parameters(net_of):
    net = net_of(CHAIN)
    first, second = net.layers["affine1"], net.layers["affine2"]
    assert (first.W.lr_mult, first.W.decay_mult) == (3.0, 1.0)
    assert (first.b.lr_mult, first.b.decay_mult) == (1.0, 0.0)
    assert second.W.trainable
    assert not second.b.trainable


def test_multipliers_reach_the_update(config_of):
    config = config_of(CHAIN)
    net = build_net(config, build_dataset(config), np.random.default_rng(0))
    optimizer = build_optimizer(config, net.parameters())
    before = {n: p.data.copy() for n, p in net.parameters().items()}
    for param in net.parameters().values():
        param.data += 1.0
        param.grad = np.ones_like(param.data)
    optimizer.step()

    def change(name):
        return (net.parameters()[name].data - before[name] - 1.0).ravel()[0]

    W = before["affine1.W"].ravel()[0] + 1.0
    assert change("affine1.W") == pytest.approx(-0.3 * (1 + 0.5 * W), rel=1e-5)
    assert change("affine1.b") == pytest.approx(-0.1, rel=1e-5)
    W = before["affine2.W"].ravel()[0] + 1.0
    assert change("affine2.W") == pytest.approx(-0.1 * (1 + 0.5 * W), rel=1e-5)
    assert change("affine2.b") == 0.0
    assert optimizer.lr == 0.1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("inputs: X}", "inputs: Y}", r"line 7: net\.layers\.first: no layer gives Y"),
        ("relu: {type: Relu}", "relu: {type: Relu, inputs: last}", "reads its own output: .* <- "),
        ("inputs: sum, outputs: 2", "inputs: sum", "no layer gives cut.1"),
        ("n_out: 3, lr", "n_out: 3, inputs: [X, join], lr", "last: Affine does not take 2 inputs"),
        ("inputs: [cut.1, cut.0]", "inputs: 3", r"join\.inputs: expects a list of names, got 3"),
        ("input: last, weight", "input: lost, weight", "loss extra: no layer gives lost"),
        ("weight: 0.5", "weight: heavy", "weight: expects a number, got the text 'heavy'"),
        ("n_out: 5, inputs: X", "n_out: 6, inputs: X", r"sum: \(Addition\) expects y of the shape"),
        ("lr_mult: 2", "lr_mult: -1", "lr_mult: expects at least 0, got -1"),
        ("lr_mult: 2", "lr_mul: 2", "lr_mul: unknown key; did you mean lr_mult"),
        ("lr_mult: 2", "params: {w: {lr_mult: 2}}", "params.w: no such parameter; did you mean W"),
        ("lr_mult: 2", "params: {W: {lr: 2}}", "params.W.lr: unknown key"),
        ("type: Graph", "type: Graph\n  inputs: [X, Z]", "takes 2 inputs, but gets 1"),
    ],
)
def test_mistakes_in_graphs_are_named(net_of, old, new, words):
    text = GRAPH
    assert old in text
    with pytest.raises(ConfigError, match=words):
        net_of(text.replace(old, new))


def test_weights_are_put_in_by_name(net_of, tmp_path, capsys):
    net = net_of(CHAIN)
    save_weights(tmp_path / "w.npz", net)
    text = CHAIN.replace("type: Sequential", "type: Sequential\n  weights: w.npz")
    other = net_of(text.replace("n_out: 5", "n_out: 5, init: zeros"))
    for name, param in other.parameters().items():
        np.testing.assert_array_equal(param.data, net.parameters()[name].data)
    assert "4 of 4 arrays from" in capsys.readouterr().err


def test_weights_that_do_not_fit_are_all_listed_and_nothing_is_changed(net_of, tmp_path, capsys):
    net = net_of(CHAIN)
    save_weights(tmp_path / "w.npz", net)
    wider = CHAIN.replace("n_out: 5", "n_out: 6").replace("affine2", "top")
    text = wider.replace("type: Sequential", "type: Sequential\n  weights: w.npz")
    with pytest.raises(ConfigError) as error:
        net_of(text)
    for word in (
        "missing: top.W",
        "unknown: affine2.b",
        r"affine1.W: expects shape (4, 6), got (4, 5)",
    ):
        assert word in str(error.value)
    with pytest.raises(ConfigError, match="does not fit"):  # partial, but nothing fits at all
        net_of(text.replace("w.npz", "w.npz\n  partial_weights: true"))
    same = wider.replace("n_out: 6", "n_out: 5")
    text = same.replace(
        "type: Sequential", "type: Sequential\n  weights: w.npz\n  partial_weights: true"
    )
    other = net_of(text)
    np.testing.assert_array_equal(
        other.parameters()["affine1.W"].data, net.parameters()["affine1.W"].data
    )
    assert "2 of 4 arrays from" in (said := capsys.readouterr().err)
    assert "missing: top.W" in said


def test_weights_that_are_not_there_or_are_no_weights(net_of, tmp_path):
    text = CHAIN.replace("type: Sequential", "type: Sequential\n  weights: w.npz")
    with pytest.raises(ConfigError, match="weights: no such file"):
        net_of(text)
    (tmp_path / "w.npz").write_text("no zip")
    with pytest.raises(ConfigError, match=r"weights: .*w\.npz: is no whole"):
        net_of(text)


def test_a_layer_with_several_outputs_has_no_place_in_a_chain(net_of):
    text = CHAIN.replace("relu1: {type: Relu}", "cut: {type: Slice, axis: 1, sizes: [2, 3]}")
    with pytest.raises(ConfigError, match=r"cut: gives 2 outputs, .* use type: Graph"):
        net_of(text)


LENET = """
dataset: {type: Pictures}
net: {type: LeNet, n_classes: 3}
optimizer: {type: SGD, lr: 0.1}
"""
FLAT_HINT = r"; for images, dataset: \{..., flatten: false\}"
FLATTEN_HINT = r"affine1 takes the rows of an image: put \{type: Flatten\} before it"


@pytest.fixture
def pictures(monkeypatch, tiny):
    """{type: Pictures}: as Tiny, but with flatten, on by default."""

    class Pictures(tiny):
        def __init__(self, flatten: bool = True):
            super().__init__(images=not flatten)

    monkeypatch.setattr(datasets, "Pictures", Pictures, raising=False)
    monkeypatch.setattr(datasets, "__all__", [*datasets.__all__, "Pictures"])


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("{type: Convolution, c_out: 2, kernel: 1}", r"relu1: .*\(4,\)" + FLAT_HINT),
        ("{type: MaxPooling, kernel: 2}", r"relu1: .*\(4,\)" + FLAT_HINT),
    ],
)
def test_flat_inputs_of_a_layer_of_images(net_of, layer, words):
    text = CHAIN.replace("Tiny", "Pictures").replace("relu1: {type: Relu}", f"relu1: {layer}")
    first = "affine1: {type: Affine, n_out: 5, params: {W: {lr_mult: 3}, b: {decay_mult: 0}}}"
    assert first in text
    with pytest.raises(ConfigError, match=words):
        net_of(text.replace(f"    {first}\n", ""))
    with pytest.raises(ConfigError) as raised:  # not where the data are not to blame
        net_of(text)
    assert "flatten" not in str(raised.value)
    with pytest.raises(ConfigError, match=f"net: .*{FLAT_HINT}"):
        net_of(LENET)


def test_flat_inputs_that_cannot_be_images_are_not_to_be(net_of):
    with pytest.raises(ConfigError) as raised:
        net_of(LENET.replace("Pictures", "Tiny"))
    assert "flatten" not in str(raised.value)


@pytest.mark.parametrize("more", ["", ", n_in: 4"])
def test_an_affine_on_images(net_of, more):
    text = CHAIN.replace("{type: Tiny}", "{type: Tiny, images: true}")
    text = text.replace("n_out: 5", f"n_out: 5{more}")
    with pytest.raises(ConfigError, match=FLATTEN_HINT):
        net_of(text)
    net_of(text.replace("affine1:", "flat: {type: Flatten}\n    affine1:", 1))


def test_a_layer_at_a_second_place(net_of):
    net = net_of(
        CHAIN.replace(
            "relu1: {type: Relu}",
            "wide: {type: Affine, n_out: 5}\n    again: {same_as: wide}\n    once: {same_as: wide}",
        )
    )
    first, second = net.layers["wide"], net.layers["again"]
    assert first.W is second.W
    assert first is not second
    assert [name for name in net.parameters() if name.endswith("W")] == [
        "affine1.W",
        "wide.W",
        "affine2.W",
    ]


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("{same_as: affine2}", r"relu1.same_as: no layer affine2 is made before .*mean affine1\?"),
        ("{same_as: affine1}", r"relu1: \(Affine\) expects .*4.*got \(5,\) from affine1"),
        ("{same_as: 3}", "relu1.same_as: expects a text"),
        ("{same_as: affine1, n_out: 3}", "relu1.n_out: unknown key"),
    ],
)
def test_a_second_place_that_cannot_be(net_of, new, words):
    with pytest.raises(ConfigError, match=words):
        net_of(CHAIN.replace("{type: Relu}", new))


def test_an_embedding_without_n_words_is_told_how_many_the_data_need(config_of, tmp_path):
    words, t = np.arange(8).reshape(4, 2), np.arange(4) % 2
    arrays = {"x_train": words, "t_train": t, "x_test": words + 5, "t_test": t}
    np.savez(tmp_path / "words.npz", **arrays)
    config = config_of(f"""
        dataset: {{type: NPZ, path: {tmp_path / "words.npz"}, indices: true}}
        net:
          type: Sequential
          layers:
            table: {{type: Embedding, n_dims: 3}}
            flat: {{type: Flatten}}
            out: {{type: Affine, n_out: 2}}
          loss: {{type: SoftmaxWithLoss}}
        optimizer: {{type: SGD, lr: 0.1}}
        training: {{iterations: 1, batch_size: 2}}
    """)
    words = "table: Embedding needs n_words: the indices .* go up to 12, so n_words: 13"
    with pytest.raises(ConfigError, match=words):
        build_net(config, build_dataset(config), np.random.default_rng(0))


WORDS = """
    dataset: {type: Text, path: my.txt, length: 4, PREDICT}
    net: {NET, loss: {type: SoftmaxWithLoss}}
    optimizer: {type: SGD, lr: 0.1}
    training: {iterations: 1, batch_size: 2}
"""
CHAIN_OF_WORDS = """type: Sequential, layers: {
    table: {type: Embedding, n_dims: 3}, inner: {type: Affine, n_out: 2}, out: {type: Affine}}"""
GRAPH_OF_WORDS = """type: Graph, outputs: [out], layers: {
    table: {type: Embedding, n_dims: 3}, out: {type: Affine}, side: {type: Affine, n_out: 1},
    end: {type: Relu}}, losses: {main: {type: SoftmaxWithLoss}}"""


@pytest.mark.parametrize("net", [CHAIN_OF_WORDS, GRAPH_OF_WORDS.replace("[out]", "[out, end]")])
def test_sizes_that_a_vocabulary_gives_are_noted(config_of, tmp_path, net):
    (tmp_path / "my.txt").write_text("to be or not to be " * 9)
    text = WORDS.replace("NET, loss: {type: SoftmaxWithLoss}" if "losses" in net else "NET", net)
    built = build_run(config_of(text.replace("PREDICT", "predict: each")), quiet=True)
    layers = built.trainer.net.layers
    n_words = len(set("to be or not")) + 1
    assert layers["table"].W.data.shape == (n_words, 3)
    assert layers["out"].W.data.shape[1] == n_words
    noted = built.config.data["net"]["layers"]
    assert (noted["table"]["n_words"], noted["out"]["n_out"]) == (n_words, n_words)
    again = build_run(built.config, quiet=True).trainer.net
    assert again.structure() == built.trainer.net.structure()


def test_only_the_layer_of_the_scores_takes_the_size_of_the_vocabulary(config_of, tmp_path):
    (tmp_path / "my.txt").write_text("to be or not to be " * 9)
    text = WORDS.replace("PREDICT", "predict: each")
    config = config_of(text.replace("NET", CHAIN_OF_WORDS.replace(", n_out: 2", "")))
    with pytest.raises(ConfigError, match="inner: Affine needs n_out"):
        build_net(config, build_dataset(config), np.random.default_rng(0))

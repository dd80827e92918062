"""ONNX files compute what the net does: beside onnxruntime, with batches of other sizes."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
import some_nets
from made_batches import made_batch

from lamina.exchange import OnnxError, export_onnx, onnx_function
from lamina.exchange.onnx import example_inputs
from lamina.exchange.onnx_functions import FUNCTIONS
from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config
from lamina.layers import (
    Affine,
    AutoLayer,
    AveragePooling,
    BatchNormalization,
    Convolution,
    Dropout,
    Embedding,
    Flatten,
    Gelu,
    Gru,
    Loss,
    Lstm,
    MaxPooling,
    MultiHeadAttention,
    Param,
    PositionalEncoding,
    Relu,
    Rnn,
    State,
    TransposedConvolution,
)
from lamina.layers.check.listing import all_layers
from lamina.nets import Graph, Node, Sequential

CONFIGS = sorted((Path(__file__).parent.parent.parent / "configs").glob("*.yaml"))
WITHOUT: set[str] = set()  # layers that have no function yet
LAYERS = [c for c in all_layers() if not issubclass(c, Loss) and c.__name__ not in WITHOUT]
RNG = np.random.default_rng(0)
pytestmark = pytest.mark.needs_onnxruntime


def ran(path, *inputs) -> list[np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def forward(net, *inputs) -> list[np.ndarray]:
    net.set_training(False)
    found = net.forward(*inputs)
    return list(found) if isinstance(found, tuple) else [found]


def agree(net, path, *inputs, tolerance=1e-5):
    """Relative to the largest number of the output."""
    found, wanted = ran(path, *inputs), forward(net, *inputs)
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        error = np.abs(one.astype(float) - other).max(initial=0)
        assert error <= tolerance * max(np.abs(other).max(initial=0), 1e-30)


def in_float32(layer):
    for _, held in layer.walk():
        if isinstance(held, (Param, State)) and held.data.dtype == np.float64:
            held.data = held.data.astype(np.float32)


def moved(net):
    """With parameters and statistics that are not those of the start."""
    rng = np.random.default_rng(3)
    for name, held in net.walk():
        if isinstance(held, (Param, State)) and held.data.dtype.kind == "f":
            noise = 0.2 * rng.random(held.data.shape)
            held.data = (held.data + noise).astype(held.data.dtype)
            assert not name.endswith("running_var") or (held.data > 0).all()
    return net


@pytest.mark.parametrize("cls", LAYERS, ids=lambda cls: cls.__name__)
def test_every_layer_on_its_batched_examples(cls, tmp_path):
    compared = 0
    for layer, *inputs in cls.examples(np.random.default_rng(1)):
        if inputs[0].ndim == 1 and cls is not Embedding:
            continue  # a single sample
        in_float32(moved(layer))
        inputs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in inputs]
        several = isinstance(layer.forward(*inputs), tuple)
        node = Node(layer, [f"x{i}" for i in range(len(inputs))], 1)
        if several:
            node.outputs = len(layer.forward(*inputs))
        graph = Graph({"layer": node}, inputs=node.inputs, outputs=node.blobs("layer"))
        export_onnx(tmp_path / "x.onnx", graph, *inputs)
        agree(graph, tmp_path / "x.onnx", *inputs)
        agree(graph, tmp_path / "x.onnx", *(np.concatenate([x, x[:1]]) for x in inputs))
        compared += 1
    assert compared


@pytest.mark.parametrize("name", [name for name in some_nets.NETS if name != "of one's own"])
def test_nets_of_every_kind(name, tmp_path):
    make, X = some_nets.NETS[name]
    net, inputs = moved(make()), X if isinstance(X, tuple) else (X,)
    export_onnx(tmp_path / "x.onnx", net, *inputs)
    agree(net, tmp_path / "x.onnx", *inputs)
    agree(net, tmp_path / "x.onnx", *(x[:1] for x in inputs))


@pytest.mark.often(2)
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_nets_of_all_configurations(path, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "nothing here"))
    config = load_config(path)
    dataset = build_dataset(config)
    net = moved(build_net(config, dataset, np.random.default_rng(0), weights=False))
    X, _ = made_batch(dataset, 3, RNG)
    X = X if isinstance(X, tuple) else (X,)
    examples = example_inputs(net, *(x.shape[1:] for x in X))
    X = tuple(x.astype(example.dtype) for x, example in zip(X, examples, strict=True))
    export_onnx(tmp_path / "x.onnx", net, *(x[:2] for x in X))
    agree(net, tmp_path / "x.onnx", *X)
    predicted = net.predict(X if len(X) > 1 else X[0])
    np.testing.assert_allclose(ran(tmp_path / "x.onnx", *X)[0], predicted, rtol=1e-3, atol=1e-5)


def poolings():
    sizes, kernels = (4, 5, 6, 7), ((2, 2), (3, 2), (3, 3), (4, 3))
    for cls, n, (k, s), p, partial in itertools.product(
        (MaxPooling, AveragePooling), sizes, kernels, (0, 1), (False, True)
    ):
        yield cls, n, k, s, p, partial
        if s == 2:
            yield cls, n, k, s + 1, p, partial


def test_poolings_of_all_settings(tmp_path):
    """Among them windows that would start in the padding, which onnx counts under `ceil_mode`."""
    compared = 0
    for cls, n, k, s, p, partial in poolings():
        net = Sequential({"pool": cls(k, stride=s, padding=p, partial=partial)})
        X = RNG.standard_normal((2, 3, n, n + 1)).astype(np.float32)
        export_onnx(tmp_path / "x.onnx", net, X)
        agree(net, tmp_path / "x.onnx", X, tolerance=1e-6)
        compared += 1
    assert compared >= 144


def test_names_are_those_of_the_net(tmp_path):
    import onnx

    net, inputs = some_nets.siamese(), some_nets.NETS["siamese"][1]
    export_onnx(tmp_path / "x.onnx", net, *inputs)
    graph = onnx.load(tmp_path / "x.onnx").graph
    assert [i.name for i in graph.input] == ["X1", "X2"]
    assert [o.name for o in graph.output] == ["out", "side"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"
    # The tower stands twice and its weights once.
    assert {i.name for i in graph.initializer} == net.parameters().keys()
    assert sum(node.op_type == "Gemm" for node in graph.node) == 4


def names_of_initializers(path) -> list[str]:
    import onnx

    return [i.name for i in onnx.load(path).graph.initializer]


def described(layer, *sizes, **settings):
    """The layer with parameters that are not those of the start, and biases that are not 0."""
    return moved(layer(*sizes, rng=np.random.default_rng(4), **settings))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.int32, np.int64])
def test_words_in_whatever_whole_numbers_a_data_set_has_them(tmp_path, kind):
    """A text keeps its words in the smallest that hold them; ONNX looks up by two kinds alone."""
    net = Sequential({"table": Embedding(7, 4, rng=1)})
    words = RNG.integers(0, 7, (3, 5)).astype(kind)
    export_onnx(tmp_path / "x.onnx", net, words)
    agree(net, tmp_path / "x.onnx", words)


@pytest.mark.parametrize("n", [3, 4])
@pytest.mark.parametrize("shape", [(2, 4), (2, 3, 4)])
def test_a_tied_table_is_one_initializer_and_taken_the_right_way(tmp_path, n, shape):
    """Also where it is square, so that both ways would fit."""
    table = Embedding(n, 4, rng=1)
    for transposed in {True, n != 4}:
        sizes = (4, n) if transposed else (n, 4)
        scores = Affine(*sizes, tied=table.W, transposed=transposed, bias=n == 3, rng=2)
        head = Affine(4, sizes[0], rng=3)
        net = moved(Sequential({"table": table, "head": head, "scores": scores}))
        words = RNG.integers(0, n, shape[:-1])
        export_onnx(tmp_path / "x.onnx", net, words)
        agree(net, tmp_path / "x.onnx", words)
        assert sorted(names_of_initializers(tmp_path / "x.onnx")) == sorted(net.parameters())


@pytest.mark.parametrize("cls", [Rnn, Lstm, Gru])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("last_only", [False, True])
def test_recurrent_layers_with_every_number_of_first_states(tmp_path, cls, reverse, last_only):
    layer = described(cls, 3, 4, reverse=reverse, last_only=last_only)
    arrays = [RNG.standard_normal(s).astype(np.float32) for s in ((2, 6, 3), (2, 4), (2, 4))]
    for n in range(1, 2 + len(cls.states)):
        inputs = [f"x{i}" for i in range(n)]
        net = Graph({"layer": Node(layer, inputs, 1)}, inputs=inputs, outputs=["layer"])
        export_onnx(tmp_path / "x.onnx", net, *arrays[:n])
        agree(net, tmp_path / "x.onnx", *arrays[:n])
        agree(net, tmp_path / "x.onnx", *(x[:1] for x in arrays[:n]))


def test_a_stateful_layer_begins_anew_and_that_is_said(tmp_path, capfd):
    net = Sequential({"inner": Sequential({"rnn": described(Rnn, 3, 4, stateful=True)})})
    X = RNG.standard_normal((2, 5, 3)).astype(np.float32)
    net.set_training(False)
    first, second = net.forward(X), net.forward(X)
    assert np.abs(first - second).max() > 1e-3
    export_onnx(tmp_path / "x.onnx", net, X)
    assert "inner.rnn is stateful here, and begins each batch anew there" in capfd.readouterr().err
    np.testing.assert_allclose(ran(tmp_path / "x.onnx", X)[0], first, rtol=1e-5, atol=1e-6)
    third = net.forward(X)  # the export took no step in between
    net.reset()
    np.testing.assert_array_equal([net.forward(X) for _ in range(3)][2], third)


def test_a_layer_at_two_places_has_its_weights_once(tmp_path):
    lstm = described(Lstm, 4, 4)
    net = Sequential({"a": lstm, "b": lstm})
    X = RNG.standard_normal((2, 3, 4)).astype(np.float32)
    export_onnx(tmp_path / "x.onnx", net, X)
    agree(net, tmp_path / "x.onnx", X)
    found = names_of_initializers(tmp_path / "x.onnx")
    assert net.parameters().keys() <= set(found)
    assert not {f"{name}:2" for name in net.parameters()} & set(found)


@pytest.mark.parametrize("kind", [bool, np.int64, np.uint8])
@pytest.mark.parametrize("settings", [{}, {"causal": True}, {"cross": True}])
def test_attention_with_masks(tmp_path, settings, kind):
    """Among them a sequence of which nothing is seen, and one whose first key is not."""
    net = described(MultiHeadAttention, 6, 3, **settings)
    X, S = (RNG.standard_normal((3, t, 6)).astype(np.float32) for t in (4, 5))
    keys = (S,) if net.cross else ()
    mask = RNG.integers(0, 2, (3, 5 if keys else 4))
    mask[0], mask[1], mask[2, 0] = 0, 1, 0
    inputs = [f"x{i}" for i in range(2 + len(keys))]
    graph = Graph({"attention": Node(net, inputs, 1)}, inputs=inputs, outputs=["attention"])
    found = [X, *keys, (mask * 200).astype(kind)]
    export_onnx(tmp_path / "x.onnx", graph, *(x[1:] for x in found))
    agree(graph, tmp_path / "x.onnx", *found)
    shapes = [x.shape[1:] for x in found]
    assert example_inputs(graph, *shapes)[-1].dtype == np.int64


def test_positions_fewer_than_the_table_has(tmp_path):
    net = Sequential({"positions": PositionalEncoding(4, learned=9, rng=0)})
    X = RNG.standard_normal((2, 5, 4)).astype(np.float32)
    export_onnx(tmp_path / "x.onnx", net, X)
    agree(net, tmp_path / "x.onnx", X)


@pytest.mark.parametrize("bias", [False, True])
def test_transposed_convolutions_of_all_settings(tmp_path, bias):
    compared = 0
    for k, s, p, d, o in itertools.product((2, 3), (1, 2), (0, 1, 2), (1, 3), (0, 1, 2)):
        if o >= max(s, d):
            continue
        settings = {"stride": s, "padding": p, "dilation": d, "output_padding": (o, 0)}
        net = described(TransposedConvolution, 2, 3, k, bias=bias, **settings)
        X = RNG.standard_normal((2, 2, 4, 5)).astype(np.float32)
        export_onnx(tmp_path / "x.onnx", net, X)
        agree(net, tmp_path / "x.onnx", X)
        compared += 1
    assert compared >= 50


def test_no_ceil_mode(tmp_path):
    import onnx

    net = Sequential({"pool": MaxPooling(3, stride=2, partial=True)})
    export_onnx(tmp_path / "x.onnx", net, np.zeros((1, 1, 6, 6), np.float32))
    (node, _) = onnx.load(tmp_path / "x.onnx").graph.node
    attributes = {a.name: a for a in node.attribute}
    assert "ceil_mode" not in attributes
    assert list(attributes["pads"].ints) == [0, 0, 1, 1]


def test_dropout_is_left_out_and_the_net_stays_as_it_was(tmp_path):
    net = Sequential(
        {"a": Affine(4, 4, rng=0), "d": Dropout(0.5, rng=0), "n": BatchNormalization(4)}
    )
    before = net.state()
    export_onnx(tmp_path / "x.onnx", net, some_nets.SAMPLE)
    assert net.training
    assert net.layers["d"].training
    for name, array in net.state().items():
        np.testing.assert_array_equal(array, before[name])
    agree(net, tmp_path / "x.onnx", some_nets.SAMPLE)


def test_a_net_that_changes_nothing(tmp_path):
    net = Sequential({"drop": Dropout(0.5, rng=0)})
    export_onnx(tmp_path / "x.onnx", net, some_nets.SAMPLE)
    agree(net, tmp_path / "x.onnx", some_nets.SAMPLE)
    export_onnx(tmp_path / "x.onnx", Relu(), some_nets.SAMPLE)  # a layer is a net of one
    agree(Relu(), tmp_path / "x.onnx", some_nets.SAMPLE)


def test_images_of_whole_numbers(tmp_path):
    net = Sequential({"conv": Convolution(1, 2, 3, rng=0), "flat": Flatten()})
    X = RNG.integers(0, 256, (2, 1, 5, 5)).astype(np.uint8)
    export_onnx(tmp_path / "x.onnx", net, X)
    agree(net, tmp_path / "x.onnx", X)


def test_examples_from_shapes():
    words = example_inputs(some_nets.words(), (6,))
    assert [(x.shape, x.dtype) for x in words] == [((2, 6), np.int64)]
    inner = Sequential({"inner": some_nets.words()})
    assert example_inputs(inner, (6,))[0].dtype == np.int64
    assert example_inputs(some_nets.two_layers(np.float64), (4,))[0].dtype == np.float64
    with pytest.raises(TypeError, match="expects the shape of a sample of X1, X2"):
        example_inputs(some_nets.siamese(), (4,))


class Doubled(AutoLayer):
    """Y = s X²."""

    def __init__(self):
        self.s = Param(np.array([2.0], np.float32))

    def function(self, X):
        return self.s.data * X * X


class Tripled(Doubled):
    def function(self, X):
        return 3 * X


class Renamed(Gelu):
    pass


class Shifted(Relu):
    def forward(self, X):
        return super().forward(X + 1)


@pytest.fixture
def doubled(monkeypatch):
    monkeypatch.setitem(FUNCTIONS, Doubled, None)

    @onnx_function(Doubled)
    def function(layer, graph, X):
        return graph.add("Mul", layer.s, graph.add("Mul", X, X))


def test_a_layer_of_ones_own(tmp_path, doubled):
    net = Sequential({"own": Doubled(), "gelu": Renamed()})
    export_onnx(tmp_path / "x.onnx", net, some_nets.SAMPLE)
    agree(net, tmp_path / "x.onnx", some_nets.SAMPLE)


@pytest.mark.parametrize("layer", [Tripled(), Shifted(), some_nets.own_layers().Scale(4)])
def test_a_layer_without_a_function_is_refused_by_name(tmp_path, doubled, layer):
    """Also one that inherits from a layer with one, but computes something else."""
    net = Sequential({"inner": Sequential({"own": layer})})
    with pytest.raises(
        OnnxError, match=rf"inner\.own \({type(layer).__name__}\): there is no ONNX"
    ):
        export_onnx(tmp_path / "x.onnx", net, some_nets.SAMPLE)
    assert list(tmp_path.iterdir()) == []
    assert net.training


def test_a_function_that_returns_too_little(tmp_path, monkeypatch):
    monkeypatch.setitem(FUNCTIONS, Relu, lambda layer, graph, X: (X, X))
    with pytest.raises(OnnxError, match=r"a \(Relu\): its ONNX function returned 2 outputs"):
        export_onnx(tmp_path / "x.onnx", Sequential({"a": Relu()}), some_nets.SAMPLE)


def test_what_no_runtime_could_run_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setitem(FUNCTIONS, Relu, lambda layer, graph, X: graph.add("Rleu", X))
    with pytest.raises(OnnxError, match=r"x\.onnx is not written: .*Rleu") as caught:
        export_onnx(tmp_path / "x.onnx", Sequential({"a": Relu()}), some_nets.SAMPLE)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("inputs", "error", "words"),
    [
        ((), OnnxError, "an example"),
        ((np.zeros(()),), OnnxError, "an example"),
        ((np.zeros(4, np.float32),), OnnxError, r"the output affine2 of one of \(4,\) is \(3,\)"),
        ((np.zeros((2, 4)),) * 2, TypeError, "takes X; got 2 inputs"),
        ((np.zeros((2, 5)),), ValueError, r"affine1 \(Affine\): expects"),
    ],
)
def test_examples_that_do_not_fit(tmp_path, inputs, error, words):
    plain = Sequential({"affine1": Affine(4, 5, rng=0), "affine2": Affine(5, 3, rng=0)})
    with pytest.raises(error, match=words):
        export_onnx(tmp_path / "x.onnx", plain, *inputs)
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_finite(tmp_path):
    net = some_nets.two_layers()
    net.parameters()["affine1.W"].data[0] = np.inf
    with pytest.raises(FloatingPointError, match=r"affine1\.W is not finite"):
        export_onnx(tmp_path / "x.onnx", net, some_nets.SAMPLE)
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'lamina\[onnx\]'"):
        export_onnx(tmp_path / "x.onnx", some_nets.two_layers(), some_nets.SAMPLE)


def test_every_layer_of_the_project_has_a_function():
    assert {cls.__name__ for cls in LAYERS} == {cls.__name__ for cls in FUNCTIONS}

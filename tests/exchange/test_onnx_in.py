"""Nets read from ONNX files compute what onnxruntime does, or are refused by name."""

import itertools
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from made_batches import made_batch

from lamina.exchange import OnnxError, compare_onnx, export_onnx, import_onnx, onnx_operator
from lamina.exchange.onnx import example_inputs
from lamina.exchange.onnx_in_functions import OPERATORS
from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config
from lamina.layers import (
    Affine,
    AutoLayer,
    BatchNormalization,
    Convolution,
    Convolution1d,
    Dropout,
    Flatten,
    Layer,
    MultiHeadAttention,
    Param,
    Relu,
    SoftmaxWithLoss,
    State,
)
from lamina.layers.check.listing import all_layers
from lamina.layers.finite import weights_of
from lamina.nets import Graph, Node, Sequential, load_net

pytestmark = pytest.mark.needs_onnxruntime
CONFIGS = sorted((Path(__file__).parent.parent.parent / "configs").glob("*.yaml"))
RNG = np.random.default_rng(0)


def array(*shape, dtype=np.float32) -> np.ndarray:
    return RNG.standard_normal(shape).astype(dtype)


def written(path, nodes, inputs: dict, arrays=None, outputs=("y",), opset=17, kind=np.float32):
    """A file of these nodes, (operator, inputs, outputs, attributes)."""
    import onnx.shape_inference
    from onnx import helper, numpy_helper

    number = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    old = (arrays or {}) if opset < 9 else {}  # arrays are inputs too
    graph = helper.make_graph(
        [
            helper.make_node(op.split(":")[-1], i, o, domain=op.rpartition(":")[0], **a)
            for op, i, o, a in nodes
        ],
        "g",
        [helper.make_tensor_value_info(n, number, shape) for n, shape in inputs.items()]
        + [helper.make_tensor_value_info(n, 1, a.shape) for n, a in old.items()],
        [helper.make_tensor_value_info(n, number, None) for n in outputs],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in (arrays or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    domains = {op.rpartition(":")[0] for op, *_ in nodes} - {""}
    opsets += [helper.make_opsetid(domain, 1) for domain in domains]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=3 if opset < 9 else 8)
    model = onnx.shape_inference.infer_shapes(model)
    for output in model.graph.output:
        output.type.tensor_type.shape.SetInParent()
    onnx.save(model, path)
    return path


def one(path, operator, X, *others, opset=17, outputs=("y",), **attributes):
    """A file of one operator, behind an input of this shape ("N" first unless it is a number)."""
    names = ["x", *(f"a{i}" for i in range(len(others)))]
    arrays = dict(zip(names[1:], others, strict=True))
    arrays = {n: a for n, a in arrays.items() if a is not None}
    read = [n if n == "x" or n in arrays else "" for n in names]
    node = (operator, read, list(outputs), attributes)
    return written(path, [node], {"x": X}, arrays, outputs, opset)


def in_float32(net, moved=True):
    rng = np.random.default_rng(3)
    for _, held in net.walk():
        if isinstance(held, (Param, State)) and held.data.dtype.kind == "f":
            noise = 0.2 * rng.random(held.data.shape) if moved else 0.0
            held.data = (held.data + noise).astype(np.float32)
    return net


def ours_of(net, *inputs):
    net.set_training(False)
    found = net.forward(*inputs)
    return found if isinstance(found, tuple) else (found,)


def agree(net, other, *inputs):
    for a, b in zip(ours_of(net, *inputs), ours_of(other, *inputs), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(
            a, b, rtol=1e-4, atol=2e-5 * max(np.abs(b).max(initial=0), 1e-30)
        )


# ONNX's own tests.


def models_of_onnx():
    import onnx

    folder = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for kind in ("pytorch-converted", "pytorch-operator", "simple"):
        for path in sorted(folder.glob(f"{kind}/*/model.onnx")):
            yield kind, path


def test_of_onnx_s_own_models_none_is_wrong_and_most_are_right():
    import onnx
    from onnx import numpy_helper

    def arrays(folder, what):
        for path in sorted(folder.glob(f"{what}_*.pb")):
            yield numpy_helper.to_array(onnx.load_tensor(str(path)))

    counts = Counter()
    for kind, path in models_of_onnx():
        try:
            net = import_onnx(path)
        except OnnxError as error:
            counts[kind, "refused" if str(path) in str(error) else "not in words"] += 1
            continue
        for folder in path.parent.glob("test_data_set_*"):
            inputs = list(arrays(folder, "input"))[: len(net.inputs)]
            for a, b in zip(ours_of(net, *inputs), arrays(folder, "output"), strict=True):
                assert (a.shape, a.dtype) == (b.shape, b.dtype), path
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=str(path))
        counts[kind, "right"] += 1
    assert not [key for key in counts if "not in words" in key]
    assert counts["pytorch-converted", "right"] >= 63, counts
    assert sum(n for (kind, _), n in counts.items() if kind == "pytorch-converted") >= 82
    assert counts["pytorch-operator", "right"] >= 11, counts


# What other programs write.


def in_torch():
    import torch
    from torch import nn

    class Mnist(nn.Module):
        """The net of pytorch/examples, smaller."""

        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 6, 3)
            self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
            self.fc1, self.fc2 = nn.Linear(6 * 144, 16), nn.Linear(16, 10)

        def forward(self, x):
            x = torch.relu(self.conv2(torch.relu(self.conv1(x))))
            x = self.dropout1(nn.functional.max_pool2d(x, 2))
            x = torch.relu(self.fc1(torch.flatten(x, 1)))
            return nn.functional.log_softmax(self.fc2(self.dropout2(x)), dim=1)

    class Normalised(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False)
            self.norm, self.act = nn.BatchNorm2d(4), nn.ReLU()
            self.pool, self.fc = nn.AvgPool2d(2, padding=1), nn.Linear(4 * 64, 3)
            self.last = nn.LayerNorm(3)

        def forward(self, x):
            x = self.pool(self.act(self.norm(self.act(self.conv(x)))))
            return self.last(self.fc(x.view(x.size(0), -1))) * 2.0 + 1.0

    class Sequences(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.fc = nn.Embedding(7, 4), nn.Linear(4, 3)
            self.conv = nn.Conv1d(3, 2, 3)

        def forward(self, x):
            x = torch.tanh(self.fc(self.table(x)))
            return torch.nn.functional.max_pool1d(self.conv(x.transpose(1, 2)), 2)

    torch.manual_seed(0)
    rows = nn.Sequential(nn.Linear(5, 8), nn.ELU(), nn.Linear(8, 8), nn.SELU(), nn.Linear(8, 3))
    yield "mlp", rows, torch.randn(3, 5)
    yield "mnist", Mnist(), torch.randn(3, 1, 28, 28)
    normalised = Normalised()
    normalised.norm.running_mean += torch.rand(4)
    normalised.norm.running_var += torch.rand(4)
    yield "normalised", normalised, torch.randn(3, 1, 28, 28)
    yield "sequences", Sequences(), torch.randint(0, 7, (3, 9))


@pytest.mark.needs_torch
@pytest.mark.parametrize(
    ("dynamo", "any_batch"),
    [
        *((False, any_batch) for any_batch in (True, False)),
        (True, True),
        pytest.param(True, False, marks=pytest.mark.slow),
    ],
)
def test_both_exporters_of_pytorch(dynamo, any_batch, tmp_path):
    import torch

    if dynamo:
        pytest.importorskip("onnxscript", reason="pip install onnxscript, for dynamo=True")
    for name, module, x in in_torch():
        module.eval()
        path, more = str(tmp_path / f"{name}.onnx"), {}
        if any_batch and dynamo:
            more = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
        elif any_batch:
            more = {"dynamic_axes": {"x": {0: "n"}}, "input_names": ["x"]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (x,), path, dynamo=dynamo, **more, **({"verbose": False} if dynamo else {})
            )
        net = import_onnx(path)
        assert isinstance(net, Sequential)
        for n in (3, 5):
            X = torch.cat([x, x])[:n]
            (found,) = ours_of(net, X.numpy())
            np.testing.assert_allclose(found, module(X).detach().numpy(), atol=1e-5)
        assert compare_onnx(path, net) < 1e-5
        if name == "mnist":
            names = list(net.layers)
            assert names[:5] == ["conv1", "relu1", "conv2", "relu2", "pool1"]
            assert names[-4:] == ["fc1", "relu3", "fc2", "log_softmax1"]


def test_a_net_that_was_read_trains_and_is_saved(tmp_path):
    net = Sequential(
        {
            "conv": Convolution(1, 3, 3, rng=0),
            "norm": BatchNormalization(3),
            "relu": Relu(),
            "flatten": Flatten(),
            "fc": Affine(3 * 36, 4, rng=0),
        }
    )
    export_onnx(tmp_path / "x.onnx", in_float32(net), array(2, 1, 8, 8))
    without_structure(tmp_path / "x.onnx")
    read = import_onnx(tmp_path / "x.onnx")
    assert list(read.layers) == ["conv", "norm", "relu1", "flatten1", "fc"]
    read = Sequential(dict(read.layers), loss=SoftmaxWithLoss())
    X, t = array(20, 1, 8, 8), RNG.integers(0, 4, 20)
    losses = []
    for _ in range(30):
        losses.append(float(read.loss(X, t)))
        read.backward()
        for param in read.parameters().values():
            param.data, param.grad = param.data - np.float32(0.1) * param.grad, None
    assert losses[-1] < 0.5 * losses[0]
    read.save(tmp_path / "net.npz")
    agree(load_net(tmp_path / "net.npz"), read, X)


@pytest.mark.needs_sklearn
@pytest.mark.parametrize("kind", ["classes", "two", "numbers", "scaled"])
def test_nets_of_scikit_learn(kind, tmp_path):
    skl2onnx = pytest.importorskip("skl2onnx", reason="pip install skl2onnx")
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X = array(60, 5)
    n = {"classes": 3, "two": 2}.get(kind)
    size = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}
    estimator = MLPClassifier(**size) if n else MLPRegressor(activation="tanh", **size)
    if kind == "scaled":
        estimator = make_pipeline(StandardScaler(), estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(3 * X + 1, np.arange(60) % n if n else X[:, 0])
        model = skl2onnx.to_onnx(estimator, X[:1], options={"zipmap": False} if n else None)
    path = tmp_path / "x.onnx"
    path.write_bytes(model.SerializeToString())
    outputs = ["probabilities"] if n else None
    if n:
        with pytest.raises(OnnxError, match=r"\(ArgMax\): no layer is this operator; .*--gives"):
            import_onnx(path)
    net = import_onnx(path, outputs=outputs)
    wanted = estimator.predict_proba(X) if n else estimator.predict(X)[:, np.newaxis]
    np.testing.assert_allclose(ours_of(net, X)[0], wanted, rtol=1e-4, atol=1e-5)
    assert compare_onnx(path, net, outputs) < 1e-5


# What this project writes.


def without_structure(path):
    """The file as one of any other program, to be read by its operators."""
    import onnx

    model = onnx.load(path)
    assert len(model.metadata_props) == 1
    del model.metadata_props[:]
    onnx.save(model, path)


def the_same_net(back, net):
    """Layer by layer, and to the bit; without the loss."""
    described = {k: v for k, v in net.structure().items() if k not in ("loss", "losses")}
    assert back.structure() == described
    ours, theirs = weights_of(net), weights_of(back)
    assert theirs.keys() <= ours.keys()
    for name, array in theirs.items():
        assert array.dtype == ours[name].dtype
        np.testing.assert_array_equal(array, ours[name])


REFUSED_BACK = {  # layers that cannot be read by their operators
    *("Dropout", "Step", "RMSNormalization", "GroupNormalization"),
    *("MultiHeadAttention", "Repeat", "DotProducts", "RandomCrop"),
}


@pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)
def test_layers_there_and_back(cls, tmp_path):
    from lamina.layers import Copy, Embedding, Loss

    if issubclass(cls, (Loss, Copy)):
        return
    read, refused = 0, 0
    for layer, *inputs in cls.examples(np.random.default_rng(1)):
        if inputs[0].ndim == 1 and cls is not Embedding:
            continue
        in_float32(layer)
        inputs = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in inputs]
        several = layer.forward(*inputs)
        n = len(several) if isinstance(several, tuple) else 1
        names = [f"x{i}" for i in range(len(inputs))]
        net = Graph({"layer": Node(layer, names, n)}, names, Node(layer, None, n).blobs("layer"))
        export_onnx(tmp_path / "x.onnx", net, *inputs)
        if "tied" not in layer.arguments():  # to no layer of a net, so that no structure is written
            the_same_net(import_onnx(tmp_path / "x.onnx"), net)
            without_structure(tmp_path / "x.onnx")
        try:
            back = import_onnx(tmp_path / "x.onnx")
        except OnnxError:
            refused += 1
            continue
        agree(back, net, *inputs)
        agree(back, net, *(np.concatenate([x, x[:1]]) for x in inputs))
        read += 1
    assert bool(read) == (cls.__name__ not in REFUSED_BACK)
    # Of (N, T) the last step or the mean would be a sample without axes.
    assert not refused or cls.__name__ in REFUSED_BACK | {"Flatten", "LastStep", "MeanStep"}


def exported(tmp_path):
    """(path, net, inputs) of a net that no operators say: read back, it can only be what it was."""
    rng = np.random.default_rng(3)
    layers = {"look": MultiHeadAttention(4, 2, causal=True, rng=1), "drop": Dropout(0.3, rng=2)}
    net = Sequential(layers | {"out": Affine(4, 3, rng=3)})
    x = rng.standard_normal((2, 5, 4)).astype(np.float32)
    export_onnx(tmp_path / "x.onnx", net, x)
    return tmp_path / "x.onnx", net, x


def test_a_structure_that_says_another_net_than_the_graph_is_not_believed(tmp_path, capsys):
    """Another activation, size, connection or number in either of the two: read by operators, which
    do not say this net, and stderr says why."""
    import onnx

    def instead(old, new):
        def change(model):
            (entry,) = model.metadata_props
            entry.value = entry.value.replace(old, new)

        return change

    def another_weight(model):
        array = model.graph.initializer[0]
        array.dims[0], array.dims[1] = array.dims[1], array.dims[0]

    def larger_than_memory(model):
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 1 << 50

    changes = [
        larger_than_memory,
        instead('"causal": true', '"causal": false'),
        instead('"n_heads": 2', '"n_heads": 1'),
        instead("Affine", "PRelu"),
        instead("}", ""),
        instead('"n_out": 3', '"n_out": 300000000'),
        lambda model: model.graph.node[0].input.reverse(),
        lambda model: model.graph.node.pop(-2),
        another_weight,
    ]
    path, net, _ = exported(tmp_path)
    the_same_net(import_onnx(path), net)
    for change in changes:
        model = onnx.load(path)
        before = model.SerializeToString()
        change(model)
        assert model.SerializeToString() != before
        (tmp_path / "changed.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(OnnxError):
            import_onnx(tmp_path / "changed.onnx")


def test_a_changed_file_that_operators_say_is_read_with_a_word(tmp_path, capsys):
    import onnx

    net = Sequential({"hidden": Affine(4, 3, rng=1), "relu": Relu(), "out": Affine(3, 2, rng=2)})
    x = np.ones((2, 4), np.float32)
    export_onnx(tmp_path / "x.onnx", net, x)
    model = onnx.load(tmp_path / "x.onnx")
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Tanh"
    onnx.save(model, tmp_path / "x.onnx")
    back = import_onnx(tmp_path / "x.onnx")
    assert [type(layer).__name__ for layer in back.layers.values()] == ["Affine", "Tanh", "Affine"]
    assert "has been changed since" in capsys.readouterr().err
    assert compare_onnx(tmp_path / "x.onnx", back) < 1e-5


@pytest.mark.often(2)
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_nets_of_all_configurations_there_and_back(path, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "nothing here"))
    dataset = build_dataset(config := load_config(path))
    net = in_float32(build_net(config, dataset, np.random.default_rng(0), weights=False))
    X, _ = made_batch(dataset, 3, RNG)
    X = X if isinstance(X, tuple) else (X,)
    examples = example_inputs(net, *(x.shape[1:] for x in X))
    X = tuple(x.astype(example.dtype) for x, example in zip(X, examples, strict=True))
    export_onnx(tmp_path / "x.onnx", net, *(x[:2] for x in X))
    back = import_onnx(tmp_path / "x.onnx")
    the_same_net(back, net)
    agree(back, net, *X)
    without_structure(tmp_path / "x.onnx")
    if path.stem in NO_OPERATORS:
        with pytest.raises(OnnxError, match=r"\("):
            import_onnx(tmp_path / "x.onnx")
        return
    back = import_onnx(tmp_path / "x.onnx")
    agree(back, net, *X)
    assert compare_onnx(tmp_path / "x.onnx", back) < 1e-5


NO_OPERATORS = (  # attention, Repeat, RMSNormalization and DotProducts are several operators each
    *("addition_attention", "addition_seq2seq", "dates_attention"),
    *("text_gpt", "words_cbow", "words_skipgram"),
)


# Single operators, beside onnxruntime: the same, or refused.


def same_or_refused(path, refused: Counter, **more):
    try:
        net = import_onnx(path)
    except OnnxError:
        refused["refused"] += 1
        return
    try:
        assert compare_onnx(path, net, **more) < 1e-5, path
    except OnnxError as error:
        if "cannot run it" not in str(error):
            raise
    else:
        refused["right"] += 1


def test_convolutions_of_all_settings(tmp_path):
    counts = Counter()
    for pads, stride, dilation, group, auto in itertools.product(
        ([0, 0, 0, 0], [1, 2, 1, 2], [0, 1, 2, 0]),
        ([1, 1], [2, 3]),
        ([1, 1], [2, 1]),
        (1, 2),
        ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"),
    ):
        more = {"strides": stride, "dilations": dilation, "group": group, "auto_pad": auto}
        if auto == "NOTSET":
            more["pads"] = pads
        if auto.startswith("SAME") and dilation != [1, 1]:
            continue  # onnxruntime takes none there
        W, b = array(4, 4 // group, 3, 2), array(4)
        path = one(tmp_path / "x.onnx", "Conv", ["N", 4, 8, 7], W, b, **more)
        same_or_refused(path, counts)
    assert counts["right"] > 70
    assert not counts["refused"]


def test_poolings_of_all_settings(tmp_path):
    counts = {"MaxPool": Counter(), "AveragePool": Counter()}
    for operator, n, k, s, pads, ceil, auto in itertools.product(
        counts, (6, 7), (2, 3), (1, 2, 3), ([0] * 4, [1] * 4, [0, 0, 1, 1], [1, 0, 0, 1]), (0, 1),
        ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"),
    ):  # fmt: skip
        more = {"kernel_shape": [k, k], "strides": [s, s], "ceil_mode": ceil, "auto_pad": auto}
        if auto == "NOTSET":
            more["pads"] = pads
        elif ceil or any(pads):
            continue
        for counted in (0, 1) if operator == "AveragePool" else (None,):
            given = more if counted is None else more | {"count_include_pad": counted}
            path = one(tmp_path / "x.onnx", operator, ["N", 2, n, n + 1], opset=19, **given)
            same_or_refused(path, counts[operator])
    assert counts["MaxPool"]["right"] > 60, counts
    assert counts["AveragePool"]["right"] > 80, counts


def test_transposed_convolutions(tmp_path):
    counts = Counter()
    for pads, stride, extra in itertools.product(
        ([0] * 4, [1] * 4, [1, 1, 0, 0], [0, 0, 1, 1]), ([1, 1], [2, 2]), ([0, 0], [1, 1])
    ):
        more = {"pads": pads, "strides": stride, "output_padding": extra}
        if stride == [1, 1] and extra == [1, 1]:
            continue
        path = tmp_path / "x.onnx"
        one(path, "ConvTranspose", [2, 3, 4, 5], array(3, 2, 3, 3), array(2), **more)
        same_or_refused(path, counts)
    assert counts["right"] >= 6, counts
    one(path, "ConvTranspose", [2, 4, 3, 3], array(4, 3, 3, 3), array(6), group=2)
    assert compare_onnx(path, import_onnx(path)) < 1e-5


@pytest.mark.parametrize("opset", [9, 11, 13, 17])
def test_softmax_over_every_axis(opset, tmp_path):
    counts = Counter()
    for operator, axis in itertools.product(("Softmax", "LogSoftmax"), (None, 0, 1, 2, 3, -1, -2)):
        more = {} if axis is None else {"axis": axis}
        same_or_refused(
            one(tmp_path / "x.onnx", operator, [2, 3, 4, 5], opset=opset, **more), counts
        )
    assert counts == {"right": 12, "refused": 2}


def test_gemm_of_all_settings(tmp_path):
    counts = Counter()
    for alpha, beta, a, b, shape in itertools.product(
        (1.0, 0.5), (1.0, 2.0, 0.0), (0, 1), (0, 1), ((4,), (1, 4), (1,), (), (3, 4), None)
    ):
        B, C = array(*((4, 3) if b else (3, 4))), None if shape is None else array(*shape)
        path = one(
            tmp_path / "x.onnx", "Gemm", [3, 3], B, C, alpha=alpha, beta=beta, transA=a, transB=b
        )
        same_or_refused(path, counts)
    assert counts["right"] >= 48, counts


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div"])
def test_sums_and_products_with_constants_of_every_shape(operator, tmp_path):
    counts = Counter()
    shapes = [
        (),
        (1,),
        (5,),
        (4, 1),
        (3, 1, 1),
        (1, 3, 1, 1),
        (3, 4, 5),
        (2, 1, 1, 1),
        (2, 3, 4, 5),
    ]
    shapes += [(1, 1, 1, 1, 5), (1, 1, 4, 5)]
    for shape, first in itertools.product(shapes, (False, True)):
        names = ["a", "x"] if first else ["x", "a"]
        nodes = [(operator, names, ["y"], {})]
        constant = 1.0 + RNG.random(shape).astype(np.float32)
        path = written(tmp_path / "x.onnx", nodes, {"x": [2, 3, 4, 5]}, {"a": constant})
        same_or_refused(path, counts)
    assert counts["right"] >= 8, counts


def test_a_sum_before_opset_7_along_an_axis(tmp_path):
    for axis in (1, 2):
        X, a = array(2, 3, 3), array(3)
        path = one(tmp_path / "x.onnx", "Add", [2, 3, 3], a, opset=6, broadcast=1, axis=axis)
        wanted = X + (a[:, np.newaxis] if axis == 1 else a)
        np.testing.assert_array_equal(ours_of(import_onnx(path), X)[0], wanted)


@pytest.mark.parametrize(
    ("operator", "others", "more", "opset"),
    [
        ("Pad", ([0, 0, 1, 0, 0, 0, 2, 3], np.float32(1.5)), {}, 17),
        ("Pad", ([1, 2, 1, 0], np.float32(0.5), [-1, 2]), {}, 18),
        ("Pad", (), {"pads": [0, 1, 0, 0, 0, 0, 0, 1], "value": 2.0}, 10),
        ("Reshape", ([0, 12, -1],), {}, 17),
        ("Reshape", ([-1, 60],), {}, 17),
        ("Reshape", ([2, 4, 15],), {}, 17),
        ("Flatten", (), {"axis": -3}, 17),
        ("Unsqueeze", ([-1, 1],), {}, 17),
        ("Unsqueeze", (), {"axes": [1, 3]}, 11),
        ("Transpose", (), {"perm": [0, 3, 1, 2]}, 17),
        ("PRelu", (np.array([[[0.1]], [[0.2]], [[0.3]]], np.float32),), {}, 17),
        ("Clip", (np.float32(0.0),), {}, 17),
        ("LeakyRelu", (), {}, 17),
        ("Selu", (), {}, 17),
        ("InstanceNormalization", (array(3), array(3)), {}, 17),
        ("LayerNormalization", (array(4, 5), array(4, 5)), {"axis": 2, "epsilon": 0.1}, 17),
        ("GlobalAveragePool", (), {}, 17),
        ("ReduceMean", (), {"axes": [-1, 2], "keepdims": 0}, 17),
        ("ReduceMean", ([3, 2],), {}, 18),
        ("MatMul", (array(5, 6),), {}, 17),
        ("Dropout", (), {}, 17),
        ("Gelu", (), {"approximate": "tanh"}, 20),
        ("LRN", (), {"size": 5}, 17),
        ("LRN", (), {"size": 1, "alpha": 0.7, "beta": 0.4, "bias": 2.0}, 17),
        ("Pow", (np.float32(2.0),), {}, 17),
        ("Pow", (np.array([3], np.float32),), {}, 17),
    ],
)
def test_operators_that_are_layers(operator, others, more, opset, tmp_path):
    others = [np.array(a, np.int64) if isinstance(a, list) else a for a in others]
    path = one(tmp_path / "x.onnx", operator, [2, 3, 4, 5], *others, opset=opset, **more)
    assert compare_onnx(path, import_onnx(path)) < 1e-5


def test_dropout_drops_out_in_training_alone(tmp_path):
    path = one(tmp_path / "x.onnx", "Dropout", ["N", 8], np.float32(0.25))
    net = import_onnx(path)
    (layer,) = net.layers.values()
    assert isinstance(layer, Dropout)
    assert layer.p == 0.25


@pytest.mark.parametrize(
    ("operator", "others", "more", "said"),
    [
        ("MaxPool", (), {"kernel_shape": [2, 2], "dilations": [2, 2]}, "dilations is no layer"),
        ("Resize", (None, np.ones(4, np.float32)), {}, r"\(Resize\): no layer is this operator"),
        ("Erf", (), {}, r"\(Erf\): no layer"),
        ("Gelu", (), {}, "approximate='tanh'"),
        ("Clip", (np.float32(0.0), np.float32(6.0)), {}, "between 0 and 6 is no layer"),
        ("Pad", (np.array([0] * 7 + [1]),), {"mode": "reflect"}, "only constant is"),
        ("Pad", (np.array([1] + [0] * 7),), {}, "axis 0 is the batch"),
        ("Pad", (np.array([0, 0, -1, 0] * 2),), {}, "cuts off"),
        ("Flatten", (), {"axis": 2}, "mixes samples"),
        ("Flatten", (), {"axis": 0}, "axis 0 is the batch"),
        ("Reshape", (np.array([6, 20]),), {}, "mixes samples"),
        ("Reshape", (np.array([-1, 7]),), {}, "mixes samples, or does not fit"),
        ("Reshape", (np.array([3, 2, 4, 5]),), {}, "mixes samples"),
        ("Transpose", (), {"perm": [1, 0, 2, 3]}, "moves the batch"),
        ("Transpose", (), {}, "moves the batch"),
        ("Squeeze", (), {}, "say the axes"),
        ("Softmax", (), {"axis": 4}, "axis 4 is none"),
        ("Dropout", (np.float32(0.5), np.array(True)), {}, r"model.eval\(\)"),
        ("Dropout", (np.float32(1.0),), {}, "below 1"),
        ("PRelu", (array(4, 1),), {}, "one for each channel"),
        ("MatMul", (array(4, 6),), {}, r"expects \(\.\.\., 4\)"),
        ("MatMul", (array(5, 6).astype(np.float64),), {}, "is float64, where float32"),
        ("MatMul", (array(5, 6).astype(np.float16),), {}, "is float16"),
        ("Conv", (array(4, 2, 3, 3),), {}, "2, 3, 3.* for samples"),
        ("Conv", (array(4, 3, 3, 3),), {"kernel_shape": [2, 2]}, "has the kernel"),
        ("Conv", (array(4, 3, 9, 9),), {}, "Convolution: expects"),
        ("Cast", (), {"to": 11}, "float32 to float64 is no layer"),
        ("ReduceMean", (), {"axes": [1, 2]}, "only over the places"),
        ("Split", (np.array([1, 2]),), {"axis": 1}, "2 sizes for 1 parts"),
        ("ConvTranspose", (array(3, 2, 3, 3),), {"group": 2}, "has 2 groups for samples"),
        ("LRN", (), {"size": 4}, "size is odd"),
        ("Pow", (np.float32(0.0),), {}, "one number other than 0"),
        ("Pow", (array(5),), {}, "one number other than 0"),
    ],
)
def test_what_no_layer_is_exactly(operator, others, more, said, tmp_path):
    opset = 20 if operator == "Gelu" else 17
    path = one(tmp_path / "x.onnx", operator, [2, 3, 4, 5], *others, opset=opset, **more)
    with pytest.raises(OnnxError, match=said) as error:
        import_onnx(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).isprintable()


def test_normalisation_that_is_in_training(tmp_path):
    arrays = [array(3) ** 2 for _ in range(4)]
    path = tmp_path / "x.onnx"
    one(path, "BatchNormalization", ["N", 3], *arrays, training_mode=1, outputs=("y", "m", "v"))
    with pytest.raises(OnnxError, match="is in training"):
        import_onnx(path, outputs=["y"])
    one(path, "BatchNormalization", ["N", 3], *arrays, opset=6)
    with pytest.raises(OnnxError, match="is in training"):
        import_onnx(path)


def test_shapes_are_followed_and_the_batch_only_moved(tmp_path):
    def nodes(of_batch, *more):
        return [
            ("Shape", ["x"], ["s"], {}),
            ("Gather", ["s", of_batch], ["n"], {}),
            *more,
            ("Concat", ["n", "rest"], ["shape"], {"axis": 0}),
            ("Reshape", ["x", "shape"], ["y"], {}),
        ]

    arrays = {"zero": np.array([0]), "one": np.array([1]), "rest": np.array([-1])}
    path = written(tmp_path / "x.onnx", nodes("zero"), {"x": ["N", 3, 4]}, arrays)
    net = import_onnx(path)
    assert [type(layer) for layer in net.layers.values()] == [Flatten]
    path = written(tmp_path / "x.onnx", nodes("one"), {"x": ["N", 3, 4]}, arrays)
    with pytest.raises(OnnxError, match="mixes samples"):
        import_onnx(path)
    doubled = [("Add", ["n0", "n0"], ["n"], {})]
    given = nodes("zero", *doubled)
    given[1] = ("Gather", ["s", "zero"], ["n0"], {})
    path = written(tmp_path / "x.onnx", given, {"x": ["N", 3, 4]}, arrays)
    with pytest.raises(OnnxError, match="reckons with the length of the batch"):
        import_onnx(path)


def test_a_constant_that_is_left_out(tmp_path):
    """onnx refuses that itself where an operator has so many inputs, but not of Concat."""
    nodes = [("Concat", ["n", "", "rest"], ["s"], {"axis": 0}), ("Reshape", ["x", "s"], ["y"], {})]
    arrays = {"n": np.array([-1]), "rest": np.array([12])}
    path = written(tmp_path / "x.onnx", nodes, {"x": ["N", 3, 4]}, arrays)
    with pytest.raises(OnnxError, match=r"s \(Concat\): lacks an input"):
        import_onnx(path)


def test_a_bias_goes_into_the_affine_only_where_nobody_else_reads_it(tmp_path):
    arrays = {"w.weight": array(5, 3), "b": array(3)}
    nodes = [("MatMul", ["x", "w.weight"], ["p"], {}), ("Add", ["b", "p"], ["y"], {})]
    net = import_onnx(written(tmp_path / "x.onnx", nodes, {"x": ["N", 5]}, arrays))
    assert list(net.layers) == ["w"]
    nodes.insert(1, ("Identity", ["p"], ["q"], {}))
    nodes[2] = ("Add", ["q", "b"], ["y"], {})
    path = written(tmp_path / "x.onnx", nodes, {"x": ["N", 5]}, arrays, ("y", "p"))
    net = import_onnx(path)
    assert len(net.parameters()) == 2
    assert compare_onnx(path, net) < 1e-6


def test_one_array_at_two_places(tmp_path, capsys):
    W = array(4, 4)
    nodes = [("MatMul", ["x", "W"], ["a"], {}), ("MatMul", ["a", "W"], ["y"], {})]
    net = import_onnx(written(tmp_path / "x.onnx", nodes, {"x": ["N", 4]}, {"W": W}))
    assert len(net.parameters()) == 1
    nodes = [("Gemm", ["x", "W"], ["a"], {}), ("Gemm", ["a", "W"], ["y"], {"transB": 1})]
    path = written(tmp_path / "x.onnx", nodes, {"x": ["N", 4]}, {"W": W})
    net = import_onnx(path)
    assert len(net.parameters()) == 2
    assert compare_onnx(path, net) < 1e-6
    assert "W: one array there, and learned apart here" in capsys.readouterr().err


def test_double_precision(tmp_path):
    W = array(4, 3, dtype=np.float64)
    nodes = [("MatMul", ["x", "W"], ["a"], {}), ("Tanh", ["a"], ["y"], {})]
    path = written(tmp_path / "x.onnx", nodes, {"x": ["N", 4]}, {"W": W}, kind=np.float64)
    net = import_onnx(path)
    assert ours_of(net, array(2, 4, dtype=np.float64))[0].dtype == np.float64
    assert compare_onnx(path, net) < 1e-12


def test_sequences_are_turned_once(tmp_path):
    net = Sequential({"c": Convolution1d(2, 3, 3, rng=0), "d": Convolution1d(3, 2, 2, rng=0)})
    export_onnx(tmp_path / "x.onnx", net, array(2, 7, 2))
    back = import_onnx(tmp_path / "x.onnx")
    assert [type(layer) for layer in back.layers.values()] == [Convolution1d] * 2


def test_an_operator_of_one_s_own(tmp_path):
    class Softsign(AutoLayer):
        def function(self, X):
            return X / (np.abs(X) + 1.0)

    path = one(tmp_path / "x.onnx", "Softsign", ["N", 4])
    with pytest.raises(OnnxError, match=r'@onnx_operator\("Softsign"\)'):
        import_onnx(path)
    onnx_operator("Softsign")(lambda node, graph, X: graph.add(Softsign(), X))
    try:
        assert compare_onnx(path, import_onnx(path)) < 1e-6
    finally:
        del OPERATORS["Softsign"]


def test_an_attribute_that_no_function_asked_for_is_refused(tmp_path):
    path = one(tmp_path / "x.onnx", "own.domain:Odd", ["N", 4], power=3)
    onnx_operator("own.domain.Odd")(lambda node, graph, X: graph.add(Relu(), X))
    try:
        with pytest.raises(OnnxError, match="its attribute power is not known"):
            import_onnx(path)
    finally:
        del OPERATORS["own.domain.Odd"]


def test_the_comparison_notices(tmp_path):
    path = one(tmp_path / "x.onnx", "MatMul", ["N", 4], array(4, 3))
    net = import_onnx(path)
    (param,) = net.parameters().values()
    param.data[0, 0] += 0.01
    with pytest.raises(OnnxError, match="differs from what onnxruntime gives"):
        compare_onnx(path, net)


# Files that are wrong.


@pytest.fixture
def good(tmp_path):
    arrays = {"W": array(4, 3), "b": array(3)}
    nodes = [("Gemm", ["x", "W", "b"], ["a"], {}), ("Relu", ["a"], ["y"], {})]
    return written(tmp_path / "x.onnx", nodes, {"x": ["N", 4]}, arrays)


def changed(path, change):
    import onnx

    model = onnx.ModelProto()
    model.ParseFromString(path.read_bytes())
    change(model)
    path.write_bytes(model.SerializeToString())


def claims_much(model):
    model.graph.initializer[0].dims[:] = [1 << 20, 1 << 10]


def twice(model):
    model.graph.node.add().CopyFrom(model.graph.node[0])


def circle(model):
    model.graph.node[0].input[0] = "y"


def outside(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    tensor.external_data.add(key="location", value="../secret")


def beyond(model):
    outside(model)
    tensor = model.graph.initializer[0]
    tensor.external_data[0].value = "x.onnx"
    tensor.external_data.add(key="length", value=str(1 << 30))


def large_fill(model):
    import onnx

    shape = onnx.numpy_helper.from_array(np.array([1 << 15, 1 << 15]), "shape")
    model.graph.initializer.append(shape)
    node = onnx.helper.make_node("ConstantOfShape", ["shape"], ["W2"])
    model.graph.node.insert(0, node)
    model.graph.node[1].input[1] = "W2"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (claims_much, "the array W is damaged|W. raw_data size"),
        (twice, "is no right ONNX file"),
        (circle, "is no right ONNX file"),
        (outside, "which is not beside it"),
        (beyond, "goes beyond the end"),
        (large_fill, "larger than what the file holds"),
        (lambda m: setattr(m.opset_import[0], "version", 4), "opset 4, and 5 to"),
        (lambda m: setattr(m.opset_import[0], "version", 99), "opset 99|no right ONNX file"),
        (lambda m: setattr(m.graph.node[1], "op_type", "Nothing"), "Nothing"),
        (lambda m: setattr(m.graph.node[1], "domain", "of.mine"), "mine|no right ONNX"),
        (lambda m: m.graph.initializer[1].dims.__setitem__(0, 2), "the array b is damaged"),
        (lambda m: m.graph.output[0].type.tensor_type.shape.dim.extend(
            [type(m.graph.input[0].type.tensor_type.shape.dim[0])(dim_value=n) for n in (1, 7)]
        ), r"y is said to be"),
        (lambda m: m.ClearField("graph"), "is no ONNX file"),
        (lambda m: m.graph.input[0].type.tensor_type.shape.ClearField("dim"), "--shape"),
    ],
)  # fmt: skip
def test_files_that_are_wrong(change, said, good):
    changed(good, change)
    with pytest.raises(OnnxError, match=said) as error:
        import_onnx(good)
    text = str(error.value)
    assert text.startswith(f"{good}: ")
    assert text.isprintable()


def test_every_truncation_is_refused(good):
    whole = good.read_bytes()
    for n in range(len(whole)):
        good.write_bytes(whole[:n])
        with pytest.raises(OnnxError, match=r"x\.onnx: "):
            import_onnx(good)


def test_weights_that_are_not_finite(good):
    changed(good, lambda m: setattr(m.graph.initializer[1], "raw_data", b"\xff" * 12))
    with pytest.raises(FloatingPointError, match=r"x\.onnx"):
        import_onnx(good)


def test_outputs_and_shapes_by_name(good):
    net = import_onnx(good, outputs=["a"])
    assert isinstance(net.layers["affine1"], Layer)
    assert len(net.layers) == 1
    with pytest.raises(OnnxError, match="no node gives nothing"):
        import_onnx(good, outputs=["nothing", "y"])
    with pytest.raises(OnnxError, match="does not depend on an input"):
        import_onnx(good, outputs=["W"])
    with pytest.raises(OnnxError, match="has no input z; it has x"):
        import_onnx(good, shapes={"z": (3,)})


def test_arrays_in_a_file_beside_it(good):
    import onnx

    model = onnx.load(good)
    onnx.save(model, good, save_as_external_data=True, location="x.data", size_threshold=0)
    assert compare_onnx(good, import_onnx(good)) < 1e-6
    (good.parent / "x.data").write_bytes(b"short")
    with pytest.raises(OnnxError, match="goes beyond the end"):
        import_onnx(good)
    (good.parent / "x.data").unlink()
    with pytest.raises(OnnxError, match="which cannot be read"):
        import_onnx(good)

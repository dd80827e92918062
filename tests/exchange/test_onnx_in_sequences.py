"""Recurrent layers from ONNX files, by their operators: PyTorch's exporters, and files that others
may write."""

import warnings

import numpy as np
import pytest

from lamina.exchange import OnnxError, compare_onnx, import_onnx
from lamina.exchange.onnx_in_file import opset_of
from lamina.layers import Layer

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install -e '.[peers]'")
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
H, D, T, N = 3, 4, 5, 2


class Tagger(torch.nn.Module):
    """Something for each step."""

    def __init__(self, kind, **options):
        super().__init__()
        options = {"batch_first": True} | options
        self.rnn = getattr(torch.nn, kind)(4, 5, **options)
        self.out = torch.nn.Linear(10 if options.get("bidirectional") else 5, 3)

    def forward(self, x):
        return self.out(self.rnn(x)[0])


class Reader(Tagger):
    """One thing for each sequence, from the last states of the last layer."""

    def forward(self, x):
        h = self.rnn(x)[1]
        h = h[0] if isinstance(h, tuple) else h
        return self.out(torch.cat([h[-2], h[-1]], 1) if self.rnn.bidirectional else h[-1])


class Last(Tagger):
    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


RECURRENT = [
    (Tagger, "LSTM", {}),
    (Tagger, "LSTM", {"bidirectional": True, "num_layers": 2}),
    (Tagger, "GRU", {"bidirectional": True}),
    (Tagger, "GRU", {"bias": False}),
    (Tagger, "RNN", {"nonlinearity": "relu", "num_layers": 2}),
    (Reader, "LSTM", {}),
    (Reader, "LSTM", {"bidirectional": True}),
    (Reader, "GRU", {}),
    (Reader, "RNN", {}),
    (Last, "LSTM", {}),
    (Last, "GRU", {"bidirectional": True}),
]


@pytest.mark.parametrize(
    "dynamo", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["script", "dynamo"]
)
@pytest.mark.parametrize(("module", "kind", "options"), RECURRENT, ids=str)
def test_recurrent_modules_of_pytorch(module, kind, options, dynamo, tmp_path):
    torch.manual_seed(1)
    made = module(kind, **options).eval()
    x = torch.randn(3, 7, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        more = {"dynamo": True, "verbose": False} if dynamo else {"dynamo": False}
        torch.onnx.export(made, (x,), tmp_path / "x.onnx", **more)
    if dynamo and kind == "RNN":  # written there step by step, without the operator
        with pytest.raises(OnnxError, match="MatMul"):
            import_onnx(tmp_path / "x.onnx")
        return
    net = import_onnx(tmp_path / "x.onnx")
    with torch.no_grad():
        expected = made(x).numpy()
    np.testing.assert_allclose(net.predict(x.numpy()), expected, rtol=1e-5, atol=1e-6)
    assert compare_onnx(tmp_path / "x.onnx", net) < 1e-5
    names = {type(held).__name__ for _, held in net.walk() if isinstance(held, Layer)}
    assert {"RNN": "Rnn", "LSTM": "Lstm", "GRU": "Gru"}[kind] in names


def written(path, operator, *, state="none", given=("Y",), layout=0, bias=True, **attributes):
    """A file with one operator on (N, T, D), and a Flatten of what is asked of it."""
    helper, rng = onnx.helper, np.random.default_rng(5)
    n_directions = 2 if attributes.get("direction") == "bidirectional" else 1
    arrays = {
        "W": rng.standard_normal((n_directions, GATES[operator] * H, D)),
        "R": rng.standard_normal((n_directions, GATES[operator] * H, H)),
        "B": rng.standard_normal((n_directions, 2 * GATES[operator] * H)),
    }
    arrays["zeros"] = np.zeros((N, n_directions, H) if layout else (n_directions, N, H))
    arrays["ones"] = arrays["zeros"] + 1.0
    nodes, inputs = [], ["x"]
    if not layout:
        nodes.append(helper.make_node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]))
    names = ["x" if layout else "steps", "W", "R", "B" if bias else "", "", "", ""]
    if state in ("zeros", "ones"):
        names[5] = state
    elif state == "inputs":
        for i, name in enumerate(("h", "c")[: 1 + (operator == "LSTM")]):
            axis = np.array([1 if layout else 0])
            arrays[f"axis_{name}"] = axis
            nodes.append(helper.make_node("Unsqueeze", [name, f"axis_{name}"], [f"{name}0"]))
            names[5 + i] = f"{name}0"
            inputs.append(name)
    more = {"layout": layout} if layout else {}
    if operator != "LSTM":
        del names[6:]
    outputs = [name if name in given else "" for name in ("Y", "Y_h")]
    nodes.append(helper.make_node(operator, names, outputs, hidden_size=H, **more, **attributes))
    if given == ("Y",):
        order = {0: [2, 0, 1, 3], 1: [0, 1, 2, 3]}[layout]
        nodes.append(helper.make_node("Transpose", ["Y"], ["moved"], perm=order))
        arrays["shape"] = np.array([0, 0, -1])
        nodes.append(helper.make_node("Reshape", ["moved", "shape"], ["out"]))
    elif given == ("Y_h",):
        arrays["which"] = np.array(0)
        nodes.append(helper.make_node("Gather", ["Y_h", "which"], ["out"], axis=layout))
    else:
        arrays["axis"] = np.array([2 if layout else 1])
        nodes.append(helper.make_node("Squeeze", ["Y", "axis"], ["three"]))
        order = [0, 1, 2] if layout else [1, 0, 2]
        nodes.append(helper.make_node("Transpose", ["three"], ["all"], perm=order))
        arrays["axis_h"] = np.array([1 if layout else 0])
        nodes.append(helper.make_node("Squeeze", ["Y_h", "axis_h"], ["last"]))
        nodes.append(helper.make_node("Flatten", ["all"], ["flat"]))
        nodes.append(helper.make_node("Concat", ["flat", "last"], ["out"], axis=1))
    shapes = {"x": (N, T, D), "h": (N, H), "c": (N, H)}
    size = {("Y",): (T, n_directions * H), ("Y_h",): (H,)}.get(given, (T * H + H,))
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, 1, shapes[name]) for name in inputs],
        [helper.make_tensor_value_info("out", 1, [N, *size])],
        [
            onnx.numpy_helper.from_array(
                a.astype(np.float32 if a.dtype.kind == "f" else np.int64), name
            )
            for name, a in arrays.items()
            if name in used
        ],
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


@pytest.mark.parametrize("operator", GATES)
@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("state", ["none", "zeros", "inputs"])
def test_an_operator_gives_what_onnxruntime_gives(operator, direction, state, tmp_path):
    more = {"linear_before_reset": 1} if operator == "GRU" else {}
    for given in (("Y",), ("Y_h",)):
        for bias in (True, False):
            options = {"direction": direction, "given": given, "bias": bias}
            written(tmp_path / "x.onnx", operator, state=state, **options, **more)
            net = import_onnx(tmp_path / "x.onnx")
            assert compare_onnx(tmp_path / "x.onnx", net) < 1e-5


def test_all_states_and_the_last_of_one_operator(tmp_path):
    written(tmp_path / "x.onnx", "LSTM", given=("Y", "Y_h"))
    assert compare_onnx(tmp_path / "x.onnx", import_onnx(tmp_path / "x.onnx")) < 1e-5
    written(tmp_path / "x.onnx", "LSTM", given=("Y", "Y_h"), direction="reverse")
    with pytest.raises(OnnxError, match="take one of the two"):
        import_onnx(tmp_path / "x.onnx")


def test_two_directions_of_one_operator(tmp_path):
    written(tmp_path / "x.onnx", "LSTM", direction="bidirectional", given=("Y_h",))
    assert compare_onnx(tmp_path / "x.onnx", import_onnx(tmp_path / "x.onnx")) < 1e-5


@pytest.mark.parametrize(
    ("operator", "options", "said"),
    [
        ("GRU", {}, "linear_before_reset"),
        ("LSTM", {"input_forget": 1}, "coupled"),
        ("LSTM", {"clip": 3.0}, "clip"),
        ("LSTM", {"state": "ones"}, "first states"),
        ("LSTM", {"activations": ["Sigmoid", "Relu", "Tanh"]}, "activations sigmoid, relu, tanh"),
        ("RNN", {"activations": ["Softsign"]}, "softsign; Rnn has tanh or relu"),
        ("LSTM", {"direction": "sideways"}, "do not fit"),
    ],
    ids=str,
)
def test_what_no_layer_computes_is_refused(operator, options, said, tmp_path):
    written(tmp_path / "x.onnx", operator, **options)
    with pytest.raises(OnnxError, match=said):
        import_onnx(tmp_path / "x.onnx")


def test_steps_in_front_of_samples_go_no_further(tmp_path):
    """A product of (T, N, H) would be right by chance, and a Softmax over axis 1 wrong."""
    helper = onnx.helper
    written(tmp_path / "x.onnx", "RNN")
    model = onnx.load(tmp_path / "x.onnx")
    nodes = list(model.graph.node)
    squeeze = helper.make_node("Squeeze", ["Y", "one"], ["three"])
    soft = helper.make_node("Softmax", ["three"], ["soft"], axis=1)
    back = helper.make_node("Transpose", ["soft"], ["out"], perm=[1, 0, 2])
    del model.graph.node[:]
    model.graph.node.extend([*nodes[:2], squeeze, soft, back])
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), "one"))
    onnx.save(model, tmp_path / "x.onnx")
    with pytest.raises(OnnxError, match=r"Softmax.*batch_first"):
        import_onnx(tmp_path / "x.onnx")


def test_first_states_of_another_size_are_refused(tmp_path):
    """As PyTorch writes an LSTM with a projection, which is lost; onnxruntime refuses it too."""
    written(tmp_path / "x.onnx", "LSTM", state="zeros")
    model = onnx.load(tmp_path / "x.onnx")
    (state,) = (one for one in model.graph.initializer if one.name == "zeros")
    wide = np.zeros((1, N, 2 * H), np.float32)
    state.CopyFrom(onnx.numpy_helper.from_array(wide, "zeros"))
    onnx.save(model, tmp_path / "x.onnx")
    with pytest.raises(OnnxError, match=rf"first states \(1, {N}, {2 * H}\), .* of {H} numbers"):
        import_onnx(tmp_path / "x.onnx")


def test_an_opset_that_is_said_twice(tmp_path):
    """As skl2onnx does; two different ones are refused as what they are."""
    written(tmp_path / "x.onnx", "RNN")
    model = onnx.load(tmp_path / "x.onnx")
    model.opset_import.append(onnx.helper.make_opsetid("", 17))
    assert opset_of(model) == 17
    model.opset_import.append(onnx.helper.make_opsetid("", 18))
    with pytest.raises(OnnxError, match="several opsets: 17, 18"):
        opset_of(model)

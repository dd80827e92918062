"""Caffe's nets and weights, in and out, beside OpenCV's reader; what no layer is is refused."""

import caffe_nets as nets
import numpy as np
import pytest

from lamina.exchange import (
    CaffeError,
    caffe_layer,
    export_caffe,
    import_caffe,
    read_binaryproto,
    read_caffemodel,
    write_binaryproto,
    write_caffemodel,
)
from lamina.layers import (
    Addition,
    Affine,
    AveragePooling,
    BatchNormalization,
    Bias,
    Convolution,
    Elu,
    Flatten,
    GlobalAveragePooling,
    LocalResponseNormalization,
    MaxPooling,
    Relu,
    Scale,
    Softmax,
    Transpose,
)
from lamina.nets import Graph, Node, Sequential


@pytest.fixture
def read(tmp_path):
    """A net from its text, perhaps with weights by layer."""

    def made(text: str, weights: dict | None = None, **more):
        path, model = tmp_path / "net.prototxt", tmp_path / "net.caffemodel"
        path.write_text(text)
        if weights is not None:
            write_caffemodel(model, weights)
        return import_caffe(path, None if weights is None else model, **more)

    return made


def drawn(shape: tuple, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def opencv(folder, X: np.ndarray, output: str = "") -> np.ndarray:
    """What OpenCV makes of net.prototxt and net.caffemodel."""
    import cv2

    theirs = cv2.dnn.readNetFromCaffe(str(folder / "net.prototxt"), str(folder / "net.caffemodel"))
    theirs.enableWinograd(False)  # quick, but up to 1.9e-6 from what is exact in a large net
    theirs.setInput(X)
    return theirs.forward(output) if output else theirs.forward()


def assert_close(ours: np.ndarray, theirs: np.ndarray, limit: float = 1e-6) -> None:
    assert np.abs(ours - theirs.reshape(ours.shape)).max() <= limit * np.abs(theirs).max()


@pytest.mark.slow
@pytest.mark.needs_opencv
@pytest.mark.parametrize("norm_first", [True, False], ids=["alexnet", "caffenet"])
def test_the_two_large_nets_as_wide_as_they_were_published(norm_first, read, tmp_path):
    """61 million weights."""
    text = nets.alexnet(227, norm_first, width=8, hidden=4096, classes=1000)
    net, X = read(text), drawn((2, 3, 227, 227))
    assert sum(param.data.size for param in net.parameters().values()) == 60_965_224
    export_caffe(tmp_path / "net.caffemodel", net, X.shape[1:])
    assert_close(net.predict(X), opencv(tmp_path, X))


@pytest.mark.needs_opencv
@pytest.mark.parametrize("name", nets.NETS)
def test_well_known_nets_as_opencv_has_them(name, read, tmp_path):
    """Random weights, written by us, read by both; and what we write of the net, read by both."""
    text, shape = nets.NETS[name]
    net = read(text)  # drawn by the fillers of the file
    X = drawn((2, *shape))
    export_caffe(tmp_path / "net.caffemodel", net, shape)
    assert_close(net.predict(X), opencv(tmp_path, X))
    again = import_caffe(tmp_path / "net.prototxt", tmp_path / "net.caffemodel")
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    assert type(again) is type(net)
    state = again.state()
    assert state.keys() == net.state().keys()
    assert all(np.array_equal(state[key], array) for key, array in net.state().items())
    # The file of the net with our weights under the names of its layers.
    if name != "googlenet":  # whose names have other letters there
        (tmp_path / "net.prototxt").write_text(text)
        assert_close(net.predict(X), opencv(tmp_path, X))
        assert np.array_equal(
            read(text, read_caffemodel(tmp_path / "net.caffemodel")).predict(X), net.predict(X)
        )


@pytest.mark.needs_opencv
@pytest.mark.parametrize("kind", ["MAX", "AVE"])
@pytest.mark.parametrize(
    ("size", "more"),
    [
        (7, "kernel_size: 2 stride: 2"),
        (8, "kernel_size: 3 stride: 2"),
        (6, "kernel_size: 3 stride: 2 pad: 1"),
        (7, "kernel_h: 3 kernel_w: 2 stride_h: 1 stride_w: 2 pad_h: 1 pad_w: 0"),
        (9, "kernel_size: 3 stride: 3 pad: 1"),
        (6, "global_pooling: true"),
    ],
)
def test_poolings_round_up(kind, size, more, read, tmp_path):
    shape = (2, size, size)
    net = read(
        nets.data(1, *shape)
        + nets.conv("conv", "data", 2, 1)
        + nets.layer("Pooling", "p", "conv", "", f"pooling_param {{ pool: {kind} {more} }}")
    )
    export_caffe(tmp_path / "net.caffemodel", net, shape)
    X = drawn((2, *shape))
    assert_close(net.predict(X), opencv(tmp_path, X))


@pytest.mark.needs_opencv
def test_what_opencv_makes_of_other_layers(read, tmp_path):
    text = (
        nets.data(1, 4, 9, 9)
        + nets.conv("c", "data", 4, 3, "pad: 2 dilation: 2 group: 2 bias_term: true")
        + nets.layer("BatchNorm", "bn", "c", "bn", "batch_norm_param { eps: 0.001 }")
        + nets.layer("Scale", "sc", "bn", "bn", "scale_param { bias_term: true }")
        + nets.layer("ELU", "e", "bn", "bn")
        + nets.layer("PReLU", "pr", "bn", "bn")
        + nets.layer("Eltwise", "sum", "bn data", "", "eltwise_param { operation: SUM }")
        + nets.layer("Eltwise", "prod", "sum c", "", "eltwise_param { operation: PROD }")
        + nets.layer("Slice", "cut", "prod", "a b", "slice_param { axis: 1 slice_point: 1 }")
        + nets.layer("Concat", "cat", "b a", "")
        + nets.layer("TanH", "t", "cat", "cat")
        + nets.layer("Flatten", "flat", "cat")
        + nets.dense("ip", "flat", 6)
        + nets.layer("Reshape", "re", "ip", "", "reshape_param { shape { dim: 0 dim: 2 dim: -1 } }")
        + nets.layer("Sigmoid", "out", "re")
    )
    rng = np.random.default_rng(0)
    weights = {
        "c": [drawn((4, 2, 3, 3)), drawn((4,))],
        # Caffe's averages are sums, divided by the third array.
        "bn": [drawn((4,)) * 3, rng.uniform(1, 5, 4).astype("f4"), np.array([3.0], "f4")],
        "sc": [drawn((4,)), drawn((4,), 1)],
        "pr": [rng.uniform(0, 1, 4).astype("f4")],
        "ip": [drawn((6, 324)) / 20, drawn((6,))],
    }
    net, X = read(text, weights), drawn((2, 4, 9, 9), 5)
    assert_close(net.predict(X), opencv(tmp_path, X))
    # What is written of it is the same net, to the bit.
    export_caffe(tmp_path / "net.caffemodel", net, (4, 9, 9))
    again = import_caffe(tmp_path / "net.prototxt", tmp_path / "net.caffemodel")
    np.testing.assert_array_equal(again.predict(X), net.predict(X))


@pytest.mark.needs_opencv
def test_a_net_of_ours_for_opencv(tmp_path):
    rng = np.random.default_rng(0)
    net = Graph(
        {
            "conv1": Convolution(3, 6, (3, 2), stride=(1, 2), padding=(1, 0), bias=False, rng=rng),
            "norm": BatchNormalization(6),
            "elu": Elu(),
            "floor": MaxPooling(2),
            "conv2": Convolution(6, 6, 3, padding=1, groups=3, rng=rng),
            "sum": Node(Addition(), ["conv2", "floor"]),
            "scale": Scale((6, 1, 1), value=0.5),
            "mean": AveragePooling(3, stride=1, padding=1),
            "relu": Relu(),
            "global": GlobalAveragePooling(),
            "affine": Affine(6, 4, rng=rng),
            "softmax": Softmax(),
        }
    )
    for held in (net.layers["norm"].gamma, net.layers["norm"].running_mean):
        held.data = drawn((6,))
    X = drawn((2, 3, 8, 9))
    written = export_caffe(tmp_path / "net.caffemodel", net, (3, 8, 9))
    assert [path.name for path in written] == ["net.caffemodel", "net.prototxt"]
    assert_close(net.predict(X), opencv(tmp_path, X))
    again = import_caffe(tmp_path / "net.prototxt", tmp_path / "net.caffemodel")
    np.testing.assert_allclose(again.predict(X), net.predict(X), rtol=1e-6)


def test_written_and_read_back_weights_are_equal_to_the_bit(tmp_path):
    path = tmp_path / "w.caffemodel"
    odd = np.array([np.nan, -0.0, np.inf, 1e-45, 0.1], "f4")
    given = {"a/b": [odd.reshape(5, 1), drawn((2, 3, 4)).T], "c": [np.array([0.1]), drawn((0, 2))]}
    write_caffemodel(path, given, "name")
    back = read_caffemodel(path)
    assert list(back) == ["a/b", "c"]
    for name, arrays in given.items():
        for ours, theirs in zip(back[name], arrays, strict=True):
            assert ours.dtype == theirs.dtype
            assert ours.shape == theirs.shape
            assert ours.tobytes() == theirs.tobytes()
    write_caffemodel(tmp_path / "again.caffemodel", back, "name")
    assert (tmp_path / "again.caffemodel").read_bytes() == path.read_bytes()


def test_a_mean_file(tmp_path):
    path, mean = tmp_path / "mean.binaryproto", drawn((3, 4, 5))
    write_binaryproto(path, mean)
    np.testing.assert_array_equal(read_binaryproto(path), mean)
    assert b"\x08\x01\x10\x03\x18\x04\x20\x05" in path.read_bytes()  # num 1, channels 3, ...


def test_the_phase_says_which_layers_are_there(read):
    text = nets.LENET_TRAIN
    shapes = {"data": (1, 28, 28)}
    train = read(text, phase="TRAIN", shapes=shapes)
    test = read(text, shapes=shapes)
    assert list(train.layers) == [
        "conv1",
        "pool1",
        "ip1_flat",
        "ip1",
        "relu_ip1",
        "drop_ip1",
        "ip2",
    ]
    assert list(test.layers) == list(train.layers)
    assert train.heads
    assert not test.heads
    conv, ip1 = train.layers["conv1"], train.layers["ip1"]
    assert (conv.W.lr_mult, conv.b.lr_mult, conv.b.decay_mult) == (1, 2, 0)
    assert not ip1.W.trainable  # lr_mult: 0
    assert conv.b.data[0] == np.float32(0.1)
    staged = text.replace('name: "pool1"', 'include { phase: TEST stage: "deep" } name: "pool1"')
    with pytest.raises(CaffeError, match="its bottom pool1 is the top of no layer before it"):
        read(staged, shapes=shapes)
    assert "pool1" in read(staged, shapes=shapes, stages=["deep"]).layers


def test_several_losses_with_their_weights(read):
    net = read(
        nets.data(1, 4)
        + 'layer { name: "l" type: "Data" top: "x" top: "label" }'
        + nets.dense("a", "data", 3)
        + nets.dense("b", "a", 3)
        + nets.layer("SoftmaxWithLoss", "early", "a label", "", "loss_weight: 0.3")
        + nets.layer("SoftmaxWithLoss", "loss", "b label", "")
        + nets.layer("Silence", "s", "x", " "),
        phase="TRAIN",
    )
    assert {name: head.weight for name, head in net.heads.items()} == {"early": 0.3, "loss_2": 1.0}
    assert net.outputs == ("b",)
    X, t = drawn((5, 4)), np.arange(5) % 3
    early = read(nets.data(1, 4) + nets.dense("a", "data", 3))
    assert early.layers["a"].W.data.shape == (4, 3)
    assert np.isfinite(net.loss(X, t))


def test_losses_are_those_of_caffe(read):
    """The numbers of its formulas, by hand: the mean over samples, not labels."""
    X, t = drawn((5, 3)), (drawn((5, 4), 1) > 0).astype("f4")
    for kind, expected in {
        "EuclideanLoss": lambda y: np.square(y - t).sum() / 10,
        "SigmoidCrossEntropyLoss": lambda y: (np.log1p(np.exp(y)) - t * y).sum() / 5,
    }.items():
        net = read(
            nets.data(1, 3)
            + 'layer { name: "l" type: "HDF5Data" top: "label" }'
            + nets.dense("ip", "data", 4)
            + nets.layer(kind, "loss", "ip label", ""),
            phase="TRAIN",
        )
        assert float(net.loss(X, t)) == pytest.approx(float(expected(net.predict(X))), rel=1e-5)


def test_a_layer_in_python_is_known_by_its_class(read):
    """Caffe's own example compares what two layers give by a loss written in Python."""

    def example(made: str, target: str) -> str:
        given = f'python_param {{ module: "pyloss" layer: "{made}" }} loss_weight: 1'
        one, two = (
            nets.layer("DummyData", name, "", name, "dummy_data_param { shape { dim: 5 dim: 3 } }")
            for name in "xy"
        )
        dense = nets.dense("ipx", "x", 4) + nets.dense("ipy", "y", 4)
        return one + two + dense + nets.layer("Python", "loss", f"ipx {target}", "", given)

    both = read(example("EuclideanLossLayer", "ipy"))
    assert both.inputs == ("x", "y")
    assert both.outputs == ("ipx", "ipy")
    with pytest.raises(CaffeError, match="its target ipy is computed by layers; here it is data"):
        read(example("EuclideanLossLayer", "ipy"), phase="TRAIN")
    with pytest.raises(CaffeError, match=r"loss \(pyloss.Other\): no layer is this .*pyloss.Other"):
        read(example("Other", "ipy"))

    plain = example("EuclideanLossLayer", "label").replace('"y"', '"label"')
    net = read(plain.replace(nets.dense("ipy", "label", 4), ""), phase="TRAIN")
    X, t = drawn((5, 3)), drawn((5, 4), 1)
    by_hand = np.square(net.predict(X) - t).sum() / 10
    assert float(net.loss(X, t)) == pytest.approx(float(by_hand), rel=1e-5)


def test_a_reconstruction_compares_with_its_inputs(read):
    net = read(
        nets.data(1, 1, 2, 2)
        + nets.layer("Flatten", "flat", "data")
        + nets.dense("code", "flat", 2)
        + nets.dense("decode", "code", 4)
        + nets.layer("EuclideanLoss", "loss", "decode flat", ""),
        phase="TRAIN",
    )
    assert [head.input for head in net.heads.values()] == ["decode"]


def test_names_of_parameters_share_them(read):
    """Two towers of which one is the twin of the other."""
    both = "".join(
        nets.dense(f"ip{end}", bottom, 3, 'param { name: "w" } param { name: "b" lr_mult: 2 }')
        for end, bottom in (("", "one"), ("_p", "two"))
    )
    text = (
        nets.data(1, 2, 4)
        + nets.layer("Slice", "cut", "data", "one two", "slice_param { axis: 1 }")
        + both
        + nets.layer("Concat", "out", "ip ip_p")
    )
    weights = {name: [drawn((3, 4)), drawn((3,))] for name in ("ip", "ip_p")}
    net = read(text, weights)
    assert len(net.parameters()) == 2
    X = drawn((2, 2, 4))
    half = X[:, 1] @ weights["ip"][0].T + weights["ip"][1]
    np.testing.assert_allclose(net.predict(X)[:, 3:], half, rtol=1e-5)
    with pytest.raises(CaffeError, match=r"ip_p \(InnerProduct\): shares w with another layer"):
        read(
            text.replace('name: "ip_p" type', 'name: "ip_p" type').replace(
                'bottom: "two" top: "ip_p" param { name: "w" } param { name: "b"',
                'bottom: "two" top: "ip_p" param { name: "w" } param { name: "c"',
            )
        )


def test_the_older_form_is_the_same_net(read):
    old = """
    input: "data" input_dim: 1 input_dim: 1 input_dim: 8 input_dim: 8
    layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1 blobs_lr: 2
      weight_decay: 1 weight_decay: 0 convolution_param { num_output: 2 kernel_size: 3 } }
    layers { name: "relu" type: RELU bottom: "conv" top: "conv" }
    layers { name: "ip" type: INNER_PRODUCT bottom: "conv" top: "ip"
      inner_product_param { num_output: 3 } }
    """
    weights = {
        "conv": [drawn((2, 1, 3, 3)), drawn((1, 1, 1, 2))],
        "ip": [drawn((1, 1, 3, 72)), drawn((1, 1, 1, 3))],
    }
    net = read(old, weights)
    new = read(
        nets.data(1, 1, 8, 8)
        + nets.conv("conv", "data", 2, 3)
        + nets.relu("conv")
        + nets.dense("ip", "conv", 3),
        {
            name: [np.squeeze(a) if a.shape[0] == 1 else a for a in arrays]
            for name, arrays in weights.items()
        },
    )
    X = drawn((2, 1, 8, 8))
    np.testing.assert_array_equal(net.predict(X), new.predict(X))
    conv = net.layers["conv"]
    assert (conv.b.lr_mult, conv.b.decay_mult) == (2, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (nets.layer("Im2col", "x", "data"), r"x \(Im2col\): no layer is this type; write a func"),
        (nets.conv("x", "dta", 2, 3), "its bottom dta is the top of no layer before it"),
        (nets.conv("x", "data", 0, 3), "has no num_output"),
        (nets.conv("x", "data", 3, 3, "group: 2"), "groups must divide c_in and c_out"),
        (nets.conv("x", "data", 2, 99), r"x \(Convolution\): .*expects"),
        (nets.conv("x", "data", 2, 3, "kernel_h: 3"), "has both kernel_size and kernel_h"),
        (nets.dense("x", "data", 1 << 31), "would have weights of"),
        (nets.pool("x", "data", 3, 2, "STOCHASTIC"), "STOCHASTIC is no layer; MAX and AVE are"),
        (nets.layer("Softmax", "x", "data", "", "softmax_param { axis: 7 }"), "has axis 7"),
        (nets.layer("Flatten", "x", "data", "", "flatten_param { axis: 0 }"), "would mix samples"),
        (nets.layer("Concat", "x", "data data", "", "concat_param { axis: 0 }"), "axis 0"),
        (nets.layer("Eltwise", "x", "data data", "", "eltwise_param { coeff: 1 }"), "has 1 coeff"),
        (
            nets.layer("Slice", "x", "data", "a b", "slice_param { slice_point: 9 }"),
            "for 2 entries",
        ),
        (nets.layer("ReLU", "x", "data", "data", "include {} exclude {}"), "both include and excl"),
        (
            nets.layer("Reshape", "x", "data", "", "reshape_param { shape { dim: 5 } }"),
            "batch axis",
        ),
        (nets.layer("ReLU", "x", "data", "a b"), "has 2 tops, and gives 1"),
        ("layers { type: RELU }", "has both layer and layers"),
        ("", "has no layers that compute something"),
    ],
)
def test_what_no_layer_is_is_refused_by_name(read, text, said):
    with pytest.raises(CaffeError, match=f"net.prototxt: .*{said}"):
        read(nets.data(1, 2, 8, 8) + text)


def test_weights_that_do_not_fit(read, tmp_path):
    text, W = nets.data(1, 4) + nets.dense("ip", "data", 3), drawn((3, 4))
    with pytest.raises(CaffeError, match="the weights have 1 arrays for it, and it needs 2"):
        read(text, {"ip": [W]})
    with pytest.raises(CaffeError, match=r"has the shape \(4, 3\), and expects \(3, 4\)"):
        read(text, {"ip": [W.T, W[:, 0]]})
    with pytest.raises(CaffeError, match="the weights have 0 arrays for it"):
        read(text, {"pi": [W, W[:, 0]]})
    with pytest.raises(FloatingPointError):
        read(text, {"ip": [W * np.nan, W[:, 0]]})
    (tmp_path / "net.prototxt").write_bytes(b"\xff\xfe")
    with pytest.raises(CaffeError, match="byte 0 is no text in UTF-8; is it a binary file"):
        import_caffe(tmp_path / "net.prototxt")
    with pytest.raises(CaffeError, match="the file does not say how large a sample of data is"):
        read(nets.LENET_TRAIN)


def test_weights_of_other_layers_are_said(read, capsys):
    text, W = nets.data(1, 4) + nets.dense("ip", "data", 3), drawn((3, 4))
    read(text, {"ip": [W, W[:, 0]], "fc9": [W]})
    assert "weights of fc9: the net has no such layers" in capsys.readouterr().err


def test_a_layer_of_ones_own(read, monkeypatch):
    from lamina.exchange import caffe_functions

    monkeypatch.setattr(caffe_functions, "FUNCTIONS", caffe_functions.FUNCTIONS)
    text = nets.data(1, 4) + nets.layer("Thrice", "x", "data")

    @caffe_layer("Thrice")
    def thrice(layer, net, X):
        return net.add(layer, Scale((1,), value=3.0), X)

    try:
        X = drawn((2, 4))
        np.testing.assert_allclose(read(text).predict(X), 3 * X, rtol=1e-6)
    finally:
        del caffe_functions.FUNCTIONS["Thrice"]


def test_what_caffe_does_not_have_is_not_written(tmp_path):
    with pytest.raises(CaffeError, match=r"turned \(Transpose\): Caffe has no layer of this kind"):
        export_caffe(
            tmp_path / "net.prototxt",
            Sequential({"turned": Transpose((2, 1)), "f": Flatten()}),
            (2, 3),
        )

    class Odd(Relu):
        def forward(self, X):
            return super().forward(X) + 1

    with pytest.raises(CaffeError, match=r"odd \(Odd\): Caffe has no layer of this kind"):
        export_caffe(tmp_path / "net.prototxt", Sequential({"odd": Odd()}), (2, 3))
    assert not list(tmp_path.iterdir())


def test_two_layers_that_would_write_one_blob_are_refused(tmp_path):
    """Caffe would run the second in the place of the first."""
    normalised = BatchNormalization(3)
    normalised.gamma.data[:] = 2.0
    nodes = {
        "bn_norm": Node(Relu(), ["x"]),
        "bn": Node(normalised, ["x"]),  # a BatchNorm bn_norm, and a Scale
        "sum": Node(Addition(), ["bn_norm", "bn"]),
    }
    with pytest.raises(CaffeError, match="would write bn_norm, as another layer does"):
        export_caffe(tmp_path / "net.prototxt", Graph(nodes, ["x"], ["sum"]), (3,))
    assert not list(tmp_path.iterdir())


def test_windows_are_written_as_caffe_counts_them(tmp_path):
    """Rounded up, and without padding none is left out: 2 at stride 3 over 9 are 4, the last one
    over nothing. Ours are 3, as they are rounded down."""
    X = drawn((2, 4, 9, 8))
    for pooling in (MaxPooling, AveragePooling):
        net = Sequential({"pool": pooling(2, stride=3, partial=True)})
        export_caffe(tmp_path / "p.prototxt", net, (4, 9, 8))
        assert "round_mode: FLOOR" in (tmp_path / "p.prototxt").read_text()
        assert_close(import_caffe(tmp_path / "p.prototxt").predict(X), net.predict(X))
    one = MaxPooling((2, 3), stride=(3, 2), partial=True)  # rounded up along one axis alone
    with pytest.raises(CaffeError, match=r"has \(3, 4\) windows over \(4, 9, 8\), as Caffe counts"):
        export_caffe(tmp_path / "q.prototxt", Sequential({"pool": one}), (4, 9, 8))


def test_a_factor_for_all_comes_back(tmp_path):
    for layer in (Scale((1,)), Bias((1,))):
        for param in layer.parameters().values():
            param.data[...] = 3.0
        net, X = Sequential({"one": layer}), drawn((2, 5, 7, 8))
        export_caffe(tmp_path / "s.caffemodel", net, (5, 7, 8))
        back = import_caffe(tmp_path / "s.prototxt", tmp_path / "s.caffemodel")
        assert_close(back.predict(X), net.predict(X))


def test_a_k_that_caffe_would_ignore_is_refused(tmp_path):
    layer = LocalResponseNormalization(3, k=2.0, within_channel=True)
    with pytest.raises(CaffeError, match=r"within a channel Caffe's k is always 1, and this is 2"):
        export_caffe(tmp_path / "n.prototxt", Sequential({"norm": layer}), (5, 7, 8))

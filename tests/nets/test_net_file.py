"""Whole nets in a file: saved and loaded to the bit; files that are damaged or mean ill."""

import json
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from some_nets import IMAGES, NETS, OWN, SAMPLE, own_layers

from lamina.common.npz import NpzError, read_npz
from lamina.layers import Affine, Dropout, LeakyRelu, PRelu, Relu, SoftmaxWithLoss
from lamina.nets import LeNet, Sequential, StructureError, load_net
from lamina.nets.net_file import MAX_CHARACTERS, STRUCTURE, NetFileError
from lamina.nets.weights import load_weights, save_weights


@pytest.mark.parametrize("name", NETS)
def test_a_loaded_net_is_the_same_to_the_bit(name, tmp_path):
    make, X = NETS[name]
    net = make()
    net.forward(*X) if isinstance(X, tuple) else net.forward(X)  # statistics and generators move
    net.save(tmp_path / "net.npz")
    net.reset()  # what is carried from batch to batch is not in the file
    again = load_net(tmp_path / "net.npz", code=[OWN])
    assert again.structure() == net.structure()
    for which, array in net.state().items():
        assert again.state()[which].dtype == array.dtype
        np.testing.assert_array_equal(again.state()[which], array)
    np.testing.assert_array_equal(again.predict(X), net.predict(X), strict=True)
    arrays = X if isinstance(X, tuple) else (X,)
    for _ in range(2):  # in training mode: dropout draws the same masks
        expected, got = net.forward(*arrays), again.forward(*arrays)
        for one, other in zip(np.atleast_1d(expected), np.atleast_1d(got), strict=True):
            np.testing.assert_array_equal(other, one)


def test_it_goes_on_training_as_the_saved_one(tmp_path):
    net, _ = NETS["convolutions"][0](), None
    net.save(tmp_path / "net.npz")
    again = load_net(tmp_path / "net.npz")
    t = np.array([0, 1, 2])
    for _ in range(2):
        expected, got = net.gradient(IMAGES, t), again.gradient(IMAGES, t)
        for name, gradient in expected.items():
            np.testing.assert_array_equal(got[name], gradient)


def test_two_dropouts_with_one_generator_keep_it(tmp_path):
    net = NETS["convolutions"][0]()
    assert net.layers["drop"].rng is net.layers["drop2"].rng
    net.save(tmp_path / "net.npz")
    again = load_net(tmp_path / "net.npz")
    assert again.layers["drop"].rng is again.layers["drop2"].rng


def test_parameters_made_float64_later_stay_so(tmp_path):
    net = NETS["two layers"][0]()
    for param in net.parameters().values():
        param.data = param.data.astype(np.float64)
    net.save(tmp_path / "net.npz")
    again = load_net(tmp_path / "net.npz")
    assert {p.data.dtype for p in again.parameters().values()} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(again.predict(SAMPLE), net.predict(SAMPLE), strict=True)


def test_the_weights_of_a_whole_net_can_be_loaded_alone(tmp_path):
    net, other = LeNet(rng=0), LeNet(rng=1)
    net.save(tmp_path / "net.npz")
    assert load_weights(tmp_path / "net.npz", other).startswith("8 of 8 arrays")
    np.testing.assert_array_equal(other.predict(IMAGES), net.predict(IMAGES))


def test_a_path_may_be_a_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = NETS["two layers"][0]()
    net.save("net.npz")
    np.testing.assert_array_equal(load_net("net.npz").predict(SAMPLE), net.predict(SAMPLE))


def test_nothing_is_written_that_could_not_be_loaded(tmp_path):
    path = tmp_path / "net.npz"
    path.write_bytes(b"before")

    def refused(net, error, words):
        with pytest.raises(error, match=words):
            net.save(path)
        assert path.read_bytes() == b"before"
        assert os.listdir(tmp_path) == ["net.npz"]

    net = Sequential({"slope": LeakyRelu(0.1)})
    net.layers["slope"].slope = 0.3
    refused(net, StructureError, r"slope \(LeakyRelu\): its slope is 0.3, but it was made with 0.1")
    net = Sequential({"a": Affine(2, 2, rng=0)})
    net.layers["a"].W.data = np.zeros((2, 3), np.float32)
    refused(net, StructureError, "a.W: not as the layers are made with their arguments")
    net = Sequential({"a": Affine(2, 2, rng=0)})
    net.layers["a"].W.data[0, 0] = np.nan
    refused(net, FloatingPointError, "a.W is not finite")
    own = own_layers()
    weighed = Sequential({"a": Affine(2, 2, rng=0)}, loss=SoftmaxWithLoss())
    weighed.heads["loss"].weight = 7.0
    refused(
        weighed, StructureError, "loss: a chain writes no weight of its loss, and this one has 7"
    )
    refused(Sequential({"a": own.Power(abs)}), StructureError, r"a \(Power\): its argument p")
    refused(Sequential({"a": own.Power(float("inf"))}), StructureError, "holds inf")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    net = NETS["two layers"][0]()
    net.save(tmp_path / "net.npz")
    before = (tmp_path / "net.npz").read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"net\.npz cannot be written"):
        net.save(tmp_path / "net.npz")
    assert (tmp_path / "net.npz").read_bytes() == before


def test_weights_alone_say_what_to_do(tmp_path):
    save_weights(tmp_path / "w.npz", NETS["two layers"][0]())
    with pytest.raises(NetFileError, match=r"w\.npz: holds no net/structure: .* load_weights"):
        load_net(tmp_path / "w.npz")


def test_own_code_runs_only_if_it_is_named(tmp_path):
    NETS["of one's own"][0]().save(tmp_path / "net.npz")
    with pytest.raises(
        NetFileError, match=r"net\.npz: scale: loading runs no code .*own_layers\.py"
    ):
        load_net(tmp_path / "net.npz")
    load_net(tmp_path / "net.npz", code=OWN)


# ------------------------------------------------------------------------------------- hostile


@pytest.fixture
def written(tmp_path):
    """A small net in a file, which a test may change: the structure, and the arrays."""
    net = Sequential({"a": Affine(4, 3, rng=0), "drop": Dropout(rng=0)}, SoftmaxWithLoss())
    path = tmp_path / "net.npz"
    net.save(path)
    arrays = read_npz(path)

    def change(edit=None, text=None, **other):
        about = json.loads(str(arrays[STRUCTURE]))
        if edit is not None:
            edit(about)
        changed = {**arrays, STRUCTURE: np.array(json.dumps(about) if text is None else text)}
        changed |= {name.replace("__", "/"): array for name, array in other.items()}
        np.savez(path, **{name: a for name, a in changed.items() if a is not None})
        return path

    return change


def _layer(**spec):
    def edit(about):
        about["net"]["layers"]["a"] = spec

    return edit


def _net(spec):
    return lambda about: about.update(net=spec)


HUGE = 10**15
FILLED = {"a.W": np.zeros((4, 3), np.float32)}


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_layer(type="Affine", n_in=HUGE, n_out=HUGE), "a: its sizes are larger"),
        (
            _layer(type="Affine", n_in=30_000, n_out=30_000),
            r"a: an array of shape \(30000, 30000\)",
        ),
        (_layer(type="Affine", n_in=4, n_out=3, init={"type": "constant", "value": 1}), "^$"),
        (_layer(type="Convolution", c_in=3000, c_out=3000, kernel=3000), r"a: an array of shape"),
        (_layer(type="Embedding", n_words=60_000, n_dims=60_000), r"a: an array of shape"),
        (_layer(type="BatchNormalization", n_channels=HUGE), "a: its sizes are larger"),
        (_layer(type="BatchNormalization", n_channels=100_000), "a: holds more numbers than"),
        (_layer(type="PRelu", n_channels=HUGE), "a: its sizes are larger"),
        (
            _layer(type="GroupNormalization", n_groups=1, n_channels=10**9),
            "a: its sizes are larger",
        ),
        (_net({"type": "LeNet"}), r"the net: an array of shape \(1, 5, 5, 20\)"),
        (_net({"type": "LeNet", "input_shape": [1, 10**6, 10**6]}), "the net: "),
        (_net({"type": "ResidualNet", "blocks": 10**9}), "the net: "),
        (
            _net(
                {"type": "TwoLayerNet", "input_size": 10**5, "hidden_size": 10**5, "output_size": 1}
            ),
            "the net: ",
        ),
        (
            _net({"type": "TwoLayerNet", "input_size": 1, "hidden_size": 2**40, "output_size": 1}),
            "the net: ",
        ),
        (_layer(type="Affine", n_in=4, n_out=2), r"a.W: expects shape \(4, 2\), got \(4, 3\)"),
        (_layer(type="Relu"), "unknown: a.W; unknown: a.b|unknown: a.b"),
        (_net({"type": "Relu"}), "the net: Relu is a layer, and no net"),
        (lambda about: about.update(lamina=2), "expects a net of version 1, got 2"),
        (lambda about: about.pop("shared"), "expects shared: a mapping"),
        (lambda about: about.update(shared={"x": "drop.rng"}), "no generator x, drop.rng"),
        (lambda about: about.update(shared={"drop.rng": 3}), "expects shared: a mapping"),
    ],
)
def test_a_structure_that_lies_is_refused_before_there_is_memory_for_it(written, edit, words):
    path = written(edit)
    tracemalloc.start()
    try:
        if words == "^$":  # an initializer is not asked: the arrays are there
            load_net(path)
        else:
            with pytest.raises(NetFileError, match=words):
                load_net(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[]", r"version 1, got \[\]"),
        ('"\\ud800"', "version 1"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"lamina": 1, "lamina": 1}', "a key stands twice"),
        ('{"lamina": NaN}', "holds NaN"),
        ('{"lamina": ' + "9" * 5000 + "}", "is no JSON|version 1"),
        (" " * (MAX_CHARACTERS + 1), f"is longer than {MAX_CHARACTERS} characters"),
        ('{"lamina": 1, "shared": {}, "net": {"type": "Re\\u0000lu"}}', "texts on one line"),
        ('{"lamina": 1, "shared": {}}', "the net: expects a mapping"),
    ],
)
def test_a_text_that_is_no_structure_is_refused(written, text, words):
    with pytest.raises(NetFileError, match=words):
        load_net(written(text=text))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"a.b": None}, "missing: a.b"),
        ({"a.b": np.zeros(4, np.float32)}, r"a.b: expects shape \(3,\), got \(4,\)"),
        ({"a.b": np.zeros(3, int)}, "a.b: expects float32, got int64"),
        ({"a.b": np.zeros(3, complex)}, "a.b: expects float32, got complex128"),
        ({"a.b": np.zeros(3)}, "parameters of different kinds: float32, float64"),
        ({"more": np.zeros(3)}, "unknown: more"),
        ({"net/structure": np.zeros(3)}, "net/structure: expects a text, got float64"),
        ({"net/structure": np.array(["{}"])}, "net/structure: expects a text"),
        ({"net/rng/a.rng": np.array("{}")}, "net/rng/a.rng: the net has no such generator"),
        ({"net/rng/drop.rng": np.array("{}")}, "net/rng/drop.rng: expects the state of a PCG64"),
        ({"net/rng/drop.rng": np.zeros(3)}, "net/rng/drop.rng: expects a text, got float64"),
    ],
)
def test_arrays_that_are_not_those_of_the_net_are_refused(written, tmp_path, changed, words):
    path = written()
    arrays = read_npz(path) | changed
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(NetFileError, match=words):
        load_net(path)


def test_numbers_of_another_byte_order_are_read(written):
    path = written()
    arrays = read_npz(path)
    np.savez(
        path, **arrays | {"a.W": arrays["a.W"].astype(">f4"), "a.b": arrays["a.b"].astype(">f4")}
    )
    net = load_net(path)
    np.testing.assert_array_equal(net.layers["a"].W.data, arrays["a.W"])
    assert net.layers["a"].W.data.dtype.isnative


def test_a_pickle_is_never_opened(written, tmp_path):
    path = written(a=np.array([Relu()], object))
    with pytest.raises(NpzError, match="objects would be pickled"):
        load_net(path)
    path.write_bytes(pickle.dumps(Relu()))
    with pytest.raises(NpzError, match="is no whole"):
        load_net(path)


def test_files_cut_and_flipped_are_refused_or_the_net_they_were(written):
    path = written()
    whole = path.read_bytes()
    damaged = [whole[:n] for n in range(0, len(whole), 40)]
    damaged += [
        whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :] for i in range(0, len(whole), 7)
    ]
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            load_net(path)
        except NpzError as error:
            assert str(path) in str(error)  # noqa: PT017  not all flips can be noticed
            refused += 1
    assert refused > 0.7 * len(damaged)


def test_a_learned_slope_is_no_setting(tmp_path):
    """PRelu(slope=) is where a Param begins: it has no attribute of that name to compare."""
    net = Sequential({"p": PRelu(2, slope=0.1)})
    net.layers["p"].a.data = np.array([0.3, 0.4], np.float32)
    net.save(tmp_path / "net.npz")
    np.testing.assert_array_equal(
        load_net(tmp_path / "net.npz").layers["p"].a.data, net.layers["p"].a.data
    )

"""Weights of PyTorch modules, beside PyTorch: the net computes what the module does."""

import itertools

import numpy as np
import pytest

from lamina.exchange import from_pytorch, load_weights, write_safetensors
from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Convolution1d,
    Embedding,
    Flatten,
    GroupNormalization,
    Gru,
    LastStep,
    Layer,
    LayerNormalization,
    Lstm,
    MaxPooling,
    MultiHeadAttention,
    Param,
    PRelu,
    Relu,
    Reshape,
    RMSNormalization,
    Rnn,
    Transpose,
    TransposedConvolution,
)
from lamina.nets import Sequential

RNG = np.random.default_rng(0)


def mnist_net():
    """The net of pytorch/examples, which trains to 99 % on MNIST."""
    rng = np.random.default_rng(1)
    return Sequential(
        {
            "first": Convolution(1, 32, 3, rng=rng),
            "relu1": Relu(),
            "second": Convolution(32, 64, 3, rng=rng),
            "relu2": Relu(),
            "pool": MaxPooling(2),
            "flatten": Flatten(),
            "hidden": Affine(9216, 128, rng=rng),
            "relu3": Relu(),
            "out": Affine(128, 10, rng=rng),
        }
    )


def state_dict(**modules):
    """As PyTorch writes it: an array for each name."""
    return {
        f"{module}.{name}": RNG.standard_normal(shape).astype(np.float32)
        for module, shapes in modules.items()
        for name, shape in shapes.items()
    }


def linear(n_in, n_out):
    return {"weight": (n_out, n_in), "bias": (n_out,)}


def chain(*sizes):
    names = itertools.pairwise(sizes)
    return Sequential({f"affine{i}": Affine(*n, rng=i) for i, n in enumerate(names, 1)})


def saved(tmp_path, arrays):
    write_safetensors(tmp_path / "m.safetensors", arrays)
    return tmp_path / "m.safetensors"


@pytest.mark.needs_torch
@pytest.mark.needs_safetensors
def test_the_mnist_net_of_pytorchs_examples(tmp_path):
    import torch
    from safetensors.torch import save_file

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = torch.nn.Conv2d(1, 32, 3), torch.nn.Conv2d(32, 64, 3)
            self.fc1, self.fc2 = torch.nn.Linear(9216, 128), torch.nn.Linear(128, 10)

        def forward(self, x):
            x = self.conv2(self.conv1(x).relu()).relu()
            x = torch.nn.functional.max_pool2d(x, 2).flatten(1)
            return self.fc2(self.fc1(x).relu())

    torch.manual_seed(0)
    module, net = Net().eval(), mnist_net()
    save_file(module.state_dict(), tmp_path / "mnist.safetensors")
    line = load_weights(tmp_path / "mnist.safetensors", net)
    assert line.startswith("8 of 8 arrays from")
    assert "conv1 to first, conv2 to second, fc1 to hidden, fc2 to out" in line
    X = RNG.random((4, 1, 28, 28)).astype(np.float32)
    with torch.no_grad():
        wanted = module(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(net.predict(X), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.needs_torch
@pytest.mark.needs_safetensors
def test_every_layer_with_weights(tmp_path):
    import torch
    from safetensors.torch import save_file
    from torch import nn

    module = nn.Sequential(
        nn.Embedding(20, 6),
        nn.LayerNorm(6),
        nn.Unflatten(1, (1, 4)),
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.PReLU(4),
        nn.Conv2d(4, 4, 3, padding=1, groups=2),
        nn.GroupNorm(2, 4),
        nn.Flatten(),
        nn.Linear(96, 5),
        nn.BatchNorm1d(5),
    )
    words = RNG.integers(0, 20, (8, 4))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
        for _ in range(3):  # so that running statistics are not those of the start
            module(torch.from_numpy(RNG.integers(0, 20, (8, 4))))
        wanted = module.eval()(torch.from_numpy(words)).numpy()
    rng = np.random.default_rng(0)
    net = Sequential(
        {
            "table": Embedding(20, 6, rng=rng),
            "norm": LayerNormalization(6),
            "images": Reshape((1, 4, 6)),
            "conv": Convolution(1, 4, 3, padding=1, bias=False, rng=rng),
            "batch": BatchNormalization(4),
            "slope": PRelu(4),
            "groups": Convolution(4, 4, 3, padding=1, groups=2, rng=rng),
            "group_norm": GroupNormalization(2, 4),
            "flat": Flatten(),
            "affine": Affine(96, 5, rng=rng),
            "batch2": BatchNormalization(5),
        }
    )
    save_file(module.state_dict(), tmp_path / "m.safetensors")
    line = load_weights(tmp_path / "m.safetensors", net)
    assert "4 to batch, 5 to slope" in line
    np.testing.assert_allclose(net.predict(words), wanted, rtol=1e-4, atol=1e-5)


def imported(tmp_path, module, net, X, *, of=lambda y: y, names=None):
    """Save a module with noisy weights, put them into the net, compare both outputs."""
    import torch
    from safetensors.torch import save_file

    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
        wanted = of(module.eval()(*map(torch.from_numpy, X))).numpy()
    save_file(module.state_dict(), tmp_path / "m.safetensors")
    line = load_weights(tmp_path / "m.safetensors", net, names=names)
    net.set_training(False)
    np.testing.assert_allclose(net.forward(*X), wanted, rtol=1e-4, atol=1e-5)
    return line


def numbers(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.needs_torch
@pytest.mark.needs_safetensors
@pytest.mark.parametrize(("kind", "cls"), [("RNN", Rnn), ("LSTM", Lstm), ("GRU", Gru)])
@pytest.mark.parametrize("n_in", [3, 4])  # also as many as hidden
def test_recurrent_layers(tmp_path, kind, cls, n_in):
    import torch
    from torch import nn

    torch_layer, X = getattr(nn, kind), [numbers(2, 5, n_in)]
    line = imported(
        *(tmp_path, torch_layer(n_in, 4, batch_first=True), cls(n_in, 4, rng=0), X),
        of=lambda y: y[0],
    )
    assert line.endswith("by name)")
    net = Sequential({"bottom": cls(n_in, 4, rng=0), "top": cls(4, 4, rng=1)})
    stack = nn.Sequential(torch_layer(n_in, 4, num_layers=2, batch_first=True))
    line = imported(tmp_path, stack, net, X, of=lambda y: y[0])
    assert "0.l0 to bottom, 0.l1 to top" in line
    both = nn.Sequential(torch_layer(n_in, 4, bidirectional=True, batch_first=True))
    for name, part in (("0.l0", slice(4)), ("0.l0_reverse", slice(4, 8))):
        whole = {n: p.numpy() for n, p in both.state_dict().items()}
        net = Sequential({"one": cls(n_in, 4, reverse=part.start is not None, rng=0)})
        renamed, _ = from_pytorch(whole, net, names={name: "one"}, partial=True)
        for ours, held in net.parameters().items():
            held.data = renamed[ours].read()
        wanted = both(torch.from_numpy(X[0]))[0].detach().numpy()[..., part]
        np.testing.assert_allclose(net.forward(*X), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.needs_torch
@pytest.mark.needs_safetensors
@pytest.mark.parametrize("bias", [False, True])
def test_attention(tmp_path, bias):
    from torch import nn

    class SelfAttention(nn.Module):
        def __init__(self):
            super().__init__()
            self.mha = nn.MultiheadAttention(6, 3, bias=bias, batch_first=True)

        def forward(self, X):
            return self.mha(X, X, X)[0]

    net = Sequential({"attention": MultiHeadAttention(6, 3, bias=bias, rng=0)})
    line = imported(tmp_path, SelfAttention(), net, [numbers(2, 4, 6)])
    assert "mha to attention" in line


@pytest.mark.needs_torch
@pytest.mark.needs_safetensors
def test_other_convolutions_and_rms_normalisation(tmp_path):
    from torch import nn

    class Along(nn.Module):
        """Along sequences (N, T, c), as here."""

        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(4, 6, 3, padding=1, groups=2)
            self.norm = nn.RMSNorm(6, eps=1e-5)

        def forward(self, X):
            return self.norm(self.conv(X.transpose(1, 2)).transpose(1, 2))

    net = Sequential(
        {"a": Convolution1d(4, 6, 3, padding=1, groups=2, rng=0), "rms": RMSNormalization(6)}
    )
    line = imported(tmp_path, Along(), net, [numbers(2, 5, 4)])
    assert "eps of rms is not the default of PyTorch's RMSNorm" in line
    module = nn.Sequential(nn.ConvTranspose2d(3, 2, (3, 2), stride=2, padding=1, output_padding=1))
    settings = {"stride": 2, "padding": 1, "output_padding": 1}
    net = Sequential({"up": TransposedConvolution(3, 2, (3, 2), rng=0, **settings)})
    imported(tmp_path, module, net, [numbers(2, 3, 4, 5)])


def test_a_square_w_that_is_taken_transposed():
    """It lies as PyTorch's does, and is not turned."""
    net = Sequential(
        {"a": Affine(4, 4, tied=Param(np.zeros((4, 4), np.float32)), transposed=True, rng=0)}
    )
    arrays = state_dict(fc=linear(4, 4))
    renamed, _ = from_pytorch(arrays, net)
    np.testing.assert_array_equal(renamed["a.W"].read(), arrays["fc.weight"])


def test_the_direction_of_a_recurrent_layer_is_not_mixed_up():
    arrays = state_dict(
        r={
            f"{name}_l0{end}": (16, *[4] * name.startswith("weight"))
            for end in ("", "_reverse")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
    )
    with pytest.raises(ValueError, match="top has no `reverse`, and would get"):
        from_pytorch(arrays, Sequential({"a": Lstm(4, 4, rng=0), "top": Lstm(4, 4, rng=0)}))
    net = Sequential({"a": Lstm(4, 4, rng=0), "top": Lstm(4, 4, reverse=True, rng=0)})
    assert "r.l0 to a, r.l0_reverse to top" in from_pytorch(arrays, net)[1]


@pytest.mark.parametrize("lacks", ["bias_hh_l0", "weight_hh_l0"])
def test_a_recurrent_module_that_is_not_whole_is_refused(lacks):
    shapes = {
        **{"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4)},
        **{"bias_ih_l0": (16,), "bias_hh_l0": (16,)},
    }
    del shapes[lacks]
    with pytest.raises(ValueError, match="the net has lstm, PyTorch none"):
        from_pytorch(state_dict(r=shapes), Sequential({"lstm": Lstm(3, 4, rng=0)}))


def test_by_name_where_all_names_are_there(tmp_path):
    """In one order in the file, and in another in the net: names decide, not the order."""
    arrays = state_dict(affine2=linear(4, 4), affine1=linear(4, 4))
    net = chain(4, 4, 4)
    line = load_weights(saved(tmp_path, arrays), net)
    assert line.endswith("(PyTorch's, by name)")
    for name in ("affine1", "affine2"):
        np.testing.assert_array_equal(net.layers[name].W.data, arrays[f"{name}.weight"].T)
        np.testing.assert_array_equal(net.layers[name].b.data, arrays[f"{name}.bias"])


def test_numbers_say_the_order_in_a_file(tmp_path):
    arrays = state_dict(**{"f.10": linear(4, 4), "f.2": linear(4, 4)})
    net = chain(4, 4, 4)
    assert "f.2 to affine1, f.10 to affine2" in load_weights(saved(tmp_path, arrays), net)
    np.testing.assert_array_equal(net.layers["affine1"].W.data, arrays["f.2.weight"].T)


def test_an_order_that_a_file_does_not_say_is_asked_for(tmp_path):
    arrays = state_dict(second=linear(4, 4), initial=linear(4, 4))
    net = chain(4, 4, 4)
    before, path = net.state(), saved(tmp_path, arrays)
    with pytest.raises(ValueError, match="initial, second hold the same, and a file does not say"):
        load_weights(path, net)
    np.testing.assert_array_equal(net.state()["affine1.W"], before["affine1.W"])
    line = load_weights(path, net, names={"second": "affine1", "initial": "affine2"})
    assert "as told: second to affine1, initial to affine2" in line
    np.testing.assert_array_equal(net.layers["affine1"].W.data, arrays["second.weight"].T)


def test_a_state_dict_has_an_order():
    arrays = state_dict(second=linear(4, 4), initial=linear(4, 4))
    renamed, report = from_pytorch(arrays, chain(4, 4, 4))
    assert report == "PyTorch's, by shape and order: second to affine1, initial to affine2"
    np.testing.assert_array_equal(renamed["affine1.W"].read(), arrays["second.weight"].T)
    assert renamed["affine1.W"].shape == (4, 4)


def test_part_of_a_net(tmp_path):
    """The body of another net, whose head has other classes."""
    arrays = state_dict(fc1=linear(4, 6), fc2=linear(6, 9))
    net, path = chain(4, 6, 3), saved(tmp_path, arrays)
    before = net.state()
    with pytest.raises(ValueError, match="the net has"):
        load_weights(path, net)
    line = load_weights(path, net, strict=False)
    assert line.startswith("2 of 4 arrays")
    assert "missing: affine2.W" in line
    assert "unknown: fc2.weight" in line
    np.testing.assert_array_equal(net.layers["affine1"].W.data, arrays["fc1.weight"].T)
    np.testing.assert_array_equal(net.state()["affine2.W"], before["affine2.W"])


@pytest.mark.parametrize(
    ("modules", "names", "words"),
    [
        ({"fc1": linear(4, 6), "fc2": linear(6, 2)}, None, r"of bias \(3,\), weight \(3, 6\) the"),
        ({"fc1": linear(4, 6)}, None, "the net has affine2, PyTorch none"),
        ({"fc1": linear(6, 4), "fc2": linear(6, 3)}, None, "the net has affine1, PyTorch none"),
        (
            {"fc1": linear(4, 6), "fc2": {"weight": (3, 6)}},
            None,
            "the net has affine2, PyTorch none",
        ),
        ({"affine1": linear(4, 6), "affine2": linear(6, 2)}, None, r"affine2\.W: expects shape"),
        ({"fc1": linear(4, 6), "fc2": linear(6, 3)}, {"fc3": "affine1"}, "no module fc3"),
        ({"fc1": linear(4, 6), "fc2": linear(6, 3)}, {"fc1": "afine1"}, "did you mean affine1"),
        ({"fc1": linear(4, 6), "fc2": linear(6, 3)}, {"fc1": "affine1"}, "unknown: fc2.bias"),
        (
            {"fc1": linear(4, 6), "fc2": linear(4, 6)},
            {"fc1": "affine1", "fc2": "affine1"},
            "affine1.W would be filled twice",
        ),
    ],
)
def test_what_has_no_counterpart_is_one_error(tmp_path, modules, names, words):
    net, path = chain(4, 6, 3), saved(tmp_path, state_dict(**modules))
    before = net.state()
    with pytest.raises(ValueError, match=words) as caught:
        load_weights(path, net, names=names)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).isprintable()
    for name, array in net.state().items():
        np.testing.assert_array_equal(array, before[name])


class Scale(Layer):
    def __init__(self, n):
        self.s = Param(np.ones(n, np.float32))

    def forward(self, X):
        return self.s.data * X


def test_a_layer_of_ones_own_says_its_names(tmp_path, monkeypatch):
    from lamina.exchange.pytorch import NAMES

    net, path = Sequential({"scale": Scale(4)}), saved(tmp_path, state_dict(x={"weight": (4,)}))
    with pytest.raises(ValueError, match=r"scale.s of a Scale: what PyTorch calls it is not known"):
        load_weights(path, net)
    monkeypatch.setitem(NAMES, Scale, {"s": "weight"})
    assert "x to scale" in load_weights(path, net)


def test_flattened_sequences_of_a_convolution_are_refused():
    """(C, T) there, (T, C) here: the rows behind it would stand in another order. A pooled sequence
    has none, and what an Embedding gives is (T, C) in both."""
    conv = {"weight": RNG.random((4, 3, 3)), "bias": RNG.random(4)}
    state = {f"conv.{name}": array for name, array in conv.items()}
    state |= {"out.weight": RNG.random((2, 20)), "out.bias": RNG.random(2)}
    chain = {"conv": Convolution1d(3, 4, 3, padding=1, rng=0), "relu": Relu()}
    net = Sequential(chain | {"flat": Flatten(), "out": Affine(20, 2, rng=0)})
    with pytest.raises(ValueError, match="flat: a Flatten of what a Convolution1d gives"):
        from_pytorch(state, net)
    net = Sequential(chain | {"flat": Reshape((20,)), "out": Affine(20, 2, rng=0)})
    with pytest.raises(ValueError, match="flat: a Reshape of what a Convolution1d gives"):
        from_pytorch(state, net)
    ends = {"flat": Flatten(), "out": Affine(20, 2, rng=0)}
    for place, chain_of_nets in (
        ("flat", {"body": Sequential(chain), **ends}),
        ("head.flat", {**chain, "head": Sequential(ends)}),
        ("head.flat", {"body": Sequential(chain), "head": Sequential(ends)}),
    ):
        with pytest.raises(ValueError, match=f"^{place}: a Flatten of what a Convolution1d gives"):
            from_pytorch(state, Sequential(chain_of_nets))
    from_pytorch(state, Sequential({**chain, "turned": Transpose((2, 1)), **ends}))
    pooled = Sequential(chain | {"last": LastStep(), "out": Affine(4, 2, rng=0)})
    from_pytorch(state | {"out.weight": RNG.random((2, 4))}, pooled)

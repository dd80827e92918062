"""A parameter that two layers share: one array, one gradient, one update, in either orientation."""

import copy

import numpy as np
import pytest

from lamina import nets
from lamina.layers import Affine, Embedding, Param, Relu, Sigmoid, SoftmaxWithLoss, SquaredErrorLoss
from lamina.nets import Sequential, load_net, net_from_structure
from lamina.nets.structure import StructureError
from lamina.nets.weights import load_weights, save_weights
from lamina.optimizers import SGD, Adam
from lamina.training.parallel import Sharded

WORDS, D = 7, 4


def language_model(dtype=np.float64, **options):
    embedding = Embedding(WORDS, D, rng=0, dtype=dtype)
    scores = Affine(D, WORDS, tied=embedding.W, rng=1, **options)
    layers = {"embedding": embedding, "sigmoid": Sigmoid(), "scores": scores}
    return Sequential(layers, loss=SoftmaxWithLoss())


def chain(dtype=np.float64):
    """Both ways: b has W of a as it is, c transposed."""
    a = Affine(3, 5, rng=0, dtype=dtype)
    layers = {"a": a, "relu": Relu(), "back": Affine(5, 3, tied=a.W, rng=1)}
    layers |= {"again": Affine(3, 5, tied=a.W, bias=False, rng=2)}
    return Sequential(layers, loss=SquaredErrorLoss())


@pytest.fixture
def words():
    rng = np.random.default_rng(3)
    return rng.integers(0, WORDS, (5, 6)), rng.integers(0, WORDS, (5, 6))


@pytest.mark.needs_torch
@pytest.mark.parametrize("bias", [True, False])
def test_the_gradient_is_the_sum_of_both_uses_as_in_pytorch(words, bias):
    import torch
    import torch.nn.functional as F

    net = language_model(bias=bias)
    gradients = net.gradient(*words)
    assert list(gradients) == ["embedding.W", *["scores.b"] * bias]
    X, t = map(torch.tensor, words)
    W = torch.tensor(net.layers["embedding"].W.data, requires_grad=True)
    scores = torch.sigmoid(F.embedding(X, W)) @ W.T
    F.cross_entropy(scores.reshape(-1, WORDS), t.reshape(-1)).backward()
    np.testing.assert_allclose(gradients["embedding.W"], W.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_the_gradient_of_three_uses_is_that_of_differences():
    net, rng, h = chain(), np.random.default_rng(4), 1e-6
    X, t = rng.standard_normal((6, 3)), rng.standard_normal((6, 5))
    gradients = net.gradient(X, t)
    assert list(gradients) == ["a.W", "a.b", "back.b"]
    W = net.layers["a"].W
    v, data, ends = rng.standard_normal(W.data.shape), W.data, []
    for sign in (1, -1):
        W.data = data + sign * h * v
        ends.append(float(net.loss(X, t)))
    assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(np.sum(v * gradients["a.W"]), rel=1e-7)


@pytest.mark.parametrize("rule", [SGD, Adam])
def test_an_optimizer_updates_it_once_and_decays_it_once(words, rule):
    """As a parameter of its own that is used twice would be."""
    net = language_model()
    gradient, W = net.gradient(*words)["embedding.W"], net.layers["embedding"].W
    alone = Param(W.data.copy())
    alone.grad = gradient.copy()
    for parameters in ({"W": alone}, net.parameters()):
        rule(parameters, lr=0.1, weight_decay=0.5).step()
    np.testing.assert_array_equal(W.data, alone.data)
    assert net.layers["scores"].W is W


def test_it_is_one_array_in_weights_and_copies_and_twins(words, tmp_path):
    net, other = language_model(np.float32), language_model(np.float32)
    assert list(net.state()) == ["embedding.W", "scores.b"]
    save_weights(tmp_path / "weights.npz", net)
    with np.load(tmp_path / "weights.npz") as saved:
        assert sorted(saved) == ["embedding.W", "scores.b"]
    other.layers["embedding"].W.data = np.zeros((WORDS, D), np.float32)
    load_weights(tmp_path / "weights.npz", other)
    np.testing.assert_array_equal(other.predict(words[0]), net.predict(words[0]))
    for again in (copy.deepcopy(net), net.twin(), other):
        assert again.layers["scores"].W is again.layers["embedding"].W
    assert net.twin().layers["scores"].W is net.layers["scores"].W


def test_shards_have_the_same_gradient(words):
    net = language_model()
    whole = net.gradient(*words)
    for name, gradient in Sharded(net, 2).gradient(*words).items():
        np.testing.assert_allclose(gradient, whole[name], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("make", [language_model, chain])
def test_it_is_written_as_tied_and_made_again(make, tmp_path):
    net = make(np.float32)
    net.layers[next(iter(net.layers))].W.lr_mult = 2.0
    described = net.structure()
    assert any("tied" in spec for spec in described["layers"].values())
    net.save(tmp_path / "net.npz")
    for again in (net_from_structure(described), load_net(tmp_path / "net.npz")):
        assert again.structure() == described
        assert list(again.parameters()) == list(net.parameters())
        first, *_, last = again.layers.values()
        assert last.W is first.W
        assert last.W.lr_mult == 2.0
    for name, param in load_net(tmp_path / "net.npz").parameters().items():
        np.testing.assert_array_equal(param.data, net.parameters()[name].data)


def test_a_large_table_is_no_larger_file_when_it_is_tied(tmp_path):
    """What may be made is counted by what the file holds: it holds the table once."""
    embedding = Embedding(5000, 60, rng=0)
    layers = {"words": embedding, "scores": Affine(60, 5000, tied=embedding.W, rng=0)}
    Sequential(layers).save(tmp_path / "net.npz")
    assert (tmp_path / "net.npz").stat().st_size < 1.1 * 4 * 305_000
    net = load_net(tmp_path / "net.npz")
    assert net.layers["scores"].W is net.layers["words"].W


def test_a_square_one_says_which_way():
    a = Affine(3, 3, rng=0, dtype=np.float64)
    X = np.random.default_rng(0).standard_normal((2, 3))
    for transposed in (True, False):
        b = Affine(3, 3, tied=a.W, transposed=transposed, bias=False, rng=0)
        W = a.W.data.T if transposed else a.W.data
        np.testing.assert_array_equal(b.forward(X), X @ W)
        net = Sequential({"a": a, "b": b})
        assert net.structure()["layers"]["b"]["transposed"] is transposed
        again = net_from_structure(net.structure())
        assert again.layers["b"].transposed is transposed
    with pytest.raises(ValueError, match=r"shape \(3, 3\) fits both ways: say transposed=True"):
        Affine(3, 3, tied=a.W, rng=0)


@pytest.mark.parametrize(
    ("n_in", "n_out", "transposed", "words"),
    [
        (4, 6, None, r"n_in 4 and n_out 6 .* shape \(4, 6\), or transposed \(6, 4\); got \(7, 4\)"),
        (4, 7, False, r"the shape \(4, 7\) with transposed=False; got \(7, 4\)"),
        (7, 4, True, r"the shape \(4, 7\) with transposed=True; got \(7, 4\)"),
    ],
)
def test_another_shape_or_the_wrong_orientation(n_in, n_out, transposed, words):
    W = Embedding(WORDS, D, rng=0).W
    with pytest.raises(ValueError, match=words):
        Affine(n_in, n_out, tied=W, transposed=transposed, rng=0)


def test_what_is_no_parameter_and_what_is_not_tied():
    W = Embedding(WORDS, D, rng=0).W
    with pytest.raises(TypeError, match=r"tied is a Param, as in tied=embedding.W; got a ndarray"):
        Affine(D, WORDS, tied=W.data, rng=0)
    with pytest.raises(ValueError, match="transposed is for a tied W"):
        Affine(D, WORDS, transposed=True, rng=0)


def test_a_net_in_which_the_owner_is_not_there_cannot_be_written():
    scores = Affine(D, WORDS, tied=Embedding(WORDS, D, rng=0).W, rng=0)
    with pytest.raises(
        StructureError, match=r"scores \(Affine\): its argument tied is a para.* no"
    ):
        Sequential({"scores": scores}).structure()


@pytest.mark.parametrize(
    ("tied", "words"),
    [
        ("words.V", r"^scores: tied: no parameter words.V before it.*words.W"),
        (3, "^scores: tied: expects the name of a parameter of another layer, got 3"),
        ("scores.b", "^scores: tied: no parameter scores.b before it"),
    ],
)
def test_errors_in_plain_data(tied, words):
    layers = {
        "words": {"type": "Embedding", "n_words": 7, "n_dims": 4},
        "scores": {"type": "Affine", "n_in": 4, "n_out": 7, "tied": tied},
    }
    with pytest.raises(StructureError, match=words):
        nets.net_from_structure({"type": "Sequential", "layers": layers})

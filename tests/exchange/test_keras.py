"""Weights of Keras models, beside Keras: the net computes what the model does."""

import numpy as np
import pytest

from lamina.exchange import from_keras, load_weights, write_safetensors
from lamina.layers import (
    Addition,
    Affine,
    BatchNormalization,
    Concatenation,
    Convolution,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling,
    GroupNormalization,
    Gru,
    LayerNormalization,
    Lstm,
    MaxPooling,
    Param,
    Relu,
    Reshape,
    Slice,
)
from lamina.nets import Graph, Node, Sequential

RNG = np.random.default_rng(0)
# Of Keras's own variables, under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def keras(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    keras.utils.clear_session()  # names count from the start: conv2d, conv2d_1
    keras.utils.set_random_seed(0)
    return keras


def saved(model, path):
    """With numbers that are not those of the start, as a user writes them."""
    for variable in model.weights:
        if "seed" not in variable.path:
            variable.assign(variable.numpy() + 0.3 * RNG.random(variable.shape))
    write_safetensors(path, {v.path: v.numpy() for v in model.weights})
    return path


def agree(model, net, images, tolerance=1e-5):
    wanted = model(images.transpose(0, 2, 3, 1), training=False).detach().numpy()
    found = net.predict(images)
    assert np.abs(found - wanted).max() < tolerance * np.abs(wanted).max()


@pytest.mark.needs_keras
@pytest.mark.needs_torch
def test_the_mnist_net_of_keras_examples(tmp_path, keras):
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10),
        ]
    )
    rng = np.random.default_rng(1)
    net = Sequential(
        {
            "conv1": Convolution(1, 32, 3, rng=rng),
            "relu1": Relu(),
            "pool1": MaxPooling(2),
            "conv2": Convolution(32, 64, 3, rng=rng),
            "relu2": Relu(),
            "pool2": MaxPooling(2),
            "flatten": Flatten(),
            "drop": Dropout(0.5, rng=rng),
            "affine": Affine(1600, 10, rng=rng),
        }
    )
    line = load_weights(saved(model, tmp_path / "m.safetensors"), net)
    assert line.startswith("6 of 6 arrays")
    assert "conv2d to conv1" in line
    assert "dense to affine" in line
    agree(model, net, RNG.random((4, 1, 28, 28)).astype(np.float32))


@pytest.mark.needs_keras
@pytest.mark.needs_torch
def test_what_stands_between_a_flatten_and_an_affine(tmp_path, keras):
    """Batch normalisation of flattened images has its own arrays in another order too."""
    kl = keras.layers
    X = keras.Input((5, 6, 3))
    a, b = kl.Conv2D(4, 3, groups=1)(X), kl.Conv2D(2, 3)(X)
    y = kl.BatchNormalization(epsilon=1e-5)(kl.Concatenate()([a, b]))
    y = kl.BatchNormalization()(kl.Flatten()(y))
    y = kl.LayerNormalization()(y)
    model = keras.Model(X, kl.Dense(7)(kl.Dense(5)(y)))
    rng = np.random.default_rng(1)
    net = Graph(
        {
            "a": Node(Convolution(3, 4, 3, rng=rng), "X"),
            "b": Node(Convolution(3, 2, 3, rng=rng), "X"),
            "both": Node(Concatenation(), ["a", "b"]),
            "norm": BatchNormalization(6),
            "flat": Flatten(),
            "batch": BatchNormalization(72, eps=1e-3),
            "layer": LayerNormalization(72, eps=1e-3),
            "hidden": Affine(72, 5, rng=rng),
            "out": Affine(5, 7, rng=rng),
        }
    )
    line = load_weights(saved(model, tmp_path / "m.safetensors"), net)
    assert "eps of norm is not Keras's default, 0.001: see that they agree" in line
    agree(model, net, RNG.random((4, 3, 5, 6)).astype(np.float32), 1e-4)


@pytest.mark.needs_keras
@pytest.mark.needs_torch
@pytest.mark.parametrize("groups", [1, 3])
def test_groups_behind_a_flatten_are_others_in_keras(tmp_path, keras, groups):
    """One group of all is the same in any order; of several no order of the weights makes it so."""
    kl = keras.layers
    layers = [kl.Conv2D(3, 2), kl.Flatten(), kl.GroupNormalization(groups), kl.Dense(2)]
    model = keras.Sequential([keras.Input((3, 3, 1)), *layers])
    ours = {"conv": Convolution(1, 3, 2, rng=0), "flat": Flatten()}
    ours |= {"norm": GroupNormalization(groups, 12, eps=1e-3), "out": Affine(12, 2, rng=0)}
    net, path = Sequential(ours), saved(model, tmp_path / "m.safetensors")
    if groups > 1:
        with pytest.raises(
            ValueError, match=r"norm \(GroupNormalization\): its groups are of other"
        ):
            load_weights(path, net)
        return
    load_weights(path, net)
    agree(model, net, RNG.random((4, 1, 3, 3)).astype(np.float32), 1e-5)


@pytest.mark.needs_keras
@pytest.mark.needs_torch
def test_flattened_inputs_need_their_channels(tmp_path, keras):
    model = keras.Sequential(
        [keras.Input((4, 5, 3)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    net = Sequential({"flat": Flatten(), "out": Affine(60, 2, rng=0)})
    path = saved(model, tmp_path / "m.safetensors")
    before = net.state()
    with pytest.raises(ValueError, match=r"out \(Affine\): in which order.*channels=3"):
        load_weights(path, net)
    np.testing.assert_array_equal(net.state()["out.W"], before["out.W"])
    with pytest.raises(ValueError, match="60 rows are not of images of 7 channels"):
        load_weights(path, net, channels=7)
    load_weights(path, net, channels=3)
    agree(model, net, RNG.random((4, 3, 4, 5)).astype(np.float32))


@pytest.mark.needs_keras
@pytest.mark.needs_torch
def test_words_and_averages(tmp_path, keras):
    kl = keras.layers
    model = keras.Sequential([keras.Input((4,), dtype="int32"), kl.Embedding(9, 6), kl.Dense(2)])
    net = Sequential({"table": Embedding(9, 6, rng=0), "out": Affine(6, 2, rng=0)})
    load_weights(saved(model, tmp_path / "m.safetensors"), net)
    words = RNG.integers(0, 9, (3, 4))
    wanted = model(words, training=False).detach().numpy()
    np.testing.assert_allclose(net.predict(words), wanted, rtol=1e-5, atol=1e-6)
    model = keras.Sequential(
        [keras.Input((5, 5, 2)), kl.Conv2D(3, 2), kl.GlobalAveragePooling2D(), kl.Dense(2)]
    )
    layers = {"conv": Convolution(2, 3, 2, rng=0), "mean": GlobalAveragePooling()}
    net = Sequential({**layers, "out": Affine(3, 2, rng=0)})
    load_weights(saved(model, tmp_path / "m2.safetensors"), net)
    agree(model, net, RNG.random((3, 2, 5, 5)).astype(np.float32))


def variables(net_shapes):
    return {
        f"{layer}/{name}": RNG.random(shape).astype(np.float32)
        for layer, shapes in net_shapes.items()
        for name, shape in zip(("kernel", "bias"), shapes, strict=True)
    }


CONV = {"conv": ((2, 2, 1, 4), (4,))}


@pytest.mark.parametrize(
    ("layers", "arrays", "words"),
    [
        (
            {"up": Reshape((4, 2, 2)), "conv": Convolution(4, 3, 2, rng=0)},
            {"conv": ((2, 2, 4, 3), (3,))},
            r"conv \(Convolution\): in which order",
        ),
        (
            {"conv": Convolution(1, 4, 2, rng=0), "out": Affine(4, 2, rng=0)},
            {**CONV, "out": ((4, 2), (2,))},
            r"out \(Affine\): in which order",
        ),
        (
            {"conv": Convolution(1, 4, 2, rng=0), "norm": LayerNormalization(4)},
            CONV,
            "the net has norm, Keras none",
        ),
    ],
)
def test_an_order_that_is_not_known_is_refused(tmp_path, layers, arrays, words):
    write_safetensors(tmp_path / "m.safetensors", variables(arrays))
    with pytest.raises(ValueError, match=words) as caught:
        load_weights(tmp_path / "m.safetensors", Sequential(layers))
    assert str(caught.value).startswith(str(tmp_path))


def test_a_residual_net_of_rows_is_no_image():
    layers = {"a": Node(Affine(4, 4, rng=0), "X"), "s": Node(Addition(), ["a", "X"])}
    net = Graph({**layers, "out": Affine(4, 2, rng=0)})
    arrays = variables({"a": ((4, 4), (4,)), "out": ((4, 2), (2,))})
    renamed, report = from_keras(arrays, net)
    assert report == "Keras's, by name"
    np.testing.assert_array_equal(renamed["a.W"].read(), arrays["a/kernel"])


@pytest.mark.parametrize(
    ("layers", "arrays", "told"),
    [
        ({"a": Affine(4, 12, rng=0), "up": Reshape((3, 2, 2))}, {"a": ((4, 12), (12,))}, True),
        ({"a": Affine(4, 12, rng=0), "up": Reshape((1, 4, 3))}, {"a": ((4, 12), (12,))}, False),
        ({"conv": Convolution(1, 4, 2, rng=0), "flat": Flatten()}, CONV, True),
        ({"conv": Convolution(1, 4, 2, rng=0)}, CONV, False),
        (
            {"table": Reshape((2, 6)), "flat": Reshape((-1,)), "a": Affine(12, 2, rng=0)},
            {"a": ((12, 2), (2,))},
            False,
        ),
    ],
)
def test_outputs_in_another_order_are_told(layers, arrays, told):
    _, report = from_keras(variables(arrays), Sequential(layers), channels=1)
    assert (
        report.endswith("; the entries of its output may be in another order than Keras's") == told
    )


def test_parts_of_images_are_not_followed():
    layers = {
        "conv": Node(Convolution(1, 4, 2, rng=0), "X"),
        "parts": Node(Slice(1, (2, 2)), "conv", outputs=2),
        "left": Node(Flatten(), "parts.0"),
        "right": Node(Flatten(), "parts.1"),
        "sum": Node(Addition(), ["left", "right"]),
    }
    net = Graph({**layers, "out": Affine(8, 2, rng=0)})
    with pytest.raises(ValueError, match=r"out \(Affine\): in which order"):
        from_keras(variables({**CONV, "out": ((8, 2), (2,))}), net)


def test_one_affine_behind_images_and_behind_rows():
    affine = Affine(4, 4, rng=0)
    layers = {"conv": Convolution(1, 4, 2, rng=0), "flat": Flatten(), "one": affine, "two": affine}
    with pytest.raises(ValueError, match="two: shares its weights"):
        from_keras(variables({**CONV, "one": ((4, 4), (4,))}), Sequential(layers))


def test_a_w_that_is_taken_transposed():
    """It lies the other way round than a kernel; the rows of images are not looked for in it."""
    W = RNG.standard_normal((4, 4)).astype(np.float32)
    table = Param(np.zeros((4, 4), np.float32))
    affine = Affine(4, 4, tied=table, transposed=True, bias=False, rng=0)
    renamed, _ = from_keras({"dense/kernel": W}, Sequential({"a": affine}))
    np.testing.assert_array_equal(renamed["a.W"].read(), W.T)
    net = Sequential({"flat": Flatten(), "a": affine})
    with pytest.raises(ValueError, match=r"a \(Affine\): in which order Keras has"):
        from_keras({"dense/kernel": W}, net, channels=2)


def test_a_configuration_knows_the_channels(tmp_path, build, tiny, capsys):
    write_safetensors(tmp_path / "w.safetensors", variables({"dense": ((4, 3), (3,))}))
    text = """
        dataset: {type: Tiny, images: true}
        net:
          type: Sequential
          weights: w.safetensors
          layers: {flat: {type: Flatten}, out: {type: Affine, n_out: 3}}
          loss: {type: SoftmaxWithLoss}
        optimizer: {type: SGD, lr: 0.1}
        training: {iterations: 1, batch_size: 5}
        """
    build(text)
    assert "2 of 2 arrays" in capsys.readouterr().err


@pytest.mark.parametrize("layer", [Lstm(3, 4, rng=0), Gru(3, 4, rng=0)])
def test_gates_in_another_order_are_refused_whatever_the_names_are(tmp_path, layer):
    net = Sequential({"l": layer})
    shapes = {"kernel": (3, 12), "recurrent_kernel": (4, 12), "bias": (12,)}
    write_safetensors(
        tmp_path / "k.safetensors", {f"l/{n}": np.zeros(s) for n, s in shapes.items()}
    )
    with pytest.raises(ValueError, match=r"l.Wx of a (Lstm|Gru): Keras has its gates in another o"):
        load_weights(tmp_path / "k.safetensors", net)


@pytest.mark.needs_keras
@pytest.mark.needs_torch
def test_where_channels_come_first_rows_are_in_our_order_already(keras, tmp_path):
    layers = keras.layers
    chain = [layers.Input((2, 5, 6)), layers.Conv2D(3, 3, data_format="channels_first")]
    model = keras.Sequential([*chain, layers.Flatten(), layers.Dense(4)])
    path = saved(model, tmp_path / "first.safetensors")

    def net():
        chain = {"conv": Convolution(2, 3, 3, rng=0), "flat": Flatten()}
        return Sequential(chain | {"scores": Affine(3 * 3 * 4, 4, rng=0)})

    last, first = net(), net()
    assert "the rows of scores.W are put from" in load_weights(path, last)
    variables = {v.path: v.numpy() for v in model.weights}
    arrays, said = from_keras(variables, first, channels_first=True)
    assert "are put from" not in said
    first.load_state(first.state() | {name: array.read() for name, array in arrays.items()})
    images = RNG.random((3, 2, 5, 6), np.float32)
    wanted = model(images, training=False).detach().numpy()
    np.testing.assert_allclose(first.predict(images), wanted, rtol=1e-4, atol=1e-5)
    assert np.abs(last.predict(images) - wanted).max() > 0.1
    # A Flatten that is told of it puts the channels last itself.
    told = [*chain, layers.Flatten(data_format="channels_first"), layers.Dense(4)]
    told = keras.Sequential(told)
    told.save(tmp_path / "told.keras")
    right = net()
    load_weights(tmp_path / "told.keras", right)
    wanted = told(images, training=False).detach().numpy()
    np.testing.assert_allclose(right.predict(images), wanted, rtol=1e-4, atol=1e-5)
    for ending in ("keras", "h5"):
        model.save(tmp_path / f"first.{ending}")
        with pytest.raises(ValueError, match="and a Flatten with channels_last"):
            load_weights(tmp_path / f"first.{ending}", net())


def test_rows_of_colour_pictures_are_in_another_order_there():
    """A data set that makes rows of pictures says how many channels they have."""
    arrays = {"dense/kernel": RNG.random((3 * 4, 2)), "dense/bias": RNG.random(2)}
    net = Sequential({"scores": Affine(12, 2, rng=0)})
    assert set(from_keras(arrays, net)[0]) == {"scores.W", "scores.b"}
    assert set(from_keras(arrays, net, channels=1)[0]) == {"scores.W", "scores.b"}
    with pytest.raises(ValueError, match=r"scores \(Affine\): in which order Keras has what it"):
        from_keras(arrays, net, channels=3)

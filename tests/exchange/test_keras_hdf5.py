"""Weights in files that Keras itself writes: the net computes what the model does, and a file that
lies is refused in one line."""

import shutil
import warnings
import zipfile

import numpy as np
import pytest

from lamina.exchange import load_weights
from lamina.layers import Affine, BatchNormalization, Convolution, Dropout, Flatten, Relu
from lamina.layers.finite import weights_of
from lamina.nets import Sequential

h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install -e '.[keras]'")
RNG = np.random.default_rng(0)
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.needs_keras,
    pytest.mark.needs_torch,
]


@pytest.fixture(scope="module")
def keras():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        import keras

        keras.utils.clear_session()  # names count from the start: conv2d, conv2d_1
        keras.utils.set_random_seed(0)
        yield keras


@pytest.fixture(scope="module")
def model(keras):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.Conv2D(3, 3, name="first"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(4, 3, use_bias=False),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(5, name="scores"),
        ]
    )
    for variable in model.weights:
        variable.assign(variable.numpy() + 0.3 * RNG.random(variable.shape))
    # Fitted before it is saved, as nearly every model: then its optimizer is in the files too.
    model.compile("adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(RNG.random((6, 8, 8, 2)), RNG.integers(0, 5, 6), verbose=0)
    return model


def net_like_it():
    return Sequential(
        {
            "first": Convolution(2, 3, 3, rng=0),
            "norm": BatchNormalization(3, eps=1e-3),
            "relu": Relu(),
            "second": Convolution(3, 4, 3, bias=False, rng=0),
            "flatten": Flatten(),
            "drop": Dropout(0.2, rng=0),
            "scores": Affine(64, 5, rng=0),
        }
    )


ENDINGS = [".weights.h5", ".keras", ".h5"]


@pytest.fixture(scope="module", params=ENDINGS)
def path(request, model, tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / f"model{request.param}"
    write = model.save_weights if request.param == ".weights.h5" else model.save
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of HDF5 as a format of old
        write(path)
    return path


def test_the_net_computes_what_the_model_does(path, model):
    net, images = net_like_it(), RNG.random((3, 2, 8, 8)).astype(np.float32)
    said = load_weights(path, net)
    assert "first" in said
    assert "scores" in said
    wanted = model(images.transpose(0, 2, 3, 1), training=False).detach().numpy()
    np.testing.assert_allclose(net.predict(images), wanted, rtol=1e-4, atol=1e-5)


def test_a_net_of_another_shape_is_left_as_it_was(path):
    net = net_like_it()
    other = Sequential({**net.layers, "scores": Affine(64, 6, rng=0)})
    before = weights_of(other)
    with pytest.raises(ValueError, match=str(path)) as error:
        load_weights(path, other)
    assert "\n" not in str(error.value)
    for name, array in weights_of(other).items():
        np.testing.assert_array_equal(array, before[name])


def test_every_truncation_is_refused(path, tmp_path):
    content, cut = path.read_bytes(), tmp_path / f"cut{''.join(path.suffixes)}"
    for n in np.linspace(0, len(content) - 1, 40, dtype=int):
        cut.write_bytes(content[:n])
        with pytest.raises(ValueError, match=str(cut)):
            load_weights(cut, net_like_it())


def changed(tmp_path, model, change):
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        change(file)
    return path


def external(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "/")


def soft(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars/0"] = h5py.SoftLink("/layers/conv2d/vars/0")


def elsewhere(file):
    del file["layers/dense/vars/0"]
    data = file["layers/dense/vars"]
    data.create_dataset("0", (64, 5), np.float32, external=[("/etc/passwd", 0, 1280)])


def a_gigabyte(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_dataset("0", (1 << 28,), np.float32, chunks=True)


def packed(file):
    array = file["layers/dense/vars/0"][()]
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"].create_dataset("0", data=array, compression="gzip")


def texts(file):
    del file["layers/dense/vars/0"]
    file["layers/dense/vars"]["0"] = "text"


def one_more(file):
    file["layers/dense/vars"]["2"] = np.zeros(5, np.float32)


def another_class(file):
    file.move("layers/dense", "layers/einsum_dense")


def no_layers(file):
    for name in list(file):
        del file[name]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (external, "no links"),
        (soft, "no links"),
        (elsewhere, "that lie in the file"),
        (a_gigabyte, "is packed, or not whole"),
        (packed, "is packed"),
        (texts, "expects numbers"),
        (one_more, "holds 3 variables"),
        (another_class, "write_safetensors"),
        (no_layers, "none that Keras writes"),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_a_file_that_keras_does_not_write_is_refused(model, tmp_path, change, said):
    path = changed(tmp_path, model, change)
    net = net_like_it()
    before = weights_of(net)
    with pytest.raises(ValueError, match=said) as error:
        load_weights(path, net)
    assert str(error.value).startswith(str(path))
    for name, array in weights_of(net).items():
        np.testing.assert_array_equal(array, before[name])


def test_other_files_under_keras_names(tmp_path):
    (tmp_path / "x.h5").write_bytes(b"no HDF5" * 100)
    with pytest.raises(ValueError, match="no whole HDF5 file"):
        load_weights(tmp_path / "x.h5", net_like_it())
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match=r"no whole \.keras file"):
        load_weights(tmp_path / "x.keras", net_like_it())
    with zipfile.ZipFile(tmp_path / "x.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(1 << 20))
    with pytest.raises(ValueError, match="packed"):
        load_weights(tmp_path / "x.keras", net_like_it())
    with pytest.raises(OSError, match="nowhere"):
        load_weights(tmp_path / "nowhere.h5", net_like_it())


def test_names_of_older_files(model, tmp_path):
    """Keras 2 wrote dense/kernel:0."""
    model.save(tmp_path / "new.h5")
    shutil.copy(tmp_path / "new.h5", tmp_path / "old.h5")
    with h5py.File(tmp_path / "old.h5", "a") as file:
        for layer in ("first", "conv2d", "batch_normalization", "scores"):
            group = file["model_weights"][layer]
            arrays = {}
            group.visititems(
                lambda name, held: (
                    arrays.update({name: held[()]})  # noqa: B023
                    if isinstance(held, h5py.Dataset)
                    else None
                )
            )
            for name in list(group):
                del group[name]
            for name, array in arrays.items():
                group[f"{layer}/{name.rpartition('/')[2]}:0"] = array
    nets = [net_like_it(), net_like_it()]
    for net, name in zip(nets, ("new.h5", "old.h5"), strict=True):
        load_weights(tmp_path / name, net)
    for a, b in zip(*(weights_of(net).values() for net in nets), strict=True):
        np.testing.assert_array_equal(a, b)

"""Mean, crop, scale and mirror of Caffe's data layers: what the net gets is what Caffe's gets."""

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.exchange import read_binaryproto, write_binaryproto
from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config
from lamina.experiment.run import run

NET = """
layer {{ name: "images" type: "Data" top: "data" top: "label" transform_param {{ {} }}
  data_param {{ source: "away" batch_size: 8 }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param {{ num_output: 4 }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }}
"""
SOLVER = 'net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 4 test_interval: 4'


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (40, 3, 7, 6)).astype(np.uint8)
    t = np.arange(40) % 4
    np.save("bytes.npy", X)
    np.save("floats.npy", X / np.float32(255))
    np.save("t.npy", t)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    write_binaryproto("mean.binaryproto", rng.uniform(90, 160, (3, 7, 6)).astype("f4"))
    return tmp_path


def imported(here, transform: str, more: str = "", file: str = "bytes.npy"):
    """The configuration, its data set and its net."""
    (here / "net.prototxt").write_text(NET.format(transform))
    (here / "like.yaml").write_text(
        f"dataset: {{type: NPY, inputs: {file}, targets: t.npy, test_inputs: {file}, "
        f"test_targets: t.npy{more}}}\nnet: {{type: MLP, sizes: [4]}}\n"
        "optimizer: {type: SGD, lr: 0.1}\n"
    )
    code = main(["import", "solver.prototxt", "--like", "like.yaml", "-o", "made.yaml"])
    if code:
        return None
    config = load_config(here / "made.yaml")
    dataset = build_dataset(config)
    return config, dataset, build_net(config, dataset, np.random.default_rng(0))


def before_ip(net, X):
    """What the layers of the data give."""
    net.set_training(False)
    for name, layer in net.layers.items():
        if name.startswith("ip"):
            return X
        X = layer.forward(X)
    raise AssertionError("no layer ip")


def caffe(X: np.ndarray, mean, scale: float, crop: int) -> np.ndarray:
    """As its sources have it, in the phase TEST."""
    full = np.broadcast_to(mean, X.shape[1:])
    i, j = ((n - crop) // 2 if crop else 0 for n in X.shape[2:])
    height, width = (crop or n for n in X.shape[2:])
    out = np.empty((*X.shape[:2], height, width))
    for c, h, w in np.ndindex(out.shape[1:]):
        out[:, c, h, w] = (X[:, c, i + h, j + w] - full[c, i + h, j + w]) * scale
    return out


@pytest.mark.parametrize("more", ["", ", scale: 1.0", ", normalise: true"])
@pytest.mark.parametrize(
    ("transform", "mean", "scale", "crop"),
    [
        ("mean_value: 104 mean_value: 117 mean_value: 123", [104, 117, 123], 1, 0),
        ("mean_value: 128 scale: 0.0078125", 128, 1 / 128, 0),
        ("scale: 0.5 crop_size: 4", 0, 0.5, 4),
        ('mean_file: "some/where/mean.binaryproto" crop_size: 5 scale: 0.017', "file", 0.017, 5),
        ("crop_size: 3 mean_value: 7", 7, 1, 3),
    ],
)
def test_the_net_gets_what_caffes_gets(here, transform, mean, scale, crop, more, capsys):
    config, dataset, net = imported(here, transform, more)
    assert "left to" not in capsys.readouterr().err
    if mean == "file":
        mean = read_binaryproto("mean.binaryproto")
        assert config.data["net"]["partial_weights"] is True
    elif isinstance(mean, list):
        mean = np.reshape(mean, (3, 1, 1))
    got = before_ip(net, dataset.test[np.arange(8)][0])
    wanted = caffe(np.load("bytes.npy")[:8].astype(float), mean, scale, crop)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=2e-4 * scale)


def test_the_mean_does_not_learn_and_such_a_net_trains(here, capsys):
    transform = 'mean_file: "mean.binaryproto" crop_size: 5 mirror: true'
    config, _, net = imported(here, transform)
    assert "mirror: left to the dataset, which mirrors images before" in capsys.readouterr().err
    assert config.data["training"]["augmentation"] == {"flip": True}
    assert list(np.load("made.npz")) == ["images_mean.b"]
    before = net.layers["images_mean"].b.data
    run(config, "made", here / "run", quiet=True)
    after = np.load(here / "run" / "weights.npz")["images_mean.b"]
    np.testing.assert_array_equal(after, before)
    np.testing.assert_allclose(after, -read_binaryproto("mean.binaryproto") / 255, rtol=1e-6)


def test_a_scale_that_the_dataset_has_is_not_said_twice(here, capsys):
    _, _, net = imported(here, "scale: 0.00390625")
    assert next(iter(net.layers)).startswith("ip")
    said = capsys.readouterr().err
    assert "(Data): scale 0.00390625: left to the dataset, which multiplies its bytes by" in said
    _, _, net = imported(here, "scale: 0.00390625", ", scale: 1.0")
    assert next(iter(net.layers.values())).scale == 1 / 256


def test_bytes_that_caffe_takes_as_they_are(here, capsys):
    _, _, net = imported(here, "mirror: true crop_size: 5")
    assert list(net.layers)[:2] == ["images_crop", "ip_flat"]
    said = capsys.readouterr().err
    assert "no mean and no scale: left to the dataset, which does not give bytes as they" in said
    imported(here, "mirror: true", ", scale: 1.0")
    assert not capsys.readouterr().err


def test_floats_are_not_taken_for_bytes(here, capsys):
    _, _, net = imported(here, "mean_value: 128 scale: 0.0078125 crop_size: 4", file="floats.npy")
    assert [type(layer).__name__ for layer in net.layers.values()][:2] == ["RandomCrop", "Flatten"]
    said = capsys.readouterr().err
    assert "mean_value [128.0], scale 0.0078125: left to the dataset, which does not ho" in said


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        ('mean_file: "m.binaryproto"', "its mean_file m.binaryproto is not there; put it at m.bin"),
        ('mean_file: "small.binaryproto"', "is a mean of images (3, 2, 2); the samples are (3, 7,"),
        ('mean_value: 1 mean_file: "mean.binaryproto"', "has both mean_value and mean_file"),
        ("mean_value: 1 mean_value: 2", "has 2 mean_value, for images of 3 channels"),
        ("crop_size: 9", "RandomCrop"),
    ],
)
def test_what_is_refused_is_one_line(here, capsys, transform, words):
    write_binaryproto("small.binaryproto", np.ones((3, 2, 2), "f4"))
    assert imported(here, transform) is None
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert words in said
    assert "line 2: images (Data)" in said
    assert not (here / "made.yaml").exists()


@pytest.mark.needs_lmdb
def test_databases_that_are_there_are_the_data_set(here, capsys):
    import lmdb

    rng = np.random.default_rng(1)
    for name in ("train_lmdb", "test_lmdb"):
        with lmdb.open(name, map_size=1 << 22) as env, env.begin(write=True) as writing:
            for i in range(16):
                image = rng.integers(0, 256, 27).astype(np.uint8).tobytes()
                value = b"\x08\x03\x10\x03\x18\x03\x22\x1b" + image + bytes([0x28, i % 4])
                writing.put(f"{i:08d}".encode(), value)
    text = NET.format("mean_value: 100 scale: 0.0078125")
    text = text.replace("batch_size: 8", "batch_size: 8 {}")
    layer = text.split('layer { name: "ip"')[0]
    train = layer.replace('source: "away"', 'source: "some/where/train_lmdb"')
    test = layer.replace('source: "away"', 'source: "some/where/test_lmdb"')
    train = train.replace("{}", "backend: LMDB").rstrip()[:-1] + "include { phase: TRAIN } }\n"
    test = test.replace("{}", "backend: LMDB").rstrip()[:-1] + "include { phase: TEST } }\n"
    rest = text[len(layer) :]
    (here / "net.prototxt").write_text(train + test + rest)
    assert main(["import", "solver.prototxt", "-o", "made.yaml"]) == 0
    config = load_config(here / "made.yaml")
    folders = {"path": str(here / "train_lmdb"), "test": str(here / "test_lmdb")}
    assert config.data["dataset"] == {"type": "LMDB", **folders}
    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    got = before_ip(net, dataset.train[:][0])
    wanted = (np.round(dataset.train[:][0] * 255) - 100) / 128
    np.testing.assert_allclose(got, wanted, atol=1e-5)
    run(config, "made", here / "run", quiet=True)
    assert (here / "run" / "weights.npz").exists()
    # Where one of them is away there is no data set.
    (here / "test_lmdb").rename(here / "elsewhere")
    capsys.readouterr()
    assert main(["import", "solver.prototxt", "-o", "again.yaml"]) != 0
    assert "are no data set here" in capsys.readouterr().err


def test_mirrored_targets_of_an_autoencoder_are_left_out(here, capsys):
    """There one blob is input and target, so that both are turned."""
    (here / "net.prototxt").write_text(
        'layer { name: "images" type: "Data" top: "data" transform_param { mirror: true } '
        "data_param { batch_size: 4 } }\n"
        'layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" '
        'inner_product_param { num_output: 126 weight_filler { type: "xavier" } } }\n'
        'layer { name: "back" type: "Reshape" bottom: "ip" top: "back" '
        "reshape_param { shape { dim: 0 dim: 3 dim: 7 dim: 6 } } }\n"
        'layer { name: "loss" type: "EuclideanLoss" bottom: "back" bottom: "data" top: "loss" }\n'
    )
    (here / "like.yaml").write_text(
        "dataset: {type: NPY, inputs: bytes.npy, test_inputs: bytes.npy, task: reconstruction}\n"
        "net: {type: MLP, sizes: [4]}\noptimizer: {type: SGD, lr: 0.1}\n"
    )
    assert main(["import", "solver.prototxt", "--like", "like.yaml", "-o", "made.yaml"]) == 0
    assert "mirror is left out: there it turns inputs and targets" in capsys.readouterr().err
    assert "augmentation" not in load_config(here / "made.yaml").data["training"]

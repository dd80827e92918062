"""lamina import and export of Caffe's files: whole ways, and what is refused in one line."""

import caffe_nets as nets
import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.exchange import read_caffemodel, write_binaryproto, write_caffemodel
from lamina.experiment.config import load_config
from lamina.experiment.run import run
from lamina.nets import load_net


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a net and a solver of Caffe, and a configuration of drawn digits."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lenet_train_test.prototxt").write_text(nets.LENET_TRAIN)
    (tmp_path / "solver.prototxt").write_text(nets.SOLVER)
    (tmp_path / "deploy.prototxt").write_text(nets.LENET)
    (tmp_path / "digits.yaml").write_text(
        "dataset: {type: DrawnDigits, flatten: false, n_train: 300, n_test: 50}\n"
        "net: {type: LeNet}\noptimizer: {type: SGD, lr: 0.1}\n"
    )
    return tmp_path


def one_line(capsys) -> str:
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_a_net_and_its_solver_are_a_configuration_that_trains(here, capsys):
    files = ["lenet_train_test.prototxt", "solver.prototxt"]
    assert main(["import", *files, "--like", "digits.yaml", "-o", "lenet.yaml"]) == 0
    said = capsys.readouterr()
    assert said.out == f"a configuration from {', '.join(files)}\nlenet.yaml\n"
    assert said.err == (
        "line 2: mnist (Data): scale 0.00390625: left to the dataset, "
        "which multiplies its bytes by 0.00392157\n"
    )
    config = load_config(here / "lenet.yaml")
    assert config.data["optimizer"] == {
        "type": "Momentum",
        "lr": 0.01,
        "momentum": 0.9,
        "weight_decay": 0.0005,
        "schedule": {"type": "inv", "gamma": 0.0001, "power": 0.75},
    }
    assert config.data["training"] == {
        "iterations": 30,
        "evaluate_every": 15,
        "seed": 7,
        "batch_size": 20,
        "metrics": ["accuracy"],
    }
    layers = config.data["net"]["layers"]
    assert layers["conv1"] == {
        "type": "Convolution",
        "c_out": 4,
        "kernel": 5,
        "bias_value": 0.1,
        "init": "caffe_xavier",
        "params": {"b": {"lr_mult": 2.0, "decay_mult": 0.0}},
    }
    assert layers["ip1"]["trainable"] is False
    run(config, "lenet", here / "run", quiet=True)
    assert (here / "run" / "weights.npz").exists()
    # And the run for Caffe, and back.
    assert main(["export", "run", "-o", "out.caffemodel"]) == 0
    assert capsys.readouterr().out == "out.caffemodel\nout.prototxt\n"
    assert main(["import", "out.prototxt", "out.caffemodel", "-o", "net.npz"]) == 0
    assert "7 layers from out.prototxt, weights from out.caffemodel" in capsys.readouterr().out
    weights = np.load(here / "run" / "weights.npz")
    np.testing.assert_array_equal(load_net("net.npz").layers["ip2"].W.data, weights["ip2.W"])


def test_a_solver_names_its_net_and_weights_go_beside_the_configuration(here, capsys):
    assert main(["import", "solver.prototxt", "--like", "digits.yaml", "-o", "a.yaml"]) == 0
    rng = np.random.default_rng(0)
    shapes = {"conv1": [(4, 1, 5, 5), (4,)], "ip1": [(12, 576), (12,)], "ip2": [(10, 12), (10,)]}
    weights = {n: [rng.standard_normal(s, "f4") for s in each] for n, each in shapes.items()}
    write_caffemodel("net.caffemodel", weights)
    arguments = ["solver.prototxt", "net.caffemodel", "--like", "digits.yaml", "-o", "b.yaml"]
    assert main(["import", *arguments]) == 0
    assert capsys.readouterr().out.endswith("b.yaml\nb.npz\n")
    assert load_config(here / "b.yaml").data["net"]["weights"] == "b.npz"
    np.testing.assert_array_equal(np.load("b.npz")["ip2.W"], weights["ip2"][0].T)
    (here / "c.npz").write_text("mine")
    assert main(["import", *arguments[:-1], "c.yaml"]) == 2
    assert "c.npz: is there, and is written beside c.yaml; take another" in one_line(capsys)
    assert (here / "c.npz").read_text() == "mine"
    assert not (here / "c.yaml").exists()


def test_a_net_alone_a_mean_and_the_net_alone_back(here, capsys):
    assert main(["import", "deploy.prototxt", "-o", "net.npz"]) == 0
    assert "9 layers from deploy.prototxt, with new weights" in capsys.readouterr().out
    assert main(["export", "net.npz", "--shape", "1x28x28", "-o", "again.prototxt"]) == 0
    assert not (here / "again.caffemodel").exists()
    mean = np.random.default_rng(0).standard_normal((3, 2, 2), "f4")
    write_binaryproto("mean.binaryproto", mean)
    assert main(["import", "mean.binaryproto", "-o", "mean.npy"]) == 0
    np.testing.assert_array_equal(np.load("mean.npy"), mean)
    assert main(["export", "net.npz", "--shape", "1x28x28", "-o", "n.caffemodel"]) == 0
    assert list(read_caffemodel("n.caffemodel")) == ["conv1", "conv2", "ip1", "ip2"]
    capsys.readouterr()
    assert main(["export", "net.npz", "--shape", "1x28x28", "-o", "deploy.caffemodel"]) == 2
    assert "deploy.prototxt: is there, and is written beside deploy.caff" in one_line(capsys)
    assert (here / "deploy.prototxt").read_text() == nets.LENET
    assert not (here / "deploy.caffemodel").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "deploy.prototxt", "-o", "a.yaml"], "a net without a solver expects a file th"),
        (["import", "solver.prototxt", "-o", "a.npz"], "a net with a solver expects a file that e"),
        (["import", "deploy.prototxt", "lenet_train_test.prototxt", "-o", "a.npz"], "a second net"),
        (["import", "w.caffemodel", "-o", "a.npz"], "weights alone are no net; give its .prototxt"),
        (["import", "deploy.prototxt", "x.onnx", "-o", "a.npz"], "x.onnx: no file of Caffe"),
        (["import", "a.npz", "b.npz", "-o", "c.npz"], "b.npz: one file is read"),
        (
            ["import", "deploy.prototxt", "--partial", "-o", "a.npz"],
            "are not for Caffe's files",
        ),
        (["import", "lenet_train_test.prototxt", "-o", "a.npz"], "--shape data=1x28x28"),
        (["import", "other.prototxt", "-o", "a.yaml"], "(line 1: pairs (Data)) are no data set he"),
        (["import", "broken.prototxt", "-o", "a.npz"], "broken.prototxt: line 2: NetParameter has"),
        (["import", "short.prototxt", "-o", "a.yaml"], "short.prototxt: has no lr_policy"),
        (["import", "away.prototxt", "-o", "a.yaml"], "its net x/y.prototxt is not beside it"),
        (["export", "net.npz", "-o", "a.caffemodel"], "net.npz"),
    ],
)
def test_what_is_refused_is_one_line_and_nothing_is_written(here, capsys, arguments, words):
    (here / "pairs.prototxt").write_text(
        'layer { name: "pairs" type: "Data" top: "data" data_param { source: "siamese_mnist" } }'
    )
    rates = 'base_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 3\n'
    (here / "other.prototxt").write_text(f'net: "pairs.prototxt"\n{rates}')
    (here / "away.prototxt").write_text(f'net: "x/y.prototxt"\n{rates}')
    (here / "short.prototxt").write_text('net: "lenet_train_test.prototxt"\nbase_lr: 0.1\n')
    (here / "broken.prototxt").write_text("\nlayr { }")
    before = sorted(here.iterdir())
    assert main(arguments) == 2
    assert words in one_line(capsys)
    assert sorted(here.iterdir()) == before

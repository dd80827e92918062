"""What one types in Python: a path may be a text, and a generator a seed, wherever one is taken."""

import inspect
import shutil
from pathlib import Path

import numpy as np
import pytest

from lamina import datasets, exchange, layers, nets
from lamina.autodiff.draw import draw
from lamina.common.files import remove, remove_parts, sync_folder, whole_file
from lamina.common.npz import open_npz, read_npz, write_npz
from lamina.common.own_code import load_class
from lamina.common.table import Table, read_rows, read_table
from lamina.datasets import CSV, NPZ, Samples, draw_digits
from lamina.datasets.augmentation import Augmentation
from lamina.datasets.idx import read_idx, write_idx
from lamina.datasets.minibatches import Minibatches
from lamina.diagnosis.doctor import diagnose, glance
from lamina.diagnosis.notes import read_culprit, read_facts
from lamina.diagnosis.picture import plot_health
from lamina.diagnosis.record import read_record
from lamina.exchange import read_safetensors, write_safetensors
from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config, save_config
from lamina.experiment.curves import read_run
from lamina.experiment.evaluation import evaluate
from lamina.experiment.load_any import load_any
from lamina.experiment.load_run import load_run
from lamina.experiment.own_augmentation import FunctionAugmentation
from lamina.experiment.plots import plot_curves
from lamina.experiment.run import resume, run
from lamina.experiment.run_config import load_run_config
from lamina.experiment.run_directory import claimed, locked, refuse_used, require_run
from lamina.experiment.verify import verify
from lamina.nets.weights import load_weights, save_weights
from lamina.training.batches import Batches
from lamina.training.checkpoint import (
    Checkpoints,
    load_checkpoint,
    save_checkpoint,
    saved_checkpoints,
)

CONFIG = Path(__file__).parent.parent / "configs/own_csv.yaml"
LAYERS = {"affine1": layers.Affine(2, 3, rng=0)}
NET = nets.Sequential(LAYERS, layers.SoftmaxWithLoss())


def config(iterations: int = 20):
    found = load_config(str(CONFIG))
    found.set(f"training.iterations={iterations}")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of a few steps with two checkpoints, and files of all kinds."""
    folder = tmp_path_factory.mktemp("face")
    small = config()
    small.set("training.checkpoint.every=10")
    run(small, "own_csv", folder / "run", quiet=True)
    shutil.copy(CONFIG.parent / "spirals.csv", folder)
    (folder / "mine.py").write_text("class Mine: pass\n")
    (folder / "table.csv").write_text("iteration,loss\n1,2.5\n")
    with open(folder / "images.idx", "wb") as file:
        write_idx(file, np.zeros((2, 3), np.uint8))
    np.savez(folder / "arrays.npz", a=np.zeros(3))
    data = {"x_train": np.zeros((4, 2), np.float32), "t_train": np.array([0, 1, 0, 1])}
    np.savez(folder / "data.npz", **data, x_test=data["x_train"], t_test=data["t_train"])
    save_weights(folder / "weights.npz", NET)
    exchange.save_weights(folder / "weights.safetensors", NET)
    NET.save(folder / "net.npz")
    save_checkpoint(folder / "checkpoint.npz", {"a": {"b": np.zeros(2)}})
    return folder


def _opened(context):
    with context as inside:
        return inside


def _plot_health(to):
    plot_health(to, read_record(str(Path(to).parent / "run")))


def _evaluated(to):
    folder = str(Path(to).parent)
    return evaluate(*load_run(f"{folder}/run")).draw(folder)


# {what is called: (with a path, the name of the file)}; beginning with "new" a file to be written.
PATHS = {
    "whole_file": (lambda p: _opened(whole_file(p)), "new1"),
    "remove": (remove, "new2"),
    "remove_parts": (remove_parts, "."),
    "sync_folder": (sync_folder, "."),
    "load_class": (lambda p: load_class(p, "Mine"), "mine.py"),
    "Table": (lambda p: Table(p, ("iteration", "loss")), "new3.csv"),
    "read_table": (read_table, "table.csv"),
    "read_rows": (read_rows, "table.csv"),
    "write_npz": (lambda p: write_npz(p, {"a": np.zeros(2)}), "new4.npz"),
    "read_npz": (read_npz, "arrays.npz"),
    "open_npz": (lambda p: _opened(open_npz(p)), "arrays.npz"),
    "read_idx": (read_idx, "images.idx"),
    "CSV": (lambda p: CSV(p, target="arm"), "spirals.csv"),
    "CSV, test": (lambda p: CSV(p, target="arm", test=p), "spirals.csv"),
    "NPZ": (NPZ, "data.npz"),
    "save_weights": (lambda p: save_weights(p, NET), "new5.npz"),
    "load_weights": (lambda p: load_weights(p, NET), "weights.npz"),
    "write_safetensors": (lambda p: write_safetensors(p, {"a": np.zeros(2)}), "new16.safetensors"),
    "read_safetensors": (read_safetensors, "weights.safetensors"),
    "exchange.save_weights": (lambda p: exchange.save_weights(p, NET), "new17.safetensors"),
    "exchange.load_weights": (lambda p: exchange.load_weights(p, NET), "weights.safetensors"),
    "load_any": (load_any, "net.npz"),
    "net.save": (NET.save, "new6.npz"),
    "load_net": (nets.load_net, "net.npz"),
    "load_net, code": (lambda p: nets.load_net(str(Path(p).parent / "net.npz"), [p]), "mine.py"),
    "save_checkpoint": (lambda p: save_checkpoint(p, {"a": {}}), "new7.npz"),
    "load_checkpoint": (load_checkpoint, "checkpoint.npz"),
    "saved_checkpoints": (saved_checkpoints, "run"),
    "Checkpoints.save": (lambda p: Checkpoints().save(p, {"a": {}}, 1, 1), "."),
    "load_config": (load_config, "run/config.yaml"),
    "save_config": (lambda p: save_config(p, config()), "new8.yaml"),
    "load_run_config": (load_run_config, "run"),
    "load_run_config, code": (
        lambda p: load_run_config(str(Path(p).parent / "run"), [p]),
        "mine.py",
    ),
    "run": (lambda p: run(config(3), "x", p, quiet=True), "new9"),
    "resume": (lambda p: resume(load_config(f"{p}/config.yaml"), p, quiet=True), "run"),
    "verify": (lambda p: verify(load_config(f"{p}/config.yaml"), p, quiet=True), "run"),
    "refuse_used": (refuse_used, "new10"),
    "require_run": (require_run, "run"),
    "locked": (lambda p: _opened(locked(p)), "run"),
    "claimed": (lambda p: _opened(claimed(p)), "new11"),
    "load_run": (load_run, "run"),
    "read_run": (read_run, "run"),
    "plot_curves": (
        lambda p: plot_curves(p, {"a": read_run(str(Path(p).parent / "run"))}),
        "new12.png",
    ),
    "Evaluation.draw": (_evaluated, "new13"),
    "read_record": (read_record, "run"),
    "read_facts": (read_facts, "run/facts.json"),
    "read_culprit": (read_culprit, "run/culprit.json"),
    "glance": (glance, "run"),
    "plot_health": (_plot_health, "new14.png"),
    "Drawing.save": (lambda p: draw(lambda x: x * x, {"x": 2.0}).save(p), "new15.svg"),
}


@pytest.mark.parametrize("what", PATHS)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_may_be_a_text(folder, what, kind):
    call, name = PATHS[what]
    path = folder / (f"{name}.{kind.__name__}{Path(name).suffix}" if name[:3] == "new" else name)
    call(kind(path))


def test_a_trainer_takes_a_text_too(tmp_path):
    from lamina.optimizers import SGD
    from lamina.training.trainer import Trainer

    data = CSV(str(CONFIG.parent / "spirals.csv"), target="arm")
    net = nets.Sequential({"a": layers.Affine(2, 3, rng=0)}, layers.SoftmaxWithLoss())
    optimizer = SGD(net.parameters(), lr=0.1)
    trainer = Trainer(
        net, optimizer, data, rng=0, iterations=2, run_dir=f"{tmp_path}/r", quiet=True
    )
    trainer.run()
    assert diagnose(read_record(f"{tmp_path}/r")) is not None


SAMPLES = Samples(np.zeros((9, 2), np.float32), np.zeros(9, int))
IMAGES = np.ones((2, 1, 8, 8), np.float32)
PLACES = np.arange(128.0).reshape(2, 1, 8, 8)

# Each gives, for a generator or a seed, something that it draws.
SEEDS = {
    "Affine": lambda rng: layers.Affine(3, 2, rng=rng).W.data,
    "Convolution": lambda rng: layers.Convolution(1, 2, 3, rng=rng).W.data,
    "TransposedConvolution": lambda rng: layers.TransposedConvolution(1, 2, 3, rng=rng).W.data,
    "Convolution1d": lambda rng: layers.Convolution1d(1, 2, 3, rng=rng).W.data,
    "MultiHeadAttention": lambda rng: layers.MultiHeadAttention(4, 2, rng=rng).W.data,
    "PositionalEncoding": lambda rng: layers.PositionalEncoding(4, learned=2, rng=rng).P.data,
    "Embedding": lambda rng: layers.Embedding(4, 2, rng=rng).W.data,
    "Rnn": lambda rng: layers.Rnn(3, 2, rng=rng).Wx.data,
    "Gru": lambda rng: layers.Gru(3, 2, rng=rng).Wx.data,
    "Lstm": lambda rng: layers.Lstm(3, 2, rng=rng).Wx.data,
    "Dropout": lambda rng: layers.Dropout(0.5, rng=rng).forward(np.ones(50)),
    "RandomCrop": lambda rng: layers.RandomCrop(1, rng=rng).forward(PLACES),
    "LeNet": lambda rng: nets.LeNet(rng=rng).parameters()["conv1.W"].data,
    "SimpleConvNet": lambda rng: nets.SimpleConvNet(rng=rng).parameters()["conv1.W"].data,
    "DeepConvNet": lambda rng: nets.DeepConvNet(rng=rng).parameters()["conv1.W"].data,
    "ResidualNet": lambda rng: nets.ResidualNet(rng=rng).parameters()["affine.W"].data,
    "TwoLayerNet": lambda rng: nets.TwoLayerNet(4, 3, 2, rng=rng).params["W1"],
    "net_from_structure": lambda rng: _first(nets.net_from_structure(NET.structure(), rng=rng)),
    "Minibatches": lambda rng: next(Minibatches(9, 5, rng)),
    "Batches": lambda rng: next(Batches(SAMPLES, Minibatches(len(SAMPLES), 5, rng))).rows,
    "Augmentation": lambda rng: Augmentation(shift=2.0, rng=rng)(IMAGES),
    "FunctionAugmentation": lambda rng: FunctionAugmentation(_noisy, rng=rng)(IMAGES),
    "draw_digits": lambda rng: draw_digits(3, rng)[0],
    "build_net": lambda rng: _first(build_net(config(), build_dataset(config()), rng)),
}  # fmt: skip


def _noisy(X, *, rng):
    return X + rng.standard_normal(X.shape).astype(X.dtype)


def _first(net):
    return next(iter(net.parameters().values())).data


@pytest.mark.parametrize("what", SEEDS)
def test_a_generator_may_be_a_seed(what):
    drawn = SEEDS[what]
    np.testing.assert_array_equal(drawn(0), drawn(np.random.default_rng(0)))
    assert not np.array_equal(drawn(0), drawn(1))


def test_nothing_public_that_draws_is_forgotten():
    """Every class and function of these rooms that takes `rng` stands in SEEDS."""
    for room in (layers, nets, datasets):
        for name in room.__all__:
            made = getattr(room, name)
            is_error = isinstance(made, type) and issubclass(made, Exception)
            if callable(made) and not is_error and "rng" in inspect.signature(made).parameters:
                assert name in SEEDS

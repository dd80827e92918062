"""What a run that was made in Python is said to be: two that differ are two, however they do."""

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, Samples
from lamina.experiment.load_run import NetUnknown, load_run
from lamina.layers import Affine, BatchNormalization, Dropout, LeakyRelu, Relu, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.nets.net_file import check_as_made
from lamina.nets.structure import StructureError
from lamina.optimizers import Momentum, make_schedule
from lamina.training.described import described
from lamina.training.trainer import Trainer

RNG = np.random.default_rng(0)
X, T = RNG.standard_normal((60, 5)).astype(np.float32), RNG.integers(0, 3, 60)
FACTOR = 1.0


def data(cls=Dataset, samples=Samples):
    return cls(samples(X[:40], T[:40]), Samples(X[40:], T[40:]), Classification(range(3)))


def trainer(change=lambda net, optimizer: None, dataset=None, first=None, run_dir=None):
    layers = {
        "a": Affine(5, 8, rng=0),
        "r": LeakyRelu(0.01),
        "d": Dropout(0.1, rng=0),
        "n": BatchNormalization(8),
        "b": Affine(8, 3, rng=0),
    }
    net = Sequential({"own": first, **layers} if first else layers, SoftmaxWithLoss())
    optimizer = Momentum(net.parameters(), lr=0.05)
    change(net, optimizer)
    settings = {"rng": 0, "iterations": 2, "batch_size": 10, "quiet": True, "run_dir": run_dir}
    return Trainer(net, optimizer, dataset or data(), **settings)


def set_(place: str, value):
    def change(net, optimizer):
        owner, _, name = place.rpartition(".")
        of = {"optimizer": optimizer, "loss": net.loss_layer, **net.layers}
        setattr(of[owner], name, value)

    return change


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("d.p", 0.9),
        ("r.slope", 0.9),
        ("n.eps", 1.0),
        ("n.momentum", 0.99),
        ("loss.label_smoothing", 0.5),
        ("loss.class_weights", np.array([1.0, 9.0, 1.0])),
        ("optimizer.base_lr", 1.0),
        ("optimizer.momentum", 0.1),
        ("optimizer.weight_decay", 0.1),
        ("optimizer.clip_norm", 0.01),
        ("optimizer.schedule", make_schedule("exp", gamma=0.9)),
    ],
)
def test_what_was_set_after_something_was_made_is_said(place, value):
    usual, changed = described(trainer()), described(trainer(set_(place, value)))
    section = "optimizer" if place.startswith("optimizer") else "net"
    assert usual[section] != changed[section]
    assert described(trainer(set_(place, value))) == changed
    if section == "net":
        assert "but it was made with" in changed["net"]["not_written"]
    elif isinstance(value, float):
        assert changed["optimizer"][{"base_lr": "lr"}.get(place[10:], place[10:])] == value


@pytest.mark.parametrize("value", [np.array([1.0, 2.0]), (1.0, 5.0, 1.0), None, ((1,), (2, 3))])
def test_several_numbers_are_a_setting_too(value):
    loss = SoftmaxWithLoss(class_weights=[1.0, 2.0, 1.0])
    net = Sequential({"a": Affine(5, 3, rng=0)}, loss)
    check_as_made(net, net.structure())
    loss.class_weights = value
    with pytest.raises(StructureError, match=r"its class_weights is .* but it was made with"):
        check_as_made(net, net.structure())


def test_such_a_net_is_not_read_back_as_another(tmp_path):
    trainer(set_("d.p", 0.9), run_dir=tmp_path / "run").run()
    words = r"its net was made in Python, and cannot .* its p is 0.9, but it was made with 0.1"
    with pytest.raises(NetUnknown, match=words):
        load_run(tmp_path / "run", dataset=data())


class Scaled(Relu):
    def forward(self, X):
        return FACTOR * super().forward(X)


class Ordered(Dataset):
    weight = 1.0


class Noisy(Samples):
    def __getitem__(self, rows):
        X, t = super().__getitem__(rows)
        return X + np.float32(FACTOR), t


@pytest.mark.parametrize(
    "made",
    [
        lambda: trainer(first=Scaled()),
        lambda: trainer(dataset=data(samples=Noisy)),
    ],
    ids=["layer", "samples"],
)
def test_classes_of_ones_own_are_what_they_read(monkeypatch, made):
    before = described(made())
    assert described(made()) == before
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    assert described(made()) != before


def test_a_data_set_of_ones_own_is_its_class_and_what_it_holds():
    usual, own = described(trainer()), described(trainer(dataset=data(Ordered)))
    assert usual != own
    other = data(Ordered)
    other.weight = 10.0
    assert described(trainer(dataset=other)) != own
    assert described(trainer(dataset=data(Ordered))) == own


class Halving(Momentum):
    """Sets the parameters that it is given, and takes what is no plain data."""

    def __init__(self, parameters, lr, table=None, decay=0.1):
        super().__init__(parameters, lr=lr)
        self.table, self.decay = table, decay
        for param in parameters.values():
            param.lr_mult *= 0.5


def test_an_own_optimizer_is_not_made_again():
    net = Sequential({"a": Affine(5, 3, rng=0)}, SoftmaxWithLoss())
    optimizer = Halving(net.parameters(), 0.1, table={1: object})
    settings = {"rng": 0, "iterations": 2, "batch_size": 10, "quiet": True}
    usual = described(Trainer(net, optimizer, data(), **settings))
    assert [p.lr_mult for p in net.parameters().values()] == [0.5, 0.5]
    optimizer.decay = 0.2
    assert described(Trainer(net, optimizer, data(), **settings))["optimizer"]["decay"] == 0.2
    assert usual["optimizer"] != described(Trainer(net, optimizer, data(), **settings))["optimizer"]


class Met(Relu):
    """Keeps the shape that it has met under the name of an argument."""

    def __init__(self, shape=None):
        super().__init__()
        self.shape = shape

    def forward(self, X):
        self.shape = X.shape
        return super().forward(X)


def test_what_an_own_layer_has_met_is_no_setting():
    net = Sequential({"m": Met(), "a": Affine(5, 3, rng=0)}, SoftmaxWithLoss())
    net.predict(X)
    check_as_made(net, net.structure())

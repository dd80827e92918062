"""From YAML to objects, and what is said when that does not work."""

import copy
import re

import numpy as np
import pytest

from lamina import datasets
from lamina.common.threads import current_threads
from lamina.datasets import Classification, Dataset, Samples
from lamina.experiment import build_trainer as build_trainer_module
from lamina.experiment.build_trainer import build_run
from lamina.experiment.config import ConfigError, load_config
from lamina.layers import Affine

GOOD = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers:
    affine1: {type: Affine, n_out: 5}
    relu1: {type: Relu}
    affine2: {type: Affine, n_out: 3}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 20, batch_size: 4, seed: 3}
"""


pytestmark = pytest.mark.usefixtures("tiny")


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_trainer_is_built_with_sizes_filled_in(build):
    trainer = build(GOOD)
    assert trainer.net.layers["affine1"].W.data.shape == (4, 5)
    assert trainer.net.layers["affine2"].W.data.shape == (5, 3)
    assert trainer.optimizer.lr == 0.1
    assert trainer.batches.batch_size == 4
    assert trainer.net.layers["affine1"].W.data.dtype == np.float32


def test_the_seed_decides_the_weights_layer_by_layer(build):
    first, again = build(GOOD), build(GOOD)
    other = build(changed("seed: 3", "seed: 4"))
    deeper = build(GOOD.replace("    relu1", "    extra: {type: Relu}\n    relu1"))

    def W(trainer, name="affine1"):
        return trainer.net.layers[name].W.data

    np.testing.assert_array_equal(W(first), W(again))
    assert not np.array_equal(W(first), W(other))
    np.testing.assert_array_equal(W(first), W(deeper))


def test_a_convolutional_net_from_images(build):
    trainer = build(
        changed("{type: Tiny}", "{type: Tiny, images: true}").replace(
            "affine1: {type: Affine, n_out: 5}",
            "conv: {type: Convolution, c_out: 3, kernel: [2, 1], padding: 1}\n"
            "    norm: {type: BatchNormalization}\n"
            "    drop: {type: Dropout, p: 0.1}\n"
            "    flatten: {type: Flatten}",
        )
    )
    assert trainer.net.layers["conv"].kernel == (2, 1)
    assert trainer.net.layers["affine2"].W.data.shape == (3 * 3 * 4, 3)
    assert np.isfinite(trainer.step())


IMAGES = (
    GOOD.replace("{type: Tiny}", "{type: Tiny, images: true}")
    .replace("affine1:", "flatten: {type: Flatten}\n    affine1:")
    .replace("seed: 3}", "seed: 3, augmentation: {shift: 1, rotation: 10, flip: true}}")
)


def test_an_augmentation_from_yaml(build):
    plain = IMAGES.replace(", augmentation: {shift: 1, rotation: 10, flip: true}", "")
    first, again, without = build(IMAGES), build(IMAGES), build(plain)
    made = first.batches.augmentation
    assert (made.shift, made.rotation, made.elastic, made.flip) == (1, 10, 0.0, True)
    assert made.background == pytest.approx(0.0)
    # A generator of its own, the third: weights and order of the data are as without it, and the
    # first batch, on which all is tried, has used nothing of it.
    weights, batches, changes = np.random.default_rng(3).spawn(3)
    assert made.rng.bit_generator.state == changes.bit_generator.state
    for a, b in zip((weights, batches), np.random.default_rng(3).spawn(2), strict=True):
        assert a.bit_generator.state == b.bit_generator.state
    np.testing.assert_array_equal(first.batches.order.order, without.batches.order.order)
    for name, param in without.net.parameters().items():
        np.testing.assert_array_equal(first.net.parameters()[name].data, param.data)
    losses = [first.step() for _ in range(20)]
    assert losses == [again.step() for _ in range(20)]
    assert losses != [without.step() for _ in range(20)]
    assert without.batches.augmentation is None


def test_what_comes_in_from_outside_is_the_paper_of_normalised_images(build, monkeypatch):
    def stored(self):
        X, t = np.zeros((30, 1, 2, 2), np.uint8), np.arange(30) % 3
        samples = Samples(X, t, scale=0.01, offset=-0.4)
        Dataset.__init__(self, samples, samples, Classification(range(3)))

    monkeypatch.setattr(datasets.Tiny, "__init__", stored)
    trainer = build(IMAGES.replace(", images: true", ""))
    assert trainer.batches.augmentation.background == pytest.approx(-0.4)
    X, _ = trainer.dataset.train[:]
    np.testing.assert_allclose(trainer.batches.augmentation(X), -0.4, rtol=1e-6)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("shifts: 1", r"line \d+: training.augmentation.shifts: unknown key; did you mean shift\?"),
        (
            "type: Other",
            "augmentation.type: unknown type Other; known: Augmentation; your",
        ),
        ("rng: 1", "training.augmentation.rng: unknown key"),
        ("background: 1", "training.augmentation.background: unknown key"),
        ("shift: two", "line 12: .*augmentation.shift: expects a number, got the text 'two'"),
        ("flip: 1", "augmentation.flip: expects true or false, got a whole number 1"),
        ("elastic: .nan", "augmentation.elastic: expects a finite number, got nan"),
        ("shift: -1", "line 12: training.augmentation.shift: expects .* at least 0, got -1"),
        ("erasing: 1.5", "augmentation.erasing: expects a probability, 0 to 1, got 1.5"),
    ],
)
def test_a_mistake_in_the_augmentation_is_named(build, new, words):
    with pytest.raises(ConfigError, match=words):
        build(IMAGES.replace("shift: 1, rotation: 10, flip: true", new))


def test_an_augmentation_is_a_mapping(build):
    text = IMAGES.replace("{shift: 1, rotation: 10, flip: true}", "2")
    with pytest.raises(ConfigError, match=r"augmentation: expects a name .*, got a whole"):
        build(text)


def test_flat_inputs_are_not_augmented(build):
    words = r"line 12: training.augmentation: changes images .* gives \(4,\).*flatten: false"
    with pytest.raises(ConfigError, match=words):
        build(IMAGES.replace(", images: true", ""))


def test_inputs_that_are_no_numbers_with_a_fraction_are_not_augmented(build, monkeypatch):
    def stored(self):
        samples = Samples(np.zeros((30, 1, 2, 2), np.uint8), np.arange(30) % 3)
        Dataset.__init__(self, samples, samples, Classification(range(3)))

    monkeypatch.setattr(datasets.Tiny, "__init__", stored)
    with pytest.raises(ConfigError, match=r"training.augmentation: .*expects float32 .* got uint"):
        build(IMAGES.replace(", images: true", ""))


def test_nets_nest_in_yaml(build):
    trainer = build(
        changed(
            "relu1: {type: Relu}",
            "block: {type: Sequential, layers: {a: {type: Affine, n_out: 7}, r: {type: Relu}}}",
        )
    )
    assert "block.a.W" in trainer.net.parameters()
    assert trainer.net.layers["affine2"].W.data.shape == (7, 3)


OWN = """
import numpy as np
from lamina.layers import Layer

class Swish(Layer):
    def __init__(self, beta: float = 1.0):
        self.beta = beta

    def forward(self, X):
        self.X, self.gate = X, 0.5 * np.tanh(0.5 * self.beta * X) + 0.5
        return X * self.gate

    def backward(self, dout):
        return dout * (self.gate + self.beta * self.X * self.gate * (1 - self.gate))
"""


def test_a_layer_in_a_file_of_ones_own(build, tmp_path):
    (tmp_path / "my_layers.py").write_text(OWN)
    trainer = build(changed("{type: Relu}", "{type: my_layers.py:Swish, beta: 2}"))
    assert trainer.net.layers["relu1"].beta == 2
    before = trainer.step()
    for _ in range(30):
        after = trainer.step()
    assert after < before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("optimizer:", "optimiser:", r"line 10: optimiser: unknown key; did you mean optimizer\?"),
        (
            "type: Relu",
            "type: relu",
            r"line 7: net.layers.relu1.type: unknown type relu; .* Relu\?",
        ),
        ("type: SGD", "type: Foo", "optimizer.type: unknown type Foo; known: AdaDelta, .*SGD"),
        ("type: SGD", "typ: SGD", "line 10: optimizer: expects type: NAME"),
        ("type: SGD", "type: 3", "expects a name, got a whole number 3"),
        ("n_out: 5", "n_outs: 5", r"affine1.n_outs: unknown key; did you mean n_out\?"),
        ("n_out: 5", "n_out: five", "expects a whole number, got the text 'five'"),
        ("n_out: 5", "n_out: 5.5", "expects a whole number, got a number 5.5"),
        ("n_out: 5", "n_out: true", "expects a whole number, got true/false True"),
        ("n_out: 5", "n_out: 0", "affine1: Affine: n_in and n_out are at least 1, got 4 and 0"),
        ("n_out: 5", "n_out: -3", "at least 1, got 4 and -3"),
        ("n_out: 5", "n_in: 7, n_out: 5", r"affine1: .*expects \(..., 7\), got \(4,\)"),
        ("{type: Affine, n_out: 5}", "{type: Affine}", "affine1: Affine needs n_out"),
        ("n_out: 5", "n_out: 5, init: he", "unknown initializer he"),
        (
            "lr: 0.1",
            "lr: 1_0",
            "lr: expects a number, got the text '1_0'; write it as 10",
        ),
        ("lr: 0.1", "lr: .nan", "optimizer.lr: expects a finite number, got nan"),
        ("lr: 0.1", "lr: -1.0", "line 10: optimizer.lr: expects a positive number, got -1.0"),
        (", lr: 0.1", "", "optimizer: SGD needs lr"),
        (
            "iterations: 20",
            "iterations: 0",
            "line 11: training.iterations: expects at least 1",
        ),
        ("batch_size: 4", "batch_size: 31", "batch_size: expects 1 to 30.* got 31"),
        ("batch_size: 4", "batchsize: 4", r"training.batchsize: .*did you mean batch_size\?"),
        ("seed: 3", "seed: -1", "training.seed: expects at least 0, got -1"),
        ("seed: 3", "evaluate_every: 0", "evaluate_every: expects at least 1"),
        ("{type: Relu}", "Relu", "relu1: expects a mapping .* got the text 'Relu'"),
        ("{type: Relu}", "{type: nowhere.py:Swish}", "relu1.type: no such file: .*nowhere.py"),
        (
            "{type: Relu}",
            "{type: Affine, n_out: 4, n_in: 6}",
            r"\(..., 6\), got \(5,\) from affine1",
        ),
        ("relu1:", "re.lu:", "names have no dots"),
        ("iterations: 20", "iterations: 3e3", "got a number 3000.0; write it as 3000"),
        ("iterations: 20", "iterations: 20.0", "got a number 20.0; write it as 20"),
        ("  loss: {type: SoftmaxWithLoss}\n", "", r"net: has no loss .* add loss: \{type: Soft"),
        (
            "type: SoftmaxWithLoss",
            "type: Relu",
            "loss.type: unknown type Relu; known: AbsoluteE",
        ),
        ("{type: Relu}", "{type: SVMLoss}", "relu1.type: unknown type SVMLoss"),
        ("{type: Relu}", "{type: Loss}", "relu1.type: unknown type Loss"),
        (
            "n_out: 3",
            "n_out: 2",
            r"affine2: gives \(2,\) for a sample, but .* 3 classes",
        ),
        (
            "n_out: 3",
            "n_out: 4",
            r"affine2: gives \(4,\) for a sample, but .* 3 classes",
        ),
        ("n_out: 5", "n_out: 500000000000", "line 6: net.layers.affine1: Unable to allocate"),
        ("n_out: 5", "n_out: 5, init: {type: normal, std: -1}", "std is at least 0, got -1"),
        ("n_out: 5", "n_out: 5, init: {type: normal, sd: 1}", "initializer normal: takes std"),
        ("lr: 0.1", "lr: 0.1, momentum: 0.9", "optimizer.momentum: unknown key"),
        (
            "type: SGD",
            "type: Momentum, momentum: 1.0",
            "momentum: expects a number from 0 to",
        ),
        ("lr: 0.1", "lr: 0.1, decay: l3", "decay: expects one of l2, l1, decoupled"),
        ("lr: 0.1", "lr: 0.1, schedule: {type: stp}", "unknown schedule stp; did you mean step"),
        ("lr: 0.1", "lr: 0.1, schedule: step", "schedule step: takes gamma, step_size; missing"),
        (
            "lr: 0.1",
            "lr: 0.1, schedule: {type: step, gamma: 1}",
            "schedule step: .*missing step_s",
        ),
        ("lr: 0.1", "lr: 0.1, schedule: {type: exp, gamma: x}", "gamma: expects a number"),
        ("lr: 0.1", "lr: 0.1, schedule: {type: exp, gamma: [1]}", "gamma: .*, got a list"),
        ("relu1:", "loss:", '"loss" is the loss layer'),
    ],
)
def test_a_mistake_is_named(build, old, new, words):
    with pytest.raises(ConfigError, match=words):
        build(changed(old, new))


@pytest.mark.parametrize("section", ["dataset", "net", "optimizer"])
def test_a_missing_section(build, section):
    import yaml

    data = yaml.safe_load(GOOD)
    del data[section]
    with pytest.raises(ConfigError, match=f"the section {section}: is missing"):
        build(yaml.safe_dump(copy.deepcopy(data)))


def test_an_own_file_that_fails(build, tmp_path):
    (tmp_path / "bad.py").write_text("import nothing_of_this_name")
    with pytest.raises(ConfigError, match=r"bad\.py failed: ModuleNotFoundError"):
        build(changed("{type: Relu}", "{type: bad.py:Swish}"))
    (tmp_path / "other.py").write_text("class Swish: pass")
    with pytest.raises(ConfigError, match="is no Layer from"):
        build(changed("{type: Relu}", "{type: other.py:Swish}"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "def forward(self, X): return X",
            "NotImplementedError: Own has no backward, in back",
        ),
        ("def forward(self, X): pass", r"relu1 \(Own\): forward returned None; return the output"),
        (
            "def forward(self, X): return X\n    def backward(self, dout): pass",
            r"relu1 \(Own\): backward returned None, .*return dX",
        ),
        (
            "def forward(self, X): return X\n    def backward(self, dout): return dout[:, 1:]",
            r"relu1 \(Own\): backward returned dX of shape \(4, 4\), but the input had \(4, 5\)",
        ),
        (
            "def forward(self, X): return X @ X",
            r"ValueError: matmul.*in forward of relu1 \(Own\)",
        ),
        (
            "def __init__(self): self.s = Param(np.ones(5))",
            r"relu1\.s is float64, but affine1\.W is float32.*np\.float32",
        ),
    ],
)
def test_an_own_layer_that_does_not_work_is_named_before_the_run(build, tmp_path, body, words):
    (tmp_path / "own.py").write_text(
        "import numpy as np\nfrom lamina.layers import Layer, Param\n"
        f"class Own(Layer):\n    {body}\n"
    )
    with pytest.raises(ConfigError, match=words):
        build(changed("{type: Relu}", "{type: own.py:Own}"))


def test_files_are_written_back_with_their_whole_path(tmp_path):
    (tmp_path / "my_layers.py").write_text(OWN)
    (tmp_path / "c.yaml").write_text(changed("{type: Relu}", "{type: my_layers.py:Swish}"))
    config = load_config(tmp_path / "c.yaml")
    before = copy.deepcopy(config.data)
    kept = build_run(config, quiet=True).config.data
    assert kept["net"]["layers"]["relu1"]["type"] == f"{tmp_path / 'my_layers.py'}:Swish"
    assert config.data == before  # what is read stays as it is
    assert kept["training"] == {**before["training"], "threads": current_threads()}


def test_settings_of_every_kind_of_optimizer_come_through(build):
    text = changed(
        "{type: SGD, lr: 0.1}",
        "{type: Adam, lr: 0.01, beta1: 0.8, weight_decay: 0.1, decay: l1, clip_norm: 1, "
        "schedule: {type: multistep, gamma: 0.5, steps: [2, 4], warm_up: 1}}",
    )
    optimizer = build(text).optimizer
    assert (optimizer.beta1, optimizer.weight_decay, optimizer.clip_norm) == (0.8, 0.1, 1.0)
    assert [optimizer.schedule(i) for i in range(6)] == [0.5, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_an_initializer_with_settings(build):
    text = changed("n_out: 5", "n_out: 5, init: {type: constant, value: 0.25}")
    assert (build(text).net.layers["affine1"].W.data == 0.25).all()


def test_a_book_style_layer_is_told_how_to_train(build, tmp_path):
    (tmp_path / "book.py").write_text(
        "import numpy as np\nfrom lamina.layers import Layer\n"
        "class Scale(Layer):\n"
        "    def __init__(self):\n        self.W, self.dW = np.ones(5), None\n"
    )
    with pytest.raises(ConfigError, match=r"wrap it: self\.W = Param\(W\)"):
        build(changed("{type: Relu}", "{type: book.py:Scale}"))


def test_the_affine_class_is_the_one_of_the_room(build):
    assert type(build(GOOD).net.layers["affine1"]) is Affine


@pytest.mark.parametrize(
    ("shards", "message"),
    [
        ("0", "training.shards: expects at least 1, and no more than the 4 rows of a batch, got 0"),
        ("5", "training.shards: expects at least 1, and no more than the 4 rows of a batch, got 5"),
        ("2.0", "training.shards: expects a whole number, got a number 2.0; write it as 2"),
        ("many", "training.shards: expects a whole number or auto, got 'many'"),
    ],
)
def test_shards_that_cannot_be(build, shards, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        build(changed("batch_size: 4", f"batch_size: 4, shards: {shards}"))


def test_shards_that_are_measured_are_noted(config_of, monkeypatch):
    monkeypatch.setattr(build_trainer_module, "fastest_shards", lambda net, X, t, threads: 3)
    trainer, config = build_run(config_of(changed("batch_size: 4", "batch_size: 4, shards: auto")))
    assert len(trainer.nets) == config.data["training"]["shards"] == 3


def test_a_measurement_changes_nothing(config_of):
    first, again = (
        build_run(config_of(changed("batch_size: 4", f"batch_size: 4, shards: {shards}"))).trainer
        for shards in ("auto", "1")
    )
    assert len(first.nets) in (1, current_threads())
    for name, array in again.net.state().items():
        np.testing.assert_array_equal(first.net.state()[name], array)

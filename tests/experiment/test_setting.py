"""--set: one value of a configuration from the command line."""

import pytest
import yaml

from lamina.experiment.build_trainer import build_run, build_trainer
from lamina.experiment.config import ConfigError

TEXT = """
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

GRAPH = """
net:
  type: Graph
  layers: {a: {type: Affine, n_out: 5}, b: {type: Affine, n_out: 3, inputs: a}}
  outputs: [b]
"""

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def built(config_of):
    def build(*assignments, text=TEXT):
        config = config_of(text)
        for assignment in assignments:
            config.set(assignment)
        return build_trainer(config, quiet=True)

    return build


def test_keys_and_sections_that_the_file_does_not_have(built):
    trainer = built(
        "training.checkpoint.every=7",
        "optimizer.schedule.type=cosine",
        "optimizer.schedule.max_steps=30",
        "net.layers.affine1.params.W.lr_mult=2",
    )
    assert trainer.files.checkpoints.every == 7
    assert trainer.optimizer.schedule(15) == pytest.approx(0.5)
    assert trainer.net.layers["affine1"].W.lr_mult == 2


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("trainig.seed=1", r"^--set: trainig: unknown key; did you mean training\?"),
        ("training.chekpoint.every=1", r"^--set: training.chekpoint: unknown key; did you mean ch"),
        ("training.checkpoint.evry=1", r"^--set: training.checkpoint.evry: unknown key; did you"),
        ("dataset.flaten=false", r"^--set: dataset.flaten: unknown key"),
        ("optimizer.lr=fast", r"^--set: optimizer.lr: expects a number, got the text 'fast'"),
        ("optimizer.lr=-1", r"^--set: optimizer.lr: expects a positive number, got -1"),
        ("optimizer.momentum=0.9", r"^--set: optimizer.momentum: unknown key"),
        ("optimizer.schedule.type=cosinus", r"^--set: optimizer.schedule.type: unknown schedule"),
        ("optimizer.schedule.type=cosine", r"^--set: optimizer.schedule: .*missing max_steps"),
        ("training.iterations=0", r"^--set: training.iterations: expects at least 1"),
        ("training.batch_size=31", r"^--set: training.batch_size: expects 1 to 30"),
        ("training.checkpoint.every=0", r"^--set: training.checkpoint"),
        ("net.loss.type=MSELoss", r"^--set: net.loss.type: unknown type MSELoss; here it is"),
        (
            "net.layers.affine2.n_out=4",
            r"c.yaml, line 8, with --set net.layers.affine2.n_out: net.layers.affine2: gives",
        ),
        ("net.layers.relu1.type=Affine", r"c.yaml, line 7, with --set .*Affine needs n_out"),
    ],
)
def test_the_setting_is_blamed(built, assignment, words):
    with pytest.raises(ConfigError, match=words):
        built(assignment)


def test_what_the_file_says_is_not_blamed_on_a_setting(built):
    with pytest.raises(ConfigError, match=r"c.yaml, line 10: optimizer.lr: expects a number"):
        built("training.seed=1", text=TEXT.replace("lr: 0.1", "lr: fast"))


@pytest.mark.parametrize(
    ("place", "order"),
    [
        ("after: affine1", ["affine1", "drop", "relu1", "affine2"]),
        ("after: affine2", ["affine1", "relu1", "affine2", "drop"]),
        ("before: affine1", ["drop", "affine1", "relu1", "affine2"]),
    ],
)
def test_a_new_layer_with_a_place(config_of, place, order):
    config = config_of(TEXT)
    config.set(f"net.layers.drop={{type: Dropout, p: 0.25, {place}}}")
    trainer, effective = build_run(config, quiet=True)
    assert list(trainer.net.layers) == order
    assert trainer.net.layers["drop"].p == 0.25
    assert effective.data["net"]["layers"]["drop"] == {"type": "Dropout", "p": 0.25}


def test_layers_that_are_there_stay_where_they_are(config_of):
    config = config_of(TEXT)
    config.set("net.layers.relu1={type: Tanh}")
    config.set("net.layers.affine1.n_out=4")
    layers = build_trainer(config, quiet=True).net.layers
    assert [type(layer).__name__ for layer in layers.values()] == ["Affine", "Tanh", "Affine"]


def test_a_new_layer_in_a_nested_chain_and_in_a_graph(config_of):
    inner = "block: {type: Sequential, layers: {a: {type: Relu}, b: {type: Tanh}}}"
    config = config_of(TEXT.replace("relu1: {type: Relu}", inner))
    with pytest.raises(ConfigError, match="a new layer needs a place"):
        config.set("net.layers.block.layers.c={type: Elu}")
    config.set("net.layers.block.layers.c={type: Elu, before: b}")
    assert list(build_trainer(config, quiet=True).net.layers["block"].layers) == ["a", "c", "b"]
    graph = config_of(GRAPH)
    with pytest.raises(ConfigError, match="a new layer needs a place"):
        graph.set("net.layers.c={type: Relu}")
    graph.set("net.layers.c={type: Relu, inputs: a}")
    assert graph.data["net"]["layers"]["c"] == {"type": "Relu", "inputs": "a"}


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        (
            "net.layers.drop={type: Dropout}",
            r"there is no net.layers.drop; .*a new layer needs a place: --set "
            r"'net.layers.drop=\{type: TYPE, after: affine2\}', or before: NAME",
        ),
        ("net.layers.drop.p=0.5", "there is no net.layers.drop; .*needs a place"),
        ("net.layers.afine1.n_out=5", r"no net.layers.afine1; did you mean affine1\?"),
        ("net.layers.drop=Dropout", "needs a place"),
        ("net.layers.drop={type: Dropout, after: relu1, before: affine1}", "needs a place"),
        ("net.layers.d={type: Relu, after: relu2}", r"after: there is no layer relu2; did you m"),
        ("net.layers.d={type: Relu, after: [relu1]}", r"after: there is no layer \['relu1'\]"),
    ],
)
def test_a_new_layer_without_a_place_is_refused(config_of, assignment, words):
    config = config_of(TEXT)
    with pytest.raises(ConfigError, match=words):
        config.set(assignment)
    assert config.data == yaml.safe_load(TEXT)


def test_a_net_without_layers_gets_no_layers_of_another(built):
    begin, end = TEXT.index("  type: Seq"), TEXT.index("optimizer")
    text = f"{TEXT[:begin]}  type: LeNet\n{TEXT[end:]}".replace("Tiny}", "Tiny, images: true}")
    with pytest.raises(ConfigError, match=r"--set: net.layers: unknown key"):
        built("net.layers.drop={type: Dropout}", text=text)


def test_epochs_take_the_place_of_iterations(built):
    trainer = built("training.epochs=2")
    assert trainer.plan.iterations == 15  # 30 samples, batches of 4
    for order in (
        ("training.epochs=null", "training.iterations=7"),
        ("training.iterations=7", "training.epochs=null"),
    ):
        assert built(*order).plan.iterations == 7
    with pytest.raises(ConfigError, match=r"training.epochs is set too, and both say the same"):
        built("training.epochs=2", "training.iterations=7")

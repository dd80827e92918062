"""What other frameworks call it is answered with our name."""

import pytest

from lamina.experiment import rooms
from lamina.experiment.build_trainer import TRAINING_KEYS
from lamina.experiment.config import ConfigError
from lamina.experiment.foreign_names import EXPLAINED, KEYS, TYPES, in_our_words
from lamina.experiment.section import _parameters

ROOMS = (rooms.LAYERS, rooms.LOSSES, rooms.OPTIMIZERS, rooms.DATASETS)
# Losses, and a key of training, that are on their way.

TEXT = """
dataset: {type: Tiny, images: false}
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


@pytest.mark.parametrize("foreign", TYPES)
def test_every_foreign_type_is_answered_with_a_class_of_ours(foreign):
    ours = {name for room in ROOMS for name in room.ours()}
    assert foreign not in ours, "a name of ours is none of others"
    assert TYPES[foreign] in ours
    assert in_our_words(foreign, ours, TYPES) == f"; here it is called {TYPES[foreign]}"


@pytest.mark.parametrize("foreign", KEYS)
def test_every_foreign_key_is_answered_with_a_key_of_ours(foreign):
    classes = [cls for room in ROOMS for cls in room.ours().values()]
    ours = {name for cls in classes for name in _parameters(cls)} | set(TRAINING_KEYS)
    assert foreign not in ours, "a name of ours is none of others"
    assert KEYS[foreign] in ours
    assert in_our_words(foreign, ours, KEYS) == f"; here it is called {KEYS[foreign]}"


@pytest.mark.parametrize("name", EXPLAINED)
def test_every_explanation_is_given(name):
    assert in_our_words(name, ["n_in", "n_out"], KEYS, EXPLAINED) == f"; {EXPLAINED[name]}"


def test_a_foreign_name_that_has_no_place_here_is_not_answered_with_ours():
    assert in_our_words("Linear", ["SGD", "Adam"], TYPES) == "; known: Adam, SGD"
    assert in_our_words("units", ["p"], KEYS, EXPLAINED) == "; known: p"


def test_a_capital_off_is_ours_before_anything_near():
    known = ["Elu", "Gelu", "PRelu", "Relu", "LeakyRelu"]
    for typed, ours in (("ReLU", "Relu"), ("GELU", "Gelu"), ("LeakyReLU", "LeakyRelu")):
        assert in_our_words(typed, known, TYPES) == f"; did you mean {ours}?"


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("type: Affine, n_out: 5", "type: Linear, n_out: 5", "type Linear; here it is called Aff"),
        ("type: Affine, n_out: 5", "type: conv2d", "unknown type conv2d; here it is called Conv"),
        ("{type: Relu}", "{type: SiLU}", "unknown type SiLU; here it is called Swish"),
        ("{type: Relu}", "{type: ReLU}", r"unknown type ReLU; did you mean Relu\?"),
        (
            "SoftmaxWithLoss",
            "CrossEntropyLoss",
            "line 9: net.loss.type: unknown type CrossEntropyLoss; here it is called SoftmaxWithLo",
        ),
        ("n_out: 5", "units: 5", "affine1.units: unknown key; here it is called n_out"),
        ("n_out: 5", "n_out: 5, activation: relu", "activation: unknown key; an activation is a"),
        ("lr: 0.1", "learning_rate: 0.1", "learning_rate: unknown key; here it is called lr"),
        ("lr: 0.1", "lr: 0.1, momentum: 0.9", "momentum: unknown key; this is a type of its own"),
        ("iterations: 20", "max_iter: 20", "max_iter: unknown key; here it is called iterations"),
        ("seed: 3", "shuffle: true", "shuffle: unknown key; the training samples are always"),
        ("seed: 3", "lr: 0.1", "training.lr: unknown key; the learning rate stands in the section"),
    ],
)
def test_what_newcomers_type(build, old, new, words):
    assert old in TEXT
    with pytest.raises(ConfigError, match=words):
        build(TEXT.replace(old, new))

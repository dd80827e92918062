"""The options of losses from YAML: lists, numbers, nothing; and what is said to wrong ones."""

import pytest

from lamina.experiment.config import ConfigError
from lamina.layers import SoftmaxWithLoss

pytestmark = pytest.mark.usefixtures("tiny")
LOSS = "{type: SoftmaxWithLoss}"
GOOD = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers:
    affine: {type: Affine, n_out: 3}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 20, batch_size: 4, seed: 3}
"""


def test_options_arrive(build):
    options = "class_weights: [1, 0.5, 2], label_smoothing: 0.1, reduction: sum"
    net = build(GOOD.replace(LOSS, f"{{type: SoftmaxWithLoss, {options}}}")).net
    (loss,) = (held for _, held in net.walk() if isinstance(held, SoftmaxWithLoss))
    assert loss.class_weights == (1.0, 0.5, 2.0)
    assert (loss.ignore_index, loss.label_smoothing, loss.reduction) == (None, 0.1, "sum")
    build(GOOD.replace(LOSS, "{type: SVMLoss, class_weights: [1, 1, 0], margin: 2}"))
    build(GOOD.replace(LOSS, "{type: SoftmaxWithLoss, class_weights: null, ignore_index: null}"))


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("type: SoftmaxWithLoss, class_weights: [1, 2]", "has 2 numbers, and the scores are of 3"),
        ("type: SoftmaxWithLoss, class_weights: [1, 2, -3]", "positive or zero, got -3"),
        ("type: SoftmaxWithLoss, class_weights: [1, 2, a]", "a list of numbers, got 'a' in it"),
        ("type: SoftmaxWithLoss, class_weights: 2.0", "class_weights: expects a list"),
        ("type: SoftmaxWithLoss, ignore_index: 0.5", "ignore_index: expects a whole number"),
        ("type: SoftmaxWithLoss, label_smoothing: 2", "label_smoothing is from 0 to 1, got 2"),
        ("type: SVMLoss, label_smoothing: 0.1", "label_smoothing: unknown key"),
        ("type: CrossEntropyError", "expects probabilities.*use SoftmaxWithLoss on the scores"),
        ("type: SoftmaxWithLoss, ignore_index: -1", "is -1 for the loss, but None for the data"),
        ("type: HuberLoss, delta: 0", "delta is positive, got 0"),
        ("type: ClassificationLoss", "unknown type ClassificationLoss"),
        ("type: SigmoidWithLoss", r"SigmoidWithLoss compares .* take {type: SoftmaxWithLoss"),
        ("type: AbsoluteErrorLoss", r"AbsoluteErrorLoss compares .* take {type: SoftmaxWithLoss"),
    ],
)
def test_wrong_options_are_errors_of_the_configuration(build, loss, words):
    with pytest.raises(ConfigError, match=words):
        build(GOOD.replace(LOSS, f"{{{loss}}}"))

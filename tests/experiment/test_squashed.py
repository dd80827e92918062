"""A net that squashes its scores before a loss on scores is refused, or said to be odd."""

import numpy as np
import pytest

from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import ConfigError
from lamina.experiment.probabilities import has_probabilities, probabilities
from lamina.layers import Sigmoid

pytestmark = pytest.mark.usefixtures("tiny")

HEAD = "dataset: {type: Tiny}\nnet:\n"
TAIL = "optimizer: {type: SGD, lr: 0.1}\ntraining: {iterations: 5, batch_size: 4}\n"

CHAIN = """
  type: Sequential
  layers:
    affine1: {type: Affine, n_out: 3}
    end: {type: %s}
  loss: {type: %s}
"""
DEEP = """
  type: Sequential
  layers:
    affine1: {type: Affine, n_out: 3}
    inner: {type: Sequential, layers: {end: {type: %s}, drop: {type: Dropout, p: 0.1}}}
    flat: {type: Flatten}
  loss: {type: %s}
"""
GRAPH = """
  type: Graph
  layers:
    affine1: {type: Affine, n_out: 3, inputs: X}
    end: {type: %s}
    more: {type: Affine, n_out: 3, inputs: end}
  outputs: [more, end]
  losses:
    main: {type: SoftmaxWithLoss}
    side: {type: %s, input: end}
"""
PAIR = ("Softmax", "SoftmaxWithLoss")
NETS = {"end": CHAIN, "inner.end": DEEP, "graph": GRAPH}


def line_of(where):
    lines = (HEAD + NETS[where]).splitlines()
    return 1 + next(i for i, line in enumerate(lines) if "type: %s" in line)


@pytest.fixture
def net_of(config_of):
    def build(text):
        config = config_of(HEAD + text + TAIL)
        return build_net(config, build_dataset(config), np.random.default_rng(0))

    return build


@pytest.mark.parametrize("where", NETS)
@pytest.mark.parametrize("last", ["Softmax", "Sigmoid"])
@pytest.mark.parametrize("loss", ["SoftmaxWithLoss", "SVMLoss"])
def test_squashed_scores_are_refused(net_of, where, last, loss):
    name = "end" if where == "graph" else where
    with pytest.raises(ConfigError, match=rf"{name} \({last}\) .*{loss}.*take {name} out") as error:
        net_of(NETS[where] % (last, loss))
    assert ("CrossEntropyError" in str(error.value)) == ((last, loss) == PAIR)
    assert f"c.yaml, line {line_of(where)}: net.layers.{name.split('.')[0]}: " in str(error.value)


@pytest.mark.parametrize("where", NETS)
@pytest.mark.parametrize("last", ["Relu", "Softplus", "Tanh"])
def test_a_bent_score_is_said_on_stderr(net_of, where, last, capsys):
    net_of(NETS[where] % (last, "SoftmaxWithLoss"))
    name = "end" if where == "graph" else where
    said = capsys.readouterr().err
    assert f"{name} ({last}) gives numbers" in said
    assert f"take {name} out" in said


@pytest.mark.parametrize("where", NETS)
@pytest.mark.parametrize("last", ["Sigmoid", "Relu", "BatchNormalization", "Gelu"])
def test_what_is_no_probability_is_refused_before_a_cross_entropy(net_of, where, last):
    with pytest.raises(ConfigError, match=rf"end \({last}\) gives no probabilities"):
        net_of(NETS[where] % (last, "CrossEntropyError"))


@pytest.mark.parametrize("where", NETS)
@pytest.mark.parametrize(
    ("last", "loss"),
    [
        ("Softmax", "CrossEntropyError"),
        ("Sigmoid", "SquaredErrorLoss"),
        ("Softmax", "SquaredErrorLoss"),
        ("Relu", "SquaredErrorLoss"),
        ("LeakyRelu", "SoftmaxWithLoss"),
        ("BatchNormalization", "SVMLoss"),
        ("Flatten", "SoftmaxWithLoss"),
    ],
)
def test_what_fits_is_let_through_without_a_word(net_of, where, last, loss, capsys):
    net_of(NETS[where] % (last, loss))
    assert not capsys.readouterr().err


BESIDE = """
  type: Graph
  layers:
    last: {type: Affine, n_out: 3, inputs: X}
    affine1: {type: Affine, n_out: 1, inputs: X}
    end: {type: Sigmoid, inputs: affine1}
  outputs: [last, end]
  losses:
    main: {type: SoftmaxWithLoss}
    side: {type: SigmoidWithLoss, input: end, target: u}
"""


def test_a_head_with_targets_of_its_own_is_looked_at_too(net_of):
    with pytest.raises(ConfigError, match=r"end \(Sigmoid\).*has a sigmoid of its own: take end"):
        net_of(BESIDE)
    net_of(BESIDE.replace("type: Sigmoid,", "type: LeakyRelu,"))


def test_a_layer_of_ones_own_is_let_through(net_of, monkeypatch):
    class Softmax(Sigmoid):
        pass

    text = CHAIN % ("Sigmoid", "SoftmaxWithLoss")
    with monkeypatch.context() as patched:
        patched.setattr("lamina.training.squashed.layers.Sigmoid", Softmax)
        net_of(text)
    with pytest.raises(ConfigError):
        net_of(text)


JUDGED = """
  type: Graph
  layers:
    affine1: {type: Affine, n_out: 3, inputs: X}
    end: {type: %s, inputs: affine1}
  outputs: [%s]
  losses:
    main: {type: %s, input: affine1}
"""


@pytest.mark.parametrize("outputs", ["end", "end, affine1"])
@pytest.mark.parametrize("last", ["Softmax", "Sigmoid", "Relu"])
def test_classes_are_judged_by_the_scores_that_a_loss_reads(net_of, outputs, last):
    """Else a softmax is taken of probabilities, and of yes and no all are yes."""
    with pytest.raises(ConfigError) as info:
        net_of(JUDGED % (last, outputs, "SoftmaxWithLoss"))
    said = (
        "net.outputs: the net is judged by its first output, end, which no loss reads (main reads "
    )
    assert f"{said}affine1): let the outputs begin with affine1" in str(info.value)
    net = net_of(JUDGED % (last, "affine1, end", "SoftmaxWithLoss"))
    assert net.loss_of_scores is net.heads["main"].loss


def test_the_loss_of_the_scores_need_not_be_the_first(net_of):
    net = net_of(BESIDE.replace("Sigmoid,", "LeakyRelu,"))
    assert net.loss_of_scores is net.loss_layer
    lines = BESIDE.replace("Sigmoid,", "LeakyRelu,").splitlines()
    turned = net_of("\n".join([*lines[:-2], lines[-1], lines[-2]]) + "\n")
    assert list(turned.heads) == ["side", "main"]
    assert turned.loss_of_scores is turned.heads["main"].loss
    assert has_probabilities(turned)
    scores = np.array([[2.0, 1.0, -1.0]])
    np.testing.assert_allclose(probabilities(turned, scores), np.exp(scores) / np.exp(scores).sum())

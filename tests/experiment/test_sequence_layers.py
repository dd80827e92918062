"""Layers for sequences from YAML: sizes that follow, and sizes that do not fit."""

import numpy as np
import pytest

from lamina.experiment.build_net import build_net
from lamina.experiment.config import ConfigError

GRAPH = """
dataset: {type: Tiny}
net:
  type: Graph
  layers:
    wide: {type: Affine, n_out: 12, inputs: X}
    rows: {type: Reshape, shape: [3, 4]}
    positions: {type: PositionalEncoding, learned: 3}
    attention: {type: MultiHeadAttention, n_heads: 2, causal: true}
    norm: {type: RMSNormalization}
    last: {type: LastStep}
    everywhere: {type: Repeat, inputs: [last, positions]}
    cross: {type: MultiHeadAttention, n_heads: 4, cross: true, inputs: [everywhere, norm]}
    peeky: {type: Concatenation, axis: 2, inputs: [everywhere, cross]}
    flat: {type: Flatten}
    scores: {type: Affine, n_out: 3, bias: false}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
"""


@pytest.fixture
def net_of(tiny, config_of):
    return lambda text: build_net(config_of(text), tiny(), 0)


def test_sizes_follow_from_the_data(net_of):
    net = net_of(GRAPH)
    shapes = {name: parameter.data.shape for name, parameter in net.parameters().items()}
    assert shapes["positions.P"] == (3, 4)
    assert shapes["attention.W"] == shapes["cross.W"] == (4, 12)
    assert shapes["norm.gamma"] == (4,)
    assert shapes["scores.W"] == (24, 3)
    assert "scores.b" not in shapes
    assert net.predict(np.zeros((5, 4), np.float32)).shape == (5, 3)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("n_heads: 2", "n_heads: 3", "line 9.*attention: .*n_heads must divide n_dims.*n_dims 4"),
        ("n_heads: 2, ", "", "line 9.*attention: MultiHeadAttention needs n_heads"),
        ("cross: true, ", "", r"line 13.*cross: \(MultiHeadAttention\) expects a mask \(N, 3\)"),
        (", inputs: [everywhere, norm]", "", "line 13.*X and a source S.*got.*from everywhere"),
        ("learned: 3", "learned: 2", r"line 8.*positions: .*at most 2 positions"),
        ("learned: 3", "learned: true", "line 8.*positions.learned: expects"),
        ("inputs: [last, positions]", "inputs: last", "line 12.*everywhere: .*that says how often"),
        ("type: RMSNormalization", "type: RMSNorm", "line 10.*here it is called RMSNormalization"),
    ],
)
def test_sizes_that_do_not_fit(net_of, old, new, words):
    assert old in GRAPH
    with pytest.raises(ConfigError, match=words):
        net_of(GRAPH.replace(old, new))

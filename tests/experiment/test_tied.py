"""Weights shared between layers from YAML, in either orientation, and what is refused."""

import numpy as np
import pytest

from lamina.experiment.build_net import build_net
from lamina.experiment.config import ConfigError
from lamina.nets import load_net

YAML = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers:
    first: {type: Affine, n_out: 6}
    inner: {type: Sequential, layers: {relu: {type: Relu}, deep: {type: Affine, n_out: 5}}}
    wide: {type: Affine, n_out: 6, tied: inner.deep.W}
    back: {type: Affine, n_out: 4, tied: first.W, bias: false}
    last: {type: Affine, n_out: 3}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
"""


@pytest.fixture
def net_of(tiny, config_of):
    return lambda text: build_net(config_of(text), tiny(), 0)


def test_from_yaml(net_of):
    net = net_of(YAML)
    assert net.layers["back"].W is net.layers["first"].W
    assert net.layers["wide"].W is net.layers["inner"].layers["deep"].W
    assert net.layers["wide"].transposed
    assert net.layers["wide"].b is not None
    assert list(net.structure()["layers"]["back"]) == ["type", "n_in", "n_out", "bias", "tied"]
    assert net.structure()["layers"]["back"]["tied"] == "first.W"
    # What is drawn for the others is what it was without.
    untied = net_of(YAML.replace(", tied: inner.deep.W", "").replace(", tied: first.W", ""))
    np.testing.assert_array_equal(net.layers["last"].W.data, untied.layers["last"].W.data)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tied: first.W", "tied: frist.W", "tied: no parameter frist.W is made.*mean first.W"),
        ("tied: first.W", "tied: first", "tied: no parameter first is made before this layer"),
        ("tied: first.W", "tied: last.W", "tied: no parameter last.W is made before this layer"),
        ("tied: first.W", "tied: 3", "back.tied: expects a text"),
        ("tied: first.W", "tied: first.b", r"back.* \(6, 4\), or transposed \(4, 6\); got \(6,\)"),
        ("tied: first.W", "tied: first.W, transposed: 1", "back.transposed: expects true or fal"),
        ("tied: first.W", "tied: first.W, transposed: false", r"back.*transposed=False; got"),
        ("tied: first.W", "transposed: true", "back.*transposed.*is for a tied W"),
        ("n_out: 4, tied", "n_out: 9, tied", r"back.*n_in 6 and n_out 9 .*got \(4, 6\)"),
    ],
)
def test_errors_in_yaml_name_the_place(net_of, old, new, words):
    assert old in YAML
    with pytest.raises(ConfigError, match=f"c.yaml, line 9.*{words}"):
        net_of(YAML.replace(old, new))


OWN = '''
import numpy as np

from lamina.layers import Layer, Param


class Scores(Layer):
    """Y = s X Wᵀ with the W of another layer, and a factor of its own."""

    def __init__(self, table: Param, *, start: float = 1.0, dtype=np.float32):
        self.s, self.table = Param(np.full((), start, dtype)), table

    def forward(self, X):
        self.X, self.Z = X, X @ self.table.data.T
        return self.s.data * self.Z

    def backward(self, dout):
        self.s.accumulate((dout * self.Z).sum())
        self.table.accumulate(self.s.data * (dout.T @ self.X))
        return self.s.data * (dout @ self.table.data)

    def output_shape(self, input_shape):
        return (len(self.table.data),)
'''


OWN_NET = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers:
    first: {type: Affine, n_out: 3}
    small: {type: Affine, n_out: 6}
    last: {type: "own_scores.py:Scores", table: small.W, start: 2.0}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
"""


def test_a_layer_of_ones_own_may_take_a_parameter(net_of, tmp_path):
    """Whatever is annotated as a Param is said by name; the file of a net says it too."""
    own = tmp_path / "own_scores.py"
    own.write_text(OWN, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"last.table: no parameter smal.W .*mean small.W"):
        net_of(OWN_NET.replace("small.W", "smal.W"))
    net = net_of(OWN_NET)
    assert net.layers["last"].table is net.layers["small"].W
    described = net.structure()["layers"]["last"]
    assert described == {"type": f"{own}:Scores", "table": "small.W", "start": 2.0}
    net.save(tmp_path / "net.npz")
    again = load_net(tmp_path / "net.npz", code=[own])
    assert again.layers["last"].table is again.layers["small"].W
    X = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(again.predict(X), net.predict(X))

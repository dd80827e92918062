"""What a layer, a rule or a loss does unless told otherwise, as its source or PyTorch has it.

Everybody's results hang on these numbers, and no gradient check would notice another one.
"""

import inspect

import pytest

from lamina import layers, nets, optimizers
from lamina.layers.initializers import he_normal, normal, xavier_uniform

DEFAULTS = {
    # The same in PyTorch.
    layers.Dropout: {"p": 0.5},
    layers.LeakyRelu: {"slope": 0.01},
    layers.Elu: {"alpha": 1.0},
    layers.PRelu: {"slope": 0.25, "n_channels": 1},
    layers.BatchNormalization: {"momentum": 0.9, "eps": 1e-5},  # PyTorch's momentum is 1 - ours
    layers.LayerNormalization: {"eps": 1e-5},
    layers.GroupNormalization: {"eps": 1e-5},
    layers.LocalResponseNormalization: {"alpha": 1e-4, "beta": 0.75, "k": 1.0},
    layers.Embedding: {"init": normal},
    layers.Convolution: {"stride": 1, "padding": 0, "bias": True, "init": he_normal},
    layers.TransposedConvolution: {"stride": 1, "padding": 0, "output_padding": 0, "bias": True},
    layers.MaxPooling: {"stride": None, "padding": 0, "partial": False},
    layers.AveragePooling: {"stride": None, "padding": 0, "partial": False},
    layers.SoftmaxWithLoss: {"reduction": "mean"},
    # Glorot and Bengio 2010 instead of PyTorch's uniform ones.
    layers.Gru: {"reverse": False, "init": xavier_uniform},
    layers.Lstm: {"forget_bias": 1.0, "init": xavier_uniform},  # PyTorch's biases are all drawn
    layers.Rnn: {"activation": "tanh", "reverse": False, "init": xavier_uniform},
    layers.MultiHeadAttention: {"bias": True, "dropout": 0.0, "init": xavier_uniform},
    # PyTorch takes the smallest number of the dtype.
    layers.RMSNormalization: {"eps": 1e-5},
    # He et al. 2015 instead of PyTorch's uniform ones.
    layers.Affine: {"init": he_normal},
    # Note 002 has ½ ‖t - y‖², note 000 a margin of 1.
    layers.SquaredErrorLoss: {"reduction": "mean", "factor": 0.5},
    layers.SVMLoss: {"reduction": "mean", "margin": 1.0},
    # Caffe.
    layers.ContrastiveLoss: {"reduction": "mean", "margin": 1.0, "legacy": False},
    layers.Power: {"power": 1.0, "scale": 1.0, "shift": 0.0},
    # Note 004.
    nets.TwoLayerNet: {"weight_init_std": 0.01},
    # The sources of the rules.
    optimizers.Momentum: {"momentum": 0.9},
    optimizers.Nesterov: {"momentum": 0.9},
    optimizers.RMSProp: {"lr": 0.001, "rho": 0.9, "eps": 1e-8},
    optimizers.Adam: {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
    optimizers.AdamW: {
        **{"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8},
        "weight_decay": 0.01,
    },
}


@pytest.mark.parametrize("cls", DEFAULTS, ids=lambda cls: cls.__name__)
def test_unless_told_otherwise(cls):
    given = inspect.signature(cls).parameters
    assert {name: given[name].default for name in DEFAULTS[cls]} == DEFAULTS[cls]

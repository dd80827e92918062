"""Layers: one file each. A new one is a file here and a line in this list."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.layers import ...")

from lamina.layers.absolute_error_loss import AbsoluteErrorLoss
from lamina.layers.affine import Affine
from lamina.layers.auto_layer import AutoLayer
from lamina.layers.average_pooling import AveragePooling
from lamina.layers.base import Layer, Param, State
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.carried import Carried
from lamina.layers.concatenation import Concatenation
from lamina.layers.contrastive_loss import ContrastiveLoss
from lamina.layers.convolution import Convolution
from lamina.layers.convolution1d import Convolution1d
from lamina.layers.cross_entropy_error import CrossEntropyError
from lamina.layers.dot_products import DotProducts
from lamina.layers.dropout import Dropout
from lamina.layers.elu import Elu
from lamina.layers.embedding import Embedding
from lamina.layers.errors import ShapeError, StepError
from lamina.layers.flatten import Flatten
from lamina.layers.gates import Addition, Copy, Maximum, Multiplication, Step
from lamina.layers.gelu import Gelu
from lamina.layers.global_average_pooling import GlobalAveragePooling
from lamina.layers.group_normalization import GroupNormalization
from lamina.layers.gru import Gru
from lamina.layers.huber_loss import HuberLoss
from lamina.layers.last_step import LastStep
from lamina.layers.layer_normalization import LayerNormalization
from lamina.layers.leaky_relu import LeakyRelu
from lamina.layers.local_response_normalization import LocalResponseNormalization
from lamina.layers.log_softmax import LogSoftmax
from lamina.layers.loss import Loss
from lamina.layers.lstm import Lstm
from lamina.layers.max_pooling import MaxPooling
from lamina.layers.mean_step import MeanStep
from lamina.layers.multi_head_attention import MultiHeadAttention
from lamina.layers.negative_sampling_loss import NegativeSamplingLoss
from lamina.layers.padding import Padding
from lamina.layers.positional_encoding import PositionalEncoding
from lamina.layers.power import Power
from lamina.layers.prelu import PRelu
from lamina.layers.random_crop import RandomCrop
from lamina.layers.relu import Relu
from lamina.layers.repeat import Repeat
from lamina.layers.reshape import Reshape
from lamina.layers.rms_normalization import RMSNormalization
from lamina.layers.rnn import Rnn
from lamina.layers.scale import Bias, Scale
from lamina.layers.sigmoid import Sigmoid
from lamina.layers.sigmoid_with_loss import SigmoidWithLoss
from lamina.layers.slice import Slice
from lamina.layers.softmax import Softmax
from lamina.layers.softmax_with_loss import SoftmaxWithLoss
from lamina.layers.softplus import Softplus
from lamina.layers.squared_error_loss import SquaredErrorLoss
from lamina.layers.svm_loss import SVMLoss
from lamina.layers.swish import Swish
from lamina.layers.tanh import Tanh
from lamina.layers.transpose import Transpose
from lamina.layers.transposed_convolution import TransposedConvolution

__all__ = [
    "AbsoluteErrorLoss",
    "Addition",
    "Affine",
    "AutoLayer",
    "AveragePooling",
    "BatchNormalization",
    "Bias",
    "Carried",
    "Concatenation",
    "ContrastiveLoss",
    "Convolution",
    "Convolution1d",
    "Copy",
    "CrossEntropyError",
    "DotProducts",
    "Dropout",
    "Elu",
    "Embedding",
    "Flatten",
    "Gelu",
    "GlobalAveragePooling",
    "GroupNormalization",
    "Gru",
    "HuberLoss",
    "LastStep",
    "Layer",
    "LayerNormalization",
    "LeakyRelu",
    "LocalResponseNormalization",
    "LogSoftmax",
    "Loss",
    "Lstm",
    "MaxPooling",
    "Maximum",
    "MeanStep",
    "MultiHeadAttention",
    "Multiplication",
    "NegativeSamplingLoss",
    "PRelu",
    "Padding",
    "Param",
    "PositionalEncoding",
    "Power",
    "RMSNormalization",
    "RandomCrop",
    "Relu",
    "Repeat",
    "Reshape",
    "Rnn",
    "SVMLoss",
    "Scale",
    "ShapeError",
    "Sigmoid",
    "SigmoidWithLoss",
    "Slice",
    "Softmax",
    "SoftmaxWithLoss",
    "Softplus",
    "SquaredErrorLoss",
    "State",
    "Step",
    "StepError",
    "Swish",
    "Tanh",
    "Transpose",
    "TransposedConvolution",
]

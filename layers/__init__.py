"""Layers: one file each. A new one is a file here and a line in this list."""

from layers.affine import Affine
from layers.auto_layer import AutoLayer
from layers.average_pooling import AveragePooling
from layers.base import Layer, Param, State
from layers.batch_normalization import BatchNormalization
from layers.concatenation import Concatenation
from layers.convolution import Convolution
from layers.cross_entropy_error import CrossEntropyError
from layers.dropout import Dropout
from layers.elu import Elu
from layers.embedding import Embedding
from layers.errors import ShapeError
from layers.flatten import Flatten
from layers.gates import Addition, Copy, Maximum, Multiplication, Step
from layers.gelu import Gelu
from layers.global_average_pooling import GlobalAveragePooling
from layers.group_normalization import GroupNormalization
from layers.layer_normalization import LayerNormalization
from layers.leaky_relu import LeakyRelu
from layers.loss import Loss
from layers.max_pooling import MaxPooling
from layers.prelu import PRelu
from layers.relu import Relu
from layers.reshape import Reshape
from layers.sigmoid import Sigmoid
from layers.slice import Slice
from layers.softmax import Softmax
from layers.softmax_with_loss import SoftmaxWithLoss
from layers.softplus import Softplus
from layers.squared_error_loss import SquaredErrorLoss
from layers.svm_loss import SVMLoss
from layers.swish import Swish
from layers.tanh import Tanh

__all__ = [
    "Addition",
    "Affine",
    "AutoLayer",
    "AveragePooling",
    "BatchNormalization",
    "Concatenation",
    "Convolution",
    "Copy",
    "CrossEntropyError",
    "Dropout",
    "Elu",
    "Embedding",
    "Flatten",
    "Gelu",
    "GlobalAveragePooling",
    "GroupNormalization",
    "Layer",
    "LayerNormalization",
    "LeakyRelu",
    "Loss",
    "MaxPooling",
    "Maximum",
    "Multiplication",
    "PRelu",
    "Param",
    "Relu",
    "Reshape",
    "SVMLoss",
    "ShapeError",
    "Sigmoid",
    "Slice",
    "Softmax",
    "SoftmaxWithLoss",
    "Softplus",
    "SquaredErrorLoss",
    "State",
    "Step",
    "Swish",
    "Tanh",
]

"""Layers: one file each. A new one is a file here and a line in this list."""

from layers.affine import Affine
from layers.auto_layer import AutoLayer
from layers.base import Layer, Param, State
from layers.batch_normalization import BatchNormalization
from layers.convolution import Convolution
from layers.cross_entropy_error import CrossEntropyError
from layers.dropout import Dropout
from layers.elu import Elu
from layers.embedding import Embedding
from layers.errors import ShapeError
from layers.flatten import Flatten
from layers.gates import Addition, Copy, Maximum, Multiplication, Step
from layers.gelu import Gelu
from layers.leaky_relu import LeakyRelu
from layers.loss import Loss
from layers.relu import Relu
from layers.sigmoid import Sigmoid
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
    "BatchNormalization",
    "Convolution",
    "Copy",
    "CrossEntropyError",
    "Dropout",
    "Elu",
    "Embedding",
    "Flatten",
    "Gelu",
    "Layer",
    "LeakyRelu",
    "Loss",
    "Maximum",
    "Multiplication",
    "Param",
    "Relu",
    "SVMLoss",
    "ShapeError",
    "Sigmoid",
    "Softmax",
    "SoftmaxWithLoss",
    "Softplus",
    "SquaredErrorLoss",
    "State",
    "Step",
    "Swish",
    "Tanh",
]

"""Layers: one file each. A new one is a file here and a line in this list."""

from layers.affine import Affine
from layers.base import Layer, Param, State
from layers.batch_normalization import BatchNormalization
from layers.convolution import Convolution
from layers.dropout import Dropout
from layers.embedding import Embedding
from layers.errors import ShapeError
from layers.flatten import Flatten
from layers.loss import Loss
from layers.relu import Relu
from layers.softmax_with_loss import SoftmaxWithLoss
from layers.svm_loss import SVMLoss

__all__ = [
    "Affine",
    "BatchNormalization",
    "Convolution",
    "Dropout",
    "Embedding",
    "Flatten",
    "Layer",
    "Loss",
    "Param",
    "Relu",
    "SVMLoss",
    "ShapeError",
    "SoftmaxWithLoss",
    "State",
]

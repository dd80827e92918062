"""Layers: one file each. A new one is a file here and a line in this list."""

from layers.affine import Affine
from layers.base import Layer, Param, State
from layers.errors import ShapeError
from layers.relu import Relu
from layers.softmax_with_loss import SoftmaxWithLoss

__all__ = ["Affine", "Layer", "Param", "Relu", "ShapeError", "SoftmaxWithLoss", "State"]

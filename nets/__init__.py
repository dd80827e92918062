"""Nets: layers put together. A net is a layer itself."""

from nets.convnets import DeepConvNet, LeNet, SimpleConvNet
from nets.graph import Graph, Head
from nets.net import Net
from nets.residual_net import ResidualNet
from nets.sequential import Sequential
from nets.summary import summary
from nets.two_layer_net import TwoLayerNet
from nets.wiring import Node, WiringError

__all__ = [
    "DeepConvNet",
    "Graph",
    "Head",
    "LeNet",
    "Net",
    "Node",
    "ResidualNet",
    "Sequential",
    "SimpleConvNet",
    "TwoLayerNet",
    "WiringError",
    "summary",
]

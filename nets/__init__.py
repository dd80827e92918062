"""Nets: layers put together. A net is a layer itself."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.nets import ...")

from lamina.nets.convnets import DeepConvNet, LeNet, SimpleConvNet
from lamina.nets.from_structure import net_from_structure
from lamina.nets.graph import Graph
from lamina.nets.head import Head
from lamina.nets.net import Net
from lamina.nets.net_file import load_net
from lamina.nets.residual_net import ResidualNet
from lamina.nets.sequential import Sequential
from lamina.nets.structure import StructureError
from lamina.nets.summary import summary
from lamina.nets.two_layer_net import TwoLayerNet
from lamina.nets.wiring import Node, WiringError

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
    "StructureError",
    "TwoLayerNet",
    "WiringError",
    "load_net",
    "net_from_structure",
    "summary",
]

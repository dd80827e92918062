"""Nets: layers put together. A net is a layer itself."""

from nets.sequential import Sequential
from nets.summary import summary
from nets.two_layer_net import TwoLayerNet

__all__ = ["Sequential", "TwoLayerNet", "summary"]

"""Weights and nets to and from other programs: one file a format."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.exchange import ...")

from lamina.exchange.pytorch import from_pytorch
from lamina.exchange.safetensors import (
    SafetensorsError,
    open_safetensors,
    read_safetensors,
    write_safetensors,
)
from lamina.exchange.weights import load_weights, save_weights

__all__ = [
    "SafetensorsError",
    "from_pytorch",
    "load_weights",
    "open_safetensors",
    "read_safetensors",
    "save_weights",
    "write_safetensors",
]

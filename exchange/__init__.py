"""Weights and nets to and from other programs: one file a format."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.exchange import ...")

from lamina.exchange.caffe import (
    import_caffe,
    read_binaryproto,
    read_caffemodel,
    write_binaryproto,
    write_caffemodel,
)
from lamina.exchange.caffe_functions import caffe_layer
from lamina.exchange.caffe_message import CaffeError
from lamina.exchange.caffe_out import export_caffe
from lamina.exchange.keras import from_keras
from lamina.exchange.onnx import export_onnx
from lamina.exchange.onnx_functions import onnx_function
from lamina.exchange.onnx_in import import_onnx
from lamina.exchange.onnx_in_check import compare_onnx
from lamina.exchange.onnx_in_functions import OnnxError, onnx_operator
from lamina.exchange.pytorch import from_pytorch
from lamina.exchange.safetensors import (
    SafetensorsError,
    open_safetensors,
    read_safetensors,
    write_safetensors,
)
from lamina.exchange.weights import load_weights, save_weights

__all__ = [
    "CaffeError",
    "OnnxError",
    "SafetensorsError",
    "caffe_layer",
    "compare_onnx",
    "export_caffe",
    "export_onnx",
    "from_keras",
    "from_pytorch",
    "import_caffe",
    "import_onnx",
    "load_weights",
    "onnx_function",
    "onnx_operator",
    "open_safetensors",
    "read_binaryproto",
    "read_caffemodel",
    "read_safetensors",
    "save_weights",
    "write_binaryproto",
    "write_caffemodel",
    "write_safetensors",
]

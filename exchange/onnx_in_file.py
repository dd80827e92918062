"""ONNX files: read whole, with the arrays beside them, and looked at before anything is made."""

from pathlib import Path

import numpy as np

from lamina.common.extras import missing
from lamina.exchange.onnx_in_functions import Constant, OnnxError

OLDEST, NEWEST = 5, 25  # opsets whose operators have been looked at
_BROKEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError)


def library():
    """The package onnx, with the parts that are used. Raises ModuleNotFoundError."""
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.inliner
        import onnx.numpy_helper
        import onnx.shape_inference
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(missing("onnx", "onnx", "ONNX"), name=error.name) from None
    return onnx


def read_model(path: Path):
    """The model in a file, its functions written out and its arrays in it. Raises OnnxError for
    what is no whole model, OSError if it cannot be opened."""
    onnx = library()
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError:
        raise OnnxError("is no ONNX file, or not a whole one") from None
    if not model.ir_version or not model.HasField("graph"):
        raise OnnxError("is no ONNX file: it has no version or no graph")
    for tensor in _tensors(model.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            _bring_in(tensor, path)
    try:
        onnx.checker.check_model(model)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise OnnxError(f"is no right ONNX file: {said[:300]}") from None
    return model


def opset_of(model) -> int:
    """The version of the operators. Raises OnnxError for one that is not known."""
    found = {one.version for one in model.opset_import if one.domain in ("", "ai.onnx")}
    version = max(found, default=0)
    if len(found) > 1:  # of those that say twice which, as skl2onnx does, one counts
        raise OnnxError(f"has operators of several opsets: {', '.join(map(str, sorted(found)))}")
    if not OLDEST <= version <= NEWEST:
        raise OnnxError(
            f"has operators of opset {version or 'none'}, and {OLDEST} to {NEWEST} are read; "
            "export it with another, or onnx.version_converter.convert_version(model, 17)"
        )
    return version


def constant(tensor, name: str = "") -> Constant:
    """The array of a tensor. Raises OnnxError if it has not as many numbers as it says."""
    onnx = library()
    try:
        array = onnx.numpy_helper.to_array(tensor)
    except _BROKEN as error:
        said = " ".join(str(error).split())
        raise OnnxError(f"the array {name or tensor.name} is damaged: {said[:200]}") from None
    if array.dtype.kind not in "fiub" or array.dtype.names:
        raise OnnxError(f"the array {name or tensor.name} is of the kind {array.dtype}")
    return Constant(np.asarray(array), name)


def _tensors(graph):
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _bring_in(tensor, path: Path) -> None:
    """The bytes of an array that lies in a file beside the model, and nowhere else."""
    about = {entry.key: entry.value for entry in tensor.external_data}
    name = about.get("location", "")
    where, folder = path.parent / name, path.parent.resolve()
    try:
        if not name or Path(name).is_absolute() or not where.resolve().is_relative_to(folder):
            raise OnnxError(
                f"the array {tensor.name} is to be read from {name!r}, which is not beside it"
            )
        offset, size = int(about.get("offset", 0)), where.stat().st_size
        length = int(about.get("length", size - offset))
    except (ValueError, OverflowError) as error:
        if isinstance(error, OnnxError):
            raise
        raise OnnxError(f"the array {tensor.name} does not say where in {name!r} it lies") from None
    except OSError:
        raise OnnxError(f"the array {tensor.name} is in {name!r}, which cannot be read") from None
    if offset < 0 or length < 0 or offset + length > size:
        raise OnnxError(f"the array {tensor.name} goes beyond the end of {name!r}")
    with where.open("rb") as file:
        file.seek(offset)
        tensor.raw_data = file.read(length)
    del tensor.external_data[:]
    tensor.ClearField("data_location")

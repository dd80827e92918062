"""Does a net that was read compute what the file does? Asked of onnxruntime, with random inputs."""

import importlib.util
from pathlib import Path

import numpy as np

from lamina.common.printable import printable
from lamina.exchange.onnx_in_file import read_model
from lamina.exchange.onnx_in_functions import OnnxError
from lamina.layers import Embedding
from lamina.nets import Net

TOLERANCE = 1e-4  # relative to the largest number of an output, for sums in another order


def can_compare() -> bool:
    """Whether onnxruntime is there."""
    return importlib.util.find_spec("onnxruntime") is not None


def compare_onnx(path: str | Path, net: Net, outputs=None, shapes: dict | None = None) -> float:
    """The largest difference between what the file gives in onnxruntime and what the net gives in
    evaluation, for one batch of random inputs, relative to the largest number of an output.

    `outputs` and `shapes` as for import_onnx. Raises OnnxError if they differ by more than 1e-4 or
    are not finite at other places, or if onnxruntime cannot run the file; ModuleNotFoundError
    without it.
    """
    import onnxruntime

    path, rng = Path(path), np.random.default_rng(0)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        given = str(path) if outputs is None else _giving(path, list(outputs))
        session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
        arrays = {x.name: _random(x, shapes or {}, net, rng) for x in session.get_inputs()}
        theirs = session.run(None if outputs is None else list(outputs), arrays)
    except Exception as error:  # of a library whose errors have no class in common
        said = printable(" ".join(str(error).split()))
        raise OnnxError(f"{path}: onnxruntime cannot run it, to compare: {said[:300]}") from None
    if len(arrays) != len(net.inputs):
        raise OnnxError(f"{path}: has inputs that nothing reads, and is not compared")
    ours = _evaluated(net, list(arrays.values()))
    found = [_difference(a, b) for a, b in zip(ours, theirs, strict=True)]
    if not max(found) <= TOLERANCE:
        raise OnnxError(
            f"{path}: the net differs from what onnxruntime gives, by {max(found):.1e} of the "
            "largest number; please report it, with the file"
        )
    return max(found)


def _giving(path: Path, outputs: list[str]) -> bytes:
    """The file with these outputs."""
    model = read_model(path)
    del model.graph.output[:]
    for name in outputs:
        model.graph.output.add(name=name)
    return model.SerializeToString()


def _random(given, shapes: dict, net: Net, rng) -> np.ndarray:
    """A batch for an input of onnxruntime; indices are those that every Embedding has."""
    first, *rest = given.shape
    shape = (first if isinstance(first, int) else 2, *shapes.get(given.name, rest))
    kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int32)": np.int32}
    if (kind := kinds.get(given.type, np.int64)) in (np.float32, np.float64):
        return rng.standard_normal(shape).astype(kind)
    tables = [layer.W.data for _, layer in net.walk() if isinstance(layer, Embedding)]
    return rng.integers(0, min(map(len, tables), default=2), shape).astype(kind)


def _evaluated(net: Net, arrays: list) -> tuple:
    mode = net.training
    net.set_training(False)
    try:
        found = net.forward(*arrays)
    finally:
        net.set_training(mode)
        net.forget()
    return found if isinstance(found, tuple) else (found,)


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    """Relative to the largest number; infinite where they are not finite at the same places."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return np.inf
    finite = np.isfinite(other)
    if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
        return np.inf
    scale = np.abs(other[finite]).max(initial=1e-30)
    return float(np.abs(one[finite] - other[finite]).max(initial=0.0) / scale)

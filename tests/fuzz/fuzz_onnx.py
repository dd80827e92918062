"""ONNX files: a net of layers that can be written, or one error that names the file."""

import contextlib
import io

import guard

with guard.instrumented("exchange", "nets", "layers"):
    import numpy as np

    from lamina.exchange import OnnxError, export_onnx, import_onnx
    from lamina.layers import (
        Addition,
        Affine,
        AveragePooling,
        BatchNormalization,
        Convolution,
        Embedding,
        Flatten,
        MaxPooling,
        Relu,
        Reshape,
        Softmax,
    )
    from lamina.nets import Graph, Node, Sequential


def seeds() -> list[bytes]:
    images, rows = np.zeros((2, 1, 6, 6), np.float32), np.zeros((2, 4), np.float32)
    nets = [
        (Sequential({"fc1": Affine(4, 3, rng=0), "relu1": Relu(), "out": Softmax()}), rows),
        (Sequential({"words": Embedding(3, 2, rng=0)}), np.zeros((2, 3), np.int64)),
        (
            Sequential(
                {
                    "conv": Convolution(1, 2, 3, padding=1, rng=0),
                    "norm": BatchNormalization(2),
                    "pool": MaxPooling(2, stride=2),
                    "mean": AveragePooling(2, padding=1),
                    "rows": Flatten(),
                    "images": Reshape((2, 2, 2)),
                }
            ),
            images,
        ),
        (
            Graph({"a": Affine(4, 4, rng=0), "sum": Node(Addition(), ["a", "X"])}),
            rows,
        ),
    ]
    path, files = guard.file("seed.onnx", b""), []
    for net, X in nets:
        export_onnx(path, net, X)
        files.append(path.read_bytes())
    return files


def read_and_run(path) -> None:
    """A net that was read is whole: its numbers are finite, and it can be written."""
    with contextlib.redirect_stderr(io.StringIO()):  # arrays that are learned apart
        net = import_onnx(path)
    assert net.structure()["layers"]
    for layer in net.layers.values():
        assert all(np.isfinite(p.data).all() for p in layer.parameters().values())


def one_input(data: bytes) -> None:
    path = guard.file("net.onnx", data)
    guard.check(read_and_run, path, (OnnxError, FloatingPointError), 0, measured=False)


if __name__ == "__main__":
    guard.fuzz(one_input, seeds(), traced=False)

"""Caffe's files, text and binary: a net that can be written, or one error that names the file."""

import contextlib
import io

import guard

with guard.instrumented("exchange", "nets", "layers"):
    import numpy as np

    from lamina.common.printable import printable
    from lamina.exchange import (
        CaffeError,
        import_caffe,
        read_binaryproto,
        read_caffemodel,
        write_binaryproto,
        write_caffemodel,
    )
    from lamina.exchange.caffe import read_text
    from lamina.exchange.caffe_solver import optimizer_of, training_of

NET = b"""name: "n"  # a comment
input: "data" input_shape { dim: [1, 2, 9, 9] }
layer { name: "c" type: "Convolution" bottom: "data" top: "c" param { lr_mult: 2 }
  convolution_param { num_output: 4 kernel_size: 3 pad: 1 stride: 2 group: 2 bias_term: true
    weight_filler { type: "xavier" } bias_filler { type: 'constant' value: .1 } } }
layer { name: "r" type: "ReLU" bottom: "c" top: "c" relu_param { negative_slope: -1e-1 } }
layer { name: "p" type: "Pooling" bottom: "c" top: "p"
  pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 } }
layer { name: "l" type: "LRN" bottom: "p" top: "l" lrn_param { local_size: 3 } }
layer { name: "s" type: "Slice" bottom: "l" top: "a" top: "b" slice_param { slice_point: 1 } }
layer { name: "j" type: "Concat" bottom: "b" bottom: "a" top: "j" exclude { phase: TRAIN } }
layer { name: "i" type: "InnerProduct" bottom: "j" top: "i"
  inner_product_param { num_output: 3 axis: -3 weight_filler { type: "gaussian" std: 0.1 } } }
"""
OLD = b"""input: "x" input_dim: 2 input_dim: 1 input_dim: 4 input_dim: 4
layers { name: "f" type: FLATTEN bottom: "x" top: "f" }
layers { name: "p" type: INNER_PRODUCT bottom: "f" top: "p" blobs_lr: 1 blobs_lr: 2
  inner_product_param { num_output: 2 } }
"""
SOLVER = b"""net: "a" base_lr: 0.1 lr_policy: "multistep" gamma: .1 stepvalue: [1, 2] max_iter: 9
momentum: 0.9 type: "Nesterov" weight_decay: 1e-3 iter_size: 2 clip_gradients: 3
"""
_WEIGHTS = {
    "c": [np.ones((4, 1, 3, 3), np.float32), np.ones(4, np.float32)],
    "i": [np.ones((3, 36), np.float32), np.ones(3, np.float32)],
}


def seeds() -> list[bytes]:
    """A byte that says what the file is, then the file."""
    path = guard.file("seed", b"")
    write_caffemodel(path, _WEIGHTS)
    model = path.read_bytes()
    write_binaryproto(path, np.ones((3, 2, 2), np.float32))
    return [b"\0" + NET, b"\0" + OLD, b"\1" + SOLVER, b"\2" + model, b"\3" + path.read_bytes()]


def read_net(path) -> None:
    """A net that was read is whole: it can be written as plain data."""
    with contextlib.redirect_stderr(io.StringIO()):
        assert import_caffe(path).structure()["layers"]


def read_solver(path) -> None:
    solver = read_text(path, "SolverParameter")
    try:
        assert optimizer_of(solver)["lr"] is not None
        assert training_of(solver)["iterations"] is not None
    except CaffeError as error:
        raise CaffeError(printable(f"{path}: {error}")) from None


def read_model(path) -> None:
    """The arrays, and a net with them or one error."""
    found = read_caffemodel(path)
    held = sum(array.nbytes for arrays in found.values() for array in arrays)
    assert held <= 2 * path.stat().st_size
    with contextlib.redirect_stderr(io.StringIO()):
        import_caffe(guard.file("net.prototxt", NET), path)


def one_input(data: bytes) -> None:
    way, content = (data[0] % 4 if data else 0), data[1:]
    read = (read_net, read_solver, read_model, read_binaryproto)[way]
    path = guard.file("file.prototxt" if way < 2 else "file.caffemodel", content)
    guard.check(read, path, (CaffeError, FloatingPointError), 0, measured=False)


if __name__ == "__main__":
    guard.fuzz(one_input, seeds(), traced=False)

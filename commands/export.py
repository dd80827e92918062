"""Write a net for other programs: as ONNX or for Caffe, or its weights alone as safetensors."""

from pathlib import Path

import numpy as np

from lamina.common.files import beside
from lamina.common.notice import note
from lamina.common.printable import printable
from lamina.experiment.load_any import load_any
from lamina.experiment.run_config import add_changed_option, add_code_option

EPILOG = """examples:
  lamina export runs/mnist_lenet-20260101-120000 -o lenet.onnx
  lamina export runs/mnist_lenet-20260101-120000 --weights -o lenet.safetensors
  lamina export net.npz --shape 1x28x28 -o net.onnx
  lamina export runs/mnist_lenet-20260101-120000 -o lenet.caffemodel

ONNX needs the package onnx: pip install 'lamina[onnx]'. The file has the scores, as predict gives
them, for batches of any size. A .caffemodel has its net, a .prototxt, beside it. docs/exchange.md
says more.
"""
_ONNX, _WEIGHTS = ".onnx", ".safetensors"
_CAFFE = (".prototxt", ".caffemodel")


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("source", type=Path, metavar="RUN|NET", help="a run, or an .npz that net.save wrote")
    add(
        *("-o", "--output"),
        type=Path,
        metavar="FILE",
        help=".onnx, .prototxt, .caffemodel or .safetensors (default: net.onnx, with --weights "
        "weights.safetensors)",
    )
    add("--weights", action="store_true", help="parameters and states alone, as safetensors")
    add(
        "--shape",
        action="append",
        default=[],
        metavar="CxHxW",
        help="of a sample, as 1x28x28, for ONNX and Caffe; of a run it is that of its data; "
        "repeatable, one for each input",
    )
    add_code_option(parser)
    add_changed_option(parser)


def user_errors() -> tuple:
    return (OSError, ValueError, TypeError, ImportError, FloatingPointError)


def run(options) -> int:
    output = options.output or Path(f"weights{_WEIGHTS}" if options.weights else f"net{_ONNX}")
    wanted = (_WEIGHTS,) if options.weights else (_ONNX, *_CAFFE, _WEIGHTS)
    if output.suffix not in wanted:
        *first, last = wanted
        ends = f"{', '.join(first)} or {last}" if first else last
        raise ValueError(f"-o {output}: expects a file that ends in {ends}")
    if options.shape and output.suffix == _WEIGHTS:
        raise ValueError("--shape: weights alone need no shape of a sample; leave it out")
    shapes = [_shape(text) for text in options.shape]
    net, dataset = load_any(options.source, options.code, options.changed)
    if message := _prepared(dataset):
        note(message)
    if output.suffix == _WEIGHTS:
        from lamina.exchange import save_weights

        save_weights(output, net)
    elif output.suffix in _CAFFE:
        from lamina.exchange import export_caffe

        if output.suffix == ".caffemodel":
            beside(output, ".prototxt")
        shapes = shapes or _shapes(options.source, dataset)
        written = export_caffe(output, net, *shapes)
        print(printable("\n".join(map(str, written)), lines=True))
        return 0
    else:
        from lamina.exchange import export_onnx

        export_onnx(output, net, *_inputs(options.source, net, dataset, shapes))
    print(printable(str(output)))
    return 0


def _prepared(dataset) -> str:
    """What a program must do to a row of a table before this net reads it; "" if nothing."""
    facts = getattr(dataset, "preparation", None) or {}
    done = []
    for column in facts.get("columns", ()):
        if "categories" in column:
            done.append("one-hot")
        elif (column["mean"], column["deviation"]) != (0.0, 1.0):
            done.append("scaled")
        if column.get("fill") is not None:
            done.append("filled")
    said = " and ".join(dict.fromkeys(done))
    return said and (
        f"the net takes columns that are {said}, as `dataset.preparation` says in Python; the file "
        "has the net alone, so that who uses it does this first"
    )


def _inputs(source: Path, net, dataset, shapes: list) -> list:
    from lamina.exchange.onnx import example_inputs

    if shapes:
        return example_inputs(net, *shapes)
    _shapes(source, dataset)
    X, _ = dataset.train[:2]
    parts = X if isinstance(X, tuple) else (X,)
    # Words are held in as few bytes as they need, and given as whole numbers of the usual kind.
    return [x.astype(np.int64) if x.dtype.kind in "ui" else x for x in parts]


def _shapes(source: Path, dataset) -> list[tuple]:
    """Those of a sample, one for each input."""
    if dataset is None:
        raise ValueError(
            f"{source}: a file of a net does not say how large a sample is: --shape 1x28x28"
        )
    return dataset.input_shapes


def _shape(text: str) -> tuple:
    try:
        shape = tuple(int(n) for n in text.split("x"))
    except ValueError:
        shape = (0,)
    if min(shape) < 1:
        raise ValueError(f"--shape {text}: expects sizes of at least 1, as 784 or 1x28x28")
    return shape

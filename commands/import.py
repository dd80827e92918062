"""Read a net of another program, or put weights of one into a net; written to a file."""

from pathlib import Path

from lamina.common.printable import printable
from lamina.experiment.load_any import load_any
from lamina.experiment.run_config import add_changed_option, add_code_option

EPILOG = """examples:
  lamina import model.onnx -o net.npz
  lamina import model.onnx --like mnist_lenet -o lenet.yaml
  lamina import lenet_train_test.prototxt lenet_solver.prototxt -o lenet.yaml
  lamina import deploy.prototxt net.caffemodel -o net.npz
  lamina import model.safetensors --into mnist_lenet -o lenet.npz
  lamina import model.safetensors --into net.npz --name fc1=affine1 --name fc2=affine2 -o new.npz

What belongs to what is printed. In Python: load_net("lenet.npz"). A net of ONNX is compared with
onnxruntime, if that is installed; with --like a configuration is written that goes on training it,
lamina train --config lenet.yaml, and its weights beside it. A net and a solver of Caffe make one
from the beginning. docs/exchange.md says more.
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help=".onnx, a net; of Caffe .prototxt, net and solver, .caffemodel or a mean, "
        ".binaryproto; or weights: .safetensors with the names of PyTorch, Keras or Lamina, "
        "Keras's .weights.h5, .keras or .h5, or .npz",
    )
    add(
        "--into",
        type=Path,
        metavar="CONFIG|RUN|NET",
        help="of weights, whose net it is: a YAML file or its name, a run, or an .npz that "
        "net.save wrote",
    )
    add(
        *("-o", "--output"),
        type=Path,
        required=True,
        metavar="FILE",
        help="the whole net, an .npz; of ONNX with --like, and of Caffe with a solver, a "
        "configuration too, .yaml; of a mean .npy",
    )
    add(
        "--like",
        type=Path,
        metavar="CONFIG",
        help="configuration whose data, loss and training the .yaml gets",
    )
    add(
        "--gives",
        action="append",
        metavar="VALUE",
        help="of ONNX, what the net is to give, by its name there (default: all outputs); "
        "repeatable",
    )
    add(
        "--shape",
        action="append",
        default=[],
        metavar="INPUT=CxHxW",
        help="of ONNX and Caffe, of a sample, where the file does not say it; repeatable",
    )
    add(
        "--name",
        action="append",
        default=[],
        metavar="MODULE=LAYER",
        help="which layer a module of theirs is, where names and shapes do not say it; repeatable",
    )
    add("--partial", action="store_true", help="put in what fits, and say what does not")
    add_code_option(parser)
    add_changed_option(parser)


def user_errors() -> tuple:
    return (OSError, ValueError, TypeError, ImportError, FloatingPointError)


def run(options) -> int:
    suffixes = {file.suffix for file in options.files}
    if suffixes & {".prototxt", ".caffemodel", ".binaryproto"}:
        return _caffe(options)
    if len(options.files) > 1:
        raise ValueError(f"{options.files[1]}: one file is read; several are for Caffe")
    options.file = options.files[0]
    return _net(options) if options.file.suffix == ".onnx" else _weights(options)


def _net(options) -> int:
    """An ONNX file as a net, or as a configuration beside its weights."""
    options.refuse("is for weights --into a run; ONNX is a whole net", "--code", "--changed")
    from lamina.exchange import compare_onnx, import_onnx
    from lamina.exchange.onnx_in_check import can_compare
    from lamina.experiment.imported import write_configuration

    as_yaml = options.output.suffix in (".yaml", ".yml")
    if not as_yaml and options.output.suffix != ".npz":
        raise ValueError(f"-o {options.output}: expects a file that ends in .npz or .yaml")
    if as_yaml != (options.like is not None):
        raise ValueError("--like CONFIG and -o FILE.yaml belong together: whose data and loss")
    if options.into or options.name or options.partial:
        raise ValueError("--into, --name and --partial are for weights; ONNX is a whole net")
    given = {"outputs": options.gives, "shapes": dict(map(_named_shape, options.shape))}
    net = import_onnx(options.file, **given)
    said = "not compared with onnxruntime, which is not installed"
    if can_compare():
        difference = compare_onnx(options.file, net, **given)
        said = f"as in onnxruntime, to {difference:.0e} of the largest output"
    written = [options.output]
    if as_yaml:
        written.append(write_configuration(options.output, net, options.like))
    else:
        net.save(options.output)
    said = f"{len(net.layers)} layers from {options.file}, {said}"
    print(printable("\n".join([said, *map(str, written)]), lines=True))
    return 0


def _caffe(options) -> int:
    """Caffe's files: a net, perhaps with weights; with a solver a configuration; a mean."""
    options.refuse("is for weights --into a run, not for Caffe's files", "--code", "--changed")
    if options.into or options.name or options.partial or options.gives:
        raise ValueError("--into, --name, --partial and --gives are not for Caffe's files")
    net, solver, weights, mean = _sorted(options.files)
    output, shapes = options.output, dict(map(_named_shape, options.shape))
    wanted = ".npy" if mean else ".yaml" if solver else ".npz"
    if output.suffix != wanted:
        kind = "a mean" if mean else "a net with a solver" if solver else "a net without a solver"
        raise ValueError(f"-o {output}: of {kind} expects a file that ends in {wanted}")
    if shapes and (mean or solver):
        raise ValueError("--shape: here the data set says how large a sample is; leave it out")
    if options.like and not solver:
        raise ValueError("--like is for a net with its solver, which make a configuration")
    if mean:
        written, said = _write_mean(mean, output), f"{mean}"
    elif solver:
        from lamina.experiment.caffe_imported import write_caffe_configuration

        written = write_caffe_configuration(output, net, solver, weights, options.like)
        said = f"a configuration from {', '.join(map(str, options.files))}"
    else:
        from lamina.exchange import import_caffe

        made = import_caffe(net, weights, shapes=shapes)
        made.save(output)
        written, said = [output], f"{len(made.layers)} layers from {net}"
        said += f", weights from {weights}" if weights else ", with new weights"
    print(printable("\n".join([said, *map(str, written)]), lines=True))
    return 0


def _sorted(files: list[Path]) -> tuple:
    """(net, solver, weights, mean), None where there is none."""
    from lamina.exchange.caffe_solver import is_solver

    found: dict[str, Path | None] = dict.fromkeys(("net", "solver", "weights", "mean"))
    kinds = {".caffemodel": "weights", ".binaryproto": "mean"}
    for file in files:
        kind = kinds.get(file.suffix, "")
        if file.suffix == ".prototxt":
            kind = "solver" if is_solver(file) else "net"
        if not kind or found[kind]:
            why = f"a second {kind}" if kind else "no file of Caffe: .prototxt or .caffemodel"
            raise ValueError(f"{file}: {why}")
        found[kind] = file
    if found["mean"] and len(files) > 1:
        raise ValueError(f"{found['mean']}: a mean is read by itself: -o mean.npy")
    if not (found["net"] or found["solver"] or found["mean"]):
        raise ValueError(f"{files[0]}: weights alone are no net; give its .prototxt, too")
    return tuple(found.values())


def _write_mean(mean: Path, output: Path) -> list[Path]:
    import numpy as np

    from lamina.common.files import whole_file
    from lamina.exchange import read_binaryproto

    array = read_binaryproto(mean)
    with whole_file(output) as file:
        np.save(file, array)
    return [output]


def _weights(options) -> int:
    from lamina.exchange import load_weights
    from lamina.experiment.build_net import channels_of

    if options.output.suffix != ".npz":
        raise ValueError(f"-o {options.output}: expects a file that ends in .npz")
    if options.into is None:
        raise ValueError("--into CONFIG|RUN|NET is needed, for weights alone are no net")
    if options.like or options.gives or options.shape:
        raise ValueError("--like, --gives and --shape are for a whole net, of ONNX or Caffe")
    names = dict(map(_pair, options.name))
    if len(names) < len(options.name):
        raise ValueError("--name: a module is named twice")
    net, dataset = load_any(options.into, options.code, options.changed)
    channels = None if dataset is None else channels_of(dataset)
    said = load_weights(
        options.file, net, strict=not options.partial, names=names or None, channels=channels
    )
    net.save(options.output)
    print(printable(f"{said}\n{options.output}", lines=True))
    return 0


def _named_shape(text: str) -> tuple[str, tuple]:
    name, sign, sizes = text.rpartition("=")
    if not (name and sign and all(n.isdigit() and int(n) for n in sizes.split("x"))):
        raise ValueError(f"--shape {text}: expects INPUT=SIZES, as x=1x28x28")
    return name, tuple(map(int, sizes.split("x")))


def _pair(text: str) -> tuple[str, str]:
    module, sign, layer = text.partition("=")
    if not (module and sign and layer):
        raise ValueError(f"--name {text}: expects MODULE=LAYER, as fc1=affine1")
    return module, layer

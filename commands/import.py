"""Read a net of another program from ONNX, or put weights of one into a net; written to a file."""

from pathlib import Path

from lamina.common.printable import printable
from lamina.experiment.load_any import load_any
from lamina.experiment.run_config import add_changed_option, add_code_option

EPILOG = """examples:
  lamina import model.onnx -o net.npz
  lamina import model.onnx --like mnist_lenet -o lenet.yaml
  lamina import model.safetensors --into mnist_lenet -o lenet.npz
  lamina import model.safetensors --into net.npz --name fc1=affine1 --name fc2=affine2 -o new.npz

What belongs to what is printed. In Python: load_net("lenet.npz"). A net of ONNX is compared with
onnxruntime, if that is installed; with --like a configuration is written that goes on training it,
lamina train --config lenet.yaml, and its weights beside it. docs/exchange.md says more.
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add(
        "file",
        type=Path,
        metavar="FILE",
        help=".onnx, a net; or weights: .safetensors with the names of PyTorch, Keras or Lamina, "
        "Keras's .weights.h5, .keras or .h5, "
        "or .npz",
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
        help="the whole net, an .npz; of ONNX a configuration too, .yaml, with --like",
    )
    add("--like", type=Path, metavar="CONFIG", help="whose data, loss and training the .yaml has")
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
        help="of ONNX, of a sample, where the file does not say it; repeatable",
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
    return _net(options) if options.file.suffix == ".onnx" else _weights(options)


def _net(options) -> int:
    """An ONNX file as a net, or as a configuration beside its weights."""
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


def _weights(options) -> int:
    from lamina.exchange import load_weights
    from lamina.experiment.build_net import channels_of

    if options.output.suffix != ".npz":
        raise ValueError(f"-o {options.output}: expects a file that ends in .npz")
    if options.into is None:
        raise ValueError("--into CONFIG|RUN|NET is needed, for weights alone are no net")
    if options.like or options.gives or options.shape:
        raise ValueError("--like, --gives and --shape are for a net, an ONNX file")
    names = dict(map(_pair, options.name))
    if len(names) < len(options.name):
        raise ValueError("--name: a module is named twice")
    net, dataset = load_any(options.into, options.code, options.changed)
    channels = None if dataset is None else channels_of(dataset)
    given = {"names": names or None, "channels": channels}
    said = load_weights(options.file, net, strict=not options.partial, **given)
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

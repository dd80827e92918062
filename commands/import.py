"""Put weights of another program into a net, and write the whole net to a file."""

from pathlib import Path

from lamina.common.printable import printable
from lamina.experiment.load_any import load_any
from lamina.experiment.run_config import add_changed_option, add_code_option

EPILOG = """examples:
  lamina import model.safetensors --into mnist_lenet -o lenet.npz
  lamina import model.safetensors --into net.npz --name fc1=affine1 --name fc2=affine2 -o new.npz

What belongs to what is printed. In Python: load_net("lenet.npz"). docs/exchange.md says more.
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add(
        "file",
        type=Path,
        metavar="FILE",
        help=".safetensors with the names of PyTorch, Keras or Lamina, or .npz",
    )
    add(
        "--into",
        type=Path,
        required=True,
        metavar="CONFIG|RUN|NET",
        help="whose net it is: a YAML file or its name, a run, or an .npz that net.save wrote",
    )
    add("-o", "--output", type=Path, required=True, metavar="NET.npz", help="the whole net")
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
    return (OSError, ValueError, TypeError, FloatingPointError)


def run(options) -> int:
    from lamina.exchange import load_weights
    from lamina.experiment.build_net import channels_of

    if options.output.suffix != ".npz":
        raise ValueError(f"-o {options.output}: expects a file that ends in .npz")
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


def _pair(text: str) -> tuple[str, str]:
    module, sign, layer = text.partition("=")
    if not (module and sign and layer):
        raise ValueError(f"--name {text}: expects MODULE=LAYER, as fc1=affine1")
    return module, layer

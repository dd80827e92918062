"""Draw a net, layer by layer or with all that flows on one batch; or an expression."""

from collections.abc import Iterable
from pathlib import Path

from lamina.autodiff.draw import check_suffix, draw
from lamina.autodiff.draw.expression import read_expression
from lamina.autodiff.draw.given import read_inputs
from lamina.common.counts import check_count
from lamina.common.notice import note
from lamina.common.printable import printable
from lamina.experiment.find_config import known_configs
from lamina.experiment.load_any import load_any
from lamina.experiment.run_config import add_changed_option, add_code_option
from lamina.nets.drawing import draw_net
from lamina.nets.picture import PAGES, NetPicture

EPILOG = """examples:
  lamina draw configs/mnist_lenet.yaml -o net.svg
  lamina draw mnist_resnet --page 16:9 -o net.png
  lamina draw runs/mnist_relu-20260101-120000 --details -o net.svg
  lamina draw runs/mnist_relu-20260101-120000 -o net.html
  lamina draw "(x + y) * z" x=-2 y=5 z=-4 -o graph.html

A net is drawn layer by layer from top to bottom, parameters in the boxes of their layers; blocks
that repeat are drawn once. With --details, and on the page to step through (.html), the values and
gradients of a batch stand on the lines, from left to right.

Functions of expressions: exp, log, sqrt, sin, tanh, max, min, sum, mean, sigmoid, relu, ...;
@ is the matrix product, x.T the transpose. The result must be a single number.
"""
LEGIBLE = 8.9  # points; smaller letters are said


def add_arguments(parser) -> None:
    add = parser.add_argument
    add(
        "source",
        metavar="CONFIG|RUN|EXPRESSION",
        help="a YAML file or its name, a run, or an expression",
    )
    add("inputs", nargs="*", metavar="NAME=VALUE", help="of an expression: x=-2, W='[[1, 2]]'")
    add(
        *("-o", "--output"),
        type=Path,
        help=".svg, .png, .dot, or .html, a page to step through (default: net.svg, graph.html)",
    )
    add(
        "--page",
        choices=PAGES,
        help="a net on a page of A4 or a slide (default: as large as the net is)",
    )
    add(
        "--details",
        action="store_true",
        help="a net with the values and gradients of a batch on its lines",
    )
    add(
        "--batch",
        type=int,
        default=100,
        help="samples that go through the net for its details (default: 100)",
    )
    add_code_option(parser)
    add_changed_option(parser)


def guarded(arguments: list[str]) -> list[str]:
    """An expression may begin with a minus, which is no option: a blank tells them apart."""
    options = ("-o", "--", "-h")
    return [
        f" {text}" if text.startswith("-") and not text.startswith(options) else text
        for text in arguments
    ]


def user_errors() -> tuple:
    return (OSError, ValueError, TypeError)


def run(options) -> int:
    check_count("--batch", options.batch)
    path = Path(options.source)
    output = options.output or Path("net.svg" if _is_net(path) else "graph.html")
    suffix = output.suffix.lower()
    check_suffix(output)
    detailed = options.details or suffix == ".html"
    if options.page and (detailed or suffix == ".dot" or not _is_net(path)):
        raise ValueError(
            "--page: is for a net layer by layer as .svg or .png, not for --details, .dot, a page "
            "to step through (.html) or an expression; leave it out"
        )
    if _is_net(path):
        options.refuse("is for an expression; a net is drawn with its data", "inputs")
        if not detailed:
            options.refuse("is for --details, or a page to step through (.html)", "--batch")
        net, X, t = load(path, options.batch if detailed else 1, options.code, options.changed)
        if detailed:
            draw_net(net, X, t, path.stem).save(output)
        else:
            _save_picture(net, X, path.stem, options.page, output)
    else:
        of_nets = ("--details", "--batch", "--code", "--changed")
        options.refuse("is for a net, and this is an expression", *of_nets)
        inputs = read_inputs(options.inputs)
        f = read_expression(options.source, inputs)
        draw(f, inputs, options.source.strip()).save(output)
    print(printable(str(output)))
    return 0


def _save_picture(net, X, title: str, page: str | None, output: Path) -> None:
    shapes = (x.shape[1:] for x in (X if isinstance(X, tuple) else (X,)))
    picture = NetPicture(net, *shapes, title=title, page=page)
    picture.save(output)
    if page and picture.layout.points < LEGIBLE:
        note(
            f"{output}: the net is large for {page}, its smallest letters have "
            f"{picture.layout.points:.1f} points; without --page they have 9"
        )


def _is_net(path: Path) -> bool:
    if path.suffix in (".yaml", ".yml"):
        return True
    try:
        return path.exists() or (path.name.isidentifier() and path.stem in known_configs())
    except OSError:  # too long for a name, so it is an expression
        return False


def load(path: Path, rows: int, code: Iterable[Path] = (), changed: bool = False):
    """(net, X, t): a net as `load_any` has it, and the first rows of the training samples."""
    net, dataset = load_any(path, code, changed)
    if dataset is None:
        raise ValueError(
            f"{path}: a file of a net has no samples to draw it with; draw its run, or its "
            "configuration with net: {weights: ...}"
        )
    return net, *dataset.train[:rows]

"""Write a page in which a net runs as one draws, or is trained: a file to mail, no network."""

from pathlib import Path

from lamina.common.files import whole_file
from lamina.common.printable import printable
from lamina.experiment.run_config import add_changed_option, add_code_option

EPILOG = """examples:
  lamina play runs/mnist_lenet-20260101-120000 -o lenet.html
  lamina play --train spirals -o spirals.html
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("run", nargs="?", type=Path, metavar="RUN", help="a run directory")
    add(
        "--train",
        metavar="POINTS",
        help="a two-layer net that is trained in the page, on spirals, circles, xor or blobs",
    )
    add(
        *("-o", "--output"),
        type=Path,
        default=Path("play.html"),
        metavar="FILE",
        help="(default: play.html)",
    )
    add_code_option(parser)
    add_changed_option(parser)


def run(options) -> int:
    if options.run is not None and options.train is not None:
        raise ValueError("shows one net: RUN, or --train POINTS, but not both")
    if options.run is None and options.train is None:
        options.error("name one run, or points to train on: --train spirals")
    if options.train is not None:
        options.refuse("is for a run, and --train shows none", "--code", "--changed")
    content = _of_run(options) if options.train is None else _of_training(options.train)
    with whole_file(options.output) as file:
        file.write(content.encode())
    print(printable(str(options.output)))
    return 0


def _of_run(options) -> str:
    from lamina.play.page import page_of_run

    return page_of_run(options.run, options.code, changed=options.changed)


def _of_training(name: str) -> str:
    from lamina.play.training import training_page

    return training_page(name)

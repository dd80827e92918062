"""Write a page in which a net runs as one draws: mail it, open it, no network needed."""

from collections.abc import Callable
from pathlib import Path

from lamina.common.files import whole_file
from lamina.common.printable import printable
from lamina.experiment.run_config import add_changed_option, add_code_option

EPILOG = """examples:
  lamina play runs/mnist_lenet-20260101-120000 -o lenet.html
"""

TRAINED: dict[str, Callable[[], str]] = {}  # {name: gives the page} of nets trained in the page


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("run", nargs="?", type=Path, metavar="RUN", help="a run directory")
    if TRAINED:
        add("--train", choices=sorted(TRAINED), help="a net that is trained in the page, instead")
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
    trained = getattr(options, "train", None)
    if (options.run is None) == (trained is None):
        options.error("name one run")
    content = TRAINED[trained]() if trained else _of_run(options)
    with whole_file(options.output) as file:
        file.write(content.encode())
    print(printable(str(options.output)))
    return 0


def _of_run(options) -> str:
    from lamina.play.page import page_of_run

    return page_of_run(options.run, options.code, changed=options.changed)

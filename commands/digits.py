"""Draw digits into FOLDER/x.npy and FOLDER/t.npy: images (N, 1, 28, 28) and what they are.

For `dataset: {type: NPY, inputs: FOLDER/x.npy, targets: FOLDER/t.npy}`, of any size: a million are
784 MB and take one and a half minutes. The same seed gives the same digits.
"""

from pathlib import Path

from lamina.common.notice import Bar
from lamina.common.printable import printable

EPILOG = """examples:
  lamina digits data/many -n 1000000
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="made if it is not there")
    add("-n", type=int, default=100_000, help="how many (default: 100,000)")
    add("--seed", type=int, default=0, help="(default: 0)")
    add("--quiet", action="store_true", help="no progress bar")


def run(options) -> int:
    from lamina.datasets.digit_files import write_digits

    if options.n < 1 or options.seed < 0:
        options.error("expects at least 1 digit (-n) and a seed of at least 0")
    options.folder.mkdir(parents=True, exist_ok=True)
    bar = Bar(total=options.n, unit=" digits", disable=options.quiet or None)
    try:
        inputs, targets = (options.folder / name for name in ("x.npy", "t.npy"))
        write_digits(inputs, targets, options.n, options.seed, bar.to)
    finally:
        bar.close()
    print(printable(str(options.folder)))
    return 0

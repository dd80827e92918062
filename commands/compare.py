"""Say which of several runs are the best: a table of their figures and of what they differ in.

Runs that differ by their seed alone are one row: mean ± standard deviation, of the weights that the
runs have kept. Best first by the first metric on the validation set.
"""

from pathlib import Path

from lamina.common.printable import printable
from lamina.experiment.compare import Comparison
from lamina.experiment.run_names import run_names

EPILOG = """examples:
  lamina compare runs/a runs/b runs/c
  lamina compare runs/a runs/b --csv > table.csv
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="a run directory, or a sweep's folder",
    )
    add("--by", metavar="COLUMN", help="sort by this figure, such as validation_loss")
    form = parser.add_mutually_exclusive_group().add_argument
    for name, what in (("csv", "comma-separated"), ("markdown", "Markdown"), ("latex", "LaTeX")):
        form(f"--{name}", dest="form", action="store_const", const=name, help=f"as {what}")


def run(options) -> int:
    comparison = Comparison(run_names(options.runs), options.by)
    print(printable(getattr(comparison, options.form or "text")(), lines=True))
    return 0

"""Draw the learning curves of runs, of several into one picture."""

from pathlib import Path

from lamina.common.printable import printable
from lamina.experiment.plots import plot_curves, read_run


def add_arguments(parser) -> None:
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run directory")
    parser.add_argument("-o", "--output", type=Path, help="(default: RUN/curves.png, curves.png)")


def run(options) -> int:
    alone = len(options.runs) == 1
    output = options.output or (options.runs[0] / "curves.png" if alone else Path("curves.png"))
    # Two runs of one name, in different folders, are told apart by their paths.
    names = [run.resolve().name for run in options.runs]
    names = names if len(set(names)) == len(names) else [str(run) for run in options.runs]
    runs = {n: read_run(run) for n, run in zip(names, options.runs, strict=True)}
    plot_curves(output, runs, names[0] if alone else "")
    print(printable(str(output)))
    return 0

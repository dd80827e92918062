"""Draw the learning curves of runs, of several into one picture."""

from pathlib import Path

from lamina.common.printable import printable
from lamina.experiment.plots import kept_of, plot_curves, read_run


def add_arguments(parser) -> None:
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run directory")
    parser.add_argument("-o", "--output", type=Path, help="(default: RUN/curves.png, curves.png)")


def run(options) -> int:
    alone = len(options.runs) == 1
    output = options.output or (options.runs[0] / "curves.png" if alone else Path("curves.png"))
    paths = [run.resolve() for run in options.runs]
    names = [path.name for path in paths]
    if len(set(names)) < len(names):  # told apart by their folders, as far as these differ
        depths = range(1, max(len(path.parts) for path in paths) + 1)
        ends = ([path.parts[-depth:] for path in paths] for depth in depths)
        apart = next(parts for parts in ends if len(set(parts)) == len(set(paths)))
        names = [str(Path(*parts)) for parts in apart]
    runs = {n: read_run(run) for n, run in zip(names, options.runs, strict=True)}
    kept = {name: kept_of(run) for name, run in zip(names, options.runs, strict=True)}
    plot_curves(output, runs, names[0] if alone else "", kept)
    print(printable(str(output)))
    return 0

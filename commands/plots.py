"""Draw the learning curves of runs, of several into one picture.

Runs that differ by their seed alone are one curve: their mean, in a band of one standard deviation.
With --values: the figure of each trial of a sweep over each value that varies.
"""

from pathlib import Path

from lamina.common.notice import note
from lamina.common.printable import printable
from lamina.experiment.curves import NothingYet, kept_of, percents, read_run
from lamina.experiment.groups import grouped, read_settings
from lamina.experiment.plots import plot_curves
from lamina.experiment.run_names import run_names
from lamina.experiment.sweep_picture import plot_sweep


def add_arguments(parser) -> None:
    add = parser.add_argument
    add(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="a run directory, or a sweep's folder",
    )
    add("-o", "--output", type=Path, help="(default: RUN/curves.png, curves.png; RUN/sweep.png)")
    add("--values", action="store_true", help="of a sweep: figures over values, not curves")
    add("--each", action="store_true", help="a curve for each run, also of those of one group")
    add("--width", type=int, metavar="PIXELS", help="of the picture; 360 for a phone")


def run(options) -> int:
    if options.width is not None and not 240 <= options.width <= 10_000:
        options.error(f"--width: expects 240 to 10000 pixels, got {options.width}")
    if options.values:
        if len(options.runs) > 1 or options.each:
            options.error("--values is of one sweep, and not with --each")
        output = options.output or options.runs[0] / "sweep.png"
        plot_sweep(output, options.runs[0], options.width)
        print(printable(str(output)))
        return 0
    paths = run_names(options.runs)
    alone = len(paths) == 1
    output = options.output or (options.runs[0] / "curves.png" if alone else Path("curves.png"))
    runs = {}
    for name, path in paths.items():
        try:
            runs[name] = read_run(path)
        except NothingYet as error:
            if name == list(paths)[-1] and not runs:
                raise
            note(f"{error}: left out")
    groups = None
    if not alone:
        settings = {name: None if options.each else read_settings(paths[name]) for name in runs}
        groups = grouped(settings)
    title = next(iter(runs)) if alone else ""
    kept = {name: kept_of(paths[name]) for name in runs}
    said = percents(paths[name] for name in runs)
    plot_curves(output, runs, title, groups, options.width, kept, said)
    print(printable(str(output)))
    return 0

"""Say what is wrong with a finished or failed run, with the evidence."""

from pathlib import Path

from lamina.common.printable import printable
from lamina.diagnosis.doctor import diagnose
from lamina.diagnosis.record import read_record
from lamina.diagnosis.report import report

EPILOG = "exit status: 0 nothing was found, 1 something was, 2 the run cannot be read"
_DEFAULT = Path()  # --plot without a path


def add_arguments(parser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory")
    parser.add_argument(
        "--plot",
        type=Path,
        nargs="?",
        const=_DEFAULT,
        metavar="FILE",
        help="draw the layers over time (default: RUN/health.png)",
    )


def run(options) -> int:
    record = read_record(options.run)
    findings = diagnose(record)
    options.status = 1 if findings else 0  # also for a reader who leaves early
    said = report(record, findings)
    if options.plot is not None:
        from lamina.diagnosis.picture import plot_health

        path = options.run / "health.png" if options.plot is _DEFAULT else options.plot
        plot_health(path, record)
        said += f"\n\npicture: {printable(str(path))}"
    print(said)
    return options.status

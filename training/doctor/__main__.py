"""python -m training.doctor RUN [--plot health.png]

Exit status: 0 if nothing is wrong, 1 if something is, 2 if the run cannot be read.
"""

import argparse
import os
import sys
from pathlib import Path

from training.doctor.diagnose import diagnose
from training.doctor.record import read_record
from training.doctor.report import report

_DEFAULT = Path()  # --plot without a path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.doctor",
        description="Say what is wrong with a finished or failed run, with the evidence.",
        epilog="exit status: 0 healthy, 1 something is wrong, 2 the run cannot be read",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory")
    parser.add_argument(
        "--plot",
        type=Path,
        nargs="?",
        const=_DEFAULT,
        metavar="FILE",
        help="draw the layers over time (default: RUN/health.png)",
    )
    options = parser.parse_args(arguments)
    findings = []
    try:
        record = read_record(options.run)
        findings = diagnose(record)
        said = report(record, findings)
        if options.plot is not None:
            from training.doctor.picture import plot_health

            path = options.run / "health.png" if options.plot is _DEFAULT else options.plot
            plot_health(path, record)
            said += f"\n\npicture: {path}"
        print(said, flush=True)
    except BrokenPipeError:  # whoever reads it has seen enough, as in | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as error:
        print(f"training.doctor: {error}", file=sys.stderr)
        return 2
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

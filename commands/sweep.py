"""Run many trials from one file: lists, grids, seeds or a search over a base configuration.

The same command goes on with a sweep that was interrupted or killed: what has finished is not run
again, what was under way goes on to the same bits. The file:

  base: digits_relu
  set: {training.iterations: 600, dataset.n_validation: 500}
  grid: {optimizer.type: [SGD, Momentum], optimizer.lr: [0.1, 0.01]}
  seeds: 0-4

or, instead of grid, list and seeds, values that Optuna chooses (pip install 'lamina[sweep]'):

  ranges: {optimizer.lr: {log: [0.001, 1]}, optimizer.type: {choice: [SGD, Adam]}}
  trials: 20
"""

from pathlib import Path

from lamina.common.printable import printable
from lamina.experiment.config import ConfigError

EPILOG = """examples:
  lamina sweep rates.yaml --jobs 4
"""
STOPPED = "; the same command goes on with the sweep"


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE.yaml", help="a base configuration, and what varies")
    add("--dir", type=Path, help="of the sweep (default: runs/<name of the file>)")
    add("--jobs", type=int, default=1, help="processes at a time, of one thread each (default: 1)")
    add("--quiet", action="store_true", help="no progress bar")


def user_errors() -> tuple:
    """What a user's mistake or the world may raise."""
    from lamina.experiment.run import USER_ERRORS

    return (ConfigError, OSError, *USER_ERRORS)


def run(options) -> int:
    from lamina.experiment.sweep import sweep

    if options.jobs < 1:
        options.error(f"--jobs: expects at least 1, got {options.jobs}")
    said, status = sweep(options.file, options.dir, options.jobs, options.quiet)
    print(printable(said, lines=True))
    return status

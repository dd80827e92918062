"""Train a net that a YAML file describes."""

from pathlib import Path

from lamina.common.memory import keep_memory
from lamina.common.printable import printable
from lamina.common.ranks import RankError, Ranks, find_ranks
from lamina.common.threads import set_threads, share_threads, stop_waiting_early
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.find_config import find_config
from lamina.experiment.run_config import add_code_option, load_run_config

DEFAULT = "digits_relu"
EPILOG = """examples:
  lamina train --config configs/mnist_relu.yaml     or its name: --config mnist_relu
  lamina train --config configs/mnist_relu.yaml --seed 1 --run-dir runs/seed1
  lamina train --set optimizer.lr=0.5 --set training.iterations=600
  lamina train --set 'net.layers.drop={type: Dropout, p: 0.2, after: relu1}'
  lamina train --resume runs/seed1                  go on where it was interrupted
  lamina train --resume runs/seed1 --set training.iterations=20000      or for longer
  lamina train --resume runs/seed1 --verify         does its last stretch give the same bits?
  mpiexec -n 4 lamina train --config mnist_lenet --set training.shards=4      on four processes
"""
SPREADS = True  # a launcher of MPI may start several of it
STOPPED = "; a run directory can be taken up: --resume RUN"


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("--config", help=f"a file, or a name (default: {DEFAULT}; with --resume that of the run)")
    add(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one value; repeatable",
    )
    add("--run-dir", type=Path, help="(default: runs/<config>-<time>)")
    add("--resume", type=Path, metavar="RUN", help="go on in this run directory")
    add("--verify", action="store_true", help="with --resume: train again, compare, change nothing")
    add_code_option(parser)
    add("--seed", type=int, help="short for --set training.seed=SEED")
    add("--quiet", action="store_true", help="no progress bar")


def user_errors() -> tuple:
    """What a user's mistake or the world may raise."""
    from lamina.experiment.run import USER_ERRORS  # late: see run

    return (ConfigError, OSError, RankError, *USER_ERRORS)


def run(options) -> int:
    if options.resume and options.run_dir:
        options.error("--resume goes on in the directory of its run; leave --run-dir out")
    if options.config or not options.resume:
        named = "is for --resume alone; a configuration that you name may run what it names"
        options.refuse(named, "--code")
    if options.verify and not options.resume:
        options.error("--verify needs --resume RUN")
    stop_waiting_early()
    keep_memory()
    ranks = find_ranks()
    if options.verify and ranks.size > 1:
        raise RankError("--verify trains on one process, to the same bits: start it without MPI")
    # Of a run that goes on, the first rank reads it: the others may have no such folder.
    config = ranks.from_first(lambda: _config(options)) if options.resume else _config(options)
    for assignment in options.set:
        config.set(assignment)
    if options.seed is not None:
        config.set(f"training.seed={options.seed}")
    if config.threads:
        set_threads(config.threads)
    elif isinstance(ranks, Ranks):
        share_threads(ranks.cores)
    # After set_threads: these import NumPy.
    if options.verify:
        from lamina.experiment.verify import verify

        summary, status = verify(config, options.resume, options.quiet)
    elif options.resume:
        from lamina.experiment.run import resume

        summary, status = resume(config, options.resume, options.quiet, ranks=ranks)
    else:
        from lamina.experiment.run import run

        name = Path(options.config or DEFAULT).stem
        summary, status = run(config, name, options.run_dir, options.quiet, ranks=ranks)
    print(printable(summary))
    return status


def _config(options):
    if options.config or not options.resume:
        return load_config(find_config(options.config or DEFAULT))
    return load_run_config(options.resume, options.code)

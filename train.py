"""Train a net from a configuration: python train.py --config configs/mnist_relu.yaml"""

import argparse
import sys
import traceback
from pathlib import Path

from training.config import ConfigError, load_config
from training.memory import keep_memory
from training.run_config import add_code_option, load_run_config
from training.threads import set_threads, stop_waiting_early

DEFAULT = "configs/digits_relu.yaml"
EXAMPLES = """examples:
  python train.py --config configs/mnist_relu.yaml
  python train.py --config configs/mnist_relu.yaml --seed 1 --run-dir runs/seed1
  python train.py --set optimizer.lr=0.5 --set training.iterations=600
  python train.py --resume runs/seed1                  go on where it was interrupted
  python train.py --resume runs/seed1 --set training.iterations=20000      or for longer
  python train.py --resume runs/seed1 --verify         does its last stretch give the same bits?
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Train a net that a YAML file describes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--config", help=f"(default: {DEFAULT}; with --resume that of the run)")
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
    add("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    if options.resume and options.run_dir:
        parser.error("--resume goes on in the directory of its run; leave --run-dir out")
    if options.code and not options.resume:
        parser.error("--code is for --resume; a configuration that you name may run what it names")
    if options.verify and not options.resume:
        parser.error("--verify needs --resume RUN")
    stop_waiting_early()
    keep_memory()
    try:
        return _train(options)
    except KeyboardInterrupt:
        print("train.py: stopped at once; a run directory can be taken up: --resume RUN")
        return 130
    except Exception as error:
        if not _is_users(error):
            raise
        if options.debug:
            traceback.print_exc()
        print(f"train.py: {error}", file=sys.stderr)
        return 2


def _train(options) -> int:
    config = _config(options)
    for assignment in options.set:
        config.set(assignment)
    if options.seed is not None:
        config.set(f"training.seed={options.seed}")
    training = config.data.get("training")
    threads = training.get("threads") if isinstance(training, dict) else None
    if isinstance(threads, int) and threads > 0:
        set_threads(threads)
    # After set_threads: these import NumPy.
    if options.verify:
        from training.verify import verify

        summary, status = verify(config, options.resume, options.quiet)
    elif options.resume:
        from training.main import resume

        summary, status = resume(config, options.resume, options.quiet)
    else:
        from training.main import run

        name = Path(options.config or DEFAULT).stem
        summary, status = run(config, name, options.run_dir, options.quiet)
    print(summary)
    return status


def _config(options):
    if options.config or not options.resume:
        return load_config(options.config or DEFAULT)
    return load_run_config(options.resume, options.code)


def _is_users(error: Exception) -> bool:
    from training.main import USER_ERRORS

    return isinstance(error, (ConfigError, OSError, *USER_ERRORS))


if __name__ == "__main__":
    sys.exit(main())

"""Train a net from a configuration: python train.py --config configs/mnist_relu.yaml"""

import argparse
import sys
import traceback
from pathlib import Path

from training.config import ConfigError, load_config
from training.memory import keep_memory
from training.threads import set_threads, stop_waiting_early

EXAMPLES = """examples:
  python train.py --config configs/mnist_relu.yaml
  python train.py --config configs/mnist_relu.yaml --seed 1 --run-dir runs/seed1
  python train.py --set optimizer.lr=0.5 --set training.iterations=600
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Train a net that a YAML file describes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--config", default="configs/digits_relu.yaml", help="(default: %(default)s)")
    add(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one value; repeatable",
    )
    add("--run-dir", type=Path, help="(default: runs/<config>-<time>)")
    add("--seed", type=int, help="short for --set training.seed=SEED")
    add("--quiet", action="store_true", help="no progress bar")
    add("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    stop_waiting_early()
    keep_memory()
    try:
        return _train(options)
    except KeyboardInterrupt:
        print("train.py: stopped at once; if a run directory was made, its tables are kept")
        return 130
    except Exception as error:
        if not _is_users(error):
            raise
        if options.debug:
            traceback.print_exc()
        print(f"train.py: {error}", file=sys.stderr)
        return 2


def _train(options) -> int:
    config = load_config(options.config)
    for assignment in options.set:
        config.set(assignment)
    if options.seed is not None:
        config.set(f"training.seed={options.seed}")
    training = config.data.get("training")
    threads = training.get("threads") if isinstance(training, dict) else None
    if isinstance(threads, int) and threads > 0:
        set_threads(threads)
    from training.main import run  # after set_threads: this imports NumPy

    summary, finished = run(config, Path(options.config).stem, options.run_dir, options.quiet)
    print(summary)
    return 0 if finished else 130


def _is_users(error: Exception) -> bool:
    from training.main import USER_ERRORS

    return isinstance(error, (ConfigError, OSError, *USER_ERRORS))


if __name__ == "__main__":
    sys.exit(main())

"""Say where the time of a training step goes, layer by layer."""

import sys
from pathlib import Path

from lamina.common.memory import keep_memory
from lamina.common.threads import set_threads, stop_waiting_early
from lamina.experiment.config import load_config
from lamina.experiment.find_config import find_config


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="a YAML configuration, or its name")
    add("--steps", type=int, default=20, help="steps to time (default: 20)")
    add("--batch-size", type=int, help="(default: that of the configuration)")
    add("--threads", type=int, help="of the matrix products")
    add("--tune", action="store_true", help="find the fastest threads and batch")
    add("--save", type=Path, help="with --tune: write the configuration with them")


def run(options) -> int:
    for name in ("steps", "batch_size", "threads"):
        if (value := getattr(options, name)) is not None and value < 1:
            options.error(f"--{name.replace('_', '-')}: expects at least 1, got {value}")
    if options.save and not options.tune:
        options.error("--save goes with --tune")
    path = find_config(options.config)
    config = load_config(path)
    if options.tune:
        from lamina.experiment.tune import tune

        print(tune(config, path, options.steps, options.save))
        return 0
    stop_waiting_early()
    keep_memory()
    threads = options.threads or config.data.get("training", {}).get("threads")
    if threads and "numpy" not in sys.modules:
        set_threads(threads)
    from lamina.diagnosis.profile import measure, table  # after set_threads: it imports NumPy

    print(table(measure(config, options.steps, options.batch_size)))
    return 0

"""Say where the time of a training step goes, layer by layer."""

import json
import sys
from pathlib import Path

from lamina.common.memory import keep_memory
from lamina.common.threads import set_threads, stop_waiting_early
from lamina.experiment.config import Config, load_config
from lamina.experiment.find_config import find_config

EPILOG = """--json prints an object: "rows", of each layer "name", "type", "forward" and
"backward" (seconds), "flop", "products", "output" and "parameters" (bytes);
"batch_size", "steps", "step" and "update" (seconds), "samples_per_second",
"peak_memory" (bytes; null where the system does not say).
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="a YAML configuration, or its name")
    add("--steps", type=int, help="steps to time (default: for a second, and at least 20)")
    add("--batch-size", type=int, help="(default: that of the configuration)")
    add("--threads", type=int, help="of the matrix products")
    add("--json", action="store_true", help="print the measurement as JSON")
    add("--tune", action="store_true", help="find the fastest threads and batch")
    add("--save", type=Path, help="with --tune: write the configuration with them")


def run(options) -> int:
    for name in ("steps", "batch_size", "threads"):
        if (value := getattr(options, name)) is not None and value < 1:
            options.error(f"--{name.replace('_', '-')}: expects at least 1, got {value}")
    if options.save and not options.tune:
        options.error("--save goes with --tune")
    for name in ("json", "batch_size", "threads"):
        if options.tune and getattr(options, name):
            options.error(f"--{name.replace('_', '-')} does not go with --tune")
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
    from lamina.diagnosis.profile import table  # after set_threads: it imports NumPy

    found = profile(config, options.steps, options.batch_size)
    print(json.dumps(found, indent=1) if options.json else table(found))
    return 0


def profile(config: Config, steps: int | None = None, batch_size: int | None = None) -> dict:
    """What diagnosis.profile.measure finds for the net and the optimizer of a configuration."""
    import numpy as np

    from lamina.diagnosis.profile import batch_of, measure
    from lamina.experiment.build import build_dataset, build_net, build_optimizer

    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    optimizer = build_optimizer(config, net.parameters())
    n = batch_size or config.data.get("training", {}).get("batch_size", 100)
    return measure(net, optimizer, *batch_of(dataset, n, np.random.default_rng(0)), steps)

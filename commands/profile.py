"""Say where the time of a training step goes, layer by layer."""

import json
import sys
from pathlib import Path

from lamina.common.memory import keep_memory
from lamina.common.notice import note
from lamina.common.threads import current_threads, set_threads, stop_waiting_early
from lamina.experiment.config import Config, ConfigError, load_config
from lamina.experiment.find_config import find_config

EPILOG = """--json prints an object: "rows", of each layer "name", "type", "forward" and
"backward" (seconds), "flop", "backward_flop", "output" and "parameters" (bytes);
"batch_size", "shards", "parts" (the batch, in sizes of the first shard), "threads" (of
shards side by side), "steps", "step" and "update" (seconds), "samples_per_second",
"peak_memory" (bytes; null where the system does not say).
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="a YAML configuration, or its name")
    add("--steps", type=int, help="steps to time (default: for a second, and at least 20)")
    add("--batch-size", type=int, help="(default: that of the configuration)")
    add("--threads", type=int, help="of the matrix products, or to work on shards")
    add("--shards", type=int, help="parts of a batch (default: those of the configuration)")
    add("--json", action="store_true", help="print the measurement as JSON")
    add("--tune", action="store_true", help="find the fastest threads and batch")
    add("--save", type=Path, help="with --tune: write the configuration with them")


def run(options) -> int:
    for name in ("steps", "batch_size", "threads", "shards"):
        if (value := getattr(options, name)) is not None and value < 1:
            options.error(f"--{name.replace('_', '-')}: expects at least 1, got {value}")
    if options.save and not options.tune:
        options.error("--save goes with --tune")
    for name in ("json", "batch_size", "threads", "shards"):
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
    threads = options.threads or config.threads
    if threads and "numpy" not in sys.modules:
        set_threads(threads)
    from lamina.diagnosis.profile import table  # after set_threads: it imports NumPy

    found = profile(config, options.steps, options.batch_size, options.shards)
    print(json.dumps(found, indent=1) if options.json else table(found))
    return 0


def profile(
    config: Config,
    steps: int | None = None,
    batch_size: int | None = None,
    shards: int | None = None,
) -> dict:
    """What diagnosis.profile.measure finds for the net and the optimizer of a configuration."""
    import numpy as np

    from lamina.diagnosis.profile import batch_of, measure
    from lamina.experiment.build import build_dataset, build_net, build_optimizer
    from lamina.experiment.tune import left_out_of_steps
    from lamina.training.parallel import Sharded, fastest_shards, len_of

    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    optimizer = build_optimizer(config, net.parameters())
    training = config.data.get("training", {})
    X, t = batch_of(
        dataset, batch_size or training.get("batch_size", 100), np.random.default_rng(0)
    )
    if left_out := left_out_of_steps(training):
        note(left_out)
    shards = shards or training.get("shards", 1)
    if shards == "auto":
        shards = fastest_shards(net, X, t, current_threads())
    if shards > (n := len_of(X)):
        raise ConfigError(f"shards: expects no more than the {n} rows of a batch, got {shards}")
    return measure(net if shards == 1 else Sharded(net, shards), optimizer, X, t, steps)

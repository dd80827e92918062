"""Find a learning rate: the loss over the rate in one short run, and the rate that it suggests.

The rate grows at every step until the loss is lost. It takes any optimizer; a schedule plays no
part, and nothing but the picture is written.
"""

import sys
from pathlib import Path

from lamina.common.memory import keep_memory
from lamina.common.printable import printable
from lamina.common.threads import set_threads, stop_waiting_early
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.find_config import find_config

EPILOG = """examples:
  lamina lr mnist_relu
  lamina lr mnist_relu --set optimizer.type=Adam -o adam.png
exit status: 0, or 1 if the loss has not fallen at any rate
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("config", type=Path, metavar="CONFIG", help="a YAML configuration, or its name")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="change one value")
    add("--low", type=float, default=1e-6, help="the first rate (default: 1e-6)")
    add("--high", type=float, default=100.0, help="the last one (default: 100)")
    add("--steps", type=int, default=300, help="updates between them (default: 300)")
    add("-o", "--output", type=Path, default=Path("lr.png"), help="(default: lr.png)")


def user_errors() -> tuple:
    """What a user's mistake or the world may raise."""
    from lamina.experiment.run import USER_ERRORS

    return (ConfigError, OSError, *USER_ERRORS)


def run(options) -> int:
    if not 0 < options.low < options.high < float("inf"):
        options.error("expects 0 < --low < --high")
    if options.steps < 20:
        options.error(f"--steps: expects at least 20, got {options.steps}")
    stop_waiting_early()
    keep_memory()
    config = load_config(find_config(options.config))
    for assignment in options.set:
        config.set(assignment)
    if config.threads and "numpy" not in sys.modules:
        set_threads(config.threads)
    from lamina.experiment.rate_finder import draw_rates, find_rate, in_words  # NumPy

    found = find_rate(config, options.low, options.high, options.steps)
    optimizer = str(config.data["optimizer"].get("type"))
    name = f"{optimizer} on {options.config.stem}"
    print(printable(in_words(found, name), lines=True))
    draw_rates(options.output, found, name)
    print(f"picture: {printable(str(options.output))}")
    return 0 if found.suggested is not None else 1

"""Which threads, shards and batch size train most samples a second, each in fresh processes."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from lamina.common.threads import current_threads
from lamina.experiment.config import Config, ConfigError, save_config

_LEFT_OUT = {
    "accumulate": 1,
    "gradient_penalty": 0,
    "augmentation": None,
}  # what makes a step longer, unless this
ROUNDS = 3  # measurements of each setting; a machine that is busy for a while spoils one of them


def tune(config: Config, path: str | Path, steps: int | None, save: str | Path | None) -> str:
    """A table of what was tried, and the fastest; `save` gets the configuration with it.

    The configuration is measured as it is, beside what is tried. The figures are medians of ROUNDS
    measurements, all settings in each round, and every other round in the opposite order, so that a
    machine that slows down wrongs none of them.
    """
    if save is not None and Path(save).exists():
        raise FileExistsError(f"{save} is there already; choose another name for --save")
    training = config.data.setdefault("training", {})
    batch = training.get("batch_size", 100)
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    threads = sorted({1, *(2**i for i in range(1, 10) if 2**i <= cores), cores})
    # Threads of the matrix products, or as many shards, which work on one batch side by side.
    ways = [(n, 1) for n in threads] + [(n, n) for n in threads if n > 1]
    now = training.get("threads") or current_threads(), training.get("shards", 1)
    sizes = sorted({max(batch // 2, 1), batch, 2 * batch, 4 * batch})
    settings = [(way, size) for size in sizes for way in ways if way[1] <= size]
    if (now, batch) not in settings:
        settings.append((now, batch))
    rates = _rates(path, settings, steps)
    best = max(rates, key=rates.__getitem__)
    lines = [
        f"samples a second, medians of {ROUNDS} measurements, each in a process of its own",
        f"  {'batch':>7}" + "".join(f"{_words(*way):>14}" for way in ways),
    ]
    for size in sizes:
        cells = (_cell(rates, (way, size), best) for way in ways)
        lines.append(f"  {size:>7} " + " ".join(cells).rstrip())
    lines.append(f"the configuration: {_words(*now)}, batches of {batch}: {rates[now, batch]:,.0f}")
    lines.append(f"fastest: {_fastest(rates, best, (now, batch))}")
    if left_out := left_out_of_steps(training):
        lines.append(left_out)
    if save is not None:
        (n, shards), size = best
        training.update(threads=n, shards=shards, batch_size=size)
        save_config(save, config)
        lines.append(f"written: {save}")
    return "\n".join(lines)


def left_out_of_steps(training: dict) -> str:
    """In words, what of a configuration the step that is measured is without; "" if nothing."""
    there = [name for name, plain in _LEFT_OUT.items() if training.get(name, plain) != plain]
    names = " and ".join(there)
    return f"a plain step is measured, without the {names} of the configuration" if there else ""


def _words(threads: int, shards: int | str) -> str:
    of_threads = f"{threads} thread{'s' * (threads > 1)}"
    if shards == 1:
        return of_threads
    of_shards = "shards: auto" if shards == "auto" else f"{shards} shards"
    return of_shards if shards == threads else f"{of_shards} on {of_threads}"


def _cell(rates: dict, setting: tuple, best: tuple) -> str:
    if setting not in rates:
        return " " * 13
    return f"{rates[setting]:>12,.0f}{'*' if setting == best else ' '}"


def _fastest(rates: dict, best: tuple, now: tuple) -> str:
    if best == now:
        return "the configuration"
    way, size = best
    times = f"{rates[best] / rates[now]:.2f} times as fast as the configuration"
    other = (
        "; another batch size trains differently, so its rate and number of iterations may have to "
        "change too"
    )
    return f"{_words(*way)}, batches of {size}, {times}{other if size != now[1] else ''}"


def _rates(path: str | Path, settings: list[tuple], steps: int | None) -> dict:
    """{((threads, shards), batch size): samples a second}."""
    found: dict[tuple, list[float]] = {setting: [] for setting in settings}
    for i in range(ROUNDS):
        for setting in settings if i % 2 == 0 else reversed(settings):
            (threads, shards), size = setting
            found[setting].append(_rate(path, threads, shards, size, steps))
    return {setting: statistics.median(rates) for setting, rates in found.items()}


def _rate(
    path: str | Path, threads: int, shards: int | str, batch_size: int, steps: int | None
) -> float:
    """Samples a second of one setting, measured by `lamina profile` in a process of its own."""
    settings = ["--threads", threads, "--batch-size", batch_size, "--json"]
    settings += [] if shards == "auto" else ["--shards", shards]  # auto as the configuration has it
    settings += ["--steps", steps] if steps else []
    command = [sys.executable, "-m", "lamina", "profile", str(path), *map(str, settings)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ConfigError(f"{' '.join(command[1:])} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)["samples_per_second"]

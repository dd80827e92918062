"""Which threads, shards and batch size train most samples a second, each in fresh processes."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from lamina.experiment.config import Config, ConfigError, save_config

ROUNDS = 3  # measurements of each setting; a machine that is busy for a while spoils one of them


def tune(config: Config, path: str | Path, steps: int | None, save: str | Path | None) -> str:
    """A table of what was tried, and the fastest; `save` gets the configuration with it.

    The figures are medians of ROUNDS measurements, all settings in each round, and every other
    round in the opposite order, so that a machine that slows down wrongs none of them.
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
    now = _now(training, ways, cores)
    sizes = sorted({max(batch // 2, 1), batch, 2 * batch, 4 * batch})
    settings = [(way, size) for size in sizes for way in ways if way[1] <= size]
    rates = _rates(path, settings, steps)
    best = max(rates, key=rates.__getitem__)
    lines = [
        f"samples a second, medians of {ROUNDS} measurements, each in a process of its own",
        f"  {'batch':>7}" + "".join(f"{_words(*way):>14}" for way in ways),
    ]
    for size in sizes:
        cells = (_cell(rates, (way, size), best) for way in ways)
        lines.append(f"  {size:>7} " + " ".join(cells).rstrip())
    (n, shards), size = best
    lines.append(
        f"fastest: {_words(n, shards)}, batches of {size}, {rates[best] / rates[now, batch]:.2f} "
        "times as fast as the configuration; another batch size trains differently, so its rate "
        "and number of iterations may have to change too"
    )
    if save is not None:
        training.update(threads=n, shards=shards, batch_size=size)
        save_config(save, config)
        lines.append(f"written: {save}")
    return "\n".join(lines)


def _words(threads: int, shards: int) -> str:
    return f"{shards} shards" if shards > 1 else f"{threads} thread{'s' * (threads > 1)}"


def _cell(rates: dict, setting: tuple, best: tuple) -> str:
    if setting not in rates:
        return " " * 13
    return f"{rates[setting]:>12,.0f}{'*' if setting == best else ' '}"


def _now(training: dict, ways: list[tuple[int, int]], cores: int) -> tuple[int, int]:
    """Which of these ways is nearest to that of the configuration."""
    threads, shards = training.get("threads", cores), training.get("shards", 1)
    cut = shards == "auto" or shards > 1
    alike = [way for way in ways if (way[1] > 1) == cut] or ways
    return min(alike, key=lambda way: abs(way[0] - threads))


def _rates(path: str | Path, settings: list[tuple], steps: int | None) -> dict:
    """{((threads, shards), batch size): samples a second}."""
    found: dict[tuple, list[float]] = {setting: [] for setting in settings}
    for i in range(ROUNDS):
        for setting in settings if i % 2 == 0 else reversed(settings):
            (threads, shards), size = setting
            found[setting].append(_rate(path, threads, shards, size, steps))
    return {setting: statistics.median(rates) for setting, rates in found.items()}


def _rate(path: str | Path, threads: int, shards: int, batch_size: int, steps: int | None) -> float:
    """Samples a second of one setting, measured by `lamina profile` in a process of its own."""
    settings = ["--threads", threads, "--shards", shards, "--batch-size", batch_size, "--json"]
    settings += ["--steps", steps] if steps else []
    command = [sys.executable, "-m", "lamina", "profile", str(path), *map(str, settings)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ConfigError(f"{' '.join(command[1:])} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)["samples_per_second"]

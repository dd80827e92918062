"""Which thread count and batch size train most samples a second, each tried in fresh processes."""

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
    batch = config.data.get("training", {}).get("batch_size", 100)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = sorted({1, *(2**i for i in range(1, 10) if 2**i <= cores), cores})
    sizes = sorted({max(batch // 2, 1), batch, 2 * batch, 4 * batch})
    rates = _rates(path, [(n, size) for size in sizes for n in threads], steps)
    best = max(rates, key=rates.get)
    lines = [
        f"samples a second, medians of {ROUNDS} measurements, each in a process of its own",
        f"  {'batch':>7}" + "".join(f"{n:>10} thr." for n in threads),
    ]
    for size in sizes:
        cells = (f"{rates[n, size]:>13,.0f}{'*' if (n, size) == best else ' '}" for n in threads)
        lines.append(f"  {size:>7} " + " ".join(cells).rstrip())
    now = rates[_nearest(threads, config, cores), batch]
    lines.append(
        f"fastest: {best[0]} threads, batches of {best[1]}, {rates[best] / now:.2f} times as fast "
        "as the configuration; another batch size trains differently, so its rate and number of "
        "iterations may have to change too"
    )
    if save is not None:
        config.data.setdefault("training", {})["threads"] = best[0]
        config.data["training"]["batch_size"] = best[1]
        save_config(save, config)
        lines.append(f"written: {save}")
    return "\n".join(lines)


def _nearest(threads: list[int], config: Config, cores: int) -> int:
    wanted = config.data.get("training", {}).get("threads", cores)
    return min(threads, key=lambda n: abs(n - wanted))


def _rates(path: Path, settings: list[tuple[int, int]], steps: int | None) -> dict:
    """{(threads, batch size): samples a second}."""
    found: dict[tuple, list[float]] = {setting: [] for setting in settings}
    for i in range(ROUNDS):
        for setting in settings if i % 2 == 0 else reversed(settings):
            found[setting].append(_rate(path, *setting, steps))
    return {setting: statistics.median(rates) for setting, rates in found.items()}


def _rate(path: Path, threads: int, batch_size: int, steps: int | None) -> float:
    """Samples a second of one setting, measured by `lamina profile` in a process of its own."""
    settings = ["--threads", threads, "--batch-size", batch_size, "--json"]
    settings += ["--steps", steps] if steps else []
    command = [sys.executable, "-m", "lamina", "profile", str(path), *map(str, settings)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ConfigError(f"{' '.join(command[1:])} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)["samples_per_second"]

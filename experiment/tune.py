"""Which thread count and batch size train most images a second, each tried in a fresh process."""

import os
import re
import subprocess
import sys
from pathlib import Path

from lamina.experiment.config import Config, ConfigError, save_config


def tune(config: Config, path: Path, steps: int, save: Path | None) -> str:
    """A table of what was tried, and the fastest; `save` gets the configuration with it."""
    if save is not None and save.exists():
        raise FileExistsError(f"{save} is there already; choose another name for --save")
    batch = config.data.get("training", {}).get("batch_size", 100)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = sorted({1, *(2**i for i in range(1, 10) if 2**i <= cores), cores})
    sizes = sorted({max(batch // 2, 1), batch, 2 * batch, 4 * batch})
    rates = {(n, size): _rate(path, n, size, steps) for size in sizes for n in threads}
    best = max(rates, key=rates.get)
    lines = ["images a second", f"  {'batch':>7}" + "".join(f"{n:>10} thr." for n in threads)]
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


def _rate(path: Path, threads: int, batch_size: int, steps: int) -> float:
    """Images a second of one setting, measured by training.profile in a process of its own."""
    settings = ["--threads", threads, "--batch-size", batch_size, "--steps", steps]
    command = [sys.executable, "-m", "lamina", "profile", str(path), *map(str, settings)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"([\d,]+) images a second", done.stdout)
    if done.returncode or not found:
        raise ConfigError(f"{' '.join(command[1:])} failed: {done.stderr.strip()}")
    return float(found[1].replace(",", ""))

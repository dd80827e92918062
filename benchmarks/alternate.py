"""Fair timing of peers: fresh processes, taking turns, medians and ratios.

Inside one process the thread pools of two libraries fight each other, and a machine that slows
down meanwhile favours whoever came first. So every measurement is a process of its own, the peers
take turns, and each figure is the median over the rounds.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

# benchmarks/autodiff.py has the name of a package; the checkout comes first for all benchmarks.
sys.path.insert(0, str(Path(__file__).parents[1]))


def medians(script: str, peers: list[str], arguments: list[str], rounds: int) -> dict[str, float]:
    """Run `python script --peer NAME arguments...` in turn; each prints one number.

    Returns the median of each peer. Raises RuntimeError with the output of a run that failed.
    """
    numbers: dict[str, list[float]] = {peer: [] for peer in peers}
    for _ in range(rounds):
        for peer in peers:
            command = [sys.executable, script, "--peer", peer, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
            numbers[peer].append(float(done.stdout.split()[-1]))
    return {peer: statistics.median(values) for peer, values in numbers.items()}


def median_step(step, warm_up: int, steps: int) -> float:
    """The median time of one call of step, in seconds."""
    for _ in range(warm_up):
        step()
    times = []
    for _ in range(steps):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return statistics.median(times)

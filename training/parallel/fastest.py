"""How many shards a net trains fastest with on this machine."""

import copy
import statistics
import time

from lamina.training.parallel.sharded import Sharded, len_of

ROUNDS, STEPS = 5, 3
GAIN = 1.05  # as many times faster at least: shards cost memory, and other bits than one


def fastest_shards(net, X, t, threads: int) -> int:
    """1, or as many shards as threads, whichever takes less time for a step on this batch.

    Tried on copies, in alternating rounds, of which the medians count. The net stays as it is.
    """
    n = min(threads, len_of(X))
    if n < 2:
        return 1
    tried = {1: copy.deepcopy(net), n: Sharded(copy.deepcopy(net), n)}
    seconds: dict[int, list[float]] = {count: [] for count in tried}
    for one in tried.values():
        one.gradient(X, t)
    for _ in range(ROUNDS):
        for count, one in tried.items():
            started = time.perf_counter()
            for _ in range(STEPS):
                one.gradient(X, t)
            seconds[count].append(time.perf_counter() - started)
    whole, cut = (statistics.median(times) for times in seconds.values())
    return n if cut * GAIN < whole else 1

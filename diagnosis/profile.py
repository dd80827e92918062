"""Where the time of a training step goes, layer by layer, as `caffe time` shows it."""

import math
import statistics
import sys
import time

import numpy as np

from lamina.common.threads import current_threads
from lamina.layers.base import Param
from lamina.nets.probes import Place, Probes, places_of
from lamina.training.parallel import len_of

WARM_UP = 2  # steps, which come on top
FEWEST, SECONDS, MOST = 20, 1.0, 2000  # steps, if not said: as many as fit into a second


def measure(net, optimizer, X, t, steps: int | None = None) -> dict:
    """Take training steps on one batch, and say what each layer of the net costs.

    Of a net with shards (training.parallel.Sharded), the seconds are those of the first, which the
    others work beside; "flop" and "output" are of the whole batch.

    Returns {"rows", "batch_size", "shards", "parts", "threads", "steps", "step", "update",
    "samples_per_second", "peak_memory"}: how many times as large as its first shard the batch is,
    on how many threads they go side by side, the seconds of a step and of its update, the bytes
    that the process has had at most (None where the system does not say). A row is a layer or
    loss, those inside of nested nets and layers too, by its dotted name: {"name", "type",
    "forward", "backward": seconds; "flop", "backward_flop": additions and multiplications of the
    products of one batch;
    "output", "parameters": bytes}, all without those of the layers in it, which have rows of their
    own. The net is trained on; afterwards nothing is in it.
    """
    wanted, net.needs_dX = net.needs_dX, False
    places = places_of(net)
    times: list[tuple[float, float]] = []
    try:
        with Probes(places, watcher := _Clock(places)):
            begun = time.perf_counter()
            while not _enough(steps, len(times) - WARM_UP, time.perf_counter() - begun):
                started = time.perf_counter()
                optimizer.zero_grad()
                net.loss(X, t)
                net.backward()
                before = time.perf_counter()
                optimizer.step()
                times.append((time.perf_counter() - started, time.perf_counter() - before))
                watcher.end_step()
    finally:
        net.needs_dX = wanted
    middle = middle_half([step for step, _ in times[WARM_UP:]])
    step, update = (_mean_of(part, middle) for part in zip(*times[WARM_UP:], strict=True))
    n = len_of(X)
    parts = n / net.cut(n)[0].stop if hasattr(net, "cut") else 1.0  # as large as the first
    return {
        "rows": [watcher.row(place, middle, parts) for place in places],
        "batch_size": n,
        "shards": (shards := len(getattr(net, "nets", (net,)))),
        "parts": parts,
        "threads": min(shards, current_threads()),
        "steps": len(times) - WARM_UP,
        "step": step,
        "update": update,
        "samples_per_second": n / step,
        "peak_memory": _peak_memory(),
    }


def batch_of(dataset, n: int, rng: np.random.Generator):
    """(X, t) to measure with: n training samples, repeated where there are fewer. Where images to
    tell apart would have to be downloaded or drawn first, random ones do as well."""
    task = getattr(dataset, "task", dataset)  # a data set without one knows its classes itself
    if "train" not in vars(dataset) and getattr(task, "name", "classification") == "classification":
        X = rng.random((n, *dataset.input_shape), dtype=np.float32)
        return X, rng.integers(0, len(task.class_names), n)
    return dataset.train[np.arange(n) % len(dataset.train)]


def _enough(steps: int | None, done: int, seconds: float) -> bool:
    if steps is not None:
        return done >= steps
    return done >= FEWEST and (seconds >= SECONDS or done >= MOST)


class _Clock:
    """Times forward and backward of layers, and notes what they work on."""

    def __init__(self, places: list[Place]):
        self._of_step = {(p.name, way): 0.0 for p in places for way in ("forward", "backward")}
        self._times: dict[tuple, list] = {key: [] for key in self._of_step}
        self._open: list[list] = []  # [when it began, seconds of the layers in it] of each pass
        self._flop = dict.fromkeys(self._of_step, 0)
        self._output = {p.name: 0 for p in places}
        self._shapes: dict[str, list] = {p.name: [] for p in places}  # of inputs to go back through
        self._last: tuple[str, tuple] = ("", ())  # the layer that was the last to go forward
        self._places = places

    def enter(self, place: Place, way: str) -> None:
        self._open.append([time.perf_counter(), 0.0])

    def leave(self, place: Place, way: str) -> None:
        started, inside = self._open.pop()
        seconds = time.perf_counter() - started
        self._of_step[place.name, way] += seconds - inside
        if self._open:
            self._open[-1][1] += seconds

    def forward(self, place: Place, inputs: tuple, outputs: tuple) -> None:
        name = place.name
        if self._times[name, "forward"]:
            return  # the first step was noted; the others do the same
        last, within = self._last  # of the layers in it, if it is a net
        there = [*inputs, *(within if last.startswith(f"{name}.") else ())]
        self._output[name] += sum(
            np.asarray(y).nbytes  # what is only seen otherwise, or handed on, takes no memory
            for y in outputs
            if not any(np.may_share_memory(y, other) for other in there)
        )
        self._last = name, outputs
        if not place.is_loss:
            shapes = [np.shape(x) for x in inputs]
            self._shapes[name].append(shapes)
            self._flop[name, "forward"] += _of_batch(place.layer.flops, shapes)

    def backward(self, place: Place, douts: tuple, dXs: tuple) -> None:
        if not self._times[place.name, "backward"] and self._shapes[place.name]:
            shapes = self._shapes[place.name].pop()
            flops = _of_batch(place.layer.backward_flops, shapes)
            self._flop[place.name, "backward"] += flops

    def end_step(self) -> None:
        for key, seconds in self._of_step.items():
            self._times[key].append(seconds)
            self._of_step[key] = 0.0

    def row(self, place: Place, middle: list[int], parts: float = 1.0) -> dict:
        """What was noted, seconds in these steps, of a part of the batch; sizes as of all of it, so
        many times as much."""
        name = place.name
        theirs = {id(held) for other in self._within(place) for _, held in other.layer.walk()}
        learned = [h for _, h in place.layer.walk() if isinstance(h, Param) and id(h) not in theirs]
        return {
            "name": name,
            "type": place.type,
            **{
                w: _mean_of(self._times[name, w][WARM_UP:], middle) for w in ("forward", "backward")
            },
            "flop": round(parts * self._own_flop(place, "forward")),
            "backward_flop": round(parts * self._own_flop(place, "backward")),
            "output": round((1.0 if place.is_loss else parts) * self._output[name]),
            "parameters": sum(held.data.nbytes for held in learned),
        }

    def _within(self, place: Place) -> list[Place]:
        return [other for other in self._places if other.name.startswith(f"{place.name}.")]

    def _own_flop(self, place: Place, way: str) -> int:
        """Without those of the layers in it, which are all where it only hands on."""
        within = sum(self._own_flop(other, way) for other in self._within(place))
        return max(self._flop[place.name, way] - within, 0)


def middle_half(seconds: list[float]) -> list[int]:
    """Which steps are neither among the fastest quarter nor the slowest: means over these, unlike
    medians of each part, add up to the whole, and other work on the machine hardly moves them."""
    order = sorted(range(len(seconds)), key=seconds.__getitem__)
    return order[len(order) // 4 : len(order) - len(order) // 4]


def _mean_of(seconds, steps: list[int]) -> float:
    return statistics.fmean(seconds[i] for i in steps)


def _of_batch(flops, shapes: list[tuple]) -> int:
    """Those of a batch, from those of a sample; `shapes` are of the inputs of a layer."""
    return shapes[0][0] * flops(*(shape[1:] for shape in shapes))


def table(found: dict) -> str:
    """The measurement as text."""
    head = (
        "layer",
        "type",
        "forward",
        "backward",
        "share",
        "GFLOP",
        "GFLOP/s",
        "output",
        "weights",
    )
    rows = [head, ("", "", "ms", "ms", "%", "", "", "MB", "MB")]
    step, shards, threads = (found[name] for name in ("step", "shards", "threads"))
    turns = math.ceil(shards / threads)  # one after the other, of a thread
    for row in found["rows"]:
        seconds, gflop = (
            row["forward"] + row["backward"],
            1e-9 * (row["flop"] + row["backward_flop"]),
        )
        rows.append(
            (
                *(row["name"], row["type"]),
                *(f"{1e3 * row[way]:.2f}" for way in ("forward", "backward")),
                f"{100 * turns * seconds / step:.1f}",
                f"{gflop:.3f}" if gflop else "",
                f"{gflop / found['parts'] / seconds:.0f}"
                if gflop and seconds
                else "",  # a coarse clock says 0
                f"{row['output'] / 1e6:.1f}",
                f"{row['parameters'] / 1e6:.2f}" if row["parameters"] else "",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = []
    for row in rows:
        cells = [
            f"{c:<{w}}" if i < 2 else f"{c:>{w}}"
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(2, "-" * len(lines[0]))
    ways = ("forward", "backward")
    forward, backward = (1e3 * sum(row[way] for row in found["rows"]) for way in ways)
    outputs = sum(row["output"] for row in found["rows"])
    peak = found["peak_memory"]
    memory = "" if peak is None else f", peak memory of the process {peak / 1e6:.0f} MB"
    lines += [
        lines[2],
        f"a step of {found['batch_size']} samples: {1e3 * step:.1f} ms ({forward:.1f} forward, "
        f"{backward:.1f} backward, {1e3 * found['update']:.1f} update), "
        f"{found['samples_per_second']:,.0f} samples a second",
        f"means of the middle half of {found['steps']} steps; outputs of all layers "
        f"{outputs / 1e6:.0f} MB{memory}",
        *(
            [
                f"ms and GFLOP/s are those of the first of {shards} shards, of which {threads} go "
                f"side by side{f', {turns} in turn' if turns > 1 else ''}; shares, GFLOP and "
                "outputs of all"
            ]
            if shards > 1
            else []
        ),
        "GFLOP: matrix products forward, and backward for the weights and for dX where wanted",
    ]
    return "\n".join(lines)


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used * (1 if sys.platform == "darwin" else 1024)

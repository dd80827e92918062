"""Where the time of a training step goes, layer by layer, as `caffe time` shows it."""

import statistics
import sys
import time

from lamina.experiment.config import Config


def measure(config: Config, steps: int, batch_size: int | None = None) -> dict:
    """{"rows": per layer, "step": seconds, ...}: medians over steps, on random inputs.

    A row has name, type, forward and backward seconds, flop (of one batch, forward), how many times
    that forward and backward make together, the bytes of its output and of its parameters.
    """
    import numpy as np

    from lamina.experiment.build import build_dataset, build_net, build_optimizer
    from lamina.layers.base import Param

    dataset = build_dataset(config)
    net = build_net(config, dataset, np.random.default_rng(0))
    optimizer = build_optimizer(config, net.parameters())
    net.needs_dX = False
    n = batch_size or config.data.get("training", {}).get("batch_size", 100)
    rng = np.random.default_rng(0)
    X = rng.random((n, *dataset.input_shape), dtype=np.float32)
    t = rng.integers(0, len(dataset.task.class_names), n)
    layers = {name: (layer, shape) for name, layer, _, shape in net.rows(dataset.input_shape)}
    layers |= {"(loss)": (net.loss_layer, ())}
    flops = net.flops_of_layers(dataset.input_shape)
    with _Clock(layers) as clock:
        times = []
        for _ in range(steps + 2):  # the first two warm up
            started = time.perf_counter()
            optimizer.zero_grad()
            net.loss(X, t)
            net.backward()
            before = time.perf_counter()
            optimizer.step()
            times.append((time.perf_counter() - started, time.perf_counter() - before))
    rows = []
    for name, (layer, shape) in layers.items():
        parameters = [h.data.nbytes for _, h in layer.walk() if isinstance(h, Param)]
        shapes = shape if isinstance(shape, list) else [shape]
        row = {"name": name, "type": type(layer).__name__, "flop": n * flops.get(name, 0)}
        row |= {"products": 1 + clock.products.get(name, 0)}
        row |= {"output": 4 * n * sum(int(np.prod(s)) for s in shapes)}
        row |= {"parameters": sum(parameters)}
        row |= {way: clock.median(name, way) for way in ("forward", "backward")}
        rows.append(row)
    step, update = (statistics.median(part) for part in zip(*times[2:], strict=True))
    return {"rows": rows, "step": step, "update": update, "batch_size": n}


class _Clock:
    """Times forward and backward of layers while it is open."""

    def __init__(self, layers: dict):
        self.layers, self.times = layers, {}
        self.products = {}  # of backward, in those of forward: for dX, and for the weights

    def __enter__(self):
        for name, (layer, _) in self.layers.items():
            for way in ("forward", "backward"):
                setattr(layer, way, self._timed(getattr(layer, way), layer, (name, way)))
        return self

    def __exit__(self, *_):
        for layer, _shape in self.layers.values():
            del layer.forward, layer.backward  # those of the class come to light again

    def _timed(self, method, layer, key):
        kept, (name, way) = self.times.setdefault(key, []), key
        learns = any(param.trainable for param in layer.parameters().values())

        def timed(*args):
            if way == "backward":
                self.products[name] = int(layer.needs_dX) + int(learns)
            started = time.perf_counter()
            result = method(*args)
            kept.append(time.perf_counter() - started)
            return result

        return timed

    def median(self, name: str, way: str) -> float:
        times = self.times[name, way]
        return statistics.median(times[2:] or times or [0.0])


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
    step = found["step"]
    for row in found["rows"]:
        seconds, gflop = row["forward"] + row["backward"], 1e-9 * row["flop"] * row["products"]
        rows.append(
            (
                *(row["name"], row["type"]),
                *(f"{1e3 * row[way]:.2f}" for way in ("forward", "backward")),
                f"{100 * seconds / step:.1f}",
                *((f"{gflop:.3f}", f"{gflop / seconds:.0f}") if gflop else ("", "")),
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
    forward, backward = (
        1e3 * sum(r[way] for r in found["rows"]) for way in ("forward", "backward")
    )
    outputs = sum(row["output"] for row in found["rows"])
    lines += [
        lines[2],
        f"a step of {found['batch_size']} images: {1e3 * step:.1f} ms ({forward:.1f} forward, "
        f"{backward:.1f} backward, {1e3 * found['update']:.1f} update), "
        f"{found['batch_size'] / step:,.0f} images a second",
        f"outputs of all layers {outputs / 1e6:.0f} MB, peak memory of the process "
        f"{_peak_memory() / 1e6:.0f} MB",
        "GFLOP: matrix products forward, and backward for the weights and for dX where wanted",
    ]
    return "\n".join(lines)


def _peak_memory() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used * (1 if sys.platform == "darwin" else 1024)

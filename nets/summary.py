"""A net as a table: its layers, what they read, shapes and how many numbers they learn."""

from lamina.layers.base import Layer, Param


def summary(net, *input_shapes: tuple) -> str:
    """A line for each layer of a net, nested ones indented, for one input sample.

    Where the layers are no plain chain, a column says what each of them reads; the Copy gates of a
    Graph are lines too. Raises ShapeError, naming both layers, where shapes do not fit.
    """
    names = getattr(net, "inputs", ["input"])
    rows = [("layer", "type", "reads", "output shape", "parameters")]
    rows += [
        (f"({name})", "", "", _shape(shape), "")
        for name, shape in zip(names, input_shapes, strict=True)
    ]
    rows += _rows(net, input_shapes, "")
    rows += [
        (f"({name})", type(loss).__name__, blob, "()", _count(loss))
        for name, loss, blob in _losses(net)
    ]
    shown = [i for i in range(5) if i != 2 or any(row[2] for row in rows[1:])]
    widths = [max(len(row[i]) for row in rows) for i in shown]
    lines = []
    for row in rows:
        cells = [f"{row[i]:<{w}}" for i, w in zip(shown[:-1], widths, strict=False)]
        lines.append("  ".join([*cells, f"{row[-1]:>{widths[-1]}}"]).rstrip())
    lines.insert(1, "-" * (sum(widths) + 2 * len(widths) - 2))
    learned = [p for p in net.parameters().values() if p.trainable]
    frozen = sum(p.data.size for p in net.parameters().values() if not p.trainable)
    total = f"{sum(p.data.size for p in learned):,} parameters to learn"
    return "\n".join([*lines, lines[1], total + (f", {frozen:,} frozen" if frozen else "")])


def _rows(net, shapes: tuple, indent: str) -> list[tuple]:
    rows, before = [], None
    known = dict(zip(getattr(net, "inputs", ["input"]), shapes, strict=True))
    for name, layer, reads, shape in net.rows(*shapes):
        written = shape if isinstance(shape, list) else [shape]
        is_next = before is None or reads == before
        cell = "" if is_next else ", ".join(reads)
        text = ", ".join(map(_shape, written))
        rows.append((indent + name, type(layer).__name__, cell, text, _count(layer)))
        if hasattr(layer, "rows"):
            rows += _rows(layer, tuple(known[r] for r in reads), indent + "  ")
        before = [name] if len(written) == 1 else [f"{name}.{i}" for i in range(len(written))]
        known |= zip(before, written, strict=True)
    return rows


def _losses(net):
    if hasattr(net, "heads"):
        return [(n, head.loss, head.input) for n, head in net.heads.items()]
    return [] if net.loss_layer is None else [("loss", net.loss_layer, "")]


def _count(layer: Layer) -> str:
    held = (h for _, h in layer.walk() if isinstance(h, Param))
    size = sum(p.data.size for p in held)
    return f"{size:,}" if size else "-"


def _shape(shape: tuple) -> str:
    return " x ".join(map(str, shape)) or "()"

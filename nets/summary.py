"""A net as a table: its layers, shapes and how many numbers it learns."""

from layers.base import Layer, Param


def summary(net, input_shape: tuple) -> str:
    """A line for each layer of a Sequential net, nested ones indented, for one input sample.

    Raises ShapeError, naming both layers, where shapes do not fit.
    """
    net.output_shape(input_shape)
    rows = [("layer", "type", "output shape", "parameters")]
    rows += [("(input)", "", _shape(input_shape), "")]
    rows += _rows(net, input_shape, "")
    if net.loss_layer is not None:
        rows.append(("(loss)", type(net.loss_layer).__name__, "()", _count(net.loss_layer)))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}".rstrip()
        for a, b, c, d in rows
    ]
    lines.insert(1, "-" * (sum(widths) + 6))
    learned = [p for p in net.parameters().values() if p.trainable]
    total = sum(p.data.size for p in learned)
    return "\n".join([*lines, lines[1], f"{total:,} parameters to learn"])


def _rows(net, shape: tuple, indent: str) -> list[tuple[str, str, str, str]]:
    rows = []
    for name, layer in net.layers.items():
        inside = shape
        shape = layer.output_shape(shape)
        rows.append((indent + name, type(layer).__name__, _shape(shape), _count(layer)))
        if hasattr(layer, "layers"):
            rows += _rows(layer, inside, indent + "  ")
    return rows


def _count(layer: Layer) -> str:
    held = (h for _, h in layer.walk() if isinstance(h, Param))
    size = sum(p.data.size for p in held)
    return f"{size:,}" if size else "-"


def _shape(shape: tuple) -> str:
    return " x ".join(map(str, shape)) or "()"

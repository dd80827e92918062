"""A net as a table: its layers, what they read, shapes and how many numbers they learn."""

from collections import Counter

from lamina.layers.base import Layer, Param


def summary(net, *input_shapes: tuple) -> str:
    """A line for each layer of a net, nested ones indented, for one sample of these shapes.

    Without shapes there is no column of output shapes. Where the layers are no plain chain, a
    column says what each of them reads; the Copy gates of a Graph are lines too. Raises ShapeError,
    naming both layers, where shapes do not fit, TypeError if there is not one for each input.
    """
    *rows, total = summary_rows(net, *input_shapes)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [f"{cell:<{w}}" for cell, w in zip(row[:-1], widths, strict=False)]
        lines.append("  ".join([*cells, f"{row[-1]:>{widths[-1]}}"]).rstrip())
    lines.insert(1, "-" * (sum(widths) + 2 * len(widths) - 2))
    return "\n".join([*lines, lines[1], total])


def summary_rows(net, *input_shapes: tuple) -> list:
    """The cells of the table: its header, its lines, all of the columns that say something, and
    last the sentence that stands below."""
    shapes = net.shapes_by_input(input_shapes) if input_shapes else {}
    rows = [("layer", "type", "reads", "output shape", "parameters")]
    rows += [(f"({name})", "", "", _shape_of(shapes.get(name)), "") for name in net.inputs]
    rows += _rows(net, shapes, "")
    before = [step.writes for step in net.steps()][-1:]
    for name, head in net.heads.items():
        cell = "" if [[head.input]] == before else head.input
        before, size = [], _shape_of(() if shapes else None)
        rows.append((f"({name})", type(head.loss).__name__, cell, size, count(head.loss)))
    shown = [i for i in range(5) if i not in (2, 3) or any(row[i] for row in rows[1:])]
    return [*([row[i] for i in shown] for row in rows), total_in_words(net)]


def total_in_words(net) -> str:
    """How many numbers a net learns, in words, and why a column of them may have another sum."""
    learned = [p for p in net.parameters().values() if p.learns]
    frozen = sum(p.data.size for p in net.parameters().values() if not p.learns)
    n = sum(p.data.size for p in learned)
    said = f"{n:,} {'parameter' if n == 1 else 'parameters'} to learn"
    said += f", {frozen:,} frozen" if frozen else ""
    if shared := _shared(net):
        said += f"; {shared:,} more are shared, and stand there again"
    return said


def _rows(net, shapes: dict, indent: str) -> list[tuple]:
    """`shapes` are those of the inputs by name; {} where they are not known."""
    rows, before, known = [], None, dict(shapes)
    given = net.rows(*shapes.values()) if shapes else None
    for step in net.steps():
        if given is not None:
            *_, shape = next(given)
            known |= zip(step.writes, shape if isinstance(shape, list) else [shape], strict=True)
        layer = step.layer
        cell = "" if before is None or step.reads == before else ", ".join(step.reads)
        text = ", ".join(filter(None, (_shape_of(known.get(blob)) for blob in step.writes)))
        rows.append((indent + step.name, type(layer).__name__, cell, text, count(layer)))
        if hasattr(layer, "steps"):
            inner = zip(layer.inputs, (known.get(blob) for blob in step.reads), strict=True)
            rows += _rows(layer, dict(inner) if shapes else {}, indent + "  ")
        before = step.writes
    return rows


def count(layer: Layer) -> str:
    """How many numbers a layer holds in parameters, in words: "-" for none."""
    held = (h for _, h in layer.walk() if isinstance(h, Param))
    size = sum(p.data.size for p in held)
    return f"{size:,}" if size else "-"


def _shared(net) -> int:
    """How many numbers the column counts more than once, since layers share them: in the lines of
    the net, and in those of each net in it."""
    held = [h for step in net.steps() for _, h in step.layer.walk() if isinstance(h, Param)]
    held += [h for head in net.heads.values() for _, h in head.loss.walk() if isinstance(h, Param)]
    times = Counter(map(id, held))
    again = sum((times.pop(id(h), 1) - 1) * h.data.size for h in held)
    return again + sum(_shared(step.layer) for step in net.steps() if hasattr(step.layer, "steps"))


def _shape_of(shape: tuple | None) -> str:
    if shape is None:
        return ""
    return " x ".join(map(str, shape)) or "()"

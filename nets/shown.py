"""What a net shows of itself in a notebook's cell: its layers as a table."""

from lamina.common.arguments import shown
from lamina.layers.errors import ShapeError
from lamina.nets.summary import count, summary, total_in_words


def shown_net(net) -> str:
    """The summary of the net, if the shape of its inputs is known: from the last batch that went
    through, from the arguments, or from the first layer's n_in. Else its layers as they were made,
    with how many numbers each of them learns."""
    if not hasattr(net, "layers"):  # an error while it is made shows it
        return shown(net)
    for shapes in _input_shapes(net):
        try:
            return f"{type(net).__name__}\n{summary(net, *shapes)}"
        except (ShapeError, TypeError, ValueError, NotImplementedError):
            continue
    rows = [("layer", "parameters"), *_rows(net, "")]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}".rstrip() for row in rows]
    rule = "-" * (sum(widths) + 2)
    return "\n".join([type(net).__name__, lines[0], rule, *lines[1:], rule, total_in_words(net)])


def _input_shapes(net):
    """Shapes of one sample of each input that the net may have."""
    passed = getattr(net, "_shapes", None)  # of the last batch, its axis included
    if isinstance(passed, dict):
        yield tuple(passed[name][1:] for name in net.inputs)
    elif passed:
        yield (tuple(passed[0])[1:],)
    defaults = type(net).__signature__.parameters.get("input_shape")
    given = net.arguments().get("input_shape", defaults and defaults.default)
    if isinstance(given, (list, tuple)):
        yield (tuple(given),)
    first = next(iter(net.layers.values()), None)
    if first is not None and hasattr(first, "W") and "n_in" in first.arguments():
        yield ((first.arguments()["n_in"],),)


def _rows(net, indent: str):
    for name, layer in net.layers.items():
        is_net = hasattr(layer, "layers")
        what = type(layer).__name__ if is_net else repr(layer)
        yield f"{indent}{name}: {what}", count(layer)
        if is_net:
            yield from _rows(layer, f"{indent}  ")
    for name, head in net.heads.items():
        yield f"{indent}({name}): {head.loss!r}", count(head.loss)

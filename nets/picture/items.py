"""The layers of a net in a row, nested ones too: what each is called, reads, gives and learns."""

import dataclasses
from typing import Any

from lamina.layers.base import Layer, Param
from lamina.layers.gates import Copy
from lamina.nets.picture.words import more_of, shape_of, sizes_of


@dataclasses.dataclass
class Item:
    """A layer, an input or a loss. `reads` has (place in the row, which of its outputs) of what it
    reads, `shapes` the shape of each output as text, "" where it is not known. `path` are the
    (name, class) of the nets inside the net that it is in, from the outside."""

    name: str
    kind: str  # "input", "loss", "learns" if it has parameters, "joins" if it reads several, "does"
    type: str = ""
    sizes: str = ""
    more: str = ""
    learned: int = 0  # parameters that no layer before it has
    frozen: int = 0
    reads: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    shapes: list[str] = dataclasses.field(default_factory=list)
    path: tuple[tuple[str, str], ...] = ()
    keeps_shape: bool = False  # gives one array, of the shape of all that it reads
    leads_out: bool = False  # an output of the net that no layer reads


def items_of(net, shapes: tuple = (), nested: bool = True) -> list[Item]:
    """The row, each item behind what it reads; Copy gates are left out, as an array needs no gate
    to be read twice. `shapes` are those of a sample of each input, () where they are not known.
    Unless `nested`, a net in the net is one item.

    Raises ShapeError where shapes do not fit, TypeError if there is not one for each input,
    ValueError for a net that does not list its steps.
    """
    known = net.shapes_by_input(shapes) if shapes else {}
    row = _Row(nested)
    blobs = {name: row.add_input(name, known.get(name)) for name in net.inputs}
    heads = {name: head.input or net.outputs[0] for name, head in net.heads.items()}

    def add_losses(given: dict) -> None:
        for name in [name for name, blob in heads.items() if blob in given]:
            row.add_loss(name, net.heads[name], given[heads.pop(name)])

    row.add_net(net, blobs, known, "", (), add_losses)
    read = {source for item in row.items for source in item.reads}
    for name in net.outputs:
        row.items[blobs[name][0]].leads_out |= blobs[name] not in read
    return row.items


class _Row:
    def __init__(self, nested: bool):
        self.nested = nested
        self.items: list[Item] = []
        self.owners: dict[int, str] = {}  # of parameters, by id: the layer that had it first

    def add(self, item: Item) -> int:
        self.items.append(item)
        return len(self.items) - 1

    def add_input(self, name: str, shape) -> tuple[int, int]:
        return self.add(Item(name, "input", shapes=[shape_of(shape)])), 0

    def add_loss(self, name: str, head, source: tuple[int, int]) -> None:
        said = [f"weight {head.weight:g}"] if head.weight != 1.0 else []
        said += [f"targets {head.target}"] if head.target != "t" else []
        item = self._item(name, head.loss, [source], "loss")
        item.more = ", ".join([*filter(None, [item.more]), *said])
        self.add(item)

    def add_net(self, net, blobs: dict, shapes: dict, prefix: str, path: tuple, then) -> None:
        """Add the layers of a net. `blobs` has where its inputs come from, and gets all others;
        `then` is called with the blobs that a layer has given."""
        shapes = dict(shapes)
        given = net.rows(*shapes.values()) if shapes and None not in shapes.values() else None
        for step in _steps(net):
            read = [shapes.get(blob) for blob in step.reads]
            if given is not None:
                *_, shape = next(given)
                shapes |= zip(
                    step.writes, shape if isinstance(shape, list) else [shape], strict=True
                )
            sources = [blobs[blob] for blob in step.reads]
            written = [shapes.get(blob) for blob in step.writes]
            fresh = self._add_layer(prefix + step.name, step.layer, sources, read, written, path)
            made = dict(zip(step.writes, fresh, strict=True))
            blobs |= made
            then(made)

    def _add_layer(self, name: str, layer: Layer, sources, read, written, path) -> list:
        """The blobs that it gives, each as (place, which)."""
        if isinstance(layer, Copy):
            return sources * len(written)
        if self.nested and hasattr(layer, "steps"):
            net: Any = layer
            inside = (*path, (name, type(net).__name__))
            blobs = dict(zip(net.inputs, sources, strict=True))
            shapes = {} if None in read else dict(zip(net.inputs, read, strict=True))
            self.add_net(net, blobs, shapes, f"{name}.", inside, lambda made: None)
            return [blobs[blob] for blob in net.outputs]
        item = self._item(name, layer, sources, "joins" if len(sources) > 1 else "does")
        item.sizes, item.path = sizes_of(layer), path
        item.more = ", ".join(filter(None, [more_of(layer, read[0]), item.more]))
        item.shapes = [shape_of(shape) for shape in written]
        came = [self.items[i].shapes[k] for i, k in sources]
        item.keeps_shape = len(written) == 1 and set(came) == set(item.shapes)
        place = self.add(item)
        return [(place, i) for i in range(len(written))]

    def _item(self, name: str, layer: Layer, sources, kind: str) -> Item:
        item = Item(name, kind, type(layer).__name__, reads=sources)
        owners: dict[str, None] = {}
        for held in (held for _, held in layer.walk() if isinstance(held, Param)):
            if id(held) in self.owners:
                owners[self.owners[id(held)]] = None
            elif held.learns:
                item.learned += held.data.size
            else:
                item.frozen += held.data.size
            self.owners.setdefault(id(held), name)
        if kind != "loss" and (item.learned or item.frozen or owners):
            item.kind = "learns"
        others = [owner for owner in owners if owner != name]
        item.more = f"shares with {', '.join(others)}" if others else ""
        return item


def _steps(net):
    try:
        return list(net.steps())
    except NotImplementedError:
        raise ValueError(
            f"{type(net).__name__}: does not say in which order its layers stand; write "
            "steps(self), as Sequential has it, or draw it with its details"
        ) from None

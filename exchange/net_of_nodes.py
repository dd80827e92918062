"""From the nodes that a file of another program has given to a net: names, sizes, and what leads to
the outputs."""

import math
import re
from collections.abc import Collection

from lamina.nets import Graph, Head, Node, Sequential

LARGEST_SAMPLE = 1 << 28  # numbers that a layer may give for one sample


def free_name(name: str, taken: Collection[str]) -> str:
    """A name that a layer may have, made of one that is free: not that of a copy, nor of a loss."""
    name = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "layer"
    free, n = name, 1
    while free in taken or free.endswith("_copy") or free == "loss":
        n += 1
        free = f"{name}_{n}"
    return free


def can_be_given(shape: tuple) -> bool:
    """May a layer give a sample of this shape: of some numbers, and not of too many?"""
    return min(shape, default=1) >= 1 and math.prod(shape) <= LARGEST_SAMPLE


def net_of(
    nodes: dict[str, Node],
    inputs: list[str],
    ends: list[str],
    heads: dict[str, Head],
    loose: bool = False,
) -> Graph | Sequential:
    """What leads from these inputs, of which unread ones are left out, to the blobs `ends` and to
    the losses: a Sequential where it is a chain, with at most one loss. With `loose` that which
    nobody reads of a node that is needed (a part of a Slice) is an output too. Raises ValueError
    where nothing leads there, or something of it is not read."""
    writer = {blob: name for name, node in nodes.items() for blob in node.blobs(name)}
    waiting = [*ends, *(head.input for head in heads.values() if head.input)]
    needed: set[str] = set()
    while waiting:
        name = writer.get(waiting.pop())
        if name is not None and name not in needed:
            needed.add(name)
            waiting += nodes[name].reads
    if not needed:
        raise ValueError("has no layers that compute something")
    nodes = {name: node for name, node in nodes.items() if name in needed}
    read: set[str] = {blob for node in nodes.values() for blob in node.reads or ()}
    inputs = [name for name in inputs if name in read]
    before, chain = inputs, len(inputs) == len(ends) == 1 and len(heads) < 2
    for name, node in nodes.items():
        chain = chain and node.reads == before and node.outputs == 1
        before = [name]
    chain = chain and before == ends
    if chain and all(head.weight == 1 and head.input == ends[0] for head in heads.values()):
        loss = next(iter(heads.values())).loss if heads else None
        return Sequential({name: node.layer for name, node in nodes.items()}, loss)
    if loose:
        read |= {*ends, *(head.input for head in heads.values() if head.input)}
        ends = ends + [b for name, node in nodes.items() for b in node.blobs(name) if b not in read]
    return Graph(nodes, inputs, ends, heads or None)

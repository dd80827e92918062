"""A net as DOT text, layer by layer, for Graphviz and whatever else reads it."""

from lamina.autodiff.draw.dot import quoted
from lamina.nets.picture.items import Item
from lamina.nets.picture.shapes import COLOURS
from lamina.nets.picture.words import count, of_parameters


def dot(items: list[Item], title: str) -> str:
    """The net in the DOT language, nothing folded: `dot -Tpdf net.dot -o net.pdf` draws it."""
    out = [
        f"digraph {quoted(title)} {{",
        '  node [shape=box, style="rounded,filled", fontname="sans-serif"];',
        '  edge [fontname="sans-serif"];',
    ]
    for i, item in enumerate(items):
        counted = count(item.learned, item.frozen)
        first = " ".join(filter(None, [item.type, item.sizes]))
        lines = [first, item.name, item.more, of_parameters(counted)]
        label = quoted("\n".join(filter(None, lines)))
        fill, stroke = COLOURS[item.kind]
        out.append(f'  n{i} [label={label}, fillcolor="{fill}", color="{stroke}"];')
        for source, k in item.reads:
            shape = items[source].shapes[k]
            out.append(f"  n{source} -> n{i} [label={quoted(shape)}];")
    return "\n".join([*out, "}"]) + "\n"

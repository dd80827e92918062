"""A graph as DOT text, for Graphviz and whatever else reads it."""

from lamina.autodiff.draw.graph import Graph
from lamina.autodiff.draw.svg import FILLS, GREEN, RED
from lamina.autodiff.draw.text import lines
from lamina.common.printable import printable


def dot(graph: Graph, digits: int = 4) -> str:
    """The graph in the DOT language: `dot -Tpdf graph.dot -o graph.pdf` draws it."""
    out = [
        "digraph {",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fontname="monospace"];',
        '  edge [fontname="monospace"];',
    ]
    for i, node in enumerate(graph.nodes):
        label = f"{node.label}\n{node.caption}" if node.caption else node.label
        out.append(f'  n{i} [label={quoted(label)}, fillcolor="{FILLS[node.kind]}"];')
    out.append('  result [label="", shape=none, style="", width=0];')
    last = graph.nodes[-1]
    for edge in graph.edges:
        value = graph.nodes[edge.source].value
        label = _label(value, edge.gradient, digits)
        out.append(f"  n{edge.source} -> n{edge.target} [label={label}];")
    label = _label(last.value, last.gradient, digits)
    out.append(f"  n{len(graph.nodes) - 1} -> result [label={label}];")
    return "\n".join([*out, "}"]) + "\n"


def _label(value, gradient, digits: int) -> str:
    """An HTML-like label: the value in green, the gradient in red below it."""
    parts = [_colored(lines(value, digits), GREEN)]
    if gradient is not None:
        parts.append(_colored(lines(gradient, digits), RED))
    return f"<{'<br/>'.join(parts)}>"


def _colored(texts: list[str], color: str) -> str:
    # The texts are numbers, brackets and shapes: nothing that HTML would take for its own.
    return f'<font color="{color}">{"<br/>".join(texts)}</font>'


def quoted(text: str) -> str:
    """A text of one or more lines as DOT has it; what steers a terminal is shown as an escape."""
    parts = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(parts) + '"'

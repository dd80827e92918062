"""The steps of the page: forward node by node, then backward node by node, each in numbers."""

from dataclasses import dataclass
from html import escape

import numpy as np

from lamina.autodiff.draw.graph import Graph, Node
from lamina.autodiff.draw.text import number, one_line, summary

DIGITS = 6
TALL, WIDE = 16, 12  # rows and columns of an array that a step shows entry by entry


@dataclass
class Step:
    """One position of the page: `body` is HTML. `phase` is start, forward, turn, backward, end."""

    phase: str
    title: str
    body: str
    node: int | None = None


def steps(graph: Graph) -> list[Step]:
    """All steps of a graph, from the inputs to the result and back."""
    active = [i for i, node in enumerate(graph.nodes) if node.kind in ("operation", "copy")]
    back = [i for i in reversed(active) if graph.nodes[i].gradient is not None]
    last = graph.nodes[-1]
    start = "<p>What the function is given. Next goes forward, node by node.</p>"
    turn = (
        "<p>The way back starts with the gradient of the result by itself: "
        f"{_derivative(last, last)} = <b>{number(last.gradient, DIGITS)}</b>.</p>"
    )
    return [
        Step("start", "The inputs", start + _table(graph, with_gradients=False)),
        *(Step("forward", _title(graph.nodes[i]), _forward(graph, i), i) for i in active),
        Step("turn", "The turn: from the result back", turn, len(graph.nodes) - 1),
        *(Step("backward", _title_back(graph.nodes[i]), _backward(graph, i), i) for i in back),
        Step("end", "All gradients", _table(graph, with_gradients=True)),
    ]


def _title(node: Node) -> str:
    return f"{node.name} by {node.label}" if node.kind == "operation" else f"Copies of {node.name}"


def _title_back(node: Node) -> str:
    return f"Back through {node.label}, from {node.name}"


def _derivative(of: Node, by: Node) -> str:
    return f"∂{escape(of.name)}/∂{escape(by.name)}"


def _table(graph: Graph, with_gradients: bool) -> str:
    rows = []
    for node in graph.nodes:
        if node.kind == "input":
            cells = [f"<th scope='row'>{escape(node.name)}</th><td>{_array(node.value)}</td>"]
            if with_gradients and node.gradient is not None:
                cells.append(f"<td>{_array(node.gradient)}</td>")
            rows.append(f"<tr data-input='{escape(node.name)}'>{''.join(cells)}</tr>")
    by = f"<th scope='col'>∂{escape(graph.nodes[-1].name)}/∂input</th>" if with_gradients else ""
    head = f"<tr><th scope='col'>input</th><th scope='col'>value</th>{by}</tr>"
    return f"<div class='scroll'><table class='inputs'>{head}{''.join(rows)}</table></div>"


def _forward(graph: Graph, i: int) -> str:
    node = graph.nodes[i]
    sources = [graph.nodes[graph.edges[e].source] for e in graph.into(i)]
    if node.kind == "copy":
        n = len(graph.out_of(i))
        return (
            f"<p>Copy gate: {escape(node.name)} = {escape(one_line(node.value, DIGITS))} goes "
            f"unchanged to {n} places.</p>"
        )
    symbols = _filled(node.formula, [source.name for source in sources])
    text = f"{node.name} = {symbols}"
    if all(np.ndim(part.value) == 0 for part in (node, *sources)):
        numbers = _filled(node.formula, [number(s.value, DIGITS) for s in sources], bracket=True)
        result = f"<b class='value'>{number(node.value, DIGITS)}</b>"
        return f"<p class='formula'>{escape(f'{text} = {numbers} = ')}{result}</p>"
    terms = [_term(s.value, escape(s.name), "value") for s in sources]
    terms += ["<span class='sign'>→</span>", _term(node.value, escape(node.name), "value")]
    return f"<p class='formula'>{escape(text)}</p>{_equation(terms)}"


def _filled(formula: tuple, texts: list[str], bracket: bool = False) -> str:
    """The formula with a text for each input; negative numbers in brackets where they need them."""
    out = ""
    for part in formula:
        text = texts[part] if isinstance(part, int) else part
        alone = out.endswith(("(", ", ")) or (not out and " ** " not in formula[1:])
        needed = bracket and isinstance(part, int) and text.startswith("-") and not alone
        out += f"({text})" if needed else text
    return out


def _backward(graph: Graph, i: int) -> str:
    node, last = graph.nodes[i], graph.nodes[-1]
    if node.kind == "copy":
        shares = [
            _term(graph.edges[e].gradient, "share<br>upstream", "upstream") for e in graph.out_of(i)
        ]
        terms = [part for share in shares for part in ("<span class='sign'>+</span>", share)][1:]
        terms += _result(node.gradient, f"downstream<br>{_derivative(last, node)}")
        return f"<p>Copy gate: the gradients that come back add up.</p>{_equation(terms)}"
    parts = [
        f"<section data-edge='{e}'><h3>to {escape(graph.nodes[graph.edges[e].source].name)}</h3>"
        f"{_downstream(graph, e)}</section>"
        for e in graph.into(i)
        if graph.edges[e].gradient is not None
    ]
    return "".join(parts)


def _downstream(graph: Graph, e: int) -> str:
    """Local gradient × upstream = downstream, as the sizes allow."""
    edge = graph.edges[e]
    source, target, last = graph.nodes[edge.source], graph.nodes[edge.target], graph.nodes[-1]
    upstream = f"upstream<br>{_derivative(last, target)}"
    share = "share of " if source.kind == "copy" else ""
    downstream = f"downstream<br>{share}{_derivative(last, source)}"
    g, down = np.asarray(target.gradient), np.asarray(edge.gradient)
    rule = f"<p class='formula'>{escape(edge.rule)}</p>" if edge.rule else ""
    if edge.local is not None:
        name = f"local<br>{_derivative(target, source)}"
        terms = _product(edge.local, name, g, upstream)
        rule += "<p>Entry by entry:</p>" if g.ndim else ""
        if down.shape != g.shape:
            with np.errstate(all="ignore"):
                terms += _result(edge.local * g, "before<br>adding up")
            rule += "<p>The value was copied along an axis, so its gradients add up along it.</p>"
        return rule + _equation(terms + _result(down, downstream))
    if edge.jacobian is not None:
        name = f"local Jacobian<br>{_derivative(target, source)}"
        if down.ndim == g.ndim == 0:
            terms = _product(
                edge.jacobian[0, 0], f"local<br>{_derivative(target, source)}", g, upstream
            )
            return rule + _equation(terms + _result(down, downstream))
        terms = _product(edge.jacobian, name, g.reshape(-1, 1) if g.ndim else g, upstream)
        note = (
            "<p>A row for each entry of "
            f"{escape(source.name)}, a column for each entry of {escape(target.name)}.</p>"
        )
        if down.ndim > 1:
            terms += _result(down.reshape(-1, 1), "as a vector")
        return rule + note + _equation(terms + _result(down, downstream))
    note = (
        f"<p>The local Jacobian has {down.size:,} × {g.size:,} entries and is never formed: the "
        "rule gives its product with the upstream gradient.</p>"
    )
    arrow = "<span class='sign'>→</span>"
    terms = [_term(g, upstream, "upstream"), arrow, _term(down, downstream, "downstream")]
    return rule + note + _equation(terms)


def _product(local, name: str, g, upstream: str) -> list[str]:
    times = "<span class='sign'>×</span>"
    return [_term(local, name, "local"), times, _term(g, upstream, "upstream")]


def _result(value, caption: str) -> list[str]:
    kind = "downstream" if caption.startswith("downstream") else "between"
    return ["<span class='sign'>=</span>", _term(value, caption, kind)]


def _equation(terms: list[str]) -> str:
    return f"<div class='equation'>{' '.join(terms)}</div>"


def _term(value, caption: str, kind: str) -> str:
    """A value with what it is below it. The caption is HTML already."""
    return f"<span class='term {kind}'>{_array(value)}<small>{caption}</small></span>"


def _array(value) -> str:
    """A number, a table of a small array, or its shape and norm."""
    array = np.asarray(value)
    if array.ndim == 0:
        return f"<span class='number'>{number(array, DIGITS)}</span>"
    rows = array[np.newaxis] if array.ndim == 1 else array
    if rows.ndim > 2 or not array.size or rows.shape[0] > TALL or rows.shape[1] > WIDE:
        return f"<span class='number'>{escape(summary(array, DIGITS))}</span>"
    cells = ("".join(f"<td>{number(x, DIGITS)}</td>" for x in row) for row in rows)
    table = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<span class='scroll'><table class='matrix'>{table}</table></span>"

"""The stepping page: one HTML file that needs no network and no framework.

The picture and all steps are written here; the script only shows and hides. Without a script the
page shows all of it.
"""

from html import escape
from string import Template

from lamina.autodiff.draw.graph import Graph
from lamina.autodiff.draw.layout import lay_out
from lamina.autodiff.draw.page_template import HTML, SCRIPT, STYLE
from lamina.autodiff.draw.steps import Step, steps
from lamina.autodiff.draw.svg import svg


def page(graph: Graph, title: str = "Computational graph") -> str:
    """The whole page as text."""
    sequence = steps(graph)
    picture = svg(graph, lay_out(graph, digits=6), _attributes(graph, sequence), background=False)
    return Template(HTML).substitute(
        title=escape(title),
        style=STYLE,
        script=SCRIPT,
        picture=picture,
        steps="\n".join(_section(step, i, len(sequence)) for i, step in enumerate(sequence)),
    )


def _attributes(graph: Graph, sequence: list[Step]):
    """What the script needs to know of each part of the picture: from which step on it shows."""
    forward = {s.node: k for k, s in enumerate(sequence) if s.phase == "forward"}
    backward = {s.node: k for k, s in enumerate(sequence) if s.phase in ("turn", "backward")}
    turn = next(k for k, s in enumerate(sequence) if s.phase == "turn")

    def extra(kind: str, i: int) -> str:
        if kind == "node":
            return f' data-node="{i}"'
        way_out = i == len(graph.edges)
        source = len(graph.nodes) - 1 if way_out else graph.edges[i].source
        target = None if way_out else graph.edges[i].target
        if kind == "edge":
            return f' data-source="{source}" data-target="{"" if way_out else target}"'
        shown = forward.get(source, 0) if kind == "value" else turn if way_out else backward[target]
        return f' data-edge="{i}" data-from="{shown}"'

    return extra


def _section(step: Step, i: int, n: int) -> str:
    node = "" if step.node is None else f' data-node="{step.node}"'
    phase = step.phase if step.phase in ("forward", "backward") else ""
    progress = f"Step {i} of {n - 1}" + (f", {phase}" if phase else "")
    return (
        f'<section class="step" data-phase="{step.phase}"{node}><p class="progress">{progress}</p>'
        f"<h2>{escape(step.title)}</h2>{step.body}</section>"
    )

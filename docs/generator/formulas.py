"""Formulas as MathML, which browsers set by themselves: no script, and no font to fetch."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)


def mathml(node, display: str) -> str:
    """The formula of a node; a command that is not known is a warning, and so ends the build."""
    formula = convert(node.astext(), display=display)
    if "\\" in formula:
        logger.warning("a command of LaTeX that is not known: %s", node.astext(), location=node)
    return formula


def _inline(translator, node):
    translator.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def _display(translator, node):
    translator.body.append(f'<div class="math">{mathml(node, "block")}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

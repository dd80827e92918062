"""Pictures of computational graphs: values above the edges, gradients below them.

    from lamina.autodiff.draw import draw

    draw(lambda x, y, z: (x + y) * z, {"x": -2.0, "y": 5.0, "z": -4.0}).save("graph.svg")

`.html` gives a page on which one steps forward and then backward, node by node. From the shell:

    lamina draw "(x + y) * z" x=-2 y=5 z=-4 -o graph.html
"""

from lamina.autodiff.draw.drawing import Drawing, check_suffix, draw
from lamina.autodiff.draw.graph import Edge, Graph, Node
from lamina.autodiff.draw.tracing import trace

__all__ = ["Drawing", "Edge", "Graph", "Node", "check_suffix", "draw", "trace"]

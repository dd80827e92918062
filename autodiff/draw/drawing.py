"""`draw`: a function and its inputs to a picture that shows itself, or is saved."""

from functools import cached_property
from pathlib import Path

from lamina.autodiff.draw.graph import Graph
from lamina.autodiff.draw.layout import Layout, lay_out
from lamina.autodiff.draw.tracing import trace
from lamina.common.figures import save_png
from lamina.common.files import whole_file

NOTEBOOK_WIDTH = 960  # pixels: what fits beside the prompts without a scroll bar
SUFFIXES = (".png", ".svg", ".dot", ".html")


class Drawing:
    """The picture of a graph. In a notebook it shows itself; `save` writes it to a file.

    `graph` has the numbers, `svg`, `dot` and `html` the texts; `figure()` is for matplotlib.
    """

    def __init__(self, graph: Graph, title: str = "Computational graph"):
        self.graph, self.title = graph, title

    @cached_property
    def layout(self) -> Layout:
        return lay_out(self.graph)

    @property
    def svg(self) -> str:
        from lamina.autodiff.draw.svg import svg

        return svg(self.graph, self.layout)

    @property
    def dot(self) -> str:
        from lamina.autodiff.draw.dot import dot

        return dot(self.graph)

    @property
    def html(self) -> str:
        """The page on which a reader steps through the graph."""
        from lamina.autodiff.draw.page import page

        return page(self.graph, self.title)

    def figure(self):
        """A matplotlib Figure."""
        from lamina.autodiff.draw.picture import figure

        return figure(self.graph, self.layout)

    def save(self, path: str | Path) -> None:
        """Write the picture; the suffix says what: .png, .svg, .dot, or .html, the stepping page.

        Raises ValueError for another suffix, OSError if the file cannot be written. The file gets
        its name only when it is whole.
        """
        path = Path(path)
        suffix = check_suffix(path)
        if suffix == ".png":
            save_png(path, self.figure(), dpi=192)
        else:
            content = getattr(self, suffix[1:]).encode("utf-8")
            with whole_file(path) as file:
                file.write(content)

    def _repr_svg_(self) -> str:
        from lamina.autodiff.draw.svg import svg

        return svg(self.graph, self.layout, widest=NOTEBOOK_WIDTH)

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.graph.nodes)} nodes; .save('graph.svg') writes it>"


def check_suffix(path: Path, known: tuple[str, ...] = SUFFIXES) -> str:
    """The suffix of a picture's name, in small letters. Raises ValueError unless it is known."""
    if path.suffix.lower() not in known:
        raise ValueError(f"{path}: the name must end in one of {', '.join(known)}")
    return path.suffix.lower()


def draw(f, inputs, title: str = "Computational graph") -> Drawing:
    """The computational graph of f at `inputs`, with values and gradients on its edges.

        draw(lambda x, y, z: (x + y) * z, {"x": -2.0, "y": 5.0, "z": -4.0})

    Values stand above the edges and gradients below, as in CS231n and the notes; of big arrays the
    shape and the norm. f returns one number. `inputs` is a dict of numbers, lists and arrays that f
    takes by keyword, or a list or tuple, taken by position. Integer arrays are constants.
    Raises TypeError or ValueError if inputs or result are of another kind (see `trace`).
    """
    return Drawing(trace(f, inputs), title)

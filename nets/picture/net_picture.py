"""The picture of a net: laid out once, shown in a notebook, saved as SVG, PNG or DOT."""

from functools import cached_property
from pathlib import Path

from lamina.autodiff.draw import check_suffix
from lamina.common.figures import save_png
from lamina.common.files import whole_file
from lamina.nets.picture.items import items_of
from lamina.nets.picture.page import PAGES, ROOM, Layout, choices_of, lay_out
from lamina.nets.picture.words import count, of_parameters

SUFFIXES = (".svg", ".png", ".dot")


class NetPicture:
    """A net from its inputs down to its losses. In a notebook it shows itself; `save` writes it.

    `input_shapes` are those of a sample of each input, as `net.summary` takes them; without them no
    shapes are shown. `page` is "a4", "16:9", or None for a picture as large as its net, in `room`
    (width, height) CSS pixels if it can. Raises ValueError for another page or a net without
    `steps`, ShapeError where shapes do not fit, TypeError if there is not one for each input.
    """

    def __init__(
        self,
        net,
        *input_shapes: tuple,
        title: str = "",
        page: str | None = None,
        room: tuple[float, float] = ROOM,
    ):
        if page is not None and page not in PAGES:
            raise ValueError(f"page: expects {' or '.join(PAGES)}, got {page!r}")
        self.title = title or type(net).__name__
        self.items = items_of(net, input_shapes)
        self._closed = items_of(net, input_shapes, nested=False)
        self._page, self._room = page, room

    @property
    def total(self) -> str:
        """How many parameters there are, in words."""
        learned = sum(item.learned for item in self.items)
        frozen = sum(item.frozen for item in self.items)
        said = [f"{of_parameters(count(learned, 0))} to learn"] if learned else []
        return ", ".join([*said, *([count(0, frozen)] if frozen else [])]) or "no parameters"

    @cached_property
    def layout(self) -> Layout:
        choices = choices_of(self.items, self._closed)
        return lay_out(choices, self.title, self.total, self._page, self._room)

    @property
    def svg(self) -> str:
        from lamina.nets.picture.svg import svg

        return svg(self.layout, self.title, self.description)

    @property
    def dot(self) -> str:
        from lamina.nets.picture.dot import dot

        return dot(self.items, self.title)

    @property
    def description(self) -> str:
        """A sentence for those who cannot see the picture."""
        kinds = [item.type for item in self.items if item.kind not in ("input", "loss")]
        return f"A net of {len(kinds)} layers, {self.total}, from top to bottom: {', '.join(kinds)}"

    def figure(self):
        """A matplotlib Figure."""
        from lamina.nets.picture.figure import figure

        return figure(self.layout)

    def save(self, path: str | Path) -> None:
        """Write the picture; the suffix says what: .svg, .png or .dot.

        Raises ValueError for another suffix, OSError if the file cannot be written. The file gets
        its name only when it is whole.
        """
        path = Path(path)
        suffix = check_suffix(path, SUFFIXES)
        if suffix == ".png":
            save_png(path, self.figure(), dpi=192)
        else:
            with whole_file(path) as file:
                file.write(getattr(self, suffix[1:]).encode("utf-8"))

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Picture of a net, {self.total}; .save('net.svg') writes it>"

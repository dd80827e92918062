"""The training page: one HTML file in which a two-layer net learns points in the plane.

The files beside this one are its parts. Those of ENGINE compute and know of no page, so that tests
run them alone; those of VIEW draw and listen.
"""

from html import escape
from pathlib import Path

from lamina.autodiff.draw.page_template import STYLE
from lamina.common.colours import COLOURS
from lamina.common.names import suggest
from lamina.play.document import document, joined

SETS = {
    "spirals": "three spiral arms",
    "circles": "a disc and a ring",
    "xor": "xor: four squares",
    "blobs": "three blobs",
}
ENGINE = ("random.js", "matrix.js", "layers.js", "net.js", "data.js")
SHARED = ("percent.js",)  # with the pages of nets
VIEW = ("elements.js", "plane.js", "curves.js", "remarks.js", "stepping.js", "page.js")
_HERE = Path(__file__).parent
_CLASSES = 3  # the most that a set has


def training_page(name: str) -> str:
    """The whole page as text; it starts with the points of that name, a key of SETS.

    Raises ValueError for another name.
    """
    if name not in SETS:
        raise ValueError(f"--train: there are no points called {name}{suggest(name, SETS)}")
    options = (
        f'<option value="{key}"{" selected" if key == name else ""}>{escape(what)}</option>'
        for key, what in SETS.items()
    )
    return document(
        joined(_HERE, ["page.html"]),
        "\n".join([STYLE, _class_colours(), joined(_HERE, ["page.css"])]),
        "\n".join([engine(), joined(_HERE.parent / "js", SHARED), joined(_HERE, VIEW)]),
        title=escape(SETS[name]),
        sets="\n".join(options),
    )


def engine() -> str:
    """What computes, as one script without a page."""
    return "\n".join(['"use strict";', joined(_HERE, ENGINE)])


def _class_colours() -> str:
    return f":root {{ {' '.join(f'--class{c}: {COLOURS[c]};' for c in range(_CLASSES))} }}"

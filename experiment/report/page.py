"""Parts of a page of HTML: no script, nothing from elsewhere, and every text escaped."""

import base64
import html
import itertools
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from lamina.common.printable import printable

# Nothing is loaded and nothing runs, even if an escape were forgotten.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff;
       margin: 0 auto; padding: 1rem; max-width: 60rem; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0 }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.5rem; padding-top: 0.6rem; border-top: 1px solid #ccc }
p { margin: 0.5rem 0; max-width: 46rem }
nav a { margin-right: 0.8rem; white-space: nowrap }
figure { margin: 1rem 0 }
figcaption, caption { font-size: 0.87rem; color: #555; text-align: left; margin: 0.3rem 0 }
img { max-width: 100%; height: auto; display: block }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums }
th, td { padding: 0.2rem 0.6rem 0.2rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid #eee; white-space: nowrap }
.wrapped td { white-space: normal }
caption { white-space: normal }
th { font-weight: 600 }
.number { text-align: right }
.square td, .square th { text-align: right; padding: 0.2rem 0.4rem }
pre { font-size: 0.82rem; line-height: 1.4; margin: 0.5rem 0; overflow-x: auto;
      overflow-wrap: normal }
@media screen and (max-width: 600px) {
  pre { white-space: pre-wrap; overflow-wrap: anywhere }
  .square { font-size: 0.72rem }
  .square td, .square th { padding: 0.15rem 0.2rem }
  th, td { padding-right: 0.4rem }
  .drawn img { max-width: none }
  .detailed img { max-width: none; width: 44rem }
}
@media print {
  body { max-width: none; font-size: 10pt; padding: 0 }
  nav { display: none }
  pre { white-space: pre-wrap; overflow-wrap: anywhere }
  .drawn img { max-height: 24cm; width: auto }
  h2 { break-after: avoid }
  figure, tr { break-inside: avoid }
  table { font-size: 8pt }
  td { white-space: normal }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
"""
WIDE, NARROW = 1200, 640  # pixels of a picture, and of one for a phone, whose screen is sharp


def text(said: str) -> str:
    """Text for any place of a page."""
    return html.escape(printable(str(said)))


def page(title: str, sections: Iterable[tuple[str, list[str]]], head: list[str]) -> str:
    """A whole page: its title, what stands at the top, and sections of a title and parts."""
    sections = list(sections)
    links = [f'<a href="#s{i}">{text(name)}</a>' for i, (name, _) in enumerate(sections)]
    body = [f"<h1>{text(title)}</h1>", *head, f"<nav>{' '.join(links)}</nav>"]
    for i, (name, parts) in enumerate(sections):
        body += [f'<section id="s{i}">', f"<h2>{text(name)}</h2>", *parts, "</section>"]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title><style>{_STYLE}</style></head><body>",
            *body,
            "</body></html>\n",
        ]
    )


def paragraph(said: str) -> str:
    return f"<p>{text(said)}</p>"


def verbatim(said: str) -> str:
    """Lines as a terminal shows them."""
    return f'<pre tabindex="0">{html.escape(printable(said, lines=True))}</pre>'


def table(
    header: Iterable[str],
    rows: Iterable[Iterable[str]],
    numbers: int = 0,
    caption: str = "",
    wrapped: bool = False,
) -> str:
    """A table of texts; the last `numbers` columns stand at their right. On a narrow page one
    scrolls through it, unless its cells are `wrapped`."""
    header = list(header)
    first = len(header) - numbers
    lines = [_row("th", header, first)] if any(header) else []
    lines += [_row("td", row, first) for row in rows]
    kind = ' class="wrapped"' if wrapped else ""
    return _scrolled(f"<table{kind}>{_caption(caption)}{''.join(lines)}</table>")


def square(names: list[str], counts, caption: str) -> str:
    """A square matrix of counts, whose cells are the darker the larger their share of a row."""
    lines = [_row("th", ["", *names], 1)]
    for i, (name, row) in enumerate(zip(names, counts, strict=True)):
        total = max(int(row.sum()), 1)
        cells = [
            f'<td style="background:{_shade(int(n) / total, i == j)}">{int(n) or "·"}</td>'
            for j, n in enumerate(row)
        ]
        lines.append(f"<tr><th>{text(name)}</th>{''.join(cells)}</tr>")
    return _scrolled(f'<table class="square">{_caption(caption)}{"".join(lines)}</table>')


def picture(draw: Callable[[Path, int], object], alt: str, caption: str = "") -> str:
    """A figure that `draw` writes as PNG twice, for a page and for a phone: it is given a path and
    a width in pixels. Nothing, if it writes nothing."""
    if not (wide := _drawn(lambda path: draw(path, WIDE))):
        return ""
    narrow = _drawn(lambda path: draw(path, NARROW))
    source = f'<source media="(max-width: 600px)" srcset="{narrow}">'
    return _figure(f'<picture>{source}<img alt="{text(alt)}" src="{wide}"></picture>', caption)


def detailed(draw: Callable[[Path], object], alt: str, caption: str = "") -> str:
    """A figure of one size that `draw` writes as PNG, through which one scrolls on a phone.
    Nothing, if it writes nothing."""
    if not (source := _drawn(draw)):
        return ""
    shown = f'<img alt="{text(alt)}" src="{source}">'
    shown = f'<div class="detailed" style="overflow-x:auto" tabindex="0">{shown}</div>'
    return _figure(shown, caption)


def drawing(wide: str, narrow: str, alt: str, caption: str = "") -> str:
    """An SVG as an image, in which nothing runs; `narrow` is for the screen of a phone, where one
    scrolls through it if it is wider."""
    source = f'<source media="(max-width: 600px)" srcset="{_data("svg+xml", narrow.encode())}">'
    shown = f'<img alt="{text(alt)}" src="{_data("svg+xml", wide.encode())}">'
    shown = f'<div class="drawn" style="overflow-x:auto" tabindex="0"><picture>{source}{shown}'
    return _figure(f"{shown}</picture></div>", caption)


def _drawn(draw: Callable[[Path], object]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        draw(path)
        return _data("png", path.read_bytes()) if path.exists() else ""


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _figure(shown: str, caption: str) -> str:
    said = f"<figcaption>{text(caption)}</figcaption>" if caption else ""
    return f"<figure>{shown}{said}</figure>"


def _scrolled(shown: str) -> str:
    return f'<div style="overflow-x:auto" tabindex="0">{shown}</div>'


def _caption(said: str) -> str:
    return f"<caption>{text(said)}</caption>" if said else ""


def _row(tag: str, cells: Iterable[str], first: int) -> str:
    """A row of cells; those from the place `first` on hold numbers."""
    kinds = ("" if i < first else ' class="number"' for i in itertools.count())
    shown = (f"<{tag}{kind}>{text(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=False))
    return f"<tr>{''.join(shown)}</tr>"


def _shade(share: float, right: bool) -> str:
    """Blue of what is right, orange of what is not: two that the colour-blind tell apart."""
    strength = round(min(0.75 * share**0.5, 0.75), 3) if share else 0
    return f"rgba({'31,119,180' if right else '230,120,20'},{strength})"

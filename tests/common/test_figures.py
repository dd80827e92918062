"""Names in pictures: in fonts that have their characters, never as formulas, never left out."""

import re
from pathlib import Path

import numpy as np
import pytest

from lamina.common import fonts
from lamina.common.figures import choose_fonts, label, save_png

ROOT = Path(__file__).parents[2]
RARE = "\ua015\U00010330"  # a syllable of Yi and a letter of Gothic: in hardly any font


@pytest.fixture(autouse=True)
def only_matplotlibs_fonts(monkeypatch):
    """As on a machine without a font of its own; what a test installs is taken away again."""
    from matplotlib.font_manager import fontManager

    own = [entry for entry in fontManager.ttflist if "mpl-data" in entry.fname]
    monkeypatch.setattr(fontManager, "ttflist", own)
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", list)
    fonts._more_families.cache_clear()
    yield
    fonts._more_families.cache_clear()
    fontManager._findfont_cached.cache_clear()


@pytest.fixture
def font(tmp_path):
    """A function that makes a font file of this name with these characters, black squares."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    def make(name, characters):
        pen = TTGlyphPen(None)
        pen.moveTo((0, 0))
        for point in ((0, 900), (900, 900), (900, 0)):
            pen.lineTo(point)
        pen.closePath()
        names = [".notdef", *(f"u{ord(c):X}" for c in characters)]
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder(names)
        builder.setupCharacterMap({ord(c): f"u{ord(c):X}" for c in characters})
        builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
        builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
        builder.setupHorizontalHeader(ascent=900, descent=-100)
        builder.setupNameTable({"familyName": name, "styleName": "Regular"})
        builder.setupOS2()
        builder.setupPost()
        path = tmp_path / f"{name}.ttf"
        builder.save(path)
        return str(path)

    return make


def figure_with(*texts):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.set_yticks(range(len(texts)), texts)
    axes.set_title(texts[0])
    return figure


def test_the_fonts_that_have_the_characters_are_found(font, tmp_path, capsys, recwarn):
    from matplotlib.font_manager import fontManager

    for name, characters in (("Half", "한"), ("Hangul", "한글고양이"), ("Yi", RARE)):
        fontManager.addfont(font(name, characters))
    figure = figure_with("한글 고양이", f"cat {RARE}", "é ε я", "plain")
    save_png(tmp_path / "a.png", figure)
    assert capsys.readouterr().err == ""
    assert not recwarn.list
    [axes] = figure.axes
    said = {t.get_text(): t.get_fontfamily() for t in [axes.title, *axes.get_yticklabels()]}
    assert said == {
        "한글 고양이": ["sans-serif", "Hangul"],
        f"cat {RARE}": ["sans-serif", "Yi"],
        "é ε я": ["sans-serif"],
        "plain": ["sans-serif"],
    }
    figure.savefig(tmp_path / "b.png")  # matplotlib itself misses nothing
    assert not recwarn.list


def test_several_fonts_have_together_what_none_has(font):
    from matplotlib.font_manager import fontManager

    for name, characters in (("Hangul", "한글"), ("Yi", RARE)):
        fontManager.addfont(font(name, characters))
    figure = figure_with(f"한글 {RARE}")
    assert choose_fonts(figure) == ""
    assert sorted(figure.axes[0].title.get_fontfamily()) == ["Hangul", "Yi", "sans-serif"]


def test_a_font_that_was_installed_since_is_found(font, monkeypatch):
    """matplotlib keeps a list of the fonts there were when it was first used."""
    path = font("New", "한")
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda: [path, "gone.ttf"])
    figure = figure_with("한")
    assert choose_fonts(figure) == ""
    assert figure.axes[0].title.get_fontfamily() == ["sans-serif", "New"]


def test_without_such_a_font_one_line_says_so(tmp_path, capsys, recwarn):
    path = tmp_path / "a.png"
    save_png(path, figure_with("한글", "한글", f"{RARE}"))
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: no installed font has ")
    assert set("한글" + RARE) <= set(line)
    assert path.stat().st_size > 1000
    assert not recwarn.list


def test_latin_text_looks_at_no_font(monkeypatch):
    monkeypatch.setattr(fonts, "_had", None)
    monkeypatch.setattr(fonts, "_known_fonts", None)
    assert choose_fonts(figure_with("plain", "$x$_%")) == ""


def test_fonts_are_looked_through_once_for_the_same_characters(monkeypatch):
    looked = []
    monkeypatch.setattr(fonts, "_known_fonts", lambda: looked.append(1) or [])
    for _ in range(3):
        assert choose_fonts(figure_with("한글")) == "글한"
    assert looked == [1]


@pytest.mark.parametrize(
    "name", ["$x$", "a $5 b", r"\$", "_hidden", "50 %", "a\nb", r"\frac{1}{2}"]
)
def test_a_name_is_no_formula_and_in_every_legend(name):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], label=label(name))
    [text] = axes.legend().get_texts()
    shown, formula = text._preprocess_math(text.get_text())
    assert shown.strip() == name.replace("\n", "\\n")
    assert not formula


def test_all_pictures_are_written_in_one_place():
    """So that no picture misses its fonts."""
    rooms = [path.parent for path in ROOT.glob("*/__init__.py")]
    writers = {
        path.relative_to(ROOT).as_posix()
        for room in rooms
        if room.name != "tests"
        for path in room.rglob("*.py")
        if re.search(r"\.savefig\(", path.read_text(encoding="utf-8"))
    }
    assert writers == {"common/figures.py"}


def test_a_wide_name_fits_into_its_node(tmp_path):
    from lamina.autodiff.draw.graph import Graph, Node
    from lamina.autodiff.draw.layout import CHARACTER, lay_out

    value = np.float64(1.0)
    wide, narrow = (
        lay_out(Graph([Node(n, n, "operation", value)], [])).nodes[0].width
        for n in ("가나다라마바사", "abcdefg")
    )
    assert wide - narrow == pytest.approx(7 * CHARACTER)

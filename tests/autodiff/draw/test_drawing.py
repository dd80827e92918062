"""What `draw` gives: files of each kind, and what a notebook shows."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from lamina.autodiff.draw import draw

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawing():
    return draw(lambda x, y, z: (x + y) * z, {"x": -2.0, "y": 5.0, "z": -4.0})


def test_an_svg_has_the_numbers_of_the_notes(drawing, tmp_path):
    drawing.save(tmp_path / "graph.svg")
    root = ET.parse(tmp_path / "graph.svg").getroot()
    groups = {kind: [] for kind in ("value", "gradient")}
    for group in root.iter(f"{SVG}g"):
        if group.get("class") in groups:
            groups[group.get("class")] += [text.text for text in group.iter(f"{SVG}text")]
    assert groups["value"] == ["-2", "5", "3", "-4", "-12"]
    assert groups["gradient"] == ["-4", "-4", "-4", "3", "1"]
    assert root.get("aria-label").startswith("Computational graph with 2 operations")


def test_every_example_is_valid_xml_and_a_png(example, tmp_path):
    drawing = draw(example.f, example.inputs)
    ET.fromstring(drawing._repr_svg_())
    drawing.save(tmp_path / "graph.png")
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_names_are_text_in_svg_and_dot():
    hostile = '"]; </text><script>&\\'
    drawing = draw(lambda **named: named[hostile] * 2, {hostile: 1.0})
    assert hostile in [text.text for text in ET.fromstring(drawing.svg).iter(f"{SVG}text")]
    (label,) = re.findall(r'n0 \[label="((?:[^"\\]|\\.)*)"', drawing.dot)
    assert label.replace('\\"', '"').replace("\\\\", "\\") == hostile


def test_dot_text_has_nodes_edges_values_and_gradients(drawing):
    assert drawing.dot.startswith("digraph {")
    assert drawing.dot.count("->") == 5
    assert '[label="+\\nq1"' in drawing.dot
    assert re.search(r"n2 -> n4 .*>-4<.*>3<", drawing.dot)
    assert re.search(r"n4 -> result .*>-12<.*>1<", drawing.dot)


def test_a_figure_is_matplotlibs(drawing):
    texts = [text.get_text() for text in drawing.figure().axes[0].texts]
    assert {"-2", "5", "3", "-4", "-12", "1", "x", "+", "×"} <= set(texts)


def test_the_page_is_one_file_that_needs_no_network(drawing):
    html = drawing.html
    assert html.startswith("<!DOCTYPE html>")
    links = re.findall(r"(?:src=|href=|url\(|@import|https?:)\S*", html)
    assert [link for link in links if "www.w3.org/2000/svg" not in link] == ['href="data:,">']


@pytest.mark.parametrize("name", ["graph", "graph.pdf", "graph.svg.gz"])
def test_other_suffixes_are_refused(drawing, tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in one of \.png, \.svg, \.dot, \.html"):
        drawing.save(tmp_path / name)


def test_nothing_half_written_is_left(drawing, tmp_path, monkeypatch):
    (tmp_path / "graph.svg").write_text("old")
    monkeypatch.setattr("os.replace", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        drawing.save(tmp_path / "graph.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["graph.svg"]
    assert (tmp_path / "graph.svg").read_text() == "old"


def test_a_missing_folder_is_named(drawing, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        drawing.save(tmp_path / "nowhere" / "graph.svg")


def test_the_shape_stands_in_the_picture_of_big_arrays():
    svg = draw(lambda X, W: np.sum(X @ W), [np.ones((20, 30)), np.ones((30, 4))]).svg
    assert "(20, 30) norm 24.49" in svg
    assert "(30, 4) norm 219.1" in svg


def test_drawing_loads_matplotlib_only_for_png():
    code = (
        "import sys, lamina.autodiff; assert 'lamina.autodiff.draw' not in sys.modules\n"
        "from lamina.autodiff.draw import draw\n"
        "d = draw(lambda x: x * x, {'x': 2.0}); d.svg, d.dot, d.html\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)

"""notebooks/run.py keeps what a notebook prints and shows, and leaves one that fails as it was."""

import base64
import importlib.util
import io
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="pip install -e '.[test]'")
pytest.importorskip("nbclient", reason="pip install -e '.[test]'")

PATH = Path(__file__).parent.parent / "notebooks" / "run.py"
spec = importlib.util.spec_from_file_location("notebooks_run", PATH)
run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)


def written(path, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_what_is_printed_is_whole_and_pictures_have_a_palette(tmp_path):
    from PIL import Image

    path = written(
        tmp_path / "a.ipynb",
        "for i in range(3):\n    print(i, flush=True)",
        "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()",
    )
    run.run(path)
    printed, shown = nbformat.read(path, as_version=4).cells
    assert [out.text for out in printed.outputs] == ["0\n1\n2\n"]
    assert (printed.execution_count, shown.execution_count) == (1, 2)
    [picture] = [out.data["image/png"] for out in shown.outputs if "image/png" in out.data]
    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    assert image.mode == "P"
    assert len(image.getcolors()) <= 64
    assert "execution" not in shown.metadata  # no times: the same file from the same results


def test_thin_lines_keep_their_colours(tmp_path):
    """Six lines among grey ones, as those of the optimizers among the contours of their valley."""
    from matplotlib import colormaps, pyplot
    from PIL import Image

    six = colormaps["tab10"].colors[:6]
    figure, axes = pyplot.subplots(3, 2, figsize=(7, 5))
    for ax, color in zip(axes.flat, six, strict=True):
        for k in range(9):
            ax.plot([0, 1, 2], [k, k + 1, k], color="0.6", linewidth=0.8)
        ax.plot([0, 1, 2], [9, 0, 9], "o-", color=color, markersize=3, linewidth=1)
    figure.savefig(tmp_path / "lines.png")
    pyplot.close(figure)
    kept = run.smaller(base64.b64encode((tmp_path / "lines.png").read_bytes()))
    image = Image.open(io.BytesIO(base64.b64decode(kept))).convert("RGB")
    there = [color for _, color in image.getcolors(64)]
    for color in six:
        drawn = [round(255 * part) for part in color]
        assert min(max(abs(a - b) for a, b in zip(drawn, c, strict=True)) for c in there) < 4


def test_a_notebook_that_fails_stays_as_it_was(tmp_path):
    path = written(tmp_path / "a.ipynb", "print(1)", "assert 1 == 2")
    before = path.read_bytes()
    with pytest.raises(Exception, match="AssertionError"):
        run.run(path)
    assert path.read_bytes() == before


def test_streams_are_joined_up_to_another_output():
    def stream(name, text):
        return nbformat.v4.new_output("stream", name=name, text=text)

    figure = nbformat.v4.new_output("display_data", data={"text/plain": "figure"})
    outputs = [stream("stdout", "a"), stream("stdout", "b"), figure, stream("stdout", "c")]
    assert [out.get("text") for out in run.joined(outputs)] == ["ab", None, "c"]

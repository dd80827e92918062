"""The notebooks run from top to bottom, on data that need no download."""

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LEARNED = {"01_train_mnist": "test 0.9"}  # what a run prints if it has learned something
PASSED = "all checks of this notebook passed"  # what the last cell of all others prints


def _timed(path):
    """The first two are run with all tests, the others, which take longer, by .ci/documents."""
    first = path.stem.startswith(("01", "02"))
    return pytest.param(path, marks=[] if first else [pytest.mark.slow], id=path.stem)


@pytest.mark.parametrize("path", list(map(_timed, NOTEBOOKS)))
def test_the_notebook_runs(path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="pip install -e '.[test]'")
    nbclient = pytest.importorskip("nbclient", reason="pip install -e '.[test]'")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace("import MNIST", "import DrawnDigits").replace(
            "= MNIST()", "= DrawnDigits(n_train=3000, n_test=500)"
        )
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": "."}}).execute()
    printed = [out for cell in notebook.cells for out in cell.get("outputs", ()) if "text" in out]
    assert [out.text for out in printed if out.name == "stderr"] == []
    text = "".join(out.text for out in printed)  # a kernel may send one print in pieces
    assert re.findall(r"np\.\w+\(.*", text) == []  # 0.5, not np.float64(0.5)
    if path.stem in LEARNED:
        assert LEARNED[path.stem] in text
    else:
        assert text.rstrip().endswith(PASSED)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.ipynb")), ids=lambda path: path.stem)
def test_the_outputs_that_are_kept_are_small(path):
    assert path.stat().st_size < 300_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_outputs_that_are_kept_are_whole_and_have_no_warnings(path):
    cells = [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    assert [c["execution_count"] for c in cells] == list(range(1, len(cells) + 1))
    outputs = [out for c in cells for out in c["outputs"]]
    assert [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"] == []


def lessons_with_questions():
    return [path for path in NOTEBOOKS if "def question_1(" in path.read_text("utf-8")]


def found(pattern, cells):
    return re.findall(pattern, "\n".join("".join(lines) for lines in cells), re.MULTILINE)


@pytest.mark.parametrize("path", lessons_with_questions(), ids=lambda path: path.stem)
def test_each_question_is_kept_unanswered_and_has_right_and_wrong_answers(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    texts = [c["source"] for c in cells if c["cell_type"] == "markdown"]
    codes = [c["source"] for c in cells if c["cell_type"] == "code"]
    said = [out["text"] for c in cells for out in c.get("outputs", ()) if "text" in out]
    asked = found(r"\*\*Question (\d+)\.\*\*", texts)
    assert asked == [str(k) for k in range(1, len(asked) + 1)]
    assert found(r"^def question_(\d+)\(", codes) == asked
    assert found(r"^answered\(question_(\d+), \.\.\.\);", codes) == asked
    assert found(r"^question (\d+): no answer yet$", said) == asked
    assert set(found(r"^question (\d+): right$", said)) == set(asked)
    assert set(found(r"^question (\d+): not yet\. ", said)) == set(asked)
    [answers] = (text for text in map("".join, texts) if found(r"^## \d+\. (Answers)$", [text]))
    assert found(r"^(\d+)\. ", [answers]) == asked

"""lamina grade: strangers' files, each in a process of its own."""

import csv
import io
import json
import os
import sys
from pathlib import Path

import pytest

from lamina.commands.frame import main
from lamina.exercises.catalogue import exercise
from lamina.exercises.grading import Limits, _told, csv_of, grade, page_of, solutions_in
from lamina.layers import relu

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits need Linux or macOS")

WRONG = """
from lamina.layers import Layer
print("noise")
class Relu(Layer):
    def forward(self, X):
        return X.clip(0)
    def backward(self, dout):
        return dout
"""


@pytest.fixture
def folder(tmp_path):
    """A class: one right, one wrong, one that is still a gap, some that are not to be trusted."""
    files = {
        "ada/relu.py": Path(relu.__file__).read_text(encoding="utf-8"),
        "bob/relu.py": WRONG,
        "gap.py": exercise("Relu").text("gap.py"),
        "ends.py": "import os\nos._exit(0)\nclass Relu: pass\n",
        "no.py": "def (",
        "other.py": "open('/nowhere/x')\nclass Nothing: pass\n",
        "fails.py": "1 / 0\nclass Relu: pass\n",
    }
    for name, text in files.items():
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "class"


def test_a_class(folder, tmp_path, capsys):
    assert main(["grade", str(folder), "-o", str(tmp_path / "marks"), "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert "ada/relu.py  Relu       100" in said
    rows = list(csv.DictReader(io.StringIO((tmp_path / "marks/grades.csv").read_text())))
    marks = {row["solution"]: row for row in rows}
    assert marks["ada/relu.py"]["mark"] == "100"
    assert 0 < int(marks["bob/relu.py"]["mark"]) < 100
    assert marks["bob/relu.py"]["wrong"].startswith("dX")
    assert (marks["gap.py"]["mark"], marks["gap.py"]["wrong"]) == ("0", "forward")
    assert marks["ends.py"]["trouble"] == "ended the process itself, with exit status 0"
    assert marks["no.py"]["trouble"] == "is no Python: invalid syntax, line 1"
    assert marks["other.py"]["trouble"].startswith("no class or function in it has the name of")
    assert marks["other.py"]["mark"] == ""
    assert "ZeroDivisionError" in marks["fails.py"]["trouble"]
    average = sum(int(row["mark"]) for row in rows if row["mark"]) / 6
    summary = f"6 solutions, {average:.1f} of 100 on average; 1 file without an exercise, not count"
    assert summary in said
    page = (tmp_path / "marks/grades.html").read_text()
    assert "<script" not in page
    assert "Content-Security-Policy" in page
    assert "forgotten mask" in page
    assert summary in page


def test_limits_end_what_never_ends_or_grows(tmp_path):
    (tmp_path / "loop.py").write_text("while True: pass\nclass Relu: pass\n")
    (tmp_path / "grows.py").write_text("x = bytearray(8 << 30)\nclass Relu: pass\n")
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\nclass Relu: pass\n"
    (tmp_path / "killed.py").write_text(killed)
    grows, killed, loop = grade(solutions_in(tmp_path), Limits(3, 2048), jobs=2)
    assert killed["trouble"].startswith("was killed, as by a system that has no memory left")
    if sys.platform != "darwin":  # which keeps no limit of memory
        assert "MemoryError" in grows["trouble"]
        assert grows["mark"] == 0
    assert loop["trouble"].startswith("took more than 3 seconds of computing")
    assert loop["mark"] == 0


def test_a_helper_with_the_name_of_an_exercise_is_none(tmp_path):
    helper = "def sigmoid(x):\n    return x\n\n\n"
    layer = "class Sigmoid: pass\n"
    schedule = "def sigmoid(step, *, gamma, step_size):\n    return 1.0\n"
    texts = {"both": helper + layer, "alone": helper, "two": schedule + layer}
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    found = [(one.name, one.exercise) for one in solutions_in(tmp_path)]
    assert found == [
        ("alone.py", "sigmoid"),
        ("both.py", "Sigmoid"),
        ("two.py", "sigmoid"),
        ("two.py", "Sigmoid"),
    ]


# What a solution writes in the place of its mark.
FORGED = {
    "list": "[1]",
    "deep": "[" * 100_000,
    "text": '{"mark": "100"}',
    "large": '{"mark": 1e999}',
    "parts": '{"mark": 1, "parts": {"forward": {"points": "x"}}}',
    "wrong": '{"mark": 1, "wrong": [1]}',
    "none": '{"mark": 1, "trouble": null}',
}


@pytest.mark.parametrize("text", FORGED.values(), ids=FORGED)
def test_what_is_no_mark_is_none(text, tmp_path):
    (tmp_path / "mark.json").write_text(text)
    assert _told(tmp_path / "mark.json") is None


def test_a_mark_that_is_none_does_not_end_that_of_the_class(tmp_path, capsys):
    begin = "import os, sys\nplace = sys.argv[-4]\n"
    end = "\nos._exit(0)\nclass Relu: pass\n"
    for name in ("deep", "text"):
        written = f"open(place, 'w').write({FORGED[name]!r})"
        (tmp_path / f"{name}.py").write_text(f"{begin}{written}{end}")
    (tmp_path / "pipe.py").write_text(f"{begin}os.mkfifo(place){end}")
    (tmp_path / "link.py").write_text(f"{begin}os.symlink('/dev/zero', place){end}")
    (tmp_path / "half.py").write_text("raise ValueError('\\ud800')\nclass Relu: pass\n")
    os.mkfifo(tmp_path / "waits.py")
    assert main(["grade", str(tmp_path), "--jobs", "2"]) == 0
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["solution"]: row for row in csv.DictReader(file)}
    assert {row["mark"] for row in rows.values()} == {"0"}
    for name in ("deep", "text", "pipe", "link"):
        assert rows[f"{name}.py"]["trouble"] == "ended the process itself, with exit status 0"
    assert "\\ud800" in rows["half.py"]["trouble"]
    assert "is no regular file" in rows["waits.py"]["trouble"]


def test_a_solution_sees_neither_the_environment_nor_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_SECRET", "1")
    (tmp_path / "nosy.py").write_text(
        "import os\nassert 'LAMINA_SECRET' not in os.environ, 'sees'\n"
        "assert os.listdir() == [], 'lists'\nraise RuntimeError('neither')\nclass Relu: pass\n"
    )
    (mark,) = grade(solutions_in(tmp_path), Limits(20, 2048))
    assert "neither" in mark["trouble"]


def test_names_of_files_are_other_peoples_text():
    mark = {"solution": "=cmd|'<b>.py", "exercise": "Relu", "mark": 0, "trouble": "+1<script>"}
    assert csv_of([mark]).splitlines()[1].startswith("'=cmd|'<b>.py,Relu,0,")
    assert ",'+1<script>" in csv_of([mark])
    page = page_of([mark], "<i>")
    assert "<script>" not in page
    assert "<b>.py" not in page
    assert "&lt;i&gt;" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grade", "/nowhere"], "is no folder"),
        (["grade", "."], "has no Python files"),
        (["grade", ".", "--seconds", "0"], "--seconds: expects at least 1, got 0"),
        (["check", "Relu", "--as-exercise"], "expects your file and what to look at in it"),
        (["exercise", "Relv"], "no exercise Relv; did you mean Relu?"),
        (["exercise", "Relu", "--gap", "infer"], "Relu has no infer of its own"),
        (["exercise", "cosine", "--gap", "forward"], "cosine is a function"),
        (["exercise", "Relu", "Affine", "-o", "x.py"], "is one file, and there are 2 exercises"),
    ],
)
def test_mistakes_are_said_in_a_line(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_an_exercise_is_written_once_and_marked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["exercise", "Relu"]) == 0
    assert main(["exercise", "Relu"]) == 2
    assert "relu.py is there already" in capsys.readouterr().err
    assert main(["check", "relu.py:Relu", "--as-exercise"]) == 1
    assert "Relu: 0 of 100" in capsys.readouterr().out
    (tmp_path / "bob.py").write_text(WRONG)
    assert main(["check", "bob.py:Relu", "relu.py:Relu", "--as-exercise", "--json"]) == 1
    bob, gap = json.loads(capsys.readouterr().out)
    assert (bob["solution"], gap["mark"]) == ("bob.py:Relu", 0)
    assert bob["wrong"][0] == "dX"
    assert main(["exercise", "--list"]) == 0
    assert "Adam " in capsys.readouterr().out

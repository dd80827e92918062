"""A folder of solutions, each marked in a process of its own, as a table and as a page."""

import ast
import contextlib
import dataclasses
import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lamina.common.files import no_link, opened
from lamina.common.printable import printable
from lamina.common.text_table import as_csv
from lamina.exercises.catalogue import exercises
from lamina.exercises.judge import MOST_WRITTEN
from lamina.experiment.report.page import page, paragraph, table, verbatim

PARTS = ("forward", "backward", "contract", "result", "manners")
NO_EXERCISE = "no class or function in it has the name of an exercise"
HEADER = ["solution", "exercise", "mark", *PARTS, "wrong", "trouble"]
# The import path of this process, however it has come about, is that of the judge.
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from lamina.exercises.judge import main; main()"
)
_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")  # of the environment


@dataclasses.dataclass(frozen=True)
class Limits:
    """Of each solution: seconds of computing, megabytes of memory."""

    seconds: int = 60
    megabytes: int = 4096


@dataclasses.dataclass(frozen=True)
class Solution:
    """A file, what it is called in the table, and the exercise in it; "" if there is none."""

    path: Path
    name: str
    exercise: str
    trouble: str = ""


def solutions_in(folder: Path) -> list[Solution]:
    """What is in the Python files of a folder, and in those of its folders, a folder for each
    student. Nothing is run to find that out. Raises ValueError if there is no such file."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: is no folder; give one with the files of a class")
    paths = sorted([*folder.glob("*.py"), *folder.glob("*/*.py")])
    if not paths:
        raise ValueError(f"{folder}: has no Python files, here or one folder down")
    return [one for path in paths for one in _in_file(path, str(path.relative_to(folder)))]


def _in_file(path: Path, name: str) -> list[Solution]:
    try:
        with opened(path) as file:
            tree = ast.parse(file.read())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        said = f"is no Python: {getattr(error, 'msg', error)}" + (f", line {line}" if line else "")
        return [Solution(path, name, "", said)]
    except OSError as error:
        return [Solution(path, name, "", f"cannot be read: {error.strerror or error}")]
    there = {n.name: n for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
    found = [one for one in there if one in exercises()]
    if len(found) > 1:  # a sigmoid(x) beside the layer is none of the schedules
        found = [one for one in found if not _is_helper(there[one])] or found
    if found:
        return [Solution(path, name, one) for one in found]
    return [Solution(path, name, "", NO_EXERCISE)]


def _is_helper(node: ast.ClassDef | ast.FunctionDef) -> bool:
    """Does a function have the name of an exercise, and other parameters?"""
    if isinstance(node, ast.ClassDef):
        return False
    given = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return given != list(inspect.signature(exercises()[node.name].target).parameters)


def grade(found: list[Solution], limits: Limits, jobs: int = 1, seed: int = 0) -> list[dict]:
    """The marks as data, in this order; `jobs` processes at a time."""
    if os.name == "nt":
        raise OSError("grade: limits of time and memory need Linux or macOS")
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda one: _graded(one, limits, seed), found))


def _graded(one: Solution, limits: Limits, seed: int) -> dict:
    mark = None if one.trouble == NO_EXERCISE else 0
    known = {"solution": one.name, "exercise": one.exercise, "mark": mark}
    if one.trouble:
        return {**known, "trouble": one.trouble}
    # A solution may leave behind what cannot be removed.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        result = Path(folder) / "mark.json"
        settings = (result, limits.seconds, limits.megabytes << 20, seed)
        command = [sys.executable, "-c", _BEGIN, json.dumps(sys.path)]
        command += [f"{one.path.resolve()}:{one.exercise}", *map(str, settings)]
        trouble = _ended(command, folder, limits)
        told = _told(result)
    if told is None:
        return {**known, "trouble": trouble or "ended without a mark"}
    return {**known, **told, "solution": one.name, "exercise": one.exercise}


def _told(result: Path) -> dict | None:
    """What the judge has written; None if it is not that. A solution can write there as well, and
    must not end the marking of a whole class."""
    try:
        with open(no_link(result, os.O_RDONLY), "rb") as file:
            told = json.loads(file.read(MOST_WRITTEN))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    mark, parts, wrong = told.get("mark"), told.get("parts", {}), told.get("wrong", [])
    fits = (
        _within(mark)
        and isinstance(parts, dict)
        and all(isinstance(p, dict) and _within(p.get("points")) for p in parts.values())
        and isinstance(wrong, list)
        and all(isinstance(said, str) for said in (*wrong, told.get("trouble", "")))
    )
    return told if fits else None


def _within(points) -> bool:
    return type(points) in (int, float) and 0 <= points <= 100


def _ended(command: list[str], folder: str, limits: Limits) -> str:
    """Run it to its end, or to that of its time; how it has ended, if not well."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"HOME": folder, "TMPDIR": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    longest = 4 * limits.seconds + 20  # of waiting: with `jobs` the cores are shared
    try:
        status = process.wait(longest)
    except subprocess.TimeoutExpired:
        return f"was ended after {longest} seconds: does it wait for something?"
    finally:
        _end_all(process)
    if status == -signal.SIGKILL and time.monotonic() - began < limits.seconds:
        return "was killed, as by a system that has no memory left"
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"took more than {limits.seconds} seconds of computing: does a loop never end?"
    return f"ended the process itself, with exit status {status}" if status >= 0 else _of(status)


def _end_all(process: subprocess.Popen) -> None:
    """Also what the solution has started and left behind, unless it has left the group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _of(status: int) -> str:
    return f"was ended by the signal {signal.Signals(-status).name}"


def rows_of(marks: list[dict]) -> list[list[str]]:
    """The marks as rows below HEADER."""
    return [
        [
            mark["solution"],
            mark["exercise"],
            "" if mark["mark"] is None else str(mark["mark"]),
            *(_points(mark.get("parts", {}).get(part)) for part in PARTS),
            ", ".join(mark.get("wrong", ())),
            mark.get("trouble", ""),
        ]
        for mark in marks
    ]


def _points(part: dict | None) -> str:
    return "" if part is None else f"{part['points']:g}"


def csv_of(marks: list[dict]) -> str:
    """Comma-separated. What a spreadsheet would take for a formula is put behind a quote: names of
    files are other people's text."""
    rows = [[_no_formula(printable(cell)) for cell in row] for row in rows_of(marks)]
    return as_csv(HEADER, rows) + "\n"


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


def summary(marks: list[dict]) -> str:
    """How many solutions there are, their average, and how many files are none."""
    points = [mark["mark"] for mark in marks if mark["mark"] is not None]
    said = f"{len(points)} solution{'s' * (len(points) != 1)}"
    if points:
        said += f", {sum(points) / len(points):.1f} of 100 on average"
    if n := len(marks) - len(points):
        said += f"; {n} file{'s' * (n > 1)} without an exercise, not counted"
    return said


def page_of(marks: list[dict], title: str) -> str:
    """One page of HTML: the table, then what is said of each solution."""
    words = f"{summary(marks)}."
    short = [[*row[:3], "; ".join(filter(None, row[-2:]))] for row in rows_of(marks)]
    sections = [("Marks", [table(["solution", "exercise", "mark", "wrong"], short, wrapped=True)])]
    for mark in marks:
        said = mark.get("text") or mark.get("trouble") or "nothing"
        name = " ".join(filter(None, (mark["solution"], mark["exercise"])))
        sections.append((name, [verbatim(str(said))]))
    return page(title, sections, [paragraph(words)])

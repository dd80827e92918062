"""One solution in a process of its own, with limits of time and memory: what `grade` starts.

The limits are those of the operating system for a process that goes wrong by mistake. They are no
sandbox: the code runs with the rights of whoever grades.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from lamina.exercises.solution import mark_file

MOST_TEXT = 20_000  # characters of what is said of one solution
MOST_WRITTEN = 1 << 24  # bytes of a file


def main() -> None:
    """In sys.argv: path.py:Name, a file for the result, seconds of computing, bytes of memory, the
    seed."""
    named, result, seconds, memory, seed = sys.argv[-5:]
    limit(int(seconds), int(memory))
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            mark = mark_file(named, int(seed))
            told = {**mark.as_data(), "text": str(mark)[:MOST_TEXT]}
        except ImportError as error:
            told = {"exercise": named.rpartition(":")[2], "mark": 0, "trouble": str(error)}
    Path(result).write_text(json.dumps(told), encoding="utf-8")


def limit(seconds: int, memory: int) -> None:
    """Limits for this process, and those it starts, each by itself. macOS keeps none of memory, and
    may refuse to hear of it."""
    import resource  # not there on Windows

    wanted = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_FSIZE: MOST_WRITTEN,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # Who computes for too long ends by a signal of its own, not by that of all who are killed.
        room = hard == resource.RLIM_INFINITY or hard > value
        most = value + 1 if kind == resource.RLIMIT_CPU and room else value
        with contextlib.suppress(*([ValueError] if sys.platform == "darwin" else [])):
            resource.setrlimit(kind, (value, most))

"""Mark all solutions in a folder: a table (grades.csv) and one page (grades.html).

Files lie in the folder, or in a folder for each student. Each solution runs in a process of its
own, with limits of time and memory. They are strangers' code, and these limits are no sandbox: it
runs with your rights, and can read your files and use the network. Grade in a container, or as a
user who owns nothing.
"""

import json
from pathlib import Path

from lamina.common.counts import check_count
from lamina.common.files import whole_file
from lamina.common.printable import printable
from lamina.common.text_table import as_text

EPILOG = """examples:
  lamina grade solutions
  lamina grade solutions -o marks --jobs 4 --seconds 20
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("folder", type=Path, help="with affine.py, ..., or kim/affine.py, lee/affine.py, ...")
    add(*("-o", "--output"), type=Path, metavar="FOLDER", help="(default: the same folder)")
    add(
        "--seconds",
        type=int,
        default=60,
        help="processor time that each solution may take (default: 60)",
    )
    add(
        "--memory",
        type=int,
        default=4096,
        metavar="MB",
        help="memory that each solution may take (default: 4096)",
    )
    add("--jobs", type=int, default=1, help="processes at a time (default: 1)")
    add("--seed", type=int, default=0, help="seed of the drawn examples and directions")
    add("--json", action="store_true", help="print the marks as JSON")


def run(options) -> int:
    from lamina.exercises.grading import (
        HEADER,
        Limits,
        csv_of,
        grade,
        page_of,
        rows_of,
        solutions_in,
        summary,
    )

    for name, lowest in (("seconds", 1), ("memory", 256), ("jobs", 1)):
        check_count(f"--{name}", getattr(options, name), lowest)
    found = solutions_in(options.folder)
    marks = grade(found, Limits(options.seconds, options.memory), options.jobs, options.seed)
    output = options.output or options.folder
    output.mkdir(parents=True, exist_ok=True)
    files = {
        output / "grades.csv": csv_of(marks),
        output / "grades.html": page_of(marks, options.folder.resolve().name),
    }
    for path, text in files.items():
        with whole_file(path) as file:
            file.write(text.encode())
    if options.json:
        print(json.dumps(marks))
        return 0
    print(as_text(HEADER[:3], [row[:3] for row in rows_of(marks)], 1))
    print(f"\n{summary(marks)}")
    print("\n".join(printable(str(path)) for path in files))
    return 0

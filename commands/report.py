"""Write all that is known of a run, or of several, as one page of HTML.

The page needs no network and runs no script: it can be mailed, printed, and read on a phone. Of one
run it has figures, curves, what the net gets wrong, the net, what the doctor says, configuration
and provenance; of several, or of a sweep's folder, the table and the curves.
"""

from pathlib import Path

from lamina.common.files import whole_file
from lamina.common.printable import printable
from lamina.experiment.run_config import add_changed_option, add_code_option
from lamina.experiment.run_names import run_names

EPILOG = """examples:
  lamina report runs/a
  lamina report sweeps/optimizers -o optimizers.html
  lamina report runs/a runs/b runs/c -o three.html
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("runs", nargs="+", type=Path, metavar="RUN", help="a run directory, or a sweep's folder")
    add(
        *("-o", "--output"),
        type=Path,
        metavar="FILE",
        help="(default: report.html in the folder that is named, or here, of several)",
    )
    add("--on", default="test", metavar="SET", help="train, validation or test (default: test)")
    add_code_option(parser)
    add_changed_option(parser)


def run(options) -> int:
    from lamina.experiment.report import report_on_many, report_on_run

    runs = run_names(options.runs)
    folder = options.runs[0] if len(options.runs) == 1 else Path()
    output = options.output or folder / "report.html"
    if list(runs.values()) == options.runs[:1]:
        said = report_on_run(options.runs[0], options.on, options.code, changed=options.changed)
    else:
        of_one = ("--on", "--code", "--changed")
        options.refuse("is for one run, and a page on several reads their tables alone", *of_one)
        alone = folder == options.runs[0]  # the folder of a sweep
        title, sweep = (folder.name, folder) if alone else ("", None)
        said = report_on_many(runs, title, sweep)
    with whole_file(output) as file:
        file.write(said.encode())
    print(printable(str(output)))
    return 0

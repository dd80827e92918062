"""Say how good a finished run is on one set of its data, and what it gets wrong."""

from pathlib import Path

from lamina.common.notice import note
from lamina.common.printable import printable
from lamina.experiment.curves import kept_of, read_run
from lamina.experiment.evaluation import evaluate
from lamina.experiment.load_run import DataUnknown, Run
from lamina.experiment.run_config import add_changed_option, add_code_option


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a run directory")
    add("--on", default="test", metavar="SET", help="train, validation or test (default: test)")
    add_code_option(parser)
    add_changed_option(parser)


def run(options) -> int:
    finished = Run(options.run, options.code, changed=options.changed)
    try:
        net, dataset = finished.load()
    except DataUnknown as error:
        options.refuse("the data of this run are not known", "--on")
        print(printable(f"{error}\n{_row(options.run)}", lines=True))
        return 0
    metrics = finished.metrics(dataset.task)
    evaluation = evaluate(net, dataset, options.on, metrics)
    print(printable(evaluation.report(), lines=True))
    try:
        picture = evaluation.draw(options.run)
    except OSError as error:  # the run of somebody else may be there to read only
        note(f"no picture: {error}")
        return 0
    if picture is not None:
        print(f"\npicture: {printable(str(picture))}")
    return 0


def _row(run: Path) -> str:
    """The row of history.csv that is of the weights kept, a line for each column."""
    _, history = read_run(run)
    row, width = kept_of(run), max(map(len, history))
    title = "its last evaluation:" if row is None else "the evaluation of the weights kept:"
    row = -1 if row is None else row
    lines = [f"  {name:<{width}}  {column[row]:.6g}" for name, column in history.items()]
    return "\n".join([title, *lines])

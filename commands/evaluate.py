"""Say how good a finished run is on one set of its data, and what it gets wrong."""

from pathlib import Path

from lamina.common.notice import note
from lamina.common.printable import printable
from lamina.experiment.curves import read_run
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
        print(printable(f"{error}\nits last evaluation:\n{_last_row(options.run)}", lines=True))
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


def _last_row(run: Path) -> str:
    """The last row of history.csv, a line for each column."""
    _, history = read_run(run)
    width = max(map(len, history))
    return "\n".join(f"  {name:<{width}}  {column[-1]:.6g}" for name, column in history.items())

"""Say how good a finished run is on one set of its data, and what it gets wrong."""

from pathlib import Path

from lamina.experiment.evaluation import evaluate
from lamina.experiment.load_run import load_run
from lamina.experiment.run_config import add_code_option


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a run directory")
    add("--on", default="test", metavar="SET", help="train, validation or test (default: test)")
    add_code_option(parser)


def run(options) -> int:
    net, dataset = load_run(options.run, options.code)
    evaluation = evaluate(net, dataset, options.on)
    print(evaluation.report())
    if (picture := evaluation.draw(options.run)) is not None:
        print(f"\npicture: {picture}")
    return 0

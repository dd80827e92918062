"""Say how good a finished run is on its test samples, and what it gets wrong."""

from pathlib import Path

from lamina.experiment.evaluate import (
    confusion,
    draw_mistakes,
    load_run,
    report,
    scores_of,
    worst_mistakes,
)
from lamina.experiment.run_config import add_code_option


def add_arguments(parser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run directory")
    add_code_option(parser)


def run(options) -> int:
    net, dataset = load_run(options.run, options.code)
    samples = dataset.test
    scores = scores_of(net, samples)
    counts = confusion(samples.t, scores.argmax(axis=1), len(dataset.task.class_names))
    print(report(counts, dataset.task.class_names))
    picture = options.run / "mistakes.png"
    rows = worst_mistakes(scores, samples.t)
    if draw_mistakes(picture, samples, rows, scores, dataset.task.class_names):
        print(f"\nthe worst mistakes: {picture}")
    return 0

"""Let a finished run that has learned a text write on."""

from pathlib import Path

from lamina.common.printable import printable
from lamina.datasets.tasks import LanguageModel
from lamina.experiment.generation import generate
from lamina.experiment.load_run import Run
from lamina.experiment.run_config import add_changed_option, add_code_option


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a run directory")
    add("--prompt", metavar="TEXT", help="what it goes on from (default: how the test text begins)")
    add("--length", type=int, default=300, metavar="N", help="units to write (default: 300)")
    add(
        *("--temperature", "-t"),
        type=float,
        default=1.0,
        help="below 1 the likely comes more often, 0 takes the likeliest alone (default: 1)",
    )
    add("--top-k", type=int, metavar="K", help="only the K likeliest units can come")
    add("--seed", type=int, default=0, help="other seeds, other texts (default: 0)")
    add_code_option(parser)
    add_changed_option(parser)


def run(options) -> int:
    net, dataset = Run(options.run, options.code, changed=options.changed).load()
    task = dataset.task
    if not isinstance(task, LanguageModel) or task.units is None:
        raise ValueError(
            f"{options.run}: has not learned to go on with a text (its task is {task.name}); "
            "generate expects a run on a data set such as Text"
        )
    prompt = options.prompt
    if prompt is None:
        prompt = task.decode(dataset.test.X[0])
    text = generate(
        net,
        task,
        prompt,
        options.length,
        temperature=options.temperature,
        top_k=options.top_k,
        rng=options.seed,
        window=None if net.can_step else dataset.input_shape[0],
    )
    print(printable(text, lines=True))
    return 0

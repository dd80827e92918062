"""Let a finished run that has learned a text write on, or answer a question."""

from pathlib import Path

import numpy as np

from lamina.common.printable import printable
from lamina.datasets.pairs import Pairs
from lamina.datasets.tasks import LanguageModel
from lamina.datasets.tokens import START
from lamina.experiment.answering import answer
from lamina.experiment.generation import generate
from lamina.experiment.inside import draw_answer, draw_text
from lamina.experiment.load_run import Run
from lamina.experiment.run_config import add_changed_option, add_code_option


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a run directory")
    add(
        "--prompt",
        metavar="TEXT",
        help="what it goes on from, or answers (default: of the test set)",
    )
    add(
        "--length",
        type=int,
        default=300,
        metavar="N",
        help="tokens to write (default: 300); not of answers",
    )
    add(
        *("--temperature", "-t"),
        type=float,
        metavar="T",
        help="below 1 the likely comes more often, 0 takes the likeliest alone (default: 1; of "
        "answers 0)",
    )
    add("--top-k", type=int, metavar="K", help="only the K likeliest tokens can come")
    add("--seed", type=int, default=0, help="other seeds, other texts (default: 0)")
    add(
        "--picture",
        type=Path,
        metavar="FILE.png",
        help="draw what attention looks at, and the hidden states of recurrent layers (of a text: "
        "its last window, read anew)",
    )
    add_code_option(parser)
    add_changed_option(parser)


def run(options) -> int:
    if options.seed < 0:
        raise ValueError(f"--seed: expects 0 or more, got {options.seed}")
    net, dataset = Run(options.run, options.code, changed=options.changed).load()
    is_pairs = isinstance(dataset, Pairs)
    if options.temperature is None:
        options.temperature = 0.0 if is_pairs else 1.0
    if not options.temperature:
        options.refuse("temperature 0 takes the likeliest token alone", "--top-k", "--seed")
    if is_pairs:
        options.refuse("is for texts; an answer ends by itself", "--length")
        print(printable(_answered(net, dataset, options)))
        return 0
    task = dataset.task
    if not isinstance(task, LanguageModel) or task.tokens is None or len(net.inputs) != 1:
        raise ValueError(
            f"{options.run}: has not learned to go on with a text (its data are "
            f"{type(dataset).__name__}, its task {task.name}); generate expects a run on a text or "
            "on questions, such as Text, Lines or Additions"
        )
    if getattr(dataset, "predict", None) == "middle":
        raise ValueError(
            f"{options.run}: has learned the token in the middle, predict: middle, not the next "
            "one; generate expects predict: each or last"
        )
    text = generate(
        net,
        task,
        _beginning(dataset) if options.prompt is None else options.prompt,
        options.length,
        temperature=options.temperature,
        top_k=options.top_k,
        rng=options.seed,
        window=dataset.input_shape[0],
    )
    print(printable(text, lines=True))
    if options.picture is not None:
        draw_text(options.picture, net, dataset, text)
    return 0


def _answered(net, dataset, options) -> str:
    question = options.prompt
    if question is None:
        task, ((asked, _), _) = dataset.task, dataset.test[:1]
        asked = asked[0, ::-1] if dataset.reverse else asked[0]
        question = task.decode(asked[asked != task.ignore_index])
    found = answer(
        net,
        dataset,
        question,
        temperature=options.temperature,
        top_k=options.top_k,
        rng=options.seed,
    )
    if options.picture is not None:
        draw_answer(options.picture, net, dataset, question, found)
    return f"{question} -> {found}"


def _beginning(dataset) -> str:
    """A window of the test text, the first that the vocabulary has all of; of lines nothing, since
    they begin by themselves."""
    task = dataset.task
    if START in task.vocabulary:
        return ""
    X = dataset.test[:][0]
    unknown = np.isin(X, task.unknown).any(axis=1) if task.unknown is not None else np.zeros(len(X))
    return task.decode(X[unknown.argmin()])

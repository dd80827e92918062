"""Say which words a finished run has found to be near another one, and its analogies."""

from pathlib import Path

from lamina.common.printable import printable
from lamina.experiment.load_run import Run
from lamina.experiment.run_config import add_changed_option, add_code_option
from lamina.experiment.word_vectors import vectors_of


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a run directory, as of words_skipgram")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--near", metavar="WORD", help="those of the largest cosine with WORD")
    what.add_argument(
        "--analogy", nargs=3, metavar=("A", "B", "C"), help="A is to B as C is to which?"
    )
    add("-n", type=int, default=10, help="how many to list (default: 10)")
    add_code_option(parser)
    add_changed_option(parser)


def run(options) -> int:
    net, dataset = Run(options.run, options.code, changed=options.changed).load()
    vectors = vectors_of(net, dataset)
    if options.near is not None:
        found = vectors.near(options.near, options.n)
    else:
        a, b, c = options.analogy
        found = vectors.analogy(a, b, c, options.n)
    print("\n".join(f"{cosine:6.3f}  {printable(word)}" for word, cosine in found))
    return 0

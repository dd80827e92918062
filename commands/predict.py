"""Say what a finished run takes pictures, or the rows of a table, to be.

They become inputs as those that the run was trained on: pictures at its size, in its colours,
columns by their names, with its fills and categories. Data sets of bright digits on black take
pictures of any size, dark on light too. The data of the training need not be there.
"""

from pathlib import Path

from lamina.common.files import whole_file
from lamina.common.printable import printable
from lamina.experiment.load_run import Run
from lamina.experiment.prediction import predict
from lamina.experiment.run_config import add_changed_option, add_code_option


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="a run directory")
    add(
        *("files",),
        type=Path,
        nargs="+",
        metavar="FILE",
        help="pictures, or folders of pictures; or one CSV file, with or without the targets",
    )
    add(
        *("-o", "--output"),
        type=Path,
        metavar="FILE.csv",
        help="write all of them, with the probability of each class",
    )
    add("--encoding", metavar="NAME", help="encoding of the table, if it is another")
    add("--separator", metavar="SIGN", help="separator of the table, if it is another")
    add_code_option(parser)
    add_changed_option(parser)


def run(options) -> int:
    finished = Run(options.run, options.code, changed=options.changed)
    found = predict(finished, options.files, encoding=options.encoding, separator=options.separator)
    print(printable(found.text(), lines=True))
    if options.output is not None:
        with whole_file(options.output) as file:
            file.write(f"{found.csv()}\n".encode())
        print(f"\nwritten: {printable(str(options.output))}")
    return 0

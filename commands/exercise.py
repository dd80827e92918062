"""Write an exercise: a file of the project with gaps, which `lamina check` marks.

Docstring, formulas, shapes and signatures stay; what you write raises NotImplementedError. Easier
forms leave out less (--gap backward) or say more (--hints); a harder one leaves out more (--gap
forward,backward,output_shape). Whoever is done: lamina check FILE.py:NAME --as-exercise
"""

from pathlib import Path

from lamina.common.files import whole_file
from lamina.common.printable import printable
from lamina.common.text_table import as_text
from lamina.exercises.catalogue import exercise, exercises
from lamina.exercises.sets import SETS, exercises_of

EPILOG = """examples:
  lamina exercise --list
  lamina exercise Affine -o affine.py
  lamina exercise Affine -o affine.py --gap backward --hints
  lamina exercise --set note-002 -o exercises
"""


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="Affine, Adam, cosine, ...")
    add(
        *("-o", "--output"),
        type=Path,
        metavar="PATH",
        help="a file, or for several exercises a folder (default: the name of each, here)",
    )
    add(
        "--set",
        dest="of",
        default="",
        metavar="NAME",
        help="all of note-002, cs231n, book-1, ...: see --list",
    )
    add(
        "--gap",
        default="",
        metavar="NAMES",
        help="what to leave out: backward, or forward,backward",
    )
    add("--hints", action="store_true", help="with formulas and hints as comments")
    add("--list", action="store_true", help="say which exercises there are")


def run(options) -> int:
    if options.list:
        given = ("names", "of", "--output", "--gap", "--hints")
        options.refuse("--list writes no exercise", *given)
        print(_listed())
        return 0
    names = [*options.names, *(exercises_of(options.of) if options.of else ())]
    if not names:
        options.error("name an exercise, or --set NAME, or --list")
    gaps = tuple(filter(None, options.gap.replace(" ", "").split(",")))
    wanted = [exercise(name) for name in dict.fromkeys(names)]
    files = {}
    for one in wanted:
        path = _path(one, options.output, len(wanted))
        if path.exists():
            raise FileExistsError(
                f"{path} is there already, and may be somebody's work: -o another"
            )
        files[path] = one.text(path.name, gaps, hints=options.hints)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(text.encode())
        print(printable(str(path)))
    return 0


def _path(one, output: Path | None, number: int) -> Path:
    if output is None:
        return Path(one.file_name)
    if output.suffix == ".py" and number == 1:
        return output
    if output.suffix == ".py":
        raise ValueError(f"-o {output}: is one file, and there are {number} exercises: a folder")
    return output / one.file_name


def _listed() -> str:
    rows = [[one.name, one.kind, one.about] for one in exercises().values()]
    sets = [f"{name}: {', '.join(names)}" for name, names in SETS.items()]
    return "\n".join([as_text(["exercise", "kind", "what"], rows), "", "sets:", *sets])

"""Run the experiments of the book, the notes and the README again, beside what is expected of them.

Each leaves a picture and a record in a folder, from which the page FOLDER.md is written. The quick
form is on digits that are drawn; exit status 1 says that a band was missed.
"""

from pathlib import Path

from lamina.common.memory import keep_memory
from lamina.common.names import suggest
from lamina.common.text_table import as_text
from lamina.common.threads import stop_waiting_early

EPILOG = """examples:
  lamina experiments                          all of the quick forms, about two minutes
  lamina experiments valley dropout --full
  lamina experiments --full --missing -o docs/experiments
"""
STOPPED = "; --missing goes on with those that have not been run"


def add_arguments(parser) -> None:
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="run these alone")
    add("--full", action="store_true", help="on the data of the source, as long as there")
    add("--missing", action="store_true", help="leave out those whose record is there")
    add("--list", action="store_true", help="say which there are, and run none")
    add(
        *("-o", "--output"),
        type=Path,
        default=Path("runs/experiments"),
        metavar="FOLDER",
        help="where pictures and records go; the page is FOLDER.md (default: %(default)s)",
    )


def run(options) -> int:
    stop_waiting_early()
    keep_memory()
    # After that: these import NumPy.
    from lamina.experiments.entries import ENTRIES
    from lamina.experiments.page import in_words, refuse_other_page, result, write_page
    from lamina.experiments.record import read_record, run_entry

    if options.list:
        given = ("names", "--full", "--missing", "--output")
        options.refuse("--list runs no experiment", *given)
        print(as_text(["experiment", "full form", "source"], in_words(ENTRIES)))
        return 0
    folder, missed = options.output, False
    chosen = _chosen(ENTRIES, options.names, options.full)
    refuse_other_page(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for entry in chosen:
        record = read_record(entry, folder) if options.missing else None
        if record is None or record.full != options.full:
            record = run_entry(entry, options.full, folder)
        write_page(ENTRIES, folder)  # each time: whoever ends it here has what there is
        said = result(entry, record).replace("*", "")
        print(f"{entry.name}: {said}, {record.seconds:.0f} s", flush=True)
        for band in record.missed(entry):
            missed = True
            print(f"  {band.what}: {band.shown(record.values[band.what])}; expected {band}")
    print(f"{folder}.md has it all")
    return 1 if missed else 0


def _chosen(entries, names: list[str], full: bool) -> list:
    """The entries of these names, or all that have such a form."""
    known = {entry.name: entry for entry in entries}
    for name in names:
        if name not in known:
            raise ValueError(f"there is no experiment {name}{suggest(name, known)}")
        if not known[name].bands(full):
            raise ValueError(f"{name}: has no quick form; give --full")
    return [known[name] for name in names] or [e for e in entries if e.bands(full)]

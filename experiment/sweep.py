"""Many runs from one file: each an ordinary run directory, taken up where it was left.

A sweep's folder has a run directory for each trial, beside it NAME.log with what it has said, if
anything, sweep.yaml (what the sweep is), trials.csv (how its trials have ended) and, once all have,
table.txt, table.csv and sweep.png.
"""

import contextlib
import shlex
from collections import Counter
from pathlib import Path

from lamina.common.counts import check_count
from lamina.common.errors import RunError
from lamina.common.files import opened, unwritable, whole_file
from lamina.common.folder import Folder
from lamina.common.notice import note
from lamina.common.strict_yaml import MAX_BYTES, YamlError, dump, parse
from lamina.experiment.build_trainer import build_run
from lamina.experiment.compare import Comparison
from lamina.experiment.curves import NothingYet
from lamina.experiment.provenance import differences
from lamina.experiment.run_directory import locked
from lamina.experiment.run_names import SWEEP
from lamina.experiment.search import Search
from lamina.experiment.sweep_changes import TrainedOn
from lamina.experiment.sweep_endings import Endings
from lamina.experiment.sweep_file import SweepFile
from lamina.experiment.sweep_picture import plot_sweep
from lamina.experiment.sweep_processes import Listed, Processes
from lamina.experiment.trial import FAILED, FINISHED, PRUNED

PICTURE = "sweep.png"


def sweep(
    path: str | Path, folder: str | Path | None = None, jobs: int = 1, quiet: bool = False
) -> tuple[str, int]:
    """Run the trials of a sweep file that have not ended, `jobs` at a time, in `folder` (default:
    runs/<name of the file>).

    Every combination is built and tried on a batch before any is trained. Returns the table of all
    trials, or how to go on, and the exit status: 0, 2 if a trial could not be run, 128 + n if
    signal n has come. Raises ConfigError for a file that makes no sweep, RunError for the folder of
    another one.
    """
    check_count("jobs", jobs)
    file = SweepFile(path)
    folder = Path(folder) if folder is not None else Path("runs") / Path(path).stem
    _refuse_foreign(folder, file)
    before = TrainedOn(folder)
    lengths, column, higher = _rehearsed(file, before)
    for line in before.changes:
        note(line)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    with locked(folder) as held:
        with whole_file(held / SWEEP) as described:
            described.write(dump(file.described).encode())
        ends = Endings(held)
        for name in [*ends.ended]:
            if not (folder / name / "config.yaml").is_file():  # somebody has removed it
                del ends.ended[name]
        source: Search | Listed
        if file.ranges:
            source = Search(file, folder, ends, max(lengths.values()), column, higher)
        else:
            source = Listed(file.trials, ends, lengths)
        names = [*source.lengths]
        processes = Processes(source, folder, ends, quiet)
        try:
            signal = processes.run(jobs)
        finally:
            processes.close()
        if signal is not None:
            done = sum(name in ends.ended for name in names)
            command = f"lamina sweep {shlex.quote(str(path))} --dir {shlex.quote(str(folder))}"
            said = f"interrupted: {done} of {len(names)} trials have ended"
            return f"{said}; to go on: {command}", 128 + signal
        for name, said in processes.broken.items():
            note(f"{name} could not be run: {said}")
        return _table(names, folder, held, ends), 2 if processes.broken else 0


def _refuse_foreign(folder: Path, file: SweepFile) -> None:
    """Raises RunError if the folder is of another sweep, or of something else."""
    there = folder / SWEEP
    if not there.is_file():
        if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
            raise RunError(f"{folder}: has other things in it than a sweep; choose another --dir")
        return
    try:
        with opened(there) as content:
            before, _ = parse(content.read(MAX_BYTES).decode())
    except (YamlError, UnicodeDecodeError) as error:
        raise RunError(f"{there}: is damaged: {error}") from None
    now, _ = parse(dump(file.described))
    if wrong := differences(before if isinstance(before, dict) else {}, now):
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise RunError(
            f"{folder}: is the folder of another sweep: {'; '.join(wrong[:5])}{more}; choose "
            "another --dir"
        )


def _rehearsed(file: SweepFile, before: TrainedOn) -> tuple[dict[str, int], str, bool]:
    """{trial: its iterations}, the column by which a search chooses, and whether more of it is
    better. Each combination is built and tried on one batch, with one of its seeds: what is refused
    is refused before anything is trained. `before` is shown what each is made of."""
    lengths: dict[str, int] = {}
    for trial in file.trials:
        if trial.combination not in lengths:
            trainer, config = build_run(trial.config, quiet=True)
            before.compare(trainer.dataset, config)
            lengths[trial.combination] = trainer.plan.iterations
            column = f"validation_{trainer.evaluator.counts}"
            if file.ranges and column not in trainer.evaluator.columns:
                raise trial.config.error(
                    ("dataset",),
                    "a search chooses by a validation set, and this has none; set: "
                    "{dataset.validation_share: 0.1}",
                )
    found = {trial.name: lengths[trial.combination] for trial in file.trials}
    return found, column, trainer.evaluator.higher_is_better


def _table(names: list[str], folder: Path, held: Folder, ends: Endings) -> str:
    """The comparison of all trials that have ended, and where it stands."""
    ended = [name for name in names if name in ends.ended]
    counts = Counter(ends.ended[name][0] for name in ended)
    others = "".join(f", {counts[state]} {state}" for state in (FAILED, PRUNED) if counts[state])
    where = f"{counts[FINISHED]} of {len(names)} trials finished{others}, in {folder}"
    if not ended:
        return where
    comparison = Comparison({name: folder / name for name in ended})
    if pruned := [name for name in ended if ends.ended[name][0] == PRUNED]:
        kept = any(comparison.outcomes[name].kept for name in pruned)
        when = "of their best evaluation until they were ended" if kept else "where they were ended"
        where = f"figures of the pruned are those {when}\n{where}"
    text = f"{comparison.text()}\n{where} (table.txt, table.csv, {PICTURE})"
    for name, content in (("table.txt", text), ("table.csv", comparison.csv())):
        with whole_file(held / name) as written:
            written.write(f"{content}\n".encode(errors="backslashreplace"))
    with contextlib.suppress(NothingYet):
        plot_sweep(held / PICTURE, folder)
    return text

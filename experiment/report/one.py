"""One run as a page: what it can, what it gets wrong, what it is, and how to run it again."""

import contextlib
import shlex
from collections.abc import Iterable
from pathlib import Path

from lamina.diagnosis.doctor import diagnose
from lamina.diagnosis.picture import plot_health
from lamina.diagnosis.record import Record, read_record
from lamina.diagnosis.report import report, summary
from lamina.experiment.curves import (
    NothingYet,
    is_share,
    kept_of,
    metrics_of,
    percents,
    read_run,
    shown,
)
from lamina.experiment.evaluation import evaluate
from lamina.experiment.evaluation.classification import confusion, row_names, shown_share
from lamina.experiment.load_run import DataUnknown, Run, RunChanged
from lamina.experiment.outcome import FAILED, NOTHING, read_outcome
from lamina.experiment.plots import MOST_PANELS, plot_curves
from lamina.experiment.provenance import read_provenance
from lamina.experiment.report.page import (
    detailed,
    drawing,
    page,
    paragraph,
    picture,
    square,
    table,
    verbatim,
)
from lamina.nets import Net
from lamina.nets.picture import NetPicture
from lamina.nets.summary import summary_rows
from lamina.training.checkpoint import saved_checkpoints
from lamina.training.described import PROGRAM, is_text_of_object
from lamina.training.provenance import flattened

MOST_CLASSES = 20  # a matrix of more is listed by its largest entries
_PAPER = (700.0, 860.0)  # CSS pixels for the net on a page of paper, with a caption
_PHONE = (330.0, 10_000.0)  # CSS pixels for the net on a phone, where one scrolls down
_TABLES = "The loss of each iteration is in loss.csv, all other figures are in history.csv."


def report_on_run(
    run_dir: str | Path, part: str = "test", code: Iterable[Path] = (), *, changed: bool = False
) -> str:
    """The page of a run, evaluated on a set of its data. Raises as `load_run` does, except for a
    run that has no weights or whose data no configuration can name: the page says so."""
    run_dir = Path(run_dir)
    record = read_record(run_dir)
    findings = diagnose(record)
    said: list[str] = []
    why_not, named = "", True
    try:
        run, said = _opened(run_dir, code, changed)
        net, dataset = run.load()
        evaluation = evaluate(net, dataset, part, run.metrics(dataset.task))
    except DataUnknown as error:
        why_not, named = str(error), False
    except ValueError as error:
        if (run_dir / "weights.npz").exists():
            raise
        why_not = str(error)
    sections = [("Figures", _figures(run_dir, record))]
    with contextlib.suppress(NothingYet):
        sections.append(("Curves", _curves(run_dir)))
    if why_not:
        sections.append(("What it gets wrong", [paragraph(f"Not evaluated: {why_not}")]))
    else:
        sections.append((f"What it gets wrong: {part} set", _evaluated(evaluation)))
        if isinstance(net, Net):
            sections.append(("Net", _net(net, dataset)))
    sections.append(("Diagnosis", _diagnosis(record, findings)))
    configuration = (run_dir / "config.yaml").read_text(encoding="utf-8")
    about = "What the run was made with: the file that was given, and what --set has changed."
    if "seed" not in record.training:
        about = "What the program has made the run with, as far as it can be written down."
    sections.append(("Configuration", [paragraph(about), verbatim(configuration)]))
    sections.append(("Provenance", _provenance(run_dir, record)))
    sections.append(
        ("Run it again", _again(run_dir, record.training, named and record.has_weights))
    )
    first = [paragraph(line) for line in _head(run_dir, record)]
    first.append(
        paragraph(f"The doctor: {summary(record, findings).removeprefix(f'{record.path}: ')}.")
    )
    first += [paragraph(f"Changed since its training: {line}") for line in said]
    return page(run_dir.resolve().name, sections, first)


def _opened(run_dir: Path, code: Iterable[Path], changed: bool) -> tuple[Run, list[str]]:
    """The run, and what has changed since its training, if one goes on regardless."""
    code = list(code)
    if not changed:
        return Run(run_dir, code), []
    try:
        run = Run(run_dir, code)
        _, dataset = run.load()
        run.metrics(dataset.task)
    except RunChanged as error:
        said = str(error).partition(": changed since its training: ")[2]
        return Run(run_dir, code, changed=True), [said.partition(". What is said of it")[0]]
    return run, []


def _head(run_dir: Path, record: Record) -> list[str]:
    """What was learned from what, in a sentence or two."""
    outcome = read_outcome(run_dir)
    facts, task = record.facts, record.facts.get("task", {})
    n = facts.get("samples")
    learned = task.get("task", "").replace("_", " ")
    if task.get("classes"):
        words = task.get("tokens") or ("words" if task["task"] == "language_model" else "classes")
        of = "a vocabulary of " if task["task"] == "language_model" else ""
        learned += f", {of}{task['classes']:,} {words}"
    parts = [f"{learned}." if learned else ""]
    if n:
        several = record.training.get("accumulate", 1)
        each = f", {several} of them in an iteration" if several != 1 else ""
        in_a_pass = facts.get("in_a_pass", n)
        of_them = f", {in_a_pass:,} of them in a pass" if in_a_pass != n else ""
        batches = f"in batches of {facts.get('batch_size')}{each}"
        parts.append(f"{n:,} samples to train on{of_them}, {batches}.")
    whole = f" through {'these' if facts.get('in_a_pass', n) != n else 'the training set'}"
    n, passes = record.iterations, ""
    if (epochs := record.history.get("epoch")) is not None and len(epochs):
        so_far = n * epochs[-1] / record.history["iteration"][-1]  # that was the last evaluation
        passes = f"{so_far:.3g}" if so_far < 100 else f"{so_far:,.0f}"
        passes = f" ({passes} passes{whole})"
    parts.append(f"{n:,} iteration{'s' * (n != 1)}{passes}.")
    if outcome.trouble == FAILED:
        parts.append("It has failed: a NaN or an infinity has ended it.")
    elif outcome.trouble == NOTHING:
        parts.append("It has come to no evaluation.")
    elif not outcome.has_weights:
        parts.append(
            "It has no weights.npz, as a run that is not over, or was killed: its figures are of "
            f"the evaluation at iteration {outcome.iteration:,}, {outcome.which}."
        )
    elif outcome.late:
        parts.append(
            f"It ended between two evaluations: its weights are those of iteration {n:,}, its "
            f"figures those of iteration {outcome.iteration:,}."
        )
    elif outcome.iteration != n:
        parts.append(f"The weights that it keeps are those of iteration {outcome.iteration:,}.")
    if (figure := record.figure) and (guess := figure.guess):
        parts.append(f"Guessing gives {figure.name} {shown(figure.percent, guess)}.")
    said = " ".join(filter(None, parts))
    return [said[:1].upper() + said[1:]]


def _figures(run_dir: Path, record: Record) -> list[str]:
    outcome = read_outcome(run_dir)
    if not outcome.figures:
        why = "a NaN or an infinity has ended the run" if outcome.trouble == FAILED else ""
        return [paragraph(f"None: {why or 'the run has come to no evaluation'}.")]
    names = [*metrics_of(record.history), "loss"]
    parts = [p for p in ("train", "validation", "test") if f"{p}_loss" in outcome.figures]
    rows, said = [], percents([run_dir])
    for name in dict.fromkeys(names):
        values = (outcome.figures.get(f"{part}_{name}") for part in parts)
        percent = is_share(name, said)
        rows.append([name, *("-" if v is None else shown(percent, v) for v in values)])
    counts = f"; {outcome.counts} counts" if outcome.counts else ""
    return [
        table(["", *parts], rows, len(parts)),
        paragraph(f"After iteration {outcome.iteration:,}{counts}. {_TABLES}"),
    ]


def _curves(run_dir: Path) -> list[str]:
    runs, kept = {"run": read_run(run_dir)}, {"run": kept_of(run_dir)}

    def draw(path: Path, width: int) -> None:
        plot_curves(path, runs, "", None, width, kept, percents([run_dir]))

    _, history = runs["run"]
    n = len(metrics_of(history))
    metrics = "each metric" if n <= MOST_PANELS else f"the first {MOST_PANELS} of {n} metrics"
    metrics = metrics if n else "that of each set"
    caption = (
        f"First the loss in training, smoothed over a hundredth of the run; then {metrics}: "
        "dotted on the training set, dashed on the validation set, solid on the test set."
    )
    return [picture(draw, "learning curves", caption)]


def _evaluated(evaluation) -> list[str]:
    task = evaluation.task
    of_classes = task.name == "classification" and evaluation.targets.ndim == 1
    of_classes &= not evaluation.of_words and not evaluation.of_pairs
    if of_classes and len(task.class_names) <= MOST_CLASSES:
        parts = [paragraph(f"{len(evaluation.samples):,} samples: {evaluation.shown}.")]
        if words := evaluation.of_how_many:
            parts.append(paragraph(f"All that follows is {words}."))
        parts += _classes(evaluation)
    else:
        parts = [verbatim(evaluation.report())]

    def draw(path: Path) -> None:
        if (found := evaluation.draw(path.parent)) is not None:
            found.replace(path)

    return [*parts, detailed(draw, "samples of the set, and what the net says of them")]


def _classes(evaluation) -> list[str]:
    """Recall and precision of each class, and who is taken for whom."""
    matrix = confusion(evaluation)
    names = row_names(evaluation.task.class_names)
    of_class = matrix.counts.sum(axis=1) + matrix.unpredicted
    said = matrix.counts.sum(axis=0)
    rows = [
        [name, f"{n:,}", shown_share(right, n), shown_share(right, told)]
        for name, n, right, told in zip(
            names, of_class, matrix.counts.diagonal(), said, strict=True
        )
    ]
    header = ["class", "samples", "found", "right when said"]
    parts = [
        table(header, rows, 3, "Recall: found of its samples. Precision: right of what is said."),
        "<p></p>",
        square(names, matrix.counts, "Confusion: rows are the true classes, columns what it said."),
    ]
    if lost := int(matrix.unpredicted.sum()):
        parts.append(paragraph(f"{lost} samples have scores that are NaN: they are in no column."))
    return parts


def _net(net: Net, dataset) -> list[str]:
    X, _ = dataset.train[:1]
    shapes = [x.shape[1:] for x in (X if isinstance(X, tuple) else (X,))]
    header, *rows, total = summary_rows(net, *shapes)
    drawn, narrow = (NetPicture(net, *shapes, title="Net", room=room) for room in (_PAPER, _PHONE))
    caption = (
        "From the inputs down to the loss; blocks that repeat are drawn once. `lamina draw` has it "
        "for a page, for slides, and with all values and gradients of a batch."
    )
    shown = drawing(drawn.svg, narrow.svg, drawn.description, caption)
    return [table(header, rows, 1), paragraph(total), shown]


def _diagnosis(record: Record, findings: list) -> list[str]:
    parts = [verbatim(report(record, findings))]
    if record.layers:
        caption = (
            "Rows are layers, time runs to the right; grey is not recorded or does not apply. The "
            "green band is the usual size of an update beside its weights."
        )
        parts.append(detailed(lambda path: plot_health(path, record), "health", caption))
    return parts


def _provenance(run_dir: Path, record: Record) -> list[str]:
    known = read_provenance(run_dir)
    rows = []
    if known is None:
        rows.append(["", "no provenance.json: made by an older version, or not begun"])
    else:
        rows += [[str(name), str(said)] for name, said in known["versions"].items()]
        rows += [[f"{name} set", str(said)] for name, said in known["sets"].items()]
    training = record.training
    for key in ("seed", "shards", "threads"):
        rows.append(
            [key, str(training.get(key, "as the machine has" if key == "threads" else "-"))]
        )
    about = (
        "Versions of what the figures depend on, digests of own code, and for each set shape, type "
        "and checksum of inputs and targets."
    )
    return [paragraph(about), table(["", ""], rows, wrapped=True)]


def _again(run_dir: Path, training: dict, can_be_read: bool) -> list[str]:
    config = shlex.quote(str(run_dir / "config.yaml"))
    run = shlex.quote(str(run_dir))
    evaluate = [f"lamina evaluate {run}"] if can_be_read else []
    if "seed" in training:
        commands, about = [f"lamina train --config {config}"], "The first trains it from the start."
        if saved_checkpoints(run_dir):
            commands.append(f"lamina train --resume {run} --verify")
            about += " The second trains its last stretch again and compares the bits."
        if commands[1:] or evaluate:
            about += " Code of one's own must be named for all but the first: --code FILE.py."
        return [verbatim("\n".join([*commands, *evaluate])), paragraph(about)]
    about = (
        "A program has made this run, and nothing but that program makes it again: no "
        "configuration has the generator and the weights that it began with"
    )
    objects = [
        ".".join(map(str, place))
        for place, value in flattened(training)
        if place[0] != PROGRAM
        and any(map(is_text_of_object, value if isinstance(value, list) else [value]))
    ]
    more = "".join(f", nor its {name}" for name in objects)
    parts = [paragraph(f"{about}{more}.")]
    return [verbatim(evaluate[0]), *parts] if evaluate else parts

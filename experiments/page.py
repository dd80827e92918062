"""The ledger as a page of Markdown: what was expected, what came, in the band or missed."""

from collections.abc import Iterable
from pathlib import Path

from lamina.common.files import whole_file
from lamina.experiments.entry import Band, Entry
from lamina.experiments.record import Record, read_record

_TITLE = "# The ledger of experiments\n"
_HEAD = """\
What the book (*Deep Learning from Scratch*, volume 1), the lecture notes and the table of
configurations (docs/configs.md) say, tried again: each experiment with the figures that are
expected of it, which were fixed before it was run, with what came, and its picture. This page is
written by

```sh
lamina experiments --full -o docs/experiments
```

which takes about {minutes} minutes on one thread of an idle core. The quick form is on digits that
are drawn, without a download; all of it takes two minutes, and it is a part of the whole check,
`.ci/run`:

```sh
lamina experiments -o runs/experiments
```

Names run single ones, `--missing` those that have not been run yet, and `--list` says how long each
of them takes. The exit status is 1 if a band was missed. Times that are expected are ratios, in
wide bands; the seconds of a run are by the clock, whatever else the machine had to do.
"""


def refuse_other_page(folder: Path) -> None:
    """Raises ValueError if FOLDER.md is there and is no page of this command, or cannot be."""
    if not folder.name or folder.name == "..":
        raise ValueError(
            f"-o {folder}: expects a folder with a name, after which its page is named"
        )
    page = folder.with_name(f"{folder.name}.md")
    if page.exists() and not page.read_text(encoding="utf-8", errors="replace").startswith(_TITLE):
        raise ValueError(
            f"-o {folder}: would write over {page}, which is no page of this command; "
            "give another folder"
        )


def write_page(entries: Iterable[Entry], folder: Path) -> None:
    """Write FOLDER.md from the records in FOLDER."""
    text = page([(entry, read_record(entry, folder)) for entry in entries], folder.name)
    with whole_file(folder.with_name(f"{folder.name}.md")) as file:
        file.write(text.encode())


def page(rows: list[tuple[Entry, Record | None]], pictures: str) -> str:
    """The page; `pictures` is the folder that they are in, beside it."""
    minutes = round(sum(entry.minutes for entry, _ in rows))
    head = _HEAD.format(minutes=minutes)
    lines = [_TITLE, head, "| experiment | source | result |", "| --- | --- | --- |"]
    for entry, record in rows:
        lines.append(
            f"| [{entry.title}](#{_anchor(entry.title)}) | {entry.source} | "
            f"{result(entry, record)} |"
        )
    texts = ["", *(entry.text for entry, _ in rows)]
    parts = [
        # A text that the one before has too is not said again.
        _part(entry, record, pictures, entry.text * (entry.text != before))
        for (entry, record), before in zip(rows, texts, strict=False)
    ]
    return "\n".join([*lines, "", "\n\n".join(parts), ""])


def result(entry: Entry, record: Record | None) -> str:
    """In a few words, how it has ended."""
    if record is None:
        return "not run yet"
    missed, n = len(record.missed(entry)), len(entry.bands(record.full))
    return f"**{missed} of {n} MISSED**" if missed else f"{n} of {n} in band"


def _part(entry: Entry, record: Record | None, pictures: str, text: str) -> str:
    lines = [f"## {entry.title}", "", f"`{entry.name}`: {entry.source}.", ""]
    lines += [text, ""] if text else []
    if record is None:
        return "\n".join([*lines, f"Not run yet: it takes {_minutes(entry.minutes)}."])
    lines += ["| figure | expected | got | |", "| --- | --- | --- | --- |"]
    lines += [_row(b, record.values[b.what]) for b in entry.bands(record.full)]
    form = "full form" if record.full else "quick form"
    software = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    lines += ["", entry.remark] if entry.remark and record.full else []
    lines += [
        *("", f"![{entry.title}]({pictures}/{entry.name}.png)"),
        *("", f"{record.date}, {form}, {record.seconds:,.0f} s; {software}."),
    ]
    return "\n".join(lines)


def _row(band: Band, value: float) -> str:
    why = f" ({band.why})" if band.why else ""
    said = "in band" if band.holds(value) else "**MISSED**"
    return f"| {band.what} | {band}{why} | {band.shown(value)} | {said} |"


def in_words(entries: Iterable[Entry]) -> list[list[str]]:
    """Rows of a table: name, how long the full form takes, source."""
    return [[entry.name, _minutes(entry.minutes), entry.source] for entry in entries]


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes >= 1 else f"{60 * minutes:.0f} s"


def _anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = (c for c in title.lower() if c.isalnum() or c in " -_")
    return "".join(kept).replace(" ", "-")

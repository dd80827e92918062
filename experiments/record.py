"""What is kept of an experiment that has been run: a picture, and its figures in a JSON file."""

import dataclasses
import datetime
import json
import time
from pathlib import Path

from lamina import __version__
from lamina.common.figures import save_png
from lamina.common.files import write_json
from lamina.experiments.entry import Band, Entry
from lamina.experiments.figures import DPI
from lamina.training.provenance import versions


@dataclasses.dataclass(frozen=True)
class Record:
    """The figures of one entry in one of its forms, with the day, the seconds and the software."""

    full: bool
    values: dict[str, float]
    date: str
    seconds: float
    versions: dict[str, str]

    def missed(self, entry: Entry) -> list[Band]:
        """The bands that it is not in."""
        return [b for b in entry.bands(self.full) if not b.holds(self.values[b.what])]


def run_entry(entry: Entry, full: bool, folder: Path) -> Record:
    """Run an experiment, and leave its picture and its record in the folder."""
    start = time.perf_counter()
    found = entry.run(full)
    seconds = time.perf_counter() - start
    wanted = {band.what for band in entry.bands(full)}
    if wanted != found.values.keys():
        raise RuntimeError(f"{entry.name}: gives {sorted(found.values)}, expects {sorted(wanted)}")
    values = {what: float(value) for what, value in found.values.items()}
    software = {"Lamina": __version__, **versions()}
    today = datetime.date.today().isoformat()
    record = Record(full, values, today, round(seconds, 1), software)
    save_png(folder / f"{entry.name}.png", found.figure, DPI)
    write_json(folder / f"{entry.name}.json", dataclasses.asdict(record))
    return record


def read_record(entry: Entry, folder: Path) -> Record | None:
    """The record of an entry; None if there is none, or none of the entry as it is now."""
    try:
        record = Record(**json.loads((folder / f"{entry.name}.json").read_text(encoding="utf-8")))
        of_bands = record.values.keys() == {band.what for band in entry.bands(record.full)}
        are_numbers = all(isinstance(value, float) for value in record.values.values())
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return None
    return record if of_bands and are_numbers else None

"""How the trials of a sweep have ended: trials.csv, whole after every trial."""

import csv
import io
from pathlib import Path

from lamina.common.errors import RunError
from lamina.common.files import opened, whole_file
from lamina.common.folder import Folder, placed
from lamina.common.text_table import as_csv

FILE = "trials.csv"
HEADER = ["trial", "state", "said"]


class Endings:
    """{name: (state, what is said of it)} in a sweep's folder, read when it is made. Raises
    RunError if the file is damaged."""

    def __init__(self, folder: str | Path | Folder):
        self._path = placed(folder) / FILE
        self.ended: dict[str, tuple[str, str]] = {}
        if self._path.is_file():
            self._read()

    def note(self, name: str, state: str, said: str) -> None:
        """Write how a trial has ended; the file is the old one or the new one, whatever happens."""
        self.ended[name] = state, said
        rows = [[name, state, " ".join(said.split())] for name, (state, said) in self.ended.items()]
        with whole_file(self._path) as file:
            file.write(f"{as_csv(HEADER, rows)}\n".encode())

    def _read(self) -> None:
        try:
            with opened(self._path, "r", encoding="utf-8") as file:
                header, *rows = list(csv.reader(io.StringIO(file.read()))) or [[]]
            if header != HEADER:
                raise ValueError
            self.ended = {name: (state, said) for name, state, said in rows}
        except (ValueError, csv.Error):
            raise RunError(
                f"{self._path}: is damaged; without it every trial is taken up, and ends as it did"
            ) from None

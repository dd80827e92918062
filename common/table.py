"""CSV files that grow while a run goes on, and lose nothing but their last line if it is killed."""

import contextlib
import csv
import io
import os
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.files import no_link, opened, unwritable
from lamina.common.folder import File, placed


class Table:
    """A CSV file whose rows begin with an iteration. One that is there already is continued after
    its last row of an iteration up to `upto`; what comes after is cut off.

    Rows are collected until `flush` appends them to the file at once. A write that fails is taken
    back, so that only a crash can leave a line cut off, the last; `read_table` passes it over.
    Raises RunError if the file is there with another header, and OSError if a link stands in its
    place, or another file than before: a run holds on to its files, not to their names.
    """

    def __init__(self, path: str | Path | File, header: tuple, upto: int = 0):
        self.path, self._text = (path := placed(path)), io.StringIO()
        self.write = csv.writer(self._text, lineterminator="\n").writerow
        try:
            with self._open(os.O_CREAT) as file:
                kept = _whole_rows(path, header, upto)
                os.truncate(file.fileno(), kept)
                self._file = _identity(file)
        except OSError as error:
            raise unwritable(path, error) from error
        if not kept:
            self.write(header)
            self.flush()

    def flush(self, sync: bool = False) -> None:
        """Append what has been collected; with `sync`, return only when it is on the disk. Raises
        OSError naming the file, and keeps the rows for the next flush, if there is no room."""
        rows = self._text.getvalue().encode()
        try:
            with self._open() as file:
                if _identity(file) != self._file:
                    raise OSError(f"{self.path}: is another file than this run's; {_MOVED}")
                end = file.tell()
                try:
                    _write_all(file, rows)
                    if sync:
                        os.fsync(file.fileno())
                except OSError:
                    with contextlib.suppress(OSError):
                        file.truncate(end)
                    raise
        except FileNotFoundError:
            raise FileNotFoundError(f"{self.path}: was removed, or moved; {_MOVED}") from None
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._text.seek(0)
        self._text.truncate()

    def _open(self, made: int = 0):
        """To append; the file is only made if that is asked for."""
        return open(
            self.path,
            "ab",
            buffering=0,
            opener=lambda _, flags: no_link(self.path, flags & ~os.O_CREAT | made),
        )


_MOVED = (
    "was the run directory moved while the run went on? Go on from where it lies now: --resume RUN"
)


def _identity(file) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino


def _write_all(file, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _whole_rows(path, header: tuple, upto: int) -> int:
    """How many bytes are to stay: the header and whole rows of iterations up to that one."""
    with opened(path) as file:
        *lines, rest = file.read().split(b"\n")  # only there: a name may hold other line ends
    first, *lines = [*(line + b"\n" for line in lines), *([rest] if rest else [])] or [b""]
    whole = (",".join(header) + "\n").encode()
    if whole.startswith(first) and first != whole:  # a crash came before the header was whole
        return 0
    if first != whole:
        got = first[:200].decode(errors="replace").strip()
        raise RunError(f"{path}: expects the header {','.join(header)}, got {got!r}")
    end = len(first)
    for line in lines:
        number = line.partition(b",")[0]
        short = len(number) < 20 and number.isdigit()
        if not (line.endswith(b"\n") and short and int(number) <= upto):
            break
        end += len(line)
    return end


def read_table(path: str | Path | File) -> dict[str, np.ndarray]:
    """A CSV file of a run as columns of floats; an empty cell is NaN. Raises what `read_rows` does,
    and RunError naming the file if it has no header, and the line of what is no number."""
    header, rows = read_rows(path)
    if not header:
        raise RunError(f"{path}: has no header")
    columns: list[list[float]] = [[] for _ in header]
    for line, row in enumerate(rows, start=2):
        for column, cell in zip(columns, row, strict=True):
            try:
                column.append(float(cell or "nan"))
            except ValueError:
                raise RunError(f"{path}, line {line}: expects a number, got {cell!r}") from None
    return {name: np.array(column) for name, column in zip(header, columns, strict=True)}


def read_rows(path: str | Path | File) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV file of a run, [] if it is empty. A last line that was cut off is
    left out. Raises RunError naming the file, and the line of a row of another length."""
    try:
        with opened(path, "r", encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        raise RunError(f"{path}: is not a text file") from None
    except FileNotFoundError:
        raise RunError(f"{path}: is missing") from None
    lines = csv.reader(io.StringIO(text[: text.rfind("\n") + 1], newline="\n"))
    try:
        header, *rows = list(lines) or [[]]
    except csv.Error as error:  # a cell over 131,072 characters, or no CSV at all
        raise RunError(f"{path}, line {lines.line_num}: is damaged ({error})") from None
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise RunError(f"{path}, line {line}: expects {len(header)} cells, got {len(row)}")
    return header, rows

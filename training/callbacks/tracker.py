"""The contract of a tracker: a callback that tells another program's log of a run."""

import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from lamina.common.errors import RunError
from lamina.common.files import opened, write_json
from lamina.common.notice import note
from lamina.common.strict_yaml import MAX_BYTES, parse
from lamina.common.table import read_table
from lamina.training.callbacks.base import Callback

FILE = "trackers.json"  # in the run directory: what each tracker knows of its log
_LARGEST = 1 << 20  # bytes that are read of it
FINISHED, INTERRUPTED, FAILED = "finished", "interrupted", "failed"


class Tracker(Callback):
    """Writes each row of history.csv into a log, once, however often its run is taken up.

    A tracker of one's own overrides `log`, and `begin` and `end` as needed. `folder` is the run
    directory, `kept` a dict of plain data that lies in trackers.json there, such as the name of
    the run in the log; in it `logged` is the last iteration that the log has. Rows that history.csv
    has and the log has not, when a run goes on, are logged first. Whatever fails (a full disk, a
    store that is gone) is said in one line, nothing more is logged, and the training goes on.
    Raises ValueError, when a run begins, if it has no run directory.
    """

    folder: Path
    kept: dict

    def begin(self, configuration: dict) -> None:
        """The run begins, or goes on; `configuration` is that of its config.yaml, plain data. A log
        that can be read says itself what it has: `self.kept["logged"] = iteration`."""

    def log(self, row: dict[str, float]) -> None:
        """A row of history.csv that the log does not have: `iteration`, `loss`, `lr`, ..."""
        raise NotImplementedError

    def end(self, how: str) -> None:
        """The run is FINISHED, INTERRUPTED or FAILED; it may go on later all the same."""

    # What a trainer calls

    def started(self, trainer) -> None:
        name = type(self).__name__
        if trainer.run_dir is None:
            raise ValueError(f"{name}: needs a run to have a directory; give it a run_dir")
        same = [c for c in trainer.callbacks if type(c).__name__ == name]
        self._name = f"{name}{same.index(self)}"
        self._place, self._works = trainer.files.folder / FILE, True
        self._before = sys.exc_info()[1]  # of a program that runs this where it handles an error
        with _Failing(self, "nothing is logged"):
            folder = trainer.files.folder
            self.folder = folder.now() if hasattr(folder, "now") else Path(folder)
            self.kept = {"logged": 0, **_read(self._place).get(self._name, {})}
            self.begin(_configuration(folder / "config.yaml"))
            for row in _rows(folder / "history.csv"):
                if row["iteration"] > self.kept["logged"]:
                    self._log(row)
            self._remember()

    def evaluated(self, trainer, row: dict) -> None:
        if not self._works or row["iteration"] <= self.kept["logged"]:
            return
        with _Failing(self, f"nothing is logged from iteration {row['iteration']} on"):
            self._log(row)
            self._remember()

    def finished(self, trainer) -> None:
        if not self._works:
            return
        how = INTERRUPTED if trainer.interrupted else FINISHED
        how = how if sys.exc_info()[1] is self._before else FAILED
        with _Failing(self, "its log may lack the end"):
            self.end(how)

    def _log(self, row: dict) -> None:
        self.log(row)
        self.kept["logged"] = row["iteration"]

    def _remember(self) -> None:
        write_json(self._place, _read(self._place) | {self._name: self.kept})


class _Failing:
    """What goes wrong inside is said in a line, and the end of the tracker, not of the run. What
    libraries warn their own authors of is not said."""

    def __init__(self, tracker: Tracker, so: str):
        self.tracker, self.so = tracker, so

    def __enter__(self) -> None:
        self.quiet = warnings.catch_warnings(action="ignore")
        self.quiet.__enter__()

    def __exit__(self, kind, error, trace) -> bool:
        self.quiet.__exit__(kind, error, trace)
        if not isinstance(error, Exception):
            return False
        self.tracker._works = False
        said = " ".join(str(error).split())[:300] or kind.__name__
        told = said if isinstance(error, OSError) else f"{kind.__name__}: {said}"
        note(f"{type(self.tracker).__name__}: {told}; {self.so}, the training goes on")
        return True


def own_folder(run_dir: Path, name: str) -> Path:
    """The folder of a log in a run directory, made if need be. Raises OSError for a link: what is
    written or cut off there would lie elsewhere."""
    folder = run_dir / name
    if folder.is_symlink():
        raise OSError(f"{folder}: is a link; a log lies in its run directory")
    folder.mkdir(exist_ok=True)
    return folder


def settings(data, place: tuple = ()) -> dict[str, object]:
    """{"optimizer.lr": 0.1, ...}: the values of a configuration by their dotted keys."""
    if isinstance(data, dict):
        inner = list(data.items())
    elif isinstance(data, list) and any(isinstance(value, (dict, list)) for value in data):
        inner = list(enumerate(data))
    else:
        return {".".join(map(str, place)): data}
    return {k: v for key, value in inner for k, v in settings(value, (*place, key)).items()}


def _configuration(path) -> dict:
    with opened(path) as file:
        return parse(file.read(MAX_BYTES).decode())[0]


def _rows(path) -> Iterator[dict[str, float]]:
    """The rows of history.csv, up to where the run goes on."""
    table = read_table(path)
    for values in zip(*(column.tolist() for column in table.values()), strict=True):
        row = dict(zip(table, values, strict=True))
        yield {**row, "iteration": int(row["iteration"])}


def _read(path) -> dict[str, dict]:
    if not path.exists():
        return {}
    try:
        with opened(path) as file:
            found = json.loads(file.read(_LARGEST))
        if not all(isinstance(kept["logged"], int) for kept in found.values()):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RunError(f"{path}: is damaged; without it the logs of this run begin anew") from None
    return found

"""The images of an LMDB database of Caffe as rows, read when they are asked for (extra `lmdb`)."""

import os
import weakref
import zlib
from pathlib import Path

import numpy as np

from lamina.common.extras import missing
from lamina.datasets.datum import Datum, DatumError, read_datum
from lamina.datasets.rows import DataError, StoredRows


class LMDBRows(StoredRows):
    """The images (N, C, H, W) of a database in the order of its keys, uint8 or float32, and their
    `labels` (N,). Rows are taken as those of FileRows.

    Every Datum is looked at once, when it is opened, without its image; only the keys stay in
    memory. Raises ValueError naming the database, and the key, for what is not there, no database,
    or empty; for what is no Datum, is encoded, or has another shape or type than the first.
    """

    def __init__(self, path: Path):
        self._database = _opened(path)
        self.path = self._database.path
        keys, labels, first = [], [], None
        with self._database.reading() as reading:
            for key, value in reading.cursor():
                key = bytes(key)
                try:
                    datum = read_datum(value)
                except DatumError as error:
                    raise ValueError(f"{self.path}: {_shown(key)} {error}") from None
                kind = datum.dtype, datum.shape
                first = first or kind
                if kind != first:
                    raise ValueError(
                        f"{self.path}: {_shown(key)} is an image {datum.shape} of {datum.dtype}, "
                        f"those before it are {first[1]} of {first[0]}; expects one kind"
                    )
                keys.append(key)
                labels.append(datum.label)
                del datum, value  # they lie in the database, which closes
        if first is None:
            raise ValueError(f"{self.path}: is empty")
        self._keys, self.labels = keys, np.array(labels, np.int64)
        self._kind = first
        self._is((len(keys), *first[1]), first[0])

    def take(self, rows, axis: int = 0) -> np.ndarray:
        """The images of these rows, in their order."""
        rows = np.asarray(rows, np.intp)
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        with self._database.reading() as reading:
            for i, row in enumerate(rows.tolist()):
                out[i] = self._datum(reading, self._keys[row]).array()
        return out

    def hold(self, rows) -> None:
        """Nothing: the system keeps the pages that are read."""

    def checksum(self) -> int:
        """The CRC-32 of all images."""
        crc = 0
        for i in range(len(self)):
            crc = zlib.crc32(self[i : i + 1].data, crc)
        return crc

    def _datum(self, reading, key: bytes) -> Datum:
        value = reading.get(key)
        try:
            datum = None if value is None else read_datum(value)
        except DatumError:
            datum = None
        if datum is None or (datum.dtype, datum.shape) != self._kind:
            raise DataError(
                f"{self.path}: {_shown(key)} is not what it was; put it back, or begin anew"
            )
        return datum


def _shown(key: bytes) -> str:
    return f"the entry {key.decode('utf-8', 'replace')!r:.60}"


class _Database:
    """A database that is open for reading, without its lock file."""

    def __init__(self, path: Path):
        self.path = path
        self._open()

    def _open(self) -> None:
        try:
            import lmdb
        except ImportError:
            raise ValueError(missing("lmdb", "lmdb", f"{self.path}:")) from None
        try:
            # Its pages are mapped: one that is missing would end the process without a word.
            env = lmdb.open(str(self.path), readonly=True, lock=False, create=False)
            needed = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
        except lmdb.Error as error:
            raise ValueError(
                f"{self.path}: is no LMDB database that can be read ({error})"
            ) from None
        if (there := (self.path / "data.mdb").stat().st_size) < needed:
            env.close()
            raise ValueError(f"{self.path}: is cut off: {there} bytes of {needed}")
        self._env, self._process = env, os.getpid()

    def reading(self):
        if self._process != os.getpid():  # a mapping of another process is not ours to use
            self._open()
        return self._env.begin(buffers=True)


# A process may open a database once only.
_open_ones: weakref.WeakValueDictionary[str, _Database] = weakref.WeakValueDictionary()


def _opened(path: Path) -> _Database:
    path = Path(path)
    folder = path.parent if path.name == "data.mdb" else path
    if not (folder / "data.mdb").is_file():
        raise ValueError(f"{folder}: is no LMDB database: no folder with a file data.mdb")
    key = str(folder.resolve())
    database = _open_ones.get(key)
    if database is None:
        database = _open_ones[key] = _Database(folder)
    return database

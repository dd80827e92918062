""".npy files of a data set: rows, or one error that names the file."""

import io

import guard

with guard.instrumented("datasets"):
    import numpy as np

    from lamina.common.npz import NpzError
    from lamina.datasets import DataError, FileRows


def read(path):
    """The first, the last and all rows."""
    rows = FileRows([path])
    rows.take(np.array([len(rows) - 1, 0]))
    return rows[:], rows.checksum()


def seeds() -> list[bytes]:
    """A byte, 1 for a header without its magic number and length, then the file."""
    arrays = [np.arange(6, dtype=">i2").reshape(2, 3), np.eye(2).T, np.zeros(7, bool)]
    arrays += [np.zeros((3, 2, 2), np.float32), np.asfortranarray(np.ones((2, 3))), np.array("x")]
    found = []
    for array in arrays:
        stream = io.BytesIO()
        np.save(stream, array)
        found += [b"\0" + stream.getvalue(), b"\1" + stream.getvalue()[10:]]
    found.append(found[4][:-1] + b"\7")  # no boolean
    return found


def one_input(data: bytes) -> None:
    content = data[1:]
    if data[:1] == b"\1":
        length = len(content.partition(b"\n")[0]) + 1
        content = b"\x93NUMPY\1\0" + (length & 0xFFFF).to_bytes(2, "little") + content
    path = guard.file("x.npy", content)
    guard.check(read, path, (NpzError, ValueError, DataError), 20 * len(content) + guard.SLACK)


if __name__ == "__main__":
    guard.fuzz(one_input, seeds())

"""IDX files, plain and packed: an array of the declared size, or one IdxError."""

import contextlib
import io
import math
import struct

import guard

with guard.instrumented("datasets", "gzip", "_compression"):
    import gzip

    import numpy as np

    from lamina.datasets.idx import IdxError, read_idx, write_idx


def seeds() -> list[bytes]:
    """A byte that says how the rest is meant (see `one_input`), then a file."""
    found = []
    for dtype in ("u1", "i1", ">i2", ">i4", ">f4", ">f8"):
        stream = io.BytesIO()
        write_idx(stream, np.arange(24).reshape(2, 3, 4).astype(dtype))
        plain = stream.getvalue()
        found += [b"\0" + plain, b"\1" + gzip.compress(plain, mtime=0), b"\2" + plain]
    found.append(b"\1" + gzip.compress(b"\0\0\x08\1" + struct.pack(">I", 1 << 21) + bytes(1 << 21)))
    return found


def one_input(data: bytes) -> None:
    way, content = data[:1], data[1:]
    if way and way[0] % 3 == 2:  # packed by us, so that what is inside is reached
        content = gzip.compress(content, 1)
    packed = bool(way) and way[0] % 3 > 0
    path = guard.file("images.gz" if packed else "images", content)
    declared = min(_declared(path), len(content) * (1032 if packed else 1))
    array = guard.check(read_idx, path, (IdxError,), 2 * declared + guard.SLACK)
    if array is not None:
        assert array.nbytes == declared
        guard.check(lambda path: read_idx(path, (2, 3, 4)), path, (IdxError,), guard.SLACK)


def _declared(path) -> int:
    """Bytes of the array that the header speaks of."""
    with contextlib.suppress(Exception), (gzip.open if path.suffix else open)(path, "rb") as stream:
        magic = stream.read(4)
        size = {8: 1, 9: 1, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8}[magic[2]]
        return size * math.prod(struct.unpack(f">{magic[3]}I", stream.read(4 * magic[3])))
    return 0


if __name__ == "__main__":
    guard.fuzz(one_input, seeds())

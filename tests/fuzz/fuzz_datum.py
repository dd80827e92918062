"""The Datum of Caffe's databases: an image of the size that it says, or one DatumError."""

import guard

with guard.instrumented("datasets"):
    import numpy as np

    from lamina.datasets.datum import DatumError, read_datum

_SIZES = b"\x08\x02\x10\x03\x18\x02"  # 2 x 3 x 2


def seeds() -> list[bytes]:
    floats = np.arange(12, dtype="<f4")
    single = b"".join(b"\x35" + number.tobytes() for number in floats)
    return [
        _SIZES + b"\x22\x0c" + bytes(range(12)) + b"\x28\x07",
        _SIZES + b"\x32\x30" + floats.tobytes() + b"\x28" + b"\xff" * 9 + b"\x01",
        _SIZES + single + b"\x38\x00",
        _SIZES + b"\x22\x0c" + bytes(12) + b"\x38\x01\x41" + bytes(8),
    ]


def read(path) -> np.ndarray:
    """As a database is read, which says where the Datum stands."""
    try:
        return read_datum(path.read_bytes()).array()
    except DatumError as error:
        raise ValueError(f"{path}: {error}") from None


def one_input(data: bytes) -> None:
    array = guard.check(read, guard.file("datum", data), (ValueError,), guard.SLACK)
    if array is not None:
        assert array.ndim == 3
        assert 0 < array.nbytes <= len(data)


if __name__ == "__main__":
    guard.fuzz(one_input, seeds())

"""Drawn digits in .npy files, as many as the disk holds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lamina.common.counts import check_count
from lamina.common.files import whole_file
from lamina.datasets.drawn_digits import draw_digits

_CHUNK = 10_000  # digits drawn at a time


def write_digits(
    inputs: str | Path,
    targets: str | Path,
    n: int,
    seed: int = 0,
    told: Callable[[int], None] = lambda drawn: None,
) -> None:
    """Draw n digits into two .npy files: images (n, 1, 28, 28) and what they are (n,), both uint8.

    They are drawn and written a chunk at a time, each from its own stream of the seed; `told` gets
    how many there are so far. The files get their names when both are whole. Raises ValueError for
    numbers that cannot be, OSError for a file that is there already or cannot be written.
    """
    check_count("n", n)
    check_count("seed", seed, 0)
    for path in (Path(inputs), Path(targets)):
        if path.exists():
            raise FileExistsError(f"{path}: is there already; move it away")
    with whole_file(inputs) as images, whole_file(targets) as digits:
        _write_header(images, (n, 1, 28, 28))
        _write_header(digits, (n,))
        for start in range(0, n, _CHUNK):
            rng = np.random.default_rng([seed, start // _CHUNK, *b"digit files"])
            X, t = draw_digits(min(_CHUNK, n - start), rng)
            images.write(X)
            digits.write(t)
            told(start + len(t))


def _write_header(file, shape: tuple[int, ...]) -> None:
    """Of an .npy file of bytes, in C order."""
    said = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, said)

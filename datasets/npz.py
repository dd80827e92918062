"""The .npz format: arrays by name in a zip archive, never pickle."""

import io
from pathlib import Path

import numpy as np

from datasets.files import whole_file


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays by name; the file gets its name only when it is whole.

    It is put together in memory: zipfile, on a full disk, would raise a second time while it is
    cleaned up. Raises OSError naming the file if it cannot be written.
    """
    content = io.BytesIO()
    np.savez(content, **arrays)
    with whole_file(path) as file:
        file.write(content.getbuffer())

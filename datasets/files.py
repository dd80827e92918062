"""Files that get their final name only when they are whole."""

import contextlib
import os
import tempfile
from pathlib import Path


@contextlib.contextmanager
def whole_file(path: Path):
    """A binary file to write, that becomes `path` at the end of the block, or never.

    Temporary file in the same folder, flush, fsync, rename: a crash leaves the old file or the
    new one.
    """
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            file.close()
            temporary.unlink()
            raise
    try:
        temporary.chmod(0o644)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink()
        raise

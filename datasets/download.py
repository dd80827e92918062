"""Files from the web: several mirrors, a check of the content, and never half a file.

A file gets its final name only when it is whole and its content has the expected SHA-256. The sum
is taken over the *decompressed* content, so a mirror that compressed the file again is good and
one that changed a byte is not.
"""

import gzip
import hashlib
import os
import sys
import tempfile
import time
import zlib
from pathlib import Path

TIMEOUT_S = (5.0, 20.0)  # to connect; between two pieces of the answer
ATTEMPTS = 3
BACK_OFF_S = 0.5  # before the second attempt; doubled before each further one
_CHUNK = 1 << 16


class DownloadError(OSError):
    """No mirror gave the file."""


def data_home() -> Path:
    """Where data sets are kept: $LAMINA_DATA, or ~/.cache/lamina."""
    return Path(os.environ.get("LAMINA_DATA") or Path.home() / ".cache" / "lamina")


def fetch(path: Path, urls: list[str], sha256: str, size: int) -> Path:
    """Make sure that `path` exists: the gzip file whose `size` bytes of content have that sum.

    A file that is there is taken as it is. Otherwise the urls are tried in order, each up to
    ATTEMPTS times when the failure may pass (no connection, time-out, server error, broken off).
    Two processes may fetch the same file at once: each writes a temporary file of its own.
    Raises DownloadError with what every mirror said, and where to put the file by hand.
    """
    if path.exists():
        return path
    import requests  # late: a run whose data are in place needs no network code
    import urllib3

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(
            f"cannot make the data folder {path.parent}: {error.strerror}; "
            "set LAMINA_DATA to a folder that can be written"
        ) from None
    failures = []
    with requests.Session() as session:
        for url in urls:
            for attempt in range(ATTEMPTS):
                if attempt:
                    time.sleep(BACK_OFF_S * 2 ** (attempt - 1))
                try:
                    return _fetch_one(session, url, path, sha256, size)
                except _Refused as error:
                    failures.append(f"  {url}: {error}")
                    break  # asking again would give the same answer
                except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                    failure = f"  {url}: {_short(error)}"
            else:
                failures.append(f"{failure} ({ATTEMPTS} attempts)")
    raise DownloadError(
        f"{path.name} could not be downloaded:\n" + "\n".join(failures) + "\n"
        f"Download it by other means and put it at {path}"
    )


class _Refused(Exception):
    """A failure that another attempt would not mend."""


def _fetch_one(session, url: str, path: Path, sha256: str, size: int) -> Path:
    with session.get(url, stream=True, timeout=TIMEOUT_S) as answer:
        if 400 <= answer.status_code < 500:
            raise _Refused(f"HTTP {answer.status_code} {answer.reason}")
        if answer.status_code != 200:
            raise OSError(f"HTTP {answer.status_code} {answer.reason}")
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                _copy(answer, file, path.name)
                file.flush()
                os.fsync(file.fileno())
            _verify(temporary, sha256, size)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    return path


def _copy(answer, file, name: str) -> None:
    from tqdm import tqdm

    total = int(answer.headers.get("Content-Length") or 0) or None
    with tqdm(total=total, desc=name, unit="B", unit_scale=True, file=sys.stderr) as bar:
        # `raw` gives the bytes as they are: with iter_content a server that labels the file
        # "Content-Encoding: gzip" would have it unpacked on the way.
        while piece := answer.raw.read(_CHUNK, decode_content=False):
            file.write(piece)
            bar.update(len(piece))
    if total and file.tell() != total:
        raise OSError(f"broken off after {file.tell()} of {total} bytes")


def _verify(temporary: str, sha256: str, size: int) -> None:
    total, digest = 0, hashlib.sha256()
    try:
        with gzip.open(temporary, "rb") as content:
            while piece := content.read(_CHUNK):
                total += len(piece)
                if total > size:  # a decompression bomb stops here
                    raise _Refused(f"the content is longer than {size} bytes: a wrong file")
                digest.update(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise _Refused(f"not a whole gzip file ({error})") from None
    if digest.hexdigest() != sha256:
        raise _Refused("the content has a wrong SHA-256: a wrong or changed file")


def _short(error: Exception) -> str:
    """An error of requests in a few words: the cause at the bottom of its chain."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    text = str(reason or error).split(">: ")[-1].split("): ")[-1]
    return f"{type(error).__name__}: {text}"

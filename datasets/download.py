"""Files from the web: several mirrors, a check of the content, and never half a file.

A file gets its final name only when it is whole and has passed its verification. Where the sum of
the *decompressed* content is known, a mirror that compressed the file again is good and one that
changed a byte is not.
"""

import contextlib
import glob
import gzip
import hashlib
import os
import time
import urllib.parse
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from lamina.common.files import PART, whole_file
from lamina.common.notice import Bar

TIMEOUT_S = (5.0, 20.0)  # to connect; between two pieces of the answer
SLOWEST, SLOW_S = 1 << 10, 60.0  # bytes a second, on the whole, once so many have passed
ATTEMPTS = 3
BACK_OFF_S = 0.5  # before the second attempt; doubled before each further one
MAX_REDIRECTS = 5
MAX_BYTES = 1 << 30  # of a file whose size the data set does not know
_CHUNK = 1 << 16
_LEFT_S = 3600.0  # a part that nobody has written to for so long is no download that goes on


class DownloadError(OSError):
    """No mirror gave the file."""


class NoHome(OSError):
    """There is no folder for data sets."""


def data_home() -> Path:
    """Where data sets are kept: $LAMINA_DATA, or ~/.cache/lamina. Raises NoHome without
    either, as in a container for a user whom nobody has entered."""
    if given := os.environ.get("LAMINA_DATA"):
        return Path(given)
    try:
        return Path.home() / ".cache" / "lamina"
    except RuntimeError:
        raise NoHome(
            "this user has no home folder to keep data in; set LAMINA_DATA to a folder that can "
            "be written"
        ) from None


def fetch(
    path: Path, urls: list[str], verify: Callable[[str], None], at_most: int = MAX_BYTES
) -> Path:
    """Make sure that `path` exists: a file that `verify` accepts (see sha256_of_content).

    A file that is there is taken as it is. Otherwise the urls are tried in order, each up to
    ATTEMPTS times when the failure may pass (no connection, time-out, server error, broken off).
    Connections by https are verified, and never leave https for http; no more than `at_most` bytes
    are taken, whatever the server sends. Two processes may fetch the same file at once: each writes
    a temporary file of its own.
    Raises DownloadError with what every mirror said, and where to put the file by hand.
    """
    if path.exists():
        return path
    if (misplaced := path.parent.parent / path.name).exists():
        raise DownloadError(
            f"{misplaced} is there, but belongs into {path.parent}: set LAMINA_DATA to the folder "
            f"above, {misplaced.parent.parent}, or move the file"
        )
    import requests  # late: a run whose data are in place needs no network code
    import urllib3

    # A ValueError is what the HTTP code below raises for answers that are none.
    of_network = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException)
    passing = (*of_network, OSError, ValueError)
    failures = []
    with requests.Session() as session:
        for url in urls:
            for attempt in range(ATTEMPTS):
                if attempt:
                    time.sleep(BACK_OFF_S * 2 ** (attempt - 1))
                try:
                    return _fetch_one(session, url, path, verify, at_most)
                except _NoFolder:
                    raise
                except _Refused as error:
                    failures.append(f"  {url}: {_printable(str(error))}")
                    break  # asking again would give the same answer
                except passing as error:
                    failure = f"  {url}: {_printable(_short(error))}"
            else:
                failures.append(f"{failure} ({ATTEMPTS} attempts)")
    raise DownloadError(
        f"{path.name} could not be downloaded:\n" + "\n".join(failures) + "\n"
        f"Get it by other means and put it at {path} (LAMINA_DATA says where data are kept); or "
        "train on drawn digits, which need no download: configs/digits_relu.yaml; or on a text of "
        "ours: configs/text_mlp.yaml"
    )


class _NoFolder(DownloadError):
    """The data folder cannot be made or written."""


class _Refused(Exception):
    """A failure that another attempt would not mend."""


class _Moved(Exception):
    """The file is elsewhere; says where."""


def _fetch_one(session, url: str, path: Path, verify, at_most: int) -> Path:
    with _open(session, url) as answer:
        if 400 <= answer.status_code < 500:
            raise _Refused(f"HTTP {answer.status_code} {answer.reason}")
        if answer.status_code != 200:
            raise OSError(f"HTTP {answer.status_code} {answer.reason}")
        _make_folder(path.parent)  # not before there is something to put into it
        _remove_left_parts(path)
        with whole_file(path) as file:
            _copy(answer, file, path.name, at_most)
            file.flush()
            verify(file.name)
    return path


def _remove_left_parts(path: Path) -> None:
    """Remove what processes that were killed left of this file; others may be fetching it now."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*{PART}"):
        with contextlib.suppress(OSError):  # gone meanwhile, or not ours
            if time.time() - part.lstat().st_mtime > _LEFT_S:
                part.unlink()


def _open(session, url: str):
    """The answer, behind redirections. requests would follow them too, but from https to http, and
    reading into memory whatever comes with each of them."""
    for _ in range(MAX_REDIRECTS + 1):
        try:
            return session.get(
                url, stream=True, timeout=TIMEOUT_S, hooks={"response": _stop_at_redirection}
            )
        except _Moved as moved:
            target = str(moved)
            if url.startswith("https:") and not target.startswith("https:"):
                raise _Refused(f"leads from https to {target}") from None
            url = target
    raise _Refused(f"leads on more than {MAX_REDIRECTS} times")


def _stop_at_redirection(answer, **_) -> None:
    if answer.is_redirect:
        answer.close()
        try:
            raise _Moved(urllib.parse.urljoin(answer.url, answer.headers["location"]))
        except ValueError as error:
            raise _Refused(f"leads to no valid address ({error})") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _NoFolder(
            f"cannot make the data folder {folder}: {error.strerror}; "
            "set LAMINA_DATA to a folder that can be written"
        ) from None


def _copy(answer, file, name: str, at_most: int) -> None:
    declared = answer.headers.get("Content-Length", "")
    total = int(declared) if declared.isdecimal() and len(declared) < 20 else None
    started = time.monotonic()
    too_long = f"the file is longer than {at_most} bytes: a wrong file"
    if total and total > at_most:
        raise _Refused(too_long)
    with contextlib.closing(Bar(total=total, desc=name, unit="B", unit_scale=True)) as bar:
        # `raw` gives the bytes as they are: with iter_content a server that labels the file
        # "Content-Encoding: gzip" would have it unpacked on the way.
        while piece := _piece(answer):
            if file.tell() + len(piece) > at_most:
                raise _Refused(too_long)
            file.write(piece)
            seconds = time.monotonic() - started
            if seconds > SLOW_S and file.tell() < SLOWEST * seconds:
                raise _Refused(f"gave {file.tell()} bytes in {seconds:.0f} s: too slow")
            bar.to(file.tell())
    if total and file.tell() != total:
        raise OSError(f"broken off after {file.tell()} of {total} bytes")


def _piece(answer) -> bytes:
    """The bytes that have come, at most _CHUNK. Raises OSError if what frames them is none, as a
    chunk of negative size: the HTTP code below raises a bare ValueError for that."""
    # A server that sends a byte now and then would keep `read` waiting for a whole chunk of them.
    read = getattr(answer.raw, "read1", answer.raw.read)
    try:
        return read(_CHUNK, decode_content=False)
    except ValueError as error:
        raise OSError(f"its answer is no HTTP ({error})") from None


def sha256_of_content(expected: str, size: int) -> Callable[[str], None]:
    """Accepts a gzip file whose content has `size` bytes and this SHA-256."""

    def verify(path: str) -> None:
        total, digest = 0, hashlib.sha256()
        try:
            with gzip.open(path, "rb") as content:
                while piece := content.read(_CHUNK):
                    total += len(piece)
                    if total > size:  # a decompression bomb stops here
                        raise _Refused(f"the content is longer than {size} bytes: a wrong file")
                    digest.update(piece)
        except (OSError, EOFError, zlib.error) as error:
            raise _Refused(f"not a whole gzip file ({error})") from None
        if digest.hexdigest() != expected:
            raise _Refused("the content has a wrong SHA-256: a wrong or changed file")

    return verify


def md5_of_file(expected: str) -> Callable[[str], None]:
    """Accepts the very file with this MD5, where its publishers give no other sum. MD5 finds
    damage; it is no protection from somebody who wants to deceive."""

    def verify(path: str) -> None:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
        if digest.hexdigest() != expected:
            raise _Refused("the file has a wrong MD5: a wrong or changed file")

    return verify


def _short(error: Exception) -> str:
    """An error of requests in a few words: the cause at the bottom of its chain."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    text = str(reason or error).split(">: ")[-1].split("): ")[-1]
    return f"{type(error).__name__}: {text}"


def _printable(text: str) -> str:
    """What a server said, fit for a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text[:300])

"""The text of a CSV file, line by line, and what its encoding may be if it is no UTF-8."""

import codecs
import contextlib
import csv
import re
from collections.abc import Iterator
from pathlib import Path

from lamina.datasets.cells import short

_LOOKED_AT = 1 << 20  # bytes, to guess an encoding by
_NOT_CSV = {
    b"PK\x03\x04": "an Excel workbook or another zip archive; save it as CSV (Excel: CSV UTF-8)",
    b"\xd0\xcf\x11\xe0": "an Excel workbook; save it as CSV (Excel: CSV UTF-8)",
    b"\x1f\x8b": "packed with gzip; unpack it",
    b"PAR1": "Parquet; write it as CSV",
    b"\x89HDF": "HDF5; write it as CSV",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_OF_LINES = {"space": " ", "tab": "\t"}


def check_text(separator: str, quote: str, encoding: str) -> None:
    """Raises ValueError for what is no separator, no quote or no encoding."""
    if len(quote) != 1 or quote.isalnum() or quote.isspace() or quote == separator:
        raise ValueError(f'quote: expects one sign, as "\'", got {short(quote)}')
    sign = _OF_LINES.get(separator, separator)
    if len(sign) != 1 or sign in '"\r\n\0' or sign.isalnum():
        raise ValueError(
            f'separator: expects one sign, as ";", or tab or space, got {short(separator)}'
        )
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise ValueError(
            f"encoding: there is no {short(encoding)}; known are utf-8, cp949, cp1252, utf-16, ..."
        ) from None


@contextlib.contextmanager
def read_text(
    path: Path, separator: str, quote: str, encoding: str, skip_lines: int
) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """(line number, cells) of the rows with something in them, as a stream. Whatever is wrong with
    the file, here or while it is read, is a ValueError in one line."""
    line = 0

    def rows():
        nonlocal line
        while True:
            line = reader.line_num + 1 + skip_lines  # where the row begins: cells may have lines
            if (row := next(reader, None)) is None:
                return
            if any("\0" in cell for cell in row):
                raise ValueError(
                    f"{path}, line {line}: holds zero bytes: no text; save it as UTF-8, or say "
                    "encoding: utf-16-le if it is that"
                )
            if any(map(str.strip, row)):  # others are empty lines, or what Excel makes of them
                yield line, row

    try:
        with open(path, "rb") as raw:
            start = raw.read(4)
        for magic, what in _NOT_CSV.items():
            if start.startswith(magic):
                raise ValueError(f"{path}: is no CSV file but {what}")
        # A mark at the beginning belongs to no name.
        name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
        with open(path, newline="", encoding=name) as file:
            for _ in range(skip_lines):
                file.readline()
            lines = (text.strip(" \t\r\n") for text in file) if separator == "space" else file
            sign = _OF_LINES.get(separator, separator)
            spaces = separator == "space"
            reader = csv.reader(lines, delimiter=sign, quotechar=quote, skipinitialspace=spaces)
            yield rows()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error})") from None
    except LookupError as error:
        raise ValueError(f"encoding: {error}") from None
    except UnicodeError as error:
        cause = error if isinstance(error, UnicodeDecodeError) else None
        raise ValueError(_undecodable(path, encoding, cause)) from None
    except csv.Error as error:  # a cell of more than 131,072 characters: a quote never closed?
        message = f"cannot be read as CSV from line {line} on ({error}); is a quote not closed?"
        raise ValueError(f"{path}: {message}") from None


def _undecodable(path: Path, encoding: str, error: UnicodeDecodeError | None) -> str:
    byte = "" if error is None else f" (a byte 0x{error.object[error.start]:02X})"
    said = f"{path}: cannot be read as CSV: it is no {encoding.upper()}{byte}"
    with open(path, "rb") as file:
        start = file.read(_LOOKED_AT)
    likely, what = likely_encoding(start)
    if likely == codecs.lookup(encoding).name:
        return f"{said}; save it as UTF-8"
    text = codecs.getincrementaldecoder(likely)("replace").decode(start)
    lines = re.split(r"[\r\n]+", text.removeprefix("\ufeff"))
    first = next((line for line in lines if not line.isascii()), lines[0])
    return f"{said}; {what}: encoding: {likely} reads {short(first)}; or save it as UTF-8"


def likely_encoding(start: bytes) -> tuple[str, str]:
    """(name, in words) of the encoding that the first bytes of a text speak for."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "it begins as UTF-16 does (Excel's Unicode text)"
    with contextlib.suppress(UnicodeDecodeError):
        codecs.getincrementaldecoder("utf-8-sig")().decode(start)
        return "utf-8", "it is UTF-8"
    for name, letters, what in (
        ("cp949", "[\uac00-\ud7a3]", "it looks like CP949, as Excel writes Korean"),
        ("cp932", "[\u3040-\u30ff]", "it looks like CP932, as Excel writes Japanese"),
    ):
        with contextlib.suppress(UnicodeDecodeError):
            text = codecs.getincrementaldecoder(name)().decode(start)
            found = re.findall(letters, text)
            if name == "cp949":  # Japanese read so gives syllables too, but rare ones
                found = [c for c in found if min(c.encode("cp949")) > 0xA0]
            if len(found) > sum(not c.isascii() for c in text) / 2:
                return name, what
    with contextlib.suppress(UnicodeDecodeError):
        start.decode("cp1252")
        return "cp1252", "it may be CP1252, as Excel writes western languages"
    return "latin-1", "it may be Latin-1"

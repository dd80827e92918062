"""What the data sets of text files share: reading one, and the vocabulary of its tokens."""

import codecs
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, overload

from lamina.common.printable import printable
from lamina.datasets.tokens import UNKNOWN


@overload
def read_text(path: Path, tokens: Literal["characters", "words"]) -> str: ...


@overload
def read_text(path: Path, tokens: str) -> str | bytes: ...


def read_text(path: Path, tokens: str) -> str | bytes:
    """The text of a UTF-8 file, without a mark of order and with "\\n" as line ends; of tokens:
    bytes just its bytes. Raises ValueError naming the file, and the place of what is no UTF-8."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    if not data:
        raise ValueError(f"{path}: is empty; expects a text")
    if tokens == "bytes":
        return data
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        text = data[len(mark) :].decode()
    except UnicodeDecodeError as error:
        place = len(mark) + error.start
        line = data.count(b"\n", 0, place) + 1
        raise ValueError(
            f"{path}: byte {place}, in line {line}, is no UTF-8 ({data[place]:#04x}); save the "
            "file as UTF-8, or take tokens: bytes"
        ) from None
    return text.replace("\r\n", "\n")


def vocabulary_of(tokens: Iterable[str], min_count: int) -> tuple[str, ...]:
    """<unk>, and the tokens that stand there so often, the most frequent first; of equally frequent
    ones the first by code point."""
    counts = Counter(tokens)
    counts.pop(UNKNOWN, None)
    often = [token for token, count in counts.items() if count >= min_count]
    return (UNKNOWN, *sorted(often, key=lambda token: (-counts[token], token)))


def check_different(path: Path, tokens: Iterable[str], vocabulary, kind: str) -> None:
    """Raises ValueError if these are one token over and over, as far as the vocabulary has them."""
    known = set(vocabulary)
    found = {token if token in known else UNKNOWN for token in set(tokens)}
    if len(found) < 2:
        only = printable(next(iter(found)))
        raise ValueError(
            f"{path}: the train part is one of its {kind} over and over, '{only}': nothing to learn"
        )

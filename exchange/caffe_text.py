"""Caffe's text files (.prototxt): protobuf's text format, read and written.

Source: https://protobuf.dev/reference/protobuf/textformat-spec.
"""

import math
import re

import numpy as np

from lamina.exchange.caffe_message import CaffeError, Message, checked, field_of
from lamina.exchange.caffe_schema import ENUMS, Field

_TOKEN = re.compile(
    r"""
    (?P<space> [ \t\r\f\v]+ | \#[^\n]* )
  | (?P<newline> \n )
  | (?P<string> "(?:[^"\\\n]|\\[^\n])*" | '(?:[^'\\\n]|\\[^\n])*' )
  | (?P<number> (?:0[xX][0-9a-fA-F]+ | (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]? )(?![\w.]) )
  | (?P<name> [A-Za-z_]\w* )
  | (?P<mark> [{}<>:\[\],;-] )
    """,
    re.VERBOSE | re.ASCII,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|(.))")
_ENDS = {"{": "}", "<": ">"}


def parse_text(text: str, kind: str) -> Message:
    """The message of this kind in a text. Raises CaffeError, which begins with the line."""
    return _Parser(text).message(Message(kind, 1), "")


class _Parser:
    """Tokens one after another; `kind` is "" at the end."""

    def __init__(self, text: str):
        self.text, self.place, self.line = text, 0, 1
        self.advance()

    def advance(self) -> None:
        """To the next token that is neither space nor comment."""
        while self.place < len(self.text):
            found = _TOKEN.match(self.text, self.place)
            if found is None:
                raise self.error(f"does not understand {self.text[self.place :].split()[0]!r:.30}")
            self.place = found.end()
            if found.lastgroup == "newline":
                self.line += 1
            elif found.lastgroup != "space":
                self.kind, self.token, self.at = found.lastgroup, found.group(), self.line
                return
        self.kind, self.token, self.at = "", "the end of the file", self.line

    def error(self, message: str, line: int | None = None) -> CaffeError:
        return CaffeError(f"line {line or self.line}: {message}")

    def skip(self, *marks: str) -> bool:
        if self.kind == "mark" and self.token in marks:
            self.advance()
            return True
        return False

    def expect(self, mark: str, since: int) -> None:
        if not self.skip(mark):
            raise self.error(f"expects {mark} (of line {since}), got {self.token:.30}", self.at)

    def message(self, message: Message, end: str) -> Message:
        """The fields up to the end, which is "" for that of the file."""
        while not (self.token == end if self.kind == "mark" else self.kind == end == ""):
            if self.kind != "name":
                since = f" (of line {message.line})" if end else ""
                wanted = f"a field of {message.kind}{f' or {end}' if end else ''}{since}"
                raise self.error(f"expects {wanted}, got {self.token:.30}", self.at)
            self.field(message)
        if end:
            self.advance()
        for name, value in message.values.items():
            field = message.fields[name]
            if field.is_array:
                message[name] = np.array(value, "f8" if field.kind == "double" else "f4")
        return message

    def field(self, message: Message) -> None:
        line, name = self.at, self.token
        try:
            field = field_of(message, name)
        except CaffeError as error:
            raise self.error(str(error), line) from None
        if not field.repeated and name in message:
            raise self.error(f"{name} stands twice in one {message.kind}", line)
        self.advance()
        if not self.skip(":") and not field.is_message:
            raise self.error(f"expects {name}: VALUE, got {self.token:.30}", self.at)
        if self.kind == "mark" and self.token == "[" and field.repeated:
            values = self.values(field, self.at)
        else:
            values = [self.value(field)]
        if field.repeated:
            message.values.setdefault(name, []).extend(values)
        else:
            message[name] = values[0]
        self.skip(",", ";")

    def values(self, field: Field, since: int) -> list:
        self.advance()
        found = []
        while not self.skip("]"):
            found.append(self.value(field))
            if not self.skip(","):
                self.expect("]", since)
                break
        return found

    def value(self, field: Field):
        line = self.at
        if field.is_message:
            end = _ENDS.get(self.token) if self.kind == "mark" else None
            if end is None:
                raise self.error(f"expects {field.name} {{ ... }}, got {self.token:.30}", line)
            self.advance()
            return self.message(Message(field.kind, line), end)
        minus = self.skip("-")
        kind, token = self.kind, self.token
        said = f"{'-' * minus}{token}"
        self.advance()
        if field.kind == "string":
            if kind == "string" and not minus:
                return self.text_of(token)
        elif kind in ("number", "name"):
            try:
                value = _VALUES.get(field.kind, _enum)(kind, token, minus)
                return checked(field, value, said)
            except CaffeError as error:
                raise self.error(str(error), line) from None
            except (ValueError, OverflowError):
                pass
        wanted = "a name" if field.kind in ENUMS else _WANTED.get(field.kind, "a whole number")
        raise self.error(f"{field.name}: expects {wanted}, got {said:.30}", line)

    def text_of(self, token: str) -> str:
        """A string; several side by side are one."""
        parts = [token]
        while self.kind == "string":
            parts.append(self.token)
            self.advance()
        return "".join(_unescaped(part[1:-1]) for part in parts)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text

    def byte(found):
        octal, hexadecimal, unicode, letter = found.groups()
        if letter is not None:
            return _ESCAPES.get(letter, letter).encode()
        if unicode is not None:
            return chr(int(unicode, 16)).encode("utf-8", "replace")
        return bytes([int(octal, 8) % 256 if octal else int(hexadecimal, 16)])

    # Escapes are bytes, of which several may be one letter.
    parts, place = b"", 0
    for found in _ESCAPE.finditer(text):
        parts += text[place : found.start()].encode() + byte(found)
        place = found.end()
    return (parts + text[place:].encode()).decode("utf-8", "replace")


def _whole(kind: str, token: str, minus: bool) -> int:
    if kind != "number":
        raise ValueError(token)
    octal = len(token) > 1 and token[0] == "0"
    base = 16 if token[:2] in ("0x", "0X") else 8 if octal else 10
    return int(token, base) * (-1 if minus else 1)


def _float(kind: str, token: str, minus: bool) -> float:
    if kind == "name" and token.lower() not in ("inf", "infinity", "nan"):
        raise ValueError(token)
    whole = kind == "number" and (token[:2] in ("0x", "0X") or re.fullmatch(r"0[0-7]+", token))
    value = float(_whole(kind, token, False) if whole else token.rstrip("fF" * (kind == "number")))
    return -value if minus else value


def _bool(kind: str, token: str, minus: bool) -> bool:
    known = {"true": True, "True": True, "t": True, "1": True}
    known |= {"false": False, "False": False, "f": False, "0": False}
    if minus or token not in known:
        raise ValueError(token)
    return known[token]


def _enum(kind: str, token: str, minus: bool):
    return token if kind == "name" and not minus else _whole(kind, token, minus)


_VALUES = {"bool": _bool, "float": _float, "double": _float}
_VALUES |= dict.fromkeys(("int32", "int64", "uint32", "uint64"), _whole)
_WANTED = {"string": 'a text in quotes, "..."', "bool": "true or false"}
_WANTED |= {"float": "a number", "double": "a number"}


def format_text(message: Message) -> str:
    """The message as text, one field a line."""
    return "".join(f"{line}\n" for line in _lines(message, ""))


def _lines(message: Message, indent: str):
    for name, field in message.fields.items():
        if name not in message:
            continue
        value = message[name]
        for one in value if field.repeated else [value]:
            if field.is_message:
                yield f"{indent}{name} {{"
                yield from _lines(one, indent + "  ")
                yield f"{indent}}}"
            else:
                yield f"{indent}{name}: {_formatted(field, one)}"


def _formatted(field: Field, value) -> str:
    if field.kind == "string":
        return f'"{"".join(map(_escaped, value))}"'
    if field.kind == "bool":
        return "true" if value else "false"
    if field.kind in ("float", "double"):
        if not math.isfinite(value):
            return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
        short = str(np.float32(value) if field.kind == "float" else np.float64(value))
        return short.removesuffix(".0")
    return str(value)


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter == "\n":
        return "\\n"
    return letter if letter >= " " and letter != "\x7f" else f"\\{ord(letter):03o}"

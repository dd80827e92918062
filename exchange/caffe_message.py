"""One message of Caffe, read from text or from a binary file: its fields by name."""

import math
from typing import Any

import numpy as np

from lamina.common.names import suggest
from lamina.exchange.caffe_schema import ENUMS, MESSAGES


class CaffeError(ValueError):
    """A file of Caffe cannot be read, or a net not be written as one; says where and what to do."""


class Message:
    """The fields that a file gives. `message["kernel_size"]` is the value of a field, of a repeated
    one the list; what the file does not give is the default of caffe.proto, of a message an empty
    one. `"pad" in message` says whether it is given. `line` is where it stands in a text, else 0.

    Numbers are those of Python, enums the texts of their names; the data of a BlobProto an array.
    """

    def __init__(self, kind: str, line: int = 0, **given):
        self.kind, self.line = kind, line
        self.fields = MESSAGES[kind]
        self.values: dict = {}
        for name, value in given.items():
            self[name] = value

    def __contains__(self, name: str) -> bool:
        return self.fields[name].name in self.values

    def __getitem__(self, name: str) -> Any:
        field = self.fields[name]
        if name in self.values:
            return self.values[name]
        if field.is_array:
            return np.zeros(0, field.kind if field.kind == "double" else "f4")
        if field.repeated:
            return []
        return Message(field.kind, self.line) if field.is_message else field.default

    def get(self, name: str, default):
        """What the file gives, else this."""
        return self.values.get(self.fields[name].name, default)

    def __setitem__(self, name: str, value) -> None:
        self.values[self.fields[name].name] = value

    def __eq__(self, other):
        if not isinstance(other, Message) or self.kind != other.kind:
            return False
        if self.values.keys() != other.values.keys():
            return False
        pairs = ((self.fields[n], v, other.values[n]) for n, v in self.values.items())
        return all(np.array_equal(a, b) if f.is_array else a == b for f, a, b in pairs)

    __hash__ = None  # type: ignore[assignment]  # it changes; typeshed has a method there

    def __repr__(self):
        return f"{self.kind}({', '.join(self.values)})"


def checked(field, value, said: str):
    """A number or text of a file, if the field can have it. Raises CaffeError."""
    if field.kind in ENUMS:
        names = ENUMS[field.kind]
        if value in names:
            return names[value]
        if value not in names.values():
            known = names.values()
            raise CaffeError(f"{field.name}: expects one of {', '.join(known)}, got {said}")
    if field.kind == "float" and math.isfinite(value) and abs(value) > float(np.finfo("f4").max):
        raise CaffeError(f"{field.name}: expects a number of 32 bits, got {said}")
    limits = {"int32": (-(2**31), 2**31), "uint32": (0, 2**32)}
    limits |= {"int64": (-(2**63), 2**63), "uint64": (0, 2**64)}
    if field.kind in limits:
        low, high = limits[field.kind]
        if not low <= value < high:
            raise CaffeError(f"{field.name}: expects a number of {field.kind}, got {said}")
    return value


def field_of(message: Message, name: str):
    """Raises CaffeError for a name that the message does not have."""
    field = message.fields.get(name)
    if field is None:
        raise CaffeError(f"{message.kind} has no field {name}{suggest(name, message.fields)}")
    return field

"""Caffe's binary files (.caffemodel, .binaryproto): protobuf's wire format, read and written.

Source: https://protobuf.dev/programming-guides/encoding.
"""

import struct

import numpy as np

from lamina.exchange.caffe_message import CaffeError, Message, checked
from lamina.exchange.caffe_schema import BY_NUMBER, ENUMS, Field

_VARINT, _FIXED64, _PIECE, _FIXED32 = 0, 1, 2, 5
_FLOATS = {"float": ("<f4", "<f", _FIXED32), "double": ("<f8", "<d", _FIXED64)}


def parse_wire(data: bytes, kind: str) -> Message:
    """The message of this kind in a file; fields that are not known are passed over. Raises
    CaffeError, which says at which byte, for what is cut off or claims more than there is."""
    return _Reader(memoryview(data)).message(Message(kind), len(data))


class _Reader:
    def __init__(self, data: memoryview):
        self.data, self.place = data, 0

    def error(self, message: str) -> CaffeError:
        return CaffeError(f"byte {self.place}: {message}; is the file cut off, or of another kind?")

    def varint(self, end: int) -> int:
        value = shift = 0
        while True:
            if self.place >= end or shift > 63:
                raise self.error("a number does not end")
            byte = self.data[self.place]
            self.place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value & (2**64 - 1)

    def piece(self, size: int, end: int) -> int:
        """Where the next `size` bytes end."""
        if size > end - self.place:
            raise self.error(f"a field claims {size} bytes, and {end - self.place} are left")
        return self.place + size

    def message(self, message: Message, end: int) -> Message:
        fields = BY_NUMBER[message.kind]
        arrays: dict[str, bytearray] = {}
        while self.place < end:
            key = self.varint(end)
            number, wire = key >> 3, key & 7
            if number == 0 or number >= 2**29:
                raise self.error(f"{number} is no number of a field")
            field = fields.get(number)
            if field is None:
                self.skip(wire, end)
            elif field.is_array:
                held = arrays.setdefault(field.name, bytearray())
                _, _, single = _FLOATS[field.kind]
                size = {_PIECE: None, single: 4 if single == _FIXED32 else 8}.get(wire, -1)
                if size == -1:
                    raise self.refused(field, wire)
                stop = self.piece(self.varint(end) if size is None else size, end)
                held += self.data[self.place : stop]
                self.place = stop
            elif field.is_message:
                self.inner(message, field, wire, end)
            else:
                self.plain(message, field, wire, end)
        for name, held in arrays.items():
            dtype = np.dtype(_FLOATS[message.fields[name].kind][0])
            if len(held) % dtype.itemsize:
                raise self.error(f"{name} has {len(held)} bytes, no whole number of floats")
            # Of the machine's own order, and not of an array that is larger than it looks.
            message[name] = np.frombuffer(bytes(held), dtype).astype(dtype.newbyteorder("="))
        return message

    def skip(self, wire: int, end: int) -> None:
        if wire == _VARINT:
            self.varint(end)
        elif wire in (_FIXED32, _FIXED64):
            self.place = self.piece(4 if wire == _FIXED32 else 8, end)
        elif wire == _PIECE:
            self.place = self.piece(self.varint(end), end)
        else:
            raise self.error(f"a field of wire type {wire} is not known")

    def refused(self, field: Field, wire: int) -> CaffeError:
        return self.error(f"{field.name} ({field.kind}) cannot have wire type {wire}")

    def inner(self, message: Message, field: Field, wire: int, end: int) -> None:
        if wire != _PIECE:
            raise self.refused(field, wire)
        stop = self.piece(self.varint(end), end)
        if field.repeated:
            found = Message(field.kind)
            message.values.setdefault(field.name, []).append(found)
        else:  # what stands twice is put together
            found = message.values.setdefault(field.name, Message(field.kind))
        self.message(found, stop)

    def plain(self, message: Message, field: Field, wire: int, end: int) -> None:
        single = _wire_type(field)
        if wire == single:
            values = [self.value(field, end)]
        elif wire == _PIECE and field.repeated:  # packed
            stop, values = self.piece(self.varint(end), end), []
            while self.place < stop:
                values.append(self.value(field, stop))
        else:
            raise self.refused(field, wire)
        if field.repeated:
            message.values.setdefault(field.name, []).extend(values)
        else:
            message[field.name] = values[-1]

    def value(self, field: Field, end: int):
        if field.kind == "string":
            stop = self.piece(self.varint(end), end)
            text = bytes(self.data[self.place : stop])
            self.place = stop
            return text.decode("utf-8", "replace")
        if field.kind in _FLOATS:
            _, form, wire = _FLOATS[field.kind]
            stop = self.piece(4 if wire == _FIXED32 else 8, end)
            (value,) = struct.unpack(form, self.data[self.place : stop])
            self.place = stop
            return float(str(np.float32(value))) if field.kind == "float" else value  # 0.1 as 0.1
        value = self.varint(end)
        if field.kind == "bool":
            return value != 0
        if field.kind in ("int32", "int64") or field.kind in ENUMS:
            value -= 2**64 if value >= 2**63 else 0
        try:
            return checked(field, value, str(value))
        except CaffeError as error:
            raise self.error(str(error)) from None


def _wire_type(field: Field) -> int:
    if field.kind in _FLOATS:
        return _FLOATS[field.kind][2]
    return _PIECE if field.kind == "string" or field.is_message else _VARINT


def format_wire(message: Message) -> bytes:
    """The message as bytes, as Google's own writer has them."""
    return b"".join(_pieces(message))


def _pieces(message: Message):
    for field in sorted(message.fields.values(), key=lambda field: field.number):
        if field.name not in message:
            continue
        value = message[field.name]
        if field.is_array:
            content = np.ascontiguousarray(value, _FLOATS[field.kind][0]).tobytes()
            if content:
                yield _key(field, _PIECE) + _varint(len(content)) + content
        elif field.packed:
            content = b"".join(_value(field, one) for one in value)
            if content:
                yield _key(field, _PIECE) + _varint(len(content)) + content
        else:
            for one in value if field.repeated else [value]:
                yield _key(field, _wire_type(field)) + _value(field, one)


def _key(field: Field, wire: int) -> bytes:
    return _varint(field.number << 3 | wire)


def _varint(value: int) -> bytes:
    value &= 2**64 - 1  # numbers below 0 have ten bytes
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _value(field: Field, value) -> bytes:
    if field.is_message or field.kind == "string":
        content = format_wire(value) if field.is_message else value.encode("utf-8")
        return _varint(len(content)) + content
    if field.kind in _FLOATS:
        return struct.pack(_FLOATS[field.kind][1], value)
    if field.kind in ENUMS:
        value = next(number for number, name in ENUMS[field.kind].items() if name == value)
    return _varint(int(value))

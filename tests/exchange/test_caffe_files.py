"""Caffe's text and binary files, beside Google's protobuf; what is wrong is said with its place."""

import numpy as np
import pytest

from lamina.exchange.caffe_message import CaffeError, Message
from lamina.exchange.caffe_schema import ENUMS, MESSAGES
from lamina.exchange.caffe_text import format_text, parse_text
from lamina.exchange.caffe_wire import format_wire, parse_wire

NET = r"""
# A net with what the format has.
name: "all" ' of\tit\n' # two strings are one
input: "data"; input_shape { dim: [1, 0x3, 010] dim: 4, }
layer {
  name: 'say "x" \303\251 \x41'
  type: "Convolution"
  bottom: "data" top: "c"
  param: < lr_mult: 1.5f decay_mult: -.5 > param { name: "w" lr_mult: 1e-4 }
  loss_weight: [1, -2.5, inf]
  propagate_down: [true, false, 1]
  convolution_param { num_output: 3 kernel_size: 5 pad: [1, 2] engine: CAFFE bias_term: False
    weight_filler { type: "xavier" variance_norm: AVERAGE } }
  blobs { shape { dim: 2 } data: [0.1, -3] data: 7 }
  blobs { num: 1 height: 2 double_data: 0.1 }
}
layers { name: "old" type: INNER_PRODUCT blobs_lr: 1 inner_product_param: { axis: -1 } }
"""


def google(kind: str):
    """Google's class of a message, from a descriptor made of our table."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    proto = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="c", syntax="proto2")
    for name, values in ENUMS.items():
        enum = proto.enum_type.add(name=name)
        for number, value in values.items():  # names of a package are shared: they get a prefix
            enum.value.add(name=f"{name}_{value}", number=number)
    for name, fields in MESSAGES.items():
        message = proto.message_type.add(name=name)
        for field in fields.values():
            made = message.field.add(name=field.name, number=field.number)
            made.label = made.LABEL_REPEATED if field.repeated else made.LABEL_OPTIONAL
            if field.kind in ENUMS or field.is_message:
                made.type = made.TYPE_MESSAGE if field.is_message else made.TYPE_ENUM
                made.type_name = f".c.{field.kind}"
            else:
                made.type = getattr(made, f"TYPE_{field.kind.upper()}")
            if field.packed:
                made.options.packed = True
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"c.{kind}"))


def with_prefixes(text: str) -> str:
    """The names of enums as `google` has them."""
    prefixes = {"CAFFE": "Engine", "AVERAGE": "VarianceNorm", "INNER_PRODUCT": "LayerType"}
    for name, prefix in prefixes.items():
        text = text.replace(f": {name}", f": {prefix}_{name}")
    return text


@pytest.mark.needs_protobuf
def test_text_and_bytes_are_those_of_google():
    from google.protobuf import text_format

    theirs = text_format.Parse(with_prefixes(NET), google("NetParameter")())
    ours = parse_text(NET, "NetParameter")
    content = theirs.SerializeToString(deterministic=True)
    assert format_wire(ours) == content
    assert format_wire(parse_wire(content, "NetParameter")) == content
    assert ours["name"] == "all of\tit\n"
    assert ours["layer"][0]["name"] == 'say "x" é A'


@pytest.mark.needs_protobuf
def test_google_reads_what_is_written_as_text():
    from google.protobuf import text_format

    ours = parse_text(NET, "NetParameter")
    text = format_text(ours)
    assert parse_text(text, "NetParameter") == ours
    theirs = text_format.Parse(with_prefixes(text), google("NetParameter")())
    assert format_wire(ours) == theirs.SerializeToString(deterministic=True)


@pytest.mark.needs_protobuf
def test_unpacked_numbers_packed_numbers_and_pieces():
    """A writer may pack or not, cut a message into pieces, and know fields that we do not."""
    whole = format_wire(Message("BlobProto", data=np.array([1, 2, 3], "f4"), num=1))
    loose = b"\x2d" + np.float32(4).tobytes()  # field 5, 32 bits
    unknown = b"\xba\x06\x03abc" + b"\xb8\x06\x05"  # field 103
    content = whole + unknown + loose
    theirs = google("BlobProto").FromString(content)
    assert list(theirs.data) == list(parse_wire(content, "BlobProto")["data"]) == [1, 2, 3, 4]
    first = format_wire(Message("NetParameter", state=Message("NetState", phase="TEST")))
    second = format_wire(Message("NetParameter", state=Message("NetState", level=-2)))
    state = parse_wire(first + second, "NetParameter")["state"]
    assert (state["phase"], state["level"]) == ("TEST", -2)


def test_what_is_not_given_is_the_default():
    layer = parse_text('layer { name: "a" }', "NetParameter")["layer"][0]
    pooling = layer["pooling_param"]
    assert "pooling_param" not in layer
    assert (pooling["pool"], pooling["stride"], pooling["round_mode"]) == ("MAX", 1, "CEIL")
    assert layer["dropout_param"]["dropout_ratio"] == 0.5
    assert layer["bottom"] == []
    assert layer["transform_param"]["crop_size"] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name: "a"\nlayer {\n  nmae: "b"\n}', "line 3: LayerParameter has no field nmae"),
        ('layer {\n name: "b"\n', "line 3: expects a field of LayerParameter or } (of line 1)"),
        ('name: "a"\nname: "b"', "line 2: name stands twice in one NetParameter"),
        ("name: 7", 'line 1: name: expects a text in quotes, "...", got 7'),
        ('name: "a\nb"', "line 1: does not understand '\"a'"),
        ('layer { type: "a" } }', "line 1: expects a field of NetParameter, got }"),
        ("layer: 3", "line 1: expects layer { ... }, got 3"),
        ("layer { phase: TRIAN }", "line 1: phase: expects one of TRAIN, TEST, got TRIAN"),
        ("input_dim: 1.5", "line 1: input_dim: expects a whole number, got 1.5"),
        ("input_dim: 09", "line 1: input_dim: expects a whole number, got 09"),
        ("input_dim: 9999999999", "line 1: input_dim: expects a number of int32"),
        ("input_dim: [1, 2", "line 1: expects ] (of line 1), got the end of the file"),
        ("force_backward: maybe", "line 1: force_backward: expects true or false, got maybe"),
        ("layer { loss_weight: 1e99 }", "line 1: loss_weight: expects a number of 32 bits"),
        ("name", "line 1: expects name: VALUE, got the end of the file"),
    ],
)
def test_mistakes_in_texts_are_said_with_their_line(text, said):
    with pytest.raises(CaffeError) as error:
        parse_text(text, "NetParameter")
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x0a\x05abc", "byte 2: a field claims 5 bytes, and 3 are left"),
        (b"\x0a\xff\xff\xff\xff\x0f", "byte 6: a field claims 4294967295 bytes, and 0 are left"),
        (b"\xa2\x06\x02\x0a\x7f", "byte 5: a field claims 127 bytes, and 0 are left"),
        (b"\x0a", "byte 1: a number does not end"),
        (b"\x80" * 11, "byte 10: a number does not end"),
        (b"\x00\x00", "byte 1: 0 is no number of a field"),
        (b"\x08\x01", "byte 1: name (string) cannot have wire type 0"),
        (b"\x3b", "byte 1: debug_info (bool) cannot have wire type 3"),
        (b"\x32\x02\x08\x05", "byte 4: phase: expects one of TRAIN, TEST, got 5"),
        (b"\xa2\x06\x05\x3a\x03\x2a\x01\x00", "byte 8: data has 1 bytes, no whole number of"),
    ],
)
def test_mistakes_in_binary_files_are_said_with_their_place(content, said):
    with pytest.raises(CaffeError) as error:
        parse_wire(content, "NetParameter")
    assert str(error.value).startswith(said)

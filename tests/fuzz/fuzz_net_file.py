"""Whole nets in a file: the net, or one error; no code is run, and no memory taken for lies."""

import io
import json
import zipfile

import guard

with guard.instrumented("nets", "layers", "common", "zipfile"):
    import numpy as np

    from lamina.common.npz import NpzError
    from lamina.layers import Affine, BatchNormalization, Dropout, SoftmaxWithLoss
    from lamina.nets import Graph, Node, Sequential, load_net
    from lamina.nets.net_file import STRUCTURE, NetFileError

AFFINE = Affine(3, 3, rng=0)
NET = Sequential(
    {"a": AFFINE, "norm": BatchNormalization(3), "b": AFFINE, "drop": Dropout(0.5, rng=0)},
    SoftmaxWithLoss(),
)
GRAPH = Graph({"a": Affine(3, 3, rng=0), "b": Node(NET, "a")}, losses=SoftmaxWithLoss())
READY = [
    {"type": "LeNet", "input_shape": [1, 16, 16], "n_classes": 2},
    {"type": "ResidualNet", "widths": [1, 2], "blocks": 1},
    {"type": "TwoLayerNet", "input_size": 3, "hidden_size": 3, "output_size": 3},
    {
        "type": "Sequential",
        "layers": {"a": {"type": "Convolution", "c_in": 1, "c_out": 1, "kernel": [1, 1]}},
    },
    {"type": "Sequential", "layers": {"a": {"type": "Slice", "axis": 1, "sizes": [1, 2]}}},
    {
        "type": "Sequential",
        "layers": {"a": {"type": "x.py:Relu", "params": {"b": {"lr_mult": 1.0}}}},
    },
]


def load(path):
    """The net in the file, which then works."""
    net = load_net(path)
    net.structure()
    repr(net)
    return net


def _file(net) -> bytes:
    path = guard.file("seed.npz", b"")
    net.save(path)
    return path.read_bytes()


def _text(net: dict, shared=None) -> str:
    return json.dumps({"lamina": 1, "net": net, "shared": shared or {}})


def seeds() -> list[bytes]:
    """A byte that says how the rest is meant (see `one_input`), then a file, or its structure."""
    found = [b"\0" + _file(net) for net in (NET, GRAPH)]
    texts = [_text(NET.structure()), _text(GRAPH.structure(), {"b.drop.rng": "b.drop.rng"})]
    texts += [_text(spec) for spec in READY]
    return found + [bytes([way]) + text.encode() for text in texts for way in (1, 2)]


def one_input(data: bytes) -> None:
    way, content = (data[0] % 3 if data else 0), data[1:]
    if way:  # the structure, beside the arrays of the net, which a packed file has more of
        stream, arrays = io.BytesIO(), NET.state()
        arrays = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
        if way == 2:
            arrays["more"] = np.zeros(100_000, np.float32)
        save = np.savez if way == 1 else np.savez_compressed
        save(stream, **arrays, **{STRUCTURE: np.array(content.decode("utf-8", "replace"))})
        content = stream.getvalue()
    path = guard.file("net.npz", content)
    declared = min(_declared(path), 1032 * len(content))
    # A layer makes up to eight bytes for each of four numbers where the file has one of four bytes.
    guard.check(load, path, (NetFileError, NpzError), 10 * declared + 2 * guard.SLACK)


def _declared(path) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(info.file_size for info in archive.infolist())
    except Exception:
        return 0


if __name__ == "__main__":
    guard.fuzz(one_input, seeds())

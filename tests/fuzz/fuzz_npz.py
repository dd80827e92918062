"""NPZ files, as data and as weights of a net: arrays, or one error, and the net stays as it was."""

import io
import struct
import zipfile

import guard

with guard.instrumented("datasets", "training", "layers", "zipfile"):
    import numpy as np

    from datasets.npz import NpzError, read_npz
    from layers import Affine, BatchNormalization
    from nets import Sequential
    from training.weights import load_weights

NET = Sequential({"affine1": Affine(3, 2, rng=0), "norm": BatchNormalization(2)})


def load_into_a_net(path) -> None:
    """Weights that fit are taken; on any error the net is as it was."""
    before = NET.state()
    try:
        load_weights(path, NET)
    except ValueError:
        after = NET.state()
        assert all(np.array_equal(after[name], before[name]) for name in before)
        raise


# What is called with each file. A ValueError is allowed where a whole file does not fit the net.
LOADERS = [(read_npz, (NpzError,)), (load_into_a_net, (NpzError, ValueError))]


def seeds() -> list[bytes]:
    """A byte that says how the rest is meant (see `one_input`), then a file or a part of one."""
    arrays = {"a": np.arange(6, dtype=">i2").reshape(2, 3), "text": np.array("x"), "f": np.eye(2).T}
    found = [b"\0" + _saved(np.savez, NET.state()), b"\0" + _saved(np.savez_compressed, arrays)]
    found.append(b"\0" + _saved(np.savez_compressed, {"a": np.zeros(1 << 20)}))
    for array in (*arrays.values(), np.zeros((3, 2), np.float32)):
        stream = io.BytesIO()
        np.save(stream, array)
        found += [b"\1" + stream.getvalue(), b"\2" + stream.getvalue()]
        found.append(b"\3" + stream.getvalue()[10:])
    return found


def _saved(save, arrays: dict) -> bytes:
    stream = io.BytesIO()
    save(stream, **arrays)
    return stream.getvalue()


def one_input(data: bytes) -> None:
    way, content = (data[0] % 4 if data else 0), data[1:]
    if way == 3:  # a header, under the right magic number and length
        content = (
            b"\x93NUMPY\1\0" + struct.pack("<H", len(content.partition(b"\n")[0]) + 1) + content
        )
    if way:  # a part of an archive, with the right checksum, so that what is inside is reached
        stream = io.BytesIO()
        compression = zipfile.ZIP_DEFLATED if way == 2 else zipfile.ZIP_STORED
        with zipfile.ZipFile(stream, "w", compression) as archive:
            archive.writestr("affine1.W.npy", content)
        content = stream.getvalue()
    path = guard.file("arrays.npz", content)
    declared = min(_declared(path), 1032 * len(content))
    for load, errors in LOADERS:
        guard.check(load, path, errors, 2 * declared + guard.SLACK)


def _declared(path) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(info.file_size for info in archive.infolist())
    except Exception:
        return 0


if __name__ == "__main__":
    guard.fuzz(one_input, seeds())
